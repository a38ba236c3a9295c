"""A volume as 8 or 16 bit numbers, with the scaling kept: a quarter or half of the room."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.errors import InvalidPixelsError, ParameterError
from beamkit.core.history import extend

#: Values that quantiles are taken from, at most.
_SAMPLE = 4_000_000


def to_uint8(
    volume: xr.DataArray,
    *,
    percentiles: tuple[float, float] = (0.1, 99.9),
    limits: tuple[float, float] | None = None,
) -> xr.DataArray:
    """Return a volume as 8 bit numbers; see :func:`to_uint16`."""
    return _coded(volume, np.dtype(np.uint8), percentiles, limits)


def to_uint16(
    volume: xr.DataArray,
    *,
    percentiles: tuple[float, float] = (0.1, 99.9),
    limits: tuple[float, float] | None = None,
) -> xr.DataArray:
    """Return a volume as 16 bit numbers.

    Parameters
    ----------
    volume
        Any shape, lazy or not.
    percentiles
        Of the values: what becomes the smallest and the largest code; beyond is cut off. Taken from
        at most 4 million values, evenly spread.
    limits
        The two values themselves, instead.

    Returns
    -------
    codes
        Same shape. Code 0 is no value (NaN); ``code * scale_factor + add_offset`` of the attributes
        (CF conventions, as xarray decodes them) gives the values back to half a step, NaN by
        ``_FillValue``. ``attrs["clipped"]``: part of the sampled values that were cut off.

    Raises
    ------
    ParameterError
        If percentiles or limits are not two numbers in order.
    InvalidPixelsError
        If there is no finite value.
    """
    return _coded(volume, np.dtype(np.uint16), percentiles, limits)


def _coded(
    volume: xr.DataArray,
    dtype: np.dtype[np.unsignedinteger],
    percentiles: tuple[float, float],
    limits: tuple[float, float] | None,
) -> xr.DataArray:
    sample = _sample(volume)
    low, high = _limits(sample, percentiles, limits)
    top = int(np.iinfo(dtype).max)
    scale = (high - low) / (top - 1)
    offset = low - scale
    codes: xr.DataArray = xr.apply_ufunc(
        _encode,
        volume,
        kwargs={"scale": scale, "offset": offset, "dtype": dtype},
        dask="parallelized",
        output_dtypes=[dtype],
    )
    codes.attrs = dict(volume.attrs)
    codes.attrs.update(scale_factor=scale, add_offset=offset, _FillValue=0)
    codes.attrs["clipped"] = float(np.mean((sample < low) | (sample > high)))
    parameters = {"limits": [low, high], "percentiles": None if limits else list(percentiles)}
    codes.attrs["history"] = extend(volume.attrs, f"to_{dtype.name}", parameters)
    return codes


def _encode(
    values: NDArray[np.floating],
    *,
    scale: float,
    offset: float,
    dtype: np.dtype[np.unsignedinteger],
) -> NDArray[np.unsignedinteger]:
    codes = np.rint((values.astype(np.float64) - offset) / scale)
    codes = np.clip(codes, 1, np.iinfo(dtype).max)
    return np.where(np.isnan(values), 0, codes).astype(dtype)


def _sample(volume: xr.DataArray) -> NDArray[np.float64]:
    """Return finite values, evenly spread over the first dimension and then over the others."""
    each = max(1, -(-volume.size // _SAMPLE))
    first = volume.dims[0]
    picked = (
        volume.isel({first: slice(each // 2, None, each)}) if volume.sizes[first] > each else volume
    )
    values = np.asarray(picked.values, np.float64).ravel()
    values = values[:: max(1, -(-values.size // _SAMPLE))]
    values = values[np.isfinite(values)]
    if not values.size:
        raise InvalidPixelsError("The volume has no finite value. Reconstruct it again.")
    return values


def _limits(
    sample: NDArray[np.float64],
    percentiles: tuple[float, float],
    limits: tuple[float, float] | None,
) -> tuple[float, float]:
    given = limits if limits is not None else percentiles
    low, high = (float(number) for number in given)
    in_range = limits is not None or (low >= 0 and high <= 100)
    if not (np.isfinite(low) and np.isfinite(high) and low < high and in_range):
        name = "limits" if limits is not None else "percentiles"
        raise ParameterError(
            f"{name}={given} is not allowed. Give two numbers, the lower one first"
            + (", from 0 to 100." if limits is None else ".")
        )
    if limits is None:
        low, high = (float(value) for value in np.percentile(sample, (low, high)))
    return (low, high) if low < high else (low, low + max(abs(low), 1.0) * 1e-6)
