"""Rings of a calibrant in patterns whose truth is a formula."""

import numpy as np
import pytest
import xarray as xr

from beamkit.core.errors import MetadataError, ParameterError, ShapeError, UnknownNameError
from beamkit.diffraction import calibrant, calibrant_check, mean_pattern


def ceria(axis="q", stretch=1.0, bins=1601, wavelength=0.4066):
    """Gaussian rings of CeO2 on a sloping background, all moved by the same part of 1/d."""
    q = calibrant("CeO2", shortest=0.9).q() * stretch
    places, unit, end = q, "1/angstrom", 7.3
    if axis == "two_theta":
        places = np.rad2deg(2 * np.arcsin(q * wavelength / (4 * np.pi)))
        unit, end = "deg", 27.0
    x = np.linspace(0.3, end, bins)
    width = 2.5 * (x[1] - x[0])
    rings = np.exp(-0.5 * ((x[:, None] - places) / width) ** 2)
    values = 95 - 2 * x + rings @ (900.0 / np.arange(1, places.size + 1))
    return xr.Dataset(
        {
            "intensity": (axis, values, {"units": "counts"}),
            "sigma": (axis, np.sqrt(values) / 4, {"units": "counts"}),
        },
        {axis: (axis, x, {"units": unit})},
        {"wavelength": wavelength, "kind": "pattern"},
    )


@pytest.mark.parametrize("axis", ["q", "two_theta"])
@pytest.mark.parametrize("stretch", [1.0, 1.004, 0.9925])
def test_ratio_is_the_part_by_which_all_rings_are_off(axis, stretch):
    found = calibrant_check(ceria(axis, stretch), "CeO2")
    assert found.attrs["ratio"] == pytest.approx(stretch, abs=2e-4)
    assert found.attrs["number"] >= 8
    assert bool(found.attrs["is_good"]) == (stretch == 1.0)
    assert list(found["label"].values[:3]) == ["111", "200", "220"]
    assert found["expected"].attrs["units"] == ceria(axis)[axis].attrs["units"]


def test_rings_that_are_not_there_are_nan_and_the_geometry_is_not_good():
    pattern = ceria()
    flat = pattern.assign(intensity=50 + 0.1 * pattern.q)
    found = calibrant_check(flat, "CeO2")
    assert found.attrs["is_good"] == 0
    assert found.attrs["reason"].startswith("0 of 12 rings")
    assert np.isnan(found["found"]).all()


def test_other_calibrant_is_not_good():
    assert not calibrant_check(ceria(), "LaB6").attrs["is_good"]


def test_what_cannot_be_checked_is_said():
    pattern = ceria()
    with pytest.raises(UnknownNameError, match="CeO2"):
        calibrant_check(pattern, "CeO3")
    with pytest.raises(ParameterError, match="No ring of CeO2 stands alone"):
        calibrant_check(pattern.isel(q=slice(0, 50)), "CeO2")
    with pytest.raises(ParameterError, match="above 0"):
        calibrant_check(pattern, "CeO2", tolerance=0)
    bare = ceria("two_theta")
    del bare.attrs["wavelength"]
    with pytest.raises(MetadataError, match="wavelength"):
        calibrant_check(bare, "CeO2")
    with pytest.raises(MetadataError, match="radius"):
        calibrant_check(pattern.rename(q="radius"), "CeO2")


def test_mean_leaves_gaps_out_and_has_the_error_of_the_mean():
    one = ceria(bins=401).drop_attrs(deep=False)
    series = xr.concat([one, one * 3, one * np.nan], "frame", data_vars="all")
    mean = mean_pattern(series)
    np.testing.assert_allclose(mean.intensity, 2 * one.intensity)
    np.testing.assert_allclose(mean.sigma, np.sqrt(1 + 9) / 2 * one.sigma)
    assert mean.intensity.dims == ("q",)
    with pytest.raises(ShapeError, match="pattern"):
        mean_pattern(series.rename(q="energy"))


def test_reference_patterns_of_real_calibrants_are_good(data_folder):
    """PROVENANCE.md: CeO2 calibrated by Dioptas; the first order of AgBeh at 0.10764 1/angstrom."""
    import beamkit as bk

    real = bk.open(data_folder / "powder/CeO2_Pilatus1M.xy", wavelength=0.4066)
    found = calibrant_check(real, "CeO2")
    assert found.attrs["is_good"] == 1
    assert found.attrs["number"] == 12
    curve = bk.open(data_folder / "powder/i22-363061/i22-363061_processed.nxs").load()
    found = calibrant_check(curve.where(curve.intensity > 0).dropna("q"), "AgBeh")
    assert found.attrs["is_good"] == 1
    assert float(found["found"][0]) == pytest.approx(0.10764, abs=0.00008)  # half a bin
