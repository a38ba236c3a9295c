"""How the frames of an NXmx file are compressed, so that threads can do it outside HDF5's lock.

Each codec gives the bytes of a chunk as the HDF5 filter of its number would: bitshuffle with LZ4
(32008; Masui et al., Astronomy and Computing 12, 181 (2015)), shuffle and deflate.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import bitshuffle
import hdf5plugin
import numpy as np
from numpy.typing import NDArray

from beamkit.core.errors import UnknownNameError

Frame = NDArray[Any]

#: Bytes that bitshuffle shuffles at a time, at least; and elements in multiples of which it does.
#: Source: bitshuffle 0.5, bshuf_default_block_size.
_BLOCK_BYTES, _BLOCK_MULTIPLE, _BLOCK_LEAST = 8192, 8, 128

#: Level of deflate: 1 is three times as fast as 4, for 5 % more bytes on counts.
_GZIP_LEVEL = 1


@dataclass(frozen=True)
class Codec:
    """One way to compress a frame.

    Attributes
    ----------
    name
        As the user calls it.
    filters
        Options of ``h5py.Group.create_dataset``.
    encode
        Gives the bytes of the chunk of a frame; thread-safe.
    """

    name: str
    filters: dict[str, Any]
    encode: Callable[[Frame], bytes]


def codec(name: str) -> Codec:
    """Return a codec by its name. Raises UnknownNameError."""
    if name not in _CODECS:
        raise UnknownNameError("compression", name, _CODECS)
    return _CODECS[name]


def names() -> tuple[str, ...]:
    """Return the names of the codecs, the default first."""
    return tuple(_CODECS)


def _bitshuffle_lz4(frame: Frame) -> bytes:
    """Return the header of filter 32008 (size, block size, both big-endian), and the blocks."""
    block = _BLOCK_BYTES // frame.itemsize // _BLOCK_MULTIPLE * _BLOCK_MULTIPLE
    block = max(block, _BLOCK_LEAST)
    packed = bitshuffle.compress_lz4(np.ascontiguousarray(frame), block)
    header = struct.pack(">QI", frame.nbytes, block * frame.itemsize)
    return header + memoryview(packed).cast("B")


def _shuffle_gzip(frame: Frame) -> bytes:
    """Return the frame as shuffle and deflate leave it: first bytes of all pixels first."""
    plain = np.ascontiguousarray(frame).reshape(-1).view(np.uint8).reshape(-1, frame.itemsize)
    return zlib.compress(plain.T.tobytes(), _GZIP_LEVEL)


def _plain(frame: Frame) -> bytes:
    return frame.tobytes()


_CODECS = {
    each.name: each
    for each in (
        Codec("bslz4", dict(hdf5plugin.Bitshuffle(cname="lz4")), _bitshuffle_lz4),
        Codec(
            "gzip",
            {"compression": "gzip", "compression_opts": _GZIP_LEVEL, "shuffle": True},
            _shuffle_gzip,
        ),
        Codec("none", {}, _plain),
    )
}
