"""A ruler: distance and angle between two positions of an image."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import xarray as xr

from beamkit.core.errors import ParameterError

from .grid import Axis, Grid


@dataclass(frozen=True)
class Measurement:
    """What a ruler between two positions says.

    Attributes
    ----------
    dx, dy
        From the first to the second position [pixel].
    distance
        Between them [pixel].
    angle
        0 towards +x, 90 towards +y (down), in (-180, 180] [deg].
    width, height
        The same as ``dx, dy`` in the units of the columns and the rows, with their sign.
    width_unit, height_unit
        Their units.
    length, unit, true_angle
        Distance in a unit of length, and the angle where pixels are not square; None and empty
        where the size of a pixel is not known, or the axes measure different things.
    """

    dx: float
    dy: float
    distance: float
    angle: float
    width: float
    height: float
    width_unit: str
    height_unit: str
    length: float | None = None
    unit: str = ""
    true_angle: float | None = None


def ruler(data: xr.DataArray, x0: float, y0: float, x1: float, y1: float) -> Measurement:
    """Measure from one position of an image to another.

    Parameters
    ----------
    data
        Shape (..., rows, columns): its coordinates, or its attributes ``pixel_size_x/y`` or
        ``effective_pixel_size_x/y``, say what a pixel is.
    x0, y0, x1, y1
        Positions of this array [pixel].

    Raises
    ------
    ShapeError
        If the data have less than two dimensions.
    ParameterError
        If a position is not finite.
    """
    if not all(math.isfinite(number) for number in (x0, y0, x1, y1)):
        raise ParameterError(
            f"The ruler goes from ({x0}, {y0}) to ({x1}, {y1}); allowed are finite positions "
            "[pixel]. Draw it again."
        )
    grid = Grid.of(data)
    dx, dy = x1 - x0, y1 - y0
    width, width_unit = _component(dx, grid.columns, grid.pixel_width, grid.length_unit)
    height, height_unit = _component(dy, grid.rows, grid.pixel_height, grid.length_unit)
    here = Measurement(
        dx, dy, math.hypot(dx, dy), _angle(dx, dy), width, height, width_unit, height_unit
    )
    if grid.pixel_width is None or grid.pixel_height is None:
        return here
    across, down = dx * grid.pixel_width, dy * grid.pixel_height
    return replace(
        here,
        length=math.hypot(across, down),
        unit=grid.length_unit,
        true_angle=_angle(across, down),
    )


def _component(pixels: float, axis: Axis, pixel: float | None, unit: str) -> tuple[float, str]:
    """Return a component: in the unit of the axis, unless that is a pixel of known size."""
    if axis.unit == "pixel" and pixel is not None:
        return pixels * pixel, unit
    return pixels * axis.step, axis.unit


def _angle(dx: float, dy: float) -> float:
    return math.degrees(math.atan2(dy, dx))
