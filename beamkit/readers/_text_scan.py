"""Columns of a text file, whatever its header, as a dataset of kind ``scan``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.errors import UnreadableFileError
from beamkit.core.schema import header_text, note

from ._dataset import coordinate, finished

Attrs = dict[str, Any]

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE = re.compile(
    r"[A-Za-z]{3},?\s+(?:(?P<month>[A-Za-z]{3})\s+(?P<day>\d{1,2})|(?P<day2>\d{1,2})\s+(?P<month2>"
    r"[A-Za-z]{3})\s+(?P<year2>\d{4}))\s+(?P<clock>\d{2}:\d{2}:\d{2})(?:\s+[A-Z]+)?(?:\s+(?P<year>\d{4}))?"
)


def read_text(path: Path) -> str:
    """Return a text file with plain line ends; bytes that are no UTF-8 become question marks.

    Raises
    ------
    UnreadableFileError
        If the file cannot be read.
    """
    try:
        return path.read_text("utf-8", "replace").replace("\r\n", "\n")
    except OSError as error:
        raise UnreadableFileError(
            f"{path} cannot be opened: {error.strerror}. Check its permissions."
        ) from None


def table(path: Path, names: Sequence[str], text: str, attrs: Attrs) -> dict[str, NDArray[Any]]:
    """Return the rows under a line of names as columns.

    A cell that is not a number is NaN and noted; a column without any number stays text. A last
    line without line end may have been cut inside a number: it is left out, and noted.

    Parameters
    ----------
    names
        Of the columns; made unique, and fit for netCDF.
    text
        The rows, cells apart by blanks or tabs.
    attrs
        Gets the notes, in place.

    Raises
    ------
    UnreadableFileError
        If no row is there.
    """
    *lines, unfinished = text.split("\n")
    if unfinished.strip():
        note(
            attrs,
            "notes",
            f"the last line, {unfinished.strip()[:40]!r}, has no line end: it may be cut, and is "
            "left out; add a line end to the file if it is whole",
        )
    rows = [line.split() for line in lines if line.strip()]
    whole = [row for row in rows if len(row) == len(names)]
    if len(whole) < len(rows):
        odd = next(row for row in rows if len(row) != len(names))
        note(
            attrs,
            "notes",
            f"{len(rows) - len(whole)} lines have not {len(names)} cells, first "
            f"{' '.join(odd)[:40]!r}; they are left out",
        )
    if not whole or not names:
        raise UnreadableFileError(
            f"{path}: holds no points: no line has the {len(names)} cells of its columns. The scan "
            "was stopped before its first point, or the file is cut short."
        )
    cells = zip(*whole, strict=True)
    return {
        name: _column(name, column, attrs)
        for name, column in zip(unique(names), cells, strict=True)
    }


def unique(names: Sequence[str]) -> list[str]:
    """Return names that differ, and that netCDF takes: no slash, none that is a dimension's.

    >>> unique(["Energy", "I0/It", "Energy"])
    ['Energy', 'I0_It', 'Energy2']
    """
    taken = {"point"}
    found = []
    for name in names:
        plain = free = name.replace("/", "_") or "column"
        number = 2
        while free in taken:
            free, number = f"{plain}{number}", number + 1
        taken.add(free)
        found.append(free)
    return found


def scan_dataset(
    columns: Mapping[str, NDArray[Any]],
    *,
    axis: str,
    attrs: Attrs,
    header: Mapping[str, Any],
    path: Path,
    file_format: str,
    units: Mapping[str, str] | None = None,
) -> xr.Dataset:
    """Return columns as variables over ``point``, the scanned one as a coordinate.

    Parameters
    ----------
    columns
        By name, each of shape (point,).
    axis
        Name of the scanned column; the first is taken where there is none of that name.
    attrs
        What the header says, names of :data:`beamkit.core.schema.ATTRIBUTES`.
    header
        Unparsed.
    units
        Of the columns, where known.
    """
    known = units or {}
    axis = axis if axis in columns else next(iter(columns))
    others = [name for name in columns if name != axis] or [axis]
    coordinates = {}
    if axis not in others:
        coordinates[axis] = coordinate("point", columns[axis], known.get(axis, ""))
    variables = {
        name: xr.DataArray(
            columns[name], dims="point", coords=coordinates, attrs={"units": known.get(name, "")}
        )
        for name in others
    }
    return finished(
        variables,
        kind="scan",
        attrs={**attrs, "header": header_text(header)},
        source=path,
        file_format=file_format,
    )


def note_points(attrs: Attrs, found: int) -> None:
    """Note that a scan has fewer points than its command asks for, in place."""
    command = attrs.get("scan_command", "")
    asked = points_asked(command)
    if asked is not None and found < asked:
        note(
            attrs,
            "notes",
            f"{found} of the {asked} points are here that {command!r} asks for: the scan was "
            "stopped, or the file is cut short",
        )


def points_asked(command: str) -> int | None:
    """Return how many points a scan command asks for, or None if it does not say.

    Understands ``scan motor start stop step`` and ``scancn motor step points`` of GDA, and
    ``ascan motor start stop intervals`` with its relatives, and ``loopscan points``, of SPEC.

    >>> points_asked("scan x 1 10 1 ai5 1"), points_asked("ascan th 0 1 20 0.5")
    (10, 21)
    """
    name, *words = command.split() or [""]
    numbers = [_number(word) for word in words]
    several = re.fullmatch(r"[ad](\d?)scan", name)
    if several:
        place = 3 * int(several[1] or 1)
        return _whole(numbers[place : place + 1], extra=1)
    if name in ("scancn", "loopscan"):
        return _whole(numbers[2:3] if name == "scancn" else numbers[:1])
    if name == "scan" and len(numbers) >= 4 and None not in numbers[1:4]:
        start, stop, step = (value or 0.0 for value in numbers[1:4])
        if step and (stop - start) / step >= 0:
            return math.floor((stop - start) / step + 1e-6) + 1
    return None


def iso_date(text: str) -> str:
    """Return a date as GDA and SPEC write it as ISO 8601 (local time), or an empty text.

    >>> iso_date("Thu May 28 08:37:03 2009"), iso_date("Mon, 19 Jul 2010 13:54:16 BST")
    ('2009-05-28T08:37:03', '2010-07-19T13:54:16')
    """
    match = _DATE.search(text)
    if match is None:
        return ""
    month = (match["month"] or match["month2"]).lower()
    day, year = match["day"] or match["day2"], match["year"] or match["year2"]
    if month not in _MONTHS or year is None:
        return ""
    return f"{year}-{_MONTHS.index(month) + 1:02d}-{int(day):02d}T{match['clock']}"


def _column(name: str, cells: Sequence[str], attrs: Attrs) -> NDArray[Any]:
    values = [_number(cell) for cell in cells]
    odd = [cell for cell, value in zip(cells, values, strict=True) if value is None]
    if len(odd) == len(cells):
        return np.array(cells)
    if odd:
        note(
            attrs,
            "notes",
            f"{name}: {len(odd)} of {len(cells)} cells are no numbers, first {odd[0]!r}; now NaN",
        )
    return np.array([math.nan if value is None else value for value in values])


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _whole(numbers: Sequence[float | None], extra: int = 0) -> int | None:
    if not numbers or numbers[0] is None or not 0 < numbers[0] < 1e9:
        return None
    return int(numbers[0]) + extra
