"""The mean of the patterns of a series."""

from __future__ import annotations

import xarray as xr

from beamkit.core.history import step

from .pattern import axis_of


@step()
def mean_pattern(patterns: xr.Dataset) -> xr.Dataset:
    """Return the mean over all axes but the radial one, each pattern with the same weight.

    Parameters
    ----------
    patterns
        ``intensity`` and perhaps ``sigma`` over (..., radial axis).

    Returns
    -------
    pattern
        Over the radial axis: the mean of those that have a value in a bin, NaN where none has,
        and its standard error, ``sqrt(sum sigma^2) / number``.

    Raises
    ------
    ShapeError
        If there is no radial axis.
    """
    axis = axis_of(patterns)
    intensity = patterns["intensity"]
    across = [dim for dim in intensity.dims if dim != axis]
    kept = patterns[axis]
    mean = xr.Dataset(coords={axis: kept}, attrs=patterns.attrs)
    mean["intensity"] = intensity.mean(across).assign_attrs(intensity.attrs)
    if "sigma" in patterns:
        number = intensity.notnull().sum(across)
        squares = (patterns["sigma"].where(intensity.notnull()) ** 2).sum(across)
        error = squares**0.5 / number.where(number > 0)
        mean["sigma"] = error.assign_attrs(patterns["sigma"].attrs)
    return mean
