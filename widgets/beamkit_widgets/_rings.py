"""Rings over an image: from what was asked for to curves for the browser."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beamkit.core.errors import MetadataError, ParameterError
from beamkit.diffraction.calibrants import Calibrant, calibrant
from beamkit.diffraction.geometry import Geometry
from beamkit.diffraction.ice import ice_rings
from beamkit.diffraction.rings import rings

from ._info import axes_of, beam_of
from ._source import ImageSource

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


def ring_message(
    items: Iterable[Item], geometry: Geometry | None, source: ImageSource, without: str = ""
) -> tuple[dict[str, Any], dict[str, NDArray[np.float64]]]:
    """Return what a browser must know to draw and to list rings.

    Parameters
    ----------
    items
        As :func:`checked_rings` returns them.
    geometry
        None: no ring is drawn, and ``without`` says why.
    source
        Whose pixels the rings lie over.

    Returns
    -------
    content
        ``curves``, ``off`` (rings that are not on the detector), ``notes``, the items, and
        ``beam``, for which the curves hold.
    arrays
        x and y of each curve: positions on the array [pixel], NaN between the arcs of a ring.
    """
    items = tuple(items)
    content: dict[str, Any] = {"type": "rings", "items": list(items), "curves": [], "off": []}
    arrays: dict[str, NDArray[np.float64]] = {}
    if geometry is None or not items:
        return {**content, "notes": [without] if items else [], "beam": None}, arrays
    rows, columns = axes_of(source)
    center = beam_of(geometry)
    content["beam"] = center and [columns.to_array(center.x), rows.to_array(center.y)]
    content["notes"] = []
    try:
        for kind, name, powder in _substances(items):
            _add(content, arrays, kind, name, powder, geometry, source)
    except MetadataError as error:  # no wavelength
        content["notes"].append(str(error))
    return content, arrays


def _substances(items: Iterable[Item]) -> Iterator[tuple[str, str, Calibrant]]:
    """Yield kind, name and rings; spacings that are given by number come together, last."""
    spacings = []
    for item in items:
        if not isinstance(item, str):
            spacings.append(item)
        elif item == "ice":
            yield "ice", "ice", ice_rings()
        else:
            yield "calibrant", item, calibrant(item)
    if spacings:
        labels = [f"{spacing:.4g} Å" for spacing in spacings]
        yield "d", "", Calibrant.from_spacings(spacings, labels=labels)


def _add(
    content: dict[str, Any],
    arrays: dict[str, NDArray[np.float64]],
    kind: str,
    name: str,
    powder: Calibrant,
    geometry: Geometry,
    source: ImageSource,
) -> None:
    """Add the rings of one substance."""
    rows, columns = axes_of(source)
    found = rings(geometry, powder, shape=full_shape(source))
    if found.note:
        content["notes"].append(f"{name or 'd'}: {found.note}")
    if len(found) > _MOST:
        content["notes"].append(f"{name}: the first {_MOST} of {len(found)} rings are drawn")
    for curve in found[:_MOST]:
        number, points = len(content["curves"]), curve.points
        arrays[f"x{number}"] = np.asarray(columns.to_array(points[:, 0]))
        arrays[f"y{number}"] = np.asarray(rows.to_array(points[:, 1]))
        told = _described(name, curve.label, curve.d, curve.two_theta)
        content["curves"].append({**told, "color": _COLORS[kind], "dashed": kind == "ice"})
    angles = powder.two_theta(geometry.wavelength or np.nan)
    known = dict(zip(powder.labels, zip(powder.spacings, angles, strict=True), strict=True))
    for labels, why in ((found.off_detector, "off the detector"), (found.unreachable, "d < λ/2")):
        content["off"] += [{**_described(name, text, *known[text]), "why": why} for text in labels]


def _described(name: str, text: str, d: float, angle: float) -> dict[str, Any]:
    return {
        "label": f"{d:.4g} Å",
        "name": text if not name or text.startswith(name) else f"{name} {text}",
        "d": d,
        "q": 2 * np.pi / d,
        "twoTheta": float(angle) if np.isfinite(angle) else None,
    }


def full_shape(source: ImageSource) -> tuple[int, int]:
    """Return the shape of the detector up to the last pixel of the array."""
    ends = [axis.to_full(size) for axis, size in zip(axes_of(source), source.shape, strict=True)]
    return math.ceil(ends[0]), math.ceil(ends[1])
