"""Byte-offset compression of CBF, the whole frame at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Largest difference that fits in 1, 2 and 4 bytes; the next one down says "look further".
_LIMITS = (127, 32767, 2**31 - 1)
_BYTES = (1, 2, 4, 8)


def encode(image: NDArray[np.integer[Any]]) -> bytes:
    """Return the pixels as differences from one to the next, most of them in one byte.

    A difference that does not fit in one byte is written as -128 and then in two, if it does not
    fit there as -32768 and then in four, and so on; little-endian. Source: Ellis & Bernstein,
    International Tables G, ch. 5.6.

    Parameters
    ----------
    image
        Any shape, integers of up to 32 bits; read row by row.
    """
    differences = np.diff(image.ravel().astype(np.int64), prepend=0)
    escaped = np.flatnonzero(np.abs(differences) > _LIMITS[0])
    long = differences[escaped]
    level = np.searchsorted(_LIMITS, np.abs(long))
    lengths = np.ones(differences.size, np.int64)
    lengths[escaped] = np.cumsum(_BYTES)[level]
    end = np.cumsum(lengths)
    place = end - lengths
    result = np.zeros(int(end[-1]) if end.size else 0, np.uint8)
    result[place] = differences.astype(np.uint8)  # the low byte; overwritten where it is not all
    at = place[escaped]
    for stage, width in enumerate(_BYTES):
        here = level == stage
        _put(result, at[here], long[here], width)
        at, long, level = at[~here], long[~here], level[~here]
        _put(result, at, np.full(at.size, -(2 ** (8 * width - 1))), width)
        at = at + width
    return result.tobytes()


def _put(
    result: NDArray[np.uint8], place: NDArray[np.int64], values: NDArray[np.int64], size: int
) -> None:
    encoded = values.astype(f"<i{size}").view(np.uint8).reshape(-1, size)
    for offset in range(size):
        result[place + offset] = encoded[:, offset]
