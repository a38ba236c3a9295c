"""A check that HDF5 does not make: a damaged table of strings would keep it busy for ever.

Strings of variable length and the sources of virtual datasets lie in global heaps. HDF5 2.0 walks a
heap object by object and adds the length of each (H5HGcache.c, H5HG__cache_heap_deserialize); where
a damaged length leads into zeros, it adds 0 for ever. So the heaps are walked here first.

Layout: HDF5 File Format Specification 3.0, section III.E, "Global Heap".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from beamkit.core.errors import UnreadableFileError

_SIGNATURE = b"GCOL\x01\x00\x00\x00"
_HEADER = struct.Struct("<8sQ")
_OBJECT = struct.Struct("<HHIQ")

#: Files up to this size are looked through; of larger ones the front and the end, where writers
#: keep what is not pixels. [bytes]
_WHOLE, _PART = 64 << 20, 8 << 20

_STEP = 1 << 20

#: A heap longer than this is pixels that look like one.
_LONGEST = 64 << 20


def require_sound_heaps(path: Path) -> None:
    """Raise UnreadableFileError if a global heap would keep HDF5 busy for ever."""
    try:
        status = path.stat()
        broken = _broken_heap(path, status.st_size, status.st_mtime_ns)
    except OSError:
        return  # HDF5 says better what is wrong with the file
    if broken is not None:
        raise UnreadableFileError(
            f"{path} is damaged: the table of strings at byte {broken} leads nowhere. "
            "Copy the file again from where it was written."
        )


@lru_cache(maxsize=512)
def _broken_heap(path: Path, size: int, _changed: int) -> int | None:
    with path.open("rb") as stream:
        for place in _heaps(stream, size):
            if not _is_sound(stream, place, size):
                return place
    return None


def _heaps(stream: BinaryIO, size: int) -> Iterator[int]:
    """Give the place of each heap in the file."""
    parts = [(0, size)] if size <= _WHOLE else [(0, _PART), (size - _PART, size)]
    for start, stop in parts:
        for first in range(start, stop, _STEP):
            stream.seek(first)
            # A signature may lie across two steps.
            piece = stream.read(_STEP + len(_SIGNATURE) - 1)
            place = piece.find(_SIGNATURE)
            while place >= 0:
                yield first + place
                place = piece.find(_SIGNATURE, place + 1)


def _is_sound(stream: BinaryIO, place: int, size: int) -> bool:
    """Walk the objects of a heap; say whether the walk ends at its end."""
    stream.seek(place)
    header = stream.read(_HEADER.size)
    if len(header) < _HEADER.size:
        return True
    length = _HEADER.unpack(header)[1]
    if not _HEADER.size <= length <= min(_LONGEST, size - place):
        return True  # HDF5 refuses it, or it is none
    content = stream.read(length - _HEADER.size)
    at = 0
    while at + _OBJECT.size <= len(content):
        index, _, _, taken = _OBJECT.unpack_from(content, at)
        at += _OBJECT.size + taken + -taken % 8 if index else taken
        if at > len(content) or (taken == 0 and not index):
            return False
    return True
