"""The attributes that a PILATUS header states, in beamkit's names and units (DESIGN section 2)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from beamkit.core.errors import MetadataError
from beamkit.core.schema import note
from beamkit.core.units import convert, is_unit

from ._image_pilatus import SENSOR, TIMESTAMP, iso_time

Attrs = dict[str, Any]

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_SENSOR = re.compile(r"(\w+)\s+sensor\b(.*)", re.IGNORECASE)
_SERIAL = re.compile(r"(.*?)[\s,]*\b(?:S/N|SN)\b[\s:.]*([\w-]+)")
_RATE = re.compile(r"ph\w*\s*/\s*s", re.IGNORECASE)

#: Header key (lower case) -> attribute, its unit, and the unit where the header gives none.
_QUANTITIES = {
    "exposure_time": ("exposure_time", "s", "s"),
    "exposure_period": ("exposure_period", "s", "s"),
    "tau": ("dead_time", "s", "s"),
    "wavelength": ("wavelength", "angstrom", "angstrom"),
    "detector_distance": ("detector_distance", "m", "m"),
    "start_angle": ("start_angle", "deg", "deg"),
    "angle_increment": ("angle_increment", "deg", "deg"),
    "detector_2theta": ("detector_two_theta", "deg", "deg"),
    "omega": ("omega", "deg", "deg"),
    "phi": ("phi", "deg", "deg"),
    "chi": ("chi", "deg", "deg"),
    "kappa": ("kappa", "deg", "deg"),
    "alpha": ("alpha", "deg", "deg"),
    "threshold_setting": ("threshold_energy", "keV", "eV"),
    "count_cutoff": ("count_cutoff", "", ""),
    "filter_transmission": ("filter_transmission", "", ""),
    "polarization": ("polarization", "", ""),
}

#: Attributes where 0 or less means that nobody filled the header in.
_ABOVE_ZERO = {
    "exposure_time",
    "exposure_period",
    "wavelength",
    "detector_distance",
    "threshold_energy",
    "count_cutoff",
    "flux",
    "filter_transmission",
    "sensor_thickness",
    "pixel_size_x",
    "pixel_size_y",
}

_MATERIALS = {"silicon": "Si", "si": "Si", "cdte": "CdTe", "gaas": "GaAs", "germanium": "Ge"}


def convert_header(header: Mapping[str, str]) -> Attrs:
    """Return the attributes that a header states.

    Everything is optional. What cannot be understood is listed in ``attrs["notes"]`` and stays in
    the header; what had to be assumed is listed in ``attrs["assumed"]``.

    Parameters
    ----------
    header
        As :func:`beamkit.readers._image_pilatus.parse` returns it.
    """
    attrs: Attrs = {}
    lines = {key.lower(): value for key, value in header.items()}
    for key, (name, unit, default) in _QUANTITIES.items():
        if key in lines:
            set_number(attrs, name, lines[key], unit, default)
    for key, rule in _SPECIAL.items():
        if key in lines:
            rule(attrs, lines[key])
    transmission_from_percent(attrs)
    _polarization(attrs)
    return attrs


def set_number(attrs: Attrs, name: str, text: str, unit: str = "", default: str = "") -> None:
    """Set an attribute to the first number of a text, unless it is no possible value.

    Parameters
    ----------
    unit
        Unit of the attribute; empty if it has none to convert.
    default
        Unit of the number where no unit follows it.
    """
    try:
        value = _quantity(text, unit, default)
    except MetadataError:
        note(attrs, "notes", f"{name}: {text!r} in the header was not understood; it stays there")
        return
    if value > 0 or name not in _ABOVE_ZERO:
        attrs[name] = value


@lru_cache(maxsize=4096)  # most values are the same in every file of a series
def _quantity(text: str, unit: str, default: str) -> float:
    """Return the first number of a text in ``unit``; the word after the number is its own unit."""
    match = _NUMBER.search(text)
    if match is None or not math.isfinite(float(match.group())):
        raise MetadataError(f"{text!r} holds no number.")
    value = float(match.group())
    if not unit:
        return value
    words = text[match.end() :].split()
    stated = words[0].strip(".,;()") if words else ""
    return convert(value, stated if is_unit(stated) else default, unit)


def _pixel_size(attrs: Attrs, text: str) -> None:
    parts = re.split(r"\s[xX]\s", text)
    set_number(attrs, "pixel_size_x", parts[0], "m", "m")
    set_number(attrs, "pixel_size_y", parts[-1], "m", "m")


def _beam_xy(attrs: Attrs, text: str) -> None:
    numbers = [float(number) for number in _NUMBER.findall(text)]
    if len(numbers) < 2 or not all(map(math.isfinite, numbers)):
        note(attrs, "notes", f"beam_center_x: {text!r} in the header was not understood")
        return
    if any(numbers[:2]):  # (0.00, 0.00) is what a camera server writes that was told nothing
        attrs["beam_center_x"], attrs["beam_center_y"] = numbers[:2]


def _sensor(attrs: Attrs, text: str) -> None:
    match = _SENSOR.match(text)
    if match is not None:
        attrs["sensor_material"] = _MATERIALS.get(match[1].lower(), match[1])
        if _NUMBER.search(match[2]):
            set_number(attrs, "sensor_thickness", match[2], "m", "m")


def _detector(attrs: Attrs, text: str) -> None:
    match = _SERIAL.match(text)
    if match is None:
        attrs["detector"] = text
    else:
        attrs["detector"], attrs["detector_serial"] = match.groups()


def _flux(attrs: Attrs, text: str) -> None:
    """Set the flux only where the header gives its unit; a bare number may be anything."""
    if _RATE.search(text):
        set_number(attrs, "flux", text)


def _timestamp(attrs: Attrs, text: str) -> None:
    time = iso_time(text)
    if time:
        attrs["start_time"] = time


def _gain(attrs: Attrs, text: str) -> None:
    attrs["gain_setting"] = text


_SPECIAL: dict[str, Callable[[Attrs, str], None]] = {
    "pixel_size": _pixel_size,
    "beam_xy": _beam_xy,
    SENSOR: _sensor,
    "detector": _detector,
    "flux": _flux,
    TIMESTAMP: _timestamp,
    "gain_setting": _gain,
}


def transmission_from_percent(attrs: Attrs) -> None:
    """Take a transmission above 1 as percent, in place, and list it as assumed."""
    value = attrs.get("filter_transmission", 0.0)
    if value > 1:
        attrs["filter_transmission"] = float(f"{value / 100:.15g}")
        note(attrs, "assumed", "filter_transmission: above 1 in the header, taken as percent")


def _polarization(attrs: Attrs) -> None:
    """Turn the fraction in the horizontal plane f, as XDS has it, into (I_h - I_v)/(I_h + I_v)."""
    fraction = attrs.pop("polarization", -1.0)
    if 0 <= fraction <= 1:
        attrs["polarization"] = float(f"{2 * fraction - 1:.12g}")
        note(
            attrs,
            "assumed",
            "polarization: the header's Polarization f is taken as the fraction of the intensity "
            "in the horizontal plane, 2f - 1",
        )
