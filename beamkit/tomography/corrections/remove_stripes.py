"""Take out the stripes of a sinogram that become rings in a slice."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from beamkit.core.errors import InvalidPixelsError, ParameterError, UnknownNameError
from beamkit.core.history import step
from beamkit.core.machine import cores
from beamkit.core.schema import ANGLE, DETECTOR_X, PROJECTIONS, require_dims

from ._stripe_dead import without_dead
from ._stripe_fine import without_fine
from ._stripe_steps import without_steps

Sinogram = NDArray[np.float32]


@step()
def remove_stripes(
    projections: xr.DataArray, *, method: str = "sorting", size: int | None = None
) -> xr.DataArray:
    """Remove what a detector column adds to all projections, without blurring the sample.

    A stripe stays in its column while the sample moves past it. Two ways to tell them:

    By **sorting** the values of each column over angle; a median filter runs across the columns,
    rank by rank. A column that differs from its neighbours at all angles stands out; structures of
    the sample lie at different ranks in each and do not. (Vo, Atwood & Drakopoulos 2018, algorithm
    3, Opt. Express 26, 28396, doi:10.1364/OE.26.028396.)

    By **steps** from one column to the next that last over angle (:mod:`._stripe_steps`). Columns
    without a step are not touched.

    Parameters
    ----------
    projections
        Shape (angle, detector_y, detector_x), line integrals or transmission, without NaN.
    method
        ``"sorting"``: the filtered values go back to their angles, as published; also for
        stripes that are stronger where the sample is thicker. ``"offset"``: what the filter
        takes out of a column is reduced to its median over all ranks, which is taken off at
        all angles; harms the sample less, for stripes that are the same at all angles.
        ``"steps"``: stripes that stand out, thin and wide, also those at some of the angles, and
        columns that read too high or too low; small ones of every column stay. ``"fine"``:
        offsets that every column has a little of. ``"dead"``: columns that fluctuate or do not
        answer are replaced by a line between their neighbours (algorithm 6 of the same paper).
        ``"all"``: dead, steps, fine.
    size
        Of ``"sorting"`` and ``"offset"``: width of the median filter [pixel], at least 3: more than
        twice the widest stripe; None takes 1 % of the width, at least 5 and at most 21 (as tomopy
        does). Of ``"steps"`` and ``"all"``: the widest stripe, None for 20. Of ``"fine"``: columns
        of a parabola, None for 11. Of ``"dead"``: columns that each is compared with, None for 51.

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
    if size is not None and size < 3:
        raise ParameterError(f"size is {size} pixel; it must be at least 3.")
    whole = projections
    if projections.chunks is not None:
        whole = projections.chunk({ANGLE: -1, DETECTOR_X: -1})
    result: xr.DataArray = xr.apply_ufunc(
        _each,
        whole.astype(np.float32),
        input_core_dims=[[ANGLE, DETECTOR_X]],
        output_core_dims=[[ANGLE, DETECTOR_X]],
        kwargs={"correct": _METHODS[method], "size": size},
        dask="parallelized",
        output_dtypes=[np.float32],
    )
    return result.transpose(*PROJECTIONS)


def without_stripes(sinogram: Sinogram, size: int | None = None) -> Sinogram:
    """Return one sinogram of shape (angle, column) without stripes, by sorting."""
    columns = np.ascontiguousarray(sinogram.T)
    order = np.argsort(columns, axis=1, kind="stable")
    ranked = np.take_along_axis(columns, order, axis=1)
    result = np.empty_like(columns)
    np.put_along_axis(result, order, _across_columns(ranked, size), axis=1)
    return np.ascontiguousarray(result.T)


def _without_offsets(sinogram: Sinogram, size: int | None) -> Sinogram:
    ranked = np.sort(np.ascontiguousarray(sinogram.T), axis=1)
    offset = np.median(ranked - _across_columns(ranked, size), axis=1)
    result: Sinogram = (sinogram - offset).astype(np.float32)
    return result


def _without_any(sinogram: Sinogram, size: int | None) -> Sinogram:
    return without_fine(without_steps(without_dead(sinogram), size))


_METHODS: dict[str, Callable[[Sinogram, int | None], Sinogram]] = {
    "sorting": without_stripes,
    "offset": _without_offsets,
    "steps": without_steps,
    "dead": without_dead,
    "fine": without_fine,
    "all": _without_any,
}


def _across_columns(ranked: Sinogram, size: int | None) -> Sinogram:
    """Return the median over neighbouring columns at each rank. Shape (column, rank)."""
    width = size or int(min(21, max(5, len(ranked) // 100))) | 1
    smooth: Sinogram = median_filter(ranked, (width, 1), mode="reflect")
    return smooth


def _each(
    sinograms: NDArray[np.float32],
    *,
    correct: Callable[[Sinogram, int | None], Sinogram],
    size: int | None,
) -> NDArray[np.float32]:
    """Correct each sinogram. Shape (detector_y, angle, detector_x)."""
    finite = np.isfinite(sinograms)
    if not finite.all():
        row, angle, column = np.argwhere(~finite)[0]
        raise InvalidPixelsError(
            f"The value at angle {angle}, row {row}, column {column} of the data is "
            f"{sinograms[row, angle, column]}; sorting needs numbers. Run repair_pixels first."
        )
    with ThreadPoolExecutor(cores()) as threads:
        return np.stack(list(threads.map(lambda one: correct(one, size), sinograms)))
