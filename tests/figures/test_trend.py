"""Trends over the frames: the numbers, from any table, and their picture."""

import numpy as np
import pytest
import xarray as xr

import beamkit as bk
from beamkit.core.errors import ParameterError, ShapeError, UnknownNameError
from beamkit.scans.trends import quantities, trends


def test_numbers_over_a_further_axis_become_a_curve_each():
    values = np.arange(6.0).reshape(3, 2)
    table = xr.Dataset(
        {
            "area": (("row", "peak"), values),
            "area_sigma": (("row", "peak"), values / 10),
            "name": ("peak", ["a", "b"]),
        },
        coords={"row": [5.0, 7.0, 11.0]},
    )
    curves = trends(table)
    assert quantities(curves) == ["area, peak 0", "area, peak 1"]
    np.testing.assert_array_equal(curves["area, peak 1"], [1, 3, 5])
    np.testing.assert_allclose(curves["area, peak 1_error"], [0.1, 0.3, 0.5])
    np.testing.assert_array_equal(curves["row"], [5, 7, 11])


def test_a_single_array_counts_its_frames():
    curves = trends(xr.DataArray([3, 1, 2], dims="frame", name="counts"))
    np.testing.assert_array_equal(curves["frame"], [0, 1, 2])
    assert curves["counts"].dtype == float


def test_the_picture_shows_what_is_missing(tmp_path):
    values = xr.DataArray([1.0, np.nan, 3.0], dims="frame", name="sum", attrs={"units": "counts"})
    picture = bk.figures.trend(values)
    (axes,) = picture.axes
    assert axes.get_ylabel() == "sum [counts]"
    assert "1 frames without" in axes.get_title(loc="left")
    assert picture.save(tmp_path / "trend.png").stat().st_size > 3000


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ParameterError, match="DataFrame"):
        trends([1, 2, 3])
    with pytest.raises(ShapeError, match="single numbers"):
        trends(xr.Dataset({"a": 3.0}))
    with pytest.raises(ShapeError, match="no axis 'time'"):
        trends(xr.DataArray([1.0], dims="frame"), dim="time")
    with pytest.raises(UnknownNameError, match="sum"):
        bk.figures.trend(xr.DataArray([1.0], dims="frame", name="sum"), "sun")
