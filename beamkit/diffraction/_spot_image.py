"""What the compiled functions are told of an image: pixels, what is good, what is valid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from beamkit.core.detectors import flag_values
from beamkit.core.errors import ParameterError, ShapeError
from beamkit.images import PixelClasses, classify

from ._spot_limits import HIGHEST

Mask = PixelClasses | xr.DataArray | ArrayLike
_PLANE = ("detector_y", "detector_x")


@dataclass(frozen=True, eq=False)
class Frame:
    """One image with the range of values that count.

    Attributes
    ----------
    pixels
        Shape (row, column), contiguous.
    low, high
        Lowest and highest valid value, of the type of the pixels.
    first, step
        Position of the outer corner of pixel (0, 0) on the full detector, and pixels of the full
        detector in one of these: x and y [pixel].
    """

    pixels: NDArray[Any]
    low: Any
    high: Any
    first: tuple[float, float] = (0.0, 0.0)
    step: tuple[float, float] = (1.0, 1.0)

    @property
    def top(self) -> Any:
        """Highest value that goes into sums, of the type of the pixels."""
        if not self.is_whole:
            return self.pixels.dtype.type(np.finfo(self.pixels.dtype).max)
        return self.pixels.dtype.type(min(HIGHEST, np.iinfo(self.pixels.dtype).max))

    @property
    def is_whole(self) -> bool:
        """Whether the values are whole numbers, whose sums are exact."""
        return self.pixels.dtype.kind in "iu"


def frame_of(image: xr.DataArray | NDArray[Any], count_cutoff: float | None = None) -> Frame:
    """Return an image as a Frame.

    Whole numbers are counts: below 0 they are flags, as is the largest of an unsigned type of
    16 bits and more. Of real numbers, NaN and infinity do not count.

    Parameters
    ----------
    image
        Shape (row, column); a DataArray tells its place on the detector and its count cutoff.
    count_cutoff
        Highest valid count; None: that of the attributes of ``image``, if it tells.

    Raises
    ------
    ShapeError
        If it has not two dimensions, or no pixels.
    ParameterError
        If it holds no real numbers.
    """
    given = np.asarray(image)
    if given.ndim != 2 or 0 in given.shape:
        raise ShapeError(
            f"Spots are found in one image of (rows, columns), got shape {given.shape}. "
            "Select one image of a stack with .isel(frame=0)."
        )
    if given.dtype.kind not in "biuf" or given.dtype.itemsize > 8:
        raise ParameterError(
            f"An image has real numbers of at most 64 bits, not {given.dtype}. Convert it."
        )
    if given.dtype.kind == "b":
        given = given.view(np.uint8)
    pixels = np.ascontiguousarray(given, given.dtype.newbyteorder("="))
    first, step = (0.0, 0.0), (1.0, 1.0)
    if isinstance(image, xr.DataArray):
        count_cutoff = image.attrs.get("count_cutoff") if count_cutoff is None else count_cutoff
        first, step = _place(image)
    return Frame(pixels, *_limits(pixels.dtype, count_cutoff), first, step)


def good_of(mask: Mask | None, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Return 1 where a mask lets a pixel be used. Shape (row, column).

    Raises
    ------
    ShapeError
        If the mask has another shape.
    """
    if mask is None:
        return np.ones(shape, np.uint8)
    known = mask if isinstance(mask, PixelClasses) else classify(mask)
    if known.shape != tuple(shape):
        raise ShapeError(
            f"The mask has shape {known.shape}, the image {tuple(shape)}. Crop both the same."
        )
    return np.ascontiguousarray(known.good).view(np.uint8)


def _limits(dtype: np.dtype[Any], count_cutoff: float | None) -> tuple[Any, Any]:
    if dtype.kind == "f":
        lowest, highest = float(np.finfo(dtype).min), float(np.finfo(dtype).max)
        cutoff = highest if count_cutoff is None else min(float(count_cutoff), highest)
        return dtype.type(lowest), dtype.type(cutoff)
    largest = int(np.iinfo(dtype).max)
    if dtype.kind == "u" and largest in flag_values(dtype):
        largest -= 1
    if count_cutoff is not None:
        largest = max(0, min(largest, int(count_cutoff)))
    return dtype.type(0), dtype.type(largest)


def _place(image: xr.DataArray) -> tuple[tuple[float, float], tuple[float, float]]:
    first, step = [], []
    for axis in reversed(_PLANE):
        index = np.asarray(image.coords[axis], float) if axis in image.coords else np.zeros(0)
        step.append(float(index[1] - index[0]) if index.size > 1 else 1.0)
        first.append(float(index[0]) + 0.5 - step[-1] / 2 if index.size else 0.0)
    return (first[0], first[1]), (step[0], step[1])
