"""Two images, or stacks, against each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from beamkit.core.errors import ParameterError, ShapeError
from beamkit.core.history import extend
from beamkit.core.schema import main_variable

from ._pixels import has_flags, masked_of

#: What is true of an image, but not of its difference from another.
_GONE = ("count_cutoff", "header", "kind")


def difference(
    a: xr.DataArray | xr.Dataset, b: xr.DataArray | xr.Dataset, *, scale: float = 1.0
) -> xr.DataArray:
    """Return ``a - scale*b``.

    Parameters
    ----------
    a, b
        Shape (rows, columns) or (images, rows, columns), in memory or lazy; of a Dataset, its main
        variable without the pixels that its ``mask`` forbids. ``b`` may be one image for all of
        ``a``. They are compared pixel by pixel, whatever their coordinates say.
    scale
        Factor of ``b``: the ratio of the exposures, say.

    Returns
    -------
    difference
        float64 (float32 from float32), lazy if an input is; coordinates, attributes and unit of
        ``a``. NaN where either is masked, NaN or a flag.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    ParameterError
        If the scale is not finite, the units differ, or the data are not real numbers.
    """
    first, second = _pair(a, b, scale)
    units = [data.attrs.get("units") for data in (first, second)]
    if None not in units and units[0] != units[1]:
        raise ParameterError(
            f"The difference of {units[0]!r} and {units[1]!r} has no unit. Convert one of them, or "
            "take ratio(a, b)."
        )
    return _told(first - scale * second, first, second, "difference", scale, {})


def ratio(
    a: xr.DataArray | xr.Dataset, b: xr.DataArray | xr.Dataset, *, scale: float = 1.0
) -> xr.DataArray:
    """Return ``a/(scale*b)``.

    Parameters
    ----------
    a, b, scale
        As for :func:`difference`; the units may differ.

    Returns
    -------
    ratio
        As of :func:`difference`, in the unit ``1`` or the one of ``a`` over that of ``b``. NaN
        where ``b`` is 0, too.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    ParameterError
        If the scale is 0 or not finite, or the data are not real numbers.
    """
    if scale == 0:
        raise ParameterError("The scale of a ratio is 0. Use 1, or the ratio of the exposures.")
    first, second = _pair(a, b, scale)
    units = [str(data.attrs.get("units", "")) for data in (first, second)]
    unit = "1" if units[0] == units[1] else f"{units[0] or 1}/({units[1] or 1})"
    found = first / (scale * second.where(second != 0))
    return _told(found, first, second, "ratio", scale, {"units": unit, "quantity": "ratio"})


def _pair(a: Any, b: Any, scale: float) -> tuple[xr.DataArray, xr.DataArray]:
    """Return both as floats of the same shape and coordinates, NaN where they have no data."""
    if not np.isfinite(scale):
        raise ParameterError(f"scale is {scale}; allowed are finite numbers. Use 1.")
    first, second = _good_floats(a), _good_floats(b)
    if second.shape not in (first.shape, first.shape[-2:]):
        raise ShapeError(
            f"The first has shape {first.shape}, the second {second.shape}. Crop both with the "
            "same selection, or select one image of the second."
        )
    # On the coordinates of the first: xarray would keep only what both have in common.
    dims = first.dims[first.ndim - second.ndim :]
    return first, xr.DataArray(second.data, dims=dims, attrs=second.attrs)


def _good_floats(data: xr.DataArray | xr.Dataset) -> xr.DataArray:
    mask = None
    if isinstance(data, xr.Dataset):
        mask, attrs = data.get("mask"), data.attrs
        data = data[main_variable(data)]
        data = data.assign_attrs({**attrs, **data.attrs})
    if data.dtype.kind not in "biuf":
        raise ParameterError(f"Real numbers can be compared, not {data.dtype}. Take abs(data).")
    good = xr.ones_like(data, bool) if not has_flags(data) else data >= 0
    if mask is not None:
        good = good & ~xr.DataArray(masked_of(mask, data.shape), dims=data.dims[-2:])
    floats = data.astype(np.float32 if data.dtype == np.float32 else np.float64)
    return (floats.where(good) if has_flags(data) or mask is not None else floats).assign_attrs(
        data.attrs
    )


def _told(
    found: xr.DataArray,
    first: xr.DataArray,
    second: xr.DataArray,
    name: str,
    scale: float,
    attrs: dict[str, str],
) -> xr.DataArray:
    """Return the result with its name, attributes and history."""
    kept = {key: value for key, value in first.attrs.items() if key not in _GONE}
    other = str(second.attrs.get("source", second.name or "another array"))
    history = extend(first.attrs, name, {"b": other, "scale": scale})
    found.attrs = {**kept, **attrs, "history": history}
    return found.rename(name)
