"""Find peaks that stand out of the noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy
import xarray as xr

from beamkit.core.errors import ParameterError, ShapeError

from ._points import FROM_COUNTS, Points, Profile, points_of
from .shapes import Floats

#: Fewest points in which a peak can be told from noise.
_FEWEST = 5


def find_peaks(
    profile: Profile,
    *,
    prominence: float = 8.0,
    smoothing: float = 1.0,
    dips: bool = False,
    sigma: Any = None,
) -> xr.Dataset:
    """Return where peaks are, roughly; :func:`fit_peaks` takes ``positions`` from here.

    The profile is smoothed, and the tops are kept that rise above their surroundings
    (``scipy.signal.peak_prominences``) by a multiple of the noise that is left. The noise is
    ``sigma``; of counts their square root; else it is told from the second differences of
    neighbours, by their median, which peaks of a few points do not change.

    Parameters
    ----------
    profile
        1-D DataArray, against its coordinate; or two arrays (x, y). NaN is left out.
    prominence
        Least rise above the surroundings, in units of the noise of the smoothed profile. Noise
        alone does not reach the default in hundreds of profiles of 500 points.
    smoothing
        Standard deviation of the Gaussian filter [points]; 0 for none.
    dips
        Whether to look for dips instead.
    sigma
        Standard errors, as for :func:`fit_peak`.

    Returns
    -------
    peaks
        Over ``peak``, in the order of x: ``position`` (of the top, between the points),
        ``height`` (value there), ``prominence`` (above, for dips below, the surroundings),
        ``width`` (full, at half the prominence) and ``significance`` (prominence over noise).

    Raises
    ------
    ShapeError
        If the profile has not one dimension, or fewer than 5 points.
    ParameterError
        If the numbers are not real, or an option is below 0.
    """
    for name, value in {"prominence": prominence, "smoothing": smoothing}.items():
        if not value >= 0:
            raise ParameterError(f"{name} is {value}; give a number that is not below 0.")
    points = points_of(profile, sigma)
    if points.x.size < _FEWEST:
        raise ShapeError(
            f"Too few points to find peaks: {points.x.size} that are no NaN; at least {_FEWEST} "
            "are needed. Widen the range."
        )
    sign = -1.0 if dips else 1.0
    smooth = _smoothed(points.y, smoothing)
    noise = _noise(points) * _left_by(smoothing)
    tops, found = scipy.signal.find_peaks(sign * smooth, prominence=0.0)
    rise = found["prominences"]
    significance = np.divide(
        rise, noise[tops], out=np.full(rise.shape, np.inf), where=noise[tops] > 0
    )
    # Rounding of a flat profile is no peak.
    real = (significance >= prominence) & (rise > 1e-9 * np.abs(points.y).max())
    prominences = tuple(found[name][real] for name in ("prominences", "left_bases", "right_bases"))
    return _table(points, sign * smooth, sign, tops[real], prominences, significance[real])


def _table(
    points: Points, smooth: Floats, sign: float, tops: Any, prominences: Any, significance: Any
) -> xr.Dataset:
    _, _, left, right = scipy.signal.peak_widths(smooth, tops, 0.5, prominences)
    number = np.arange(points.x.size)
    edges = [np.interp(side, number, points.x) for side in (left, right)]
    positions, heights = _vertices(points.x, smooth, tops)
    columns = {
        "position": (positions, points.x_unit),
        "height": (sign * heights, points.y_unit),
        "prominence": (prominences[0], points.y_unit),
        "width": (edges[1] - edges[0], points.x_unit),
        "significance": (significance, "1"),
    }
    return xr.Dataset(
        {name: ("peak", values, {"units": unit}) for name, (values, unit) in columns.items()},
        attrs={"x": points.x_name},
    )


def _vertices(x: Floats, y: Floats, tops: Any) -> tuple[Floats, Floats]:
    """Return the vertex of the parabola through each top and its neighbours, unevenly apart."""
    a, b, c = (x[tops + shift] - x[tops] for shift in (-1, 0, 1))
    low, high = y[tops - 1] - y[tops], y[tops + 1] - y[tops]
    apart = np.where((a != 0) & (c != 0) & (a != c), a * c * (c - a), np.inf)
    slope = (low * c**2 - high * a**2) / apart
    bend = (high * a - low * c) / apart
    flat = bend >= 0
    shift = np.where(flat, b, -slope / np.where(flat, 1.0, 2 * bend))
    shift = np.clip(shift, a, c)
    return x[tops] + shift, y[tops] + slope * shift + np.where(flat, 0.0, bend) * shift**2


def _smoothed(y: Floats, smoothing: float) -> Floats:
    if smoothing == 0:
        return y
    return np.asarray(scipy.ndimage.gaussian_filter1d(y, smoothing, mode="nearest"))


def _left_by(smoothing: float) -> float:
    """Return the part of white noise that the filter leaves: root of the sum of its squares."""
    if smoothing == 0:
        return 1.0
    single = np.zeros(8 * int(np.ceil(smoothing)) + 3)
    single[single.size // 2] = 1.0
    return float(np.sqrt((_smoothed(single, smoothing) ** 2).sum()))


def _noise(points: Points) -> Floats:
    """Return the standard error of each point."""
    if points.sigma is not None:
        return points.sigma
    if points.errors == FROM_COUNTS:
        counts = scipy.ndimage.gaussian_filter1d(points.y, 2.0, mode="nearest")
        return np.asarray(np.sqrt(np.maximum(counts, 1.0)))
    bend = points.y[:-2] - 2 * points.y[1:-1] + points.y[2:]
    # 1.4826: from the median to the standard deviation of a Gaussian; 6 = 1 + 4 + 1.
    return np.full(points.x.size, 1.4826 * float(np.median(np.abs(bend))) / np.sqrt(6.0))
