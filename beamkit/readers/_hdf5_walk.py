"""Every link in an HDF5 file, seen without following those that may lead nowhere.

h5py's own visitors stop at the first damaged object; this one goes round it. It asks HDF5 directly,
because a file of a beamline has a thousand objects and h5py's take half a millisecond each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import h5py
from h5py import h5g, h5l, h5o

from . import _hdf5

#: Groups in groups: deeper than this they go in a circle.
_DEEPEST = 32


@dataclass(frozen=True)
class Entry:
    """One link.

    Attributes
    ----------
    path
        From the root of the file.
    is_group
        Whether it leads to a group in this file.
    is_soft, is_external
        Whether it leads elsewhere in the file, or to another file; such links are not followed.
    """

    path: str
    is_group: bool = False
    is_soft: bool = False
    is_external: bool = False


def walk(file: h5py.File) -> list[Entry]:
    """List every link of a file, in the order of the file; each group is entered once."""
    found: list[Entry] = []
    with _hdf5.readable(file.filename):
        _walk(h5g.open(file.id, b"/"), "", set(), found, 0)
    return found


def _walk(
    group: h5g.GroupID, path: str, seen: set[tuple[int, ...]], found: list[Entry], depth: int
) -> None:
    for name in _names(group):
        here = f"{path}/{name.decode('utf-8', 'surrogateescape')}"
        try:
            kind = group.links.get_info(name).type
            if kind != h5l.TYPE_HARD:
                found.append(Entry(here, False, kind == h5l.TYPE_SOFT, kind == h5l.TYPE_EXTERNAL))
                continue
            info = h5o.get_info(group, name)
        except _hdf5.DAMAGE:
            found.append(Entry(here))
            continue
        is_group = info.type == h5o.TYPE_GROUP
        found.append(Entry(here, is_group))
        identity = (info.fileno, info.addr)
        if is_group and identity not in seen and depth < _DEEPEST:
            seen.add(identity)
            for inner in _opened(group, name):
                _walk(inner, here, seen, found, depth + 1)


def _names(group: h5g.GroupID) -> list[bytes]:
    try:
        return list(group)
    except _hdf5.DAMAGE:
        return []


def _opened(group: h5g.GroupID, name: bytes) -> Iterator[h5g.GroupID]:
    try:
        yield h5g.open(group, name)
    except _hdf5.DAMAGE:
        return
