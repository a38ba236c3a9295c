"""Frames of a dataset in an HDF5 file, read from several threads.

Where a chunk is a frame, its compressed bytes are read past HDF5 and decoded in the thread that
asked: HDF5 itself does one thing at a time. Elsewhere HDF5 reads into the buffer.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from beamkit.core.errors import UnreadableFileError
from beamkit.readers import _hdf5
from beamkit.readers._hdf5_chunks import require_sound_chunks
from beamkit.readers._hdf5_heap import require_sound_heaps
from beamkit.readers._hdf5_links import require_sources

from . import _decoders
from ._hdf5_virtual import Part, parts_of
from .frame import Array

Decoder = Callable[[_decoders.Bytes, Array], None]

#: Filters that are undone here. Bitshuffle says in its fifth value that it compressed with LZ4.
_LZ4, _BITSHUFFLE, _WITH_LZ4 = 32004, 32008, 2

_buffers = threading.local()


@dataclass
class _Open:
    """An open file.

    Attributes
    ----------
    file, item
        File and dataset.
    descriptor
        Of the same file, to read past HDF5; None where that cannot be.
    decoder
        Of a chunk; None where HDF5 must read.
    """

    file: h5py.File
    item: h5py.Dataset
    descriptor: int | None = None
    decoder: Decoder | None = None

    def close(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)
        self.file.close()


class Hdf5Frames:
    """Frames of a dataset; the file is opened when the first is read.

    Parameters
    ----------
    path, name
        File and dataset of shape (frame, detector_y, detector_x).
    """

    def __init__(self, path: str, name: str) -> None:
        self.path, self.name = path, name
        self._lock = threading.Lock()
        self._opened: _Open | None = None
        self._parts: list[tuple[Part, Hdf5Frames]] | None = None

    def read_into(self, number: int, out: Array) -> None:
        """Read a frame into an array of its shape.

        Raises
        ------
        UnreadableFileError
            If the file is missing or damaged, or the frame is not in it or of another shape.
        """
        opened = self._open()
        for part, frames in self._parts or ():
            if part.start <= number < part.stop:
                frames.read_into(number - part.start + part.first, out)
                return
        with _hdf5.readable(self.path, self.name):
            self._require_frame(opened.item, number, out)
            raw = _raw_chunk(opened, number)
            if raw is None or opened.decoder is None:
                require_sound_chunks(opened.item, (number,))
                opened.item.read_direct(out, np.s_[number])
                return
            try:
                opened.decoder(raw, out)
            except ValueError as error:
                raise UnreadableFileError(
                    f"{self.path}: {self.name}, frame {number} is damaged: {error}. "
                    "Copy the file again from where it was written."
                ) from None

    def close(self) -> None:
        """Close the files; reading opens them again."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()
            for _, frames in self._parts or ():
                frames.close()
            self._opened = self._parts = None

    def _open(self) -> _Open:
        with self._lock:
            if self._opened is None:
                with _hdf5.readable(self.path, self.name):
                    self._opened, self._parts = self._opened_now()
            return self._opened

    def _opened_now(self) -> tuple[_Open, list[tuple[Part, Hdf5Frames]] | None]:
        require_sound_heaps(Path(self.path))
        file = h5py.File(self.path, "r", locking=False)
        try:
            item = _hdf5.dataset(file, self.name)
            if item is None or item.ndim != 3:
                raise UnreadableFileError(
                    f"{self.path}: {self.name} is no stack of frames any more. Open it again."
                )
            require_sources(item)
            found = parts_of(item)
            parts = None if found is None else [(p, Hdf5Frames(p.path, p.name)) for p in found]
            opened = _Open(file, item, decoder=decoder_of(item))
            if opened.decoder is not None and not file.userblock_size:
                opened.descriptor = os.open(self.path, os.O_RDONLY)
        except BaseException:
            file.close()
            raise
        return opened, parts

    def _require_frame(self, item: h5py.Dataset, number: int, out: Array) -> None:
        if item.shape[1:] != out.shape or number >= item.shape[0]:
            raise UnreadableFileError(
                f"{self.path}: {self.name} has the shape {item.shape}; frame {number} of the shape "
                f"{out.shape} is not in it (any more). Open the file again."
            )
        if item.chunks is None or item.is_virtual or item.chunks[1:] != item.shape[1:]:
            return
        corner = (number // item.chunks[0] * item.chunks[0], 0, 0)
        if not item.id.get_chunk_info_by_coord(corner).size:
            raise UnreadableFileError(
                f"{self.path}: {self.name}, frame {number} was never written (an interrupted scan "
                f"looks like this); HDF5 would give {item.fillvalue:g}. Take the scan again."
            )


def decoder_of(item: h5py.Dataset) -> Decoder | None:
    """Return what decodes a chunk of a dataset; None if HDF5 must read it."""
    if item.is_virtual or item.chunks != (1, *item.shape[1:]) or not item.dtype.isnative:
        return None
    made = item.id.get_create_plist()
    filters = [made.get_filter(number) for number in range(made.get_nfilters())]
    if not filters:
        return _decoders.plain
    code, _, values, _ = filters[0]
    if len(filters) > 1:
        return None
    if code == _BITSHUFFLE and len(values) >= 5 and values[4] == _WITH_LZ4:
        return _decoders.bitshuffle_lz4 if values[2] == item.dtype.itemsize else None
    return _decoders.lz4_chunk if code == _LZ4 else None


def _raw_chunk(opened: _Open, number: int) -> _decoders.Bytes | None:
    """Return the compressed bytes of a frame, in memory of this thread; None if HDF5 must read."""
    if opened.decoder is None:
        return None
    info = opened.item.id.get_chunk_info_by_coord((number, 0, 0))
    if info.filter_mask:  # stored without the filter
        return None
    if opened.descriptor is None:
        _, raw = opened.item.id.read_direct_chunk((number, 0, 0))
        return np.frombuffer(raw, np.uint8)
    buffer = _buffer(info.size)
    if os.preadv(opened.descriptor, [buffer.data], info.byte_offset) != info.size:
        raise UnreadableFileError(
            f"{opened.file.filename}: cut short: frame {number} of {opened.item.name} ends outside "
            "the file. Copy the file again, or wait until it is written."
        )
    return buffer


def _buffer(size: int) -> _decoders.Bytes:
    """Return bytes of this thread, overwritten by the next frame that it reads."""
    kept: _decoders.Bytes | None = getattr(_buffers, "memory", None)
    if kept is None or kept.size < size:
        kept = _buffers.memory = np.empty(size + size // 4, np.uint8)
    return kept[:size]
