"""Noise from two independent measurements of the same thing."""

from __future__ import annotations

import xarray as xr

from beamkit.core.errors import ShapeError


def noise_of_halves(first: xr.DataArray, second: xr.DataArray) -> float:
    """Return the standard deviation of the noise of the whole data from its two halves.

    With independent noise of variance 2 s**2 in each half, the mean of the halves has s, and so
    has half their difference, which holds no signal.

    Parameters
    ----------
    first, second
        Same shape, from one half of the data each; NaN is left out.

    Raises
    ------
    ShapeError
        If the shapes differ.
    """
    if first.shape != second.shape:
        raise ShapeError(
            f"The halves have shapes {first.shape} and {second.shape}. Make both the same way."
        )
    return float(((first - second) / 2).std())
