"""Every link in an HDF5 file, seen without following those that may lead nowhere.

h5py's own visitors stop at the first damaged object; this one goes round it. It asks HDF5 directly,
because a file of a beamline has a thousand objects and h5py's take half a millisecond each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import h5py
from h5py import h5f, h5g, h5l, h5o

from beamkit.core.errors import BeamkitError

from . import _hdf5
from ._hdf5_heap import require_sound_heaps

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
                _require_sound_target(group, name, kind)
                continue
            info = h5o.get_info(group, name)
        except BeamkitError:
            raise
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


def _require_sound_target(group: h5g.GroupID, name: bytes, kind: int) -> None:
    """HDF5 opens the file of an external link by itself: it is looked at before."""
    if kind != h5l.TYPE_EXTERNAL:
        return
    filename = group.links.get_val(name)[0].decode("utf-8", "surrogateescape")
    found = find_source(Path(_hdf5.text(h5f.get_name(group))), filename)
    if found is not None:
        require_sound_heaps(found)


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


def find_source(parent: Path, filename: str) -> Path | None:
    """Return the file that HDF5 opens for a name in a link, or None.

    HDF5 (H5F_prefix_open_file) tries an absolute path as it is, then its last part beside the file
    that holds the link; a relative path from there, then from the working directory.
    """
    name = Path(filename)
    folder = parent.absolute().parent
    if name.is_absolute():
        tries = [name, folder / name.name, Path(name.name)]
    else:
        tries = [folder / name, name]
    return next((path for path in tries if path.is_file()), None)
