"""A map is laid out as it was scanned, and its centre is that of the crystal."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from beamkit.core.errors import (
    InvalidPixelsError,
    MetadataError,
    ParameterError,
    ShapeError,
    UnknownNameError,
)
from beamkit.diffraction.grid_scan import best, center_of_mass, grid_map
from beamkit.diffraction.statistics import statistics


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [[0, 1, 2], [3, 4, 5]]),
        ({"snaked": True}, [[0, 1, 2], [5, 4, 3]]),
        ({"fast": "vertical"}, [[0, 2, 4], [1, 3, 5]]),
        ({"fast": "vertical", "snaked": True}, [[0, 3, 4], [1, 2, 5]]),
    ],
)
def test_ways_to_scan_a_grid(options, expected):
    found = grid_map(np.arange(6) * 10, (2, 3), **options)
    np.testing.assert_array_equal(found, np.array(expected) * 10)
    np.testing.assert_array_equal(found["frame"], expected)


def test_a_scan_that_was_stopped_has_empty_places():
    found = grid_map([3.0, 4.0, 5.0, 6.0], (2, 3), snaked=True)
    np.testing.assert_array_equal(found, [[3, 4, 5], [np.nan, np.nan, 6]])
    assert found["frame"].values.tolist() == [[0, 1, 2], [-1, -1, 3]]


def test_without_a_shape_it_asks_for_one():
    with pytest.raises(MetadataError, match=r"no motor that moved.*one line is \(1, 3\)"):
        grid_map([1.0, 5.0, 2.0])
    assert grid_map([1.0, 5.0, 2.0], (1, 3)).shape == (1, 3)


def test_positions_of_motors_that_do_not_return_exactly():
    x = np.array([0.1, 0.2, 0.3, 0.3, 0.2, 0.1]) + 1e-5 * np.arange(6)
    y = np.array([-5, -5, -5, -4, -4, -4]) + 1e-5 * np.arange(6)
    values = xr.DataArray(
        np.arange(6.0),
        dims="frame",
        coords={"y": ("frame", y, {"units": "mm"}), "x": ("frame", x), "frame": np.arange(20, 26)},
        name="spots",
    )
    found = grid_map(values, coords=("y", "x"))
    assert found.values.tolist() == [[0, 1, 2], [5, 4, 3]]
    assert found["frame"].values.tolist() == [[20, 21, 22], [25, 24, 23]]
    np.testing.assert_allclose(found["column"], [0.1, 0.2, 0.3], atol=1e-4)
    assert found["row"].attrs["units"] == "mm"
    with pytest.raises(ParameterError, match="same place"):
        grid_map(xr.concat([values, values], "frame"), coords=("y", "x"))
    with pytest.raises(UnknownNameError, match="stage_x"):
        grid_map(values, coords=("y", "stage_x"))


def test_best_and_centre_by_hand():
    grid = grid_map([0, 0, 0, 0, 0, 3, 9, 0, 0, 3, 9, 0.0], (3, 4)).assign_coords(
        row=[10.0, 20.0, 30.0], column=[1.0, 2.0, 3.0, 4.0]
    )
    top = best(grid)
    assert (top.row, top.column, top.value, top.frame) == (20, 3, 9, 6)
    center = center_of_mass(grid, floor=0)
    assert (center.row, center.column) == pytest.approx((25, 2.75))


def test_the_centre_of_a_simulated_crystal_is_found_within_half_a_step():
    random = np.random.default_rng(4)
    shape, at, size = (9, 13), (3.7, 8.4), 1.6
    images = []
    for row in range(shape[0]):
        columns = range(shape[1]) if row % 2 == 0 else reversed(range(shape[1]))
        for column in columns:
            share = np.exp(-((row - at[0]) ** 2 + (column - at[1]) ** 2) / (2 * size**2))
            expected = np.full((121, 140), 0.4)
            for y in range(10, 115, 20):
                for x in range(10, 135, 20):
                    expected[y : y + 3, x : x + 3] += share * random.exponential(30)
            images.append(random.poisson(expected).astype(np.int32))
    found = statistics(iter(images))
    for name in ("spots", "score", "intensity", "total"):
        center = center_of_mass(grid_map(found[name], shape, snaked=True))
        assert abs(center.row - at[0]) < 0.5, name
        assert abs(center.column - at[1]) < 0.5, name
        straight = center_of_mass(grid_map(found[name], shape))
        assert np.hypot(straight.row - at[0], straight.column - at[1]) > 0.5, name


def test_what_is_no_map_is_refused():
    with pytest.raises(ShapeError, match="7 frames do not fit on a grid of 2 rows x 3 columns"):
        grid_map(np.arange(7), (2, 3))
    with pytest.raises(ShapeError, match="one number for each frame"):
        grid_map(np.ones((2, 3)))
    with pytest.raises(UnknownNameError, match="fast"):
        grid_map(np.arange(6), (2, 3), fast="diagonal")
    with pytest.raises(InvalidPixelsError, match="has no centre"):
        center_of_mass(grid_map(np.ones(6), (2, 3)))
    with pytest.raises(InvalidPixelsError, match="holds no number"):
        best(grid_map(np.full(6, np.nan), (2, 3)))
    with pytest.raises(ShapeError, match="grid_map"):
        best(xr.DataArray(np.ones((2, 3)), dims=("y", "x")))
