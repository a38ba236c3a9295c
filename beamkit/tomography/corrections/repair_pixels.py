"""Fill pixels that hold no measurement from their neighbours in the same detector row."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.errors import InvalidPixelsError, ParameterError, ShapeError
from beamkit.core.history import step
from beamkit.core.schema import DETECTOR_X, DETECTOR_Y, PROJECTIONS, require_dims


@step()
def repair_pixels(
    projections: xr.DataArray,
    *,
    mask: xr.DataArray | None = None,
    max_gap: int = 32,
) -> xr.DataArray:
    """Replace NaN, infinite and masked pixels; all others stay as they are, bit for bit.

    A bad pixel is filled from good ones of its own detector row in its own projection, so the
    result of a row does not depend on which other rows are there: interpolated linearly between
    the nearest good pixels left and right, the nearest one at the edge of the detector.

    Parameters
    ----------
    projections
        Shape (angle, detector_y, detector_x), any quantity.
    mask
        Pixels that are hot, dead or stuck in every projection: shape (detector_y, detector_x),
        not 0 or True where bad. None repairs what is NaN or infinite.
    max_gap
        Longest run of bad pixels in a row that is filled [pixel].

    Returns
    -------
    projections
        Same shape and coordinates, float32 (float64 stays), without NaN. For arrays in memory
        ``attrs["repaired_pixels"]`` is the number of detector pixels that were repaired in at
        least one projection, and ``attrs["repaired_values"]`` the number of values.

    Raises
    ------
    InvalidPixelsError
        If a run of bad pixels is longer than ``max_gap``, or a row has no good pixel.
    ShapeError
        If dimensions differ from those above.
    ParameterError
        If an option has a value that is not allowed.
    """
    require_dims(projections, PROJECTIONS, what="projections")
    bad = _checked_mask(projections, mask)
    if max_gap < 1:
        raise ParameterError(f"max_gap is {max_gap} pixel; it must be at least 1.")
    dtype = np.float64 if projections.dtype == np.float64 else np.float32
    whole = projections.chunk({DETECTOR_X: -1}) if projections.chunks is not None else projections
    result: xr.DataArray = xr.apply_ufunc(
        _repair,
        whole.astype(dtype),
        bad,
        input_core_dims=[[DETECTOR_X], [DETECTOR_X]],
        output_core_dims=[[DETECTOR_X]],
        kwargs={"max_gap": max_gap},
        dask="parallelized",
        output_dtypes=[dtype],
    )
    result = result.transpose(*PROJECTIONS)
    if projections.chunks is None:
        _count(projections.values, bad.values, result)
    return result


def _checked_mask(projections: xr.DataArray, mask: xr.DataArray | None) -> xr.DataArray:
    shape = projections.shape[1:]
    if mask is None:
        return xr.DataArray(np.zeros(shape, bool), dims=(DETECTOR_Y, DETECTOR_X))
    require_dims(mask, (DETECTOR_Y, DETECTOR_X), what="mask")
    if mask.shape != shape:
        raise ShapeError(
            f"mask has detector size {mask.shape}, projections {shape}. "
            "Crop both with the same region of interest."
        )
    return xr.DataArray(mask.values != 0, dims=mask.dims)


def _count(before: NDArray[np.floating], bad: NDArray[np.bool_], result: xr.DataArray) -> None:
    touched = ~np.isfinite(before) | bad
    result.attrs["repaired_pixels"] = int(touched.any(axis=0).sum())
    result.attrs["repaired_values"] = int(touched.sum())


def _repair(
    values: NDArray[np.floating], bad: NDArray[np.bool_], *, max_gap: int
) -> NDArray[np.floating]:
    """Fill along the last axis. ``bad`` broadcasts against ``values``."""
    invalid = ~np.isfinite(values) | bad
    if not invalid.any():
        return values
    width = values.shape[-1]
    row, first, last = _runs(invalid.reshape(-1, width))
    _refuse_long(first, last, width, max_gap)
    filled = values.reshape(-1, width).copy()
    left = np.where(first > 0, first - 1, last + 1)
    right = np.where(last < width - 1, last + 1, first - 1)
    length = last - first + 1
    # One entry for each bad pixel: its run, and its place in the run from 1.
    run = np.repeat(np.arange(len(row)), length)
    place = np.arange(len(run)) - np.repeat(np.cumsum(length) - length, length) + 1
    part = (place / (length[run] + 1)).astype(values.dtype)
    start, end = filled[row, left][run], filled[row, right][run]
    filled[row[run], first[run] + place - 1] = start + part * (end - start)
    return filled.reshape(values.shape)


def _runs(
    invalid: NDArray[np.bool_],
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Return row, first and last column of each run of True along the last axis."""
    rows, columns = np.nonzero(invalid)
    is_new = np.ones(len(rows), bool)
    is_new[1:] = (np.diff(rows) != 0) | (np.diff(columns) != 1)
    first = np.flatnonzero(is_new)
    last = np.append(first[1:], len(rows)) - 1
    return rows[first], columns[first], columns[last]


def _refuse_long(first: NDArray[np.intp], last: NDArray[np.intp], width: int, max_gap: int) -> None:
    length = last - first + 1
    worst = int(np.argmax(length))
    if length[worst] == width:
        raise InvalidPixelsError(
            f"A detector row of {width} pixels holds no good pixel in at least one projection, so "
            "nothing can be interpolated from. Leave such rows or projections out with isel(...)."
        )
    if length[worst] > max_gap:
        raise InvalidPixelsError(
            f"{length[worst]} bad pixels lie side by side in a detector row (columns "
            f"{first[worst]} to {last[worst]}), more than max_gap={max_gap} that may be "
            "interpolated. Crop the detector, or allow it with repair_pixels(..., max_gap=...)."
        )
