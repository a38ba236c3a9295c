"""Small offsets that every column has, from a gain that is not quite even.

Along a row the sample is smooth over a few columns at most angles, the offsets are not: what a
local parabola (Savitzky & Golay, Anal. Chem. 36, 1627 (1964)) leaves of a column is offset and, at
the edges of the sample, sample; its median over all angles is the offset. The parabola has taken
part of the offset, so this is repeated. Offsets that neighbours share stay: they make no rings.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import savgol_filter

Sinogram = NDArray[np.float32]

#: Columns of the parabola, and how often.
_COLUMNS, _ROUNDS = 11, 3


def without_fine(sinogram: Sinogram, size: int | None = None) -> Sinogram:
    """Return a sinogram, shape (angle, column), without offsets that differ between neighbours.

    Parameters
    ----------
    sinogram
        Without NaN.
    size
        Columns of the parabola, odd; None: 11. More takes out coarser offsets, and some sample.
    """
    width = (size or _COLUMNS) | 1
    if sinogram.shape[1] < width:
        return sinogram
    result = sinogram.astype(np.float32)
    for _ in range(_ROUNDS):
        left = result - savgol_filter(result, width, 2, axis=1, mode="nearest")
        result = result - np.median(left, axis=0)
    return result
