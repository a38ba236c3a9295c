"""Patterns as text: .xye, .xy and .dat of columns, and Fit2D's .chi.

Columns: x, intensity and perhaps sigma, under lines that begin with ``#``, of which the last names
the columns, as pyFAI, Dioptas and beamkit write them. Fit2D: title, two labels, number of points.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.errors import UnknownNameError, UnreadableFileError
from beamkit.core.pattern_axes import WORDS
from beamkit.core.schema import header_text, note
from beamkit.core.units import convert

from ._dataset import coordinate, finished
from ._file_guard import reading
from ._paths import one_file
from ._text_scan import read_text, table

DESCRIPTION = "a pattern as text (x, intensity, sigma)"

_START = 1 << 14
_NUMBERS = re.compile(r"\s*[-+.\d][-+.\deE]*(?:[\s,]+[-+.\dnaN][-+.\deEanN]*){1,3}\s*")
_KEY_AND_VALUE = re.compile(r"[#!]\s*([^:=]+?)\s*[:=]\s+(.+?)\s*$")

#: Suffix of a file that does not say its axis: what it is by custom.
_BY_CUSTOM = {".xye": "2th_deg", ".xy": "2th_deg", ".dat": "q_A^-1"}

#: Words for an axis beside pyFAI's, by the unit that they mean.
_SPELLED = {
    "q_A^-1": r"q.*(a\^?-1|1/a|angstrom|inverse ang)",
    "q_nm^-1": r"q.*(nm\^?-1|1/nm|nanomet)",
    "2th_rad": r"(2[-_ ]?th|two[-_ ]?theta|tth).*rad",
    "2th_deg": r"(2[-_ ]?th|two[-_ ]?theta|tth).*(deg|°)",
    "r_mm": r"(r|radius).*mm",
    "r_m": r"(r|radius).*\bm\b",
}

#: Into the unit of the vocabulary.
_FACTORS = {"1/nm": ("1/angstrom", 0.1), "rad": ("deg", 180 / np.pi)}

#: Attributes that the lines above the columns may say: unit.
_SAID = {
    "wavelength": "angstrom", "energy": "keV", "detector_distance": "m", "pixel_size_x": "m",
    "pixel_size_y": "m", "beam_center_x": "pixel", "beam_center_y": "pixel",
}  # fmt: skip
_TEXTS = ("title", "sample", "beamline", "start_time", "detector")


@dataclass
class _Head:
    """What stands above the numbers."""

    word: str = ""
    units: str = ""
    points: int | None = None
    header: dict[str, str] = field(default_factory=dict)
    attrs: dict[str, Any] = field(default_factory=dict)


def can_read(path: Path) -> bool:
    """Say whether the file is columns of numbers under the name of a radial axis, or a .chi."""
    try:
        with path.open("rb") as stream:
            start = stream.read(_START)
    except OSError:
        return False
    if b"\x00" in start:
        return False
    lines = start.decode("latin-1").replace("\r\n", "\n").split("\n")
    if _is_chi(lines):
        return True
    above = _above(lines)
    after = lines[len(above) : len(above) + 1]
    if not after or not _NUMBERS.fullmatch(after[0]):
        return False
    named = next((line for line in reversed(above) if line.strip("#! \t")), "")
    return bool(_word(named)) if above else path.suffix.lower() in _BY_CUSTOM


def read(paths: Sequence[Path], *, axis: str | None = None) -> xr.Dataset:
    """Return the pattern of a text file.

    Parameters
    ----------
    paths
        One file.
    axis
        What the first column is, in pyFAI's words (``"q_A^-1"``, ``"q_nm^-1"``, ``"2th_deg"``
        ...); None: what the file says, and where it says nothing two_theta in degrees for .xy and
        .xye, q in 1/angstrom for .dat, listed in ``assumed``.

    Returns
    -------
    pattern
        ``intensity`` and, with a third column, ``sigma`` over ``q`` [1/angstrom], ``two_theta``
        [deg], ``radius`` or ``inverse_d_squared``, float64.

    Raises
    ------
    UnreadableFileError
        If the file holds no points, or the axis does not rise.
    UnknownNameError
        If ``axis`` is not known.
    ParameterError
        If several files are given.
    """
    path = one_file(paths, DESCRIPTION).absolute()
    if axis is not None and axis not in WORDS:
        raise UnknownNameError("unit of a pattern", axis, WORDS)
    with reading(path, "its columns"):
        lines = read_text(path).replace(",", " ").split("\n")
        is_chi = _is_chi(lines)
        above = lines[:4] if is_chi else _above(lines)
        head = _chi_head(above) if is_chi else _head(above, path)
        if axis is not None:
            head.word = axis
            head.attrs.pop("assumed", None)
        rows = "\n".join(line for line in lines[len(above) :] if not line.startswith(("#", "!")))
        width = len(rows.split("\n", 1)[0].split())
        names = ["x", "intensity", "sigma", "other"][:width]
        columns = table(path, names, rows, head.attrs)
        return _dataset(path, head, columns)


def _above(lines: Sequence[str]) -> list[str]:
    return list(takewhile(lambda line: not line.strip() or line.lstrip()[:1] in "#!", lines))


def _is_chi(lines: Sequence[str]) -> bool:
    """Four lines, the last a number of points, the first two not numbers, then columns."""
    if len(lines) < 5 or lines[0][:1] in ("#", "!"):
        return False
    count = lines[3].split()
    return (
        bool(count)
        and count[0].isdigit()
        and bool(_word(lines[1]))
        and _NUMBERS.fullmatch(lines[4].replace(",", " ")) is not None
    )


def _word(text: str) -> str:
    """Return pyFAI's word for the axis that a line names first, ``""`` if it names none."""
    plain = text.strip("#! \t")
    first = re.split(r"\s+|\t", plain, maxsplit=1)[0]
    if first in WORDS:
        return first
    # Only what precedes the intensity: "q(A^-1)  I(q)".
    label = re.split(r"\s+I\b|\t|\s{2,}|,", plain, maxsplit=1)[0].lower()
    for word, spelled in _SPELLED.items():
        if re.match(spelled, label):
            return word
    # A name without unit is an axis only before an intensity: "tth  I0  It" is a scan.
    bare = re.match(r"(q|2th|tth|2[-_]?theta|two_?theta)\s+(I|intensity)\b", plain, re.IGNORECASE)
    return "" if bare is None else "q_A^-1" if bare[1].lower() == "q" else "2th_deg"


