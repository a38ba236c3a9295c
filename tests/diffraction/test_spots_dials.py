"""Strong pixels are those of DIALS' DispersionThreshold, pixel for pixel."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from diffraction.spot_images import spot_image

from beamkit.diffraction.spots import SpotFinder, SpotSettings

#: DIALS leaves counts from here on out of its sums.
_BIG = 1 << 24


def dispersion_threshold(image, good, kernel, gain, n_background, n_strong, least, threshold):
    """Return DIALS' strong pixels, one window after the other, in whole and double numbers.

    After ``DispersionThreshold`` of dials/algorithms/image/threshold/local.h: windows are cut at
    the edges, sums are taken over good pixels below 2**24, and only a good pixel is strong.
    """
    strong = np.zeros(image.shape, bool)
    counts = good & (image < _BIG)
    for row, column in np.argwhere(good & (image > threshold)):
        window = (
            slice(max(0, row - kernel), row + kernel + 1),
            slice(max(0, column - kernel), column + kernel + 1),
        )
        values = [int(value) for value in image[window][counts[window]]]
        m, x, y = len(values), sum(values), sum(value * value for value in values)
        if m < least or x < 0:
            continue
        a, b = m * y - x * x, m * int(image[row, column]) - x
        c = gain * x * (m - 1 + n_background * sqrt(2 * (m - 1)))
        strong[row, column] = a > c and b > n_strong * sqrt(gain * x * m)
    return strong


@pytest.mark.parametrize(
    ("background", "kernel", "gain", "n_background", "n_strong", "least", "threshold"),
    [
        (0.03, 3, 1.0, 6.0, 3.0, 2, 0.0),  # DIALS' own settings
        (1.3, 3, 1.0, 6.0, 3.0, 2, 0.0),
        (11.0, 3, 1.0, 6.0, 3.0, 2, 0.0),
        (1.3, 1, 1.0, 2.0, 1.0, 5, 0.0),
        (4.0, 5, 1.9, 4.0, 2.5, 2, 12.0),
    ],
)
def test_strong_pixels_are_those_of_dials(
    background, kernel, gain, n_background, n_strong, least, threshold
):
    random = np.random.default_rng(41)
    image, *_ = spot_image(random, (61, 83), background, random.exponential(250, 6))
    for edge in (np.s_[0, 17:19], np.s_[60, 20:22], np.s_[31:33, 0], np.s_[50:52, 82]):
        image[edge] += 70  # spots cut by an edge
    image[0, 0] = image[60, 82] = 300
    image[27:29, 35:38] += 90  # a spot cut by the gap
    good = random.random(image.shape) > 0.04
    good[:, 38:43], good[41:46] = False, False
    image[~good] = random.choice([0, 3, 10_000, 1 << 20], (~good).sum())
    settings = SpotSettings(
        kernel=kernel,
        gain=gain,
        n_sigma_background=n_background,
        n_sigma_strong=n_strong,
        min_count=least,
        global_threshold=threshold,
    )
    expected = dispersion_threshold(
        image, good, kernel, gain, n_background, n_strong, least, threshold
    )
    assert expected.sum() > 20
    assert expected[[0, -1]].any()
    assert expected[:, [0, -1]].any()
    found = SpotFinder(image.shape, ~good, settings=settings).strong_pixels(image)
    np.testing.assert_array_equal(found, expected)
