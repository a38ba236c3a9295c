"""What a detector's layout says of each pixel of an image, crops of the frame included."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.detectors import ModuleLayout, flag_values
from beamkit.core.errors import ShapeError
from beamkit.core.schema import DETECTOR_X, DETECTOR_Y


def lines_of(data: xr.DataArray, layout: ModuleLayout) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the rows and the columns of the detector that an image has.

    The coordinates ``detector_y`` and ``detector_x`` tell them; without any, the image must have
    the shape of the whole frame.

    Raises
    ------
    ShapeError
        If the image is not one of that detector, or its pixels were binned.
    """
    lines = []
    for axis, name in enumerate((DETECTOR_Y, DETECTOR_X)):
        size = data.shape[axis - 2]
        given = data.coords[name].values if name in data.coords else np.arange(size)
        whole = np.asarray(np.rint(given), int)
        inside = (whole >= 0).all() and (whole < layout.shape[axis]).all()
        has_all = name in data.coords or size == layout.shape[axis]
        if not (has_all and inside and np.array_equal(whole, given)):
            raise ShapeError(
                f"An image of {data.shape[-2]} x {data.shape[-1]} pixels is not one of the "
                f"{layout.name}, whose frame has {layout.shape[0]} x {layout.shape[1]}. Give "
                "frames that are not binned, with all pixels or with the coordinates detector_y "
                "and detector_x."
            )
        lines.append(whole)
    return lines[0], lines[1]


def as_float(data: xr.DataArray) -> xr.DataArray:
    """Return numbers as floats, NaN where whole counts hold a flag. float64 above 16 bits."""
    if data.dtype.kind == "f":
        return data
    wide = np.float32 if data.dtype.itemsize <= 2 else np.float64
    values = data.astype(wide)
    flags = flag_values(data.dtype, str(data.attrs.get("detector", "")))
    return values.where(~data.isin(list(flags))) if flags else values
