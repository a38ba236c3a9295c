"""Panel of the dataset: its dimensions, numbers, facts, and the ruler."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from beamkit.core.history import entries
from beamkit.images import Rectangle, Region, region_from_dict, ruler
from beamkit_widgets._source import unit_of

from ._table import Table, around

if TYPE_CHECKING:
    from beamkit_widgets._panels import Answer, Question
    from beamkit_widgets.viewer import ImageViewer

#: Rows and columns of numbers that a panel shows at most.
_SHOWN = (60, 40)

#: Around the cursor: rows and columns.
_NEAR = (15, 15)

#: Coordinates that are sent, so that they follow a slider without a message.
_MOST_PLACES = 100_000


def answer(viewer: ImageViewer, question: Question) -> Answer:
    """Return what is asked for: any of ``facts``, ``table``, ``csv`` and ``ruler``.

    ``table`` and ``csv`` are dictionaries with ``of``: ``"cursor"`` (then ``at``: x, y),
    ``"region"`` (then ``region``, as a dictionary), or ``"visible"`` (then ``bounds``: x0, y0, x1,
    y1); ``ruler`` is x0, y0, x1, y1. All are positions of the array [pixel].
    """
    parts: dict[str, Callable[[ImageViewer, Any], Answer]] = {
        "facts": _facts,
        "table": _table,
        "csv": _csv,
        "ruler": _ruler,
    }
    told: dict[str, Any] = {"number": question.get("number", 0)}
    arrays: dict[str, NDArray[Any]] = {}
    for name, part in parts.items():
        if name in question:
            told[name], more = part(viewer, question[name])
            arrays |= more
    return told, arrays


def _facts(viewer: ImageViewer, _question: Any) -> Answer:
    data = viewer.source.data
    coordinates: dict[str, Any] = {}
    arrays: dict[str, NDArray[Any]] = {}
    for number, dim in enumerate(map(str, data.dims)):
        found = data.coords.get(dim)
        if found is None or found.size > _MOST_PLACES:
            continue
        if found.dtype.kind in "iuf":
            coordinates[dim] = {"array": f"coordinate{number}", "unit": unit_of(found)}
            arrays[f"coordinate{number}"] = found.values.astype(np.float64)
        else:
            texts = [str(value) for value in found.values.tolist()]
            coordinates[dim] = {"texts": texts, "unit": ""}
    return {"lines": _lines(viewer), "coordinates": coordinates, "history": _history(data)}, arrays


def _lines(viewer: ImageViewer) -> list[list[str]]:
    """Return what is known of the array: name and text."""
    data, attrs = viewer.source.data, viewer.source.data.attrs
    sizes = ", ".join(f"{dim} {size}" for dim, size in data.sizes.items())
    chunks = data.chunksizes
    layout = " x ".join(str(max(chunks[dim])) for dim in data.dims) if chunks else "in memory"
    low, high = _extremes(viewer)
    unit = unit_of(data)
    lines = [
        ("name", str(data.name or "")),
        ("dimensions", sizes),
        ("type", f"{data.dtype}"),
        ("size", _bytes(data.nbytes)),
        ("chunks", layout),
        ("quantity", str(attrs.get("quantity", ""))),
        ("units", str(attrs.get("units", ""))),
        ("image", f"{low} to {high} {unit}".strip()),
        ("kind", str(attrs.get("kind", ""))),
        ("source", str(attrs.get("source", ""))),
    ]
    return [[name, text] for name, text in lines if text]


def _extremes(viewer: ImageViewer) -> tuple[str, str]:
    """Return the lowest and the highest good pixel of the image, as text."""
    rows, columns = viewer.source.shape
    table = Table.of(viewer, Rectangle(0, 0, columns, rows))
    good = table.part.values[(table.flags == 0) | (table.flags == 3)]
    if not good.size:
        return "none", "none"
    is_whole = good.dtype.kind in "iub"
    return tuple(  # type: ignore[return-value]
        str(int(value)) if is_whole else f"{value:.6g}" for value in (good.min(), good.max())
    )


def _history(data: Any) -> list[str]:
    """Return the steps that made the data, each in a line."""
    lines = []
    for entry in entries(data.attrs):
        given: Mapping[str, Any] = entry.get("parameters", {})
        text = ", ".join(f"{name}={value!r}" for name, value in given.items())
        lines.append(f"{entry.get('name', '')}({text})")
    return lines


def _table(viewer: ImageViewer, question: Any) -> Answer:
    full = Table.of(viewer, _region(viewer, question))
    table = full.limited(*_SHOWN)
    rows, columns = table.headers()
    told = {
        "row": table.row,
        "column": table.column,
        "rows": rows,
        "columns": columns,
        "of": list(full.part.shape),
        "isWhole": table.part.dtype.kind in "iub",
        "texts": table.texts(),
    }
    return told, {"values": table.part.values.astype(np.float64), "flags": table.flags}


def _csv(viewer: ImageViewer, question: Any) -> Answer:
    table = Table.of(viewer, _region(viewer, question))
    return {"text": table.csv(), "of": list(table.part.shape)}, {}


def _ruler(viewer: ImageViewer, line: Any) -> Answer:
    x0, y0, x1, y1 = (float(number) for number in line)
    return asdict(ruler(viewer.source.oriented, x0, y0, x1, y1)), {}


def _region(viewer: ImageViewer, question: Any) -> Region:
    shape, what = viewer.source.shape, question["of"]
    if what == "cursor":
        x, y = question["at"]
        return around((float(x), float(y)), shape, _NEAR)
    if what == "region":
        return region_from_dict(question["region"])
    x0, y0, x1, y1 = question["bounds"]
    x0, y0 = max(np.floor(x0), 0), max(np.floor(y0), 0)
    return Rectangle(x0, y0, min(np.ceil(x1), shape[1]), min(np.ceil(y1), shape[0]))


def _bytes(number: int) -> str:
    size, units = float(number), ["byte", "kB", "MB", "GB", "TB"]
    while size >= 1000 and len(units) > 1:
        size, units = size / 1000, units[1:]
    return f"{size:.4g} {units[0]}"
