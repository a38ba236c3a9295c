"""LZ4 blocks, compiled, without the lock of Python; never reads or writes outside its arrays.

A block is a sequence of: a token (high four bits: number of literal bytes, low four: length of the
copy less 4; 15 says that bytes follow to be added, up to one that is not 255), the literal bytes,
and how far back to copy from (two bytes, little-endian). The last sequence ends after its
literals. Source: LZ4 block format description, https://github.com/lz4/lz4, lz4_Block_format.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from beamkit.readers._cbf_byte_offset import _compiled

#: What the functions return where the data lead outside.
DAMAGED = -1


@_compiled
def _byte(data: NDArray[np.uint8], at: int) -> Any:
    return np.int64(data[at])  # signed: unsigned and signed would make a float


@_compiled
def _number(data: NDArray[np.uint8], at: int) -> Any:
    """Return four bytes as a number, big-endian."""
    return (
        _byte(data, at) << 24
        | _byte(data, at + 1) << 16
        | _byte(data, at + 2) << 8
        | _byte(data, at + 3)
    )


@_compiled
def end_of_blocks(data: NDArray[np.uint8], at: int, blocks: int) -> int:
    """Return where blocks end that each begin with their length in four bytes, big-endian."""
    size = data.size
    for _ in range(blocks):
        if at + 4 > size:
            return DAMAGED
        at += 4 + _number(data, at)
        if at > size:
            return DAMAGED
    return at


@_compiled
def _length(data: NDArray[np.uint8], at: int, length: int) -> tuple[int, int]:
    """Return a length of a token with the bytes that may follow, and where the next thing is."""
    if length == 15:
        more = 255
        while more == 255:
            if at >= data.size:
                return 0, DAMAGED
            more = _byte(data, at)
            length += more
            at += 1
    return length, at


@_compiled
def decode_block(data: NDArray[np.uint8], out: NDArray[np.uint8]) -> int:
    """Write what a block holds into ``out``; return how many bytes, or DAMAGED.

    Parameters
    ----------
    data, out
        Contiguous.
    """
    at = 0
    done = 0
    while at < data.size:
        token = _byte(data, at)
        count, at = _length(data, at + 1, token >> 4)
        if at == DAMAGED or at + count > data.size or done + count > out.size:
            return DAMAGED
        out[done : done + count] = data[at : at + count]
        at += count
        done += count
        if at == data.size:
            return int(done)
        if at + 2 > data.size:
            return DAMAGED
        back = _byte(data, at) | _byte(data, at + 1) << 8
        count, at = _length(data, at + 2, token & 15)
        count += 4
        if at == DAMAGED or not 0 < back <= done or done + count > out.size:
            return DAMAGED
        for place in range(done, done + count):  # may copy what it has just written
            out[place] = out[place - back]
        done += count
    return int(done)
