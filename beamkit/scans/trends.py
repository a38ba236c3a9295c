"""Numbers of each frame, whatever table they come in, as curves over one axis."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import xarray as xr

from beamkit.core.errors import ParameterError, ShapeError

#: Endings of the names of uncertainties.
ERRORS = ("_error", "_sigma", "_uncertainty")


def trends(values: Any, dim: str | None = None) -> xr.Dataset:
    """Return each number of a table as a variable over the frames.

    Parameters
    ----------
    values
        Dataset, DataArray or DataFrame with a number for each frame: statistics, or the result of
        :func:`beamkit.diffraction.fit_series`. Numbers over a further axis, such as the peaks of
        a fit, become a variable each: ``"position, peak 1"``.
    dim
        The axis of the frames; None for ``"frame"``, or the first of the first variable.

    Returns
    -------
    curves
        Variables over that axis, float64. The uncertainty of ``name``, if there is one, is
        ``name_error``. Coordinates along the axis that are numbers are kept; without one of that
        name the axis counts from 0.

    Raises
    ------
    ShapeError
        If no variable has that axis.
    ParameterError
        If the values are no table, or hold no numbers.
    """
    table = _as_dataset(values)
    axis = dim or _axis(table)
    if axis not in table.dims:
        raise ShapeError(
            f"The values have no axis {axis!r}; they have {', '.join(map(str, table.dims))}. Name "
            "the axis of the frames: dim=..."
        )
    size = table.sizes[axis]
    curves: dict[str, Any] = {}
    for name, item in table.data_vars.items():
        if axis in item.dims and item.dtype.kind in "iufb":
            curves.update(_flat(str(name), item, axis))
    if not curves:
        raise ParameterError(
            f"The values hold no numbers over {axis}; they have "
            f"{', '.join(map(str, table.data_vars)) or 'nothing'}."
        )
    coords = {
        str(name): item.variable
        for name, item in table.coords.items()
        if item.dims == (axis,) and item.dtype.kind in "iufM"
    }
    coords.setdefault(axis, xr.Variable(axis, np.arange(size), {"units": "1"}))
    return xr.Dataset(curves, coords=coords)


def quantities(curves: xr.Dataset) -> list[str]:
    """Return the names of the curves, without their uncertainties."""
    return [str(name) for name in curves.data_vars if not str(name).endswith("_error")]


def _as_dataset(values: Any) -> xr.Dataset:
    if isinstance(values, xr.Dataset):
        return values
    if isinstance(values, xr.DataArray):
        return values.to_dataset(name=str(values.name or "value"))
    if hasattr(values, "to_xarray") and hasattr(values, "columns"):  # DataFrame
        table = values.copy(deep=False)
        table.index.name = table.index.name or "frame"
        found: xr.Dataset = table.sort_index().to_xarray()
        return found
    raise ParameterError(
        f"values is {values!r:.60}; give a Dataset, DataArray or DataFrame with a number for each "
        "frame."
    )


def _axis(table: xr.Dataset) -> str:
    if "frame" in table.dims:
        return "frame"
    for item in table.data_vars.values():
        if item.ndim:
            return str(item.dims[0])
    raise ShapeError("The values are single numbers. Give one for each frame.")


def _flat(name: str, item: xr.DataArray, axis: str) -> dict[str, Any]:
    """Return a variable as one for each place along its other axes."""
    stem, is_error = name, False
    for ending in ERRORS:
        if name.endswith(ending):
            stem, is_error = name.removesuffix(ending), True
    others = [str(dim) for dim in item.dims if dim != axis]
    found = {}
    for place in product(*(range(item.sizes[dim]) for dim in others)):
        picked = item.isel(dict(zip(others, place, strict=True)))
        label = ", ".join([stem, *(f"{d} {k}" for d, k in zip(others, place, strict=True))])
        whole = label + ("_error" if is_error else "")
        units = {"units": str(item.attrs.get("units", ""))}
        found[whole] = (axis, np.asarray(picked.values, float), units)
    return found
