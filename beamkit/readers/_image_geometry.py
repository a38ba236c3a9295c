"""From the numbers of an image header to the geometry of record."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from beamkit.core.detector_geometry import (
    SQUARE_FAST,
    SQUARE_SLOW,
    BeamCenter,
    DetectorPlane,
    beam_center,
    origin_from_beam_center,
    swing,
)
from beamkit.core.errors import MetadataError
from beamkit.core.schema import ATTRIBUTES, note

Attrs = dict[str, Any]

#: What a header must say for the detector to have a place.
NOMINAL = ("beam_center_x", "beam_center_y", "detector_distance", "pixel_size_x", "pixel_size_y")

#: Differences that are rounding in a header: 0.1 pixel, 0.1 % of the distance.
_PIXELS, _RELATIVE = 0.1, 1e-3


def nominal_plane(attrs: Attrs) -> DetectorPlane | None:
    """Return where a header puts the detector, as far as it can; None if a number is missing.

    The beam centre and distance of a header are those with the arm at 0. How the detector is
    mounted, and about which axis its arm swings, a header does not say: both are listed in
    ``attrs["assumed"]``.
    """
    if any(name not in attrs for name in NOMINAL):
        return None
    plane = DetectorPlane(
        origin_from_beam_center(*(attrs[name] for name in NOMINAL)), SQUARE_FAST, SQUARE_SLOW
    )
    note(
        attrs,
        "assumed",
        "detector_fast_axis: the header does not say how the detector is mounted; taken with its "
        "rows horizontal and the first pixel at the top left, seen from the sample",
    )
    angle = attrs.get("detector_two_theta", 0.0)
    if angle == 0:
        return plane
    note(
        attrs,
        "assumed",
        "detector_slow_axis: the header does not say which way detector_two_theta turns; taken as "
        "upwards, about the horizontal axis",
    )
    return swing(plane, angle)


def place(attrs: Attrs, plane: DetectorPlane | None) -> None:
    """Set the geometry of record, and the beam centre and distance that follow from it, in place.

    Parameters
    ----------
    attrs
        Attributes of the header; nominal values that differ are listed in ``attrs["conflicts"]``.
    plane
        Where the detector stands, if the file says so; None takes :func:`nominal_plane`.
    """
    plane = plane or nominal_plane(attrs)
    if plane is None or "pixel_size_x" not in attrs or "pixel_size_y" not in attrs:
        return
    nominal = {name: attrs.pop(name) for name in NOMINAL[:3] if name in attrs}
    attrs["detector_origin"] = list(plane.origin)
    attrs["detector_fast_axis"] = list(plane.fast)
    attrs["detector_slow_axis"] = list(plane.slow)
    try:
        beam = _beam_center(plane, attrs["pixel_size_x"], attrs["pixel_size_y"])
    except MetadataError as error:
        note(attrs, "notes", f"beam_center_x: there is none. {error}")
        return
    found = dict(zip(NOMINAL[:3], beam, strict=True))
    for name, value in found.items():
        stated = nominal.get(name, value)
        tolerance = _RELATIVE * abs(value) if name == "detector_distance" else _PIXELS
        if abs(value - stated) > tolerance:
            note(attrs, "conflicts", _conflict(name, stated, value, attrs))
        # A header's own digits are kept where they agree: 0.16 m, not 0.15999999999999998 m.
        attrs[name] = stated if abs(value - stated) < 1e-6 * tolerance else value


@lru_cache(maxsize=256)  # the detector stands still in most series
def _beam_center(plane: DetectorPlane, pixel_size_x: float, pixel_size_y: float) -> BeamCenter:
    return beam_center(*plane, pixel_size_x, pixel_size_y)


def _conflict(name: str, stated: float, value: float, attrs: Attrs) -> str:
    angle, unit = attrs.get("detector_two_theta", 0.0), ATTRIBUTES[name].unit
    why = f", as if the detector arm were at 0 and not at {angle:g} deg" if angle else ""
    return (
        f"{name}: the header gives {stated:g} {unit}{why}; the direct beam meets the detector at "
        f"{value:.6g} {unit}, which is used"
    )
