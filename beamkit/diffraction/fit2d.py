"""Fit2D's numbers: beam centre, distance along the beam, tilt.

Hammersley et al., High Pressure Res. 14, 235 (1996); the relations to pyFAI's numbers are those of
the pyFAI manual, "Conversion to Fit2D". Fit2D has two angles, so a turn about the beam (rot3) has
no place in it. pyFAI's own conversion *from* Fit2D adds a rot3 of second order in the tilt, which
its conversion *to* Fit2D drops again: 2theta is the same, chi differs by that angle. Here rot3
is 0.
"""

from __future__ import annotations

import math

from beamkit.core.errors import MetadataError

from ._placement import Placement
from .poni import Poni, mounting, place, poni_of

#: rot3 under which chi, the only number that it touches, is the same for every purpose [rad].
_NO_TURN = 1e-6


def read(
    *,
    center_x: float,
    center_y: float,
    distance: float,
    pixel_x: float,
    pixel_y: float,
    tilt: float = 0.0,
    tilt_plane_rotation: float = 0.0,
    wavelength: float | None = None,
    shape: tuple[int, int] | None = None,
) -> Placement:
    """Return the detector that Fit2D's numbers describe.

    Parameters
    ----------
    center_x, center_y
        Where the direct beam meets the detector, from the outer corner [pixel].
    distance
        Sample to detector along the beam [mm].
    pixel_x, pixel_y
        Pixel along a row and along a column [um].
    tilt, tilt_plane_rotation
        Angle of the tilt, and its direction in the detector [deg].
    wavelength
        [angstrom]
    shape
        Pixels (rows, columns).
    """
    angle, azimuth = math.radians(tilt), math.radians(tilt_plane_rotation)
    across, up = math.sin(angle) * math.cos(azimuth), math.sin(angle) * math.sin(azimuth)
    beam, size_x, size_y = distance * 1e-3, pixel_x * 1e-6, pixel_y * 1e-6
    poni = Poni(
        distance=beam * math.cos(angle),
        poni1=center_y * size_y - beam * up,
        poni2=center_x * size_x - beam * across,
        # cos(tilt) = cos(rot1) cos(rot2), across = -cos(rot2) sin(rot1), up = sin(rot2)
        rot1=math.atan2(-across, math.cos(angle)) + 0.0,
        rot2=math.asin(up),
        rot3=0.0,
    )
    placed = place(poni, (size_x, size_y), shape=shape, wavelength=wavelength)
    return Placement(**{**vars(placed), "assumed": (mounting("Fit2D's geometry"),)})


def describe(placement: Placement) -> dict[str, float]:
    """Return Fit2D's numbers, as :func:`read` takes them.

    Raises
    ------
    MetadataError
        If the detector is turned about the beam (rot3), or the beam does not meet it.
    """
    poni = poni_of(placement)
    if abs(poni.rot3) > _NO_TURN:
        raise MetadataError(
            f"The detector is turned about the beam by rot3 = {math.degrees(poni.rot3):.6g} deg, "
            "and Fit2D cannot hold rot3. Write a PONI file with to_poni, or turn the image."
        )
    beam = placement.beam_center
    across, up = -math.cos(poni.rot2) * math.sin(poni.rot1), math.sin(poni.rot2)
    sine = math.hypot(across, up)
    cosine = math.cos(poni.rot1) * math.cos(poni.rot2)
    numbers = {
        "center_x": beam.x,
        "center_y": beam.y,
        "distance": beam.distance * 1e3,
        "pixel_x": placement.pixel_size_x * 1e6,
        "pixel_y": placement.pixel_size_y * 1e6,
        "tilt": math.degrees(math.atan2(sine, cosine)),
        "tilt_plane_rotation": math.degrees(math.atan2(up, across)) if sine else 0.0,
    }
    return (
        numbers if placement.wavelength is None else {**numbers, "wavelength": placement.wavelength}
    )
