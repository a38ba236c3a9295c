"""Sums over an image with its spots known, compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._spot_pixels import compiled

Image = NDArray[Any]


@compiled
def _sum_row(
    row: Image, good: Image, is_strong: Image, low: Any, high: Any
) -> tuple[int, int, float, float, Any]:
    """Return valid pixels, those above ``high``, counts, counts at strong pixels, and maximum."""
    valid, over, total, strong, highest = 0, 0, 0.0, 0.0, low
    for x in range(row.size):
        value = row[x]
        is_good = good[x] != 0
        is_valid = is_good & (value >= low) & (value <= high)
        valid += is_valid
        over += is_good & (value > high)
        counts = np.float64(value) if is_valid else 0.0
        total += counts
        strong += counts if is_strong[x] != 0 else 0.0
        highest = max(highest, value if is_valid else low)
    return valid, over, total, strong, highest


@compiled
def sum_image(
    image: Image, good: NDArray[np.uint8], is_strong: NDArray[np.uint8], low: Any, high: Any
) -> tuple[int, int, float, float, float]:
    """Return valid pixels, those above ``high``, counts, counts at strong pixels, and maximum.

    The maximum is ``low`` where no pixel is valid. Arguments as for ``measure``.
    """
    valid, over, total, strong, highest = 0, 0, 0.0, 0.0, low
    for y in range(image.shape[0]):
        part = _sum_row(image[y], good[y], is_strong[y], low, high)
        valid += part[0]
        over += part[1]
        total += part[2]
        strong += part[3]
        highest = max(highest, part[4])
    return valid, over, total, strong, np.float64(highest)


@compiled
def sum_zones(
    image: Image,
    good: NDArray[np.uint8],
    is_strong: NDArray[np.uint8],
    low: Any,
    high: Any,
    places: NDArray[np.int64],
    zones: NDArray[np.uint8],
    count: int,
) -> NDArray[np.float64]:
    """Return number and sum of the valid, not strong pixels of each zone. Shape (2, zone).

    Parameters
    ----------
    image, good, is_strong, low, high
        As for ``measure``; the arrays contiguous.
    places, zones
        Flat index of each pixel in a zone, and the number of its zone, below ``count``.
    count
        Number of zones.
    """
    sums = np.zeros((2, count))
    pixels, usable, strong = image.ravel(), good.ravel(), is_strong.ravel()
    for index in range(places.size):
        place = places[index]
        value = pixels[place]
        if usable[place] != 0 and strong[place] == 0 and low <= value <= high:
            sums[0, zones[index]] += 1
            sums[1, zones[index]] += value
    return sums
