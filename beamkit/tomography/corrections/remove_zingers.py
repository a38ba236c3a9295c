"""Take out zingers: pixels that a stray photon made far too bright in one frame."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from beamkit.core.errors import InvalidPixelsError, ParameterError
from beamkit.core.history import step
from beamkit.core.schema import DETECTOR_X, DETECTOR_Y

#: Threshold above the noise of a frame.
_SIGNIFICANT = 8.0


@step()
def remove_zingers(
    frames: xr.DataArray, *, size: int = 3, threshold: float | None = None
) -> xr.DataArray:
    """Replace pixels that stand far out of those around them by their median.

    Each frame by itself, before or after flat_field: what exceeds the median of ``size`` x
    ``size`` pixels by more than the threshold. (As ``remove_outlier`` of tomopy does.)

    Parameters
    ----------
    frames
        Shape (..., detector_y, detector_x), without NaN: counts or transmission, where zingers are
        too bright, or line integrals, where they are too low.
    size
        Side of the square [pixel], odd, at least 3; more than twice as wide as a zinger.
    threshold
        [unit of the frames], above 0; None: 8 standard deviations of what the median leaves of
        each frame, by its median.

    Returns
    -------
    frames
        Same shape, type and coordinates.

    Raises
    ------
    ParameterError
        If size or threshold is not allowed.
    InvalidPixelsError
        If a value is NaN or infinite.
    """
    if size < 3 or size % 2 == 0:
        raise ParameterError(f"size is {size} pixel; it must be odd and at least 3.")
    if threshold is not None and not threshold > 0:
        raise ParameterError(f"threshold is {threshold}; it must be above 0.")
    whole = frames
    if frames.chunks is not None:
        whole = frames.chunk({DETECTOR_Y: -1, DETECTOR_X: -1})
    sign = -1.0 if frames.attrs.get("quantity") == "line integral" else 1.0
    result: xr.DataArray = xr.apply_ufunc(
        _each,
        whole,
        kwargs={"size": size, "threshold": threshold, "sign": sign},
        input_core_dims=[[DETECTOR_Y, DETECTOR_X]],
        output_core_dims=[[DETECTOR_Y, DETECTOR_X]],
        dask="parallelized",
        output_dtypes=[frames.dtype],
    )
    return result.transpose(*frames.dims)


def _each(
    frames: NDArray[np.number],
    *,
    size: int,
    threshold: float | None,
    sign: float,
) -> NDArray[np.number]:
    """Correct frames, shape (..., rows, columns)."""
    result = frames.copy()
    for place in np.ndindex(frames.shape[:-2]):
        frame = frames[place]
        if not np.isfinite(frame).all():
            raise InvalidPixelsError(
                "A frame holds NaN or infinite values, and zingers need numbers. Run "
                "repair_pixels first."
            )
        around = median_filter(frame, size, mode="reflect")
        above = sign * (frame.astype(np.float64) - around)
        limit = threshold or max(_SIGNIFICANT * 1.4826 * float(np.median(np.abs(above))), 1e-9)
        result[place] = np.where(above > limit, around, frame)
    return result
