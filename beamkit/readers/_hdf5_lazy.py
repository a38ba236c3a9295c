"""Arrays in HDF5 files that are read when they are computed.

A lazy array holds path and name, not a handle: it pickles, works in every thread and process, and
keeps no file open.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask.array as da
import h5py
import numpy as np
from dask.base import tokenize
from numpy.typing import NDArray

from beamkit.core.errors import UnreadableFileError

from . import _hdf5
from ._hdf5_chunks import read

#: Bytes of one dask block. One task a frame makes a sinogram take 2 s instead of 0.13 s.
BLOCK_BYTES = 64e6

#: More blocks than these are not a measurement but a damaged size (13 TB in blocks of 64 MB).
MOST_BLOCKS = 200_000

Run = tuple[int, int]
Array = NDArray[Any]


@dataclass(frozen=True)
class Hdf5Array:
    """Frames of a dataset in an HDF5 file, indexed with slices, integers and a list.

    Attributes
    ----------
    path, name
        File and dataset.
    shape, dtype
        Of this array; the dtype is native, whatever the byte order in the file.
    runs
        ``(start, stop)`` along the first axis of the dataset: this array is them one after the
        other.
    """

    path: str
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    runs: tuple[Run, ...]

    @property
    def ndim(self) -> int:
        """Return the number of dimensions."""
        return len(self.shape)

    def __getitem__(self, key: Any) -> Array:
        """Read what slices and integers select. Raises UnreadableFileError."""
        keys = key if isinstance(key, tuple) else (key,)
        keys = (*keys, *[slice(None)] * (self.ndim - len(keys)))
        with _hdf5.open_file(self.path) as file, _hdf5.readable(self.path, self.name):
            source = self._source(file)
            if not self.ndim:
                return np.asarray(read(source), self.dtype)
            return self._read(source, keys)

    def _source(self, file: h5py.File) -> h5py.Dataset:
        source = _hdf5.dataset(file, self.name)
        if source is None or source.shape[1:] != self.shape[1:] or source.ndim != self.ndim:
            raise UnreadableFileError(
                f"{self.path}: {self.name} is not what it was when the file was opened "
                f"(shape {None if source is None else source.shape}). Open the file again."
            )
        return source

    def _read(self, source: h5py.Dataset, keys: Sequence[Any]) -> Array:
        """Read forwards, then turn round the axes that were asked for backwards."""
        ordered = [_forwards(key, size) for key, size in zip(keys, self.shape, strict=True)]
        forward = [key for key, _ in ordered]
        parts = [read(source, (part, *forward[1:])) for part in self._parts(forward[0])]
        if parts:
            result = parts[0] if len(parts) == 1 else np.concatenate(parts)
        else:
            result = np.empty([len(range(n)[k]) for n, k in zip(self.shape, forward, strict=True)])
        axis = 0
        for key, order in ordered:
            if isinstance(key, slice):
                result = result[(slice(None),) * axis + (order,)]
                axis += 1
        return np.asarray(result, self.dtype)

    def _parts(self, key: Any) -> list[Any]:
        """Return the indices into the dataset's first axis that a forward key stands for."""
        if len(self.runs) == 1:
            start = self.runs[0][0]
            if isinstance(key, slice):
                return [slice(start + key.start, start + key.stop, key.step)]
            return [start + int(key)]
        frames = np.concatenate([np.arange(*run) for run in self.runs] or [np.empty(0, int)])
        if not isinstance(key, slice):
            return [int(frames[key])]
        return [slice(*run) for run in runs_of(frames[key])]


def _forwards(key: Any, size: int) -> tuple[Any, Any]:
    """Return a key that HDF5 reads well, and what to take of the result to have what was asked.

    Backwards is read forwards and turned round; a list is read from its smallest to its largest.
    """
    if isinstance(key, slice):
        picked = range(size)[key]
        order = slice(None, None, -1 if picked.step < 0 else None)
        picked = picked[::-1] if picked.step < 0 else picked
        return slice(picked.start, max(picked.stop, picked.start), picked.step), order
    numbers = np.arange(size)[key]
    if numbers.ndim == 0:
        return int(numbers), None
    first = int(numbers.min(initial=size)) if numbers.size else 0
    last = int(numbers.max(initial=-1)) if numbers.size else -1
    return slice(first, last + 1, 1), numbers - first


