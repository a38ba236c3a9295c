"""Parts of an image: points, lines, rectangles, polygons, circles, sectors.

All are in *positions* [pixel] of the array: x along the columns, y along the rows (down), 0 at the
outer corner of the array's first pixel, so that 0.5 is its centre. A pixel belongs to a region if
its centre is inside; the lower edge belongs to it, the upper does not, so that regions side by side
share no pixel. Angles are chi: 0 towards +x, 90 towards +y [deg].
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from beamkit.core.errors import ParameterError, ShapeError, UnknownNameError

from ._pixels import Mask, masked_of

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Shape = tuple[int, int]


@dataclass(frozen=True)
class Region:
    """What all regions can do; use one of the shapes below."""

    kind: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for name, value in self.to_dict().items():
            numbers = np.asarray(value, float) if name != "kind" else np.zeros(1)
            if not np.isfinite(numbers).all():
                raise ParameterError(
                    f"{name} of a {self.kind} is {value}; allowed are finite numbers [pixel]. "
                    "Draw the region again."
                )

    def contains(self, x: ArrayLike, y: ArrayLike) -> Bools:
        """Say of each position if it is inside."""
        return self._inside(np.asarray(x, float), np.asarray(y, float))

    def covers(self, shape: Shape) -> Bools:
        """Return True for the pixels whose centre is inside. Shape (rows, columns)."""
        covered = np.zeros(shape, bool)
        rows, columns = self.bounds(shape)
        covered[rows, columns] = self.covers_in(rows, columns)
        return covered

    def covers_in(self, rows: slice, columns: slice) -> Bools:
        """Return True for the pixels of a part of an image whose centre is inside."""
        x = np.arange(columns.start, columns.stop) + 0.5
        y = np.arange(rows.start, rows.stop) + 0.5
        inside = self._inside(x[None, :], y[:, None])
        return np.asarray(np.broadcast_to(inside, (y.size, x.size)))

    def bounds(self, shape: Shape) -> tuple[slice, slice]:
        """Return the rows and columns, inside an image of that shape, that hold all its pixels.

        Empty slices if it lies outside.
        """
        x0, y0, x1, y1 = self._box()
        return _pixels(y0, y1, shape[0]), _pixels(x0, x1, shape[1])

    def to_dict(self) -> dict[str, Any]:
        """Return ``kind`` and the fields, as JSON knows them."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        return {"kind": self.kind, **{name: _plain(value) for name, value in plain.items()}}

    def _inside(self, x: Floats, y: Floats) -> Bools:
        raise NotImplementedError

    def _box(self) -> tuple[float, float, float, float]:
        raise NotImplementedError


@dataclass(frozen=True)
class Point(Region):
    """A position [pixel]; it covers the pixel that it lies in."""

    kind: ClassVar[str] = "point"
    x: float
    y: float

    def _inside(self, x: Floats, y: Floats) -> Bools:
        at_x, at_y = np.floor(x) == math.floor(self.x), np.floor(y) == math.floor(self.y)
        return np.asarray(at_x & at_y)

    def _box(self) -> tuple[float, float, float, float]:
        x, y = math.floor(self.x), math.floor(self.y)
        return x, y, x + 1, y + 1


@dataclass(frozen=True)
class Line(Region):
    """A line of some width, with straight ends [pixel]; width is above 0."""

    kind: ClassVar[str] = "line"
    x0: float
    y0: float
    x1: float
    y1: float
    width: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        _above_zero(self.kind, "width", self.width)
        _above_zero(self.kind, "length", self.length)

    @property
    def length(self) -> float:
        """Length [pixel]."""
        return math.hypot(self.x1 - self.x0, self.y1 - self.y0)

    def _inside(self, x: Floats, y: Floats) -> Bools:
        ux, uy = (self.x1 - self.x0) / self.length, (self.y1 - self.y0) / self.length
        along = (x - self.x0) * ux + (y - self.y0) * uy
        across = (y - self.y0) * ux - (x - self.x0) * uy
        return np.asarray(
            (along >= 0)
            & (along < self.length)
            & (across >= -self.width / 2)
            & (across < self.width / 2)
        )

    def _box(self) -> tuple[float, float, float, float]:
        half = self.width / 2 + 1e-6  # its start belongs to it, on whichever side that is
        x, y = sorted((self.x0, self.x1)), sorted((self.y0, self.y1))
        return x[0] - half, y[0] - half, x[1] + half, y[1] + half


