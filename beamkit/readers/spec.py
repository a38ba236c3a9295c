"""SPEC data files: many scans of motors and counters in one text file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from beamkit.core.errors import ParameterError, UnknownNameError, UnreadableFileError
from beamkit.core.schema import note

from ._paths import one_file
from ._text_scan import iso_date, note_points, read_text, scan_dataset, table
from ._text_spec import parse_spec, scan_keys

DESCRIPTION = "a SPEC data file (#S scans)"

_START = 1 << 16
_SCAN_LINE = re.compile(r"^#S\s", re.MULTILINE)


def can_read(path: Path) -> bool:
    """Say whether the file is text that begins with ``#F`` or has a line ``#S``.

    A console log of spec has neither.
    """
    try:
        with path.open("rb") as stream:
            start = stream.read(_START)
    except OSError:
        return False
    text = start.decode("latin-1")
    return b"\x00" not in start and (text.startswith("#F ") or _SCAN_LINE.search(text) is not None)


def read(paths: Sequence[Path], *, scan: str | int | None = None) -> xr.Dataset:
    """Return one scan of a SPEC file.

    Parameters
    ----------
    paths
        One file.
    scan
        Which one: its number (the first of that number), its key such as ``"3.1"`` (the first
        scan 3; ``"3.2"`` is the second), or -1 for the last. None takes the first of the file.

    Returns
    -------
    data
        A variable a column over ``point``, float64, NaN where a cell is not a number; the first
        column is a coordinate. Columns have no units in this format. ``attrs["scans"]`` lists key
        and command of every scan of the file; motors stand in ``attrs["header"]``.

    Raises
    ------
    UnreadableFileError
        If the file holds no scan, or the scan no points.
    UnknownNameError
        If there is no such scan; lists those that are.
    ParameterError
        If several files are given, or ``scan`` is no number and no text.
    """
    path = one_file(paths, DESCRIPTION).absolute()
    scans = parse_spec(read_text(path))
    keys = scan_keys([each.number for each in scans])
    found = scans[_chosen(path, scan, keys)]
    stated = {
        "scan_command": found.command,
        "start_time": iso_date(found.block.controls.get("D", "")),
    }
    attrs: dict[str, Any] = {name: value for name, value in stated.items() if value}
    listed = zip(keys, scans, strict=True)
    attrs["scans"] = [f"{key} {each.command}".strip() for key, each in listed]
    columns = table(path, found.labels(), "".join(found.block.rows), attrs)
    note_points(attrs, len(next(iter(columns.values()))))
    if found.block.spectra:
        note(attrs, "notes", f"{found.block.spectra} spectra (@A) of the scan are not read")
    header = {
        "file": found.header.controls,
        "scan": found.block.controls,
        "motors": found.motors(),
    }
    return scan_dataset(columns, axis="", attrs=attrs, header=header, path=path, file_format="spec")


def _chosen(path: Path, scan: str | int | None, keys: Sequence[str]) -> int:
    """Return the place in the file of the scan that was asked for."""
    if not keys:
        raise UnreadableFileError(f"{path}: holds no scan: no line begins with #S. Is it finished?")
    if scan is None:
        return 0
    if isinstance(scan, bool) or not isinstance(scan, (str, int)):
        raise ParameterError(
            f"scan={scan!r} names no scan. Give its number, or a key such as {keys[0]!r}."
        )
    if isinstance(scan, int) and -len(keys) <= scan < 0:
        return len(keys) + scan
    key = scan if isinstance(scan, str) and "." in scan else f"{scan}.1"
    if key not in keys:
        raise UnknownNameError(f"scan in {path.name}", str(scan), keys)
    return keys.index(key)
