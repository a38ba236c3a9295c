"""What is inside an HDF5 file, one level at a time."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import h5py

from beamkit.core.errors import BeamkitError, UnreadableFileError
from beamkit.readers import _hdf5
from beamkit.readers._hdf5_heap import require_sound_heaps
from beamkit.readers._hdf5_links import broken_link
from beamkit.readers._hdf5_walk import find_source


@dataclass(frozen=True, slots=True)
class Node:
    """One link in an HDF5 file, and what it leads to.

    Attributes
    ----------
    name, path
        Last part of the path; path from the root of the file.
    kind
        ``"group"``, ``"dataset"``, or ``"broken"`` for a link that leads nowhere and for what is
        damaged.
    shape, dtype
        Of a dataset: ``()`` for a single value, None if it is empty; ``"uint16"``, ``"text"`` ...
    nx_class
        NeXus class of a group, or ``""``.
    units
        Unit of a dataset, or ``""``.
    value
        Of a dataset that holds a single number or text, as text.
    target
        Where a soft or an external link leads, ``""`` for what is here itself.
    members
        How many links a group holds.
    reason
        Why it is broken, in words.
    """

    name: str
    path: str
    kind: str
    shape: tuple[int, ...] | None = None
    dtype: str = ""
    nx_class: str = ""
    units: str = ""
    value: str = ""
    target: str = ""
    members: int = 0
    reason: str = ""


def hdf5_tree(path: str | os.PathLike[str], node: str = "/") -> list[Node]:
    """Return what a group of an HDF5 file holds, in the order of the file.

    Parameters
    ----------
    path
        The file.
    node
        Path of the group in the file.

    Returns
    -------
    nodes
        One for each link, those that lead nowhere too. Groups are not entered.

    Raises
    ------
    UnreadableFileError
        If the file is damaged or not HDF5, or there is no such group.
    """
    with _hdf5.open_file(Path(path)) as file:
        group = _group(file, node)
        where = "/" + node.strip("/")
        return [_node(group, name, f"{where.rstrip('/')}/{name}") for name in group]


def _group(file: h5py.File, node: str) -> h5py.Group:
    found = _hdf5.member(file, node)
    if isinstance(found, h5py.Group):
        return found
    if isinstance(found, h5py.Dataset):
        raise UnreadableFileError(
            f"{file.filename}: {node} is a dataset, which holds nothing more. "
            f"List the group that it is in: {node.rpartition('/')[0] or '/'}"
        )
    why = broken_link(file, node) or f"there is no {node}. List the root: '/'"
    raise UnreadableFileError(f"{file.filename}: {why}")


def _node(group: h5py.Group, name: str, path: str) -> Node:
    node = Node(name, path, "broken")
    try:
        node = replace(node, target=_target(group, name))
        found = _hdf5.member(group, name)
        if found is None:
            reason = broken_link(group, name) or "it is damaged and cannot be opened"
            return replace(node, reason=reason)
        return _described(node, found)
    except BeamkitError as error:
        return replace(node, reason=str(error))
    except _hdf5.DAMAGE as error:
        return replace(node, reason=f"it is damaged: {' '.join(str(error).split())}")


def _target(group: h5py.Group, name: str) -> str:
    link = group.get(name, getlink=True)
    if isinstance(link, h5py.SoftLink):
        return str(link.path)
    if not isinstance(link, h5py.ExternalLink):
        return ""
    source = find_source(Path(group.file.filename), link.filename)
    if source is not None:
        require_sound_heaps(source)  # HDF5 opens it by itself, and may not survive the damage
    return f"{link.filename}::{link.path}"


def _described(node: Node, found: h5py.Group | h5py.Dataset) -> Node:
    if isinstance(found, h5py.Group):
        nx_class = _hdf5.text_attribute(found, "NX_class")
        return replace(node, kind="group", nx_class=nx_class, members=len(found))
    return replace(
        node,
        kind="dataset",
        shape=found.shape,
        dtype=_type_name(found),
        units=_hdf5.text_attribute(found, "units"),
        value=_value(found),
    )


def _type_name(dataset: h5py.Dataset) -> str:
    if dataset.id.get_type().get_class() == h5py.h5t.STRING:
        return "text"
    return "compound" if dataset.dtype.names else str(dataset.dtype)


def _value(dataset: h5py.Dataset) -> str:
    if dataset.shape is None or dataset.size != 1:
        return ""
    number = _hdf5.number(dataset)
    return _hdf5.string(dataset) if number is None else f"{number:.10g}"
