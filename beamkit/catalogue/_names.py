"""What the name of a file says, without a look inside: its format, its series, its number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

#: Format by ending. A guess for icons and sorting; what a file is, its content says.
FORMATS = {
    "CBF": (".cbf",),
    "HDF5": (".h5", ".hdf5", ".hdf", ".he5", ".nxs", ".nx", ".nxspe"),
    "TIFF": (".tif", ".tiff"),
    "image": (
        ".edf", ".img", ".mccd", ".mar3450", ".mar2300", ".mar", ".sfrm", ".gfrm", ".osc", ".raxis",
        ".spr", ".kccd", ".msk", ".esperanto", ".dm3", ".fits", ".fit", ".npy",
    ),
    "SPEC": (".spec", ".spc", ".mca"),
    "text": (".dat", ".srs", ".asc", ".txt", ".xy", ".xye", ".chi", ".csv", ".log"),
    "picture": (".png", ".jpg", ".jpeg", ".svg", ".gif"),
    "geometry": (".poni", ".expt", ".xds", ".cfg", ".json", ".yaml", ".yml", ".toml", ".xml"),
    "notebook": (".ipynb", ".py", ".md", ".html", ".pdf"),
}  # fmt: skip

_BY_ENDING = {ending: name for name, endings in FORMATS.items() for ending in endings}

#: Formats of which each file may be one frame of many.
_FRAMES = ("CBF", "TIFF", "image")

_PACKED = ("gz", "bz2")

_LAST_NUMBER = re.compile(r"^(.*?)([0-9]+)([^0-9]*)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Numbered:
    """A name with a number: ``DC_1_00042.cbf`` is ``DC_1_``, ``00042`` and ``.cbf``."""

    start: str
    digits: str
    end: str

    @property
    def family(self) -> tuple[str, str, int]:
        """What the names of one series have in common; 0 for numbers without leading zeros."""
        width = len(self.digits)
        # 7.tif and 12.tif are one series; so are 07.tif and 12.tif, but not 7.tif and 012.tif.
        return self.start, self.end, width if self.digits[0] == "0" else -width


def ending(name: str) -> tuple[str, str]:
    """Return the name without its ending, and the ending: ``.cbf`` or ``.cbf.gz``."""
    stem, dot, last = name.rpartition(".")
    if not stem or not dot:
        return name, ""
    if last in _PACKED:
        inner, more = ending(stem)
        return inner, f"{more}.{last}"
    return stem, f".{last}"


def guess_format(name: str) -> str:
    """Return what the ending of a name promises, ``""`` if nothing.

    >>> guess_format("thau_3_2_0009.cbf.bz2")
    'CBF'
    """
    last = ending(name)[1].lower()
    return _BY_ENDING.get(last.removesuffix(".gz").removesuffix(".bz2"), "")


def numbered(name: str, file_format: str) -> Numbered | None:
    """Return the last number in the name of an image file, or None."""
    if file_format not in _FRAMES:
        return None
    stem, last = ending(name)
    found = _LAST_NUMBER.match(stem)
    return Numbered(found[1], found[2], found[3] + last) if found else None


def natural(name: str) -> list[tuple[int, int, str]]:
    """Return a sort key that puts 2 before 10, and does not look at upper and lower case.

    >>> sorted(["f10.cbf", "F2.cbf"], key=natural)
    ['F2.cbf', 'f10.cbf']
    """
    parts = _DIGITS.split(name.lower())
    return [(0, int(p), "") if i % 2 else (1, 0, p) for i, p in enumerate(parts) if p or i % 2]


_DIGITS = re.compile(r"([0-9]+)")


def series_name(first: Numbered, last: Numbered) -> str:
    """Return how a series is called.

    >>> series_name(Numbered("DC_", "00001", ".cbf"), Numbered("DC_", "01800", ".cbf"))
    'DC_[00001-01800].cbf'
    """
    return f"{first.start}[{first.digits}-{last.digits}]{first.end}"


def families(names: Sequence[tuple[str, str]]) -> list[list[tuple[int, Numbered]]]:
    """Group names that differ by their number; each group in order, at least two names.

    Parameters
    ----------
    names
        Name and format of each file.

    Returns
    -------
    groups
        Of each name its place in ``names``, and its parts.
    """
    padded: dict[tuple[str, str, int], list[tuple[int, Numbered]]] = {}
    for place, (name, file_format) in enumerate(names):
        found = numbered(name, file_format)
        if found is not None:
            padded.setdefault(found.family, []).append((place, found))
    groups: dict[tuple[str, str, int], list[tuple[int, Numbered]]] = {}
    for (start, end, width), members in padded.items():
        # Names as wide as ones with leading zeros belong to them; the others count without zeros.
        is_wide = width > 0 or (start, end, -width) in padded
        groups.setdefault((start, end, abs(width) if is_wide else 0), []).extend(members)
    ordered = (sorted(group, key=lambda one: int(one[1].digits)) for group in groups.values())
    return [group for group in ordered if len(group) > 1]
