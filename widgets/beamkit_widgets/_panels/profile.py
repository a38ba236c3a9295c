"""Profiles of the region that is drawn, and its statistics."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from beamkit import images
from beamkit.core.errors import ParameterError
from beamkit.diffraction.radial import AXES
from beamkit.diffraction.radial import radial_profile as over_angle
from beamkit.images import (
    Circle,
    Line,
    Point,
    Rectangle,
    Region,
    Sector,
    Statistics,
    region_from_dict,
)
from beamkit_widgets._info import axes_of, beam_of
from beamkit_widgets._panels._asked import as_asked
from beamkit_widgets._source import unit_of

if TYPE_CHECKING:
    from beamkit_widgets.viewer import ImageViewer

    from . import Answer, Question

_LABELS = {"two_theta": "2θ", "chi": "χ"}
_UNITS = {"deg": "°", "1/angstrom": "1/Å", "angstrom": "Å"}


def profile_of(viewer: ImageViewer, region: Region | None) -> xr.DataArray | xr.Dataset:
    """Return the profile of a region, as xarray.

    A line: :func:`beamkit.images.line_profile`; a rectangle: :func:`beamkit.images.box_profile`;
    else the mean over rings, against the ``radial_axis`` of the viewer. None: of the whole image.

    Raises
    ------
    ParameterError
        If the region has no profile: a point, or no region and no beam centre.
    """
    image, mask = viewer.image, viewer.classes
    if isinstance(region, Line):
        return images.line_profile(image, region, mask=mask)
    if isinstance(region, Rectangle):
        return images.box_profile(image, region, mask=mask)
    if isinstance(region, Point):
        raise ParameterError("A point has no profile. Draw a line (K), or a rectangle (B).")
    return _radial(viewer, region)


def curves_of(viewer: ImageViewer, region: Region | None) -> dict[str, xr.DataArray]:
    """Return the profiles of a region by name, each over one coordinate; none of a point."""
    if isinstance(region, Point):
        return {}
    found = profile_of(viewer, region)
    if isinstance(found, xr.DataArray):
        is_mean = isinstance(region, Line) and region.width > 1
        return {"line": found.rename("mean" if is_mean else "value")}
    if isinstance(region, Rectangle):
        how = viewer.combine
        return {
            "columns": found[f"col_{how}"].rename(f"column {how}"),
            "rows": found[f"row_{how}"].rename(f"row {how}"),
        }
    curves = {"radial": found["intensity"].rename("mean")}
    if (ring := _ring(viewer, region)) is not None:
        curves["azimuthal"] = _azimuthal(viewer, ring).rename("mean")
    return curves


def answer(viewer: ImageViewer, question: Question) -> Answer:
    """Return the profiles and the statistics of the region that is drawn."""
    viewer = as_asked(viewer, question)
    drawn = question.get("roi", viewer._roi)
    region = None if drawn is None else region_from_dict(drawn)
    if region is None and center_of(viewer, None) is None:
        return {"curves": [], "statistics": None}, {}
    curves = curves_of(viewer, region)
    told, arrays = described(curves)
    center = center_of(viewer, region)
    ring = _ring(viewer, region)
    return {
        "curves": told,
        "center": center and list(center),
        "ring": None if ring is None else [ring.r0, ring.r1],
        "statistics": None if region is None else _plain(numbers_of(viewer, region)),
        "unit": unit_of(viewer.source.data),
    }, arrays


def numbers_of(viewer: ImageViewer, region: Region) -> Statistics:
    """Return the statistics of a region, with the background that the viewer has."""
    how = viewer.background
    return images.statistics(viewer.image, region, mask=viewer.classes, background=how)


def described(curves: dict[str, xr.DataArray]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return what a plot of curves needs: labels, and arrays ``x0``, ``y0``, ``x1`` ..."""
    told, arrays = [], {}
    for number, (name, curve) in enumerate(curves.items()):
        axis = curve[curve.dims[0]]
        arrays[f"x{number}"] = axis.values.astype(np.float64)
        arrays[f"y{number}"] = curve.values.astype(np.float64)
        if name == "line":
            arrays["positions"] = np.stack([curve["x"].values, curve["y"].values], axis=1)
        labels = [label_of(axis), label_of(curve)]
        told.append({"name": name, "axis": str(axis.name), "labels": labels})
    return told, arrays


def label_of(data: xr.DataArray) -> str:
    """Return name and unit for the axis of a plot."""
    name, unit = str(data.name), unit_of(data)
    text = _LABELS.get(name, name.replace("_", " "))
    return f"{text} [{_UNITS.get(unit, unit)}]" if unit else text


def center_of(viewer: ImageViewer, region: Region | None) -> tuple[float, float] | None:
    """Return the centre of a region's rings on the array [pixel]: its own, or the beam."""
    if isinstance(region, Circle | Sector):
        return region.x, region.y
    if (beam := beam_of(viewer.geometry)) is not None:
        rows, columns = axes_of(viewer.source)
        return float(columns.to_array(beam.x)), float(rows.to_array(beam.y))
    if region is None:
        return None
    rows_, columns_ = region.bounds(viewer.source.shape)
    return (columns_.start + columns_.stop) / 2, (rows_.start + rows_.stop) / 2


def axis_of(viewer: ImageViewer) -> str:
    """Return the radial axis in use: pixels where the geometry does not give another."""
    axis, geometry = str(viewer.radial_axis), viewer.geometry
    if geometry is None or (AXES.get(axis) == "q" and geometry.wavelength is None):
        return "radius"
    return axis


def _radial(viewer: ImageViewer, region: Region | None) -> xr.Dataset:
    image, mask, axis = viewer.image, viewer.classes, axis_of(viewer)
    if axis != "radius":
        return over_angle(image, viewer.geometry, axis=axis, mask=mask, region=region)
    center = center_of(viewer, region)
    if center is None:
        raise ParameterError(
            "There is no beam centre to make rings around. Draw a line (K), a rectangle (B) or a "
            "circle (O), or set viewer.geometry."
        )
    return images.radial_profile(image, center, mask=mask, sector=region)


def _ring(viewer: ImageViewer, region: Region | None) -> Sector | None:
    """Return the ring, or the part of one, along which there is an azimuthal profile."""
    if isinstance(region, Sector):
        return region
    if isinstance(region, Circle):
        return Sector(region.x, region.y, 0.0, region.radius)
    center = center_of(viewer, None)
    if region is not None or center is None:
        return None
    rows, columns = viewer.source.shape
    farthest = max(math.dist(center, (x, y)) for x in (0, columns) for y in (0, rows))
    return Sector(*center, 0.0, farthest)


def _azimuthal(viewer: ImageViewer, ring: Sector) -> xr.DataArray:
    found = images.azimuthal_profile(
        viewer.image, (ring.x, ring.y), ring.r0, ring.r1, mask=viewer.classes
    )["intensity"]
    if ring.span == 360:
        return found
    chi = (found["chi"].values - ring.start) % 360 + ring.start  # in the order of the sector
    found = found.assign_coords(chi=("chi", chi, found["chi"].attrs)).sortby("chi")
    return found[found["chi"].values <= ring.start + ring.span]


def _plain(numbers: Statistics) -> dict[str, Any]:
    found = numbers.to_dict()
    return {name: value if math.isfinite(value) else None for name, value in found.items()}
