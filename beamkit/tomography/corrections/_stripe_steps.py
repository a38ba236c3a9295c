"""Stripes as steps between neighbouring columns, found and taken out where they are.

A stripe of any width begins and ends with a step from one column to the next that stays at its
place while the sample moves past it. So: differences of neighbouring columns; their median over a
range of angles, less that of the columns around; what stands out of the noise is a step. Its height
follows the angle slowly (a running median), so a stripe may begin, end or drift. The steps are
added up along the row, and what is common to a wider range of columns stays with the sample.
Columns without a step are left alone.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

Sinogram = NDArray[np.float32]
Array = NDArray[np.float64]

#: Columns that a step is compared with.
_AROUND = 9

#: Ranges of angles that are looked at one by one.
_RANGES = 8

#: A step is this many times the scatter of the steps of other columns, and at least this part of
#: the largest value.
_SIGNIFICANT, _LEAST = 6.0, 6e-3

#: Default widest stripe [pixel].
WIDEST = 20


def without_steps(sinogram: Sinogram, size: int | None = None) -> Sinogram:
    """Return a sinogram, shape (angle, column), without stripes of up to ``size`` columns."""
    values = sinogram.astype(np.float64)
    rise = np.diff(values, axis=1)
    columns = _columns_with_a_step(rise, float(np.abs(values).max(initial=0.0)))
    if not columns.size:
        return sinogram
    heights = np.zeros_like(rise)
    half = _AROUND // 2
    wide = np.pad(rise, ((0, 0), (half, half)), mode="reflect")
    angles = max(len(values) // 4, 1) | 1
    for column in columns:
        own = rise[:, column] - np.median(wide[:, column : column + _AROUND], axis=1)
        heights[:, column] = median_filter(own, angles, mode="nearest")
    offset = np.zeros_like(values)
    np.cumsum(heights, axis=1, out=offset[:, 1:])
    offset -= _running_median(offset, 2 * (size or WIDEST) + 1)
    result: Sinogram = (values - offset).astype(np.float32)
    return result


def _columns_with_a_step(rise: Array, top: float) -> NDArray[np.intp]:
    """Return the columns after which a step lasts: over all angles, or three ranges in a row.

    The rim of a round feature stays in a column where it turns, but for fewer angles.
    """
    if rise.shape[1] < _AROUND or len(rise) < 2:
        return np.zeros(0, np.intp)
    edges = np.linspace(0, len(rise), min(_RANGES, len(rise)) + 1).astype(int)
    ranges = [*pairwise(edges), (0, len(rise))]
    middle = np.array([np.median(rise[low:high], axis=0) for low, high in ranges])
    middle -= median_filter(middle, (1, _AROUND), mode="reflect")
    scatter = 1.4826 * median_filter(np.abs(middle), (1, 101), mode="reflect")
    scatter = np.maximum(scatter, np.median(scatter, axis=1, keepdims=True))
    is_step = np.abs(middle) > np.maximum(_SIGNIFICANT * scatter, _LEAST * top)
    sign = np.where(is_step, np.sign(middle), 0)
    parts, whole = sign[:-1], sign[-1]
    in_a_row = (parts[2:] == parts[:-2]) & (parts[2:] == parts[1:-1]) & (parts[2:] != 0)
    lasts = in_a_row.any(axis=0)
    return np.flatnonzero(lasts | (whole != 0))


def _running_median(offset: Array, width: int) -> Array:
    """Return the median over neighbouring columns, only where it can be another than 0."""
    result = np.zeros_like(offset)
    touched = np.flatnonzero(offset.any(axis=0))
    low = max(int(touched.min()) - width, 0)
    high = min(int(touched.max()) + width + 1, offset.shape[1])
    result[:, low:high] = median_filter(offset[:, low:high], (1, width), mode="reflect")
    return result
