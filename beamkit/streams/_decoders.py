"""Chunks and messages compressed with LZ4, with or without bitshuffle, into a given array.

The lengths in the data are walked before a decoder sees them: on damaged ones the decoders of
bitshuffle and LZ4 do not raise an error but crash the process.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._bitshuffle import decompress
from ._lz4 import DAMAGED, decode_block, end_of_blocks
from .frame import Array

Bytes = NDArray[np.uint8]

#: Bytes of the frame, and of a block; both big-endian. Source: HDF5 filters 32004 and 32008.
_SIZES = struct.Struct(">QI")

#: Source: bitshuffle, src/bitshuffle_core.c, bshuf_default_block_size.
_BLOCK_BYTES, _LEAST_ELEMENTS = 8192, 128


def bitshuffle_lz4(data: Bytes, out: Array) -> None:
    """Decode a chunk of HDF5's bitshuffle filter, or the same in a message of a detector.

    Source: bitshuffle, src/bshuf_h5filter.c; DECTRIS, SIMPLON API, stream encoding ``bs<n>-lz4``.

    Parameters
    ----------
    data
        12 bytes of sizes, then blocks; contiguous.
    out
        Contiguous.

    Raises
    ------
    ValueError
        If the data are damaged.
    """
    stored, block = _sizes(data)
    size = out.dtype.itemsize
    per_block = block // size or max(_BLOCK_BYTES // size // 8 * 8, _LEAST_ELEMENTS)
    if stored != out.nbytes or per_block % 8:
        raise ValueError(f"it says {stored} bytes in blocks of {block}, not {out.nbytes}")
    blocks = out.size // per_block + (out.size % per_block >= 8)
    end = end_of_blocks(data, _SIZES.size, blocks)
    if end == DAMAGED or end + out.size % 8 * size > data.size:
        raise ValueError("the lengths of its blocks lead outside")
    decompress(data[_SIZES.size :], out, per_block)


def lz4_chunk(data: Bytes, out: Array) -> None:
    """Decode a chunk of HDF5's LZ4 filter.

    Source: HDF5 filter 32004, HDF5_LZ4.pdf of The HDF Group. A block that LZ4 would not make
    smaller is stored as it is.

    Raises
    ------
    ValueError
        If the data are damaged.
    """
    stored, block = _sizes(data)
    if stored != out.nbytes or not block:
        raise ValueError(f"it says {stored} bytes in blocks of {block}, not {out.nbytes}")
    target = _bytes_of(out)
    at, block = _SIZES.size, min(block, stored)
    for start in range(0, stored, block):
        part = target[start : start + block]
        size = int.from_bytes(data[at : at + 4].tobytes(), "big")
        raw = data[at + 4 : at + 4 + size]
        if raw.size != size or not size:
            raise ValueError("the lengths of its blocks lead outside")
        if size == part.size:
            part[...] = raw
        else:
            lz4_block(raw, part)
        at += 4 + size


def lz4_block(data: Bytes, out: Array) -> None:
    """Decode one block of LZ4 without a header. Raises ValueError if it is damaged."""
    target = _bytes_of(out)
    written = decode_block(data, target)
    if written != target.size:
        raise ValueError(f"LZ4 gives {max(written, 0)} bytes, not {target.size}")


def plain(data: Bytes, out: Array) -> None:
    """Copy what is not compressed. Raises ValueError if it is too short or too long."""
    if data.size != out.nbytes:
        raise ValueError(f"it has {data.size} bytes, not {out.nbytes}")
    np.copyto(_bytes_of(out), data)


def _sizes(data: Bytes) -> tuple[int, int]:
    if data.size < _SIZES.size:
        raise ValueError(f"it has {data.size} bytes only")
    stored, block = _SIZES.unpack(data[: _SIZES.size].tobytes())
    return stored, block


def _bytes_of(out: Array) -> NDArray[Any]:
    return out.reshape(-1).view(np.uint8)
