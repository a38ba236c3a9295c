"""What an explorer tells about one entry: its header, its picture, and what is inside it."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import xarray as xr

from beamkit.accessor.metadata import MetadataTable
from beamkit.catalogue import Entry, Node, Thumbnail, hdf5_tree, list_folder, thumbnail
from beamkit.catalogue.navigator import INSIDE, open_choice
from beamkit.core.errors import BeamkitError, ParameterError

#: Side of the picture beside the header [pixel].
_PICTURE = 256
#: Lines of a header that are sent.
_LINES = 400

Row = tuple[str, str, str, str]


def thumbnail_of(entry: Entry, size: int) -> Thumbnail:
    """Return the picture of an entry: of a series, of its first file."""
    if entry.kind == "folder":
        return Thumbnail("folder")
    if entry.kind == "unreadable":
        return Thumbnail("unreadable", reason=entry.reason)
    file, _, frame = entry.path.partition(INSIDE)
    if entry.kind == "frame":
        return thumbnail(file, size=size, index=int(frame))
    return thumbnail(entry.files[0], size=size)


def branch(path: str, root: str) -> list[dict[str, Any]]:
    """Return what the tree shows below a folder, a file, or a group in an HDF5 file.

    Raises
    ------
    ParameterError
        If it is not below the root.
    UnreadableFileError
        If it cannot be read.
    """
    file, inside, node = path.partition(INSIDE)
    if Path(root) != Path(file) and Path(root) not in Path(file).parents:
        raise ParameterError(f"{file} is outside {root}. Explore it by itself.")
    if inside or not Path(file).is_dir():
        return [_node(file, each) for each in hdf5_tree(file, node or "/")]
    return [_leaf(entry) for entry in list_folder(file) if _is_in_tree(entry)]


def _is_in_tree(entry: Entry) -> bool:
    return entry.kind in ("folder", "series") or entry.format == "HDF5"


def _leaf(entry: Entry) -> dict[str, Any]:
    kind = "hdf5" if entry.kind == "file" else entry.kind
    number = f"{len(entry.files)} frames" if kind == "series" else ""
    return {
        "path": entry.path, "name": entry.name, "kind": kind, "note": number,
        "reason": entry.reason, "opens": kind in ("folder", "hdf5"),
    }  # fmt: skip


def _node(file: str, node: Node) -> dict[str, Any]:
    if node.kind == "dataset":
        size = " x ".join(map(str, node.shape)) if node.shape else ""
        note = (
            f"{node.value} {node.units}".strip() if node.value else f"{size} {node.dtype}".strip()
        )
    else:
        note = node.nx_class
    return {
        "path": f"{file}{INSIDE}{node.path}", "name": node.name, "kind": node.kind, "note": note,
        "reason": node.reason or (f"leads to {node.target}" if node.target else ""),
        "opens": node.kind == "group" and node.members > 0, "isLink": bool(node.target),
    }  # fmt: skip


def details_of(path: str, entry: Entry | None) -> tuple[dict[str, Any], Thumbnail | None]:
    """Return what is told beside the grid about an entry, and its picture.

    Returns
    -------
    told
        ``title``, ``rows`` (name, value, unit, meaning), ``remarks``, ``header`` (the raw one:
        name, value) and ``error``.
    picture
        None where there is none.
    """
    told: dict[str, Any] = {"title": Path(path).name, "rows": [], "remarks": [], "header": []}
    if not path:
        return told, None
    if entry is not None and entry.kind in ("folder", "unreadable"):
        return {**told, "title": entry.name, "rows": _listed(entry), "error": entry.reason}, None
    first = str(entry.files[0]) if entry is not None and entry.kind == "series" else path
    if INSIDE in first and first.rpartition(INSIDE)[2].isdigit():
        first = first.partition(INSIDE)[0]
    told["rows"] = [] if entry is None else _listed(entry)
    picture = None if entry is None else thumbnail_of(entry, _PICTURE)
    try:
        data = open_choice([first])
    except BeamkitError as error:
        return {**told, "error": str(error)}, picture
    table = MetadataTable(data.attrs)
    told["rows"] += [("kind", str(data.attrs.get("kind", "")), "", _sizes(data))]
    told["rows"] += [
        (row.name, _text(row.value), _unit(row.unit), _meaning(row.meaning, row.is_assumed))
        for row in table
    ]
    told |= {"remarks": table.remarks, "header": _header(data)}
    return told, picture if picture is not None else thumbnail(data, size=_PICTURE)


def _listed(entry: Entry) -> list[Row]:
    changed = datetime.fromtimestamp(entry.mtime).isoformat(" ", "seconds")
    rows: list[Row] = []
    if entry.kind == "series":
        rows.append(
            ("files", str(len(entry.files)), "", "of this series; the header is the first's")
        )
    if entry.kind != "folder":
        rows.append(("size", size_text(entry.size), "", ""))
    return [*rows, ("modified", changed, "", "")] if entry.mtime else rows


def size_text(size: float) -> str:
    """Return a number of bytes as a person reads it.

    >>> size_text(6_224_001)
    '6.2 MB'
    """
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _sizes(data: xr.Dataset) -> str:
    return ", ".join(f"{name} {size}" for name, size in data.sizes.items())


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.7g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(_text(one) for one in value)
    return str(value)


def _unit(unit: str) -> str:
    return "" if unit == "1" else unit


def _meaning(meaning: str, is_assumed: bool) -> str:
    return f"{meaning} (assumed)" if is_assumed else meaning


def _header(data: xr.Dataset) -> list[tuple[str, str]]:
    """Return the lines of the header as the file has them."""
    try:
        raw = json.loads(data.attrs.get("header", "{}"))
    except ValueError:
        return []
    lines = (
        raw.items() if isinstance(raw, dict) else enumerate(raw if isinstance(raw, list) else [])
    )
    return [(str(name), _text(value)[:500]) for name, value in list(lines)[:_LINES]]
