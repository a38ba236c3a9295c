"""Rotation scans: angles from what readers give, rocking curves of known width, decay."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy.special import ndtr

import beamkit as bk
from beamkit.core.errors import MetadataError, ParameterError, ShapeError
from beamkit.diffraction import (
    fit_decay,
    fit_rocking_curve,
    rocking_curve,
    rotation_angle,
    statistics,
)
from beamkit.images import Rectangle

FWHM = 2 * np.sqrt(2 * np.log(2))


@pytest.mark.parametrize("file_format", ["cbf", "nxmx"])
def test_angles_at_the_middle_of_the_frames_of_files(tmp_path, file_format):
    sample = bk.samples.diffraction(
        tmp_path / "scan.h5", frames=3, format=file_format, start_angle=12, angle_increment=0.4
    )
    angle = rotation_angle(bk.open(sample))
    np.testing.assert_allclose(angle, [12.2, 12.6, 13.0])
    assert angle.attrs["units"] == "deg"


def test_statistics_keep_the_angles(tmp_path):
    sample = bk.samples.diffraction(
        tmp_path / "scan", frames=3, detector="PILATUS 100K", start_angle=-5, angle_increment=0.5
    )
    table = statistics(bk.open(sample), frames=[0, 2], workers=1)
    np.testing.assert_allclose(rotation_angle(table), [-4.75, -3.75])


def test_a_frame_that_was_marked_has_no_statistics_but_its_problem(tmp_path):
    sample = bk.samples.diffraction(tmp_path / "scan", frames=3, detector="PILATUS 100K")
    whole = sample.files[1].read_bytes()
    sample.files[1].write_bytes(whole[: len(whole) // 2])
    table = statistics(bk.open(sample, on_error="mark"), workers=1)
    assert np.isnan(table["spots"].values).tolist() == [False, True, False]
    assert "cut short" in table["problem"].values[1]
    assert table["problem"].values[[0, 2]].tolist() == ["", ""]


def test_real_rotation_images_begin_at_the_angle_of_dials(data_folder):
    """Oscillation start -145.0, width 0.1 (PROVENANCE.md, DIALS geometry)."""
    data = bk.open(sorted(data_folder.glob("cbf_pilatus/l-cyst_01_*.cbf")))
    np.testing.assert_allclose(rotation_angle(data), [-144.95, -144.85, -144.75], atol=1e-6)


def test_frames_that_do_not_turn_have_no_angle():
    still = xr.Dataset(coords={"omega": ("frame", [90.0, 90.0, 90.0]), "time": ("frame", range(3))})
    with pytest.raises(MetadataError, match=r"omega, time.*assign_coords\(angle="):
        rotation_angle(still)


def peak_through_frames(center, width, photons, turn=0.1, frames=41):
    """A spot whose intensity is Gaussian over the angle, integrated over each frame exactly."""
    start = 30 + turn * np.arange(frames)
    part = ndtr((start + turn - center) / width) - ndtr((start - center) / width)
    expected = np.full((frames, 17, 23), 3.0)
    spot = np.exp(-((np.arange(17)[:, None] - 6) ** 2 + (np.arange(23) - 14) ** 2) / 2 / 0.8**2)
    expected += photons * part[:, None, None] * spot / spot.sum()
    counts = np.random.default_rng(5).poisson(expected).astype(np.int32)
    counts[11, 3, 4] = -2  # a dead pixel far from the spot
    return xr.DataArray(
        counts,
        dims=("frame", "detector_y", "detector_x"),
        coords={"omega": ("frame", start, {"units": "deg"})},
        attrs={"units": "counts", "angle_increment": turn},
    )


def test_centre_width_and_area_of_a_rocking_curve_within_their_errors():
    curve = rocking_curve(peak_through_frames(31.73, 0.25, 40000), Rectangle(9.0, 2.0, 20.0, 11.0))
    fit = fit_rocking_curve(curve)
    assert fit.success, fit.reason
    widened = np.sqrt(0.25**2 + 0.1**2 / 12)  # Sheppard's correction
    for found, true in (
        (fit.position, 31.73),
        (fit.fwhm, FWHM * widened),
        (fit.area, 40000 * 0.1),  # the sum over the frames, times the step
    ):
        assert 0 < found.error < 0.02 * abs(true)
        assert abs(found.value - true) < 4 * found.error
    assert fit.position.unit == "deg"
    assert curve["net"].attrs["units"] == "counts"
    assert "rocking_curve" in curve.attrs["history"]


def test_errors_of_the_fit_are_those_of_repetition():
    """The pull of the centre over 30 peaks elsewhere has a spread of 1."""
    pulls = []
    for number in range(30):
        center = 31.5 + 0.031 * number
        stack = peak_through_frames(center, 0.3, 5000 + number)
        fit = fit_rocking_curve(rocking_curve(stack, Rectangle(9.0, 2.0, 20.0, 11.0)))
        pulls.append((fit.position.value - center) / fit.position.error)
    assert 0.6 < np.std(pulls) < 1.5  # 30 numbers: 1 +- 0.13; above 0.6: errors not too large
    assert abs(np.mean(pulls)) < 0.6


def test_what_is_no_rocking_curve_is_refused():
    with pytest.raises(ShapeError, match="Make it by rocking_curve"):
        fit_rocking_curve(xr.Dataset({"sum": ("frame", [1, 2])}))
    stack = peak_through_frames(31.7, 0.3, 100)
    with pytest.raises(ShapeError, match="Open all its frames"):
        rocking_curve(stack[0], Rectangle(1, 1, 4, 4))


def test_a_decay_is_found_in_units_of_the_dose():
    dose = xr.DataArray(np.linspace(2.0, 31.0, 90), dims="frame", attrs={"units": "MGy"})
    true = 5.2e4 * 2 ** (-dose.values / 43)  # the half-dose of Owen et al. (2006)
    error = np.full(90, 700.0)
    noisy = true + np.random.default_rng(2).normal(0, error)
    values = xr.DataArray(noisy, dims="frame", attrs={"units": "counts"})
    decay = fit_decay(values, dose, sigma=error)
    assert decay.is_significant
    assert abs(decay.half_dose - 43) < 3 * decay.half_dose_error < 10
    assert abs(decay.initial - 5.2e4) < 3 * decay.initial_error < 3000
    assert 0.6 < decay.reduced_chi2 < 1.4
    table = decay.to_dataset()
    assert table["half_dose"].attrs["units"] == "MGy"
    assert table["rate"].attrs["units"] == "1/MGy"
    assert "MGy" in decay.verdict
    assert decay.lost == pytest.approx(1 - 2 ** (-29 / 43), abs=0.03)


def test_without_a_decay_it_says_so_and_how_weak_one_could_be():
    flat = 1000 + np.random.default_rng(8).normal(0, 30, 60)
    decay = fit_decay(flat)
    assert not decay.is_significant
    assert np.isnan(decay.half_dose)
    assert decay.at_least > 300
    assert decay.verdict.startswith("no significant decay; the half-dose is above")


def test_false_alarms_are_as_rare_as_three_standard_errors():
    random = np.random.default_rng(11)
    found = [fit_decay(1000 + random.normal(0, 40, 40)).is_significant for _ in range(100)]
    assert sum(found) <= 2  # 0.14 % of 100 are expected


def test_growing_intensity_is_no_decay():
    decay = fit_decay(100 * 1.02 ** np.arange(30.0))
    assert not decay.is_significant
    assert decay.at_least == np.inf
    assert decay.verdict == "no significant decay"


def test_points_that_scatter_more_than_they_say_have_larger_errors():
    random = np.random.default_rng(3)
    values = 1e6 * 2 ** (-np.arange(50) / 80) * (1 + 0.1 * random.standard_normal(50))
    modest = fit_decay(values, sigma=np.full(50, 1e3))  # the scatter is a hundred times that
    assert modest.reduced_chi2 > 100
    assert modest.rate_error == pytest.approx(fit_decay(values).rate_error, rel=0.2)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (([1.0, 2.0, np.nan, 3.0, 4.0],), ParameterError, "at least 5 points"),
        ((np.ones(9), np.ones(9)), ParameterError, "different doses"),
        ((-np.ones(9),), ParameterError, "mean above"),
        ((np.ones(9), np.ones(8)), ShapeError, "every frame"),
    ],
)
def test_what_cannot_be_fitted_is_refused(arguments, error, text):
    with pytest.raises(error, match=text):
        fit_decay(*arguments)


def test_an_error_of_zero_is_refused():
    with pytest.raises(ParameterError, match="Leave sigma out"):
        fit_decay(np.ones(9), sigma=np.zeros(9))
