"""Frames in many files, as one array that is read when it is computed.

The lazy array holds the names of the files, not handles: it pickles, works in every thread and
process, and keeps no file open.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
from dask.base import tokenize
from numpy.typing import NDArray

from beamkit.core.errors import ShapeError, UnreadableFileError

from ._file_guard import reading

#: Bytes of one dask block: a task a frame is slower to schedule than to read.
BLOCK_BYTES = 64e6

Array = NDArray[Any]

#: Writes one frame, given by file and number in it, into an array of the frame's shape and type.
FrameReader = Callable[[Path, int, Array], None]


@dataclass(frozen=True)
class ImageStack:
    """Frames of equal shape, in one file or many, indexed with slices, integers and one list.

    Attributes
    ----------
    files
        The file of each frame.
    pages
        The number of each frame in its file.
    frame_shape, dtype
        Of one frame.
    read_into
        A function of a module (it is pickled by name).
    """

    files: tuple[Path, ...]
    pages: tuple[int, ...]
    frame_shape: tuple[int, int]
    dtype: np.dtype[Any]
    read_into: FrameReader

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return (frame, detector_y, detector_x)."""
        return len(self.files), *self.frame_shape

    @property
    def ndim(self) -> int:
        """Return 3."""
        return 3

    def __getitem__(self, key: Any) -> Array:
        """Read what the key selects. Raises UnreadableFileError."""
        first, *rest = key if isinstance(key, tuple) else (key,)
        numbers = np.arange(len(self.files))[first]
        if numbers.ndim == 0:
            return np.asarray(self._frame(int(numbers))[tuple(rest)])
        if any(part != slice(None) for part in rest):
            return self._parts(numbers, tuple(rest))
        frames = np.empty((len(numbers), *self.frame_shape), self.dtype)
        for number, out in zip(numbers, frames, strict=True):
            self._read(int(number), out)
        return frames

    def _frame(self, number: int) -> Array:
        out = np.empty(self.frame_shape, self.dtype)
        self._read(number, out)
        return out

    def _parts(self, numbers: NDArray[np.intp], key: tuple[Any, ...]) -> Array:
        """Return a part of each frame; the whole frames go through one buffer."""
        buffer = np.empty(self.frame_shape, self.dtype)
        parts = np.empty((len(numbers), *buffer[key].shape), self.dtype)
        for place, number in enumerate(numbers):
            self._read(int(number), buffer)
            parts[place] = buffer[key]
        return parts

    def _read(self, number: int, out: Array) -> None:
        path = self.files[number]
        with reading(path, f"frame {self.pages[number]}"):
            self.read_into(path, self.pages[number], out)


def lazy(stack: ImageStack) -> da.Array:
    """Return a stack as a dask array, whole frames in blocks of about 64 MB.

    Raises
    ------
    UnreadableFileError
        If a file has gone.
    """
    bytes_of_frame = math.prod(stack.frame_shape) * stack.dtype.itemsize
    block = max(1, int(BLOCK_BYTES // max(bytes_of_frame, 1)))
    token = tokenize(_states(stack.files), stack.pages, stack.frame_shape, str(stack.dtype))
    return da.from_array(
        stack,
        chunks=(min(block, max(len(stack.files), 1)), *stack.frame_shape),
        name=f"images-{token}",
        lock=False,
        fancy=True,  # dask joins slices only then: one frame of a block is read, not the block
        meta=np.empty((0, 0, 0), stack.dtype),
    )


def _states(files: Sequence[Path]) -> list[tuple[str, int, int]]:
    """Return what tells a file from one that was written later under its name."""
    found = []
    for path in dict.fromkeys(files):
        with reading(path):
            state = path.stat()
        found.append((str(path.absolute()), state.st_mtime_ns, state.st_size))
    return found


def require_shape(path: Path, found: tuple[int, ...], out: Array) -> None:
    """Raise UnreadableFileError if a frame is not what it was when the files were opened."""
    if found != out.shape:
        raise UnreadableFileError(
            f"{path}: a frame of shape {found} is now where {out.shape} was when the file was "
            "opened. Open the files again."
        )


def require_same_shape(files: Sequence[Path], shapes: Sequence[tuple[int, ...]]) -> None:
    """Raise ShapeError naming two files if not all frames have the shape of the first."""
    for path, shape in zip(files, shapes, strict=True):
        if shape != shapes[0]:
            raise ShapeError(
                f"{path} has a frame of {shape} pixels, {files[0]} one of {shapes[0]}; the files "
                "of a series must be equal. Open them apart, with a narrower glob."
            )
