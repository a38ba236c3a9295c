"""Masks as labelled arrays, and which part of one belongs to an image."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from beamkit.core.detectors import MASK_USER
from beamkit.core.errors import QuantityError, ShapeError
from beamkit.core.schema import DETECTOR_X, DETECTOR_Y, require_dims

DIMS = (DETECTOR_Y, DETECTOR_X)
ATTRS = {"units": "1", "long_name": "0 good, else bits of NXdetector pixel_mask"}


def as_mask(values: ArrayLike | xr.DataArray, *, bit: int = MASK_USER) -> xr.DataArray:
    """Return a mask of numbers or booleans.

    Parameters
    ----------
    values
        Shape (detector_y, detector_x): bits of ``pixel_mask``, or True for a bad pixel.
        Coordinates are kept, lazy data computed.
    bit
        What a True becomes.

    Raises
    ------
    ShapeError
        If the dimensions are others.
    QuantityError
        If the values are neither whole numbers nor booleans.
    """
    array, data = _checked(values)
    if data.dtype.kind == "b":
        data = np.where(data, np.uint32(bit), np.uint32(0))
    return array.copy(data=data.astype(np.uint32)).assign_attrs(ATTRS).rename("mask")


def empty_mask(shape: tuple[int, int]) -> xr.DataArray:
    """Return the mask of a detector whose pixels (rows, columns) are all good."""
    return as_mask(np.zeros(shape, np.uint32))


def is_bad(mask: xr.DataArray) -> xr.DataArray:
    """Return True for the pixels that must not be used.

    Bits 0 to 15 make a pixel unusable, those above only inform (NeXus definition NXdetector).
    """
    array, data = _checked(mask)
    if data.dtype.kind != "b":
        data = data.astype(np.uint16) != 0  # cuts off the bits above
    return array.copy(data=data).drop_attrs().rename("mask")


def fit(mask: xr.DataArray, image: xr.DataArray) -> xr.DataArray:
    """Return the part of a mask that belongs to an image, with its coordinates.

    The coordinates, where both have them, say which part: a crop keeps its numbers.

    Raises
    ------
    ShapeError
        If the sizes differ, and the image is not a part of what the mask covers.
    """
    places = {dim: image.coords[dim] for dim in DIMS if dim in image.coords}
    if len(places) == len(DIMS) and all(dim in mask.coords for dim in DIMS):
        if all(np.array_equal(places[dim], mask.coords[dim]) for dim in DIMS):
            return mask
        if all(np.isin(places[dim], mask.coords[dim]).all() for dim in DIMS):
            return mask.sel(places)
        raise ShapeError(
            f"The mask covers {_extent(mask)}, the image {_extent(image)}. Take a mask of the "
            "full detector, or of the same crop or binning."
        )
    require_shape(mask.shape, image.shape, "The mask")
    return mask.drop_vars(mask.coords).assign_coords(places)


def _extent(data: xr.DataArray) -> str:
    parts = [
        f"{dim} {float(data[dim].min()):g} to {float(data[dim].max()):g} ({data.sizes[dim]})"
        for dim in DIMS
    ]
    return ", ".join(parts)


def _checked(values: ArrayLike | xr.DataArray) -> tuple[xr.DataArray, NDArray[Any]]:
    """Return a mask with its dimensions, and its bits or booleans."""
    array = values if isinstance(values, xr.DataArray) else _labelled(np.asarray(values))
    require_dims(array, DIMS, what="a mask")
    data = np.asarray(array.data)
    if data.dtype.kind not in "biu":
        raise QuantityError(
            f"A mask holds bits or booleans, these values are of type {data.dtype}. Compare them "
            "with what is bad, such as mask.Threshold(image, low=0)."
        )
    return array, data


def _labelled(values: NDArray[Any]) -> xr.DataArray:
    """Return an array over the full detector."""
    if values.ndim != 2:
        raise ShapeError(
            f"A mask has two dimensions {DIMS}, this one has the shape {values.shape}. "
            "Take one frame of it."
        )
    places = {
        dim: (dim, np.arange(size), {"units": "pixel"})
        for dim, size in zip(DIMS, values.shape, strict=True)
    }
    return xr.DataArray(values, dims=DIMS, coords=places)


def require_shape(found: tuple[int, ...], expected: tuple[int, ...], what: str) -> None:
    """Raise ShapeError unless both are the same."""
    if tuple(found) != tuple(expected):
        raise ShapeError(
            f"{what} has the shape {tuple(found)}, the detector {tuple(expected)} (rows, columns). "
            "Take one of the same detector, with the same crop and binning."
        )
