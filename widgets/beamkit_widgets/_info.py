"""What a browser must know of the images, beside their pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from beamkit.core.errors import MetadataError
from beamkit.diffraction.geometry import Geometry

from ._source import ImageSource, unit_of


class Axis:
    """Rows or columns: from a position on the array to a coordinate and back.

    Parameters
    ----------
    data
        With a dimension of that name.
    dim
        Name of the dimension.
    """

    def __init__(self, data: xr.DataArray, dim: str) -> None:
        self.name, self.size = dim.replace("_", " "), data.sizes[dim]
        self.first, self.step, self.unit = 0.0, 1.0, "pixel"
        coordinate = data.coords.get(dim)
        if coordinate is not None and _is_even(coordinate.values):
            values = coordinate.values.astype(float)
            self.first = float(values[0])
            self.step = float((values[-1] - values[0]) / max(self.size - 1, 1)) or 1.0
            self.unit = unit_of(coordinate) or self.unit

    def to_full(self, position: float) -> float:
        """Return the position on the full, unbinned detector [pixel]."""
        return self.first + 0.5 + (position - 0.5) * self.step

    def to_array(self, position: float) -> float:
        """Return the position on the array [pixel of the array]."""
        return (position - 0.5 - self.first) / self.step + 0.5

    def described(self) -> dict[str, Any]:
        """Return name, first value, step and unit."""
        return {"name": self.name, "first": self.first, "step": self.step, "unit": self.unit}


def _is_even(values: Any) -> bool:
    if values.dtype.kind not in "iuf" or not np.isfinite(values).all():
        return False
    if values.size < 3:
        return True
    steps = np.diff(values.astype(float))
    return bool(steps[0] != 0 and np.allclose(steps, steps[0], rtol=1e-3))


def axes_of(source: ImageSource) -> tuple[Axis, Axis]:
    """Return rows and columns."""
    return Axis(source.data, source.rows), Axis(source.data, source.columns)


def geometry_of(source: ImageSource) -> tuple[Geometry | None, str]:
    """Return where the detector stands, or None and what is missing."""
    if (source.rows, source.columns) != ("detector_y", "detector_x"):
        return None, "These are not images of a detector."
    attrs = source.data.attrs
    if not any(name in attrs for name in ("detector_distance", "detector_origin", "wavelength")):
        return None, "The file says neither distance nor wavelength."
    try:
        return Geometry.from_dataset(source.data), ""
    except MetadataError as error:
        return None, str(error)


def describe(source: ImageSource, geometry: Geometry | None, reason: str) -> dict[str, Any]:
    """Return all that the parts in the browser ask for."""
    rows, columns = axes_of(source)
    data, title = source.data, str(source.data.name or "image").replace("_", " ")
    name = data.attrs.get("title") or data.attrs.get("sample") or ""
    return {
        "shape": list(source.shape),
        "rows": rows.described(),
        "columns": columns.described(),
        "aspect": _aspect(data, rows, columns),
        "main": source.main,
        "frames": data.sizes[source.main] if source.main else 1,
        "title": f"{title}: {name}" if name else title,
        "unit": unit_of(data),
        "kind": str(data.attrs.get("kind", "")),
        "bar": _scale_bar(data, columns),
        "geometry": None if geometry is None else _plain(geometry, rows, columns),
        "assumed": [] if geometry is None else list(geometry.assumed),
        "assumesBeam": geometry is not None and any("beam" in line for line in geometry.assumed),
        "noGeometry": reason,
        "dims": [[str(dim), size] for dim, size in data.sizes.items()],
    }


def _plain(geometry: Geometry, rows: Axis, columns: Axis) -> dict[str, Any]:
    beam = geometry.beam_center
    return {
        "origin": list(geometry.origin),
        "fast": list(geometry.fast),
        "slow": list(geometry.slow),
        "sizeX": geometry.pixel_size_x,
        "sizeY": geometry.pixel_size_y,
        "wavelength": geometry.wavelength,
        "firstX": columns.first,
        "stepX": columns.step,
        "firstY": rows.first,
        "stepY": rows.step,
        "beam": [columns.to_array(beam.x), rows.to_array(beam.y)],
    }


def _aspect(data: xr.DataArray, rows: Axis, columns: Axis) -> float | None:
    """Return height over width of a pixel on the screen; None: they are not comparable."""
    if rows.unit != columns.unit:
        return None
    ratio = abs(rows.step / columns.step)
    if rows.unit == "pixel":
        sizes = [data.attrs.get(f"pixel_size_{axis}") for axis in "yx"]
        if all(sizes):
            ratio *= float(sizes[0]) / float(sizes[1])
    # A sinogram of a few rows, say, is better seen than true.
    return ratio if 0.05 < ratio * rows.size / columns.size < 20 else None


_LENGTHS = {"m": 1e6, "mm": 1e3, "µm": 1.0, "nm": 1e-3}


def _scale_bar(data: xr.DataArray, columns: Axis) -> dict[str, Any] | None:
    """Return the width of a pixel for a scale bar; None where it is not known."""
    if columns.unit in _LENGTHS:
        return {"pixel": abs(columns.step) * _LENGTHS[columns.unit], "unit": "µm"}
    for name, unit, factor in (("effective_pixel_size_x", "µm", 1e6), ("pixel_size_x", "mm", 1e3)):
        size = data.attrs.get(name)
        if size and columns.unit == "pixel" and columns.name == "detector x":
            return {"pixel": float(size) * factor * abs(columns.step), "unit": unit}
    return None
