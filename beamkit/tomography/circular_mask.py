"""Set what is outside a circle in each slice, where rays of few angles went, to one value."""

from __future__ import annotations

import numpy as np
import xarray as xr

from beamkit.core.errors import ParameterError, ShapeError
from beamkit.core.history import step


@step()
def circular_mask(volume: xr.DataArray, *, ratio: float = 1.0, value: float = 0.0) -> xr.DataArray:
    """Return slices with one value outside a circle about their middle.

    Parameters
    ----------
    volume
        Shape (..., y, x), lazy or not.
    ratio
        Diameter of the circle over the shorter side of a slice, above 0.
    value
        What is outside; NaN is allowed in floating-point volumes.

    Returns
    -------
    volume
        Same shape, type and coordinates.

    Raises
    ------
    ShapeError
        If there are no dimensions y and x.
    ParameterError
        If the ratio is not above 0, or the type cannot hold the value.
    """
    if not {"y", "x"} <= set(volume.dims):
        raise ShapeError(
            f"Slices have the dimensions y and x; got {', '.join(map(str, volume.dims))}."
        )
    if not ratio > 0:
        raise ParameterError(f"ratio is {ratio}; it must be above 0, such as 0.95.")
    if volume.dtype.kind != "f" and not (np.isfinite(value) and float(value).is_integer()):
        raise ParameterError(f"value is {value}; {volume.dtype} holds whole numbers only.")
    rows, columns = volume.sizes["y"], volume.sizes["x"]
    y = xr.DataArray(np.arange(rows) - (rows - 1) / 2, dims="y")
    x = xr.DataArray(np.arange(columns) - (columns - 1) / 2, dims="x")
    inside = x**2 + y**2 <= (ratio * min(rows, columns) / 2) ** 2
    result: xr.DataArray = volume.where(inside, np.asarray(value, volume.dtype))
    return result.transpose(*volume.dims)
