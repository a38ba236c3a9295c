"""Which pixels of a detector are good: the file's mask, or the flags in its first frame."""

from __future__ import annotations

from typing import Any

import dask.array as da
import h5py
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.detectors import MASK_DEAD, MASK_GAP, PILATUS_BAD, layout_of, mask_from_flags
from beamkit.core.schema import DETECTOR_X, DETECTOR_Y, note

from . import _hdf5
from ._hdf5_lazy import lazy
from ._hdf5_links import broken_link

#: Where a mask is, in an NXdetector or NXdata; the last is DECTRIS's.
_PLACES = ("pixel_mask", "detectorSpecific/pixel_mask")


def mask(
    first_frame: da.Array, groups: list[h5py.Group], attrs: dict[str, Any]
) -> xr.DataArray | None:
    """Return the NXdetector mask of a stack of frames, lazily; say in ``notes`` where it is from.

    Parameters
    ----------
    first_frame
        Shape (detector_y, detector_x) [counts].
    groups
        Where the file may have a mask: the NXdetector, the NXdata.
    attrs
        Gets notes in place.

    Returns
    -------
    mask
        Shape (detector_y, detector_x), uint32: 0 good, else bits of NXdetector ``pixel_mask``.
        None for floating-point frames without a mask: their bad pixels are NaN.
    """
    missing: list[str] = []
    stored = _stored(first_frame.shape, groups, attrs, missing)
    if stored is not None:
        return _as_variable(stored)
    if missing:
        note(attrs, "notes", f"mask: {missing[0]}")
    if first_frame.dtype.kind not in "iu" or first_frame.dtype.itemsize < 2:
        return None
    note(attrs, "notes", "mask: the file has none; taken from the flags in the first frame")
    flags = first_frame.rechunk(first_frame.shape).map_blocks(flagged, dtype=np.uint32)
    return _as_variable(flags)


def _stored(
    shape: tuple[int, ...], groups: list[h5py.Group], attrs: dict[str, Any], missing: list[str]
) -> da.Array | None:
    """Return the file's own mask; list links to one that lead nowhere in ``missing``."""
    for group in groups:
        for place in _PLACES:
            item = _hdf5.dataset(group, place)
            if item is None:
                why = broken_link(group.file, f"{group.name}/{place}")
                missing += [why] if why else []
                continue
            if item.dtype.kind not in "iub" or item.ndim < 2 or item.shape[-2:] != shape:
                text = f"mask: {item.name} has the shape {item.shape}, frames {shape}; not used"
                note(attrs, "conflicts", text)
                continue
            return lazy(item)[(0,) * (item.ndim - 2)].astype(np.uint32)
    return None


def flagged(frame: NDArray[np.integer[Any]]) -> NDArray[np.uint32]:
    """Return the mask that the flags of one frame tell.

    Unsigned frames hold the largest number of their type where there is no count (DECTRIS EIGER),
    signed ones -1 in gaps and -2 at bad pixels (PILATUS); other negative numbers are data.
    """
    if frame.dtype.kind == "u":
        bad = frame == np.iinfo(frame.dtype).max
        layout = layout_of((frame.shape[0], frame.shape[1]))
        in_gap = np.zeros(frame.shape, bool) if layout is None else layout.gaps()
        kinds = np.where(in_gap, MASK_GAP, MASK_DEAD)
        return np.where(bad, kinds, 0).astype(np.uint32)
    if frame.size == 0 or frame.min() < PILATUS_BAD:
        return np.zeros(frame.shape, np.uint32)
    return mask_from_flags(frame)


def _as_variable(values: da.Array) -> xr.DataArray:
    attrs = {"units": "1", "long_name": "0 good, else bits of NXdetector pixel_mask"}
    return xr.DataArray(values, dims=(DETECTOR_Y, DETECTOR_X), attrs=attrs)
