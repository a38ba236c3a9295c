"""The header of a NeXus file: what is small in it, as it stands there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np

from . import _hdf5
from ._hdf5_chunks import read
from ._nexus_tree import Tree, is_below

#: Groups whose short arrays go into the header too: a unit cell, the place of a module.
_WITH_VECTORS = ("NXsample", "NXcrystal", "NXtranslation", "NXdetector_module")

#: Entries of the header: enough for every motor of a beamline, not for a damaged file.
_MOST_HEADER_ENTRIES = 3000


def header(tree: Tree, below: str) -> Mapping[str, Any]:
    """Return the single numbers and strings below a path, by path, with units where given."""
    result: dict[str, Any] = {}
    vectors = {path for path, nx_class in tree.groups if nx_class in _WITH_VECTORS}
    for entry in tree.entries:
        if len(result) >= _MOST_HEADER_ENTRIES:
            break
        if entry.is_group or entry.is_soft or entry.is_external:
            continue
        largest = 9 if entry.path.rpartition("/")[0] in vectors else 1
        item = _small(tree.file, entry.path, largest) if is_below(entry.path, below) else None
        value = None if item is None else _scalar(item)
        if item is not None and value is not None:
            unit = _hdf5.text_attribute(item, "units")
            result[entry.path] = f"{value} {unit}" if unit else value
    return result


def _small(file: h5py.File, path: str, largest: int) -> h5py.Dataset | None:
    """Return a dataset of at most so many values, None for anything else."""
    try:
        item = h5py.h5d.open(file.id, path.encode("utf-8", "surrogateescape"))
        return h5py.Dataset(item) if 0 < math.prod(item.shape) <= largest else None
    except _hdf5.DAMAGE:
        return None


def _scalar(item: h5py.Dataset) -> float | str | list[Any] | None:
    if item.size != 1:
        return _values(item)
    value = _hdf5.number(item)
    if value is not None:
        return int(value) if value.is_integer() and item.dtype.kind in "iu" else value
    return _hdf5.string(item)[:500] or None


def _values(item: h5py.Dataset) -> list[Any] | None:
    try:
        found = read(item) if item.dtype.kind in "iuf" else None
    except _hdf5.DAMAGE:
        return None
    return None if found is None or not np.isfinite(found).all() else list(found.tolist())
