"""The groups of a NeXus file by what they are, not by where a beamline puts them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import h5py

from . import _hdf5
from ._hdf5_walk import Entry, walk


@dataclass(frozen=True)
class Tree:
    """Every group and link of a file; soft and external links are listed, not followed.

    Attributes
    ----------
    file
        The open file.
    groups
        ``(path, NX_class)`` of every group, ``""`` for one without class.
    entries
        Every link, broken ones too.
    """

    file: h5py.File
    groups: tuple[tuple[str, str], ...]
    entries: tuple[Entry, ...]

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

    @property
    def names(self) -> Iterator[str]:
        """Give the path of every link."""
        return (entry.path for entry in self.entries)


def is_below(path: str, parent: str) -> bool:
    """Say whether a path is the other, or below it."""
    return path == parent or path.startswith(parent.rstrip("/") + "/")


def tree(file: h5py.File) -> Tree:
    """Walk a file; within :func:`remembered` only once."""
    known = _KNOWN.get()
    if known is not None and file.filename in known:
        groups, entries = known[file.filename]
        return Tree(file, groups, entries)
    entries = tuple(walk(file))
    groups = tuple(
        (entry.path, nx_class)
        for entry in entries
        if entry.is_group and (nx_class := _nx_class(file, entry.path)) is not None
    )
    if known is not None:
        known[file.filename] = groups, entries
    return Tree(file, groups, entries)


Walked = tuple[tuple[tuple[str, str], ...], tuple[Entry, ...]]

_KNOWN: ContextVar[dict[str, Walked] | None] = ContextVar("trees", default=None)


@contextmanager
def remembered() -> Iterator[None]:
    """Walk no file twice inside the block: four formats look at a file before one reads it."""
    token = _KNOWN.set({})
    try:
        yield
    finally:
        _KNOWN.reset(token)


def _nx_class(file: h5py.File, path: str) -> str | None:
    group = _hdf5.member(file, path)
    return _hdf5.text_attribute(group, "NX_class") if isinstance(group, h5py.Group) else None


def entry_of(path: str) -> str:
    """Return the entry that a path is in.

    >>> entry_of("/entry1/tomo_entry/data")
    '/entry1'
    """
    return "/" + path.strip("/").partition("/")[0]
