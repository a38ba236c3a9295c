"""Columns that do not answer, or fluctuate: replaced by their neighbours.

After Vo, Atwood & Drakopoulos 2018, algorithm 6 (Opt. Express 26, 28396): how much a column differs
from its own running mean over angle tells those that jitter far more than the columns around, and
those that do not move at all. What they say is of no use; good columns on both sides are joined by
a line, projection by projection.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, median_filter, uniform_filter1d

Sinogram = NDArray[np.float32]

#: Angles of the running mean, and columns that a column is compared with.
_ANGLES, _AROUND = 10, 51

#: A column that jitters this many times as much as the others fluctuates; one that does so by this
#: part, where others move, is dead.
_MUCH, _LITTLE = 3.0, 0.03

#: Others move if their jitter is above this part of the largest of all columns' medians.
_MOVES = 0.05


def without_dead(sinogram: Sinogram, size: int | None = None) -> Sinogram:
    """Return a sinogram, shape (angle, column), with useless columns joined over.

    Parameters
    ----------
    sinogram
        Without NaN.
    size
        Columns that each is compared with; None: 51.
    """
    useless = dead_columns(sinogram, size or _AROUND)
    good = np.flatnonzero(~useless)
    if not useless.any() or not good.size:
        return sinogram
    bad = np.flatnonzero(useless)
    after = np.clip(np.searchsorted(good, bad), 0, len(good) - 1)
    before = np.clip(after - 1, 0, len(good) - 1)
    left, right = good[before], good[after]
    part = np.clip((bad - left) / np.maximum(right - left, 1), 0, 1).astype(np.float32)
    result = sinogram.copy()
    result[:, bad] = (1 - part) * sinogram[:, left] + part * sinogram[:, right]
    return result


def dead_columns(sinogram: Sinogram, around: int = _AROUND) -> NDArray[np.bool_]:
    """Return True for columns that are dead or fluctuate, and those beside them."""
    own = np.abs(sinogram - uniform_filter1d(sinogram, _ANGLES, axis=0)).mean(axis=0)
    usual = median_filter(own, around, mode="reflect")
    least = _MOVES * float(usual.max(initial=0.0))
    fluctuates = own > _MUCH * np.maximum(usual, least)
    found = fluctuates | ((usual > least) & (own < _LITTLE * usual))
    return np.asarray(binary_dilation(found, iterations=1) if found.any() else found)
