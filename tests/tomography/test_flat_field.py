from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

from beamkit.core.errors import ParameterError, QuantityError, ShapeError
from beamkit.tomography import flat_field

DETECTOR = ("detector_y", "detector_x")


def frames(values, dim, numbers=None):
    values = np.asarray(values)
    data = xr.DataArray(values, dims=(dim, *DETECTOR), attrs={"units": "counts"})
    data = data.assign_coords(detector_y=np.arange(values.shape[1]) + 5)
    if numbers is not None:
        name = {"angle": "projection_frame", "flat": "flat_frame", "dark": "dark_frame"}[dim]
        data = data.assign_coords({name: (dim, np.asarray(numbers))})
    return data


def constant(value, count, dim, numbers=None, shape=(2, 3)):
    return frames(np.full((count, *shape), value, np.uint16), dim, numbers)


@pytest.fixture
def darks():
    return constant(10, 4, "dark")


@pytest.fixture
def flats():
    return constant(110, 5, "flat")


@pytest.fixture
def projections():
    return constant(60, 3, "angle")


def test_half_transmission_with_detector_offset(projections, flats, darks):
    result = flat_field(projections, flats, darks)
    # (60 - 10) / (110 - 10)
    np.testing.assert_allclose(result, 0.5, rtol=1e-6)
    assert result.dtype == np.float32
    assert result.attrs["quantity"] == "transmission"
    assert result.attrs["units"] == "1"
    assert json.loads(result.attrs["history"])[0]["name"] == "flat_field"
    np.testing.assert_array_equal(result.detector_y, [5, 6])


def test_input_is_not_changed(projections, flats, darks):
    before = projections.copy(deep=True)
    flat_field(projections, flats, darks)
    xr.testing.assert_identical(projections, before)


def test_dead_pixel_becomes_nan_and_only_that_pixel(projections, flats, darks):
    flats[:, 1, 2] = 10
    missing = np.isnan(flat_field(projections, flats, darks).values)
    assert missing[:, 1, 2].all()
    assert missing.sum() == 3


def test_median_is_not_moved_by_one_bad_frame(projections, flats, darks):
    flats[2] = 60000
    np.testing.assert_allclose(
        flat_field(projections, flats, darks, average="median"), 0.5, rtol=1e-6
    )


def test_flats_before_and_after_are_interpolated_in_raw_frame_number(darks):
    # Mean frame numbers of the groups: 1 and 9, with flats of 110 and 210 counts.
    flats = xr.concat(
        [constant(110, 3, "flat", [0, 1, 2]), constant(210, 3, "flat", [8, 9, 10])], "flat"
    )
    projections = constant(60, 3, "angle", [3, 5, 7])
    result = flat_field(projections, flats, darks).values[:, 0, 0]
    beam = 100 + 100 * (np.array([3, 5, 7]) - 1) / 8
    np.testing.assert_allclose(result, 50 / beam, rtol=1e-6)


def test_flats_parted_by_darks_are_one_group(projections, darks):
    # Frames 0-1 flat, 2-5 dark, 6-7 flat, projections from 8: nothing to interpolate between.
    flats = xr.concat([constant(100, 2, "flat", [0, 1]), constant(120, 2, "flat", [6, 7])], "flat")
    projections = projections.assign_coords(projection_frame=("angle", [8, 9, 10]))
    np.testing.assert_allclose(flat_field(projections, flats, darks), 0.5, rtol=1e-6)


def test_flats_numbered_in_their_own_file_are_one_group(darks):
    flats = xr.concat([constant(80, 2, "flat", [0, 1]), constant(140, 2, "flat", [2, 3])], "flat")
    projections = constant(60, 5, "angle", [0, 1, 2, 3, 4])
    np.testing.assert_allclose(flat_field(projections, flats, darks), 0.5, rtol=1e-6)


def test_many_groups_give_each_projection_its_own_two(darks):
    # A flat after every second projection, each 10 counts brighter than the last.
    numbers = np.arange(0, 30, 3)
    flats = xr.concat(
        [constant(110 + 10 * i, 1, "flat", [number]) for i, number in enumerate(numbers)], "flat"
    )
    between = np.setdiff1d(np.arange(28), numbers)
    result = flat_field(constant(60, len(between), "angle", between), flats, darks)
    np.testing.assert_allclose(result[:, 1, 2], 50 / (100 + 10 * between / 3), rtol=1e-6)


