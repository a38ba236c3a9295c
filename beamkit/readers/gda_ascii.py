"""Text tables of GDA's spectroscopy beamlines: ``# key: value`` lines, then columns.

Layout: as Diamond I20 and B18 write it; the last ``#`` line before the numbers has the names of the
columns, apart by tabs; more ``#`` lines may follow the numbers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from beamkit.core.errors import UnreadableFileError

from ._paths import one_file
from ._text_scan import iso_date, read_text, scan_dataset, table

DESCRIPTION = "a GDA text table (# key: value)"

_START = 1 << 16
_NUMBERS = re.compile(r"[\s\d.eE+-]+")
_BETWEEN_NAMES = re.compile(r"\s*\t\s*|\s{2,}")
_KEY_AND_VALUE = re.compile(r"#\s*([^:]+):\s*(.*)")


def can_read(path: Path) -> bool:
    """Say whether the file is ``#`` lines, the last naming the columns, and then numbers."""
    try:
        with path.open("rb") as stream:
            start = stream.read(_START)
    except OSError:
        return False
    if b"\x00" in start or not start.startswith(b"#"):
        return False
    names, rows = _split(start.decode("latin-1").replace("\r\n", "\n"))
    first = rows.partition("\n")[0]
    return bool(names) and _NUMBERS.fullmatch(first) is not None and len(first.split()) > 1


def read(paths: Sequence[Path]) -> xr.Dataset:
    """Return the columns of a GDA text table.

    Parameters
    ----------
    paths
        One file.

    Returns
    -------
    data
        A variable a column over ``point``, float64, NaN where a cell is not a number; the first
        column is a coordinate. Columns have no units in this format.

    Raises
    ------
    UnreadableFileError
        If the file ends inside its header, or holds no points.
    ParameterError
        If several files are given.
    """
    path = one_file(paths, DESCRIPTION).absolute()
    text = read_text(path)
    names, rows = _split(text)
    if not names:
        raise UnreadableFileError(
            f"{path}: ends inside its header: no line of numbers follows. The file is cut short; "
            "copy it again from where it was written."
        )
    header = _header(text)
    attrs = _attributes(header)
    lines = [line for line in rows.splitlines(keepends=True) if not line.startswith("#")]
    columns = table(path, names, "".join(lines), attrs)
    return scan_dataset(
        columns, axis="", attrs=attrs, header=header, path=path, file_format="gda_ascii"
    )


def _split(text: str) -> tuple[list[str], str]:
    """Return the names of the columns and the text from the first row on; no names if it is cut."""
    match = re.search(r"^(?!#)[^\n]*\S[^\n]*$", text, re.MULTILINE)
    if match is None:
        return [], ""
    above = text[: match.start()].rstrip("\n").rpartition("\n")[2]
    names = _BETWEEN_NAMES.split(above.lstrip("#").strip())
    return names if names != [""] else [], text[match.start() :]


def _header(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for line in text.split("\n"):
        match = _KEY_AND_VALUE.match(line)
        if match is not None:
            found.setdefault(match[1].strip(), match[2].strip())
    return found


def _attributes(header: dict[str, Any]) -> dict[str, Any]:
    instrument, _, date = header.get("Instrument", "").partition("Date:")
    stated = {
        "beamline": instrument.strip(),
        "start_time": iso_date(date),
        "sample": header.get("Sample name", ""),
        "detector": header.get("Detector", ""),
    }
    return {name: value for name, value in stated.items() if value}
