"""The pixels of an image, counted."""

import numpy as np
import pytest

from beamkit.core.errors import ShapeError
from beamkit.images import classify
from beamkit.images.census import census


@pytest.fixture
def image():
    """0 to 34 in 5 rows of 7; one pixel of 900."""
    image = np.arange(35, dtype=np.int32).reshape(5, 7)
    image[2, 3] = 900
    return image


@pytest.fixture
def classes():
    """Column 0 is a gap, one pixel is dead, 800 is the highest count."""
    mask = np.zeros((5, 7), np.uint32)
    mask[:, 0] = 1
    mask[4, 6] = 2
    return classify(mask, dtype=np.int32, count_cutoff=800)


def test_every_pixel_is_counted_once(image, classes):
    found = census(image, classes, (3, 30))
    assert (found.good, found.gap, found.masked, found.saturated) == (28, 5, 1, 1)
    # Good ones below 3: 1 and 2; above 30: 31, 32, 33.
    assert (found.below, found.above) == (2, 3)
    assert (found.lowest, found.highest) == (1.0, 33.0)


def test_the_histogram_holds_every_good_pixel(image, classes):
    found = census(image, classes, (3, 30))
    assert found.counts.sum() == 28
    assert (np.diff(found.edges) > 0).all()


def test_whole_numbers_have_a_bin_each_within_the_limits(image):
    found = census(image, None, (0, 34))
    assert found.edges[:4].tolist() == [-0.5, 0.5, 1.5, 2.5]
    assert found.counts[:4].tolist() == [1, 1, 1, 1]


def test_nan_is_masked():
    image = np.array([[0.5, np.nan, -2.5], [np.inf, 1.25, 7.0]])
    found = census(image, None, (0, 1))
    assert (found.good, found.masked, found.below, found.above) == (4, 2, 1, 2)
    assert found.counts.sum() == 4


def test_no_good_pixel_is_no_error():
    found = census(np.full((2, 3), np.nan), None, (0, 1))
    assert (found.good, found.masked) == (0, 6)
    assert np.isnan(found.lowest)


def test_one_value_only():
    found = census(np.full((3, 5), 7, np.uint16), None, (7, 8))
    assert found.counts.sum() == 15


def test_other_classes_are_refused(image, classes):
    with pytest.raises(ShapeError, match="same detector"):
        census(image[1:], classes, (0, 1))
