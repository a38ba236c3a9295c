"""Which pixels of an image count, and stacks a block at a time: shared by the files beside it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from beamkit.core.errors import ParameterError, ShapeError

from .pixel_classes import PixelClasses, classify

Mask = PixelClasses | xr.DataArray | ArrayLike

#: Bytes of a stack in memory at a time.
_BLOCK = 32_000_000


def image_of(image: xr.DataArray | NDArray[Any]) -> xr.DataArray:
    """Return an image of real numbers as a DataArray.

    Raises
    ------
    ShapeError
        If it has not two dimensions, or no pixels.
    ParameterError
        If it holds no real numbers.
    """
    data = image if isinstance(image, xr.DataArray) else xr.DataArray(image, dims=("y", "x"))
    require_stack(data, 2, "An image", "Select one of the stack with .isel(...).")
    return data


def require_stack(data: xr.DataArray, ndim: int, what: str, cure: str) -> None:
    """Raise ShapeError or ParameterError unless these are pixels in that many dimensions."""
    if data.ndim != ndim or 0 in data.shape:
        raise ShapeError(
            f"{what} has {ndim} dimensions, none of them empty; this has {data.dims} of sizes "
            f"{data.shape}. {cure}"
        )
    if data.dtype.kind not in "biuf":
        raise ParameterError(
            f"{what} has real numbers, not {data.dtype}. Take abs(data), or convert it."
        )


def masked_of(mask: Mask | None, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return True where a mask forbids a pixel. Shape (rows, columns).

    Raises
    ------
    ShapeError
        If the mask has another shape than the image.
    """
    if mask is None:
        return np.zeros(shape[-2:], bool)
    known = mask if isinstance(mask, PixelClasses) else classify(mask)
    if known.shape != tuple(shape[-2:]):
        raise ShapeError(
            f"The mask has shape {known.shape}, the image {tuple(shape[-2:])}. "
            "Crop both with the same selection."
        )
    return ~known.good


def has_flags(data: xr.DataArray) -> bool:
    """Say whether negative numbers are flags: whole counts cannot be below 0."""
    return data.dtype.kind == "i" and data.attrs.get("units") == "counts"


def is_counted(data: xr.DataArray) -> bool:
    """Say whether the noise is that of counting (Poisson): integers, or counts."""
    return data.dtype.kind in "iu" or data.attrs.get("units") == "counts"


def good_of(values: NDArray[Any], masked: NDArray[np.bool_], *, flags: bool) -> NDArray[np.bool_]:
    """Return True for the pixels that count: not masked, not NaN, not a flag."""
    good = ~masked
    if values.dtype.kind == "f":
        good = good & np.isfinite(values)
    if flags:
        good = good & (values >= 0)
    return np.asarray(np.broadcast_to(good, values.shape))


def blocks(data: xr.DataArray, first: int, stop: int) -> Iterator[slice]:
    """Give slices over the first dimension: small enough, or a single chunk of lazy data.

    A chunk is never split, as each part would read all of it.
    """
    size = max(1, _BLOCK // (math.prod(data.shape[1:]) * data.dtype.itemsize))
    if not data.chunks:
        yield from (slice(at, min(at + size, stop)) for at in range(first, stop, size))
        return
    begin = end = first
    for edge in accumulate(data.chunks[0]):
        if begin < end and min(edge, stop) - begin > size:
            yield slice(begin, end)
            begin = end
        end = max(end, min(edge, stop))
    yield slice(begin, stop)


def mean_of(
    total: NDArray[Any], number: NDArray[Any], *, least: float = 0.5
) -> NDArray[np.float64]:
    """Return the means, NaN where the number (or weight) is not above ``least``."""
    mean = np.full(total.shape, np.nan)
    return np.asarray(np.divide(total, number, out=mean, where=number > least))
