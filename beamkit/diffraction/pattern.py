"""Work on patterns: subtract a background, find peaks."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from beamkit import peaks
from beamkit.core.errors import ParameterError, ShapeError, UnknownNameError
from beamkit.core.history import step

#: What a radial axis can be called.
AXES = ("q", "two_theta", "radius", "inverse_d_squared")


def axis_of(pattern: xr.Dataset) -> str:
    """Return the name of the radial axis. Raises ShapeError if there is none."""
    if "intensity" in pattern:
        for name in pattern["intensity"].dims:
            if name in AXES:
                return str(name)
    raise ShapeError(
        f"A pattern has intensity over one of {AXES}; this has {dict(pattern.sizes)}. "
        "Integrate with beamkit.diffraction.integrate, or rename with .rename(...)."
    )


@step()
def subtract_background(
    pattern: xr.Dataset, background: xr.Dataset, *, scale: float | str | xr.DataArray = 1.0
) -> xr.Dataset:
    """Return the pattern less a multiple of another, with the errors of both.

    ``sigma^2 = sigma_p^2 + scale^2 sigma_b^2``; the scale is taken as exact.

    Parameters
    ----------
    pattern, background
        On the same bins. Several backgrounds over ``frame`` are averaged, unless there are as
        many as patterns in the same order.
    scale
        What the background is multiplied by; or the name of a coordinate of both, such as a
        monitor or ``"transmission"``: then the ratio, pattern over background.

    Returns
    -------
    difference
        As ``pattern``; NaN where either is.

    Raises
    ------
    ShapeError
        If the bins differ.
    UnknownNameError
        If a coordinate of that name is missing.
    ParameterError
        If the scale is not finite.
    """
    axis = axis_of(pattern)
    if axis_of(background) != axis or not _same(pattern[axis], background[axis]):
        raise ShapeError(
            f"The pattern has {pattern.sizes[axis]} bins of {axis}, the background other ones "
            f"({dict(background.sizes)}). Integrate both with the same npt, unit and radial=..."
        )
    ratio = _ratio(pattern, background, scale)
    level, variance = _level(pattern, background)
    result = pattern.copy()
    result["intensity"] = (pattern["intensity"] - ratio * level).assign_attrs(
        pattern["intensity"].attrs
    )
    if "sigma" in pattern and variance is not None:
        total = np.sqrt(pattern["sigma"] ** 2 + ratio**2 * variance)
        result["sigma"] = total.assign_attrs(pattern["sigma"].attrs)
    return result


def _same(first: xr.DataArray, second: xr.DataArray) -> bool:
    return first.shape == second.shape and bool(np.allclose(first, second, rtol=1e-6))


def _ratio(pattern: xr.Dataset, background: xr.Dataset, scale: Any) -> Any:
    if not isinstance(scale, str):
        if not np.isfinite(scale).all():
            raise ParameterError(f"scale={scale}; it must be a finite number, such as 1.0.")
        return scale
    for data in (pattern, background):
        if scale not in data.variables:
            raise UnknownNameError("coordinate to scale by", scale, map(str, data.variables))
    other = background[scale]
    if other.ndim and other.shape != pattern[scale].shape:
        other = other.mean()
    return pattern[scale].variable / other.variable


def _level(pattern: xr.Dataset, background: xr.Dataset) -> tuple[Any, Any]:
    """Return the background and its variance, averaged unless there is one for each pattern."""
    intensity = background["intensity"].variable
    sigma = background["sigma"].variable if "sigma" in background else None
    extra = [
        dim for dim in intensity.dims if intensity.sizes[dim] != pattern.sizes.get(str(dim), 0)
    ]
    number = int(np.prod([intensity.sizes[dim] for dim in extra]))
    variance = None if sigma is None else sigma**2
    if extra:
        intensity = intensity.mean(extra)
        variance = None if variance is None else variance.mean(extra) / number
    return intensity, variance


def pattern_peaks(pattern: xr.Dataset, **options: Any) -> xr.Dataset:
    """Return the peaks of one pattern: :func:`beamkit.peaks.find_peaks` with its ``sigma``.

    Parameters
    ----------
    pattern
        Of one dimension.
    **options
        ``prominence``, ``smoothing``, ``dips``.

    Raises
    ------
    ShapeError
        If there is more than one pattern.
    """
    axis = axis_of(pattern)
    if pattern["intensity"].ndim != 1:
        raise ShapeError(
            f"Peaks are found on one pattern, got {dict(pattern['intensity'].sizes)}. Select one, "
            "as with pattern.isel(frame=0)."
        )
    sigma = pattern["sigma"].values if "sigma" in pattern else None
    usable = None if sigma is None else np.where(sigma > 0, sigma, np.nan)
    found = peaks.find_peaks(pattern["intensity"], sigma=usable, **options)
    return found.assign_attrs(x=axis)


def line_profile(
    cake: xr.Dataset, *, along: str, within: tuple[float, float] | None = None
) -> xr.Dataset:
    """Return a profile along one axis of a cake, the mean over a range of the other.

    Bins count by their ``weight``, so the profile is that of the pixels.

    Parameters
    ----------
    cake
        Of :func:`beamkit.diffraction.integrate`, over ``chi`` and a radial axis.
    along
        ``"chi"``, or the name of the radial axis.
    within
        Range of the other axis, in its unit; None: all of it.

    Raises
    ------
    UnknownNameError
        If there is no such axis.
    ShapeError
        If this is no cake, or no bin is in the range.
    """
    axis = axis_of(cake)
    if "chi" not in cake["intensity"].dims:
        raise ShapeError(f"A cake has the dimension chi; this has {dict(cake.sizes)}.")
    if along not in ("chi", axis):
        raise UnknownNameError("axis of a cake", along, ("chi", axis))
    across = axis if along == "chi" else "chi"
    low, high = within or (-np.inf, np.inf)
    part = cake.isel({across: np.flatnonzero((cake[across] >= low) & (cake[across] <= high))})
    if not part.sizes[across]:
        raise ShapeError(
            f"No bin of {across} lies within {within}; they go from {float(cake[across][0]):g} to "
            f"{float(cake[across][-1]):g}. Widen the range."
        )
    weight = part["weight"].where(np.isfinite(part["intensity"]), 0.0)
    total = weight.sum(across)
    profile = cake.drop_dims(across)
    mean = (part["intensity"] * weight).sum(across) / total.where(total > 0)
    profile["intensity"] = mean.assign_attrs(cake["intensity"].attrs)
    if "sigma" in part:
        error = ((part["sigma"] * weight) ** 2).sum(across) ** 0.5 / total.where(total > 0)
        profile["sigma"] = error.assign_attrs(cake["sigma"].attrs)
    profile["weight"] = part["weight"].sum(across).assign_attrs(cake["weight"].attrs)
    return profile
