"""The header of an SRS text file: ``key=value``, between ``&SRS`` and ``&END``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from beamkit.core.errors import UnreadableFileError
from beamkit.core.schema import note

from ._image_pilatus_units import set_number, transmission_from_percent
from ._text_scan import iso_date

Attrs = dict[str, Any]

_START, _END = "&SRS", "&END"
_TAGS = re.compile(r"</?MetaDataAtStart>")
_PAIR = re.compile(r"(\w+)=('[^']*'|[^,]*)")

#: Header key (lower case) -> text attribute; the first that is there and not empty counts.
_TEXTS = {
    "title": ("title", "srstle"),
    "scan_command": ("cmd", "command", "scancommand", "scan_command"),
    "visit": ("visit", "investigation", "defvisit"),
    "beamline": ("instrument", "beamline"),
    "sample": ("sample", "samplename", "sample_name"),
}
_DATES = ("date", "datestring", "start_time")
_ENERGIES = ("energy", "dcmenergy", "dcm1energy")

#: An energy above this, without a unit, is in eV: beamlines for 0.2 MeV photons are rare.
_MOST_KEV = 200.0


def is_srs(start: bytes) -> bool:
    """Say whether a file that begins with these bytes is SRS text."""
    return start.lstrip().startswith(_START.encode())


def split_srs(path: Path, text: str) -> tuple[str, list[str], str]:
    """Return the header, the names of the columns, and the rows of an SRS file.

    Raises
    ------
    UnreadableFileError
        If the file ends inside its header.
    """
    match = re.search(rf"^\s*{_END}[^\n]*\n", text, re.MULTILINE)
    if match is not None:
        header, rest = text[: match.start()], text[match.end() :]
    else:
        header, rest = _without_end(text)
    names, end, rows = rest.lstrip("\n").partition("\n")
    if not end or not names.strip():
        raise UnreadableFileError(
            f"{path}: ends inside its header: no {_END} with a line of column names after it. The "
            "file is cut short; copy it again from where it was written."
        )
    return header.replace(_START, "", 1), names.split(), rows


def _without_end(text: str) -> tuple[str, str]:
    """Split before the line above the first one that is all numbers; old files have no &END."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if number and len(line.split()) > 1 and re.fullmatch(r"[\d\s.eE+-]+", line):
            return "\n".join(lines[: number - 1]), "\n".join(lines[number - 1 :])
    return text, ""


def parse_srs(header: str) -> dict[str, Any]:
    """Return keys and values; a key that comes again with another value has a list of them."""
    found: dict[str, list[str]] = {}
    for line in _TAGS.sub("", header).split("\n"):
        for key, value in _pairs(line.strip()):
            values = found.setdefault(key, [])
            if value not in values:
                values.append(value)
    return {key: values[0] if len(values) == 1 else values for key, values in found.items()}


def _pairs(line: str) -> list[tuple[str, str]]:
    # Only the lines of the old part hold several pairs; elsewhere a comma belongs to the value.
    if line.startswith("SRS"):
        pairs = _PAIR.findall(line)
    else:
        key, equals, value = line.partition("=")
        pairs = [(key, value)] if equals else []
    return [(key.strip(), value.strip().strip("'\"").strip()) for key, value in pairs]


def attributes_of_srs(header: dict[str, Any]) -> Attrs:
    """Return what the header says, in beamkit's names and units; notes what is said twice."""
    attrs: Attrs = {}
    lines: dict[str, str] = {}
    for key, value in header.items():
        if isinstance(value, list):
            note(attrs, "conflicts", f"{key}: given as {' and '.join(value)}; the last is used")
        lines[key.lower()] = value[-1] if isinstance(value, list) else value
    for name, keys in _TEXTS.items():
        text = next((lines[key] for key in keys if lines.get(key)), "")
        if text:
            attrs[name] = text
    date = next((iso_date(lines[key]) for key in _DATES if key in lines), "")
    if date:
        attrs["start_time"] = date
    _set_energy(attrs, lines)
    if "transmission" in lines:
        set_number(attrs, "filter_transmission", lines["transmission"])
        transmission_from_percent(attrs)
    return attrs


def _set_energy(attrs: Attrs, lines: dict[str, str]) -> None:
    key = next((key for key in _ENERGIES if key in lines), "")
    if not key:
        return
    set_number(attrs, "energy", lines[key])
    if "energy" in attrs:
        unit = "keV" if attrs["energy"] <= _MOST_KEV else "eV"
        attrs["energy"] *= 1.0 if unit == "keV" else 1e-3
        note(attrs, "assumed", f"energy: the header has no unit; {lines[key]} is taken as {unit}")
