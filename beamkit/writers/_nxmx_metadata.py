"""The fields of an NXmx file: beam, detector, source, sample, times.

Source: NeXus definitions, applications/NXmx.nxdl.xml.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import h5py
import numpy as np

from ._nxmx_fields import group, number

Attrs = Mapping[str, Any]

#: Attribute, name of the field, and its unit, in NXdetector.
_DETECTOR = (
    ("detector_distance", "distance", "m"),
    ("pixel_size_x", "x_pixel_size", "m"),
    ("pixel_size_y", "y_pixel_size", "m"),
    ("beam_center_x", "beam_center_x", "pixel"),
    ("beam_center_y", "beam_center_y", "pixel"),
    ("exposure_time", "count_time", "s"),
    ("exposure_period", "frame_time", "s"),
    ("dead_time", "dead_time", "s"),
    ("threshold_energy", "threshold_energy", "keV"),
    ("sensor_thickness", "sensor_thickness", "m"),
)
_BEAM = (
    ("wavelength", "incident_wavelength", "angstrom"),
    ("energy", "incident_energy", "keV"),
    ("flux", "total_flux", "Hz"),
)
_DETECTOR_TEXTS = (
    ("detector", "description"),
    ("detector_serial", "serial_number"),
    ("sensor_material", "sensor_material"),
    ("gain_setting", "gain_setting"),
)


def describe(entry: h5py.Group, attrs: Attrs, dtype: np.dtype[Any], frames: int) -> None:
    """Write what is known about the measurement into an NXentry."""
    entry["definition"] = "NXmx"
    _texts(entry, attrs, ("title", "visit:experiment_identifier", "scan_command"))
    _times(entry, attrs, frames)
    instrument = group(entry, "instrument", "NXinstrument")
    source = group(entry, "source", "NXsource")
    name = attrs.get("beamline", "")
    instrument["name"] = source["name"] = name or "unknown"
    source["type"] = "Synchrotron X-ray Source" if name else "unknown"
    if "source_distance" in attrs:
        number(source, "distance", attrs["source_distance"], "m")
    _beam(group(instrument, "beam", "NXbeam"), attrs)
    if "filter_transmission" in attrs:
        attenuator = group(instrument, "attenuator", "NXattenuator")
        number(attenuator, "attenuator_transmission", attrs["filter_transmission"])
    _detector(group(instrument, "detector", "NXdetector"), attrs, dtype)
    sample = group(entry, "sample", "NXsample")
    sample["name"] = attrs.get("sample", "") or "unknown"


def _texts(target: h5py.Group, attrs: Attrs, names: tuple[str, ...]) -> None:
    for each in names:
        name, _, field = each.partition(":")
        if name in attrs:
            target[field or name] = str(attrs[name])


def _times(entry: h5py.Group, attrs: Attrs, frames: int) -> None:
    start, period = attrs.get("start_time"), attrs.get("exposure_period")
    if not start:
        return
    entry["start_time"] = start
    if period is None:
        return
    try:
        end = datetime.fromisoformat(start) + timedelta(seconds=float(period) * frames)
    except (ValueError, OverflowError):
        return  # a time in words; it stands in the file as it is
    entry["end_time_estimated"] = end.isoformat()


def _beam(beam: h5py.Group, attrs: Attrs) -> None:
    for name, field, units in _BEAM:
        if name in attrs:
            number(beam, field, float(attrs[name]), units)
    if "polarization" in attrs:
        # Stokes parameters: intensity, then horizontal minus vertical, relative to it.
        stokes = np.array([1.0, float(attrs["polarization"]), 0.0, 0.0])
        number(beam, "incident_polarization_stokes", stokes)


def _detector(detector: h5py.Group, attrs: Attrs, dtype: np.dtype[Any]) -> None:
    for name, field, units in _DETECTOR:
        if name in attrs:
            number(detector, field, float(attrs[name]), units)
    for name, field in _DETECTOR_TEXTS:
        if name in attrs:
            detector[field] = str(attrs[name])
    if "count_cutoff" in attrs:
        number(detector, "saturation_value", _whole(float(attrs["count_cutoff"])))
        number(detector, "underload_value", 0)
    if dtype.kind in "iu":
        number(detector, "bit_depth_image", dtype.itemsize * 8)
    detector["type"] = "Pixel"


def _whole(value: float) -> int | float:
    return int(value) if value.is_integer() else value