def test_interpolation_can_be_left_out(darks):
    flats = xr.concat([constant(110, 1, "flat", [0]), constant(210, 1, "flat", [9])], "flat")
    projections = constant(85, 2, "angle", [1, 8])
    result = flat_field(projections, flats, darks, interpolate=False)
    np.testing.assert_allclose(result, 75 / 150, rtol=1e-6)


def test_nearest_flats_outside_the_groups(darks):
    flats = xr.concat([constant(110, 1, "flat", [4]), constant(210, 1, "flat", [6])], "flat")
    projections = constant(60, 3, "angle", [0, 5, 99])
    result = flat_field(projections, flats, darks).values[:, 1, 1]
    np.testing.assert_allclose(result, [50 / 100, 50 / 150, 50 / 200], rtol=1e-6)


def test_lazy_arrays_stay_lazy_and_give_the_same(darks):
    rng = np.random.default_rng(3)
    flats = frames(rng.integers(100, 200, (6, 5, 7)), "flat", [0, 1, 2, 20, 21, 22])
    darks = frames(rng.integers(0, 20, (3, 5, 7)), "dark", [23, 24, 25])
    projections = frames(rng.integers(20, 100, (11, 5, 7)), "angle", np.arange(4, 15))
    eager = flat_field(projections, flats, darks)
    lazy = flat_field(
        projections.chunk({"angle": 4, "detector_y": 2}), flats.chunk({"flat": 2}), darks.chunk()
    )
    assert lazy.chunks is not None
    np.testing.assert_allclose(lazy.compute(), eager, rtol=1e-6)


def test_missing_darks_are_noted(projections, flats):
    result = flat_field(projections, flats, None)
    np.testing.assert_allclose(result, 60 / 110, rtol=1e-6)
    assert "no darks" in result.attrs["notes"][0]


def test_count_above_the_cutoff_is_nan(projections, flats, darks):
    projections[1, 0, 2] = 900
    projections.attrs["count_cutoff"] = 800
    missing = np.isnan(flat_field(projections, flats, darks).values)
    assert missing[1, 0, 2]
    assert missing.sum() == 1


def test_transmission_is_at_least_the_floor(projections, flats, darks):
    projections[:] = 3
    assert flat_field(projections, flats, darks, floor=1e-4).values.min() == np.float32(1e-4)


def test_different_detectors_are_refused(projections, darks):
    with pytest.raises(ShapeError, match=r"flats have detector size \(2, 4\).*\(2, 3\)"):
        flat_field(projections, constant(110, 5, "flat", shape=(2, 4)), darks)


def test_different_rows_of_the_detector_are_refused(projections, flats, darks):
    with pytest.raises(ShapeError, match="different pixels along detector_y"):
        flat_field(projections, flats.assign_coords(detector_y=[0, 1]), darks)


def test_no_frames_are_refused(projections, flats, darks):
    with pytest.raises(ShapeError, match="no flats"):
        flat_field(projections, flats[:0], darks)


def test_transmission_is_not_divided_twice(projections, flats, darks):
    once = flat_field(projections, flats, darks)
    with pytest.raises(QuantityError, match="'transmission'"):
        flat_field(once, flats, darks)


@pytest.mark.parametrize("options", [{"average": "mode"}, {"floor": 0.0}])
def test_impossible_options_are_refused(projections, flats, darks, options):
    with pytest.raises(ParameterError, match=next(iter(options))):
        flat_field(projections, flats, darks, **options)


def test_a_stuck_pixel_is_nan_at_every_angle_though_flats_are_interpolated():
    # Equal numbers, interpolated between two groups, round to a little above the dark.
    stack = {
        "angle": np.full((361, 2, 3), 500),
        "flat": np.full((20, 2, 3), 1000),
        "dark": np.full((10, 2, 3), 100),
    }
    stack["flat"][10:] = 990
    for values in stack.values():
        values[:, 1, 2] = 65535
    numbers = {"angle": np.arange(20, 381), "flat": np.r_[10:20, 381:391], "dark": np.arange(10)}
    given = [frames(values, dim, numbers[dim]) for dim, values in stack.items()]
    bad = np.isnan(flat_field(*given).values)
    assert bad[:, 1, 2].all()
    assert bad.sum() == 361
