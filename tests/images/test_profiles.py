"""Profiles, against scikit-image and closed forms."""

import numpy as np
import pytest
import xarray as xr

from beamkit.core.errors import ParameterError, ShapeError
from beamkit.images import (
    Line,
    Rectangle,
    Sector,
    azimuthal_profile,
    box_profile,
    classify,
    line_profile,
    radial_profile,
)

SHAPE = (53, 71)


@pytest.fixture
def random():
    return np.random.default_rng(9)


@pytest.fixture
def image(random):
    return random.gamma(2, 10, SHAPE)


def counts(values):
    return xr.DataArray(values, dims=("detector_y", "detector_x"), attrs={"units": "counts"})


@pytest.mark.parametrize("width", [1, 2, 5])
@pytest.mark.parametrize(
    "ends",
    # Lengths that are whole numbers, where scikit-image has steps of a pixel, too.
    [
        (10.25, 8.75, 34.25, 26.75),
        (60.25, 40.125, 20.25, 10.125),
        (15.5, 5.5, 15.5, 45.5),
        (50.9, 20, 9.9, 20),
    ],
)
def test_a_line_agrees_with_scikit_image(image, ends, width, require):
    measure = require("skimage.measure", "test")
    x0, y0, x1, y1 = ends
    found = line_profile(image, Line(*ends, width=width))
    expected = measure.profile_line(
        image, (y0 - 0.5, x0 - 0.5), (y1 - 0.5, x1 - 0.5), linewidth=width, order=1
    )
    np.testing.assert_allclose(found, expected[: found.size], rtol=1e-9)
    assert found.size == round(np.hypot(x1 - x0, y1 - y0)) + 1


def test_a_line_on_a_plane_gives_the_plane():
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]] + 0.5
    plane = counts(3 * x - 2 * y + 200)
    found = line_profile(plane, Line(5.3, 44.1, 61.7, 12.9, width=4))
    np.testing.assert_allclose(found, 3 * found.x - 2 * found.y + 200, rtol=1e-9)
    np.testing.assert_allclose(np.hypot(found.x - 5.3, found.y - 44.1), found.distance, atol=1e-9)
    assert found.attrs["units"] == "counts"
    assert found.distance.attrs["units"] == "pixel"
    np.testing.assert_array_equal(np.diff(found.distance), 1)


def test_masked_pixels_take_no_part_in_a_line():
    values = np.full(SHAPE, 6, np.int32)
    values[20, 30:35] = -2
    values[21, 30:35] = 10_000
    mask = values == 10_000
    found = line_profile(counts(values), Line(20, 20.5, 50, 20.5, width=3), mask=mask)
    np.testing.assert_allclose(found, 6)
    alone = line_profile(counts(values), Line(20.5, 20.5, 50.5, 20.5), mask=mask)
    np.testing.assert_array_equal(np.isnan(alone), (alone.x > 30) & (alone.x < 35))


def test_a_line_that_leaves_the_image_is_nan_there(image):
    found = line_profile(image, Line(60.5, 30.5, 90.5, 30.5))
    np.testing.assert_allclose(found[:11], image[30, 60:71])
    assert np.isnan(found[12:]).all()
    assert np.isnan(line_profile(image, Line(200, 300, 230, 320))).all()
    assert np.isnan(line_profile(image, Line(-30, -20, -10, -8))).all()


def test_a_box_has_the_sums_and_means_of_its_rows_and_columns(image, random):
    mask = random.random(SHAPE) > 0.8
    mask[12, 20:31] = True
    found = box_profile(counts(image), Rectangle(20, 10, 31, 27), mask=mask)
    part = np.ma.array(image, mask=mask)[10:27, 20:31]
    np.testing.assert_allclose(found.row_sum, part.sum(axis=1).filled(np.nan))
    np.testing.assert_allclose(found.col_mean, part.mean(axis=0))
    np.testing.assert_array_equal(found.row_pixels, part.count(axis=1))
    np.testing.assert_allclose(found.col_sum, found.col_mean * found.col_pixels)
    np.testing.assert_array_equal(found.y, np.arange(10, 27) + 0.5)
    np.testing.assert_array_equal(found.x, np.arange(20, 31) + 0.5)
    assert np.isnan(found.row_mean[2])
    assert found.row_sum.attrs["units"] == "counts"


def rings(center, function):
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]] + 0.5
    return function(np.hypot(x - center[0], y - center[1]))


def test_rings_around_a_centre_become_their_profile():
    center = (25.3, 31.8)
    data = counts(rings(center, lambda radius: np.floor(radius) ** 2 + 1))
    found = radial_profile(data, center)
    np.testing.assert_allclose(found.intensity, np.floor(found.radius) ** 2 + 1)
    assert int(found.pixels.sum()) == data.size
    assert found.radius[0] == 0.5
    assert found.intensity.attrs["units"] == "counts"
    assert found.radius.attrs["units"] == "pixel"


