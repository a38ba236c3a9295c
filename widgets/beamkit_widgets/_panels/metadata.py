"""Panel of metadata: what is known of the frame, of the data, and the header as it was written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from beamkit.accessor.metadata import MetadataTable
from beamkit.core.schema import ATTRIBUTES

if TYPE_CHECKING:
    from beamkit_widgets._panels import Answer, Question
    from beamkit_widgets._source import ImageSource, Place
    from beamkit_widgets.viewer import ImageViewer

#: Entries of a raw header that are listed: those of a NeXus file can be very many.
_MOST = 3000


def answer(viewer: ImageViewer, question: Question) -> Answer:
    """Return rows on the shown frame, and with ``all`` of the question those on the data, too.

    ``frame`` and ``rows`` are lists of name, value, unit, meaning and whether it was assumed;
    ``remarks`` are lines on what was assumed or contradictory; ``header`` is name and value.
    """
    source = viewer.source
    content: dict[str, Any] = {"frame": list(_of_frame(source, viewer.places))}
    if question.get("all"):
        attrs = source.data.attrs
        whole = getattr(source.whole, "attrs", {})
        remarks = {name: whole[name] for name in ("assumed", "conflicts", "notes") if name in whole}
        table = MetadataTable({**attrs, **remarks})
        content["rows"] = [
            [row.name, _text(row.value), _unit(row.unit), row.meaning, row.is_assumed]
            for row in table.rows
        ]
        content["remarks"] = table.remarks
        content["header"] = _header(attrs.get("header"))
    return content, {}


def _of_frame(source: ImageSource, places: dict[str, Place]) -> Iterator[list[Any]]:
    """Yield where the shown image lies along each dimension, and the coordinates there."""
    for name in source.others:
        yield [name, _place_text(places[name]), "", f"of {source.data.sizes[name]}", False]
    for key, coordinate in source.data.coords.items():
        name = str(key)
        if coordinate.ndim and set(map(str, coordinate.dims)) <= set(source.others):
            known = ATTRIBUTES.get(name)
            unit = str(coordinate.attrs.get("units", known.unit if known else ""))
            meaning = str(coordinate.attrs.get("long_name", known.meaning if known else ""))
            yield [name, _at(coordinate, places), _unit(unit), meaning, False]


def _at(coordinate: xr.DataArray, places: dict[str, Place]) -> str:
    ends = [
        {name: getattr(places[name], end, places[name]) for name in map(str, coordinate.dims)}
        for end in ("first", "last")
    ]
    first, last = (_text(coordinate.isel(end).values) for end in ends)
    return first if first == last else f"{first} to {last}"


def _place_text(place: Place) -> str:
    return str(place) if isinstance(place, int) else f"{place.how} of {place.first} to {place.last}"


def _header(header: Any) -> list[list[str]]:
    """Return names and values of the header as it was written."""
    if isinstance(header, str):
        try:
            header = json.loads(header)
        except ValueError:
            header = {str(n): line for n, line in enumerate(header.splitlines(), 1)}
    return [[name, _text(value)] for name, value in _flat(header)][:_MOST]


def _flat(header: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the entries of nested dictionaries, their names joined."""
    for name, value in header.items() if isinstance(header, dict) else ():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name} ")
        else:
            yield f"{before}{name}", value


def _text(value: Any) -> str:
    """Return a value with as many digits as it has, lists with commas between."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, list | tuple):
        return ", ".join(_text(item) for item in value)
    return str(value)


def _unit(unit: str) -> str:
    return "" if unit == "1" else unit
