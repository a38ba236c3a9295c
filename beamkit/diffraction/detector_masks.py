"""Masks that the detector itself tells: its gaps, and the flag values in its frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.detectors import (
    CDTE_LAYOUTS,
    LAYOUTS,
    MASK_DEAD,
    MASK_GAP,
    MASK_OVER_RESPONDING,
    NAMED_LAYOUTS,
    PILATUS_BAD,
    ModuleLayout,
    flag_values,
    layout_of,
)
from beamkit.core.errors import ShapeError, UnknownNameError
from beamkit.core.schema import DETECTOR_X, DETECTOR_Y, main_variable, require_dims

from ._mask_bits import as_mask


def gaps(
    detector: ModuleLayout | str | tuple[int, int], *, sensor_material: str = ""
) -> xr.DataArray:
    """Return the mask of the gaps between the modules of a detector.

    Parameters
    ----------
    detector
        Its layout, its name such as ``"PILATUS 2M"``, or the shape (rows, columns) of its frames.
    sensor_material
        ``"CdTe"``, if only the shape is given: columns in the middle of modules are gaps then.

    Raises
    ------
    UnknownNameError
        If there is no detector of that name.
    ShapeError
        If no known detector has frames of that shape.
    """
    if isinstance(detector, ModuleLayout):
        return as_mask(detector.gaps(), bit=MASK_GAP)
    if isinstance(detector, str):
        known = {layout.name: layout for layout in (*LAYOUTS, *CDTE_LAYOUTS, *NAMED_LAYOUTS)}
        if detector not in known:
            raise UnknownNameError("detector", detector, known)
        return as_mask(known[detector].gaps(), bit=MASK_GAP)
    layout = layout_of(detector, sensor_material=sensor_material)
    if layout is None:
        raise ShapeError(
            f"No known detector has frames of shape {tuple(detector)}; known are "
            f"{', '.join(one.name for one in LAYOUTS)}. Start from empty_mask(shape)."
        )
    return as_mask(layout.gaps(), bit=MASK_GAP)


def from_flags(data: xr.Dataset | xr.DataArray, *, frame: int = 0) -> xr.DataArray:
    """Return the mask that the flag values of one frame tell.

    Gaps by the layout of the detector, flag values by :func:`beamkit.core.detectors.flag_values`,
    NaN as dead, and counts above ``attrs["count_cutoff"]`` as counting too much.

    Parameters
    ----------
    data
        A dataset of frames, or its main variable, (frame, detector_y, detector_x); or one frame.
    frame
        Which frame.

    Raises
    ------
    ShapeError
        If the dimensions are others.
    """
    stack = data[main_variable(data)] if isinstance(data, xr.Dataset) else data
    attrs = {**data.attrs, **stack.attrs}
    if stack.ndim == 3:
        stack = stack.isel({stack.dims[0]: frame})
    require_dims(stack, (DETECTOR_Y, DETECTOR_X), what="a frame")
    values = np.asarray(stack.data)
    bits = _flagged(values, attrs)
    return as_mask(stack.copy(data=bits).drop_attrs())


def _flagged(values: NDArray[Any], attrs: Mapping[str, Any]) -> NDArray[np.uint32]:
    detector = str(attrs.get("detector", ""))
    bits = np.zeros(values.shape, np.uint32)
    flags = flag_values(values.dtype, detector)
    if values.dtype.kind == "i" and values.size and values.min() < PILATUS_BAD:
        flags = {}  # other negative numbers: these are data
    for value, bit in flags.items():
        bits[values == value] |= np.uint32(bit)
    if values.dtype.kind == "f":
        bits[np.isnan(values)] |= np.uint32(MASK_DEAD)
    cutoff = attrs.get("count_cutoff")
    if cutoff is not None:
        bits[(values > cutoff) & (bits == 0)] |= np.uint32(MASK_OVER_RESPONDING)
    shape = (values.shape[0], values.shape[1])
    material = str(attrs.get("sensor_material", ""))
    layout = layout_of(shape, detector=detector, sensor_material=material)
    if layout is not None:
        bits[layout.gaps()] = MASK_GAP
    return bits
