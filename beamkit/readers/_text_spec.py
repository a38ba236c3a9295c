"""The scans in a SPEC data file.

Layout: spec manual (Certified Scientific Software), "standard data file format". Read here and not
by silx, whose compiled parser crashes the process on some damaged files and passes over damaged
lines in silence; tests compare the two on whole files.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

_CONTROL = re.compile(r"#([A-Za-z@]+)(\d*)\s?(.*)")
_NUMBER_AND_COMMAND = re.compile(r"\s*(\d+)\s*(.*)")
_BETWEEN_NAMES = re.compile(r"\s{2,}|\t")


@dataclass
class Block:
    """Lines of a file header or of a scan.

    Attributes
    ----------
    controls
        Text behind each ``#`` key such as ``S``, ``L``, ``O0``; lines of a key that comes again
        are joined.
    rows
        The lines of numbers, each with its line end if it has one.
    spectra
        Number of MCA spectra (``@A``), which are passed over.
    """

    controls: dict[str, str] = field(default_factory=dict)
    rows: list[str] = field(default_factory=list)
    spectra: int = 0

    def add(self, line: str) -> None:
        """Take a line that begins with ``#``."""
        match = _CONTROL.match(line)
        if match is not None:
            key, text = match[1] + match[2], match[3].rstrip("\r\n")
            known = self.controls.get(key)
            self.controls[key] = text if known is None else f"{known}\n{text}"

    def joined(self, key: str) -> str:
        """Return the text of ``O0``, ``O1`` ... one after the other."""
        numbers = sorted(
            int(name[1:]) for name in self.controls if re.fullmatch(rf"{key}\d+", name)
        )
        return "  ".join(self.controls[f"{key}{number}"].strip() for number in numbers)


@dataclass
class SpecScan:
    """One scan of a file, with the file header that it stands under."""

    header: Block
    block: Block

    @property
    def number(self) -> int:
        """Return the number on the ``#S`` line; 0 if there is none."""
        match = _NUMBER_AND_COMMAND.match(self.block.controls.get("S", ""))
        return int(match[1]) if match else 0

    @property
    def command(self) -> str:
        """Return the command, without the run number that GDA puts before it."""
        match = _NUMBER_AND_COMMAND.match(self.block.controls.get("S", ""))
        words = match[2].split() if match else []
        return " ".join(words[1:] if words and words[0].isdecimal() else words)

    def labels(self) -> list[str]:
        """Return the names of the columns; two blanks stand between them, or one in some files."""
        text = self.block.controls.get("L", "").strip()
        columns = len(self.block.rows[0].split()) if self.block.rows else 0
        names = _BETWEEN_NAMES.split(text) if text else []
        return names if len(names) == columns else text.split()

    def motors(self) -> dict[str, float]:
        """Return the positions of the motors before the scan, by name."""
        names = _BETWEEN_NAMES.split(self.header.joined("O"))
        positions = self.block.joined("P").split()
        if len(names) != len(positions):
            names = self.header.joined("O").split()
        found = {}
        for name, position in zip(names, positions, strict=False):
            try:
                found[name] = float(position)
            except ValueError:
                continue  # damaged; the line itself stays in the header
        return found


def parse_spec(text: str) -> list[SpecScan]:
    """Return the scans of a file in their order."""
    scans: list[SpecScan] = []
    header = block = Block()
    is_continued = False
    for line in text.splitlines(keepends=True):
        if line.startswith("#F"):
            header = block = Block()  # begins a file, also where several were joined
        elif line.startswith("#S") and line[2:3].isspace():
            block = Block()
            scans.append(SpecScan(header, block))
        if line.startswith("#"):
            block.add(line)
        elif line.startswith("@"):
            block.spectra += 1
        elif line.strip() and not is_continued:
            block.rows.append(line)
        is_continued = line.rstrip().endswith("\\") and (line.startswith("@") or is_continued)
    return scans


def scan_keys(numbers: Sequence[int]) -> list[str]:
    """Return ``number.occurrence`` of each scan, as silx and PyMca call them.

    >>> scan_keys([1, 2, 1])
    ['1.1', '2.1', '1.2']
    """
    seen: Counter[int] = Counter()
    keys = []
    for number in numbers:
        seen[number] += 1
        keys.append(f"{number}.{seen[number]}")
    return keys
