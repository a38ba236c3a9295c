"""Rings over an image: from what was asked for to curves for the browser."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beamkit.core.errors import ParameterError
from beamkit.diffraction.calibrants import calibrant
from beamkit.diffraction.geometry import Geometry
from beamkit.diffraction.ice import ice_rings
from beamkit.diffraction.rings import rings

from ._info import Axis

#: A name of a calibrant, "ice", or a lattice spacing [angstrom].
Item = str | float

#: Rings that are drawn of one substance.
_MOST = 30

_COLORS = {"calibrant": "#ffd54a", "ice": "#7fd8ff", "d": "#ffab73"}


def checked_rings(value: Any) -> tuple[Item, ...]:
    """Return what rings are asked for as a tuple; None gives none.

    Raises
    ------
    UnknownNameError
        If there is no such calibrant.
    ParameterError
        If a spacing is not above 0.
    """
    if value is None:
        return ()
    items: Iterable[Any] = [value] if isinstance(value, str | float | int) else value
    return tuple(_checked(item) for item in items if item != "")


def _checked(item: Any) -> Item:
    if isinstance(item, str):
        if item != "ice":
            calibrant(item)
        return item
    spacing = float(item)
    if not (np.isfinite(spacing) and spacing > 0):
        raise ParameterError(
            f"A ring is asked for at d = {item} angstrom; it must be above 0. Give lattice "
            "spacings, names of calibrants, or 'ice'."
        )
    return spacing


def ring_curves(
    items: Iterable[Item], geometry: Geometry, shape: tuple[int, int], axes: tuple[Axis, Axis]
) -> tuple[list[dict[str, Any]], dict[str, NDArray[np.float64]], list[str]]:
    """Return descriptions and points of the curves, and notes on rings that are not seen.

    Points are positions on the array [pixel], with NaN between the arcs of a ring.
    """
    curves: list[dict[str, Any]] = []
    arrays: dict[str, NDArray[np.float64]] = {}
    notes: list[str] = []
    spacings = [item for item in items if not isinstance(item, str)]
    jobs: list[tuple[str, str, Any]] = [
        ("ice", "ice", ice_rings()) if item == "ice" else ("calibrant", item, calibrant(item))
        for item in items
        if isinstance(item, str)
    ]
    if spacings:
        jobs.append(("d", "", spacings))
    full = _full_shape(geometry, shape, axes)
    for kind, name, what in jobs:
        found = rings(geometry, what, shape=full)
        if found.left_out:
            notes.append(f"{name or 'd'}: {found.note}")
        for curve in found[:_MOST]:
            points = [part for arc in curve.arcs for part in (arc, np.full((1, 2), np.nan))]
            joined = np.concatenate(points[:-1])
            number = len(curves)
            arrays[f"x{number}"] = np.asarray(axes[1].to_array(joined[:, 0]))
            arrays[f"y{number}"] = np.asarray(axes[0].to_array(joined[:, 1]))
            curves.append(
                {
                    "label": f"{curve.d:.4g} Å" if np.isfinite(curve.d) else curve.label,
                    "name": f"{name} {curve.label}".strip(),
                    "d": curve.d,
                    "twoTheta": curve.two_theta,
                    "color": _COLORS[kind],
                    "dashed": kind == "ice",
                }
            )
    return curves, arrays, notes


def _full_shape(
    geometry: Geometry, shape: tuple[int, int], axes: tuple[Axis, Axis]
) -> tuple[int, int]:
    """Return the shape of the detector up to the last pixel of the array."""
    rows, columns = (axis.to_full(size) for axis, size in zip(axes, shape, strict=True))
    return int(np.ceil(rows)), int(np.ceil(columns))
