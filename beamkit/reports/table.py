"""A table of numbers that looks like the rest of a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from beamkit.core import html

if TYPE_CHECKING:
    import xarray as xr


class Table:
    """The variables of a dataset over one dimension as columns; the last expression of a cell.

    Parameters
    ----------
    data
        Variables over one dimension, such as peaks; units go into the head.
    columns
        Variables or coordinates to show, in that order; None: all variables.
    digits
        Significant digits of a number.
    """

    def __init__(
        self, data: xr.Dataset, *, columns: tuple[str, ...] | None = None, digits: int = 5
    ) -> None:
        names = columns or tuple(str(name) for name in data.data_vars)
        self.header = ["", *(_title(name, data[name].attrs) for name in names)]
        cells = zip(*(np.atleast_1d(data[name].values) for name in names), strict=True)
        self.rows = [
            [str(number), *(_text(cell, digits) for cell in row)]
            for number, row in enumerate(cells, start=1)
        ]

    def __repr__(self) -> str:
        return "\n".join("  ".join(row) for row in [self.header, *self.rows])

    def _repr_html_(self) -> str:
        return html.table(self.rows, self.header)


def _title(name: str, attrs: Any) -> str:
    unit = str(attrs.get("units", "")).replace("angstrom", "Å")
    plain = name.replace("_", " ")
    return f"{plain} [{unit}]" if unit not in ("", "1") else plain


def _text(cell: Any, digits: int) -> str:
    if isinstance(cell, (float, np.floating)):
        return f"{cell:.{digits}g}" if np.isfinite(cell) else "not known"
    return str(cell)
