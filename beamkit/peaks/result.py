"""What a fit of peaks gives: numbers with errors, curves, and a verdict in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from ._lmfit import BACKGROUND, PEAK, Solution, background_at, evaluate
from ._points import FROM_SCATTER, Points
from .measured import Measured
from .shapes import TOP_SLOPE, height, pseudo_voigt, top

#: Names of the numbers of a peak, in the order of a table.
NUMBERS = ("position", "height", "area", "fwhm", "fraction", "background")


@dataclass(frozen=True, kw_only=True)
class PeakFit:
    """A fitted peak.

    Attributes
    ----------
    position, fwhm
        Middle and full width at half maximum, in the unit of x.
    height, area
        Above the background, tails included; negative for a dip.
    fraction
        Of the area that is Lorentzian: 0 for a Gaussian, 1 for a Lorentzian.
    background, slope
        Background under the middle of the peak, and how it grows with x.
    reduced_chi2
        Sum of squared residuals over their variance, per degree of freedom; NaN where the
        errors of the points are unknown.
    freedom
        Points less free parameters.
    success, reason
        Whether the numbers can be used, and the verdict in words.
    model, errors
        Shape of the peak; where the errors come from: ``"sigma"``, ``"counts"`` or ``"scatter"``
        (of the points around the curve).
    points
        The points that were fitted.
    """

    position: Measured
    height: Measured
    area: Measured
    fwhm: Measured
    fraction: Measured
    background: Measured
    slope: Measured
    reduced_chi2: float
    freedom: int
    success: bool
    reason: str
    model: str
    errors: str
    points: Points = field(repr=False)
    solution: Solution | None = field(repr=False, default=None)

    def curve(self, x: Any = None) -> xr.DataArray:
        """Return all peaks of the fit and the background, at x or, closely spaced, over the range.

        NaN where there was nothing to fit.
        """
        found, x = self.solution, self._places(x)
        if found is None:
            return self._over(x, np.full(x.shape, np.nan))
        return self._over(x, evaluate(found.values, found.reference, x))

    def background_curve(self, x: Any = None) -> xr.DataArray:
        """Return the background alone."""
        found, x = self.solution, self._places(x)
        if found is None:
            return self._over(x, np.full(x.shape, np.nan))
        return self._over(x, background_at(found.values, found.reference, x))

    def peak_curve(self, x: Any = None) -> xr.DataArray:
        """Return this peak alone, on the background."""
        peak = (self.position, self.area, self.fwhm, self.fraction)
        ground = self.background_curve(x)
        x = self._places(x)
        return ground + self._over(x, pseudo_voigt(x, *(number.value for number in peak)))

    @property
    def residuals(self) -> xr.DataArray:
        """Points less curve, over the points that were fitted, in the unit of y."""
        return self._over(self.points.x, self.points.y - self.curve(self.points.x).values)

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers and texts: each number, its ``_error``, and the verdict."""
        numbers: dict[str, Any] = {}
        for name in (*NUMBERS, "slope"):
            measured: Measured = getattr(self, name)
            numbers |= {name: measured.value, f"{name}_error": measured.error}
        verdict = ("reduced_chi2", "freedom", "success", "reason", "model", "errors")
        return {**numbers, **{name: getattr(self, name) for name in verdict}}

    def to_dataset(self) -> xr.Dataset:
        """Return numbers and errors with units, points, curve and residuals over x."""
        curve = self.curve(self.points.x)
        data = {
            "data": self._over(self.points.x, self.points.y),
            "curve": curve,
            "background_curve": self.background_curve(self.points.x),
            "residuals": self.residuals,
        }
        for name in (*NUMBERS, "slope"):
            measured: Measured = getattr(self, name)
            units = {"units": measured.unit}
            data[name] = xr.DataArray(measured.value, attrs=units)
            data[f"{name}_error"] = xr.DataArray(measured.error, attrs=units)
        verdict = ("reduced_chi2", "freedom", "reason", "model", "errors")
        attrs = {name: getattr(self, name) for name in verdict}
        return xr.Dataset(data, attrs={**attrs, "success": int(self.success)})

    def __str__(self) -> str:
        names = [n for n in NUMBERS if n != "fraction" or self.model == "pseudo_voigt"]
        rows = [f"{name:<10} {getattr(self, name)}" for name in names]
        return "\n".join([f"{self.model.replace('_', '-')}: {self.reason}", *rows])

    def _places(self, x: Any) -> Any:
        if x is None:
            return np.linspace(self.points.x[0], self.points.x[-1], 501)
        return np.asarray(x, dtype=float)

    def _over(self, x: Any, values: Any) -> xr.DataArray:
        points = self.points
        attrs = {"units": points.y_unit}
        if np.ndim(x) != 1:
            return xr.DataArray(values, attrs=attrs)
        axis = (points.x_name, x, {"units": points.x_unit})
        name = None if points.y_name == points.x_name else points.y_name
        return xr.DataArray(
            values, coords={points.x_name: axis}, dims=points.x_name, name=name, attrs=attrs
        )


