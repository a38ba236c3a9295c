"""The vocabulary: names of dimensions and attributes, their units, and checks that speak them.

A dataset is an ``xarray.Dataset`` with ``attrs["kind"]``. The conventions, stated here once:

1. Coordinates ``detector_x`` and ``detector_y`` hold the pixel *index on the full, unbinned
   detector*: 0 is the centre of the first pixel; a crop keeps its numbers, a bin of two has
   0.5, 2.5 ... ``rotation_center`` is such an index: (n - 1)/2 is the middle of n pixels.
   ``beam_center_x`` and ``beam_center_y`` are *positions* counted from the outer corner of the
   first pixel, as in NeXus, pyFAI and DIALS: :func:`index_to_position`.
2. Laboratory frame: NeXus/McStas, right-handed: z along the beam, y up, x to the left looking
   along the beam. A detector seen from the sample has its columns along -x and rows along -y.
3. ``chi`` is pyFAI's (orientation 3): 0 towards increasing detector_x, 90 deg towards increasing
   detector_y, in (-180, 180].
4. Volume axes are right-handed and centred on the axis of rotation: x = column - (n - 1)/2 along
   +detector_x, y = row - (n - 1)/2 pointing from detector to source at angle 0, z = +detector_y
   (down). For a stage turning counter-clockwise seen from above,
   ``detector_x - rotation_center = x cos(angle) + y sin(angle)``. ``rotation_sense`` -1 negates
   the angles.
5. Masked, dead or saturated pixels are NaN in floating-point results, never 0.
6. ``attrs["quantity"]`` says what the numbers are, beside ``units``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import QuantityError, ShapeError, UnknownNameError

if TYPE_CHECKING:
    import xarray as xr

ANGLE, DETECTOR_Y, DETECTOR_X = "angle", "detector_y", "detector_x"
PROJECTIONS = (ANGLE, DETECTOR_Y, DETECTOR_X)
FLATS = ("flat", DETECTOR_Y, DETECTOR_X)
DARKS = ("dark", DETECTOR_Y, DETECTOR_X)
FRAMES = ("frame", DETECTOR_Y, DETECTOR_X)
VOLUME = ("z", "y", "x")

#: What a dataset can be, and its main variable.
KINDS = {
    "tomography": "projections",
    "diffraction": "frames",
    "image": "image",
    "scan": "",  # one variable per column
    "pattern": "intensity",
    "volume": "volume",
}

#: What the numbers of an array can be, in the order of a tomography pipeline.
QUANTITIES = ("counts", "transmission", "line integral", "attenuation")


@dataclass(frozen=True)
class Attribute:
    """One metadata attribute: what it is called here, in NeXus and in a PILATUS header."""

    name: str
    unit: str
    meaning: str
    nexus: str = ""
    minicbf: str = ""


_DETECTOR = "instrument/detector"
_BEAM = "instrument/beam"

ATTRIBUTES: dict[str, Attribute] = {
    attribute.name: attribute
    for attribute in (
        Attribute("energy", "keV", "photon energy", f"{_BEAM}/incident_energy"),
        Attribute(
            "wavelength",
            "angstrom",
            "wavelength of the photons",
            f"{_BEAM}/incident_wavelength",
            "Wavelength",
        ),
        Attribute(
            "detector_distance",
            "m",
            "sample to detector, along the beam",
            f"{_DETECTOR}/distance",
            "Detector_distance",
        ),
        Attribute(
            "pixel_size_x",
            "m",
            "detector pixel, along a row",
            f"{_DETECTOR}/x_pixel_size",
            "Pixel_size",
        ),
        Attribute(
            "pixel_size_y",
            "m",
            "detector pixel, along a column",
            f"{_DETECTOR}/y_pixel_size",
            "Pixel_size",
        ),
        Attribute(
            "effective_pixel_size_x", "m", "pixel at the sample, along a row", "sample/x_pixel_size"
        ),
        Attribute(
            "effective_pixel_size_y",
            "m",
            "pixel at the sample, along a column",
            "sample/y_pixel_size",
        ),
        Attribute(
            "magnification",
            "1",
            "pixel of the detector over pixel at the sample",
            f"{_DETECTOR}/magnification",
        ),
        Attribute(
            "propagation_distance",
            "m",
            "sample to detector, effective for phase contrast",
            "sample/propagation_distance",
        ),
        Attribute("source_distance", "m", "source to sample", "instrument/source/distance"),
        Attribute(
            "beam_center_x",
            "pixel",
            "where the direct beam meets the detector, along a row, from the outer corner",
            f"{_DETECTOR}/beam_center_x",
            "Beam_xy",
        ),
        Attribute(
            "beam_center_y",
            "pixel",
            "where the direct beam meets the detector, along a column, from the outer corner",
            f"{_DETECTOR}/beam_center_y",
            "Beam_xy",
        ),
        Attribute(
            "exposure_time",
            "s",
            "counting time of a frame",
            f"{_DETECTOR}/count_time",
            "Exposure_time",
        ),
        Attribute(
            "exposure_period",
            "s",
            "start of a frame to start of the next",
            f"{_DETECTOR}/frame_time",
            "Exposure_period",
        ),
        Attribute(
            "dead_time", "s", "dead time of the counter (tau)", f"{_DETECTOR}/dead_time", "Tau"
        ),
        Attribute(
            "start_angle", "deg", "rotation angle at the start of a frame", "", "Start_angle"
        ),
        Attribute("angle_increment", "deg", "rotation during a frame", "", "Angle_increment"),
        Attribute("detector_two_theta", "deg", "swing of the detector arm", "", "Detector_2theta"),
        Attribute("omega", "deg", "goniometer angle omega", "", "Omega"),
        Attribute("phi", "deg", "goniometer angle phi", "", "Phi"),
        Attribute("chi", "deg", "goniometer angle chi", "", "Chi"),
        Attribute("kappa", "deg", "goniometer angle kappa", "", "Kappa"),
        Attribute("alpha", "deg", "goniometer angle alpha", "", "Alpha"),
        Attribute(
            "threshold_energy",
            "keV",
            "lowest photon energy that counts",
            f"{_DETECTOR}/threshold_energy",
            "Threshold_setting",
        ),
        Attribute(
            "count_cutoff",
            "counts",
            "highest valid count",
            f"{_DETECTOR}/saturation_value",
            "Count_cutoff",
        ),
        Attribute(
            "filter_transmission",
            "1",
            "transmission of the attenuator",
            "instrument/attenuator/attenuator_transmission",
            "Filter_transmission",
        ),
        Attribute(
            "flux", "ph/s", "photons per second on the sample", f"{_BEAM}/total_flux", "Flux"
        ),
        Attribute(
            "polarization",
            "1",
            "(I_h - I_v)/(I_h + I_v) of the beam",
            f"{_BEAM}/incident_polarization",
            "Polarization",
        ),
        Attribute(
            "sensor_material", "", "sensor", f"{_DETECTOR}/sensor_material", "Silicon sensor"
        ),
        Attribute(
            "sensor_thickness",
            "m",
            "thickness of the sensor",
            f"{_DETECTOR}/sensor_thickness",
            "Silicon sensor",
        ),
        Attribute(
            "gain_setting", "", "gain of the detector", f"{_DETECTOR}/gain_setting", "Gain_setting"
        ),
        Attribute("detector", "", "detector", f"{_DETECTOR}/description", "Detector"),
        Attribute(
            "detector_serial",
            "",
            "serial number of the detector",
            f"{_DETECTOR}/serial_number",
            "Detector",
        ),
        Attribute("beamline", "", "beamline", "instrument/name"),
        Attribute("visit", "", "visit or proposal", "experiment_identifier"),
        Attribute("sample", "", "sample", "sample/name"),
        Attribute("title", "", "title of the scan", "title"),
        Attribute("start_time", "", "start of the scan, ISO 8601", "start_time", "(timestamp)"),
        Attribute(
            "rotation_center", "pixel", "index of the detector column on the axis of rotation"
        ),
        Attribute("rotation_sense", "1", "+1 counter-clockwise seen from above, -1 clockwise"),
        Attribute("rotation_range", "deg", "rotation from the first to the last projection"),
        Attribute(
            "detector_origin", "m", "outer corner of pixel (0, 0), laboratory frame: x, y, z"
        ),
        Attribute(
            "detector_fast_axis", "1", "direction of increasing detector_x, laboratory frame"
        ),
        Attribute(
            "detector_slow_axis", "1", "direction of increasing detector_y, laboratory frame"
        ),
        Attribute("goniometer", "", "axes, vectors and settings, JSON"),
        Attribute("scan_command", "", "command that made the scan", "scan_command"),
        Attribute("scans", "", "scans that the file holds"),
        Attribute("image_template", "", "names of the images that belong to a scan"),
        Attribute("source", "", "file that the data came from"),
        Attribute("format", "", "format of that file"),
    )
}

#: Attributes that keep the books rather than describe the measurement.
BOOKKEEPING = ("kind", "quantity", "units", "header", "history", "assumed", "conflicts", "notes")


def index_to_position(index: float) -> float:
    """Return the position, from the outer corner of the first pixel, of a pixel index [pixel]."""
    return index + 0.5


def position_to_index(position: float) -> float:
    """Return the pixel index of a position counted from the outer corner [pixel]."""
    return position - 0.5


def main_variable(data: xr.Dataset) -> str:
    """Return the name of the variable that a dataset is about.

    Raises
    ------
    UnknownNameError
        If ``attrs["kind"]`` is not one of :data:`KINDS`.
    """
    kind = data.attrs.get("kind", "")
    if kind not in KINDS:
        raise UnknownNameError("kind of dataset", str(kind), KINDS)
    return KINDS[kind] or str(next(iter(data.data_vars)))


def require_dims(data: xr.DataArray, dims: tuple[str, ...], *, what: str) -> None:
    """Raise ShapeError unless ``data`` has exactly ``dims``, in that order."""
    if data.dims == dims:
        return
    if set(data.dims) == set(dims):
        cure = f"Reorder with .transpose{dims}."
    else:
        cure = (
            "Rename with .rename(...), or select or add the dimensions that differ. "
            "isel(detector_y=3) drops the dimension, isel(detector_y=slice(3, 4)) keeps it."
        )
    raise ShapeError(
        f"{what} must have dimensions {dims}, got {data.dims} of sizes {data.shape}. {cure}"
    )


def require_quantity(data: xr.DataArray, quantity: str, *, to: str, cure: str) -> None:
    """Raise QuantityError if ``data`` says that it is something else than ``quantity``.

    An array that says nothing is taken as what the function expects.
    """
    by_units = "counts" if data.attrs.get("units") == "counts" else quantity
    found = data.attrs.get("quantity", by_units)
    if found != quantity:
        raise QuantityError(
            f"To {to}, the data must be {quantity!r}, but they are {found!r}. {cure}"
        )


def note(attrs: MutableMapping[str, Any], key: str, text: str) -> None:
    """Add a line to the list ``attrs[key]``: ``assumed``, ``conflicts`` or ``notes``."""
    found = lines(attrs, key)
    if text not in found:
        attrs[key] = [*found, text]


def lines(attrs: Mapping[str, Any], key: str) -> list[str]:
    """Return the list ``attrs[key]``, empty if it is absent.

    netCDF gives a list of one text back as that text; this is a list all the same.
    """
    found = attrs.get(key, [])
    return [found] if isinstance(found, str) else [str(line) for line in found]


def header_text(header: Mapping[str, Any]) -> str:
    """Return an unparsed header as the JSON text that ``attrs["header"]`` holds."""
    return json.dumps(header, default=str, ensure_ascii=False)
