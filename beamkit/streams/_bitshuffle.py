"""The decoder of bitshuffle, into a given array and on one core.

Its Python function makes a fresh array for each frame and starts OpenMP threads; in threads that
each decode a frame, both cost more than the decoding.
"""

from __future__ import annotations

import ctypes
from typing import Any

import bitshuffle
import bitshuffle.ext
import numpy as np
from numpy.typing import NDArray

from .frame import Array

_library = ctypes.CDLL(bitshuffle.ext.__file__)  # already loaded: the same one
#: Of the library, where its build shows them.
_decompress: Any = getattr(_library, "bshuf_decompress_lz4", None)
_set_threads: Any = getattr(_library, "omp_set_num_threads", None)

if _decompress is not None:
    # Source: bitshuffle, src/bitshuffle.h: in, out, elements, bytes of one, elements of a block
    _decompress.argtypes = [ctypes.c_void_p, ctypes.c_void_p] + 3 * [ctypes.c_size_t]
    _decompress.restype = ctypes.c_int64
if _set_threads is not None:
    _set_threads.argtypes = [ctypes.c_int]
    _set_threads.restype = None


def one_core() -> None:
    """Let OpenMP use one core for what this thread, and no other, asks of it.

    Source: OpenMP specification, omp_set_num_threads: the variable belongs to the calling thread.
    """
    if _set_threads is not None:
        _set_threads(1)


def decompress(data: NDArray[np.uint8], out: Array, per_block: int) -> None:
    """Decode blocks whose lengths were found to be right.

    Parameters
    ----------
    data
        The blocks, without the sizes before them.
    out
        Any memory order; written straight into where it is contiguous.
    per_block
        Elements of a block.

    Raises
    ------
    ValueError
        If the data are damaged.
    """
    if _decompress is None or not (out.flags.carray and data.flags.c_contiguous):
        try:
            frame = bitshuffle.decompress_lz4(data, out.shape, out.dtype, per_block)
        except Exception as error:  # of bitshuffle's own
            raise ValueError(f"bitshuffle: {error}") from None
        np.copyto(out, frame)
        return
    # ctypes lets go of the lock of Python during the call
    code = _decompress(data.ctypes.data, out.ctypes.data, out.size, out.dtype.itemsize, per_block)
    if code < 0:
        raise ValueError(f"bitshuffle: error {code}")
