"""Frames of a stack into one image."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.detectors import PILATUS_BAD
from beamkit.core.errors import ParameterError, UnknownNameError
from beamkit.core.history import extend

from ._pixels import Mask, blocks, good_of, has_flags, masked_of, require_stack

Combination = Literal["sum", "max", "mean"]

#: Attributes that add up when frames do.
_ADDED = ("exposure_time", "count_cutoff")


def combine_frames(
    data: xr.DataArray,
    first: int,
    last: int,
    how: Combination = "sum",
    *,
    mask: Mask | None = None,
) -> xr.DataArray:
    """Return the sum, maximum or mean of a range of frames.

    Parameters
    ----------
    data
        Shape (frames, rows, columns), in memory or lazy; a lazy one is read in blocks of at most
        32 MB, or one chunk.
    first, last
        Numbers of the first and the last frame, both included.
    how
        ``"sum"``, ``"max"`` or ``"mean"``.
    mask
        Shape (rows, columns): bits of NXdetector, bool (True: masked) or PixelClasses.

    Returns
    -------
    image
        Shape (rows, columns), in memory. A sum of integers is int64 and one of floats float64, a
        mean float64, a maximum has the type of the data. A pixel that is masked, NaN, or a flag
        (below 0 in whole counts) never adds to the others: in a sum it spoils the pixel, in mean
        and maximum the other frames count. Where nothing is left, floats are NaN, integers
        have the flag of the first frame (-2, if that is above 0, in signed ones). ``exposure_time``
        and ``count_cutoff`` of a sum are those of all frames together.

    Raises
    ------
    ShapeError
        If the data have not three dimensions, or the mask another shape.
    ParameterError
        If the range is empty or not inside the stack, or ``how`` is unknown.
    """
    require_stack(data, 3, "A stack of frames", "Give (frames, rows, columns).")
    _check_range(first, last, data.shape[0])
    if how not in get_args(Combination):
        raise UnknownNameError("combination", str(how), get_args(Combination))
    total = _Total(data, how, masked_of(mask, data.shape))
    for block in blocks(data, first, last + 1):
        for frame in np.asarray(data[block].values):
            total.add(frame)
    plane = data.dims[1:]
    coords = {
        name: coordinate
        for name, coordinate in data.coords.items()
        if set(coordinate.dims) <= set(plane) and coordinate.dims
    }
    image = xr.DataArray(total.result(), dims=plane, coords=coords, name=data.name)
    image.attrs = _attrs(data, first, last, how)
    return image


class _Total:
    """What the frames have come to so far."""

    def __init__(self, data: xr.DataArray, how: Combination, masked: NDArray[np.bool_]) -> None:
        self.how, self.masked, self.flags = how, masked, has_flags(data)
        self.dtype = np.dtype(np.float64 if how == "mean" or data.dtype.kind == "f" else np.int64)
        self.lowest: Any = 0
        if how == "max":
            self.dtype = data.dtype
            self.lowest = _lowest(data.dtype)
        self.values = np.full(data.shape[1:], self.lowest, self.dtype)
        self.number = np.zeros(data.shape[1:], np.int32)
        self.frames = 0
        self.first: NDArray[Any] | None = None

    def add(self, frame: NDArray[Any]) -> None:
        """Take one more frame. Shape (rows, columns)."""
        if self.first is None:
            self.first = frame
        good = good_of(frame, self.masked, flags=self.flags)
        ufunc = np.maximum if self.how == "max" else np.add
        ufunc(self.values, frame, out=self.values, where=good, casting="unsafe")
        self.number += good
        self.frames += 1

    def result(self) -> NDArray[Any]:
        """Return the image. Shape (rows, columns)."""
        needed = self.frames if self.how == "sum" else 1
        bad = self.number < needed
        if self.how == "mean":
            np.divide(self.values, self.number, out=self.values, where=~bad)
        if self.dtype.kind == "f":
            self.values[bad] = np.nan
        elif self.first is not None:
            flag = self.first[bad].astype(self.dtype)
            if self.dtype.kind == "i":  # a hot pixel that is masked must not be the brightest
                flag = np.where(flag < 0, flag, PILATUS_BAD).astype(self.dtype)
            self.values[bad] = flag
        return self.values


def _lowest(dtype: np.dtype[Any]) -> Any:
    if dtype.kind == "f":
        return -np.inf
    return False if dtype.kind == "b" else np.iinfo(dtype).min


def _attrs(data: xr.DataArray, first: int, last: int, how: str) -> dict[str, Any]:
    attrs = dict(data.attrs)
    if how == "sum":
        number = last - first + 1
        attrs.update({name: attrs[name] * number for name in _ADDED if name in attrs})
    parameters = {"first": first, "last": last, "how": how}
    attrs["history"] = extend(data.attrs, "combine_frames", parameters)
    return attrs


def _check_range(first: int, last: int, size: int) -> None:
    if not 0 <= first <= last < size:
        raise ParameterError(
            f"Frames {first} to {last} of a stack of {size}: allowed is 0 <= first <= last <= "
            f"{size - 1}. Both are included."
        )
