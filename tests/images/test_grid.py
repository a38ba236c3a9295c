"""Axes of images, and the ruler."""

import numpy as np
import pytest
import xarray as xr

from beamkit.core.errors import ParameterError, ShapeError
from beamkit.images import Axis, Grid, ruler


def image(coords=None, dims=("detector_y", "detector_x"), **attrs):
    return xr.DataArray(np.zeros((11, 17)), dims=dims, coords=coords or {}, attrs=attrs)


def test_a_crop_of_a_detector_keeps_its_numbers():
    grid = Grid.of(image({"detector_x": np.arange(17) + 40, "detector_y": np.arange(11) + 7}))
    # Position 0.5 is the centre of the first pixel, index 40.
    assert grid.values(0.5, 0.5) == (40, 7)
    assert grid.values(3.0, 10.25) == (42.5, 16.75)
    assert grid.position(42.5, 16.75) == (3.0, 10.25)
    assert grid.columns.edges == (39.5, 56.5)
    assert grid.columns.label == "detector x [pixel]"


def test_a_bin_of_two_has_indices_of_the_full_detector():
    grid = Grid.of(image({"detector_x": np.arange(17) * 2 + 0.5}))
    assert grid.columns.value(0.0) == -0.5
    assert grid.columns.value(1.5) == 2.5
    assert grid.aspect == 0.5  # pixels twice as wide as high


def test_a_volume_has_lengths_and_may_run_backwards():
    coords = {
        "y": ("y", np.arange(11) * -1.5 + 3, {"units": "um"}),
        "x": ("x", np.arange(17) * 0.5 - 4, {"units": "um"}),
    }
    grid = Grid.of(image(coords, dims=("y", "x")))
    assert grid.values(0.5, 2.5) == (-4, 0)
    assert grid.position(-4, 0) == (0.5, 2.5)
    assert grid.aspect == 3
    assert (grid.pixel_height, grid.pixel_width, grid.length_unit) == (1.5, 0.5, "um")
    assert grid.rows.label == "y [µm]"


def test_axes_of_different_units_have_no_aspect():
    coords = {"angle": ("angle", np.arange(11) * 0.5, {"units": "deg"})}
    grid = Grid.of(
        image(coords, dims=("angle", "detector_x"), pixel_size_x=1e-6, pixel_size_y=1e-6)
    )
    assert grid.aspect is None
    assert grid.pixel_width is None
    assert grid.rows.unit == "deg"


def test_pixel_sizes_come_from_the_attributes():
    detector = Grid.of(image(pixel_size_x=172e-6, pixel_size_y=86e-6))
    assert (detector.pixel_height, detector.pixel_width) == pytest.approx((0.086, 0.172))
    assert detector.length_unit == "mm"
    assert detector.aspect == pytest.approx(0.5)
    sizes = {"effective_pixel_size_x": 1.5e-6, "effective_pixel_size_y": 1.5e-6}
    sample = Grid.of(image(pixel_size_x=1e-5, pixel_size_y=1e-5, **sizes))
    assert (sample.pixel_width, sample.length_unit) == (pytest.approx(1.5), "um")


@pytest.mark.parametrize(
    "values", [[0, 1, 2, 4, 8, 9, 11, 12, 15, 16, 19], list("abcdefghijk"), [3] * 11]
)
def test_uneven_coordinates_are_numbered(values):
    axis = Axis.of(image({"detector_y": values}), "detector_y")
    assert (axis.unit, axis.first, axis.step) == ("pixel", 0, 1)


def test_pixels_under_positions():
    grid = Grid.of(image())
    assert grid.index(16.99, 0.0) == (0, 16)
    assert grid.index(17.0, 3.0) is None
    assert grid.index(4.0, -0.01) is None
    assert Axis.of(image()[:, :1], "detector_x").step == 1


def test_a_ruler_in_pixels_and_millimetres():
    found = ruler(image(pixel_size_x=172e-6, pixel_size_y=172e-6), 2.0, 1.0, 5.0, 5.0)
    assert (found.dx, found.dy, found.distance) == (3, 4, 5)
    assert found.angle == pytest.approx(np.degrees(np.arctan2(4, 3)))
    assert found.length == pytest.approx(0.86)
    assert found.unit == "mm"
    assert (found.width, found.width_unit) == (pytest.approx(0.516), "mm")


def test_a_ruler_on_pixels_that_are_not_square():
    coords = {
        "y": ("y", np.arange(11) * 2.0, {"units": "um"}),
        "x": ("x", np.arange(17) * -1.0, {"units": "um"}),
    }
    found = ruler(image(coords, dims=("y", "x")), 1, 1, 4, 3)
    assert (found.width, found.height) == (-3, 4)
    assert found.length == 5
    assert found.angle == pytest.approx(np.degrees(np.arctan2(2, 3)))
    assert found.true_angle == pytest.approx(np.degrees(np.arctan2(4, 3)))


def test_a_ruler_on_axes_of_different_units_gives_components_only():
    coords = {"angle": ("angle", np.arange(11) * 0.5, {"units": "deg"})}
    found = ruler(image(coords, dims=("angle", "detector_x")), 2, 1, 6, 5)
    assert (found.width, found.width_unit) == (4, "pixel")
    assert (found.height, found.height_unit) == (2, "deg")
    assert found.length is None
    assert found.true_angle is None


def test_a_ruler_without_a_pixel_size_measures_pixels():
    found = ruler(image(), 2, 1, 2, -3)
    assert (found.distance, found.angle) == (4, -90)
    assert (found.length, found.unit) == (None, "")


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(ShapeError, match="two dimensions"):
        Grid.of(image()[0])
    with pytest.raises(ParameterError, match="finite positions"):
        ruler(image(), 0, 0, float("nan"), 1)
