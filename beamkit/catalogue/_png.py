"""Pixels as PNG, without a library for pictures.

Layout: W3C Recommendation "Portable Network Graphics (PNG) Specification (Third Edition)", 2025,
sections 5 and 11.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: Bits a channel; indices into a palette (3); deflate, no filter, not interlaced.
_INDEXED = (8, 3, 0, 0, 0)


def png(codes: NDArray[np.uint8], palette: NDArray[np.uint8]) -> bytes:
    """Return a picture with 256 colours.

    Parameters
    ----------
    codes
        Shape (rows, columns), indices into the palette.
    palette
        Shape (256, 3): red, green and blue.
    """
    rows, columns = codes.shape
    lines = np.zeros((rows, columns + 1), np.uint8)  # each line begins with its filter, 0 for none
    lines[:, 1:] = codes
    return b"".join(
        (
            _SIGNATURE,
            _chunk(b"IHDR", struct.pack(">2I5B", columns, rows, *_INDEXED)),
            _chunk(b"PLTE", palette.astype(np.uint8).tobytes()),
            _chunk(b"IDAT", zlib.compress(lines.tobytes(), 6)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
