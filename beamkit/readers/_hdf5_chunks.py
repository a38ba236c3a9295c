"""Numbers out of a dataset, with the compressed chunks looked at before a filter decodes them.

The decoders of bitshuffle, LZ4 and Blosc trust the lengths that they find in a chunk: on a damaged
one they do not raise an error but crash the process. The lengths are walked here first, which takes
a twentieth of the time of decoding.
"""

from __future__ import annotations

import itertools
import math
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from beamkit.core.errors import UnreadableFileError

from . import _hdf5

#: Filter numbers, as registered with The HDF Group.
_BLOSC, _LZ4, _BITSHUFFLE, _FLETCHER32 = 32001, 32004, 32008, 3

#: What bitshuffle takes where its block size is 0: bytes of a block, and least elements.
#: Source: bitshuffle, src/bitshuffle_core.c, bshuf_default_block_size.
_BLOCK_BYTES, _LEAST_ELEMENTS = 8192, 128

_SIZES = struct.Struct(">QI")
_LENGTH = struct.Struct(">I")


def read(item: h5py.Dataset, key: Any = ()) -> NDArray[Any]:
    """Return numbers of a dataset.

    Parameters
    ----------
    item
        Any dataset.
    key
        Integers and slices with steps above 0, for the first axes.

    Raises
    ------
    UnreadableFileError
        If the data are damaged.
    """
    with _hdf5.readable(item.file.filename, str(item.name)):
        require_sound_chunks(item, key)
        return np.asarray(item[key])


def require_sound_chunks(item: h5py.Dataset, key: Any = ()) -> None:
    """Raise UnreadableFileError if a chunk that the key needs would crash its decoder."""
    found = _decoder(item)
    if found is None:
        return
    place, trailer, is_sound = found
    for offset in _chunks(item, key if isinstance(key, tuple) else (key,)):
        if not item.id.get_chunk_info_by_coord(offset).size:
            continue  # never written
        skipped, raw = item.id.read_direct_chunk(offset)
        if not skipped >> place & 1 and not is_sound(raw[: len(raw) - trailer]):
            raise UnreadableFileError(
                f"{item.file.filename}: {item.name}, the chunk at {offset} is damaged. "
                "Copy the file again from where it was written."
            )


def unwritten(dataset: h5py.Dataset) -> str:
    """Say how many chunks of a dataset were never written, ``""`` if all were.

    HDF5 gives a number of its own for them, usually 0: an interrupted scan looks like frames in
    the dark.
    """
    if dataset.chunks is None or dataset.is_virtual or not dataset.size:
        return ""
    with _hdf5.readable(dataset.file.filename, str(dataset.name)):
        there = dataset.id.get_num_chunks()
        wanted = math.prod(
            math.ceil(n / c) for n, c in zip(dataset.shape, dataset.chunks, strict=True)
        )
        filler = dataset.fillvalue
    if there >= wanted:
        return ""
    return (
        f"{dataset.name}: {wanted - there} of {wanted} chunks were never written; they read as "
        f"{filler:g} (an interrupted scan looks like this)"
    )


def _decoder(item: h5py.Dataset) -> tuple[int, int, Callable[[bytes], bool]] | None:
    """Return the place of the filter to check, the bytes behind its own, and the check."""
    if item.chunks is None:
        return None
    made = item.id.get_create_plist()
    filters = [made.get_filter(i) for i in range(made.get_nfilters())]
    trailer = 4 if filters and filters[-1][0] == _FLETCHER32 else 0
    place = len(filters) - (2 if trailer else 1)
    if place < 0 or filters[place][0] not in _CHECKS:
        return None
    code, _, values, _ = filters[place]
    size = item.dtype.itemsize
    total = size * int(np.prod(item.chunks, dtype=np.int64))
    return place, trailer, lambda raw: _CHECKS[code](raw, values, size, total)


def _chunks(item: h5py.Dataset, key: tuple[Any, ...]) -> Iterator[tuple[int, ...]]:
    """Give the offset of each chunk that a key touches."""
    keys = (*key, *[slice(None)] * (item.ndim - len(key)))
    offsets: list[Sequence[int]] = []
    for part, length, chunk in zip(keys, item.shape, item.chunks, strict=True):
        picked = range(length)[part]
        first, last = (
            (picked, picked) if isinstance(picked, int) else (picked.start, picked.stop - 1)
        )
        offsets.append(range(first // chunk * chunk, last + 1, chunk))
    yield from itertools.product(*offsets)


def _bitshuffle(raw: bytes, values: Sequence[int], size: int, total: int) -> bool:
    """Source of the layout: bitshuffle, src/bshuf_h5filter.c."""
    if len(values) < 3 or values[2] != size:
        return False
    if len(values) < 5 or values[4] == 0:
        return len(raw) == total  # shuffled, not compressed
    if len(raw) < _SIZES.size:
        return False
    stored, block = _SIZES.unpack_from(raw)
    per_block = block // size or max(_BLOCK_BYTES // size // 8 * 8, _LEAST_ELEMENTS)
    elements, rest = divmod(stored, size)
    if stored != total or rest or per_block % 8:
        return False
    blocks = elements // per_block + (elements % per_block >= 8)
    at = _SIZES.size
    for _ in range(blocks):
        if at + 4 > len(raw):
            return False
        at += 4 + _LENGTH.unpack_from(raw, at)[0]
    return bool(at + elements % 8 * size <= len(raw))


def _lz4(raw: bytes, _values: Sequence[int], _size: int, total: int) -> bool:
    """Source of the layout: HDF5 filter 32004, HDF5_LZ4.pdf of The HDF Group."""
    if len(raw) < _SIZES.size:
        return False
    stored, block = _SIZES.unpack_from(raw)
    if stored != total or not block:
        return False
    at = _SIZES.size
    for _ in range(-(-stored // min(block, stored))):
        if at + 4 > len(raw):
            return False
        at += 4 + _LENGTH.unpack_from(raw, at)[0]
    return at <= len(raw)


def _blosc(raw: bytes, _values: Sequence[int], _size: int, total: int) -> bool:
    """Source of the layout: c-blosc, README_CHUNK_FORMAT.rst."""
    if len(raw) < 16:
        return False
    stored, _, compressed = struct.unpack_from("<III", raw, 4)
    return bool(stored == total and compressed == len(raw))


_CHECKS: dict[int, Callable[[bytes, Sequence[int], int, int], bool]] = {
    _BITSHUFFLE: _bitshuffle,
    _LZ4: _lz4,
    _BLOSC: _blosc,
}
