"""The frames of a dataset one by one, read into buffers that are used again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import local
from typing import Any

import dask
import numpy as np
import xarray as xr
from dask.base import tokenize
from numpy.typing import NDArray

from beamkit.core.errors import UnreadableFileError
from beamkit.readers._file_guard import reading
from beamkit.readers._image_gaps import problem_of, strict
from beamkit.readers._image_stack import ImageStack
from beamkit.readers._raw_headers import raw_header

Array = NDArray[Any]


@dataclass(frozen=True)
class FrameFiles:
    """Frames, and the files that they are in if each is in an image file.

    Attributes
    ----------
    frames
        Shape (frame, detector_y, detector_x).
    stack
        The image files; None for frames in HDF5 files or in memory.
    """

    frames: xr.DataArray
    stack: ImageStack | None

    @classmethod
    def of(cls, frames: xr.DataArray) -> FrameFiles:
        """Return the frames of a dataset with their files, if they were not changed since."""
        return cls(frames, _stack(frames))

    @property
    def signature(self) -> str:
        """Return what tells these frames from others: names, times and sizes of their files."""
        return str(tokenize(self.frames.data))

    @property
    def files(self) -> tuple[Path, ...]:
        """Return the image files, each once."""
        return () if self.stack is None else tuple(dict.fromkeys(self.stack.files))

    @property
    def bytes(self) -> int:
        """Return the size of the image files, else that of the frames in memory [bytes]."""
        if self.stack is None:
            return int(self.frames.nbytes)
        return sum(path.stat().st_size for path in self.files if path.exists())

    def name(self, index: int) -> str:
        """Say which frame it is, and of which file."""
        return f"frame {index}" + (f" ({self.stack.files[index]})" if self.stack else "")

    def problem(self, index: int, error: Exception) -> str:
        """Say in one line why a frame cannot be read."""
        return str(error) if self.stack is None else problem_of(self.stack.files[index], error)

    def read(self, index: int) -> Array:
        """Return a frame; the next call in the same thread overwrites it.

        Raises
        ------
        UnreadableFileError
            If its file is damaged or missing.
        """
        if self.stack is None:
            with dask.config.set(scheduler="synchronous"):
                return np.asarray(self.frames[index].data)
        out = _buffer(self.stack)
        path, page = self.stack.files[index], self.stack.pages[index]
        with reading(path, f"frame {page}"):
            self.stack.read_into(path, page, out)
        return out

    def headers(self) -> Iterator[str]:
        """Give the unparsed header of each frame; an empty text where there is none."""
        if self.stack is None:
            return
        for path, page in zip(self.stack.files, self.stack.pages, strict=True):
            try:
                yield raw_header(path) if page == 0 else ""
            except UnreadableFileError:
                yield ""  # a gap; the problem of the frame is told already


_buffers = local()


def _buffer(stack: ImageStack) -> Array:
    found: Array | None = getattr(_buffers, "frame", None)
    if found is None or found.shape != stack.frame_shape or found.dtype != stack.dtype:
        found = np.empty(stack.frame_shape, stack.dtype)
        _buffers.frame = found
    return found


def _stack(frames: xr.DataArray) -> ImageStack | None:
    """Return the image files behind an array, if it is all of them, unchanged."""
    graph = getattr(frames.data, "dask", None)
    if graph is None:
        return None
    found = dict(graph).get(f"original-{frames.data.name}")
    found = getattr(found, "value", found)
    if not isinstance(found, ImageStack) or found.shape != frames.shape:
        return None
    return strict(found)
