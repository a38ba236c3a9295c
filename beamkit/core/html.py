"""Tables in HTML that look the same in a notebook and in a report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

#: Inline, as a notebook brings its own style, which aligns cells to the right.
_CELL = "style='text-align:left;vertical-align:top'"


def table(rows: Iterable[Sequence[str]], header: Sequence[str] = ()) -> str:
    """Return a table; the first cell of a row is its name. Everything is escaped.

    Examples
    --------
    >>> table([("energy", "12.4")]).count("<th")
    1
    """
    head = "".join(f"<th {_CELL}>{escape(text)}</th>" for text in header)
    body = "".join(
        f"<tr><th scope='row' {_CELL}>{escape(first)}</th>"
        + "".join(f"<td {_CELL}>{escape(text)}</td>" for text in rest)
        + "</tr>"
        for first, *rest in rows
    )
    thead = f"<thead><tr>{head}</tr></thead>" if head else ""
    return f"<table class='beamkit-table'>{thead}<tbody>{body}</tbody></table>"
