"""NXdata: what a NeXus file wants plotted, in the ways that 20 years of files say it.

Source: NeXus manual, "Associating plottable data": version 3 (``@signal``, ``@axes``,
``@AXIS_indices``), version 2 (``signal=1`` and ``axis=N``, ``primary=1`` on the datasets) and
version 1 (``axes="x:y"`` on the signal).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import h5py
import numpy as np

from . import _hdf5
from ._hdf5_links import broken_link
from ._nexus_tree import Tree


@dataclass(frozen=True)
class Plot:
    """One NXdata group.

    Attributes
    ----------
    group
        The group.
    signal
        What is plotted; None if it cannot be reached or there are only columns.
    axes
        One dataset (or None) for each dimension of the signal.
    missing
        Why the signal cannot be reached, ``""`` if it can.
    """

    group: h5py.Group
    signal: h5py.Dataset | None
    axes: tuple[h5py.Dataset | None, ...]
    missing: str = ""

    @property
    def size(self) -> int:
        """Return the number of values in the signal."""
        return 0 if self.signal is None else int(self.signal.size or 0)


def plots(tree: Tree, below: str = "/") -> list[Plot]:
    """Return every NXdata group below a path, in the order of the file."""
    return [plot_of(group) for group in tree.of_class("NXdata", below)]


def plot_of(group: h5py.Group) -> Plot:
    """Return an NXdata group with signal and axes."""
    signal, missing = _signal(group)
    axes = () if signal is None else _axes(group, signal)
    return Plot(group, signal, axes, missing)


def default_group(tree: Tree) -> h5py.Group | None:
    """Return the NXdata group that the ``@default`` attributes lead to, or None."""
    here: h5py.Group = tree.file
    for _ in range(8):
        if _hdf5.text_attribute(here, "NX_class") == "NXdata":
            return here
        name = _hdf5.text_attribute(here, "default")
        following = _hdf5.member(here, name) if name else None
        if not isinstance(following, h5py.Group):
            return None
        here = following
    return None


def is_numbers(item: object) -> bool:
    """Say whether something in a file is an array of numbers."""
    return isinstance(item, h5py.Dataset) and item.shape is not None and item.dtype.kind in "iufb"


def columns(group: h5py.Group) -> Iterator[tuple[str, h5py.Dataset]]:
    """Give the arrays of numbers in a group that have one dimension, by clean name."""
    for name, item in _hdf5.items(group):
        if is_numbers(item) and item.ndim == 1:
            yield clean(name), item


def clean(name: str) -> str:
    """Return a name without the blanks, line ends and tabs that some writers leave around it."""
    return "_".join(_hdf5.text(name).split())


def units_of(item: h5py.Dataset, default: str = "") -> str:
    """Return the unit of a dataset as beamkit writes it; ``default`` if the file gives none."""
    found = _hdf5.text_attribute(item, "units") or _hdf5.text_attribute(item, "unit")
    spelled = found.replace("Å", "angstrom").replace("Å", "angstrom")
    if spelled.lower() in ("degree", "degrees"):
        return "deg"
    return spelled or default


def _signal(group: h5py.Group) -> tuple[h5py.Dataset | None, str]:
    name = _hdf5.text_attribute(group, "signal")
    if name:
        item = _hdf5.dataset(group, name)
        if is_numbers(item):
            return item, ""
        path = f"{group.name}/{name}"
        return None, broken_link(
            group.file, path
        ) or f"the signal {path} is not an array of numbers"
    arrays = [(key, item) for key, item in _hdf5.items(group) if is_numbers(item)]
    marked = [item for _, item in arrays if _is_one(item, "signal")]
    if marked:
        return marked[0], ""
    return _unmarked(group, [item for _, item in arrays])


def _unmarked(group: h5py.Group, arrays: Sequence[h5py.Dataset]) -> tuple[h5py.Dataset | None, str]:
    """A group without a marked signal: the only image in it, or what was to be at ``data``."""
    images = [item for item in arrays if item.ndim > 1]
    if len(images) == 1:
        return images[0], ""
    if "data" in group and _hdf5.member(group, "data") is None:
        return None, broken_link(group.file, f"{group.name}/data")
    only = arrays[0] if len(arrays) == 1 and arrays[0].ndim == 1 else None
    return only, ""


def _is_one(item: h5py.Dataset, name: str) -> bool:
    return _hdf5.text_attribute(item, name) in ("1", "1.0")


def _axes(group: h5py.Group, signal: h5py.Dataset) -> tuple[h5py.Dataset | None, ...]:
    found: list[h5py.Dataset | None] = [None] * signal.ndim
    names = (
        _hdf5.list_attribute(group, "axes")
        or _hdf5.list_attribute(signal, "axes")
        or _cansas_axes(group, signal)
    )
    for position, name in enumerate(names):
        item = None if name == "." else _hdf5.dataset(group, name)
        place = _index(group, f"{name}_indices", position)
        if _is_axis(item) and place < signal.ndim:
            found[place] = item
    if not names:
        _old_axes(group, signal, found)
    return tuple(found)


def _cansas_axes(group: h5py.Group, signal: h5py.Dataset) -> list[str]:
    """Return the axes as canSAS says them: ``I_axes``, a list or names apart by commas."""
    name = str(signal.name).rpartition("/")[2]
    found = ",".join(_hdf5.list_attribute(group, f"{name}_axes"))
    return [one.strip() for one in found.split(",") if one.strip()]


def _old_axes(group: h5py.Group, signal: h5py.Dataset, found: list[h5py.Dataset | None]) -> None:
    """Fill in the axes that are marked on the datasets; the primary one wins."""
    for _, item in _hdf5.items(group):
        if not _is_axis(item) or item == signal:
            continue
        place = _index(item, "axis", 0) - 1
        if 0 <= place < signal.ndim and (found[place] is None or _is_one(item, "primary")):
            found[place] = item


def _is_axis(item: object) -> bool:
    return is_numbers(item) and isinstance(item, h5py.Dataset) and item.ndim == 1


def _index(item: h5py.Group | h5py.Dataset, name: str, default: int) -> int:
    """Return an attribute that is a number of a dimension; some files write it as text."""
    value = _hdf5.attribute(item, name)
    if value is None or isinstance(value, h5py.Empty):
        return default
    first = np.asarray(value).reshape(-1)[:1]
    words = _hdf5.text(first[0]) if first.size else ""
    return int(words) if words.lstrip("-").isdigit() else default
