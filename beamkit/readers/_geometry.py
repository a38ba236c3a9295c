"""Where the detector stands: beam centre and distance, or origin and axes; each from the other.

Both describe the same plane. The laboratory frame is that of :mod:`beamkit.core.schema`: the beam
runs along z through the sample at 0, and meets the plane at ``(0, 0, detector_distance)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

#: What the origin of the detector follows from, beside its axes.
GEOMETRY = ("beam_center_x", "beam_center_y", "detector_distance", "pixel_size_x", "pixel_size_y")

#: Axes of a detector square to the beam, seen from the sample: columns along -x, rows along -y.
SQUARE_FAST = (-1.0, 0.0, 0.0)
SQUARE_SLOW = (0.0, -1.0, 0.0)


def place_detector(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """Return origin and axes of a detector from beam centre, distance and pixel size.

    ``origin = (0, 0, distance) - beam_center_x pixel_size_x fast - beam_center_y pixel_size_y
    slow``. Axes that are not given are those of a detector square to the beam.

    Returns
    -------
    geometry
        ``detector_origin`` [m], ``detector_fast_axis``, ``detector_slow_axis``; empty if
        something that they follow from is missing.
    """
    if any(name not in attrs for name in GEOMETRY):
        return {}
    fast = np.asarray(attrs.get("detector_fast_axis", SQUARE_FAST), float)
    slow = np.asarray(attrs.get("detector_slow_axis", SQUARE_SLOW), float)
    x, y, distance, width, height = (float(attrs[name]) for name in GEOMETRY)
    origin = np.array([0.0, 0.0, distance]) - x * width * fast - y * height * slow
    return {
        "detector_origin": origin.tolist(),
        "detector_fast_axis": fast.tolist(),
        "detector_slow_axis": slow.tolist(),
    }


def place_beam(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """Return beam centre [pixel] and distance [m] where the beam meets the detector's plane.

    Solves ``(0, 0, distance) = origin + x pixel_size_x fast + y pixel_size_y slow``. Empty if
    something is missing, or the beam runs along the plane or meets it behind the sample.
    """
    vectors = ("detector_origin", "detector_fast_axis", "detector_slow_axis")
    if any(name not in attrs for name in (*vectors, "pixel_size_x", "pixel_size_y")):
        return {}
    origin, fast, slow = (np.asarray(attrs[name], float) for name in vectors)
    matrix = np.column_stack(
        [fast * attrs["pixel_size_x"], slow * attrs["pixel_size_y"], [0.0, 0.0, -1.0]]
    )
    # The columns differ in length by the pixel size; the sine of the angle decides, not the size.
    unit = matrix / np.linalg.norm(matrix, axis=0)
    if abs(np.linalg.det(unit)) < 1e-9:
        return {}
    x, y, distance = np.linalg.solve(matrix, -origin)
    if not distance > 0:
        return {}
    return {
        "beam_center_x": float(x),
        "beam_center_y": float(y),
        "detector_distance": float(distance),
    }