def runs_of(frames: Array) -> tuple[Run, ...]:
    """Return the runs of consecutive numbers in ``frames`` as ``(start, stop)``.

    >>> runs_of(np.array([4, 5, 6, 9]))
    ((4, 7), (9, 10))
    """
    if not len(frames):
        return ()
    breaks = np.flatnonzero(np.diff(frames) != 1) + 1
    parts = np.split(np.asarray(frames), breaks)
    return tuple((int(part[0]), int(part[-1]) + 1) for part in parts)


def lazy(
    dataset: h5py.Dataset,
    *,
    frames: Array | None = None,
    blocks: Mapping[int, int] | None = None,
) -> da.Array:
    """Return a dataset, or some of its frames, as a dask array.

    Parameters
    ----------
    dataset
        Numbers, of any shape.
    frames
        Numbers of the frames to take, along the first axis; None takes all.
    blocks
        Length of a dask block along some axes; the others follow, for about 64 MB a block.

    Raises
    ------
    UnreadableFileError
        If the dataset holds no numbers, or says a size that the file cannot have.
    """
    path, name = str(Path(dataset.file.filename).absolute()), str(dataset.name)
    with _hdf5.readable(path, name):
        _require_numbers(dataset, path)
        shape = tuple(int(size) for size in dataset.shape)
        first = () if not shape else ((0, shape[0]),) if frames is None else runs_of(frames)
        if frames is not None:
            shape = (len(frames), *shape[1:])
        source = Hdf5Array(path, name, shape, dataset.dtype.newbyteorder("="), first)
        lengths = block_shape(dataset, shape, blocks or {})
    _require_possible(source, lengths)
    status = Path(path).stat()
    token = tokenize(path, name, status.st_mtime_ns, status.st_size, first, lengths)
    return da.from_array(
        source,
        chunks=_aligned(source, lengths, dataset.chunks),
        name=f"hdf5-{token}",
        lock=False,  # h5py has its own
        fancy=True,  # dask joins slices with reading only then: one row of a block is read, not all
        inline_array=True,
        meta=np.empty((0,) * len(shape), source.dtype),
    )


def block_shape(
    dataset: h5py.Dataset, shape: Sequence[int], fixed: Mapping[int, int]
) -> tuple[int, ...]:
    """Return the shape of a dask block: whole chunks of the file, about 64 MB.

    Grown from the last axis to the first, so that frames stay whole where they fit.
    """
    chunk = dataset.chunks or (1,) * len(shape)
    block = [
        min(fixed.get(i, c), max(n, 1)) for i, (c, n) in enumerate(zip(chunk, shape, strict=True))
    ]
    for axis in reversed(range(len(shape))):
        if axis in fixed:
            continue
        room = BLOCK_BYTES / (math.prod(block) * dataset.dtype.itemsize)
        chunks = max(1, math.floor(room))
        block[axis] = max(1, min(block[axis] * chunks, shape[axis]))
    return tuple(block)


def _aligned(
    source: Hdf5Array, block: Sequence[int], chunk: Sequence[int] | None
) -> tuple[int | tuple[int, ...], ...]:
    """Return dask chunks whose borders along the first axis are borders of the file's chunks."""
    if not chunk or len(source.runs) != 1 or source.runs[0][0] % chunk[0] == 0:
        return tuple(block)
    first = min(block[0] - source.runs[0][0] % chunk[0], source.shape[0])
    whole, rest = divmod(source.shape[0] - first, block[0])
    lengths = (first, *[block[0]] * whole, *([rest] if rest else []))
    return (lengths, *block[1:])


def _require_numbers(dataset: h5py.Dataset, path: str) -> None:
    if dataset.shape is None or dataset.dtype.kind not in "iufb":
        raise UnreadableFileError(
            f"{path}: {dataset.name} holds {dataset.dtype}, not numbers. "
            "Name the dataset with the images, such as data='/entry/data/data'."
        )


def _require_possible(source: Hdf5Array, block: Sequence[int]) -> None:
    blocks = math.prod(math.ceil(n / b) for n, b in zip(source.shape, block, strict=True))
    if blocks > MOST_BLOCKS:
        raise UnreadableFileError(
            f"{source.path}: {source.name} claims to have the shape {source.shape}, "
            f"{math.prod(source.shape) * source.dtype.itemsize / 1e12:.3g} TB. "
            "The file is damaged; copy it again from where it was written."
        )
