"""Least squares of a detector's numbers over points on rings, with points found again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ._calibration_model import PARAMETERS, Model
from ._calibration_spread import grouped, independent
from ._ring_points import PixelImage, Points, find_points

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Residual beyond which a point counts less [pixel]; the loss of the first fits is robust.
_ROBUST = 0.3

#: Points farther off than this many standard deviations (by the median) are left out.
_OUTLIER = 4.0

#: Changes of this part of their uncertainty end the refinement.
_SETTLED = 0.5

#: Windows of the search for points [pixel], from the start to the end.
_LAST_WINDOW = 6.0


@dataclass(frozen=True, eq=False)
class Fit:
    """Parameters, the points that gave them, and how well they agree.

    Attributes
    ----------
    parameters
        In the order of ``PARAMETERS``; angles [rad].
    covariance
        Shape (5, 5); zero for parameters that were held.
    scatter
        Variances as if all points were independent; what changes less has settled.
    residuals
        Of each point across its ring [pixel]; positive outside.
    two_theta
        The same [rad].
    points
        Those that counted.
    rejected
        How many were left out.
    rounds
        How often points were found and fitted.
    is_settled
        Whether the last round changed nothing of note.
    """

    parameters: Array
    covariance: Array
    scatter: Array
    residuals: Array
    two_theta: Array
    points: Points
    rejected: int
    rounds: int
    is_settled: bool


def refine(
    image: PixelImage,
    model: Model,
    start: Array,
    rings: Array,
    free: Flags,
    *,
    window: float,
    most: int,
    every: Array | None = None,
) -> Fit | None:
    """Return the fit to the rings of an image; None where there are too few points.

    Parameters
    ----------
    image, model, start
        The image and where to begin.
    rings
        2theta, ascending [rad]; NaN where there is none.
    free
        Which of ``PARAMETERS`` to refine.
    window
        How far off the start may be [pixel].
    most
        Most rounds.
    every
        All rings that the image may show, where ``rings`` are some of them.
    """
    parameters, width, best = start, window, None
    for number in range(1, most + 1):
        points = find_points(image, model, parameters, rings, width, every=every)
        fit = fit_points(points, model, parameters, rings, free, rounds=number)
        if fit is None:
            return best
        change = np.abs(fit.parameters - parameters)
        parameters, best = fit.parameters, fit
        is_last = width <= _last_window(points)
        if is_last and np.all(change <= _SETTLED * np.sqrt(fit.scatter)):
            return Fit(**{**vars(fit), "is_settled": True})
        width = max(_last_window(points), min(width * 0.6, width))
    return best


def fit_points(
    points: Points, model: Model, start: Array, rings: Array, free: Flags, *, rounds: int = 1
) -> Fit | None:
    """Return the fit to points of known rings; None where they are fewer than the unknowns."""
    kept = np.isfinite(rings[points.ring]) & np.isfinite(points.x + points.y)
    parameters = start
    for _ in range(4):
        if kept.sum() <= free.sum():
            return None
        chosen = points.only(kept)
        parameters = _solve(chosen, model, parameters, rings, free)
        off, _ = _off(points, model, parameters, rings)
        inner = off[kept]
        spread = max(1.4826 * float(np.median(np.abs(inner - np.median(inner)))), 1e-3)
        now = kept & (np.abs(off) <= _OUTLIER * spread + 0.02)
        if np.array_equal(now, kept):
            break
        kept = now
    chosen = points.only(kept)
    off, angle = _off(chosen, model, parameters, rings)
    slopes = model.slopes(parameters, chosen.x, chosen.y)
    jacobian = slopes.by_parameter[:, free] / slopes.per_pixel[:, None]
    _, chi = model.angles(parameters, chosen.x, chosen.y)
    return Fit(
        parameters=parameters,
        covariance=_of_all(grouped(jacobian, off, chosen.ring, chi, _ROBUST), free),
        scatter=np.diag(_of_all(independent(jacobian, off), free)),
        residuals=off,
        two_theta=angle,
        points=chosen,
        rejected=len(points) - len(chosen),
        rounds=rounds,
        is_settled=False,
    )


def _solve(points: Points, model: Model, start: Array, rings: Array, free: Flags) -> Array:
    """Return the parameters that bring the points closest to their rings."""
    weight = 1 / model.slopes(start, points.x, points.y).per_pixel
    wanted = rings[points.ring]

    def full(values: Array) -> Array:
        result = start.copy()
        result[free] = values
        return result

    def residuals(values: Array) -> Array:
        angle, _ = model.angles(full(values), points.x, points.y)
        return np.asarray((angle - wanted) * weight)

    def jacobian(values: Array) -> Array:
        by = model.slopes(full(values), points.x, points.y).by_parameter
        return np.asarray(by[:, free] * weight[:, None])

    from scipy.optimize import least_squares

    low, high = _bounds(start)
    found = least_squares(
        residuals, start[free], jacobian, bounds=(low[free], high[free]), x_scale="jac",
        loss="soft_l1", f_scale=_ROBUST, max_nfev=200,
    )  # fmt: skip
    return full(found.x)


def _bounds(start: Array) -> tuple[Array, Array]:
    low = np.array([start[0] * 0.1, -np.inf, -np.inf, -1.4, -1.4])
    high = np.array([start[0] * 10, np.inf, np.inf, 1.4, 1.4])
    return np.minimum(low, start - 1e-9), np.maximum(high, start + 1e-9)


def _off(points: Points, model: Model, parameters: Array, rings: Array) -> tuple[Array, Array]:
    """Return how far points are outside their rings [pixel] and [rad]."""
    slopes = model.slopes(parameters, points.x, points.y)
    angle = slopes.two_theta - rings[points.ring]
    return angle / slopes.per_pixel, angle


def _of_all(covariance: Array, free: Flags) -> Array:
    """Return the covariance of all parameters; zero for those that were held."""
    full = np.zeros((len(PARAMETERS), len(PARAMETERS)))
    full[np.ix_(free, free)] = covariance
    return full


def _last_window(points: Points) -> float:
    widths = list(points.width.values())
    return max(_LAST_WINDOW, 2.5 * float(np.median(widths))) if widths else _LAST_WINDOW