@pytest.mark.parametrize("dtype", [np.int32, np.uint16, np.float32, np.float64])
def test_a_radial_profile_is_the_mean_of_the_good_pixels_of_each_ring(random, dtype):
    values = random.poisson(30, SHAPE).astype(dtype)
    mask = random.random(SHAPE) > 0.8
    values[mask] = 60_000
    bad = random.random(SHAPE) > 0.97
    if dtype == np.int32:
        values[bad] = -1
    elif np.dtype(dtype).kind == "f":
        values[bad] = np.nan
    else:
        bad[:] = False
    found = radial_profile(counts(values), (40.2, 11.9), step=2.5, mask=mask)
    number = (rings((40.2, 11.9), lambda radius: radius / 2.5)).astype(int)
    for ring in range(found.sizes["radius"]):
        chosen = (number == ring) & ~mask & ~bad
        assert found.pixels[ring] == chosen.sum()
        if chosen.any():
            assert float(found.intensity[ring]) == pytest.approx(
                values[chosen].mean(dtype=float), rel=1e-9
            )
        else:
            assert np.isnan(found.intensity[ring])


def test_a_remembered_mask_gives_the_same_and_is_not_confused_with_another(image, random):
    first, second = random.random((2, *SHAPE)) > 0.7
    known = classify(first), classify(second)
    for _ in range(2):
        for mask, classes in zip((first, second), known, strict=True):
            xr.testing.assert_identical(
                radial_profile(image, (20.0, 30.0), mask=mask),
                radial_profile(image, (20.0, 30.0), mask=classes),
            )
            xr.testing.assert_identical(
                azimuthal_profile(image, (20.0, 30.0), 5, 9, mask=mask),
                azimuthal_profile(image, (20.0, 30.0), 5, 9, mask=classes),
            )


def test_a_sector_limits_a_radial_profile():
    values = np.zeros(SHAPE)
    values[:, 30:] = 8.0
    center = (30.0, 22.4)
    right = radial_profile(values, center, sector=Sector(*center, 3, 20, -80, 80))
    np.testing.assert_allclose(right.intensity[3:20], 8)
    assert np.isnan(right.intensity[:3]).all()
    left = radial_profile(values, center, sector=Sector(*center, 3, 20, 100, 260))
    np.testing.assert_allclose(left.intensity[3:20], 0)


def test_an_azimuthal_profile_finds_a_spot_where_it_is():
    values = np.ones(SHAPE)
    # From (30.5, 22.5): 10 pixel down is chi = 90 deg, 10 to the left is 180.
    values[32, 30] = 101.0
    found = azimuthal_profile(values, (30.5, 22.5), 8, 12, step=10)
    assert found.sizes["chi"] == 36
    assert abs(float(found.chi[np.argmax(found.intensity.values)]) - 90) <= 5
    others = found.intensity.where(found.intensity < 2, drop=True)
    np.testing.assert_allclose(others, 1)
    left = np.ones(SHAPE)
    left[23, 20] = 5
    spot = azimuthal_profile(left, (30.5, 22.5), 8, 12, step=10)
    assert float(spot.chi[np.argmax(spot.intensity.values)]) == 175


def test_an_azimuthal_profile_has_the_means_of_its_bins(image, random):
    mask, center = random.random(SHAPE) > 0.7, (28.3, 20.9)
    found = azimuthal_profile(image, center, 6, 15, step=7.0, mask=mask)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]] + 0.5
    radius = np.hypot(x - center[0], y - center[1])
    chi = np.degrees(np.arctan2(y - center[1], x - center[0]))
    number = found.sizes["chi"]
    assert number == 51  # 360/7 = 51.4
    wanted = (radius >= 6) & (radius < 15) & ~mask
    expected, _ = np.histogram(chi[wanted], number, (-180, 180), weights=image[wanted])
    pixels, _ = np.histogram(chi[wanted], number, (-180, 180))
    np.testing.assert_array_equal(found.pixels, pixels)
    np.testing.assert_allclose(found.intensity * found.pixels, expected)
    assert found.chi.attrs["units"] == "deg"


def test_a_ring_partly_outside_the_image_is_nan_there(image):
    # The edge at x = 0 is 5 pixels from the centre: cos(120 deg) = -5/10.
    found = azimuthal_profile(image, (5.0, 26.0), 10, 12, step=30)
    np.testing.assert_array_equal(np.isnan(found.intensity), abs(found.chi) > 120)


def test_wrong_options_are_refused(image):
    with pytest.raises(ParameterError, match="step is 0"):
        radial_profile(image, (3, 4), step=0)
    with pytest.raises(ParameterError, match="step is -1"):
        azimuthal_profile(image, (3, 4), 1, 2, step=-1)
    with pytest.raises(ParameterError, match="inner radius first"):
        azimuthal_profile(image, (3, 4), 5, 2)
    with pytest.raises(ParameterError, match="covers no pixel"):
        box_profile(image, Rectangle(100, 100, 110, 110))
    with pytest.raises(ShapeError, match="An image has 2 dimensions"):
        line_profile(xr.DataArray(np.zeros((2, 3, 4))), Line(0, 0, 2, 2))
    with pytest.raises(ShapeError, match="The mask has shape"):
        radial_profile(image, (3, 4), mask=np.zeros((2, 2), bool))
