"""PONI files of pyFAI, versions 1 to 3.

Kieffer & Karkoulis, J. Phys. Conf. Ser. 425, 202012 (2013); pyFAI manual, "Detector geometry" and
"Orientation of the detector". Axis 1 is the slow one, axis 2 the fast one, axis 3 along the beam;
a point at (p1, p2) [m] on the detector is at ``R3 R2 R1 (p1 - poni1, p2 - poni2, distance)``, with
R1 and R2 left-handed and R3 right-handed.

An orientation other than 3 says that pyFAI counts p1 or p2 from the other end. It is converted at
the door: what a pixel is, is kept (its 2theta, and chi counted from increasing detector_x towards
increasing detector_y). A powder pattern does not say if a detector is seen in a mirror; the first
pixel is taken to be at the top left, seen from the sample, which is pyFAI's orientation 2.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from beamkit.core.atomic import write_text
from beamkit.core.detectors import LAYOUTS, ModuleLayout
from beamkit.core.errors import MetadataError, ParameterError, UnreadableFileError

from ._placement import Array, Placement, as_vector, checked_shape

#: From pyFAI's axes (orientation 3) to the laboratory: rows run down, columns to the right.
_LABORATORY: Array = np.array([[0.0, -1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])

#: By orientation: whether p1 and p2 grow (1) or fall (-1) with the index.
_SIGNS = {1: (-1, -1), 2: (-1, 1), 3: (1, 1), 4: (1, -1)}

_NATIVE = 3

#: The only one that says what is taken for all of them.
_TOP_LEFT = 2

_NUMBERS = ("distance", "poni1", "poni2", "rot1", "rot2", "rot3")


class Poni(NamedTuple):
    """pyFAI's six numbers: ``distance``, ``poni1``, ``poni2`` [m], ``rot1``, ``rot2``, ``rot3``
    [rad]. The foot of the perpendicular from the sample is at poni1 along a column and poni2
    along a row."""

    distance: float
    poni1: float
    poni2: float
    rot1: float
    rot2: float
    rot3: float


def rotation(rot1: float, rot2: float, rot3: float) -> Array:
    """Return pyFAI's ``R3 R2 R1``. Shape (3, 3); angles [rad]."""
    (s1, s2, s3), (c1, c2, c3) = np.sin([rot1, rot2, rot3]), np.cos([rot1, rot2, rot3])
    first = np.array([[1, 0, 0], [0, c1, s1], [0, -s1, c1]])
    second = np.array([[c2, 0, -s2], [0, 1, 0], [s2, 0, c2]])
    third = np.array([[c3, -s3, 0], [s3, c3, 0], [0, 0, 1]])
    return np.asarray(third @ second @ first)


def place(
    poni: Poni,
    pixel_size: tuple[float, float],
    *,
    shape: tuple[int, int] | None = None,
    orientation: int = _NATIVE,
    wavelength: float | None = None,
) -> Placement:
    """Return the detector that pyFAI's numbers describe.

    Parameters
    ----------
    poni
        The six numbers.
    pixel_size
        Along a row and along a column [m].
    shape
        Pixels (rows, columns); needed for the orientations 1, 2 and 4.
    orientation
        pyFAI's, 1 to 4.
    wavelength
        [angstrom]
    """
    sign1, sign2 = _signs(orientation)
    shape = None if shape is None else checked_shape(shape)
    end1, end2 = _ends(orientation, shape, pixel_size)
    mirror = np.diag([sign1, sign2, 1])
    turn = _LABORATORY @ mirror @ rotation(poni.rot1, poni.rot2, poni.rot3)
    return Placement(
        origin=as_vector(turn @ [end1 - poni.poni1, end2 - poni.poni2, poni.distance]),
        fast=as_vector(turn[:, 1] * sign2),
        slow=as_vector(turn[:, 0] * sign1),
        pixel_size_x=pixel_size[0],
        pixel_size_y=pixel_size[1],
        shape=shape,
        wavelength=wavelength,
        assumed=() if orientation == _TOP_LEFT else (mounting(f"PONI orientation {orientation}"),),
    )


def mounting(said: str) -> str:
    """Return the line of ``assumed`` for a format that does not know left from right."""
    return (
        f"detector_fast_axis: {said} is converted to its pixels; the detector is taken with its "
        "first pixel at the top left, seen from the sample"
    )


