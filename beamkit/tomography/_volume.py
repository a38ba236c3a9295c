"""Give slices their names, places and units."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.schema import DETECTOR_X, DETECTOR_Y, VOLUME

#: Attributes of the projections that are not true of the slices.
_LEFT_BEHIND = ("header", "kind", "quantity", "units", "long_name", "count_cutoff")


def columns_of(data: xr.DataArray, dim: str) -> NDArray[np.float64]:
    """Return the pixel indices along a dimension of the detector; 0, 1 ... if there are none."""
    if dim in data.coords:
        return np.asarray(data[dim].values, np.float64)
    return np.arange(data.sizes[dim], dtype=np.float64)


def spacing(indices: NDArray[np.float64]) -> float:
    """Return the distance of neighbouring pixels, in pixels of the unbinned detector."""
    return float(np.median(np.diff(indices))) if len(indices) > 1 else 1.0


def volume(slices: NDArray[np.float32], data: xr.DataArray, *, is_density: bool) -> xr.DataArray:
    """Return slices as an array with coordinates, units and the attributes of the projections.

    Parameters
    ----------
    slices
        Shape (z, y, x) [1/pixel of the projections].
    data
        The projections that they came from.
    is_density
        Whether the numbers are attenuation over length; else they have no unit.
    """
    x, y = columns_of(data, DETECTOR_X), columns_of(data, DETECTOR_Y)
    pixel_x = data.attrs.get("effective_pixel_size_x")
    pixel_y = pixel_x and data.attrs.get("effective_pixel_size_y", pixel_x)
    known = pixel_x is not None
    # A binned detector has wider pixels: its indices are 0.5, 2.5 ...
    width = spacing(x) * (1.0 if pixel_x is None else float(pixel_x) * 1e6)
    height = 1.0 if pixel_y is None else float(pixel_y) * 1e6
    units = "um" if known else "pixel"
    plane = (np.arange(slices.shape[1]) - (slices.shape[1] - 1) / 2) * width
    attrs = {key: value for key, value in data.attrs.items() if key not in _LEFT_BEHIND}
    attrs.update(kind="volume", quantity="attenuation", units="1/cm" if known else "1/pixel")
    if is_density:
        slices *= np.float32(1e4 / width if known else 1 / width)
    else:
        attrs.update(quantity="back projection", units="1")
    return xr.DataArray(
        slices,
        dims=VOLUME,
        coords={
            name: (name, place, {"units": units})
            for name, place in (("z", y * height), ("y", plane), ("x", plane))
        },
        name="volume",
        attrs=attrs,
    )
