"""Where an image has rings: every place against its own surroundings, on a coarser grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from ._ring_points import PixelImage

Array = NDArray[np.float64]

#: Largest number of pixels of the map along an edge.
_LARGEST = 480

#: Widths of the surroundings: what is subtracted, and over what the spread is taken [cell].
_BACKGROUND, _SPREAD = 5.0, 20.0

#: A spot or a hole counts no more than so many standard deviations.
_LOWEST, _HIGHEST = -1.5, 3.0


@dataclass(frozen=True, eq=False)
class RingMap:
    """Standard deviations above the surroundings.

    Attributes
    ----------
    values
        Mean 0 about every place, 0 where nothing is known. Shape (row, column).
    known
        Share of good pixels, smoothed like the values, 0 to 1. Same shape.
    first, step
        Position of the centre of cell (0, 0) as x, y, and from cell to cell [pixel].
    """

    values: Array
    known: Array
    first: tuple[float, float]
    step: tuple[float, float]

    def blurred(self, sigma: float) -> RingMap:
        """Return the map smoothed by a Gaussian [cell]."""
        values = gaussian_filter(self.values, sigma, mode="constant")
        known = gaussian_filter(self.known, sigma, mode="constant")
        deviation = float(np.std(values[known > 0.5])) if np.any(known > 0.5) else 1.0
        return RingMap(values / max(deviation, 1e-9), known, self.first, self.step)

    def cells(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Return column and row, in cells, of positions [pixel]."""
        return (x - self.first[0]) / self.step[0], (y - self.first[1]) / self.step[1]

    def at(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Return values and shares known at positions [pixel]; 0 beyond the edges."""
        column, row = self.cells(x, y)
        with np.errstate(invalid="ignore"):
            inside = (column > -0.5) & (column < self.values.shape[1] - 0.5)
            inside &= (row > -0.5) & (row < self.values.shape[0] - 0.5)
        i = np.where(inside, np.rint(np.where(inside, row, 0)), 0).astype(np.int64)
        j = np.where(inside, np.rint(np.where(inside, column, 0)), 0).astype(np.int64)
        known = np.where(inside, self.known[i, j], 0.0)
        return np.where(known > 0.3, self.values[i, j], 0.0), np.where(known > 0.3, known, 0.0)


def ring_map(image: PixelImage) -> RingMap:
    """Return the map of an image, at most 480 cells along an edge."""
    factor = -(-max(image.values.shape) // _LARGEST)
    total, number = (_summed(part, factor) for part in (image.values * image.good, image.good))
    weight = number / factor**2
    mean = total / np.maximum(number, 1)
    typical = float(np.median(mean[number > 0])) if np.any(number > 0) else 1.0
    # The square root makes noise of counting even, the logarithm beyond it tames strong rings.
    level = np.arcsinh(np.sqrt(np.maximum(mean, 0) / max(typical, 1e-12)))
    outlook = _smoothed(weight, _BACKGROUND)
    above = level - _smoothed(level * weight, _BACKGROUND) / np.maximum(outlook, 1e-6)
    above[weight < 0.25] = 0
    spread = _smoothed(above**2 * weight, _SPREAD) / np.maximum(_smoothed(weight, _SPREAD), 1e-6)
    values = np.clip(above / np.sqrt(np.maximum(spread, 1e-12)), _LOWEST, _HIGHEST)
    values -= _smoothed(values * weight, 2 * _BACKGROUND) / np.maximum(
        _smoothed(weight, 2 * _BACKGROUND), 1e-6
    )
    values[weight < 0.25] = 0
    step = tuple(float(line[1] - line[0]) * factor if line.size > 1 else 1.0
                 for line in (image.x, image.y))  # fmt: skip
    first = tuple(float(line[:factor].mean()) for line in (image.x, image.y))
    return RingMap(values, weight, (first[0], first[1]), (step[0], step[1]))


def _smoothed(values: Array, sigma: float) -> Array:
    return np.asarray(gaussian_filter(values, sigma, mode="constant"))


def _summed(values: NDArray[np.generic], factor: int) -> Array:
    """Return sums over blocks of pixels; the last blocks may be smaller."""
    rows, columns = (np.arange(0, size, factor) for size in values.shape)
    rowwise = np.add.reduceat(values.astype(np.float64), rows, axis=0)
    return np.asarray(np.add.reduceat(rowwise, columns, axis=1))