def poni_of(placement: Placement, *, orientation: int = _NATIVE) -> Poni:
    """Return pyFAI's six numbers for a detector; undoes :func:`place`.

    Raises
    ------
    MetadataError
        If the image is mirrored, or the shape is not known and the orientation needs it.
    """
    sign1, sign2 = _signs(orientation)
    end1, end2 = _ends(orientation, placement.shape, _pixel_size(placement))
    normal = np.asarray(placement.normal)
    distance = float(normal @ placement.origin)
    if not distance > 0:
        raise MetadataError(
            f"The detector is seen from behind or in a mirror (fast {placement.fast}, slow "
            f"{placement.slow}); pyFAI's numbers as they are read here hold a detector seen from "
            "the sample only. Flip the image along one axis, and that axis of the geometry."
        )
    fast = np.asarray(placement.fast)
    slow = np.cross(normal, fast)  # at right angles, as pyFAI has it
    mirror = np.diag([sign1, sign2, 1])
    turn = mirror @ _LABORATORY @ np.column_stack([sign1 * slow, sign2 * fast, normal])
    return Poni(
        distance,
        float(end1 - sign1 * slow @ placement.origin),
        float(end2 - sign2 * fast @ placement.origin),
        *_angles(turn),
    )


def _angles(turn: Array) -> tuple[float, float, float]:
    """Return rot1, rot2, rot3 of ``R3 R2 R1``; at rot2 = 90 deg, rot1 is 0."""
    across = math.hypot(turn[2, 1], turn[2, 2])
    rot2 = math.atan2(turn[2, 0], across)
    if across < 1e-12:
        return 0.0, rot2, math.atan2(-turn[0, 1], turn[1, 1])
    rot1 = math.atan2(-turn[2, 1], turn[2, 2])
    rot3 = math.atan2(turn[1, 0], turn[0, 0])
    return rot1 + 0.0, rot2 + 0.0, rot3 + 0.0


def _signs(orientation: int) -> tuple[int, int]:
    if orientation not in _SIGNS:
        raise ParameterError(
            f"orientation={orientation!r} is not one of pyFAI's that are supported: 1, 2, 3, 4."
        )
    return _SIGNS[orientation]


def _ends(
    orientation: int, shape: Sequence[int] | None, pixel_size: tuple[float, float]
) -> tuple[float, float]:
    """Return p1 and p2 of the outer corner of pixel (0, 0) [m]."""
    sign1, sign2 = _SIGNS[orientation]
    if orientation == _NATIVE:
        return 0.0, 0.0
    if shape is None:
        raise MetadataError(
            f"Orientation {orientation} counts from the last row or column, and the shape of the "
            "detector is not known. Give shape=(rows, columns)."
        )
    rows, columns = shape
    end1 = rows * pixel_size[1] if sign1 < 0 else 0.0
    end2 = columns * pixel_size[0] if sign2 < 0 else 0.0
    return end1, end2


def _pixel_size(placement: Placement) -> tuple[float, float]:
    return placement.pixel_size_x, placement.pixel_size_y


def write(placement: Placement, path: str | os.PathLike[str], *, orientation: int = 3) -> None:
    """Write a PONI file, version 2.1.

    Raises
    ------
    MetadataError
        As for :func:`poni_of`.
    WriteError
        If the file cannot be written.
    """
    config = {
        "pixel1": placement.pixel_size_y,
        "pixel2": placement.pixel_size_x,
        "max_shape": None if placement.shape is None else list(placement.shape),
        "orientation": orientation,
    }
    numbers = poni_of(placement, orientation=orientation)
    lines = [
        "# Nota: C-Order, 1 refers to the Y axis, 2 to the X axis",
        "poni_version: 2.1",
        "Detector: Detector",
        f"Detector_config: {json.dumps(config)}",
        *(f"{name.capitalize()}: {value!r}" for name, value in numbers._asdict().items()),
    ]
    if placement.wavelength is not None:
        lines.append(f"Wavelength: {placement.wavelength * 1e-10!r}")
    write_text(path, "\n".join([*lines, ""]))


