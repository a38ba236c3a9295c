"""What the text of a CBF says: its miniCBF lines first, its imgCIF part where they are silent."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from beamkit.core.detector_geometry import DetectorPlane
from beamkit.core.errors import MetadataError
from beamkit.core.schema import note

from ._cbf_geometry import Instrument, detector_plane, goniometer, instrument
from ._cbf_imgcif import Items, parse_items
from ._cbf_section import Section
from ._image_geometry import place
from ._image_pilatus import iso_time, parse
from ._image_pilatus_units import convert_header

Attrs = dict[str, Any]

_MINI = "_array_data.header_contents"
_CONVENTION = "_array_data.header_convention"
_MINI_BLOCK = re.compile(rf"^{re.escape(_MINI)}\s*\n;(.*?)^;", re.DOTALL | re.MULTILINE)

#: imgCIF items that are attributes, and which of their values; units are those of core.schema.
_NUMBERS = {
    "wavelength": ("_diffrn_radiation_wavelength.wavelength", 0),
    "exposure_time": ("_diffrn_scan_frame.integration_time", 0),
    "count_cutoff": ("_array_intensities.overload", 0),
    "pixel_size_x": ("_array_element_size.size", 0),
    "pixel_size_y": ("_array_element_size.size", 1),
}
_TEXTS = {"beamline": "_diffrn_source.type", "detector": "_diffrn_detector.type"}
_DATE = "_diffrn_scan_frame.date"
_POLARIZATION = "_diffrn_radiation.polarizn_source_ratio"


@dataclass(frozen=True)
class Imgcif:
    """The imgCIF part of a header, worked out.

    Attributes
    ----------
    items
        Its items, without the miniCBF lines.
    detector_axes
        Names of the axes that are not the goniometer's.
    plane
        Where the detector stands; None if it does not say.
    goniometer
        The axes that carry the sample, JSON; empty if it does not say.
    problem
        Why the axes could not be used; empty if they could, or there are none.
    """

    items: Items
    detector_axes: tuple[str, ...]
    plane: DetectorPlane | None
    goniometer: str
    problem: str

    @classmethod
    def of(cls, section: Section) -> Imgcif:
        """Return the imgCIF part of one file."""
        items = parse_items(section.text)
        items.pop(_MINI, None)
        problem, plane, described = "", None, Instrument({}, {}, (), ("", ""), {})
        try:
            described = instrument(items)
            plane = detector_plane(described)
        except MetadataError as error:
            problem = str(error)
        moving = tuple(name for name in described.axes if name not in described.goniometer)
        return cls(items, moving, plane, "" if problem else goniometer(described), problem)

    def add_to(self, attrs: Attrs) -> None:
        """Add what the miniCBF lines did not say, and the geometry of record, in place."""
        for name, (item, place_in_loop) in _NUMBERS.items():
            value = _number(self.items, item, place_in_loop)
            if value is not None and value > 0:
                attrs.setdefault(name, value)
        for name, item in _TEXTS.items():
            if self.items.get(item):
                attrs.setdefault(name, self.items[item][0])
        time = iso_time("".join(self.items.get(_DATE, [])[:1]))
        if time:
            attrs.setdefault("start_time", time)
        if self.goniometer:
            attrs["goniometer"] = self.goniometer
        if self.problem:
            note(attrs, "notes", f"goniometer: {self.problem} The imgCIF axes are not used.")
        self._add_polarization(attrs)
        place(attrs, self.plane)

    def _add_polarization(self, attrs: Attrs) -> None:
        ratio = _number(self.items, _POLARIZATION, 0)
        if ratio is None:
            return
        used = attrs.setdefault("polarization", ratio)
        if abs(used - ratio) > 1e-3:
            text = (
                f"polarization: imgCIF gives {ratio:g}, the miniCBF lines {used:g}, which is used"
            )
            note(attrs, "conflicts", text)


def header_of(section: Section) -> dict[str, Any]:
    """Return the unparsed header: miniCBF lines by their keys, and imgCIF items by their names."""
    items = parse_items(section.text)
    convention = "".join(items.pop(_CONVENTION, []))
    others = {name: values for name, values in items.items() if name != _MINI and values}
    return {
        "header_convention": convention,
        **parse(_mini_lines(section)),
        **({"imgCIF": others} if others else {}),
    }


def attributes_of(sections: Sequence[Section]) -> list[Attrs]:
    """Return the attributes of each frame of a series.

    The axes of an imgCIF header take longer to work out than all the rest, so frames whose lines
    about the detector are those of the first frame take its geometry, and its goniometer with the
    settings of the first frame; what turns in a series has a key of its own among the miniCBF
    lines.
    """
    first = Imgcif.of(sections[0])
    lines_of = _lines_about(first.detector_axes)
    reference = lines_of(sections[0])
    found = []
    for section in sections:
        lines = _mini_lines(section)
        attrs = convert_header(parse(lines))
        same = bool(lines) and lines_of(section) == reference
        (first if same else Imgcif.of(section)).add_to(attrs)
        found.append(attrs)
    return found


def _mini_lines(section: Section) -> str:
    match = _MINI_BLOCK.search(section.text)
    # Old and hand-made files have the lines, but not between the two semicolons.
    return match[1] if match else section.text


def _lines_about(names: Sequence[str]) -> Callable[[Section], list[str]]:
    search = re.compile("|".join(map(re.escape, names)) or "(?!)").search  # (?!) never matches
    return lambda section: [line for line in section.text.splitlines() if search(line)]


def _number(items: Items, name: str, place_in_loop: int) -> float | None:
    try:
        return float(items[name][place_in_loop])
    except (KeyError, IndexError, ValueError):
        return None
