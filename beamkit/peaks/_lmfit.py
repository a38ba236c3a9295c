"""The one door to lmfit: peaks on a background, by least squares.

Inside, x is counted from the middle of the points in units of half their span, and y in units of
its spread, so that a step for a derivative suits every parameter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from beamkit.core.optional import need

from ._points import FROM_COUNTS, FROM_SCATTER, Points
from .shapes import Floats, pseudo_voigt

#: Parameters before those of the peaks, and those of each peak.
BACKGROUND = ("level", "slope")
PEAK = ("position", "area", "fwhm", "fraction")

_WIDTH = PEAK.index("fwhm")

#: Number of free parameters of each background.
BACKGROUNDS: dict[str | None, int] = {None: 0, "constant": 1, "linear": 2}

#: Lowest expected count that has an error of its own; fewer are taken as this many.
FEWEST_EXPECTED = 0.1
_ROUNDS = 6

#: MINPACK's ends in which rounding allows nothing better, as of exact data.
_EXHAUSTED = (6, 7, 8)


@dataclass(frozen=True)
class Solution:
    """What the least-squares fit gave.

    Attributes
    ----------
    values
        Level and slope of the background at ``reference``, then :data:`PEAK` of each peak.
    covariance
        Shape (parameter, parameter), 0 for what was fixed; NaN where it cannot be told.
    reference
        The x at which the background has its level.
    chi_square
        Sum of squared residuals over their variance; of squared residuals where errors are
        unknown.
    freedom
        Points less free parameters.
    is_converged, message
        Whether the fit ended by itself, and what lmfit says.
    """

    values: Floats
    covariance: Floats
    reference: float
    chi_square: float
    freedom: int
    is_converged: bool
    message: str


def evaluate(values: Floats, reference: float, x: Any) -> Floats:
    """Return background and peaks at x."""
    total = background_at(values, reference, x)
    for peak in values[len(BACKGROUND) :].reshape(-1, len(PEAK)):
        total = total + pseudo_voigt(x, *peak)
    return total


def background_at(values: Floats, reference: float, x: Any) -> Floats:
    """Return the background at x."""
    return np.asarray(values[0] + values[1] * (np.asarray(x, dtype=float) - reference))


def solve(points: Points, start: Floats, free: Sequence[bool]) -> Solution:
    """Return the parameters with the least weighted squares.

    Counts are fitted by maximum likelihood: the variance of a point is the count that the model
    expects there, put in again until it stays (McCullagh & Nelder, Generalized Linear Models,
    1989, section 2.5). Errors from the counts themselves would pull the area down by about one
    count a point.

    Parameters
    ----------
    points
        Profile.
    start
        Start values as in :class:`Solution`, the background at the middle of the points.
    free
        Which of them are fitted.

    Raises
    ------
    MissingDependencyError
        If lmfit is not installed.
    """
    lmfit = need("lmfit", extra="diffraction", to="fit peaks")
    scaled = _Scaled(points, len(start))
    varied = np.asarray(free, dtype=bool)
    values, sigma = (start - scaled.shift) / scaled.units, scaled.first_sigma()
    for _ in range(_ROUNDS if points.errors == FROM_COUNTS else 1):
        before = values
        found = _minimize(lmfit, scaled, values, varied, sigma)
        values = _values(found)
        if points.errors == FROM_COUNTS:
            sigma = scaled.expected_sigma(values)
        if np.allclose(values, before, rtol=1e-5, atol=1e-7):
            break
    return scaled.solution(found, values, varied)


def _minimize(lmfit: Any, scaled: _Scaled, start: Floats, free: Any, sigma: Floats) -> Any:
    parameters = lmfit.Parameters()
    for number, (value, is_free) in enumerate(zip(start, free, strict=True)):
        is_fraction = number >= 2 and PEAK[(number - 2) % len(PEAK)] == "fraction"
        limits = {"min": 0.0, "max": 1.0} if is_fraction and is_free else {}
        parameters.add(f"p{number}", value=value, vary=bool(is_free), **limits)

    def residuals(current: Any) -> Floats:
        values = np.array([current[name].value for name in current])
        return np.asarray((evaluate(values, 0.0, scaled.x) - scaled.y) / sigma)

    return lmfit.minimize(
        residuals,
        parameters,
        scale_covar=scaled.errors == FROM_SCATTER,
        max_nfev=400 * (len(start) + 1),
    )


def _values(found: Any) -> Floats:
    values = np.array([found.params[name].value for name in found.params])
    widths = slice(2 + _WIDTH, None, len(PEAK))
    values[widths] = np.maximum(np.abs(values[widths]), 1e-12)
    return values


class _Scaled:
    """Points in units that suit the fit, and the way back."""

    def __init__(self, points: Points, parameters: int) -> None:
        self.middle = float(points.x[0] + points.x[-1]) / 2
        self.span = float(points.x[-1] - points.x[0]) / 2
        self.height = float(np.ptp(points.y)) or 1.0
        self.errors = points.errors
        self.x, self.y = (points.x - self.middle) / self.span, points.y / self.height
        self._given = points.sigma
        peaks = (parameters - len(BACKGROUND)) // len(PEAK)
        background = [self.height, self.height / self.span]
        self.units = np.array(
            [*background, *([self.span, self.height * self.span, self.span, 1.0] * peaks)]
        )
        self.shift = np.array([0.0, 0.0, *([self.middle, 0.0, 0.0, 0.0] * peaks)])

    def first_sigma(self) -> Floats:
        if self._given is not None:
            return self._given / self.height
        if self.errors == FROM_COUNTS:
            # Smoothed, so that a low count by chance does not weigh more than its neighbours.
            counts = np.convolve(np.pad(self.y, 1, "edge"), np.ones(3) / 3, "valid")
            return np.asarray(np.sqrt(np.maximum(counts * self.height, 1.0)) / self.height)
        return np.ones_like(self.y)

    def expected_sigma(self, values: Floats) -> Floats:
        expected = evaluate(values, 0.0, self.x) * self.height
        return np.asarray(np.sqrt(np.maximum(expected, FEWEST_EXPECTED)) / self.height)

    def _covariance(self, found: Any, free: Any) -> Floats | None:
        """Return the inverse of J^T J, which MINPACK may not give for points that fit exactly."""
        values = np.array([found.params[name].value for name in found.params])
        steps = np.full(values.size, 1e-6)
        for place in range(len(BACKGROUND), values.size, len(PEAK)):
            steps[[place, place + _WIDTH]] *= max(abs(values[place + _WIDTH]), 1e-12)
        given = self.errors != FROM_COUNTS
        sigma = self.first_sigma() if given else self.expected_sigma(values)
        columns = []
        for number in np.flatnonzero(free):
            step = np.where(np.arange(values.size) == number, steps, 0.0)
            change = evaluate(values + step, 0.0, self.x) - evaluate(values - step, 0.0, self.x)
            columns.append(change / (2 * steps[number]) / sigma)
        jacobian = np.transpose(columns)
        if np.linalg.matrix_rank(jacobian) < jacobian.shape[1]:
            return None
        scale = found.redchi if self.errors == FROM_SCATTER else 1.0
        return np.asarray(np.linalg.inv(jacobian.T @ jacobian) * scale)

    def solution(self, found: Any, values: Floats, free: Any) -> Solution:
        covariance = np.zeros((values.size, values.size))
        known = getattr(found, "covar", None)
        if known is None:
            known = self._covariance(found, free)
        covariance[np.ix_(free, free)] = np.nan if known is None else known
        # A width found negative is the same peak; what goes with it changes its sign.
        signs = np.sign([found.params[name].value or 1.0 for name in found.params])
        is_width = np.arange(values.size) % len(PEAK) == (len(BACKGROUND) + _WIDTH) % len(PEAK)
        is_width[: len(BACKGROUND)] = False
        covariance *= np.outer(*[np.where(is_width, signs, 1.0)] * 2)
        residual = found.residual * (self.height if self.errors == FROM_SCATTER else 1.0)
        return Solution(
            values=values * self.units + self.shift,
            covariance=covariance * np.outer(self.units, self.units),
            reference=self.middle,
            chi_square=float((residual**2).sum()),
            freedom=self.x.size - int(free.sum()),
            is_converged=bool(found.success) or getattr(found, "ier", 0) in _EXHAUSTED,
            message=str(found.message),
        )
