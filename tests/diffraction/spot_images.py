"""Images with spots that are known, and the dispersion test in plain numpy."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter
from scipy.special import ndtr


def strong_by_scipy(image, good, kernel=3, gain=1.0, n_background=6.0, n_strong=3.0, least=2):
    """Strong pixels by variance and mean of each window, from sums over the good pixels."""
    size = 2 * kernel + 1
    values = np.where(good, image, 0).astype(np.float64)

    def sums(of):
        return uniform_filter(of.astype(np.float64), size, mode="constant") * size**2

    number = np.rint(sums(good))
    total, square = sums(values), sums(values**2)
    if image.dtype.kind in "iu":  # rounding of the filter aside, these are whole numbers
        total, square = np.rint(total), np.rint(square)
    with np.errstate(all="ignore"):
        mean = total / number
        variance = (square - total * mean) / (number - 1)
        is_dispersed = variance / mean > gain * (1 + n_background * np.sqrt(2 / (number - 1)))
        is_bright = values > mean + n_strong * np.sqrt(gain * mean)
    return good & is_dispersed & is_bright & (number >= least)


def spot_image(random, shape, background, intensities, width=0.8, spacing=23):
    """Poisson counts with Gaussian spots near the nodes of a grid.

    Returns the image, x and y of the spots from the outer corner, and their expected counts.
    """
    rows, columns = shape
    nodes = [
        (y, x) for y in range(12, rows - 12, spacing) for x in range(12, columns - 12, spacing)
    ]
    nodes = np.array(nodes[: len(intensities)], float).reshape(-1, 2)
    y, x = (nodes + random.uniform(-3, 3, nodes.shape)).T
    expected = np.full(shape, float(background))
    for row, column, counts in zip(y, x, intensities, strict=False):
        top, left = int(row) - 6, int(column) - 6
        along_y = np.diff(ndtr((np.arange(top, top + 14) - row) / width))
        along_x = np.diff(ndtr((np.arange(left, left + 14) - column) / width))
        expected[top : top + 13, left : left + 13] += counts * np.outer(along_y, along_x)
    return random.poisson(expected).astype(np.int32), x, y, np.asarray(intensities[: x.size], float)


def matched(spots, x, y, within=1.5):
    """For each true spot whether it was found; for each found one whether it is true."""
    if len(spots) == 0:
        return np.zeros(x.size, bool), np.zeros(0, bool)
    apart = np.hypot(spots.x[:, None] - x, spots.y[:, None] - y)
    return apart.min(axis=0) < within, apart.min(axis=1) < within
