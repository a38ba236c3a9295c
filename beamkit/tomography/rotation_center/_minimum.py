"""The bottom of a curve, between its samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def parabola(
    places: NDArray[np.float64], values: NDArray[np.float64], *, reach: float
) -> float | None:
    """Return the bottom of the parabola through the samples within ``reach`` of the lowest.

    None if the lowest sample is the first or the last, or the parabola has no bottom.
    """
    lowest = int(np.argmin(values))
    if lowest in (0, len(values) - 1):
        return None
    near = np.abs(places - places[lowest]) <= reach * (1 + 1e-9)
    curvature, slope, _ = np.polyfit(places[near] - places[lowest], values[near], 2)
    if not curvature > 0:
        return None
    return float(places[lowest] - np.clip(slope / (2 * curvature), -reach, reach))