@dataclass(frozen=True)
class Rectangle(Region):
    """A rectangle between two opposite corners, in any order [pixel]."""

    kind: ClassVar[str] = "rectangle"
    x0: float
    y0: float
    x1: float
    y1: float

    def __post_init__(self) -> None:
        super().__post_init__()
        _above_zero(self.kind, "width", abs(self.x1 - self.x0))
        _above_zero(self.kind, "height", abs(self.y1 - self.y0))

    def _inside(self, x: Floats, y: Floats) -> Bools:
        x0, y0, x1, y1 = self._box()
        return np.asarray((x >= x0) & (x < x1) & (y >= y0) & (y < y1))

    def _box(self) -> tuple[float, float, float, float]:
        x, y = sorted((self.x0, self.x1)), sorted((self.y0, self.y1))
        return x[0], y[0], x[1], y[1]


@dataclass(frozen=True)
class Polygon(Region):
    """A polygon: its corners (x, y) in order, closed by itself [pixel].

    Where it crosses itself, what the edges go around twice is outside (even-odd rule; Shimrat,
    CACM 5, 434, 1962).
    """

    kind: ClassVar[str] = "polygon"
    points: tuple[tuple[float, float], ...]

    def __init__(self, points: Sequence[Sequence[float]]) -> None:
        try:
            corners = tuple((float(x), float(y)) for x, y in points)
        except (TypeError, ValueError) as error:
            raise ParameterError(
                f"points of a polygon are {points!r}; allowed are pairs (x, y) [pixel]. "
                "Give at least three."
            ) from error
        object.__setattr__(self, "points", corners)
        if len(corners) < 3:
            raise ParameterError(
                f"A polygon has at least 3 points, got {len(corners)}. Use a Line or a Point."
            )
        self.__post_init__()

    def _inside(self, x: Floats, y: Floats) -> Bools:
        inside = np.zeros(np.broadcast_shapes(x.shape, y.shape), bool)
        for (x0, y0), (x1, y1) in zip(self.points, (*self.points[1:], self.points[0]), strict=True):
            if y0 != y1:
                crossed = (y0 <= y) != (y1 <= y)
                inside ^= crossed & (x >= x0 + (y - y0) * ((x1 - x0) / (y1 - y0)))
        return inside

    def _box(self) -> tuple[float, float, float, float]:
        x, y = zip(*self.points, strict=True)
        return min(x), min(y), max(x), max(y)


@dataclass(frozen=True)
class Circle(Region):
    """A disc [pixel]; radius is above 0."""

    kind: ClassVar[str] = "circle"
    x: float
    y: float
    radius: float

    def __post_init__(self) -> None:
        super().__post_init__()
        _above_zero(self.kind, "radius", self.radius)

    def _inside(self, x: Floats, y: Floats) -> Bools:
        return np.asarray((x - self.x) ** 2 + (y - self.y) ** 2 < self.radius**2)

    def _box(self) -> tuple[float, float, float, float]:
        return _square(self.x, self.y, self.radius)


@dataclass(frozen=True)
class Sector(Region):
    """A part of a ring around (x, y): radius from r0 to r1 [pixel], chi from start to stop [deg].

    ``stop`` may be past 180 or below ``start``: the sector goes from start in the direction of
    growing chi. 360 deg or more from start to stop is the whole ring.
    """

    kind: ClassVar[str] = "sector"
    x: float
    y: float
    r0: float
    r1: float
    start: float = -180.0
    stop: float = 180.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.r0 < self.r1:
            raise ParameterError(
                f"A sector goes from r0 = {self.r0} to r1 = {self.r1} pixel; allowed is "
                "0 <= r0 < r1. Give the inner radius first."
            )
        _above_zero(self.kind, "angle", self.span)

    @property
    def span(self) -> float:
        """Angle from start to stop, up to 360 [deg]."""
        turn = self.stop - self.start
        return 360.0 if turn >= 360 else turn % 360

    def _inside(self, x: Floats, y: Floats) -> Bools:
        dx, dy = x - self.x, y - self.y
        squared = dx**2 + dy**2
        in_ring = (squared >= self.r0**2) & (squared < self.r1**2)
        if self.span == 360:
            return np.asarray(in_ring)
        # Which side of the two edges: a sum of a row and a column, where arctan2 takes every pixel.
        first, last = math.radians(self.start), math.radians(self.start + self.span)
        after = dy * math.cos(first) - dx * math.sin(first) >= 0
        before = dy * math.cos(last) - dx * math.sin(last) < 0
        return np.asarray(in_ring & ((after & before) if self.span <= 180 else (after | before)))

    def _box(self) -> tuple[float, float, float, float]:
        return _square(self.x, self.y, self.r1)


