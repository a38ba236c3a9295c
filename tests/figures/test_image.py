"""One image as a static picture."""

import numpy as np
import pytest
import xarray as xr

from beamkit import figures
from beamkit.core.errors import MetadataError, ShapeError, UnknownNameError
from beamkit.figures.image import FLAG_COLORS
from beamkit.images import Circle, Line, Point, Polygon, Rectangle, Sector


@pytest.fixture
def frame():
    """1901 x 1403 pixels, 0 but for three; cropped off a larger detector."""
    counts = np.zeros((1901, 1403), np.int32)
    counts[3, 1400], counts[1900, 0], counts[700, 333] = 50, 50, 2000
    units = {"units": "pixel"}
    return xr.DataArray(
        counts,
        dims=("detector_y", "detector_x"),
        coords={
            "detector_y": ("detector_y", np.arange(1901) + 40, units),
            "detector_x": ("detector_x", np.arange(1403) + 300, units),
        },
        attrs={
            "units": "counts",
            "count_cutoff": 1000.0,
            "pixel_size_x": 75e-6,
            "pixel_size_y": 75e-6,
            "beam_center_x": 900.0,
            "beam_center_y": 950.0,
            "detector_distance": 0.2,
            "wavelength": 1.0,
        },
        name="frames",
    )


def shown(picture):
    """The colours of the image, 0 to 1, and the position of its first and last edges."""
    image = picture.axes[0].images[0]
    return np.asarray(image.get_array()), image.get_extent()


def color_at(picture, x, y):
    """The colour at a position on the array."""
    pixels, (left, right, bottom, top) = shown(picture)
    row = int((y - top) / (bottom - top) * pixels.shape[0])
    return pixels[row, int((x - left) / (right - left) * pixels.shape[1])]


def test_spots_of_one_pixel_are_there_and_where_they_belong(frame):
    picture = figures.image(frame, clim=(0, 50))
    pixels, _ = shown(picture)
    assert max(pixels.shape) <= 900
    np.testing.assert_allclose(color_at(picture, 1400.5, 3.5), 1)
    np.testing.assert_allclose(color_at(picture, 0.5, 1900.5), 1)
    np.testing.assert_allclose(color_at(picture, 700, 900), 0)
    assert (pixels.sum(axis=2) > 0).sum() == 3


def test_masked_gap_and_saturated_pixels_have_their_colours(frame):
    mask = np.zeros(frame.shape, np.uint32)
    mask[100:200, 500:700] = 1
    mask[900:1000, 200:300] = 256
    picture = figures.image(frame, mask=mask, clim=(0, 50))
    for name, x, y in (("gap", 600, 150), ("masked", 250, 950), ("saturated", 333.5, 700.5)):
        np.testing.assert_allclose(color_at(picture, x, y), FLAG_COLORS[name], err_msg=name)
    legend = [text.get_text() for text in picture.axes[0].get_legend().get_texts()]
    assert legend == ["masked", "gap", "saturated"]


def test_the_zoom_shows_that_part_in_its_own_pixels(frame):
    picture = figures.image(frame, clim=(0, 50), zoom=(300, 650, 400, 720))
    pixels, extent = shown(picture)
    assert pixels.shape[:2] == (70, 100)
    assert extent == [300, 400, 720, 650]
    np.testing.assert_allclose(color_at(picture, 333.5, 700.5), FLAG_COLORS["saturated"])


def test_a_ring_runs_where_braggs_law_puts_it_on_a_cropped_detector(frame):
    picture = figures.image(frame, rings=(4.0,), clim=(0, 50))
    radius = 0.2 * np.tan(2 * np.arcsin(1 / 8)) / 75e-6
    points = np.concatenate([line.get_xydata() for line in picture.axes[0].lines])
    center = np.array([900.0 - 300, 950.0 - 40])
    distance = np.hypot(*(points - center).T)
    assert np.isclose(distance, radius, atol=0.2).sum() > 40


@pytest.mark.parametrize("scale", ["linear", "sqrt", "log", "asinh"])
def test_every_scale_has_a_bar_with_round_numbers(frame, scale):
    picture = figures.image(frame, scale=scale, clim=(0, 700))
    ticks = [tick for tick in picture.axes[1].get_yticks() if 0 <= tick <= 700]
    assert 3 <= len(ticks) <= 14
    assert all(float(f"{tick:.1g}") == pytest.approx(tick) for tick in ticks)


@pytest.mark.parametrize(
    ("region", "inside"),
    [
        (Rectangle(10, 20, 300, 240), (10, 20)),
        (Line(10, 20, 300, 240, width=9), (300, 240)),
        (Polygon([(10, 20), (300, 25), (150, 240)]), (150, 240)),
        (Circle(100, 120, 50), (150, 120)),
        (Sector(100, 120, 20, 80, -30, 45), (100 + 80 * np.sqrt(0.5), 120 + 80 * np.sqrt(0.5))),
        (Point(33.5, 44.2), (33, 44)),
    ],
)
def test_a_region_is_drawn_where_it_is(frame, region, inside):
    picture = figures.image(frame, roi=region, clim=(0, 50))
    points = np.concatenate([line.get_xydata() for line in picture.axes[0].lines])
    assert np.hypot(*(points - inside).T).min() < 1e-6


def test_what_cannot_be_shown_is_refused(frame):
    with pytest.raises(ShapeError, match="isel"):
        figures.image(frame.expand_dims("frame"))
    with pytest.raises(UnknownNameError, match="log"):
        figures.image(frame, scale="logarithm")
    with pytest.raises(MetadataError, match="detector_distance"):
        figures.image(frame.drop_attrs(), rings=("ice",))
