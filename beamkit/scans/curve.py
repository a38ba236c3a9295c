"""One curve of a scan: what is plotted and fitted."""

from __future__ import annotations

import xarray as xr

from .columns import column, default_signal, scanned_axis
from .derivative import derivative as _derivative
from .normalise import normalise


def curve(
    data: xr.Dataset,
    y: str | None = None,
    x: str | None = None,
    *,
    monitor: str | None = None,
    derivative: bool = False,
) -> xr.DataArray:
    """Return one column against another, normalised and derived as asked.

    Parameters
    ----------
    data
        Dataset of kind ``scan``.
    y, x
        Columns; None: those that the file means.
    monitor
        Column to normalise by, with :func:`normalise`; None does not.
    derivative
        Whether to return the derivative, after the normalisation.

    Returns
    -------
    curve
        ``y`` with ``x`` as its only coordinate, over the dimension of the scan.

    Raises
    ------
    UnknownNameError
        If a column is not there; lists those that are.
    ShapeError
        If the scan is a grid: select one line first.
    ParameterError
        If a column does not hold numbers.
    """
    name = default_signal(data) if y is None else y
    values = normalise(data, name, monitor) if monitor else column(data, name)
    axis = scanned_axis(data) if x is None else column(data, x)
    found = values.reset_coords(drop=True).rename(name)
    if values.dims == axis.dims:
        found = found.drop_indexes(list(found.indexes)).drop_vars(list(found.coords))
        found = found.assign_coords({_free(axis, values): (axis.dims, axis.values, axis.attrs)})
    return _derivative(found) if derivative else found


def _free(axis: xr.DataArray, values: xr.DataArray) -> str:
    return str(axis.name or values.dims[0])
