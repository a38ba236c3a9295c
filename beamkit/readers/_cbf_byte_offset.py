"""Byte-offset decompression of CBF, compiled.

Each pixel is stored as its difference from the one before, in one byte; the byte -128 says that
the difference follows in two bytes, and the two bytes -32768 that it follows in four, and
-2147483648 in eight (all little-endian). Source: Ellis & Bernstein, International Tables G,
ch. 5.6, "byte-offset compression"; CBFlib, ``cbf_byte_offset.c``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

#: What `decode` returns when the compressed bytes end before the pixels do.
TOO_SHORT = -1


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    options = {"nogil": True}
    try:
        return numba.njit(cache=True, **options)(function)  # type: ignore[no-any-return]
    except RuntimeError:  # no folder for the cache can be written: compile in every process
        return numba.njit(**options)(function)  # type: ignore[no-any-return]


@_compiled
def _word(data: NDArray[np.uint8], at: int) -> np.uint32:
    return np.uint32(
        np.uint32(data[at])
        | np.uint32(data[at + 1]) << 8
        | np.uint32(data[at + 2]) << 16
        | np.uint32(data[at + 3]) << 24
    )


@_compiled
def _escaped(data: NDArray[np.uint8], at: int) -> tuple[np.int32, int]:
    """Return the difference that follows an escape byte at ``at - 1``, and where the next begins.

    The place is TOO_SHORT where the bytes end first.
    """
    left = data.size - at
    if left < 2:
        return np.int32(0), TOO_SHORT
    short = np.int16(np.uint16(data[at]) | np.uint16(data[at + 1]) << 8)
    if short != -32768:
        return np.int32(short), at + 2
    if left < 6:
        return np.int32(0), TOO_SHORT
    word = _word(data, at + 2)
    if word != 0x80000000:
        return np.int32(word), at + 6
    if left < 14:
        return np.int32(0), TOO_SHORT
    return np.int32(_word(data, at + 6)), at + 14  # the low half: sums are modulo 2**32


@_compiled
def decode(data: NDArray[np.uint8], out: NDArray[np.int32]) -> int:
    """Write the pixels of a byte-offset section into ``out``.

    Never reads outside ``data``, whatever its bytes are. Differences are added modulo 2**32, so
    unsigned pixels come out right in a view.

    Parameters
    ----------
    data
        The compressed bytes, contiguous.
    out
        Flat, contiguous; one number a pixel.

    Returns
    -------
    used
        Number of bytes used, or TOO_SHORT.
    """
    size = data.size
    at = 0
    value = np.int32(0)
    for index in range(out.size):
        if at >= size:
            return TOO_SHORT
        byte = data[at]
        at += 1
        if byte != 0x80:
            value += np.int32(np.int8(byte))
        else:
            delta, at = _escaped(data, at)
            if at == TOO_SHORT:
                return TOO_SHORT
            value += delta
        out[index] = value
    return at
