"""Rings over an image: from what was asked for to curves for the browser."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beamkit.core.errors import MetadataError
from beamkit.diffraction import Calibrant, Geometry, rings
from beamkit.diffraction.ring_items import MOST_RINGS, RING_COLORS, RingItem, substances

from ._info import axes_of, beam_of
from ._source import ImageSource


def ring_message(
    items: Iterable[RingItem], geometry: Geometry | None, source: ImageSource, without: str = ""
) -> tuple[dict[str, Any], dict[str, NDArray[np.float64]]]:
    """Return what a browser must know to draw and to list rings.

    Parameters
    ----------
    items
        As `beamkit.diffraction.ring_items.ring_items` returns them.
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
        for kind, name, powder in substances(items):
            _add(content, arrays, kind, name, powder, geometry, source)
    except MetadataError as error:  # no wavelength
        content["notes"].append(str(error))
    return content, arrays


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
    if len(found) > MOST_RINGS:
        content["notes"].append(f"{name}: the first {MOST_RINGS} of {len(found)} rings are drawn")
    for curve in found[:MOST_RINGS]:
        number, points = len(content["curves"]), curve.points
        arrays[f"x{number}"] = np.asarray(columns.to_array(points[:, 0]))
        arrays[f"y{number}"] = np.asarray(rows.to_array(points[:, 1]))
        told = _described(name, curve.label, curve.d, curve.two_theta)
        content["curves"].append({**told, "color": RING_COLORS[kind], "dashed": kind == "ice"})
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