SHAPES: dict[str, type[Region]] = {
    shape.kind: shape for shape in (Point, Line, Rectangle, Polygon, Circle, Sector)
}


def region_from_dict(described: Mapping[str, Any]) -> Region:
    """Return the region that :meth:`Region.to_dict` described.

    Raises
    ------
    ParameterError
        If there is no such kind (UnknownNameError), a field is missing, unknown or impossible.
    """
    given = {name: value for name, value in described.items() if name != "kind"}
    kind = str(described.get("kind", ""))
    if kind not in SHAPES:
        raise UnknownNameError("region", kind, SHAPES)
    try:
        return SHAPES[kind](**given)
    except TypeError as error:
        known = [field.name for field in fields(SHAPES[kind])]
        raise ParameterError(
            f"A {kind} cannot be made of {given}: it has the fields {', '.join(known)}, all "
            "numbers [pixel] (angles [deg]). Give these."
        ) from error


def select(data: xr.DataArray, region: Region, *, mask: Mask | None = None) -> xr.DataArray:
    """Return the part of an image or a stack that a region covers, with its coordinates.

    Parameters
    ----------
    data
        Shape (..., rows, columns); in memory or lazy, and so is the result.
    region
        In positions of this array, whatever its coordinates say.
    mask
        Shape (rows, columns): bits of NXdetector, bool (True: masked) or PixelClasses.

    Returns
    -------
    part
        Cropped to the bounds of the region. A rectangle keeps its pixels and their type; of other
        shapes those outside, or masked, are NaN, and the type is a float. Attributes are kept.

    Raises
    ------
    ShapeError
        If the data have less than two dimensions, or the mask another shape.
    ParameterError
        If the region covers no pixel.
    """
    if data.ndim < 2:
        raise ShapeError(
            f"A region is a part of an image, these are {data.dims} of sizes {data.shape}. "
            "Select along a line of numbers with .isel(...)."
        )
    shape = (data.shape[-2], data.shape[-1])
    rows, columns = covered_bounds(region, shape)
    part = data.isel({data.dims[-2]: rows, data.dims[-1]: columns})
    if isinstance(region, Rectangle):
        return part
    wanted = region.covers_in(rows, columns)
    if mask is not None:
        wanted = wanted & ~masked_of(mask, shape)[rows, columns]
    return part.where(xr.DataArray(wanted, dims=data.dims[-2:])).assign_attrs(data.attrs)


def covered_bounds(region: Region, shape: Shape) -> tuple[slice, slice]:
    """Return the bounds of a region; ParameterError if it covers no pixel of the image."""
    rows, columns = region.bounds(shape)
    if not region.covers_in(rows, columns).any():
        raise ParameterError(
            f"{region} covers no pixel of an image of {shape[0]} rows and {shape[1]} columns. "
            "Move it inside, or make it larger than a pixel."
        )
    return rows, columns


def _pixels(low: float, high: float, size: int) -> slice:
    """Return the pixels whose centres are from low to high, within 0 to size."""
    first = min(max(math.ceil(low - 0.5), 0), size)
    return slice(first, max(first, min(math.ceil(high - 0.5), size)))


def _square(x: float, y: float, radius: float) -> tuple[float, float, float, float]:
    return x - radius, y - radius, x + radius, y + radius


def _above_zero(kind: str, name: str, value: float) -> None:
    if not value > 0:
        raise ParameterError(
            f"The {name} of a {kind} is {value}; allowed are numbers above 0. Draw it larger."
        )


def _plain(value: Any) -> Any:
    return [list(pair) for pair in value] if isinstance(value, tuple) else value
