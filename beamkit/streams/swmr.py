"""A dataset in an HDF5 file that another program is still writing (single writer, many readers)."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from beamkit.core.errors import ParameterError, ShapeError, UnreadableFileError
from beamkit.readers import _hdf5
from beamkit.readers._hdf5_chunks import require_sound_chunks
from beamkit.readers._hdf5_links import datasets

from .frame import Array, Label

#: Place and bits of the flag that says that a file is open for writing.
#: Source: HDF5 File Format Specification 3.0, section II.A, superblock 2 and 3.
_FLAGS_AT, _BEING_WRITTEN = 11, 0b101
_SIGNATURE = b"\x89HDF\r\n\x1a\n"


class SwmrSource:
    """Frames of a growing dataset; it is asked again and again how long it is.

    The series is complete when its writer has closed the file, when it has as many frames as were
    announced, or when nothing has come for a while.

    Parameters
    ----------
    path
        File that its writer opened with ``libver="latest"`` and ``swmr_mode=True``.
    name
        Dataset (frame, detector_y, detector_x); None for the only stack in the file.
    frames
        How many will come; None if that is not known.
    patience
        How long to wait for a frame before the series is taken as complete [s].
    poll
        How often to look [s].

    Raises
    ------
    UnreadableFileError
        If the file cannot be opened, or has no such dataset.
    ShapeError
        If the dataset does not hold frames.
    ParameterError
        If several datasets could be meant.
    """

    def __init__(
        self,
        path: str | Path,
        name: str | None = None,
        *,
        frames: int | None = None,
        patience: float = 30.0,
        poll: float = 0.05,
    ) -> None:
        self.path = Path(path).absolute()
        self._lock = threading.RLock()
        self._file: h5py.File | None = None
        self._name, self._frames = name, frames
        self._patience, self._poll = patience, poll
        self._length = 0
        self._last_news = time.monotonic()
        item = self._item()
        if item.ndim != 3 or item.dtype.kind not in "iufb":
            raise ShapeError(
                f"{self.path}: {item.name} has the shape {item.shape} and type {item.dtype}; "
                "frames have three dimensions and are numbers. Name another dataset."
            )
        self.shape = (int(item.shape[1]), int(item.shape[2]))
        self.dtype: np.dtype[Any] = item.dtype.newbyteorder("=")
        self._look()

    def __len__(self) -> int:
        """Return how many frames there were when it was last looked."""
        return self._length

    @property
    def is_complete(self) -> bool:
        """Whether no more frames will come."""
        if self._frames is not None and self._length >= self._frames:
            return True
        if time.monotonic() - self._last_news > self._patience:
            return True
        if is_being_written(self.path):
            return False
        known = self._length
        self._look()  # the writer wrote, then closed: what came between is there now
        return self._length == known

    def wait_for(self, index: int, timeout: float) -> bool:
        """Wait up to ``timeout`` [s] for a frame; say whether it is there.

        Raises
        ------
        UnreadableFileError
            If the file cannot be read any more.
        """
        end = time.monotonic() + timeout
        while index >= self._length:
            self._look()
            left = end - time.monotonic()
            if index < self._length or left <= 0:
                break
            time.sleep(min(self._poll, left))
        return index < self._length

    def read_into(self, index: int, out: Array) -> None:
        """Read a frame. Raises UnreadableFileError."""
        with self._lock, _hdf5.readable(self.path, self._name or ""):
            item = self._item()
            if not _is_written(item, index):
                raise UnreadableFileError(
                    f"{self.path}: {item.name}, frame {index} was never written; HDF5 would give "
                    f"{item.fillvalue:g}. Its writer stopped early."
                )
            require_sound_chunks(item, (index,))
            item.read_direct(out, np.s_[index])

    def label(self, index: int) -> Label:
        """Return the file and number of a frame; its time is not known."""
        return Label(None, f"{self.path}::{index}")

    def close(self) -> None:
        """Close the file; reading opens it again."""
        with self._lock:
            if self._file is not None:
                self._file.close()
            self._file = None

    def _item(self) -> h5py.Dataset:
        with self._lock, _hdf5.readable(self.path):
            if self._file is None:
                swmr = is_being_written(self.path)
                self._file = h5py.File(
                    self.path, "r", libver="latest" if swmr else None, swmr=swmr, locking=False
                )
            self._name = self._name or _only_stack(self._file)
            item = _hdf5.dataset(self._file, self._name)
        if item is None:
            raise UnreadableFileError(
                f"{self.path}: there is no dataset {self._name}. Name the one with the frames."
            )
        return item

    def _look(self) -> None:
        with self._lock, _hdf5.readable(self.path, self._name or ""):
            item = self._item()
            item.id.refresh()
            length = int(item.shape[0])
            while length > self._length and not self._may_be_read(item, length - 1):
                length -= 1
        if length > self._length:
            self._length = length
            self._last_news = time.monotonic()

    def _may_be_read(self, item: h5py.Dataset, index: int) -> bool:
        """Whether a frame is written; a dataset grows before the frame is in it."""
        return _is_written(item, index) or not is_being_written(self.path)


def _is_written(item: h5py.Dataset, index: int) -> bool:
    if item.chunks is None or item.chunks[1:] != item.shape[1:]:
        return True
    corner = (index // item.chunks[0] * item.chunks[0], 0, 0)
    return bool(item.id.get_chunk_info_by_coord(corner).size)


def is_being_written(path: Path) -> bool:
    """Say whether an HDF5 file says that a program has it open for writing."""
    try:
        with path.open("rb") as stream:
            start = stream.read(_FLAGS_AT + 1)
    except OSError:
        return False
    if len(start) <= _FLAGS_AT or not start.startswith(_SIGNATURE) or start[8] < 2:
        return False
    return bool(start[_FLAGS_AT] & _BEING_WRITTEN)


def _only_stack(file: h5py.File) -> str:
    stacks = [name for name, shape in datasets(file) if len(shape) == 3]
    if not stacks:  # an empty one, that will grow
        found: list[str] = []
        file.visititems(
            lambda name, item: found.append(f"/{name}") if getattr(item, "ndim", 0) == 3 else None
        )
        stacks = found
    if len(stacks) != 1:
        raise ParameterError(
            f"{file.filename} holds {len(stacks)} stacks of frames: {', '.join(stacks) or 'none'}. "
            "Name one: SwmrSource(path, '/entry/data/data')."
        )
    return stacks[0]
