"""The pixels of a spot for a surface, without a browser."""

import numpy as np
import pytest
import xarray as xr
from beamkit_widgets._panels import PANELS
from beamkit_widgets.viewer import ImageViewer


@pytest.fixture
def viewer():
    """One bright pixel off the middle, a brighter one that is masked, one above the cutoff."""
    image = np.arange(131 * 257, dtype=np.int32).reshape(131, 257) % 50
    image[90, 33], image[20, 200], image[21, 60] = 900, 5000, 1200
    mask = np.zeros(image.shape, np.uint32)
    mask[20, 200] = 1 << 8
    data = xr.DataArray(image, dims=("y", "x"), attrs={"units": "counts", "count_cutoff": 1000})
    return ImageViewer(data, mask=xr.DataArray(mask, dims=("y", "x")))


def ask(viewer, **question):
    return PANELS["spot"](viewer, question)


def test_a_small_rectangle_is_shown_pixel_by_pixel(viewer):
    told, arrays = ask(viewer, roi={"kind": "rectangle", "x0": 30, "y0": 85, "x1": 41, "y1": 92})
    expected = viewer.image.values[85:92, 30:41]
    np.testing.assert_array_equal(arrays["values"], expected)
    assert (told["x0"], told["y0"], told["stepX"], told["stepY"]) == (30, 85, 1, 1)
    assert arrays["values"].dtype == np.float32


def test_masked_pixels_are_holes_and_saturated_ones_are_told(viewer):
    _, arrays = ask(viewer, roi={"kind": "rectangle", "x0": 198, "y0": 18, "x1": 204, "y1": 23})
    assert np.argwhere(np.isnan(arrays["values"])).tolist() == [[2, 2]]
    _, arrays = ask(viewer, roi={"kind": "rectangle", "x0": 58, "y0": 18, "x1": 64, "y1": 23})
    assert np.argwhere(arrays["saturated"]).tolist() == [[3, 2]]


def test_a_large_region_keeps_its_spots_when_reduced(viewer):
    told, arrays = ask(viewer, roi={"kind": "rectangle", "x0": 0, "y0": 0, "x1": 257, "y1": 131})
    # 257 columns by 3, 131 rows by 2.
    assert (told["stepX"], told["stepY"]) == (3, 2)
    assert arrays["values"].shape == (66, 86)
    assert arrays["values"][90 // 2, 33 // 3] == 900
    assert (told["columns"], told["rows"]) == (257, 131)


def test_without_a_region_it_is_what_is_around_the_mouse(viewer):
    told, arrays = ask(viewer, roi=None, at=[100.5, 60.5])
    assert (told["x0"], told["y0"], arrays["values"].shape) == (80, 40, (40, 40))
    told, arrays = ask(viewer, roi=None, at=[1.0, 130.0])
    assert (told["x0"], told["y0"], arrays["values"].shape) == (0, 91, (40, 40))


def test_without_the_mouse_it_is_around_the_brightest_good_pixel_in_view(viewer):
    told, _ = ask(viewer, roi=None)
    assert (told["x0"], told["y0"]) == (60 - 20, 21 - 20)
    viewer.zoom = [10.0, 60.0, 80.0, 120.0]
    told, _ = ask(viewer, roi=None)
    assert (told["x0"], told["y0"]) == (33 - 20, 90 - 20)


def test_a_cell_turns_the_surface(viewer):
    viewer.spot_view = (30, 60, 1.5)
    assert viewer.spot_view == (30.0, 60.0, 1.5)
