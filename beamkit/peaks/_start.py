"""Where a fit of peaks starts: read off the points."""

from __future__ import annotations

import numpy as np

from ._lmfit import BACKGROUND, background_at, evaluate
from ._points import Points
from .shapes import Floats, top

#: Part of the points at either end that is taken for background.
_END = 0.12

#: Quantile of the points, from the far side of the peak, that a level background has.
_LEVEL = 0.25


def starts(points: Points, background: str | None, fraction: float) -> list[Floats]:
    """Return start values for one peak, the likeliest first.

    A peak or a dip, on the line through both ends; or, as a peak may stand at an end, on the level
    of most points.
    """
    y, middle = smooth(points.y), _middle(points)
    through_ends = _background(points, background)
    away = y - background_at(through_ends, middle, points.x)
    signs = [1, -1] if away.max() >= -away.min() else [-1, 1]
    found = []
    for sign in signs:
        level = np.quantile(y, _LEVEL if sign > 0 else 1 - _LEVEL) if background else 0.0
        for ground in (through_ends, np.array([level, 0.0])):
            excess = sign * (y - background_at(ground, middle, points.x))
            found.append(np.concatenate([ground, _peak(points.x, excess, sign, fraction)]))
    return found


def several(
    points: Points, background: str | None, fraction: float, positions: list[float]
) -> Floats:
    """Return start values for peaks near positions."""
    ground = _background(points, background)
    away = smooth(points.y) - background_at(ground, _middle(points), points.x)
    sign = 1 if away.max() >= -away.min() else -1
    width = _width_between(points, positions)
    peaks = []
    for position in positions:
        nearest = int(np.argmin(np.abs(points.x - position)))
        _, _, fwhm, _ = _peak(points.x, sign * away, sign, fraction, nearest)
        fwhm = min(fwhm, width)
        peaks.append([position, away[nearest] * fwhm / top(fraction), fwhm, fraction])
    return np.concatenate([ground, *peaks])


def next_position(points: Points, values: Floats, reference: float) -> float:
    """Return where the points lie farthest from a model, on the side where its peaks are."""
    rest = smooth(points.y - evaluate(values, reference, points.x))
    sign = np.sign(values[len(BACKGROUND) + 1]) or 1.0
    return float(points.x[np.argmax(sign * rest)])


def smooth(y: Floats) -> Floats:
    """Return the means of three neighbours, the ends as they are."""
    if y.size < 9:
        return y
    return np.convolve(np.pad(y, 1, "edge"), [0.25, 0.5, 0.25], "valid")


def _middle(points: Points) -> float:
    return float(points.x[0] + points.x[-1]) / 2


def _background(points: Points, background: str | None) -> Floats:
    """Return level and slope through the medians of both ends."""
    number = max(1, round(_END * points.x.size))
    ends = (slice(None, number), slice(-number, None))
    (x0, x1), (y0, y1) = ([float(np.median(v[end])) for end in ends] for v in (points.x, points.y))
    if background == "linear":
        slope = (y1 - y0) / (x1 - x0)
        return np.array([y0 + slope * (_middle(points) - x0), slope])
    return np.array([(y0 + y1) / 2 if background == "constant" else 0.0, 0.0])


def _peak(
    x: Floats, excess: Floats, sign: int, fraction: float, where: int | None = None
) -> list[float]:
    """Return position, area, width and fraction of what stands out."""
    place = int(np.argmax(excess)) if where is None else where
    height = float(excess[place])
    low = excess < height / 2
    left = np.flatnonzero(low[:place])
    right = np.flatnonzero(low[place:])
    step = (x[-1] - x[0]) / (x.size - 1)
    reach = [x[place] - x[left[-1]]] if left.size else []
    reach += [x[place + right[0]] - x[place]] if right.size else []
    fwhm = max(2 * float(min(reach, default=(x[-1] - x[0]) / 4)), float(step))
    return [float(x[place]), sign * height * fwhm / top(fraction), fwhm, fraction]


def _width_between(points: Points, positions: list[float]) -> float:
    """Return the widest that neighbours can be and still be told apart."""
    span = float(points.x[-1] - points.x[0])
    apart = np.diff(np.sort(positions))
    apart = apart[apart > 0]
    return float(apart.min()) if apart.size else span / 2
