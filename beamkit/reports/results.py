"""The numbers of a report: shown as a table, kept as data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from beamkit.core import html

#: Type of the output that carries the numbers, in the notebook and so into ``report.json``.
MIME = "application/vnd.beamkit.results+json"

#: Type of the output that carries a warning to the head of the report.
ATTENTION = "application/vnd.beamkit.attention+json"

Value = float | int | str | bool | None


class Results:
    """Named numbers with units; let it be the last expression of a cell.

    Parameters
    ----------
    values
        For each name the value alone, or (value, unit), or (value, unit, what it means).

    Examples
    --------
    >>> Results({"rotation_center": (295.86, "pixel", "index of the axis")})
    rotation_center  295.86 pixel  index of the axis
    """

    def __init__(self, values: Mapping[str, Value | Sequence[Value]]) -> None:
        self.values = {name: _entry(given) for name, given in values.items()}

    def __repr__(self) -> str:
        return "\n".join(
            f"{name}  {_number(item['value'])} {item['unit']}  {item['meaning']}".rstrip()
            for name, item in self.values.items()
        )

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, Any]:
        rows = [
            (name, _number(item["value"]), item["unit"], item["meaning"])
            for name, item in self.values.items()
        ]
        return {
            "text/plain": repr(self),
            "text/html": html.table(rows),
            MIME: self.values,
        }


class Attention:
    """A warning: shown where it arises and at the head of the report.

    Parameters
    ----------
    text
        What the reader must know before believing the numbers.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"Attention: {self.text}"

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, Any]:
        return {
            "text/plain": repr(self),
            "text/html": f"<div class='beamkit-warning'>{escape(self.text)}</div>",
            ATTENTION: self.text,
        }


def _entry(given: Value | Sequence[Value]) -> dict[str, Any]:
    parts: list[Any] = list(given) if isinstance(given, (list, tuple)) else [given]
    value, unit, meaning = [*parts, "", ""][:3]
    if hasattr(value, "item"):  # a number of numpy or xarray
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        value = None  # JSON has no NaN
    return {"value": value, "unit": str(unit), "meaning": str(meaning)}


def _number(value: Value) -> str:
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.5g}" if isinstance(value, float) else str(value)
