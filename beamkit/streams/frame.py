"""A frame, and what gives frames: the contracts of this room.

Three kinds of source, from the simplest:

1. :class:`FrameSource`: frames that are there, read in any order by several threads.
2. :class:`GrowingSource`: the same, but more frames come (a file that is still being written).
3. :class:`LiveSource`: frames come by themselves, each once (a detector on the network).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a series.

    Attributes
    ----------
    index
        Number in the series, from 0; a lost frame keeps its number, so later ones do not shift.
    data
        Shape (detector_y, detector_x) [counts], read-only. It stays as it is for as long as
        something refers to it; then its memory is used for a later frame. Keep what you need of
        it, not frames, and the memory of a stream is bounded. ``data.copy()`` can be written to.
    time
        Since the start of the series [s]; None if it is not known.
    source
        File, or place in a file, that it came from.
    problem
        None; or why the frame could not be read. ``data`` is then filled: NaN, -1 (signed
        integers), or the largest number (unsigned), as detectors mark pixels without value.
    """

    index: int
    data: Array
    time: float | None = None
    source: str = ""
    problem: str | None = None


@dataclass(frozen=True)
class Problem:
    """A frame that could not be read: its number, where it should have been, and why."""

    index: int
    source: str
    reason: str


class Label(NamedTuple):
    """What is known of a frame beside its pixels: time [s] since the first, and its file."""

    time: float | None
    source: str


@runtime_checkable
class FrameSource(Protocol):
    """Frames of one size and type, read in any order and by several threads at once."""

    @property
    def shape(self) -> tuple[int, int]:
        """Return the pixels of a frame (detector_y, detector_x)."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Return the type of a pixel."""

    def __len__(self) -> int:
        """Return the number of frames that are there."""

    def read_into(self, index: int, out: Array) -> None:
        """Write a frame into an array of its shape and type.

        Raises
        ------
        BeamkitError
            If the frame cannot be read: missing, cut short, of another size.
        """

    def label(self, index: int) -> Label:
        """Return time and file of a frame, without reading it."""

    def close(self) -> None:
        """Close what is open; it opens again by itself when it is read."""


@runtime_checkable
class GrowingSource(FrameSource, Protocol):
    """Frames that are still being written."""

    @property
    def is_complete(self) -> bool:
        """Whether no more frames will come."""

    def wait_for(self, index: int, timeout: float) -> bool:
        """Wait up to ``timeout`` [s] for a frame; say whether it is there."""


@dataclass(frozen=True, eq=False)
class Arrival:
    """A frame that has come and is not decoded yet.

    Attributes
    ----------
    index, label
        Of the frame.
    shape, dtype
        Of the frame as it came.
    read_into
        Writes it into an array of the frame's shape and type; runs in any thread, once.
    """

    index: int
    label: Label
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    read_into: Callable[[Array], None]


@runtime_checkable
class LiveSource(Protocol):
    """Frames that come by themselves, in order, each once."""

    @property
    def is_complete(self) -> bool:
        """Whether no more frames will come."""

    def next_arrival(self, timeout: float) -> Arrival | None:
        """Return the next frame; None if none comes within ``timeout`` [s]."""

    def close(self) -> None:
        """Stop listening."""


def fill_value(dtype: np.dtype[Any]) -> Any:
    """Return what the pixels of a lost frame are: NaN, -1, or the largest unsigned number."""
    if dtype.kind in "fc":
        return np.nan
    if dtype.kind == "b":
        return False
    return -1 if dtype.kind == "i" else np.iinfo(dtype).max
