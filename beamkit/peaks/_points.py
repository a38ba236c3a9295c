"""The points of a profile: what is finite, in order, with errors where they are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import xarray as xr

from beamkit.core.errors import ParameterError, ShapeError

from .shapes import Floats

#: A profile: one dimension with a coordinate, or x and y.
Profile: TypeAlias = xr.DataArray | Sequence[Any]

#: Where the errors of the points come from.
FROM_SIGMA, FROM_COUNTS, FROM_SCATTER = "sigma", "counts", "scatter"


@dataclass(frozen=True)
class Points:
    """Points of a profile, x ascending, without those that are masked (NaN).

    Attributes
    ----------
    x, y
        Shape (point,), finite.
    sigma
        Standard errors of y; None unless given.
    errors
        ``"sigma"``, ``"counts"`` (Poisson) or ``"scatter"`` (unknown, but all alike).
    x_name, x_unit, y_name, y_unit
        For labels.
    """

    x: Floats
    y: Floats
    sigma: Floats | None
    errors: str
    x_name: str = "x"
    x_unit: str = ""
    y_name: str = "y"
    y_unit: str = ""

    def within(self, limits: tuple[float, float] | None) -> Points:
        """Return the points from the lower to the upper limit, both included."""
        if limits is None:
            return self
        low, high = sorted(float(limit) for limit in limits)
        inside = (self.x >= low) & (self.x <= high)
        sigma = None if self.sigma is None else self.sigma[inside]
        return replace(self, x=self.x[inside], y=self.y[inside], sigma=sigma)


def points_of(profile: Profile, sigma: Any = None) -> Points:
    """Return the finite points of a profile.

    Parameters
    ----------
    profile
        1-D DataArray, against its coordinate (a dimension's own comes first; without any, points
        are numbered); or two arrays, x and y.
    sigma
        Standard errors of y: an array as long, a number, ``"poisson"``, or None: Poisson where
        the unit is counts and all are whole numbers, else unknown.

    Raises
    ------
    ShapeError
        If there is not one dimension, or x, y and sigma differ in length.
    ParameterError
        If these are not real numbers, or an error is not above 0.
    """
    x, y, labels = _arrays(profile)
    finite = np.isfinite(x) & np.isfinite(y)
    error, source = _errors(sigma, y, finite, labels["y_unit"])
    if error is not None:
        finite &= np.isfinite(error)
    order = np.flatnonzero(finite)[np.argsort(x[finite], kind="stable")]
    ordered = None if error is None else error[order]
    return Points(x[order], y[order], ordered, source, **labels)


def _arrays(profile: Profile) -> tuple[Floats, Floats, dict[str, str]]:
    if not isinstance(profile, xr.DataArray):
        return _two_arrays(profile)
    if profile.ndim != 1:
        raise ShapeError(
            f"A profile has one dimension; this has {profile.dims} of sizes {profile.shape}. "
            "Select with .isel(...), or average with .mean(...)."
        )
    dim = str(profile.dims[0])
    along = [profile.coords[dim]] if dim in profile.coords else list(profile.coords.values())
    axis = next((c for c in along if c.dims == (dim,) and c.dtype.kind in "iuf"), None)
    labels = {
        "x_name": dim if axis is None else str(axis.name),
        "x_unit": "" if axis is None else _unit(axis),
        "y_name": str(profile.name or "y"),
        "y_unit": _unit(profile),
    }
    x = np.arange(profile.size, dtype=float) if axis is None else _real(axis.values, "x")
    return x, _real(profile.values, labels["y_name"]), labels


def _two_arrays(profile: Sequence[Any]) -> tuple[Floats, Floats, dict[str, str]]:
    if not isinstance(profile, (tuple, list)) or len(profile) != 2:
        raise ParameterError(
            f"A profile is a 1-D DataArray or a pair (x, y), not {type(profile).__name__}. "
            "Give xarray.DataArray(y, coords={'x': x}, dims='x'), or (x, y)."
        )
    x, y = (_real(part, name) for part, name in zip(profile, "xy", strict=True))
    if x.shape != y.shape or x.ndim != 1:
        raise ShapeError(f"x has shape {x.shape}, y {y.shape}; both must be as long. Crop one.")
    units = {name: _unit(part) for part, name in zip(profile, ("x_unit", "y_unit"), strict=True)}
    names = {
        name: str(getattr(part, "name", None) or name[0])
        for part, name in zip(profile, ("x_name", "y_name"), strict=True)
    }
    return x, y, {**names, **units}


def _errors(sigma: Any, y: Floats, finite: Any, unit: str) -> tuple[Floats | None, str]:
    if sigma is None:
        seen = y[finite]
        is_counted = unit == "counts" and bool((seen >= 0).all() and (seen == seen.round()).all())
        return None, FROM_COUNTS if is_counted else FROM_SCATTER
    if isinstance(sigma, str):
        if sigma != "poisson":
            raise ParameterError(f'sigma={sigma!r}; give an array, a number or "poisson".')
        if (y[finite] < 0).any():
            raise ParameterError(
                f"Counts cannot be negative, but the lowest is {y[finite].min():g}. Give sigma as "
                "an array, or leave it out: it is then taken from the scatter."
            )
        return None, FROM_COUNTS
    given = _real(sigma, "sigma")
    if given.shape not in ((), y.shape):
        raise ShapeError(f"sigma has shape {given.shape}, the profile {y.shape}. Crop one.")
    error = np.broadcast_to(given, y.shape).astype(float)
    if (error[np.isfinite(error)] <= 0).any():
        raise ParameterError(
            f"sigma must be above 0, its lowest is {np.nanmin(error):g}. Set points without an "
            "error to NaN: they are left out."
        )
    return error, FROM_SIGMA


def _real(values: Any, name: str) -> Floats:
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise ParameterError(
            f"{name} holds {array.dtype}, not real numbers. Choose another column, or convert it."
        )
    return array.astype(float)


def _unit(data: Any) -> str:
    unit = str(getattr(data, "attrs", {}).get("units", ""))
    return "" if unit == "1" else unit
