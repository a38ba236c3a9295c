"""Frames of a dask array that is computed, block by block."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import dask.array as da
import numpy as np

from beamkit.core.errors import BeamkitError, EngineError

from .frame import Array, Label

#: Blocks that are kept: threads that read ahead are in two at once.
_KEPT = 2


class BlockSource:
    """Frames of a lazy array: a block is computed once, when the first of its frames is read.

    Parameters
    ----------
    array
        Shape (frame, detector_y, detector_x).
    label
        Gives time and file of a frame.
    """

    def __init__(self, array: da.Array, label: Callable[[int], Label]) -> None:
        self._array = array
        self.label = label
        self._starts = np.concatenate([[0], np.cumsum(array.chunks[0])])
        self._kept: OrderedDict[int, Array] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def shape(self) -> tuple[int, int]:
        """Return the pixels of a frame."""
        return int(self._array.shape[1]), int(self._array.shape[2])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Return the type of a pixel."""
        stored: np.dtype[Any] = self._array.dtype
        return stored.newbyteorder("=")

    def __len__(self) -> int:
        """Return the number of frames."""
        return int(self._array.shape[0])

    def read_into(self, index: int, out: Array) -> None:
        """Compute a frame, with the others of its block.

        Raises
        ------
        BeamkitError
            If a file behind the array cannot be read.
        EngineError
            If computing fails in another way.
        """
        number = int(np.searchsorted(self._starts, index, side="right")) - 1
        block = self._block(number)
        np.copyto(out, block[index - self._starts[number]])

    def close(self) -> None:
        """Let go of the blocks."""
        with self._lock:
            self._kept.clear()

    def _block(self, number: int) -> Array:
        with self._lock:  # dask computes a block with all cores
            if number not in self._kept:
                self._kept[number] = self._computed(number)
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            return self._kept[number]

    def _computed(self, number: int) -> Array:
        start, stop = (int(place) for place in self._starts[number : number + 2])
        try:
            return np.asarray(self._array[start:stop].compute())
        except BeamkitError:
            raise
        except Exception as error:
            raise EngineError(
                f"Frames {start} to {stop - 1} cannot be computed ({error}). "
                "Compute one of them alone to see where it fails: data[...].compute()."
            ) from error
