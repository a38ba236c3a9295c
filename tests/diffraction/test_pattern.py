"""Background, peaks, profiles and series of patterns, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from beamkit.core.errors import ParameterError, ShapeError, UnknownNameError
from beamkit.diffraction import fit_series, line_profile, pattern_peaks, subtract_background

Q = np.linspace(1.0, 3.0, 401)


def pattern_of(values, sigma=1.0, **coords) -> xr.Dataset:
    dims = ("frame", "q") if np.ndim(values) == 2 else ("q",)
    units = {"units": "counts"}
    return xr.Dataset(
        {"intensity": (dims, values, units), "sigma": (dims, np.full_like(values, sigma), units)},
        {"q": ("q", Q, {"units": "1/angstrom"}), **coords},
        {"kind": "pattern"},
    )


def peak(position, height=100.0, fwhm=0.05):
    return height * np.exp(-4 * np.log(2) * ((Q - position) / fwhm) ** 2)


def test_background_is_subtracted_with_the_errors_of_both():
    sample = pattern_of(50 + peak(1.7), 3.0, i0=2.0)
    empty = pattern_of(np.full(401, 20.0), 4.0, i0=4.0)
    found = subtract_background(sample, empty, scale=0.5)
    np.testing.assert_allclose(found.intensity, 40 + peak(1.7))
    np.testing.assert_allclose(found.sigma, np.hypot(3, 0.5 * 4))
    by_monitor = subtract_background(sample, empty, scale="i0")  # 2 / 4
    np.testing.assert_allclose(by_monitor.intensity, found.intensity)
    assert found.bk.history[-1]["name"] == "subtract_background"


def test_several_backgrounds_are_averaged():
    sample = pattern_of(np.full((3, 401), 50.0), 3.0)
    empty = pattern_of(np.stack([np.full(401, 10.0), np.full(401, 30.0)]), 4.0)
    found = subtract_background(sample, empty)
    np.testing.assert_allclose(found.intensity, 30)
    np.testing.assert_allclose(found.sigma, np.sqrt(9 + 16 / 2))


def test_other_bins_are_refused():
    sample = pattern_of(np.ones(401))
    with pytest.raises(ShapeError, match="same npt"):
        subtract_background(sample, sample.assign_coords(q=Q + 0.1))
    with pytest.raises(UnknownNameError, match="coordinate to scale by"):
        subtract_background(sample, sample, scale="i1")
    with pytest.raises(ShapeError, match="A pattern has intensity"):
        subtract_background(sample.rename(q="x"), sample)


def test_peaks_of_a_pattern_are_where_they_are():
    rng = np.random.default_rng(2)
    values = 10 + peak(1.4) + peak(2.3, 60) + rng.normal(0, 1, 401)
    found = pattern_peaks(pattern_of(values))
    np.testing.assert_allclose(found.position, [1.4, 2.3], atol=0.01)
    assert found.position.attrs["units"] == "1/angstrom"
    with pytest.raises(ShapeError, match="one pattern"):
        pattern_peaks(pattern_of(np.ones((2, 401))))


def test_line_profile_of_a_cake_weighs_bins_by_their_pixels():
    intensity = np.array([[1.0, 4.0, 9.0], [2.0, np.nan, 6.0]])
    weight = np.array([[1.0, 3.0, 1.0], [2.0, 0.0, 4.0]])
    cake = xr.Dataset(
        {"intensity": (("chi", "q"), intensity), "sigma": (("chi", "q"), np.full((2, 3), 0.5)),
         "weight": (("chi", "q"), weight)},
        {"chi": [-90.0, 90.0], "q": [1.0, 2.0, 3.0]},
    )  # fmt: skip
    over_chi = line_profile(cake, along="chi", within=(1, 2))
    np.testing.assert_allclose(over_chi.intensity, [(1 + 12) / 4, 2.0])
    np.testing.assert_allclose(over_chi.sigma, [np.sqrt(0.25 + 2.25) / 4, 0.5])
    over_q = line_profile(cake, along="q")
    np.testing.assert_allclose(over_q.intensity, [5 / 3, 4, 33 / 5])
    with pytest.raises(ShapeError, match="No bin of q"):
        line_profile(cake, along="chi", within=(7, 8))


def test_series_finds_moving_peaks_and_lists_what_failed():
    pytest.importorskip("lmfit")
    rng = np.random.default_rng(7)
    places = 1.8 + 0.01 * np.arange(5)
    frames = np.stack([20 + peak(p) + peak(2.5, 50, 0.08) for p in places])
    frames = frames + rng.normal(0, 1, frames.shape)
    frames[3] = np.nan
    patterns = pattern_of(frames, 1.0, omega=("frame", np.arange(5) * 0.1))
    fits = fit_series(patterns, [1.82, (2.3, 2.7)], model="gaussian", width=0.3)
    good = [0, 1, 2, 4]
    np.testing.assert_allclose(fits.position[0, good], places[good], atol=0.002)
    area = 50 * 0.08 * np.sqrt(np.pi / np.log(2)) / 2
    np.testing.assert_allclose(fits.area[1, good], area, rtol=0.05)
    assert (fits.position_error[:, good] > 0).all()
    assert np.isnan(fits.position[:, 3]).all()
    assert len(fits.attrs["failed"]) == 2
    assert fits.omega.values[4] == 0.4
    assert fits.fwhm.attrs["units"] == "1/angstrom"
    with pytest.raises(ParameterError, match="outside the patterns"):
        fit_series(patterns, [9.0])
