"""Where a flat detector stands, and where the direct beam meets it.

Laboratory frame: NeXus/McStas (z along the beam, y up, x to the left looking along the beam), the
sample at the origin. A detector is three vectors, the geometry of record (DESIGN section 2):
``origin``, the outer corner of pixel (0, 0) [m], and the directions ``fast`` (increasing
detector_x) and ``slow`` (increasing detector_y). A point of the detector plane is
``origin + x pixel_size_x fast + y pixel_size_y slow``, with x and y *positions* counted from the
outer corner [pixel] (NXdetector_module, NeXus manual; Waterman et al., Acta Cryst. D72, 558 (2016),
section 3).

The beam centre is where the direct beam meets that plane, and the distance is measured along the
beam. On a detector that is not square to the beam, the foot of the perpendicular (PONI) is another
point, and the perpendicular another distance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .errors import MetadataError
from .transformations import Matrix, rotation_matrix

#: A detector square to the beam with its first pixel at the top left, seen from the sample.
SQUARE_FAST = (-1.0, 0.0, 0.0)
SQUARE_SLOW = (0.0, -1.0, 0.0)

#: The horizontal axis about which a detector arm swings upwards.
SWING_UP = (-1.0, 0.0, 0.0)

_BEAM = np.array([0.0, 0.0, 1.0])

#: Sine of the angle between beam and detector plane under which the two count as parallel.
_PARALLEL = 1e-6


class BeamCenter(NamedTuple):
    """Where the direct beam meets a detector.

    Attributes
    ----------
    x, y
        Position along a row and along a column, from the outer corner of the first pixel [pixel].
    distance
        From the sample, along the beam [m].
    """

    x: float
    y: float
    distance: float


class DetectorPlane(NamedTuple):
    """The geometry of record: ``origin`` [m], and the directions ``fast`` and ``slow``."""

    origin: tuple[float, float, float]
    fast: tuple[float, float, float]
    slow: tuple[float, float, float]


def beam_center(
    origin: Sequence[float],
    fast: Sequence[float],
    slow: Sequence[float],
    pixel_size_x: float,
    pixel_size_y: float,
) -> BeamCenter:
    """Return where the direct beam meets the detector plane, and how far from the sample.

    Solves ``origin + x pixel_size_x fast + y pixel_size_y slow = distance (0, 0, 1)``.

    Parameters
    ----------
    origin
        Outer corner of pixel (0, 0), laboratory frame [m].
    fast, slow
        Directions of increasing detector_x and detector_y; need not have length 1.
    pixel_size_x, pixel_size_y
        Pixel along a row and along a column [m], above 0.

    Raises
    ------
    MetadataError
        If the beam runs along the detector plane or meets it before the sample, or a vector or
        pixel size is impossible.

    Examples
    --------
    >>> beam_center((0.2, 0.1, 0.5), (-1, 0, 0), (0, -1, 0), 1e-3, 1e-3)
    BeamCenter(x=200.0, y=100.0, distance=0.5)
    """
    columns = np.column_stack(
        [
            _unit(fast, "fast axis") * _positive(pixel_size_x, "pixel_size_x"),
            _unit(slow, "slow axis") * _positive(pixel_size_y, "pixel_size_y"),
            -_BEAM,
        ]
    )
    corner = _vector(origin, "origin")
    if abs(np.linalg.det(columns)) < _PARALLEL * pixel_size_x * pixel_size_y:
        raise MetadataError(
            f"The direct beam runs along the detector plane, fast {list(fast)}, slow {list(slow)}; "
            "it must meet it. Give detector_origin=, detector_fast_axis= and detector_slow_axis=."
        )
    x, y, distance = (float(value) + 0.0 for value in np.linalg.solve(columns, -corner))
    if not distance > 0:
        raise MetadataError(
            f"The detector plane meets the beam {distance:.6g} m from the sample, before it; the "
            "distance must be above 0. An arm swung by 90 deg or more has no beam centre."
        )
    return BeamCenter(x, y, distance)


def origin_from_beam_center(
    x: float,
    y: float,
    distance: float,
    pixel_size_x: float,
    pixel_size_y: float,
    *,
    fast: Sequence[float] = SQUARE_FAST,
    slow: Sequence[float] = SQUARE_SLOW,
) -> tuple[float, float, float]:
    """Return the outer corner of pixel (0, 0), laboratory frame [m]; undoes `beam_center`.

    Parameters
    ----------
    x, y
        Where the direct beam meets the detector, from the outer corner [pixel].
    distance
        From the sample, along the beam [m].
    pixel_size_x, pixel_size_y
        Pixel along a row and along a column [m], above 0.
    fast, slow
        Directions of increasing detector_x and detector_y; default: square to the beam.

    Raises
    ------
    MetadataError
        If a vector or pixel size is impossible.

    Examples
    --------
    >>> origin_from_beam_center(200, 100, 0.5, 1e-3, 1e-3)
    (0.2, 0.1, 0.5)
    """
    corner = (
        distance * _BEAM
        - x * _positive(pixel_size_x, "pixel_size_x") * _unit(fast, "fast axis")
        - y * _positive(pixel_size_y, "pixel_size_y") * _unit(slow, "slow axis")
    )
    return _triple(corner)


def swing(
    plane: DetectorPlane, two_theta: float, *, axis: Sequence[float] = SWING_UP
) -> DetectorPlane:
    """Return a detector turned about the sample, as an arm does.

    Parameters
    ----------
    plane
        The detector at ``two_theta`` 0.
    two_theta
        Angle of the arm, right-handed about ``axis`` [deg].
    axis
        Direction of the axis, laboratory frame; default: horizontal, positive angles go up.
    """
    turn = rotation_matrix(axis, two_theta)
    return DetectorPlane(*(_triple(turn @ np.asarray(vector, float)) for vector in plane))


def _vector(value: Sequence[float], name: str) -> Matrix:
    result = np.asarray(value, float)
    if result.shape != (3,) or not np.isfinite(result).all():
        raise MetadataError(
            f"The detector's {name} is {list(value)}; three finite numbers are needed. "
            "Correct it in the file, or give the geometry when opening it."
        )
    return result


def _unit(value: Sequence[float], name: str) -> Matrix:
    vector = _vector(value, name)
    length = float(np.linalg.norm(vector))
    if not length > 0:
        raise MetadataError(
            f"The detector's {name} is {list(value)}; it must have a length. "
            "Correct it in the file, or give the geometry when opening it."
        )
    return np.asarray(vector / length)


def _positive(value: float, name: str) -> float:
    if not (np.isfinite(value) and value > 0):
        raise MetadataError(f"{name} is {value} m; it must be above 0. Give {name}= when opening.")
    return float(value)


def _triple(vector: Matrix) -> tuple[float, float, float]:
    # + 0.0 turns -0.0 into 0.0; 12 digits hide the rounding of cosines (1e-17 for 0).
    x, y, z = (float(round(float(value), 12)) + 0.0 for value in vector)
    return x, y, z
