import numpy as np
import pytest
import xarray as xr

from beamkit import scans
from beamkit.core.errors import ShapeError


def test_a_profile_is_a_scan_over_its_coordinate():
    profile = xr.DataArray(
        [3.0, 9.0, 4.0],
        dims="q",
        coords={"q": ("q", [0.1, 0.3, 0.4], {"units": "1/angstrom"})},
        attrs={"units": "counts"},
    )
    scan = scans.as_scan(profile)
    assert scans.default_signal(scan) == "value"
    np.testing.assert_array_equal(scans.scanned_axis(scan), [0.1, 0.3, 0.4])
    assert scans.curve(scan).attrs["units"] == "counts"


def test_an_image_is_no_curve():
    with pytest.raises(ShapeError, match="isel"):
        scans.as_scan(xr.DataArray(np.zeros((2, 3))))
