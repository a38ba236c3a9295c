"""Which columns a scan has, and which of them its file means."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import xarray as xr

from beamkit.core.errors import ParameterError, UnknownNameError

#: Columns that keep the books: clocks, file numbers, ring current, the pixel of a maximum.
_BOOKKEEPING = re.compile(
    r"(time\w*|\w*_?time|integration time|epoch|sec(onds)?|point|path|file_?(num\w*|no)|rc|"
    r"ring_?current|s[rb]cur(r)?|top_?up|\w*shutter|\w*max_?[xy])",
    re.IGNORECASE,
)
#: Columns that measure the beam before the sample.
_MONITOR = re.compile(r"(ic\d+\w*|i0\w*|i_?zero|\w*mon(itor)?\d*)", re.IGNORECASE)

#: Columns that X-ray absorption scans of GDA are made for, the best first.
_ABSORPTION = ("FF_I0", "FF", "ln(I0_It)")

#: Formats whose first column is what is meant to be plotted; that of the others is the last.
_SIGNAL_FIRST = ("nexus", "nxmx", "nxtomo")


def scanned_axis(data: xr.Dataset) -> xr.DataArray:
    """Return the positions that were scanned, as the file says.

    Of a NeXus file the axis of its signal, of SPEC and GDA tables the first column, of SRS the one
    in the command; the readers make it a coordinate. Of a grid, the axis that moves fastest.

    Parameters
    ----------
    data
        Dataset of kind ``scan``.

    Returns
    -------
    axis
        One dimension; the numbers of the points, named ``point``, where nothing was scanned.

    Raises
    ------
    ParameterError
        If there are no columns.
    """
    dim = _dimension(data)
    along: list[xr.DataArray] = [data.coords[dim]] if dim in data.coords else []
    along += [c for c in data.coords.values() if c.dims == (dim,)]
    found = next((c for c in along if _is_number(c)), None)
    if found is not None:
        return found
    return xr.DataArray(np.arange(data.sizes[dim]), dims=dim, name=dim, attrs={"units": ""})


def default_signal(data: xr.Dataset) -> str:
    """Return the name of the column that the file means to be plotted.

    Of a NeXus file the first, which is its signal; of text files the last, as SPEC and GDA do, of
    absorption scans the fluorescence or the absorption. Columns that keep the books (clocks, file
    numbers, ring current), monitors, and those that do not change come only where there is no
    other.

    Raises
    ------
    ParameterError
        If no column holds numbers.
    """
    names = _numeric(data)
    if not names:
        raise ParameterError(
            "The scan has no column of numbers to plot. Open another scan of the file."
        )
    if data.attrs.get("format") not in _SIGNAL_FIRST:
        names = [*(n for n in _ABSORPTION if n in names), *reversed(names)]
    return max(names, key=lambda name: _likelihood(data, name))  # the first of the best


def columns(data: xr.Dataset) -> xr.Dataset:
    """Return a table of the columns of a scan.

    Parameters
    ----------
    data
        Dataset of kind ``scan``.

    Returns
    -------
    table
        Over ``column`` (its coordinate is the name): ``role`` (``"axis"``, ``"signal"``,
        ``"monitor"`` or ``""``), ``units``, ``lowest`` and ``highest`` (NaN for text) and
        ``missing``, how many points are NaN. ``columns(data).to_dataframe()`` prints well.
    """
    axis, signal = str(scanned_axis(data).name), default_signal(data)
    found = {str(c.name): c for c in data.coords.values() if c.ndim == 1}
    found |= {str(name): variable for name, variable in data.data_vars.items()}
    roles = {name: "monitor" if is_monitor(name) else "" for name in found}
    roles |= {signal: "signal", axis: "axis"}
    rows = [
        (name, roles[name], str(c.attrs.get("units", "")), *_extremes(c))
        for name, c in found.items()
    ]
    names, role, units, low, high, missing = zip(*rows, strict=True)
    table = {"role": role, "units": units, "lowest": low, "highest": high, "missing": missing}
    return xr.Dataset(
        {name: ("column", list(values)) for name, values in table.items()},
        coords={"column": list(names)},
    )


def column(data: xr.Dataset, name: str) -> xr.DataArray:
    """Return a column by name, the scanned one and the numbers of the points included.

    Raises
    ------
    UnknownNameError
        If there is none; lists those that are.
    ParameterError
        If it does not hold numbers.
    """
    axis = scanned_axis(data)
    if name == axis.name:
        found = axis
    elif name in data.variables:
        found = data[name]
    else:
        known: Iterable[str] = map(str, data.variables)
        raise UnknownNameError("column", str(name), {*known, str(axis.name)})
    if not _is_number(found):
        raise ParameterError(
            f"Column {name!r} holds {found.dtype}, not numbers. Choose one of {_numeric(data)}."
        )
    return found


def is_monitor(name: str) -> bool:
    """Say whether a column of this name measures the beam before the sample."""
    return _MONITOR.fullmatch(name) is not None


def _dimension(data: xr.Dataset) -> str:
    if not data.data_vars:
        raise ParameterError("The scan has no columns. Open another scan of the file.")
    return str(data[_first(data)].dims[-1]) if data[_first(data)].ndim else "point"


def _first(data: xr.Dataset) -> str:
    """Return the first column that has points; images of a scan are none."""
    names = [str(name) for name, c in data.data_vars.items() if c.ndim in (1, 2)]
    return names[0] if names else str(next(iter(data.data_vars)))


def _numeric(data: xr.Dataset) -> list[str]:
    dims = data[_first(data)].dims if data.data_vars else ()
    return [str(n) for n, c in data.data_vars.items() if c.dims == dims and _is_number(c)]


def _is_number(values: xr.DataArray) -> bool:
    return bool(values.dtype.kind in "biuf" and values.size > 0)


def _likelihood(data: xr.Dataset, name: str) -> int:
    low, high, _ = _extremes(data[name])
    changes = high > low
    return 4 * changes + 2 * (not _BOOKKEEPING.fullmatch(name)) + (not is_monitor(name))


def _extremes(values: xr.DataArray) -> tuple[float, float, int]:
    if not _is_number(values):
        return float("nan"), float("nan"), 0
    numbers = np.asarray(values.values, dtype=float)
    finite = numbers[np.isfinite(numbers)]
    missing = numbers.size - finite.size
    if not finite.size:
        return float("nan"), float("nan"), missing
    return float(finite.min()), float(finite.max()), missing
