"""From positions on an image to what its axes mean, and back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.errors import MetadataError, ShapeError
from beamkit.core.units import convert


@dataclass(frozen=True)
class Axis:
    """The rows or the columns of an image.

    Attributes
    ----------
    name
        Name of the dimension.
    unit
        Unit of the coordinate; ``"pixel"`` where it is an index.
    size
        Number of pixels.
    first
        Coordinate of the centre of the first pixel.
    step
        From pixel to pixel; below 0 where the coordinate falls.
    """

    name: str
    unit: str
    size: int
    first: float
    step: float

    @classmethod
    def of(cls, data: xr.DataArray, dim: str) -> Self:
        """Return the axis of a dimension; one without a coordinate in even steps has indices."""
        size, coordinate = data.sizes[dim], data.coords.get(dim)
        if coordinate is None or not _is_even(coordinate.values):
            return cls(dim, "pixel", size, 0.0, 1.0)
        values = coordinate.values.astype(float)
        step = (values[-1] - values[0]) / (size - 1) if size > 1 else 1.0
        return cls(dim, _unit(coordinate) or "pixel", size, float(values[0]), float(step))

    @property
    def label(self) -> str:
        """Name and unit, such as ``"detector x [pixel]"``."""
        return f"{self.name.replace('_', ' ')} [{self.unit.replace('um', 'µm')}]"

    @property
    def edges(self) -> tuple[float, float]:
        """Coordinates of the outer edges of the first and the last pixel."""
        return self.value(0.0), self.value(float(self.size))

    def value(self, position: float) -> float:
        """Return the coordinate at a position, counted from the outer corner [pixel]."""
        return self.first + (position - 0.5) * self.step

    def position(self, value: float) -> float:
        """Return the position [pixel], counted from the outer corner, of a coordinate."""
        return (value - self.first) / self.step + 0.5

    def index(self, position: float) -> int | None:
        """Return the number of the pixel at a position; None outside."""
        number = math.floor(position)
        return number if 0 <= number < self.size else None


@dataclass(frozen=True)
class Grid:
    """The two axes of an image.

    Attributes
    ----------
    rows, columns
        The last two dimensions of the data. On a detector their values are indices on the full
        detector, whatever was cropped or binned; in a volume they are lengths.
    pixel_height, pixel_width
        Size of a pixel of this array [``length_unit``], None where it is not known.
    length_unit
        ``"mm"`` for a detector, ``"um"`` where ``effective_pixel_size`` (at the sample) says it,
        else the unit of the axes; empty where it is not known.
    """

    rows: Axis
    columns: Axis
    pixel_height: float | None = None
    pixel_width: float | None = None
    length_unit: str = ""

    @classmethod
    def of(cls, data: xr.DataArray) -> Grid:
        """Return the grid of an image, or of the images of a stack.

        Parameters
        ----------
        data
            Shape (..., rows, columns). Its coordinates and the attributes ``pixel_size_x/y`` or
            ``effective_pixel_size_x/y`` [m] are read.

        Raises
        ------
        ShapeError
            If the data have less than two dimensions.
        """
        if data.ndim < 2:
            raise ShapeError(
                f"An image has two dimensions, this has {data.dims} of sizes {data.shape}. "
                "Select less with .isel(...)."
            )
        rows, columns = (Axis.of(data, str(dim)) for dim in data.dims[-2:])
        height, width, unit = _pixel_size(rows, columns, data.attrs)
        return cls(rows, columns, height, width, unit)

    @property
    def aspect(self) -> float | None:
        """Height of a pixel over its width, 1 if not known; None for axes of different units."""
        if self.pixel_height is not None and self.pixel_width is not None:
            return self.pixel_height / self.pixel_width
        same = self.rows.unit == self.columns.unit
        return abs(self.rows.step / self.columns.step) if same else None

    def values(self, x: float, y: float) -> tuple[float, float]:
        """Return the coordinates (of the columns, of the rows) at a position [pixel]."""
        return self.columns.value(x), self.rows.value(y)

    def position(self, column: float, row: float) -> tuple[float, float]:
        """Return the position (x, y) [pixel] of coordinates (of the columns, of the rows)."""
        return self.columns.position(column), self.rows.position(row)

    def index(self, x: float, y: float) -> tuple[int, int] | None:
        """Return (row, column) of the pixel at a position; None outside."""
        row, column = self.rows.index(y), self.columns.index(x)
        return None if row is None or column is None else (row, column)


def _pixel_size(
    rows: Axis, columns: Axis, attrs: dict[Any, Any]
) -> tuple[float | None, float | None, str]:
    if rows.unit == columns.unit and _is_length(rows.unit):
        return abs(rows.step), abs(columns.step), rows.unit
    if rows.unit == columns.unit == "pixel":
        for prefix, unit in (("effective_pixel_size", "um"), ("pixel_size", "mm")):
            height, width = attrs.get(f"{prefix}_y"), attrs.get(f"{prefix}_x")
            if height and width:
                sizes = (convert(float(size), "m", unit) for size in (height, width))
                pixel_height, pixel_width = sizes
                return abs(rows.step) * pixel_height, abs(columns.step) * pixel_width, unit
    return None, None, ""


def _is_length(unit: str) -> bool:
    try:
        convert(1.0, unit, "m")
    except MetadataError:  # no unit that beamkit knows, or one of something else
        return False
    return True


def _is_even(values: NDArray[Any]) -> bool:
    """Say whether these are numbers in equal steps; an image shows no others truly."""
    if values.dtype.kind not in "iuf" or not np.isfinite(values).all():
        return False
    steps = np.diff(values.astype(float))
    return steps.size == 0 or bool(steps[0] != 0 and np.allclose(steps, steps.mean(), rtol=1e-2))


def _unit(data: xr.DataArray) -> str:
    unit = str(data.attrs.get("units", ""))
    return "" if unit == "1" else unit
