"""Ranges along one or several dimensions, combined into one image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.images import combine_frames

#: How a range along a dimension becomes one image.
How = Literal["sum", "max", "mean"]
HOWS = ("sum", "max", "mean")


@dataclass(frozen=True)
class Span:
    """A range along a dimension, ``first`` to ``last`` included, and what becomes of it."""

    how: How
    first: int
    last: int


def combined(
    data: xr.DataArray, spans: Mapping[str, Span], *, mask: NDArray[Any] | None = None
) -> xr.DataArray:
    """Return one image in which each range is combined, the longest one last.

    Parameters
    ----------
    data
        Rows and columns are the last two dimensions; the others are those of the ranges.
    spans
        One for each of the other dimensions; at least one.
    mask
        Shape (rows, columns).
    """
    last = max(spans, key=lambda name: spans[name].last - spans[name].first)
    span, rest = spans[last], {name: spans[name] for name in spans if name != last}
    if not rest:
        frames = data.transpose(last, *data.dims[-2:])
        return combine_frames(frames, span.first, span.last, how=span.how, mask=mask)
    numbers = range(span.first, span.last + 1)
    images = [combined(data.isel({last: number}), rest, mask=mask) for number in numbers]
    frames = xr.concat(images, last, coords="minimal", compat="override", combine_attrs="override")
    return combine_frames(frames, 0, len(images) - 1, how=span.how, mask=mask)


def combined_stack(
    data: xr.DataArray, main: str, spans: Mapping[str, Span], *, mask: NDArray[Any] | None = None
) -> xr.DataArray:
    """Return :func:`combined` for each place along ``main``, lazy. Shape (main, rows, columns)."""
    from dask import delayed
    from dask.array import from_delayed, stack

    one = data.isel({main: 0})
    example = combined(_tiny(one), {name: Span(spans[name].how, 0, 0) for name in spans})
    parts = [
        from_delayed(
            delayed(_values)(data.isel({main: number}), dict(spans), mask),
            one.shape[-2:],
            dtype=example.dtype,
        )
        for number in range(data.sizes[main])
    ]
    dims = (main, *(str(dim) for dim in data.dims[-2:]))
    coords = {name: item for name, item in data.coords.items() if set(item.dims) <= set(dims)}
    return xr.DataArray(stack(parts), dims=dims, coords=coords, name=data.name, attrs=data.attrs)


def _tiny(data: xr.DataArray) -> xr.DataArray:
    return xr.DataArray(np.zeros((1,) * data.ndim, data.dtype), dims=data.dims)


def _values(data: xr.DataArray, spans: Mapping[str, Span], mask: Any) -> NDArray[Any]:
    return np.asarray(combined(data, spans, mask=mask).values)
