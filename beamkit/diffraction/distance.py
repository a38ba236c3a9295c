"""A detector at another distance."""

from __future__ import annotations

import math
from dataclasses import replace

from beamkit.core.errors import ParameterError

from .geometry import Geometry


def with_distance(geometry: Geometry, distance: float) -> Geometry:
    """Return the detector moved along the beam; the beam centre and the tilt stay.

    Parameters
    ----------
    geometry
        Which the direct beam meets.
    distance
        From the sample along the beam [m], above 0.

    Raises
    ------
    ParameterError
        If the distance is not above 0.
    MetadataError
        If the direct beam does not meet the detector.
    """
    if not 0 < distance < math.inf:
        raise ParameterError(
            f"The distance is {distance} m; it must be above 0. Give it in metres, along the beam."
        )
    x, y, z = geometry.origin
    origin = (x, y, z + distance - geometry.beam_center.distance)
    known = tuple(line for line in geometry.assumed if not line.startswith("detector_distance"))
    return replace(geometry, origin=origin, assumed=known)
