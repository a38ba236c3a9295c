"""The decay of the intensity with dose, and whether there is one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from beamkit.core import html
from beamkit.core.errors import ParameterError, ShapeError
from beamkit.core.optional import need

#: A rate that is this many of its standard errors above 0 is a decay.
SIGNIFICANT = 3.0

#: Of a normal distribution, one-sided, 95 %.
_ONE_SIDED = 1.645

_FEWEST = 5

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Decay:
    """An exponential decay, and whether it is one.

    Attributes
    ----------
    initial, initial_error
        Intensity at dose 0, in the unit of the intensities.
    rate, rate_error
        Of the decay, per unit of dose: ``ln 2 / half_dose``. Negative: the intensity grows.
    half_dose, half_dose_error
        Dose after which half of the intensity is left; NaN where there is no decay.
    at_least
        With 95 % probability the half-dose is above this; infinite where the intensity grows.
    is_significant
        Whether the rate is three standard errors or more above 0.
    reduced_chi2
        Of the fit; NaN where the errors of the points are not known. Where it is above 1 the
        standard errors have been multiplied by its root: the points scatter more than they say.
    dose_unit
        Of the dose.
    points
        ``intensity``, ``sigma`` (where it is known) and ``curve`` over ``dose``.
    """

    initial: float
    initial_error: float
    rate: float
    rate_error: float
    half_dose: float
    half_dose_error: float
    at_least: float
    is_significant: bool
    reduced_chi2: float
    dose_unit: str
    points: xr.Dataset = field(repr=False)

    @property
    def lost(self) -> float:
        """Part of the intensity that is lost from the first point to the last [1]."""
        dose = self.points["dose"].values
        return float(1 - np.exp(-self.rate * (dose[-1] - dose[0])))

    @property
    def verdict(self) -> str:
        """What it means, in words."""
        unit = f" {self.dose_unit}" if self.dose_unit else ""
        if self.is_significant:
            return f"half-dose {self.half_dose:.4g} ± {self.half_dose_error:.2g}{unit}"
        bound = f"; the half-dose is above {self.at_least:.3g}{unit} (95 %)"
        return "no significant decay" + (bound if np.isfinite(self.at_least) else "")

    def to_dataset(self) -> xr.Dataset:
        """Return the points, the curve, and the numbers as variables with units."""
        unit = self.dose_unit
        numbers = {
            "initial": (self.initial, str(self.points["intensity"].attrs.get("units", ""))),
            "rate": (self.rate, f"1/{unit}" if unit else "1"),
            "half_dose": (self.half_dose, unit),
            "half_dose_at_least": (self.at_least, unit),
        }
        errors = {name: getattr(self, f"{name}_error") for name in ("initial", "rate", "half_dose")}
        data = {name: ((), value, {"units": units}) for name, (value, units) in numbers.items()}
        for name, error in errors.items():
            data[f"{name}_error"] = ((), error, data[name][2])
        return self.points.assign(data).assign_attrs(
            is_significant=int(self.is_significant), verdict=self.verdict
        )

    def _repr_html_(self) -> str:
        unit = self.dose_unit
        rows = [
            ("verdict", self.verdict),
            ("rate", f"{self.rate:.4g} ± {self.rate_error:.2g} 1/{unit or 'frame'}"),
            ("lost", f"{100 * self.lost:.3g} % from first to last"),
        ]
        return html.table(rows)


def fit_decay(
    intensity: xr.DataArray | ArrayLike,
    dose: xr.DataArray | ArrayLike | None = None,
    *,
    sigma: ArrayLike | None = None,
) -> Decay:
    """Fit an exponential decay of the intensity with the dose, and say whether there is one.

    ``I(D) = I_0 exp(-ln 2 D / D_half)``: the fall of the mean intensity at one resolution, as in
    Holton, J. Synchrotron Rad. 16, 133-142 (2009), who finds D_half of 10 MGy for each angstrom of
    the resolution; the half-dose as a measure is that of Owen et al., PNAS 103, 4912-4917 (2006).
    A crystal that turns changes its intensity with its shape and its symmetry, too: compare frames
    of the same angle, or many spots, before believing a small decay.

    Parameters
    ----------
    intensity
        Shape (frame,), such as ``intensity`` of :func:`beamkit.diffraction.statistics`. NaN is
        left out.
    dose
        Shape (frame,): dose, time, or what else grows with it; None: the number of the frame.
    sigma
        Standard errors of the intensities; None: the same for all, as large as their scatter.

    Raises
    ------
    ShapeError
        If the three are not of one length.
    ParameterError
        If there are fewer than 5 finite points, the dose is the same for all, an error is not
        above 0, or the intensities are not above 0 in the mean.
    MissingDependencyError
        If lmfit (extra ``diffraction``) is not installed.

    Examples
    --------
    >>> decay = fit_decay(800 * 2.0 ** (-np.arange(20) / 30))
    >>> round(decay.half_dose, 6), decay.is_significant
    (30.0, True)
    """
    y, x, error, unit = _points(intensity, dose, sigma)
    result = _fit(y, x, error)
    span = float(np.ptp(x))
    rate, rate_error = result.params["rate"].value / span, _error(result, "rate") / span
    start = float(x.min())
    initial = float(result.params["first"].value * np.exp(rate * start))
    is_significant = bool(rate > SIGNIFICANT * rate_error)
    half = np.log(2) / rate if is_significant else np.nan
    highest = rate + _ONE_SIDED * rate_error
    return Decay(
        initial=initial,
        initial_error=initial * _error_of_logarithm(result, start / span),
        rate=float(rate),
        rate_error=float(rate_error),
        half_dose=float(half),
        half_dose_error=float(half * rate_error / rate) if is_significant else np.nan,
        at_least=float(np.log(2) / highest) if highest > 0 else np.inf,
        is_significant=is_significant,
        reduced_chi2=float(result.redchi) if error is not None else np.nan,
        dose_unit=unit,
        points=_table(intensity, x, y, error, result.best_fit, unit),
    )


def _points(intensity: Any, dose: Any, sigma: Any) -> tuple[Floats, Floats, Floats | None, str]:
    """Return finite intensities, doses in increasing order, errors, and the unit of the dose."""
    y = np.asarray(intensity, float)
    x = np.arange(y.size, dtype=float) if dose is None else np.asarray(dose, float)
    unit = "frame" if dose is None else str(getattr(dose, "attrs", {}).get("units", ""))
    error = None if sigma is None else np.broadcast_to(np.asarray(sigma, float), y.shape)
    if y.ndim != 1 or x.shape != y.shape:
        raise ShapeError(
            f"Intensities of shape {y.shape} for doses of shape {x.shape}. Give one of each for "
            "every frame."
        )
    good = np.isfinite(y) & np.isfinite(x) & (True if error is None else np.isfinite(error))
    order = np.flatnonzero(good)[np.argsort(x[good], kind="stable")]
    y, x, error = y[order], x[order], None if error is None else error[order]
    if y.size < _FEWEST or np.ptp(x) == 0 or not y.mean() > 0:
        raise ParameterError(
            f"A decay is fitted to at least {_FEWEST} points at different doses, with a mean above "
            f"0; these are {y.size}, over a range of {np.ptp(x) if x.size else 0:g}. "
            "Give more frames, or another column."
        )
    if error is not None and not (error > 0).all():
        raise ParameterError(
            f"An error is {error.min():g}; allowed is above 0. Leave sigma out for the scatter."
        )
    return y, x, error, unit


def _fit(y: Floats, x: Floats, error: Floats | None) -> Any:
    lmfit = need("lmfit", extra="diffraction", to="fit a decay")
    scaled = (x - x.min()) / np.ptp(x)

    def law(u: Floats, first: float, rate: float) -> Floats:
        return np.asarray(first * np.exp(-rate * u))

    # The straight line through the logarithms is a start that is always in reach.
    floor = max(float(np.abs(y).max()) * 1e-3, 1e-300)
    slope, log_first = np.polyfit(scaled, np.log(np.maximum(y, floor)), 1)
    model = lmfit.Model(law)
    weights = None if error is None else 1 / error
    start = {"first": float(np.exp(log_first)), "rate": float(-slope)}
    found = model.fit(y, u=scaled, weights=weights, scale_covar=error is None, **start)
    if error is not None and found.redchi > 1:
        found = model.fit(y, u=scaled, weights=weights, scale_covar=True, **start)
    return found


def _error(result: Any, name: str) -> float:
    """Return the standard error; infinite if the fit could not tell."""
    error = result.params[name].stderr
    return float(error) if error is not None and np.isfinite(error) else np.inf


def _error_of_logarithm(result: Any, back: float) -> float:
    """Return the standard error of the logarithm of the curve, so far before the first point."""
    if result.covar is None:
        return np.inf
    slope = np.array([1 / result.params["first"].value, back])
    return float(np.sqrt(slope @ result.covar @ slope))


def _table(
    intensity: Any, x: Floats, y: Floats, error: Floats | None, curve: Floats, unit: str
) -> xr.Dataset:
    attrs = getattr(intensity, "attrs", {})
    units = {"units": str(attrs.get("units", ""))}
    data: dict[str, Any] = {"intensity": ("dose", y, units), "curve": ("dose", curve, units)}
    if error is not None:
        data["sigma"] = ("dose", error, units)
    return xr.Dataset(data, {"dose": ("dose", x, {"units": unit})})
