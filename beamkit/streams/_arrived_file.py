"""A file of one frame that has come, and whether it is whole."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from beamkit.core.errors import BeamkitError, ShapeError, UnreadableFileError
from beamkit.readers import cbf, fabio_images
from beamkit.readers._file_guard import reading
from beamkit.readers._image_stack import FrameReader


@dataclass(frozen=True)
class ArrivedFile:
    """A file of one frame: how it is read, and what it holds."""

    path: Path
    read_frame: FrameReader
    shape: tuple[int, int]
    dtype: np.dtype[Any]

    def like(self, other: ArrivedFile) -> bool:
        """Whether two have frames of the same size and type."""
        return self.shape == other.shape and self.dtype == other.dtype


def arrived(path: Path, first: ArrivedFile | None) -> ArrivedFile:
    """Return a file that is whole; ``first`` is the first of its series.

    Raises
    ------
    UnreadableFileError
        If it is no image, or not all of it is there.
    ShapeError
        If it holds several frames.
    """
    with reading(path, "the frame"):
        if not cbf.can_read(path):
            return _other(path)
        if first is not None and first.read_frame is cbf.read_frame:
            with suppress(BeamkitError):  # as a rule it is like the first, and no header is needed
                found = replace(first, path=path)
                _decode(found)
                return found
        return _cbf(path)


def _cbf(path: Path) -> ArrivedFile:
    frame = cbf.read([path])["frames"]
    found = ArrivedFile(
        path, cbf.read_frame, (int(frame.shape[1]), int(frame.shape[2])), frame.dtype
    )
    _decode(found)
    return found


def _other(path: Path) -> ArrivedFile:
    if not fabio_images.can_read(path):
        raise UnreadableFileError(
            f"{path}: it is no image, or not yet. Give a pattern of the frames' names."
        )
    image = fabio_images.describe([path])[0]
    if image.frames > 1:
        raise ShapeError(
            f"{path}: it holds {image.frames} frames; one a file is watched. "
            "Open it with bk.open when it is complete."
        )
    found = ArrivedFile(path, image.read_into, image.shape, image.dtype)
    _decode(found)
    return found


def _decode(file: ArrivedFile) -> None:
    """Raise UnreadableFileError unless the whole frame is there."""
    file.read_frame(file.path, 0, np.empty(file.shape, file.dtype))
