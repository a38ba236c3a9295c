"""Fit peaks of a profile, a pattern or a scan, with errors that can be trusted."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from beamkit.core.errors import ParameterError, ShapeError, UnknownNameError

from ._lmfit import BACKGROUNDS, PEAK, Solution, solve
from ._points import Points, Profile, points_of
from ._start import next_position, several, starts
from ._verdict import verdict
from .result import PeakFit, PeaksFit, measured_of, reduced, unknown
from .shapes import MODELS, Floats

#: Where the fraction of a pseudo-Voigt starts.
_FRACTION = 0.5


def fit_peak(
    profile: Profile,
    *,
    model: str = "gaussian",
    background: str | None = "linear",
    range: tuple[float, float] | None = None,  # noqa: A002
    sigma: Any = None,
) -> PeakFit:
    """Fit one peak, or dip, on a background.

    Parameters
    ----------
    profile
        1-D DataArray, against its coordinate; or two arrays (x, y). NaN is left out.
    model
        ``"gaussian"``, ``"lorentzian"`` or ``"pseudo_voigt"``.
    background
        ``"linear"``, ``"constant"``, or None for none.
    range
        Lowest and highest x that take part; None: all.
    sigma
        Standard errors of the points: as long as the profile, or a number; ``"poisson"`` for
        counts. None: those of counts, where the unit is ``counts`` and all are whole numbers, else
        the same for all points, as large as their scatter around the curve.

    Returns
    -------
    fit
        Position, height, area, width and background with standard errors; look at
        ``fit.success`` and ``fit.reason`` first. Where all points are the same there is no peak,
        and the numbers are NaN.

    Raises
    ------
    ShapeError
        If the profile has not one dimension, or the range holds too few points.
    ParameterError
        If model, background, range or sigma cannot be.
    MissingDependencyError
        If lmfit is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(0, 4, 41)
    >>> fit = fit_peak((x, 5 + np.exp(-4 * np.log(2) * ((x - 1.7) / 0.5) ** 2)))
    >>> round(float(fit.position), 6), round(float(fit.fwhm), 6), fit.reason
    (1.7, 0.5, 'converged')
    """
    points = _checked(profile, sigma, range, model, background, peaks=1)
    if np.ptp(points.y) == 0:
        return _no_peak(points, model)
    found = _single(points, model, background)
    return _peaks(points, found, model, background)[0]


def fit_peaks(
    profile: Profile,
    peaks: int | Iterable[float],
    *,
    model: str = "gaussian",
    background: str | None = "linear",
    range: tuple[float, float] | None = None,  # noqa: A002
    sigma: Any = None,
) -> PeaksFit:
    """Fit several peaks together on one background; they may overlap.

    Parameters
    ----------
    profile, model, background, range, sigma
        As in :func:`fit_peak`.
    peaks
        How many, or where they are, roughly. Of a number, each next peak is put where the points
        lie farthest from the fit without it.

    Returns
    -------
    fits
        A tuple of :class:`PeakFit`, by position; the errors allow for the overlap.

    Raises
    ------
    ShapeError, ParameterError, MissingDependencyError
        As in :func:`fit_peak`; also if there is no peak to fit.
    """
    positions = _positions(peaks)
    number = peaks if isinstance(peaks, int) else len(positions)
    points = _checked(profile, sigma, range, model, background, peaks=number)
    if np.ptp(points.y) == 0:
        return PeaksFit([_no_peak(points, model)] * number)
    _require_inside(points, positions)
    fraction = _first_fraction(model)
    if not positions:
        first = _single(points, model, background)
        found = _one_by_one(points, first, number, model, background)
    else:
        begin = several(points, background, fraction, positions)
        found = _solve(points, begin, model, background)
    fits = _peaks(points, found, model, background)
    return PeaksFit(sorted(fits, key=lambda fit: fit.position.value))


def _single(points: Points, model: str, background: str | None) -> Solution:
    """Return the best fit of one peak: from the likeliest start, or, if that fails, from all."""
    found: list[tuple[bool, float, Solution]] = []
    for begin in starts(points, background, _first_fraction(model)):
        solution = _solve(points, begin, model, background)
        fit = _peaks(points, solution, model, background)[0]
        # A later start must not win by a worse fit, such as a dip at the edge.
        if fit.success and all(solution.chi_square <= other[1] for other in found):
            return solution
        found.append((_is_astray(points, fit), solution.chi_square, solution))
    return min(found, key=lambda each: each[:2])[2]


def _is_astray(points: Points, fit: PeakFit) -> bool:
    span = points.x[-1] - points.x[0]
    is_inside = points.x[0] <= fit.position.value <= points.x[-1]
    return not (is_inside and fit.fwhm.value <= span)


def _one_by_one(
    points: Points, found: Solution, number: int, model: str, background: str | None
) -> Solution:
    while (count := (found.values.size - 2) // len(PEAK)) < number:
        place = next_position(points, found.values, found.reference)
        positions = [*found.values[2 :: len(PEAK)], place]
        fresh = several(points, background, _first_fraction(model), positions)
        kept = np.concatenate([found.values, fresh[2 + count * len(PEAK) :]])
        # From where the others were, and from a fresh look: the new peak may have been part of one.
        tries = [_solve(points, begin, model, background) for begin in (kept, fresh)]
        found = min(tries, key=lambda solution: solution.chi_square)
    return found


def _checked(
    profile: Profile,
    sigma: Any,
    limits: tuple[float, float] | None,
    model: str,
    background: str | None,
    peaks: int,
) -> Points:
    if model not in MODELS:
        raise UnknownNameError("model of a peak", str(model), MODELS)
    if background not in BACKGROUNDS:
        raise UnknownNameError("background", str(background), map(str, BACKGROUNDS))
    if limits is not None and (len(limits) != 2 or not np.isfinite(limits).all()):
        raise ParameterError(f"range is {limits}; give the lowest and the highest x, or None.")
    points = points_of(profile, sigma).within(limits)
    needed = BACKGROUNDS[background] + peaks * (4 if MODELS[model] is None else 3)
    if points.x.size <= needed or points.x[0] == points.x[-1]:
        where = f" from {limits[0]:g} to {limits[1]:g}" if limits else ""
        raise ShapeError(
            f"Too few points: {points.x.size} that are no NaN{where}, but {peaks} {model} peak"
            f"{'s' if peaks > 1 else ''} with background={background!r} have {needed} parameters; "
            f"at least {needed + 1} are needed. Widen the range, or take a simpler model."
        )
    return points


def _positions(peaks: int | Iterable[float]) -> list[float]:
    try:
        number = operator.index(peaks)  # type: ignore[arg-type]
    except TypeError:
        positions = [float(place) for place in peaks]  # type: ignore[union-attr]
        number = len(positions)
    else:
        positions = []
    if number < 1:
        raise ParameterError(f"peaks is {peaks!r}; give how many there are, 1 or more, or where.")
    return positions


def _require_inside(points: Points, positions: Sequence[float]) -> None:
    low, high = points.x[0], points.x[-1]
    outside = [place for place in positions if not low <= place <= high]
    if outside:
        raise ParameterError(
            f"Positions {outside} are outside the points, {low:g} to {high:g} {points.x_unit}. "
            "Give positions inside, or widen the range."
        )


def _first_fraction(model: str) -> float:
    fixed = MODELS[model]
    return _FRACTION if fixed is None else fixed


def _solve(points: Points, begin: Floats, model: str, background: str | None) -> Solution:
    """Fit; a fraction that ends at 0 or 1 is fixed there, as it has no error on both sides."""
    free = _free(begin.size, model, background)
    found = solve(points, begin, free)
    fractions = np.zeros(begin.size, bool)
    fractions[2 + PEAK.index("fraction") :: len(PEAK)] = True
    ends = fractions & free & ((found.values < 1e-3) | (found.values > 1 - 1e-3))
    if not ends.any():
        return found
    again = np.where(ends, found.values.round(), found.values)
    return solve(points, again, free & ~ends)


def _free(size: int, model: str, background: str | None) -> Any:
    free = np.ones(size, bool)
    free[BACKGROUNDS[background] : 2] = False
    if MODELS[model] is not None:
        free[2 + PEAK.index("fraction") :: len(PEAK)] = False
    return free


def _peaks(points: Points, found: Solution, model: str, background: str | None) -> list[PeakFit]:
    fits = []
    for number in np.arange((found.values.size - 2) // len(PEAK)):
        measured = measured_of(points, found, int(number))
        success, reason = verdict(points, found, measured, background, int(number))
        fits.append(
            PeakFit(
                **measured,
                reduced_chi2=reduced(points, found),
                freedom=found.freedom,
                success=success,
                reason=reason,
                model=model,
                errors=points.errors,
                points=points,
                solution=found,
            )
        )
    return fits


def _no_peak(points: Points, model: str) -> PeakFit:
    return PeakFit(
        **unknown(points),
        reduced_chi2=float("nan"),
        freedom=0,
        success=False,
        reason=f"no peak: all {points.x.size} points have the value {points.y[0]:g}",
        model=model,
        errors=points.errors,
        points=points,
    )
