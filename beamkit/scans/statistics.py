"""What a beamline looks at after a scan: peak, centre of mass, full width at half maximum."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from beamkit.core.errors import ParameterError, ShapeError
from beamkit.peaks.shapes import Floats

from .derivative import axis_of


@dataclass(frozen=True)
class ScanStatistics:
    """Numbers of a curve, read off without a fit.

    Attributes
    ----------
    maximum, maximum_at, minimum, minimum_at
        Highest and lowest point, and where.
    center_of_mass
        Of the area above the lowest point.
    fwhm, center
        Width between the half-heights on both sides of the maximum, between the points by
        straight lines, and their middle; NaN where a side does not fall to half.
    half_height
        Half-way from the lowest to the highest point.
    mean, standard_deviation, integral
        Of the points; integral by the trapezoid rule.
    points
        How many are no NaN.
    x_unit, y_unit
        Of the axis, and of the values.
    """

    maximum: float
    maximum_at: float
    minimum: float
    minimum_at: float
    center_of_mass: float
    fwhm: float
    center: float
    half_height: float
    mean: float
    standard_deviation: float
    integral: float
    points: int
    x_unit: str = field(default="")
    y_unit: str = field(default="")

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers by name."""
        return asdict(self)

    def __str__(self) -> str:
        x, y = (f" {unit}" if unit else "" for unit in (self.x_unit, self.y_unit))
        return "\n".join(
            (
                f"maximum         {self.maximum:.6g}{y} at {self.maximum_at:.6g}{x}",
                f"centre of mass  {self.center_of_mass:.6g}{x}",
                f"half maximum    {self.fwhm:.4g}{x} wide, around {self.center:.6g}{x}",
            )
        )


def statistics(data: xr.DataArray) -> ScanStatistics:
    """Return maximum, centre of mass, width and more of a curve.

    Parameters
    ----------
    data
        One dimension, with its axis as coordinate, in any order. NaN is left out.

    Raises
    ------
    ShapeError
        If there is not one dimension, or no point.
    ParameterError
        If these are not real numbers.
    """
    x, y = _ordered(data)
    top, bottom = int(np.argmax(y)), int(np.argmin(y))
    half = (y[top] + y[bottom]) / 2
    sides = _crossing(x, y, top, half, -1), _crossing(x, y, top, half, 1)
    units = [str(part.attrs.get("units", "")) for part in (axis_of(data), data)]
    return ScanStatistics(
        maximum=float(y[top]),
        maximum_at=float(x[top]),
        minimum=float(y[bottom]),
        minimum_at=float(x[bottom]),
        center_of_mass=_center_of_mass(x, y, float(y[bottom])),
        fwhm=sides[1] - sides[0],
        center=(sides[0] + sides[1]) / 2,
        half_height=float(half),
        mean=float(y.mean()),
        standard_deviation=float(y.std()),
        integral=float(np.trapezoid(y, x)),
        points=y.size,
        x_unit=units[0],
        y_unit=units[1],
    )


def center_of_mass(data: xr.DataArray, *, baseline: float | None = None) -> float:
    """Return the centre of mass of the area between a curve and a baseline.

    Each point stands for the part of the axis that is nearest to it, so that uneven steps do not
    pull it where points are dense.

    Parameters
    ----------
    data
        One dimension, with its axis as coordinate.
    baseline
        Value that has no mass; None: the lowest point.

    Returns
    -------
    center
        In the unit of the axis; NaN if the curve does not rise above the baseline.

    Raises
    ------
    ShapeError, ParameterError
        As :func:`statistics`.
    """
    x, y = _ordered(data)
    return _center_of_mass(x, y, float(y.min()) if baseline is None else baseline)


def _center_of_mass(x: Floats, y: Floats, baseline: float) -> float:
    if x.size == 1:
        return float(x[0])
    middles = (x[1:] + x[:-1]) / 2
    parts = np.diff(np.concatenate([x[:1], middles, x[-1:]]))
    mass = (y - baseline) * parts
    total = float(mass.sum())
    return float((mass * x).sum() / total) if total > 0 else float("nan")


def _crossing(x: Floats, y: Floats, top: int, half: float, way: int) -> float:
    """Return where the curve first falls to a height, from its top one way."""
    side = slice(top, None) if way > 0 else slice(top, None, -1)
    xs, ys = x[side], y[side]
    below = np.flatnonzero(ys <= half)
    if not below.size or below[0] == 0:
        return float("nan")
    after = int(below[0])
    part = (ys[after - 1] - half) / (ys[after - 1] - ys[after])
    return float(xs[after - 1] + part * (xs[after] - xs[after - 1]))


def _ordered(data: xr.DataArray) -> tuple[Floats, Floats]:
    if data.dtype.kind not in "biuf":
        raise ParameterError(f"Statistics need real numbers, not {data.dtype}.")
    x = np.asarray(axis_of(data).values, dtype=float)
    y = np.asarray(data.values, dtype=float)
    finite = np.isfinite(x) & np.isfinite(y)
    if not finite.any():
        raise ShapeError("No point is a number: there is nothing to count. Choose another column.")
    order = np.argsort(x[finite], kind="stable")
    return x[finite][order], y[finite][order]
