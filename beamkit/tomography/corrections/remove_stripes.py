"""Take out the stripes of a sinogram that become rings in a slice."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from beamkit.core.errors import InvalidPixelsError, ParameterError, UnknownNameError
from beamkit.core.history import step
from beamkit.core.schema import ANGLE, DETECTOR_X, PROJECTIONS, require_dims

_METHODS = ("sorting",)


@step()
def remove_stripes(
    projections: xr.DataArray, *, method: str = "sorting", size: int | None = None
) -> xr.DataArray:
    """Remove stripes by sorting (Vo, Atwood & Drakopoulos 2018, algorithm 3).

    In each sinogram the values of a column are sorted over angle, a median filter runs across
    the columns, and the values go back to their angles. A column that differs from its neighbours
    at all angles is corrected; structures of the sample, which move from column to column with
    the angle, lie at different ranks and stay. Opt. Express 26, 28396 (2018),
    doi:10.1364/OE.26.028396.

    Parameters
    ----------
    projections
        Shape (angle, detector_y, detector_x), line integrals or transmission, without NaN.
    method
        ``"sorting"``.
    size
        Width of the median filter [pixel], at least 3: about twice the widest stripe. None takes
        1 % of the width, at least 5 and at most 21 (as tomopy does).

    Returns
    -------
    projections
        Same shape and coordinates, float32.

    Raises
    ------
    InvalidPixelsError
        If a value is NaN or infinite.
    UnknownNameError
        If there is no such method.
    ParameterError
        If ``size`` is below 3.
    ShapeError
        If dimensions differ from those above.
    """
    require_dims(projections, PROJECTIONS, what="projections")
    if method not in _METHODS:
        raise UnknownNameError("method to remove stripes", method, _METHODS)
    width = _default_size(projections.sizes[DETECTOR_X]) if size is None else size
    if width < 3:
        raise ParameterError(f"size is {width} pixel; it must be at least 3.")
    whole = projections
    if projections.chunks is not None:
        whole = projections.chunk({ANGLE: -1, DETECTOR_X: -1})
    result: xr.DataArray = xr.apply_ufunc(
        _sort_each,
        whole.astype(np.float32),
        input_core_dims=[[ANGLE, DETECTOR_X]],
        output_core_dims=[[ANGLE, DETECTOR_X]],
        kwargs={"size": width},
        dask="parallelized",
        output_dtypes=[np.float32],
    )
    return result.transpose(*PROJECTIONS)


def _default_size(columns: int) -> int:
    return int(min(21, max(5, columns // 100))) | 1


def _sort_each(sinograms: NDArray[np.float32], *, size: int) -> NDArray[np.float32]:
    """Apply the algorithm to each sinogram. Shape (detector_y, angle, detector_x)."""
    if not np.isfinite(sinograms).all():
        row, angle, column = np.argwhere(~np.isfinite(sinograms))[0]
        raise InvalidPixelsError(
            f"The value at angle {angle}, row {row}, column {column} of the block is "
            f"{sinograms[row, angle, column]}; sorting needs numbers. Run repair_pixels first."
        )
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return np.stack(list(threads.map(lambda one: without_stripes(one, size), sinograms)))


def without_stripes(sinogram: NDArray[np.float32], size: int | None = None) -> NDArray[np.float32]:
    """Return one sinogram without stripes, as :func:`remove_stripes`. Shape (angle, detector_x)."""
    size = size or _default_size(sinogram.shape[1])
    columns = np.ascontiguousarray(sinogram.T)
    order = np.argsort(columns, axis=1, kind="stable")
    ranked = np.take_along_axis(columns, order, axis=1)
    smooth = median_filter(ranked, (size, 1), mode="reflect")
    result = np.empty_like(columns)
    np.put_along_axis(result, order, smooth, axis=1)
    return np.ascontiguousarray(result.T)
