"""Scale frames by the beam that there was: the current of the storage ring, or a monitor."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from beamkit.core.errors import MetadataError, ParameterError
from beamkit.core.history import step


@step()
def scale_beam(frames: xr.DataArray, current: str | Any = "beam_current") -> xr.DataArray:
    """Return counts as they were had the beam stayed at its largest.

    Projections, flats and darks are scaled each with the current of its own frames, before
    ``flat_field``; darks have none, and are subtracted before.

    Parameters
    ----------
    frames
        Shape (frame or angle, detector_y, detector_x) [counts], without the dark.
    current
        Coordinate over the first dimension, or a value for each frame. The largest scales to 1; a
        frame without beam (0, NaN) becomes NaN.

    Returns
    -------
    frames
        Same shape and coordinates, floating point.

    Raises
    ------
    MetadataError
        If there is no such coordinate.
    ParameterError
        If there is not one value for each frame, or none is above 0.
    """
    first = str(frames.dims[0])
    if isinstance(current, str):
        if current not in frames.coords or frames[current].dims != (first,):
            raise MetadataError(
                f"The frames have no {current!r} over {first}. Name another coordinate, or give a "
                "value for each frame."
            )
        values = np.asarray(frames[current].values, float)
    else:
        values = np.asarray(current, float)
    if values.shape != (frames.sizes[first],):
        raise ParameterError(
            f"The current has the shape {values.shape} for {frames.sizes[first]} frames. Give one "
            "value for each."
        )
    good = np.isfinite(values) & (values > 0)
    if not good.any():
        raise ParameterError("No frame has a current above 0. Check the values.")
    factor = np.where(good, values[good].max() / np.where(good, values, 1.0), np.nan)
    kind = np.float64 if frames.dtype.itemsize > 4 else np.float32
    scaled: xr.DataArray = frames * xr.DataArray(factor.astype(kind), dims=first)
    return scaled.transpose(*frames.dims)
