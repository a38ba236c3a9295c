"""The groups of a NeXus file by what they are, not by where a beamline puts them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import h5py

from . import _hdf5
from ._hdf5_links import links

Item = h5py.Group | h5py.Dataset


@dataclass(frozen=True)
class Tree:
    """Every group and link of a file; soft and external links are listed, not followed.

    Attributes
    ----------
    file
        The open file.
    groups
        ``(path, NX_class)`` of every group, ``""`` for one without class.
    names
        Path of every link, broken ones too.
    """

    file: h5py.File
    groups: tuple[tuple[str, str], ...]
    names: tuple[str, ...]

    def of_class(self, nx_class: str, below: str = "/") -> Iterator[h5py.Group]:
        """Give the groups of a class below a path, in the order of the file."""
        for path, found in self.groups:
            if found == nx_class and is_below(path, below):
                group = _hdf5.member(self.file, path)
                if isinstance(group, h5py.Group):
                    yield group

    def named(self, name: str, below: str = "/") -> Iterator[str]:
        """Give the paths below another whose last part is ``name``."""
        for path in self.names:
            if path.rpartition("/")[2].strip() == name and is_below(path, below):
                yield path


def is_below(path: str, parent: str) -> bool:
    """Say whether a path is the other, or below it."""
    return path == parent or path.startswith(parent.rstrip("/") + "/")


def tree(file: h5py.File) -> Tree:
    """Walk a file once."""
    groups, names = [], []
    for name, link in links(file):
        path = f"/{name}"
        names.append(path)
        if isinstance(link, h5py.HardLink) and _is_group(file, name):
            group = _hdf5.member(file, path)
            if isinstance(group, h5py.Group):
                groups.append((path, _hdf5.text_attribute(group, "NX_class")))
    return Tree(file, tuple(groups), tuple(names))


def _is_group(file: h5py.File, name: str) -> bool:
    try:
        kind = h5py.h5o.get_info(file.id, name.encode("utf-8", "surrogateescape")).type
    except _hdf5.DAMAGE:
        return False
    return bool(kind == h5py.h5o.TYPE_GROUP)


def entry_of(path: str) -> str:
    """Return the entry that a path is in.

    >>> entry_of("/entry1/tomo_entry/data")
    '/entry1'
    """
    return "/" + path.strip("/").partition("/")[0]


def same(first: h5py.Dataset, second: h5py.Dataset) -> bool:
    """Say whether two names lead to the same dataset."""
    return bool(first == second)