def _head(above: Sequence[str], path: Path) -> _Head:
    head = _Head()
    for line in above:
        match = _KEY_AND_VALUE.match(line)
        if match is not None:
            head.header.setdefault(match[1], match[2])
    named = next((line for line in reversed(above) if line.strip("#! \t")), "")
    head.word = _word(named)
    if not head.word:
        head.word = _BY_CUSTOM.get(path.suffix.lower(), "2th_deg")
        name, unit = WORDS[head.word]
        note(
            head.attrs,
            "assumed",
            f"{name}: the file does not say what its first column is; taken as {name} [{unit}], "
            "as usual in such files. Say it with axis=...",
        )
    head.units = head.header.get("intensity", "").strip("[]")
    points = head.header.get("points", "")
    head.points = int(points) if points.isdigit() else None
    head.attrs.update(_attributes(head.header))
    return head


def _attributes(header: dict[str, str]) -> dict[str, Any]:
    """Return what beamkit's own files say; other programs' words and units are kept as header."""
    if not header.get("program", "").startswith("beamkit"):
        return {}
    found: dict[str, Any] = {name: header[name] for name in _TEXTS if name in header}
    for name, unit in _SAID.items():
        words = header.get(name, "").split()
        if len(words) == 2 and re.fullmatch(r"[-+.\deE]*\d[-+.\deE]*", words[0]):
            found[name] = convert(float(words[0]), words[1], unit)
    return found


def _chi_head(above: Sequence[str]) -> _Head:
    title, x_label, y_label, count = (line.strip() for line in above)
    named = re.search(r"\(([^()]*)\)\s*$", y_label)
    return _Head(
        word=_word(x_label),
        units=named[1] if named else "",
        points=int(count.split()[0]),
        header={"title": title, "x": x_label, "y": y_label, "points": count},
        attrs={"title": title} if title else {},
    )


def _dataset(path: Path, head: _Head, columns: dict[str, NDArray[Any]]) -> xr.Dataset:
    x = columns["x"]
    if x.dtype.kind != "f" or not (np.diff(x) > 0).all():
        raise UnreadableFileError(
            f"{path}: the first column is not rising numbers, but a pattern is over a rising axis. "
            "The file is damaged, or no pattern."
        )
    if head.points is not None and head.points != x.size:
        note(
            head.attrs,
            "notes",
            f"{x.size} of the {head.points} points are here that the file says it has: it is cut "
            "short",
        )
    name, unit = WORDS[head.word]
    unit, factor = _FACTORS.get(unit, (unit, 1.0))
    coords = {name: coordinate(name, x * factor, unit)}
    variables: dict[str, xr.DataArray] = {
        str(each): xr.DataArray(
            columns[each], dims=name, coords=coords, attrs={"units": head.units}
        )
        for each in ("intensity", "sigma")
        if each in columns and columns[each].dtype.kind == "f"
    }
    attrs = {**head.attrs, "header": header_text(head.header)}
    return finished(variables, kind="pattern", attrs=attrs, source=path, file_format="pattern_text")
