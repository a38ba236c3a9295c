"""Masks: which pixels not to use, and why. Bits of NXdetector ``pixel_mask``; 0 is good.

A mask has the shape (detector_y, detector_x) and the type uint32; the bits are those of
:mod:`beamkit.core.detectors`. Every function returns a new mask and leaves the old one as it was,
so whoever keeps the old one can undo.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Protocol

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from beamkit.core.detectors import MASK_MEANINGS, MASK_UNUSABLE, MASK_USER
from beamkit.core.errors import ParameterError, ShapeError
from beamkit.core.history import step
from beamkit.core.schema import main_variable

from ._mask_bits import ATTRS, DIMS, as_mask, empty_mask, fit, is_bad, require_shape
from .detector_masks import from_flags, gaps
from .mask_files import load_mask, save_mask

__all__ = [
    "Covering",
    "Threshold",
    "apply_mask",
    "as_mask",
    "combine",
    "counts",
    "draw",
    "empty_mask",
    "fit",
    "from_flags",
    "gaps",
    "is_bad",
    "load_mask",
    "save_mask",
    "summary",
]

Flags = NDArray[np.bool_]


class Covering(Protocol):
    """What can be drawn: the regions of :mod:`beamkit.images.regions`, or a :class:`Threshold`."""

    def covers(self, shape: tuple[int, int]) -> Flags:
        """Return True for the pixels whose centre is inside. Shape (rows, columns)."""


@dataclass(frozen=True, eq=False)
class Threshold:
    """The pixels of an image that are below ``low`` or above ``high``, or not a number.

    Attributes
    ----------
    image
        Shape (detector_y, detector_x).
    low, high
        Lowest and highest value that is not covered; None for no limit.
    """

    image: ArrayLike
    low: float | None = None
    high: float | None = None

    def covers(self, shape: tuple[int, int]) -> Flags:
        """Return True for pixels outside the limits. Raises ShapeError if the image differs."""
        values = np.asarray(self.image)
        require_shape(values.shape, shape, "The image of a threshold")
        outside = np.isnan(values) if values.dtype.kind == "f" else np.zeros(shape, bool)
        if self.low is not None:
            outside |= values < self.low
        if self.high is not None:
            outside |= values > self.high
        return outside


def combine(*masks: xr.DataArray) -> xr.DataArray:
    """Return the mask with the bits of all of them, and the coordinates of the first.

    Raises
    ------
    ShapeError
        If there is none, or they differ in size or hold different pixels.
    """
    if not masks:
        raise ShapeError("There is no mask to combine; at least one is needed. Give masks.")
    first, *others = (as_mask(mask) for mask in masks)
    fitted = [fit(mask, first) for mask in others]
    bits = reduce(np.bitwise_or, (np.asarray(mask.data) for mask in fitted), first.data)
    return first.copy(data=bits)


def draw(
    mask: xr.DataArray,
    region: Covering | ArrayLike,
    *,
    bit: int = MASK_USER,
    value: bool = True,
) -> xr.DataArray:
    """Return the mask with a region masked, or freed again.

    Parameters
    ----------
    mask
        Shape (detector_y, detector_x).
    region
        A region of :mod:`beamkit.images.regions` (positions of this array), a
        :class:`Threshold`, or booleans of the mask's shape.
    bit
        Which bit or bits: those of :mod:`beamkit.core.detectors`.
    value
        False clears these bits; others stay, so a gap remains a gap. ``bit=MASK_UNUSABLE`` with
        False frees the pixels altogether.

    Raises
    ------
    ShapeError
        If a threshold's image or the booleans have another shape than the mask.
    ParameterError
        If ``bit`` is no bit of a mask.
    """
    if not 0 < bit < 2**32:
        raise ParameterError(
            f"bit is {bit}; it must be from 1 to 2**32 - 1. Take one of core.detectors, such as "
            "MASK_USER."
        )
    old = as_mask(mask)
    size = (old.shape[0], old.shape[1])
    covers = getattr(region, "covers", None)
    covered = np.asarray(region, bool) if covers is None else np.asarray(covers(size))
    require_shape(covered.shape, size, "The region")
    bits = np.array(old.data)
    if value:
        bits[covered] |= np.uint32(bit)
    else:
        bits[covered] &= np.uint32(0xFFFFFFFF ^ bit)
    return old.copy(data=bits)


@step()
def apply_mask(data: xr.Dataset, mask: xr.DataArray) -> xr.Dataset:
    """Return the dataset with a mask added to its own.

    Parameters
    ----------
    data
        With frames over (..., detector_y, detector_x).
    mask
        Of the same pixels, or of the full detector that ``data`` are a crop of.

    Raises
    ------
    ShapeError
        If the mask does not hold these pixels.
    """
    stack = data[main_variable(data)]
    frame = stack.isel({dim: 0 for dim in stack.dims if dim not in DIMS})
    new = fit(as_mask(mask), frame)
    own = [data["mask"]] if "mask" in data else []
    return data.assign(mask=(DIMS, combine(*own, new).data, ATTRS))


def counts(mask: xr.DataArray) -> dict[str, int]:
    """Return how many pixels have each reason, in words; a pixel may have several."""
    bits = np.asarray(as_mask(mask).data)
    known = {text: int(np.count_nonzero(bits & bit)) for bit, text in MASK_MEANINGS.items()}
    others = np.uint32(MASK_UNUSABLE & ~sum(MASK_MEANINGS))
    known["for other reasons"] = int(np.count_nonzero(bits & others))
    return {text: number for text, number in known.items() if number}


def summary(mask: xr.DataArray) -> str:
    """Return what a mask holds, in a sentence.

    Examples
    --------
    >>> summary(gaps("PILATUS 2M"))
    '197365 of 2476525 pixels (8.0 %) are not used: 197365 in gaps.'
    """
    bad = int(is_bad(mask).sum())
    used = {text for bit, text in MASK_MEANINGS.items() if bit > MASK_UNUSABLE}
    reasons: dict[bool, list[str]] = {True: [], False: []}
    for text, number in counts(mask).items():
        reasons[text in used].append(f"{number} {text}")
    share = 100 * bad / max(mask.size, 1)
    text = f"{bad} of {mask.size} pixels ({share:.1f} %) are not used"
    text += f": {', '.join(reasons[False])}." if reasons[False] else "."
    return text + (f" Used all the same: {', '.join(reasons[True])}." if reasons[True] else "")
