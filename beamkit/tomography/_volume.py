"""Pixels of the detector, and what slices made from them are: their places and units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.errors import MetadataError, ShapeError
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


def require_even_columns(data: xr.DataArray) -> None:
    """Raise ShapeError if columns are left out between others."""
    steps = np.diff(columns_of(data, DETECTOR_X))
    if steps.size and (steps[0] == 0 or not np.allclose(steps, steps[0], atol=1e-3)):
        place = int(np.argmax(np.abs(steps - np.median(steps))))
        first, second = columns_of(data, DETECTOR_X)[place : place + 2]
        raise ShapeError(
            f"The columns of the detector are not evenly spaced: detector_x goes from {first:g} to "
            f"{second:g}, elsewhere in steps of {np.median(steps):g}. Columns can be cropped at "
            "the edges only; mend bad ones with repair_pixels."
        )


@dataclass(frozen=True)
class Scale:
    """Size of a pixel of the unbinned detector at the sample.

    Attributes
    ----------
    width, height
        In ``units``.
    units
        ``"um"``, or ``"pixel"`` if the size is not known.
    """

    width: float
    height: float
    units: str

    @classmethod
    def of(cls, data: xr.DataArray) -> Scale:
        """Read it from the attributes. Raises MetadataError if a size is not above 0."""
        width = data.attrs.get("effective_pixel_size_x")
        if width is None:
            return cls(1.0, 1.0, "pixel")
        height = data.attrs.get("effective_pixel_size_y", width)
        if not (float(width) > 0 and float(height) > 0):
            raise MetadataError(
                f"The effective pixel size is {width} m by {height} m; it must be above 0. Correct "
                "attrs['effective_pixel_size_x'] and _y, or remove them to get 1/pixel."
            )
        return cls(float(width) * 1e6, float(height) * 1e6, "um")


def volume(
    slices: NDArray[np.float32], data: xr.DataArray, scale: Scale, *, is_density: bool
) -> xr.DataArray:
    """Return slices as an array with coordinates, units and the attributes of the projections.

    Parameters
    ----------
    slices
        Shape (z, y, x) [1/pixel of the projections]; scaled in place.
    data
        The projections that they came from.
    scale
        Size of a pixel.
    is_density
        Whether the numbers are attenuation over length; else they have no unit.
    """
    # A binned detector has wider pixels: its indices are 0.5, 2.5 ... The sign turns the axes of
    # a detector whose columns run the other way.
    width = spacing(columns_of(data, DETECTOR_X)) * scale.width
    plane = (np.arange(slices.shape[1]) - (slices.shape[1] - 1) / 2) * width
    places = {"z": columns_of(data, DETECTOR_Y) * scale.height, "y": plane, "x": plane}
    attrs = {key: value for key, value in data.attrs.items() if key not in _LEFT_BEHIND}
    attrs["kind"] = "volume"
    if is_density:
        per_pixel = 1 / abs(width)
        slices *= np.float32(per_pixel * 1e4 if scale.units == "um" else per_pixel)
        units = "1/cm" if scale.units == "um" else "1/pixel"
        attrs.update(quantity="attenuation", units=units)
    else:
        attrs.update(quantity="back projection", units="1")
    return xr.DataArray(
        slices,
        dims=VOLUME,
        coords={name: (name, place, {"units": scale.units}) for name, place in places.items()},
        name="volume",
        attrs=attrs,
    )
