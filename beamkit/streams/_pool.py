"""Memory for frames that is used again: a fresh array of 25 MB costs more than decoding into it.

A buffer is lent as a read-only array and comes back by itself when the last reference to that
array, or to a view of it, is gone. Nobody can see a frame change under their hands.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from .frame import Array


class BufferPool:
    """Buffers of one shape and type.

    Parameters
    ----------
    shape, dtype
        Of a buffer.
    keep
        How many free ones are kept; more are given back to the system.
    """

    def __init__(self, shape: tuple[int, int], dtype: np.dtype[Any], keep: int) -> None:
        self.shape = shape
        self.dtype = dtype
        # append and pop of a deque are atomic: a lease may end in any thread, even inside take()
        self._free: deque[Array] = deque(maxlen=keep)

    def take(self) -> Array:
        """Return a buffer with anything in it."""
        try:
            return self._free.pop()
        except IndexError:
            return np.empty(self.shape, self.dtype)

    def lend(self, buffer: Array) -> Array:
        """Return a read-only array on a buffer, which comes back when that array is gone."""
        return np.asarray(_Lease(buffer, self._free))


class _Lease:
    """The owner of the memory of a lent array; numpy keeps it alive with the array's views."""

    def __init__(self, buffer: Array, free: deque[Array]) -> None:
        self._buffer = buffer
        self._free = free
        address, _ = buffer.__array_interface__["data"]
        self.__array_interface__ = {**buffer.__array_interface__, "data": (address, True)}

    def __del__(self) -> None:
        self._free.append(self._buffer)