def read(
    path: str | os.PathLike[str],
    *,
    pixel_size: tuple[float, float] | None = None,
    shape: tuple[int, int] | None = None,
    orientation: int | None = None,
) -> Placement:
    """Return the detector of a PONI file of version 1, 2, 2.1 or 3.

    Parameters
    ----------
    path
        The file; of several calibrations in it, the last counts.
    pixel_size
        Along a row and along a column [m], where the file names a detector that is not known here.
    shape
        Pixels (rows, columns), where the file does not give them.
    orientation
        pyFAI's, instead of that of the file. A program that turned the image upside down before
        calibrating, as Dioptas does with TIFF and CBF, writes a file whose orientation is 2 for
        the image as it is.

    Raises
    ------
    UnreadableFileError
        If it is no PONI file, or a number is missing.
    MetadataError
        If pixel size or shape are needed and not known.
    """
    found = _entries(Path(path))
    config, layout = _config(found, path), _layout(found.get("detector", ""))
    sizes = pixel_size or _sizes({**found, **config}, layout, path)
    wavelength = _number(found, "wavelength", path) if "wavelength" in found else None
    placed = place(
        Poni(*(_number(found, name, path) for name in _NUMBERS)),
        sizes,
        shape=shape or config.get("max_shape") or (layout.shape if layout else None),
        orientation=orientation or config.get("orientation") or _NATIVE,
        wavelength=None if wavelength is None else wavelength * 1e10,
    )
    lines = (*placed.assumed, *_not_applied({**config, **found}))
    return Placement(**{**vars(placed), "assumed": lines})


def _entries(path: Path) -> dict[str, str]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UnreadableFileError(
            f"{path} cannot be read: {error.strerror}. Check the name."
        ) from error
    lines = [line for line in text.splitlines() if ":" in line and not line.startswith("#")]
    pairs = (line.split(":", 1) for line in lines)
    found = {name.strip().lower(): value.strip() for name, value in pairs}
    return {{"dist": "distance"}.get(name, name): value for name, value in found.items()}


def _config(found: Mapping[str, str], path: str | os.PathLike[str]) -> dict[str, Any]:
    try:
        config = json.loads(found.get("detector_config") or "{}")
    except json.JSONDecodeError as error:
        raise UnreadableFileError(
            f"{path}: Detector_config is not JSON: {error}. Calibrate or export the file again."
        ) from error
    return config if isinstance(config, dict) else {}


def _number(found: Mapping[str, Any], name: str, path: str | os.PathLike[str]) -> float:
    try:
        value = float(found[name])
    except (KeyError, TypeError, ValueError, OverflowError):
        value = math.nan
    if not math.isfinite(value):
        said = found.get(name, "nothing")
        raise UnreadableFileError(
            f"{path}: {name.capitalize()} is {said}, a number is needed; a PONI file has "
            "Distance, Poni1, Poni2, Rot1, Rot2 and Rot3. Calibrate or export the file again."
        )
    return value


def _sizes(
    found: Mapping[str, Any], layout: ModuleLayout | None, path: str | os.PathLike[str]
) -> tuple[float, float]:
    for name in ("pixel", "pixelsize"):
        if found.get(f"{name}1") and found.get(f"{name}2"):
            return _number(found, f"{name}2", path), _number(found, f"{name}1", path)
    if layout is None:
        raise MetadataError(
            f"{path}: the detector {found.get('detector', 'without name')!r} is not known here, "
            "and the file gives no pixel size. Give pixel_size=(x, y) in m, and shape=(rows, "
            "columns)."
        )
    return layout.pixel_size, layout.pixel_size


def _layout(detector: str) -> ModuleLayout | None:
    """Return the layout of a detector by its name in pyFAI, such as Eiger2CdTe_4M."""
    name = _bare(detector).replace("cdte", "")
    return next((layout for layout in LAYOUTS if _bare(layout.name) == name), None)


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _not_applied(found: Mapping[str, Any]) -> list[str]:
    """Return what the file asks for and a flat detector cannot give."""
    lines = []
    if str(found.get("parallax", "")).lower() == "true":
        lines.append("parallax: the correction that the file asks for is not applied")
    spline = found.get("splinefile") or found.get("splineFile")
    if spline and str(spline).lower() != "none":
        lines.append(f"distortion: the spline {spline} is not applied; the detector is taken flat")
    return lines
