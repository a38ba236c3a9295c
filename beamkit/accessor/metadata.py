"""The metadata of a dataset as a table that is read in a notebook, a report or a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from beamkit.core import html
from beamkit.core.schema import ATTRIBUTES, BOOKKEEPING


@dataclass(frozen=True)
class Row:
    """One attribute: name, value, unit, meaning, and whether it was assumed."""

    name: str
    value: Any
    unit: str
    meaning: str
    is_assumed: bool


class MetadataTable:
    """What is known about a dataset, in the order of the vocabulary.

    Attributes
    ----------
    rows
        One :class:`Row` per attribute.
    remarks
        Lines on what was assumed, contradictory or unusual.
    """

    def __init__(self, attrs: Mapping[str, Any]) -> None:
        remarks = {key: _lines(attrs.get(key)) for key in ("assumed", "conflicts", "notes")}
        known = [name for name in ATTRIBUTES if name in attrs]
        other = [name for name in attrs if name not in ATTRIBUTES and name not in BOOKKEEPING]
        self.rows = [
            Row(
                name,
                attrs[name],
                ATTRIBUTES[name].unit if name in ATTRIBUTES else "",
                ATTRIBUTES[name].meaning if name in ATTRIBUTES else "",
                any(line.startswith(f"{name}:") for line in remarks["assumed"]),
            )
            for name in (*known, *map(str, other))
        ]
        self.remarks = [
            f"{label}: {line}"
            for key, label in (("assumed", "assumed"), ("conflicts", "conflict"), ("notes", "note"))
            for line in remarks[key]
        ]

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> Row:
        return next(row for row in self.rows if row.name == name)

    def __repr__(self) -> str:
        width = max((len(row.name) for row in self.rows), default=0)
        lines = []
        for row in self.rows:
            assumed = " (assumed)" if row.is_assumed else ""
            value = shorten(f"{_text(row.value)} {_unit(row.unit)}".rstrip(), 100)
            lines.append(f"{row.name:{width}}  {value}{assumed}")
        return "\n".join([*lines, *self.remarks]) or "no metadata"

    def _repr_html_(self) -> str:
        rows = [
            (
                row.name,
                _text(row.value),
                _unit(row.unit),
                f"{row.meaning} (assumed)" if row.is_assumed else row.meaning,
            )
            for row in self.rows
        ]
        remarks = "".join(f"<li>{escape(line)}</li>" for line in self.remarks)
        return html.table(rows, ("name", "value", "unit", "meaning")) + (
            f"<ul class='beamkit-remarks'>{remarks}</ul>" if remarks else ""
        )


def _lines(value: Any) -> list[str]:
    """Return a list of lines; one line comes back from netCDF as a plain string."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else [str(line) for line in value]


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.7g}"
    if isinstance(value, (list, tuple)) or hasattr(value, "tolist"):
        items = value if isinstance(value, (list, tuple)) else value.tolist()
        return (
            ", ".join(_text(item) for item in items)
            if isinstance(items, (list, tuple))
            else _text(items)
        )
    return str(value)


def shorten(text: str, width: int) -> str:
    """Return a text of at most ``width`` characters, ending in an ellipsis if it was longer."""
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _unit(unit: str) -> str:
    return "" if unit == "1" else unit
