"""Metadata of a NeXus file in the vocabulary of beamkit, each converted to its one unit."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import h5py
import numpy as np

from beamkit.core.errors import MetadataError
from beamkit.core.schema import ATTRIBUTES, header_text, lines, note
from beamkit.core.units import convert, is_unit

from . import _hdf5
from ._hdf5_chunks import read
from ._nexus_header import header
from ._nexus_tree import Tree, is_below

#: Where a number is: NX_class of the group, and names of the field, the best first.
_NUMBERS = {
    "energy": (("NXbeam", "incident_energy"), ("NXmonochromator", "energy")),
    "wavelength": (("NXbeam", "incident_wavelength"), ("NXmonochromator", "wavelength")),
    "detector_distance": (("NXdetector", "distance"), ("NXdetector", "detector_distance")),
    "pixel_size_x": (("NXdetector", "x_pixel_size"),),
    "pixel_size_y": (("NXdetector", "y_pixel_size"),),
    "effective_pixel_size_x": (("NXsample", "x_pixel_size"),),
    "effective_pixel_size_y": (("NXsample", "y_pixel_size"),),
    "magnification": (("NXdetector", "magnification"),),
    "propagation_distance": (("NXsample", "propagation_distance"),),
    "source_distance": (("NXsource", "distance"),),
    "exposure_time": (("NXdetector", "count_time"),),
    "exposure_period": (("NXdetector", "frame_time"),),
    "threshold_energy": (("NXdetector", "threshold_energy"),),
    "count_cutoff": (("NXdetector", "saturation_value"),),
    "sensor_thickness": (("NXdetector", "sensor_thickness"),),
    "filter_transmission": (("NXattenuator", "attenuator_transmission"),),
}

_TEXTS = {
    "sensor_material": (("NXdetector", "sensor_material"),),
    "detector": (("NXdetector", "description"), ("NXdetector", "name")),
    "detector_serial": (("NXdetector", "serial_number"), ("NXdetector", "detector_number")),
    "gain_setting": (("NXdetector", "gain_setting"),),
    "beamline": (("NXinstrument", "name"), ("NXinstrument", "beamline")),
    "visit": (("NXentry", "experiment_identifier"),),
    "sample": (("NXsample", "name"),),
    "title": (("NXentry", "title"),),
    "start_time": (
        ("NXentry", "start_time"),
        ("NXdetector", "detectorSpecific/data_collection_date"),
    ),
    "scan_command": (("NXentry", "scan_command"),),
}

#: Attributes that are above 0.
_POSITIVE = ("pixel_size_x", "pixel_size_y", "detector_distance", "magnification")

#: Units of numbers that need none to be understood.
_BARE = ("1", "counts")


@dataclass
class Metadata:
    """What a file says, and what had to be assumed to understand it."""

    attrs: dict[str, Any] = field(default_factory=dict)

    def assume(self, name: str, text: str) -> None:
        """List something that the file does not say."""
        note(self.attrs, "assumed", f"{name}: {text}")

    def conflict(self, name: str, text: str) -> None:
        """List something that the file says twice, or that cannot be used as it is."""
        note(self.attrs, "conflicts", f"{name}: {text}")


def metadata(tree: Tree, entry: str, detector: h5py.Group | None) -> Metadata:
    """Return the attributes that a NeXus entry gives.

    Parameters
    ----------
    tree
        The file.
    entry
        Path of the entry, such as ``"/entry"``.
    detector
        The NXdetector of the data; None if it is not known.
    """
    found = Metadata()
    for name, places in _NUMBERS.items():
        for item in _candidates(tree, entry, detector, places):
            value = number_of(found, name, item)
            if value is not None:
                found.attrs[name] = value
                break
    for name, places in _TEXTS.items():
        texts = (_hdf5.string(item) for item in _candidates(tree, entry, detector, places))
        words = next((one for one in texts if one), "")
        if words:
            found.attrs[name] = words
    _set_energy(found, detector)
    if "energy" not in found.attrs and "wavelength" not in found.attrs:
        _positioned_energy(found, tree, entry)
    if detector is not None:
        _beam_center(found, detector)
        _swing(found, detector)
    found.attrs["header"] = header_text(header(tree, entry))
    return found


#: Diamond keeps the energy with the motors: in a positioner, or in a table made before the scan.
_ENERGY = re.compile(r"/(dcm\w*energy|mono\w*energy|pgm_energy|energy|en)(/value)?$", re.IGNORECASE)
_MOTORS = re.compile(r"/(before_scan|instrument)/")

#: What DECTRIS's detectors are set to.
_SET_ENERGY = "detectorSpecific/photon_energy"


def _set_energy(found: Metadata, detector: h5py.Group | None) -> None:
    """Take the energy that the detector is set to, where nothing is said of the beam."""
    item = None if detector is None else _hdf5.dataset(detector, _SET_ENERGY)
    if item is None or "energy" in found.attrs or "wavelength" in found.attrs:
        return
    value = number_of(found, "energy", item)
    if value is not None:
        found.attrs["energy"] = value
        found.assume("energy", f"the file names none for the beam; {item.name} is taken")


def _positioned_energy(found: Metadata, tree: Tree, entry: str) -> None:
    """Take the photon energy from a motor of the monochromator, and say so."""
    for path in tree.names:
        if not (is_below(path, entry) and _ENERGY.search(path) and _MOTORS.search(path)):
            continue
        item = _hdf5.dataset(tree.file, path)
        unit = "" if item is None else _hdf5.text_attribute(item, "units")
        if item is None or "/source" in path.lower() or unit.lower() not in ("", "kev", "ev"):
            continue  # GeV is the energy of the electrons
        value = constant(item)
        if value is not None and value > 0:
            found.attrs["energy"] = convert(value, unit or "keV", "keV")
            found.assume(
                "energy",
                f"the file names none for the beam; {path} is taken, {value:g} "
                f"{unit or 'without unit, as keV'}",
            )
            return


def _beam_center(found: Metadata, detector: h5py.Group) -> None:
    """Take the beam centre in pixels; a length is divided by the pixel size."""
    for axis in ("x", "y"):
        name = f"beam_center_{axis}"
        item = _hdf5.dataset(detector, name)
        value = None if item is None else constant(item)
        if item is None or value is None:
            continue
        unit = _hdf5.text_attribute(item, "units")
        center = _in_pixels(found, axis, value, unit)
        if center is not None:
            found.attrs[name] = center


def _in_pixels(found: Metadata, axis: str, value: float, unit: str) -> float | None:
    name = f"beam_center_{axis}"
    size: float | None = found.attrs.get(f"pixel_size_{axis}")
    if unit.lower() in ("pixel", "pixels", "px"):
        return value
    if not unit:
        return _center_without_unit(found, name, f"pixel_size_{axis}", value)
    if size and is_unit(unit):
        try:
            return convert(value, unit, "m") / size
        except MetadataError:
            pass
    found.conflict(
        name,
        f"the file gives {value:g} {unit!r}, neither pixels nor a length with a pixel size; "
        "not used. Give beam_center=(x, y)",
    )
    return None


def _center_without_unit(found: Metadata, name: str, size: str, value: float) -> float | None:
    """Pixels, unless the file leaves out the unit of lengths in mm too: then it may be either."""
    lengths = (line for line in lines(found.attrs, "assumed") if line.endswith("taken as mm"))
    if any(line.startswith((size, "detector_distance")) for line in lengths):
        found.conflict(
            name,
            f"the file gives {value:g} without unit, and its other lengths are in mm without unit: "
            "pixels or mm, and along which axis, is open; not used. Give beam_center=(x, y)",
        )
        return None
    found.assume(name, f"the file gives {value:g} without unit; taken as pixel")
    return value


def _swing(found: Metadata, detector: h5py.Group) -> None:
    """Take the angle of the detector arm, where it stands without an axis (DECTRIS, old files)."""
    item = _hdf5.dataset(detector, "goniometer/two_theta")
    value = None if item is None else constant(item)
    if item is not None and value:
        unit = _hdf5.text_attribute(item, "units") or "deg"
        try:
            found.attrs["detector_two_theta"] = convert(value, unit, "deg")
        except MetadataError:
            text = f"the file gives {value:g} {unit!r}, which is not a unit of angles; not used"
            found.conflict("detector_two_theta", text)


def _candidates(
    tree: Tree, entry: str, detector: h5py.Group | None, places: Iterable[tuple[str, str]]
) -> Iterable[h5py.Dataset]:
    for nx_class, name in places:
        for group in _groups(tree, entry, detector, nx_class):
            item = _hdf5.dataset(group, name)
            if item is not None:
                yield item


def _groups(
    tree: Tree, entry: str, detector: h5py.Group | None, nx_class: str
) -> Iterable[h5py.Group]:
    if nx_class == "NXdetector":
        return () if detector is None else (detector,)
    if nx_class in ("NXentry", "NXsubentry"):
        group = _hdf5.member(tree.file, entry)
        return (group,) if isinstance(group, h5py.Group) else ()
    return tree.of_class(nx_class, entry)


def number_of(found: Metadata, name: str, item: h5py.Dataset) -> float | None:
    """Return a number in the unit of the vocabulary, or None if it cannot be used."""
    value = constant(item)
    if value is None:
        return None
    if name.endswith(_POSITIVE) and not value > 0:
        found.conflict(name, f"the file gives {value:g}, which cannot be; not used")
        return None
    to, unit = ATTRIBUTES[name].unit, _hdf5.text_attribute(item, "units")
    if to in _BARE or unit.lower() == to.lower():
        return value
    if not unit:
        return _without_unit(found, name, value)
    try:
        return convert(value, unit, to)
    except MetadataError:
        found.conflict(
            name, f"the file gives {value:g} {unit!r}, which is not a unit of {to}; not used"
        )
        return None


def constant(item: h5py.Dataset) -> float | None:
    """Return the number of a dataset, or of an array that holds the same number throughout."""
    single = _hdf5.number(item)
    if single is not None or item.size is None or not 1 < item.size <= 1_000_000:
        return single
    try:
        values = read(item) if item.dtype.kind in "iuf" else np.empty(0)
        same = values.size > 0 and bool(np.all(values == values.flat[0]))
    except _hdf5.DAMAGE:
        return None
    return float(values.flat[0]) if same and np.isfinite(values.flat[0]) else None


def _without_unit(found: Metadata, name: str, value: float) -> float:
    """Return a number without unit in the unit that makes it plausible, and say so."""
    to = ATTRIBUTES[name].unit
    unit = _plausible_unit(name, value)
    found.assume(name, f"the file gives {value:g} without unit; taken as {unit}")
    return convert(value, unit, to) if is_unit(unit) else value


def _plausible_unit(name: str, value: float) -> str:
    """No pixel or sensor is a centimetre thick, no detector 50 m away, no photon has 500 keV."""
    if name.endswith(("pixel_size_x", "pixel_size_y")):
        return "m" if value < 0.01 else "mm"
    if name.endswith("distance"):
        return "m" if value < 50 else "mm"
    if name == "sensor_thickness":
        return "m" if value < 0.01 else "mm" if value < 10 else "um"
    if name in ("energy", "threshold_energy"):
        return "keV" if value < 500 else "eV"
    return ATTRIBUTES[name].unit
