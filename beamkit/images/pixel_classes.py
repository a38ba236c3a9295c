"""What is known of each pixel before its value is read: good, masked, in a gap."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, DTypeLike, NDArray

from beamkit.core.detectors import MASK_GAP
from beamkit.core.errors import ParameterError, ShapeError

from ._pool import pool

#: Classes of a pixel, or of a block of pixels.
GOOD, MASKED, GAP, SATURATED = 0, 1, 2, 3

#: Reductions that a PixelClasses remembers: a few zoom steps of one viewer.
_REMEMBERED = 8

Factor = tuple[int, int]
#: First and last (exclusive) row, first and last (exclusive) column.
Window = tuple[int, int, int, int]


@dataclass(frozen=True)
class BlockClasses:
    """The classes of one window of an image, and of its blocks.

    Attributes
    ----------
    classes
        Shape of the reduced image, uint8. Not to be written to.
    bad_pixels
        Flat indices, in the window, of the pixels that never contribute.
    bad_blocks
        Flat indices, in the reduced image, of the blocks without a good pixel.
    good_pixels
        Number of good pixels of each block. Shape of the reduced image.
    """

    classes: NDArray[np.uint8]
    bad_pixels: NDArray[np.intp]
    bad_blocks: NDArray[np.intp]
    good_pixels: NDArray[np.int32]


class PixelClasses:
    """The class of each pixel of a detector, remembered with its reductions.

    Parameters
    ----------
    codes
        Shape (rows, columns), uint8: 0 good, 1 masked, 2 gap, 3 saturated.
    count_cutoff
        Highest valid count; a good pixel above it is saturated. None: there is no such limit.

    Raises
    ------
    ShapeError
        If ``codes`` has not two dimensions.
    ParameterError
        If a code is none of the four.
    """

    def __init__(self, codes: ArrayLike, *, count_cutoff: float | None = None) -> None:
        given = np.asarray(codes)
        if given.ndim != 2:
            raise ShapeError(
                f"Pixel classes have the two dimensions (rows, columns), got shape {given.shape}. "
                "Give those of one image."
            )
        if given.size and (given.min() < GOOD or given.max() > SATURATED):
            raise ParameterError(
                f"Pixel classes run from {given.min()} to {given.max()}; allowed are 0 good, "
                "1 masked, 2 gap, 3 saturated. Make them from a mask with classify(mask)."
            )
        self.codes: NDArray[np.uint8] = given.astype(np.uint8)
        self.codes.flags.writeable = False
        self.count_cutoff = count_cutoff
        self._blocks: OrderedDict[tuple[Factor, Window], BlockClasses] = OrderedDict()
        self._lock = Lock()

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.codes.shape[0], self.codes.shape[1]

    @property
    def good(self) -> NDArray[np.bool_]:
        """True where a pixel may be used, saturated ones included. Shape (rows, columns)."""
        return np.asarray((self.codes == GOOD) | (self.codes == SATURATED))

    def of(self, image: NDArray[Any]) -> NDArray[np.uint8]:
        """Return the class of each pixel of an image, saturated and NaN ones included."""
        codes = self.codes.copy()
        if image.dtype.kind == "f":
            codes[~np.isfinite(image) & (codes == GOOD)] = MASKED
        if self.count_cutoff is not None:
            codes[(image > self.count_cutoff) & (codes == GOOD)] = SATURATED
        return codes

    def blocks(self, factor: Factor, window: Window) -> BlockClasses:
        """Return the classes of the blocks of a window; made once for each."""
        key = (factor, window)
        with self._lock:  # a viewer is called from more than one thread
            if key not in self._blocks:
                self._blocks[key] = self._make_blocks(factor, window)
            self._blocks.move_to_end(key)
            while len(self._blocks) > _REMEMBERED:
                self._blocks.popitem(last=False)
            return self._blocks[key]

    def _make_blocks(self, factor: Factor, window: Window) -> BlockClasses:
        codes = self.codes[window[0] : window[1], window[2] : window[3]]
        bad = (codes == MASKED) | (codes == GAP)
        all_bad = pool(bad, factor, np.logical_and)
        all_gap = pool(codes == GAP, factor, np.logical_and)
        classes = np.zeros(all_bad.shape, np.uint8)
        classes[pool(codes == SATURATED, factor, np.logical_or)] = SATURATED
        classes[all_bad], classes[all_gap] = MASKED, GAP
        good_pixels = _count(~bad, factor)
        for array in (classes, good_pixels):
            array.flags.writeable = False
        return BlockClasses(classes, np.flatnonzero(bad), np.flatnonzero(all_bad), good_pixels)


def _count(pixels: NDArray[np.bool_], factor: Factor) -> NDArray[np.int32]:
    return np.ascontiguousarray(pool(pixels.astype(np.int32), factor, np.add))


def classify(
    mask: ArrayLike | xr.DataArray,
    *,
    dtype: DTypeLike | None = None,
    count_cutoff: float | None = None,
) -> PixelClasses:
    """Return the pixel classes that a mask stands for.

    Parameters
    ----------
    mask
        Shape (rows, columns): bits of NXdetector ``pixel_mask`` (bit 0 is a gap; any other of
        the lower 16 is a masked pixel; those above only inform), or bool, True where masked.
    dtype
        Type of the images; a ``count_cutoff`` that it cannot exceed is left out.
    count_cutoff
        Highest valid count; None: there is no such limit.

    Raises
    ------
    ShapeError
        If the mask has not two dimensions.
    ParameterError
        If the mask holds neither integers nor bool.
    """
    bits = np.asarray(mask)
    if bits.dtype.kind not in "biu":
        raise ParameterError(
            f"A mask holds bits or True and False, got {bits.dtype}. Compare with a number "
            "first, such as mask = image < 0."
        )
    if bits.dtype.kind == "b":
        codes = bits.astype(np.uint8)
    else:
        unusable = bits.astype(np.uint16)  # the lower 16 bits, which are MASK_UNUSABLE
        codes = np.where(unusable & MASK_GAP, np.uint8(GAP), (unusable != 0).view(np.uint8))
    return PixelClasses(codes, count_cutoff=_reachable(count_cutoff, dtype))


def _reachable(count_cutoff: float | None, dtype: DTypeLike | None) -> float | None:
    if count_cutoff is None or dtype is None or np.dtype(dtype).kind not in "iu":
        return count_cutoff
    return None if count_cutoff >= np.iinfo(np.dtype(dtype)).max else count_cutoff
