"""Chosen peaks through all frames of a series, or over a grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from beamkit import peaks as one_dimensional
from beamkit.core.errors import ParameterError, ShapeError
from beamkit.core.history import extend

from .pattern import axis_of

#: What a fit gives.
NUMBERS = ("position", "area", "fwhm", "height")


def fit_series(
    patterns: xr.Dataset,
    peaks: Sequence[float | tuple[float, float]],
    *,
    model: str = "pseudo_voigt",
    background: str | None = "linear",
    width: float | None = None,
) -> xr.Dataset:
    """Fit chosen peaks in every pattern.

    Each is fitted by itself on a background of its own (:func:`beamkit.peaks.fit_peak`), with the
    ``sigma`` of the patterns where they have one.

    Parameters
    ----------
    patterns
        ``intensity`` over the radial axis and any others: ``frame``, or ``row`` and ``column``.
    peaks
        Position of each peak, or the range that it is fitted in, in the unit of the axis.
    model, background
        As in :func:`beamkit.peaks.fit_peak`.
    width
        Of the range around a position; None: 30 bins.

    Returns
    -------
    fits
        Over ``peak`` and the other axes: ``position``, ``area``, ``fwhm``, ``height``, each with
        ``_error`` (standard error), ``success`` and ``reason``. Numbers of failed fits are NaN;
        ``attrs["failed"]`` lists them.

    Raises
    ------
    ShapeError
        If there is no radial axis.
    ParameterError
        If there is no peak, or one is outside the patterns.
    MissingDependencyError
        If lmfit (extra ``diffraction``) is not installed.
    """
    axis = axis_of(patterns)
    ranges = [_range(each, patterns[axis].values, width) for each in peaks]
    if not ranges:
        raise ParameterError("peaks is empty; give at least one position, such as [2.01].")
    intensity = patterns["intensity"].transpose(..., axis).load()
    sigma = patterns["sigma"].transpose(..., axis).load() if "sigma" in patterns else None
    lead = intensity.shape[:-1]
    found = [
        _fit(intensity[place], None if sigma is None else sigma[place].values, limits, model,
             background)
        for limits in ranges
        for place in np.ndindex(*lead)
    ]  # fmt: skip
    result = _table(found, intensity, ranges, axis)
    given = {"peaks": [list(each) for each in ranges], "model": model, "background": background}
    result.attrs["history"] = extend(patterns.attrs, "fit_series", given)
    return result


def _range(peak: Any, x: Any, width: float | None) -> tuple[float, float]:
    if isinstance(peak, (tuple, list)):
        low, high = (float(end) for end in peak)
    else:
        half = (width or 30 * float(np.median(np.diff(x)))) / 2
        low, high = float(peak) - half, float(peak) + half
    if not (low < high and low < x[-1] and high > x[0]):
        raise ParameterError(
            f"The peak {peak!r} is outside the patterns, {x[0]:g} to {x[-1]:g}. Give a position "
            "inside, or a range (low, high)."
        )
    return low, high


def _fit(
    profile: xr.DataArray, sigma: Any, limits: tuple[float, float], model: str,
    background: str | None,
) -> dict[str, Any]:  # fmt: skip
    """Return the numbers of a fit, NaN where it failed, and why."""
    failed = dict.fromkeys([*NUMBERS, *(f"{name}_error" for name in NUMBERS)], np.nan)
    usable = None if sigma is None else np.where(sigma > 0, sigma, np.nan)
    try:
        fit = one_dimensional.fit_peak(
            profile, model=model, background=background, range=limits, sigma=usable
        )
    except ShapeError as error:  # too few points: a frame that is missing, or a gap
        return {**failed, "success": False, "reason": str(error)}
    if not fit.success:
        return {**failed, "success": False, "reason": fit.reason}
    return fit.to_dict()


def _table(
    found: list[dict[str, Any]], intensity: xr.DataArray, ranges: list[Any], axis: str
) -> xr.Dataset:
    lead = intensity.dims[:-1]
    shape, dims = (len(ranges), *intensity.shape[:-1]), ("peak", *lead)
    x_unit = str(intensity[axis].attrs.get("units", ""))
    y_unit = str(intensity.attrs.get("units", ""))
    units = {
        "position": x_unit, "fwhm": x_unit, "height": y_unit, "area": f"{y_unit} {x_unit}".strip(),
    }  # fmt: skip
    data: dict[str, Any] = {}
    for name in NUMBERS:
        for each in (name, f"{name}_error"):
            values = np.reshape([float(fit[each]) for fit in found], shape)
            data[each] = (dims, values, {"units": units[name]})
    success = np.reshape([bool(fit["success"]) for fit in found], shape)
    data["success"] = (dims, success)
    data["reason"] = (dims, np.reshape([str(fit["reason"]) for fit in found], shape))
    kept = {name: each for name, each in intensity.coords.items() if axis not in each.dims}
    low, high = (np.array(ends) for ends in zip(*ranges, strict=True))
    kept["range_start"] = xr.DataArray(low, dims="peak", attrs={"units": x_unit})
    kept["range_end"] = xr.DataArray(high, dims="peak", attrs={"units": x_unit})
    failed = [
        ", ".join(f"{dim} {n}" for dim, n in zip(dims, place, strict=True))
        + f": {found[np.ravel_multi_index(place, shape)]['reason']}"
        for place in zip(*np.nonzero(~success), strict=True)
    ]
    return xr.Dataset(data, kept, {"axis": axis, "failed": failed})
