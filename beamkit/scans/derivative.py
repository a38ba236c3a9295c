"""How fast a curve changes: knife-edge scans, edges of absorption."""

from __future__ import annotations

import numpy as np
import xarray as xr

from beamkit.core.errors import ParameterError, ShapeError
from beamkit.core.history import step
from beamkit.peaks.shapes import Floats


@step()
def derivative(data: xr.DataArray, *, window: int | None = None, order: int = 2) -> xr.DataArray:
    """Return the derivative of a column by its axis, steps as uneven as they are.

    Parameters
    ----------
    data
        One dimension, with the axis as its coordinate; without, per point.
    window
        None: from the neighbours (``numpy.gradient``, second order in uneven steps). Else the
        number of neighbouring points, odd, through which a polynomial is put around each point
        (Savitzky & Golay, Anal. Chem. 36, 1627 (1964), with the true axis).
    order
        Of that polynomial, from 1 to ``window - 1``.

    Returns
    -------
    slope
        Coordinates of ``data``. NaN where the data are NaN or the axis stands still; NaN is left
        out, its neighbours are the nearest numbers. The unit is that of ``data`` over the axis'.

    Raises
    ------
    ShapeError
        If there is not one dimension, or fewer points than needed.
    ParameterError
        If window or order cannot be.
    """
    _check(data, window, order)
    axis = axis_of(data)
    x, y = np.asarray(axis.values, dtype=float), np.asarray(data.values, dtype=float)
    finite = np.isfinite(x) & np.isfinite(y)
    needed = window or 2
    if finite.sum() < needed:
        raise ShapeError(
            f"A derivative needs {needed} points, {int(finite.sum())} are no NaN. "
            "Take a narrower window, or more points."
        )
    slope = np.full(y.shape, np.nan)
    if window is None:
        slope[finite] = _gradient(x[finite], y[finite])
    else:
        slope[finite] = _local_slopes(x[finite], y[finite], window, order)
    result = data.copy(data=slope)
    result.attrs["units"] = _per(data, axis)
    result.attrs["quantity"] = "derivative"
    return result.rename(f"d {data.name} / d {axis.name}")


def axis_of(data: xr.DataArray) -> xr.DataArray:
    """Return the coordinate of a column; the numbers of its points without one.

    Raises
    ------
    ShapeError
        If the data have not one dimension.
    """
    if data.ndim != 1:
        raise ShapeError(
            f"A curve has one dimension; this has {data.dims} of sizes {data.shape}. "
            "Select one line of a grid with .isel(...)."
        )
    dim = str(data.dims[0])
    along: list[xr.DataArray] = list(data.coords.values())
    if dim in data.coords:
        along = [data.coords[dim]]
    found = next((c for c in along if c.dims == (dim,) and c.dtype.kind in "iuf"), None)
    if found is not None:
        return found
    return xr.DataArray(np.arange(data.size), dims=dim, name=dim, attrs={"units": ""})


def _check(data: xr.DataArray, window: int | None, order: int) -> None:
    if data.dtype.kind not in "biuf":
        raise ParameterError(f"A derivative needs real numbers, not {data.dtype}.")
    if window is None:
        return
    if window < 3 or window % 2 == 0:
        raise ParameterError(f"window is {window}; give an odd number of points, 3 or more.")
    if not 1 <= order < window:
        raise ParameterError(f"order is {order}; give 1 to {window - 1}, less than the window.")


def _gradient(x: Floats, y: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):  # where the axis stands still
        slope = np.asarray(np.gradient(y, x))
    slope[~np.isfinite(slope)] = np.nan
    return slope


def _local_slopes(x: Floats, y: Floats, window: int, order: int) -> Floats:
    """Return the slope, at each point, of the polynomial through its neighbours."""
    half = window // 2
    first = np.clip(np.arange(x.size) - half, 0, x.size - window)
    near = first[:, None] + np.arange(window)
    away = x[near] - x[:, None]
    reach = np.abs(away).max(axis=1)
    still = reach == 0
    reach = np.where(still, 1.0, reach)
    powers = (away / reach[:, None])[:, :, None] ** np.arange(order + 1)
    coefficients = np.einsum("pcw,pw->pc", np.linalg.pinv(powers), y[near])
    return np.asarray(np.where(still, np.nan, coefficients[:, 1] / reach))


def _per(data: xr.DataArray, axis: xr.DataArray) -> str:
    unit, below = (str(part.attrs.get("units", "")) for part in (data, axis))
    unit, below = ("" if text == "1" else text for text in (unit, below))
    if not below:
        return unit
    return f"{unit or '1'}/{below}" if "/" not in below else f"{unit or '1'}/({below})"
