"""Can the numbers of a fit be used? The answer in words."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import scipy

from ._lmfit import BACKGROUNDS, FEWEST_EXPECTED, PEAK, Solution, evaluate
from ._points import FROM_COUNTS, FROM_SCATTER, Points
from .measured import Measured
from .shapes import Floats

#: How much a peak must lower chi square to be one. Noise lowers it by about 12 where it can choose
#: the place among a hundred points; by 25 once in some thousand profiles (tested).
_LEAST_GAIN = 25.0


def verdict(
    points: Points,
    found: Solution,
    numbers: Mapping[str, Measured],
    background: str | None,
    peak: int,
) -> tuple[bool, str]:
    """Return whether the fit of a peak can be used, and why or why not."""
    failure = (
        _no_peak(points, found, background, peak)
        or _no_width(points, numbers)
        or _not_inside(points, numbers)
        or _no_fit(found)
        or _no_errors(numbers)
    )
    if failure:
        return False, failure
    return True, _remark(points, numbers) or "converged"


def _no_fit(found: Solution) -> str:
    if found.is_converged and np.isfinite(found.values).all():
        return ""
    return f"the fit did not converge: {found.message.rstrip('.')}"


def _no_peak(points: Points, found: Solution, background: str | None, peak: int) -> str:
    """Compare with the fit without this peak, on the background that is best then."""
    values = found.values.copy()
    curve = evaluate(values, found.reference, points.x)
    values[2 + PEAK.index("area") + peak * len(PEAK)] = 0.0
    without = evaluate(values, found.reference, points.x)
    columns = np.vander(points.x - found.reference, 2, increasing=True)
    without = without + _change(points, without, columns[:, : BACKGROUNDS[background]])
    if np.allclose(without, points.y, rtol=1e-9, atol=0):
        return "no peak: all points lie on the background"
    gain = _misfit(points, without) - _misfit(points, curve)
    if points.errors == FROM_SCATTER and found.chi_square > 0:
        gain *= found.freedom / found.chi_square
    if gain > _LEAST_GAIN:
        return ""
    return (
        f"no peak stands out of the noise: it lowers chi square by {max(gain, 0):.2g}, "
        f"a peak by {_LEAST_GAIN:g} or more"
    )


def _change(points: Points, model: Floats, columns: Floats) -> Floats:
    """Return what the background must change by to fit best, to first order."""
    if not columns.size:
        return np.zeros_like(model)
    total = np.zeros_like(model)
    for _ in range(3 if points.errors == FROM_COUNTS else 1):
        sigma = _sigma(points, model + total)
        rest = (points.y - model) / sigma
        total = columns @ np.linalg.lstsq(columns / sigma[:, None], rest, rcond=None)[0]
    return total


def _misfit(points: Points, model: Floats) -> float:
    """Return chi square; of counts the deviance, as a model near 0 has no variance to speak of."""
    if points.errors == FROM_COUNTS:
        return 2 * float((scipy.special.kl_div(points.y, np.maximum(model, FEWEST_EXPECTED))).sum())
    return float((((points.y - model) / _sigma(points, model)) ** 2).sum())


def _sigma(points: Points, model: Floats) -> Floats:
    if points.errors == FROM_COUNTS:
        return np.asarray(np.sqrt(np.maximum(model, FEWEST_EXPECTED)))
    return np.ones_like(model) if points.sigma is None else points.sigma


def _not_inside(points: Points, numbers: Mapping[str, Measured]) -> str:
    position, low, high = numbers["position"].value, points.x[0], points.x[-1]
    if low <= position <= high:
        return ""
    end = low if position < low else high
    return (
        f"the peak is outside the range: its middle is put at {_place(position, points)}, "
        f"the points end at {_place(end, points)}; widen the range"
    )


def _no_width(points: Points, numbers: Mapping[str, Measured]) -> str:
    fwhm, span = numbers["fwhm"].value, float(points.x[-1] - points.x[0])
    if fwhm > span:
        return (
            f"the peak is wider ({_place(fwhm, points)}) than the range ({_place(span, points)}): "
            "it cannot be told from the background; widen the range"
        )
    nearest = int(np.argmin(np.abs(points.x - numbers["position"].value)))
    steps = np.diff(points.x[max(nearest - 1, 0) : nearest + 2])
    if fwhm < float(steps.max(initial=0.0)):
        return (
            f"the peak is narrower ({_place(fwhm, points)}) than the step of the points "
            f"({_place(steps.max(), points)}): its width cannot be told; scan in finer steps"
        )
    return ""


def _no_errors(numbers: Mapping[str, Measured]) -> str:
    if np.isfinite([numbers[name].error for name in ("position", "area", "fwhm")]).all():
        return ""
    return "the errors could not be determined: the parameters are not independent"


def _remark(points: Points, numbers: Mapping[str, Measured]) -> str:
    position, fwhm = numbers["position"].value, numbers["fwhm"].value
    for end in (points.x[0], points.x[-1]):
        if abs(position - end) < fwhm / 2:
            return (
                f"converged; the peak is at the edge of the range, {_place(end, points)}, and cut "
                "there: area and background rest on the model"
            )
    return ""


def _place(value: float, points: Points) -> str:
    return f"{value:.6g} {points.x_unit}".strip()
