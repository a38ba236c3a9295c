"""Which pixels of a detector are good: the file's mask, or the flags in its first frame."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
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
    first_frame: da.Array,
    groups: list[h5py.Group],
    attrs: dict[str, Any],
    gaps: NDArray[np.bool_] | None = None,
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
    gaps
        True where no module has pixels, as a virtual dataset tells; shape of the frame. These are
        added to what the file says.

    Returns
    -------
    mask
        Shape (detector_y, detector_x), uint32: 0 good, else bits of NXdetector ``pixel_mask``.
        None for floating-point frames without a mask: their bad pixels are NaN.
    """
    missing: list[str] = []
    stored = _stored(first_frame.shape, groups, attrs, missing)
    if stored is not None:
        return _as_variable(_with_gaps(stored, gaps, attrs))
    if missing:
        note(attrs, "notes", f"mask: {missing[0]}")
    if first_frame.dtype.kind not in "iu" or first_frame.dtype.itemsize < 2:
        if gaps is None:
            return None
        return _as_variable(_with_gaps(da.zeros(first_frame.shape, np.uint32), gaps, attrs))
    note(attrs, "notes", "mask: the file has none; taken from the flags in the first frame")
    said = said_of_detector(attrs)
    of_flags = partial(flagged, detector=said["detector"], sensor_material=said["sensor_material"])
    flags = first_frame.rechunk(first_frame.shape).map_blocks(of_flags, dtype=np.uint32)
    return _as_variable(_with_gaps(flags, gaps, attrs))


def _with_gaps(values: da.Array, gaps: NDArray[np.bool_] | None, attrs: dict[str, Any]) -> da.Array:
    if gaps is None:
        return values
    text = f"mask: {np.count_nonzero(gaps)} pixels, in no file of the virtual dataset, are gaps"
    note(attrs, "notes", text)
    return values | da.from_array(np.where(gaps, MASK_GAP, 0).astype(np.uint32), chunks=-1)


def said_of_detector(attrs: Mapping[str, Any]) -> dict[str, str]:
    """Return what tells detectors of the same shape apart, as ``layout_of`` takes it."""
    return {name: str(attrs.get(name, "")) for name in ("detector", "sensor_material")}


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


def flagged(
    frame: NDArray[np.integer[Any]], *, detector: str = "", sensor_material: str = ""
) -> NDArray[np.uint32]:
    """Return the mask that the flags of one frame tell.

    Unsigned frames hold the largest number of their type where there is no count (DECTRIS EIGER),
    signed ones -1 in gaps and -2 at bad pixels (PILATUS); other negative numbers are data.
    """
    if frame.dtype.kind == "u":
        bad = frame == np.iinfo(frame.dtype).max
        shape = (frame.shape[0], frame.shape[1])
        layout = layout_of(shape, detector=detector, sensor_material=sensor_material)
        in_gap = np.zeros(frame.shape, bool) if layout is None else layout.gaps()
        kinds = np.where(in_gap, MASK_GAP, MASK_DEAD)
        return np.where(bad, kinds, 0).astype(np.uint32)
    if frame.size == 0 or frame.min() < PILATUS_BAD:
        return np.zeros(frame.shape, np.uint32)
    return mask_from_flags(frame, detector=detector, sensor_material=sensor_material)


def _as_variable(values: da.Array) -> xr.DataArray:
    attrs = {"units": "1", "long_name": "0 good, else bits of NXdetector pixel_mask"}
    return xr.DataArray(values, dims=(DETECTOR_Y, DETECTOR_X), attrs=attrs)
