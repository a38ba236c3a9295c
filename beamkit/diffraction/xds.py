"""XDS: ``XDS.INP``, and the refined ``XPARM.XDS`` or ``GXPARM.XDS``.

Kabsch, Acta Cryst. D66, 125 (2010), and XDS manual, "Input parameters" and "XPARM.XDS". ORGX and
ORGY are where the normal of the detector through the sample meets it, counted so that 1 is the
centre of the first pixel; DETECTOR_DISTANCE is signed, along X-axis x Y-axis.

The frame of XDS is the user's. It is turned so that the incident beam is along z of the laboratory:
a beam close to +z is taken as in the usual XDS.INP, where X and Y of the frame are those of the
detector (seen from the sample x to the right, y down); one close to -z as in imgCIF and DIALS,
where y is up. What is up is the one thing that XDS leaves open.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from beamkit.core.atomic import write_text
from beamkit.core.errors import MetadataError, UnreadableFileError
from beamkit.core.transformations import NEXUS_FROM_IMGCIF

from ._placement import Array, Placement, as_vector, onto_beam

Source = str | os.PathLike[str] | Mapping[str, Any]

_MM = 1e-3

#: The usual frame of XDS.INP: x to the right, y down, z along the beam.
_NEXUS_FROM_XDS: Array = np.diag([-1.0, -1.0, 1.0])

_X_AXIS, _Y_AXIS = "DIRECTION_OF_DETECTOR_X-AXIS", "DIRECTION_OF_DETECTOR_Y-AXIS"
_BEAM, _WAVELENGTH = "INCIDENT_BEAM_DIRECTION", "X-RAY_WAVELENGTH"

#: How many numbers each parameter has.
_COUNTS = {
    "ORGX": 1, "ORGY": 1, "QX": 1, "QY": 1, "DETECTOR_DISTANCE": 1, _X_AXIS: 3, _Y_AXIS: 3,
    _BEAM: 3, _WAVELENGTH: 1, "NX": 1, "NY": 1,
}  # fmt: skip

_OPTIONAL = (_WAVELENGTH, "NX", "NY")

_ENTRY = re.compile(r"([A-Z][A-Z0-9_\-/'()]*)=\s*([^=]*?)(?=\s+[A-Z][A-Z0-9_\-/'()]*=|$)")


def read(source: Source) -> Placement:
    """Return the detector of an XDS.INP or XPARM.XDS file, or of its parameters by name.

    Parameters
    ----------
    source
        A file, or a mapping such as ``{"ORGX": 734.2, "ORGY": 840.2, "QX": 0.172, ...}``.

    Raises
    ------
    UnreadableFileError
        If the file cannot be read.
    MetadataError
        If parameters are missing or no numbers, or the detector has several segments.
    """
    entries, name = _loaded(source)
    numbers = _numbers(entries, name)
    turn = _to_laboratory(numbers[_BEAM])
    fast, slow = (_unit(numbers[axis], axis, name) for axis in (_X_AXIS, _Y_AXIS))
    (size_x,), (size_y,) = numbers["QX"] * _MM, numbers["QY"] * _MM
    (distance,) = numbers["DETECTOR_DISTANCE"] * _MM
    # ORGX counts centres from 1, positions count from the outer corner.
    (x,), (y,) = numbers["ORGX"] - 0.5, numbers["ORGY"] - 0.5
    corner = distance * np.cross(fast, slow) - x * size_x * fast - y * size_y * slow
    return Placement(
        as_vector(turn @ corner),
        as_vector(turn @ fast),
        as_vector(turn @ slow),
        float(size_x),
        float(size_y),
        (int(numbers["NY"][0]), int(numbers["NX"][0])) if {"NX", "NY"} <= set(numbers) else None,
        float(numbers[_WAVELENGTH][0]) if _WAVELENGTH in numbers else None,
        (
            f"detector_fast_axis: what is up in the frame of {name} is not said; taken so that "
            "the first pixel of the usual frame is at the top left, seen from the sample",
        ),
    )


def _to_laboratory(beam: Array) -> Array:
    usual = _NEXUS_FROM_XDS if beam[2] >= 0 else NEXUS_FROM_IMGCIF
    return np.asarray(onto_beam(as_vector(usual @ beam)) @ usual)


def _unit(vector: Array, axis: str, name: str) -> Array:
    length = float(np.linalg.norm(vector))
    if not length > 0:
        raise MetadataError(f"{name}: {axis} is 0 0 0; it must have a length. Correct it.")
    return vector / length


def _numbers(entries: Mapping[str, Any], name: str) -> dict[str, Array]:
    """Return the parameters as arrays, all that is wrong with them at once."""
    if "SEGMENT" in entries:
        raise MetadataError(
            f"{name} describes a detector of several segments (SEGMENT=); one flat detector is "
            "needed. Give the segment's own parameters as a mapping."
        )
    found = {key: _array(entries[key]) for key in _COUNTS if key in entries}
    missing = [key for key in _COUNTS if key not in found and key not in _OPTIONAL]
    wrong = [
        f"{key}= {entries[key]}"
        for key, value in found.items()
        if value.size != _COUNTS[key] or not np.isfinite(value).all()
    ]
    if _BEAM in found and not np.any(found[_BEAM]):
        wrong.append(f"{_BEAM}= 0 0 0")
    if missing or wrong:
        said = [f"{' and '.join(names)} {verb}" for names, verb in
                ((missing, "missing"), (wrong, "no numbers that can be")) if names]  # fmt: skip
        raise MetadataError(
            f"{name} does not place the detector: {'; '.join(said)}. Complete it; {_WAVELENGTH}, "
            "NX and NY may be left out."
        )
    return found


def _array(value: Any) -> Array:
    words = value.split() if isinstance(value, str) else np.ravel(value)
    try:
        return np.array([float(word) for word in words])
    except (TypeError, ValueError):
        return np.empty(0)


def _loaded(source: Source) -> tuple[Mapping[str, Any], str]:
    if isinstance(source, Mapping):
        return source, "XDS"
    path = Path(source)
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UnreadableFileError(
            f"{path} cannot be read: {error.strerror}. Check the name."
        ) from error
    lines = text.splitlines()
    if lines and "XPARM.XDS" in lines[0]:
        return _refined(lines[1:], str(path)), str(path)
    return _input(lines), str(path)


def _input(lines: Sequence[str]) -> dict[str, str]:
    """Return the parameters of an XDS.INP file; what follows ``!`` is a comment."""
    entries: dict[str, str] = {}
    for line in lines:
        for key, value in _ENTRY.findall(line.partition("!")[0].strip()):
            entries[key] = value.strip()
    return entries


def _refined(lines: Sequence[str], name: str) -> dict[str, Any]:
    """Return the parameters of an XPARM.XDS file, which are known by their place."""
    try:
        rows = [[float(word) for word in line.split()] for line in lines[:11]]
        (wavelength, *beam), (segments, nx, ny, qx, qy) = rows[1], rows[6]
        (orgx, orgy, distance), x_axis, y_axis = rows[7], rows[8], rows[9]
    except (ValueError, IndexError) as error:
        raise UnreadableFileError(
            f"{name} is not an XPARM.XDS file as XDS writes it since 2010. Give XDS.INP instead."
        ) from error
    entries = {
        _WAVELENGTH: wavelength, _BEAM: beam, "NX": nx, "NY": ny, "QX": qx, "QY": qy,
        "ORGX": orgx, "ORGY": orgy, "DETECTOR_DISTANCE": distance, _X_AXIS: x_axis, _Y_AXIS: y_axis,
    }  # fmt: skip
    return {**entries, "SEGMENT": segments} if segments > 1 else entries


def describe(placement: Placement) -> str:
    """Return the lines of XDS.INP that place the detector, in the usual frame of XDS."""
    fast, slow, origin = (
        _NEXUS_FROM_XDS @ np.asarray(vector)
        for vector in (placement.fast, placement.slow, placement.origin)
    )
    normal = np.cross(fast, slow)
    x, y = (-float(axis @ origin) for axis in (fast, slow))
    entries: dict[str, Sequence[float]] = {
        _X_AXIS: fast.tolist(),
        _Y_AXIS: slow.tolist(),
        "QX": [placement.pixel_size_x / _MM],
        "QY": [placement.pixel_size_y / _MM],
        "ORGX": [x / placement.pixel_size_x + 0.5],
        "ORGY": [y / placement.pixel_size_y + 0.5],
        "DETECTOR_DISTANCE": [float(normal @ origin) / _MM],
        _BEAM: [0.0, 0.0, 1.0],
    }
    if placement.wavelength is not None:
        entries[_WAVELENGTH] = [placement.wavelength]
    if placement.shape is not None:
        entries["NX"], entries["NY"] = [placement.shape[1]], [placement.shape[0]]
    lines = (
        f"{key}= {' '.join(repr(value + 0) for value in values)}" for key, values in entries.items()
    )
    return "\n".join([*lines, ""])


def write(placement: Placement, path: str | os.PathLike[str]) -> None:
    """Write the lines of :func:`describe` to a file. Raises WriteError."""
    write_text(path, describe(placement))
