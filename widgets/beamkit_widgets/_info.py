"""What a browser must know of the images, beside their pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from beamkit.core.detector_geometry import BeamCenter
from beamkit.core.errors import MetadataError
from beamkit.core.units import convert, energy_from_wavelength
from beamkit.diffraction import Geometry
from beamkit.images import grid

from ._source import ImageSource, unit_of


class Axis(grid.Axis):
    """Rows or columns of an image of a detector, which may be cropped or binned."""

    def to_full(self, position: Any) -> Any:
        """Return positions on the full, unbinned detector [pixel]."""
        return self.value(position) + 0.5

    def to_array(self, position: Any) -> Any:
        """Return positions on the array [pixel of the array]."""
        return self.position(position - 0.5)

    def described(self) -> dict[str, Any]:
        """Return name, first value, step and unit."""
        return {
            "dim": self.name,
            "name": self.name.replace("_", " "),
            "first": self.first,
            "step": self.step,
            "unit": self.unit.replace("um", "µm"),
        }


def axes_of(source: ImageSource) -> tuple[Axis, Axis]:
    """Return rows and columns."""
    return Axis.of(source.data, source.rows), Axis.of(source.data, source.columns)


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


def beam_of(geometry: Geometry | None) -> BeamCenter | None:
    """Return where the direct beam meets the detector; None if it passes beside it."""
    try:
        return None if geometry is None else geometry.beam_center
    except MetadataError:  # swung by 90 deg or more
        return None


def describe(source: ImageSource, geometry: Geometry | None, reason: str) -> dict[str, Any]:
    """Return all that the parts in the browser ask for."""
    rows, columns = axes_of(source)
    shown = grid.Grid.of(source.oriented)
    data, title = source.data, str(source.data.name or "image").replace("_", " ")
    file = Path(str(data.attrs.get("source", "")).split(" ")[0]).name
    name = data.attrs.get("title") or data.attrs.get("sample") or file
    return {
        "shape": list(source.shape),
        "rows": rows.described(),
        "columns": columns.described(),
        "aspect": _aspect(source, shown),
        "main": source.main,
        "frames": data.sizes[source.main] if source.main else 1,
        "title": f"{title}: {name}" if name else title,
        "unit": unit_of(data),
        "kind": str(data.attrs.get("kind", "")),
        "bar": _scale_bar(shown),
        "pixel": _pixel(shown),
        "geometry": None if geometry is None else _plain(geometry, rows, columns),
        "assumed": [] if geometry is None else list(geometry.assumed),
        "assumesBeam": geometry is not None and any("beam" in line for line in geometry.assumed),
        "noGeometry": reason,
        "dims": [[str(dim), size] for dim, size in data.sizes.items()],
    }


def _plain(geometry: Geometry, rows: Axis, columns: Axis) -> dict[str, Any]:
    beam = beam_of(geometry)
    return {
        "origin": list(geometry.origin),
        "fast": list(geometry.fast),
        "slow": list(geometry.slow),
        "sizeX": geometry.pixel_size_x,
        "sizeY": geometry.pixel_size_y,
        "wavelength": geometry.wavelength,
        "energy": geometry.wavelength and energy_from_wavelength(geometry.wavelength),
        "distance": beam and beam.distance,
        "tilt": geometry.tilt,
        "firstX": columns.first,
        "stepX": columns.step,
        "firstY": rows.first,
        "stepY": rows.step,
        "beam": beam and [columns.to_array(beam.x), rows.to_array(beam.y)],
    }


def _aspect(source: ImageSource, shown: grid.Grid) -> float | None:
    """Return height over width of a pixel on the screen; None: they are not comparable."""
    ratio = shown.aspect if _are_alike(source, shown) else None
    # A sinogram of a few rows, say, is better seen than true.
    is_good = ratio is not None and 0.05 < ratio * shown.rows.size / shown.columns.size < 20
    return ratio if is_good else None


def _are_alike(source: ImageSource, shown: grid.Grid) -> bool:
    """Whether both axes are lengths or pixels; the number of a frame is neither."""
    is_space = all(dim in ("x", "y", "z") or dim.startswith("dim_") for dim in source.axes)
    return source.is_detector or is_space or shown.pixel_width is not None


def _pixel(shown: grid.Grid) -> dict[str, Any] | None:
    """Return the size of a pixel for the ruler; None where it is not known."""
    if shown.pixel_width is None:
        return None
    unit = shown.length_unit.replace("um", "µm")
    return {"width": shown.pixel_width, "height": shown.pixel_height, "unit": unit}


def _scale_bar(shown: grid.Grid) -> dict[str, Any] | None:
    """Return the width of a pixel for a scale bar; None where it is not known."""
    if shown.pixel_width is None:
        return None
    unit = "mm" if shown.length_unit == "mm" else "um"
    width = convert(shown.pixel_width, shown.length_unit, unit)
    return {"pixel": width, "unit": unit.replace("um", "µm")}