class PeaksFit(tuple[PeakFit, ...]):
    """Peaks fitted together, in the order of their positions: a tuple of :class:`PeakFit`."""

    __slots__ = ()

    def __iter__(self) -> Iterator[PeakFit]:
        return super().__iter__()

    @property
    def success(self) -> bool:
        """Whether all numbers can be used."""
        return all(peak.success for peak in self)

    @property
    def reason(self) -> str:
        """The verdicts of the peaks, each once."""
        return "; ".join(dict.fromkeys(peak.reason for peak in self))

    def curve(self, x: Any = None) -> xr.DataArray:
        """Return all peaks and the background, at x or, closely spaced, over the range."""
        return self[0].curve(x)

    @property
    def residuals(self) -> xr.DataArray:
        """Points less curve, over the points that were fitted."""
        return self[0].residuals

    def to_dataset(self) -> xr.Dataset:
        """Return a table over ``peak``: each number, its error, and the verdict."""
        rows = [peak.to_dict() for peak in self]
        table = {name: ("peak", [row[name] for row in rows]) for name in rows[0]}
        data = xr.Dataset(table)
        for name in (*NUMBERS, "slope"):
            for column in (name, f"{name}_error"):
                data[column].attrs["units"] = getattr(self[0], name).unit
        return data


def measured_of(points: Points, found: Solution, number: int) -> dict[str, Any]:
    """Return the numbers of a peak with their standard errors, by linear propagation."""
    first = len(BACKGROUND) + number * len(PEAK)
    position, area, fwhm, fraction = found.values[first : first + len(PEAK)]
    away = position - found.reference
    one = np.eye(found.values.size)
    places = dict(zip(PEAK, one[first:], strict=False))
    tall = height(area, fwhm, fraction)
    gradients = {
        **places,
        "height": tall * (places["area"] / area - places["fwhm"] / fwhm if area else 0 * one[0])
        + area / fwhm * TOP_SLOPE * places["fraction"],
        "background": one[0] + away * one[1] + found.values[1] * places["position"],
        "slope": one[1],
    }
    if not area:
        gradients["height"] = top(fraction) / fwhm * places["area"]
    values = {
        **dict(zip(PEAK, (position, area, fwhm, fraction), strict=True)),
        "height": tall,
        "background": found.values[0] + away * found.values[1],
        "slope": found.values[1],
    }
    units = _units(points)
    return {
        name: Measured(float(values[name]), _error(gradient, found.covariance), units[name])
        for name, gradient in gradients.items()
    }


def unknown(points: Points) -> dict[str, Any]:
    """Return numbers that are not known."""
    return {name: Measured(np.nan, np.nan, unit) for name, unit in _units(points).items()}


def reduced(points: Points, found: Solution) -> float:
    """Return the reduced chi square; NaN where the errors of the points are unknown."""
    if points.errors == FROM_SCATTER or found.freedom < 1:
        return float("nan")
    return found.chi_square / found.freedom


def _error(gradient: Any, covariance: Any) -> float:
    used = gradient != 0
    part = covariance[np.ix_(used, used)]
    return float(np.sqrt(max(gradient[used] @ part @ gradient[used], 0.0)))


def _units(points: Points) -> dict[str, str]:
    x, y = points.x_unit, points.y_unit
    return {
        "position": x,
        "fwhm": x,
        "fraction": "",
        "height": y,
        "background": y,
        "area": f"{y} {x}".strip(),
        "slope": (f"{y or '1'}/{x}" if "/" not in x else f"{y} ({x})^-1") if x else y,
    }
