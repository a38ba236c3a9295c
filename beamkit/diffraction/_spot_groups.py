"""Strong pixels that touch become spots, and spots are measured, compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._spot_limits import COLUMNS
from ._spot_pixels import compiled

Image = NDArray[Any]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Pixels around the box of a spot that its tails may reach: not taken as background.
_TAIL = 1


@compiled
def _root(parent: Integers, index: int) -> int:
    while parent[index] != index:
        parent[index] = parent[parent[index]]
        index = parent[index]
    return index


@compiled
def _join(parent: Integers, a: int, b: int) -> None:
    """Join two sets; the lower index is the root, so that spots keep the order of the image."""
    a, b = _root(parent, a), _root(parent, b)
    if a < b:
        parent[b] = a
    else:
        parent[a] = b


@compiled
def _numbered(parent: Integers) -> tuple[Integers, int]:
    """Return the number of the set of each index, from 0 in the order of the roots."""
    groups, count = np.empty(parent.size, np.int64), 0
    for index in range(parent.size):
        if parent[index] == index:
            groups[index] = count
            count += 1
        else:
            groups[index] = groups[_root(parent, index)]
    return groups, count


@compiled
def group(strong: Integers, columns: int, reach: int) -> tuple[Integers, int]:
    """Return the number of the group of each strong pixel, and how many there are.

    Parameters
    ----------
    strong
        Flat indices, in the order of the image.
    columns
        Of the image.
    reach
        0 where neighbours share an edge (4 of them), 1 where a corner is enough (8).
    """
    number = strong.size
    parent = np.arange(number)
    above, here = np.full(columns + 2, -1), np.full(columns + 2, -1)
    last = -2
    for index in range(number):
        y, x = strong[index] // columns, strong[index] % columns + 1  # a border on the left
        if y != last:
            above, here = here, above
            if y != last + 1:
                above[:] = -1
            here[:] = -1
            last = y
        here[x] = index
        if here[x - 1] >= 0:
            _join(parent, index, here[x - 1])
        for other in range(x - reach, x + reach + 1):
            if above[other] >= 0:
                _join(parent, index, above[other])
    return _numbered(parent)  # type: ignore[no-any-return]


@compiled
def keep(groups: Integers, count: int, fewest: int, most: int) -> int:
    """Renumber the groups of so many pixels, and give -1 to the others; return how many are left.

    ``groups`` is changed in place.
    """
    sizes = np.zeros(count, np.int64)
    for number in groups:
        sizes[number] += 1
    left = 0
    for number in range(count):
        if fewest <= sizes[number] <= most:
            sizes[number] = left
            left += 1
        else:
            sizes[number] = -1
    for index in range(groups.size):
        groups[index] = sizes[groups[index]]
    return left


@compiled
def _around(
    image: Image, good: Image, low: Any, high: Any, is_strong: Image, box: Integers, reach: int
) -> tuple[int, float]:
    """Return number and sum of the valid, not strong pixels in a frame around a box.

    ``box`` holds the first and last column, the first and last row.
    """
    rows, columns = image.shape
    number, total = 0, 0.0
    inner = _TAIL
    for y in range(max(0, box[2] - reach), min(rows, box[3] + reach + 1)):
        is_beside = box[2] - inner <= y <= box[3] + inner
        for x in range(max(0, box[0] - reach), min(columns, box[1] + reach + 1)):
            if is_beside and box[0] - inner <= x <= box[1] + inner:
                continue
            value = image[y, x]
            if good[y, x] != 0 and is_strong[y, x] == 0 and low <= value <= high:
                number += 1
                total += value
    return number, total


@compiled
def _boxes(strong: Integers, groups: Integers, count: int, columns: int) -> Integers:
    """Return first and last column, first and last row of each group. Shape (group, 4)."""
    boxes = np.full((count, 4), -1)
    for index in range(strong.size):
        number = groups[index]
        if number < 0:
            continue
        y, x = strong[index] // columns, strong[index] % columns
        box = boxes[number]
        if box[0] < 0:
            box[0], box[1], box[2] = x, x, y
        box[0], box[1], box[3] = min(box[0], x), max(box[1], x), y
    return boxes


@compiled
def measure(
    image: Image,
    good: NDArray[np.uint8],
    low: Any,
    high: Any,
    is_strong: NDArray[np.uint8],
    strong: Integers,
    groups: Integers,
    count: int,
    reach: int,
    gain: float,
) -> Floats:
    """Return the numbers of each group: shape (group, column of COLUMNS).

    Parameters
    ----------
    image, good, low, high
        As for :func:`find_strong`.
    is_strong
        1 at strong pixels. Shape of the image.
    strong, groups, count
        Flat indices of the strong pixels, the group of each (-1: none), and how many there are.
    reach
        How far from the box of a spot background is looked for [pixel].
    gain
        Counts a photon.
    """
    columns = image.shape[1]
    boxes = _boxes(strong, groups, count, columns)
    table = np.zeros((count, len(COLUMNS)))
    variance = np.zeros(count)
    for number in range(count):
        pixels, total = _around(image, good, low, high, is_strong, boxes[number], reach)
        table[number, 4] = total / pixels if pixels > 0 else np.nan
        variance[number] = gain * max(total, 1.0) / pixels / pixels if pixels > 0 else np.nan
        table[number, 5] = -np.inf
    weights = np.zeros(count)
    sums = np.zeros(count)
    for index in range(strong.size):
        number = groups[index]
        if number < 0:
            continue
        y, x = strong[index] // columns, strong[index] % columns
        value, row = np.float64(image[y, x]), table[number]
        sums[number] += value
        row[5], row[6] = max(row[5], value), row[6] + 1
        weight = max(value - row[4], 0.0) if row[4] == row[4] else value
        weights[number] += weight
        row[0] += weight * (x + 0.5)
        row[1] += weight * (y + 0.5)
    for number in range(count):
        row, box = table[number], boxes[number]
        row[0] /= weights[number]
        row[1] /= weights[number]
        row[2] = sums[number] - row[6] * row[4]
        row[3] = np.sqrt(gain * max(sums[number], 0.0) + row[6] ** 2 * variance[number])
        row[7], row[8], row[9], row[10] = box[0], box[1] + 1, box[2], box[3] + 1
    return table
