"""Several scans of the same axis in one dataset."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from beamkit.core.errors import ParameterError, ShapeError

from .columns import default_signal, scanned_axis


def overlay(scans: Sequence[xr.Dataset], *, names: Sequence[str] | None = None) -> xr.Dataset:
    """Return several scans as one dataset over (scan, point).

    Parameters
    ----------
    scans
        Datasets of kind ``scan`` with the same axis; as many points each as there are.
    names
        One each; None: the names of their files, numbered where they are the same.

    Returns
    -------
    data
        The columns that all have, the signal of the first scan first, shape (scan, point),
        float64, NaN behind the end of a shorter scan. Each scan keeps its own positions: the
        axis is a coordinate over (scan, point).

    Raises
    ------
    ParameterError
        If there are none, their axes differ in name or unit, or there are not as many names.
    ShapeError
        If one is a grid.
    """
    if not scans:
        raise ParameterError("There are no scans to overlay. Give at least one.")
    axes = [scanned_axis(scan) for scan in scans]
    require_one_axis(axes)
    labels = labels_of(scans) if names is None else list(names)
    if len(labels) != len(scans):
        raise ParameterError(
            f"There are {len(scans)} scans and {len(labels)} names. Give one each."
        )
    require_one_dimension(scans)
    signal = default_signal(scans[0])
    shared = sorted(shared_columns(scans), key=lambda name: name != signal)
    length = max(axis.size for axis in axes)
    data = {
        name: _stacked([scan[name] for scan in scans], length) for name in shared if name != "scan"
    }
    coords = {str(axes[0].name): _stacked(axes, length), "scan": ("scan", labels)}
    if axes[0].name == "point":
        del coords["point"]
    attrs = {"kind": "scan", "source": [str(s.attrs.get("source", "")) for s in scans]}
    return xr.Dataset(data, coords=coords, attrs=attrs)


def labels_of(scans: Sequence[xr.Dataset]) -> list[str]:
    """Return a name for each scan: its file, of SPEC with the number; numbered where alike."""
    stems = [_label(scan) for scan in scans]
    if len(set(stems)) == len(stems):
        return stems
    return [
        f"{stem} ({stems[: number + 1].count(stem)})" if stems.count(stem) > 1 else stem
        for number, stem in enumerate(stems)
    ]


def spec_number(scan: xr.Dataset) -> str:
    """Return the number of a SPEC scan in its file; empty for what is no SPEC scan."""
    if scan.attrs.get("format") != "spec":
        return ""
    line = json.loads(scan.attrs.get("header", "{}")).get("scan", {}).get("S", "")
    return str(line).strip().partition(" ")[0]


def shared_columns(scans: Sequence[xr.Dataset]) -> list[str]:
    """Return the columns of numbers that all scans have, in the order of the first."""
    return [n for n in _columns(scans[0]) if all(n in _columns(scan) for scan in scans[1:])]


def _label(scan: xr.Dataset) -> str:
    stem, number = Path(str(scan.attrs.get("source", ""))).stem or "scan", spec_number(scan)
    return f"{stem} #{number}" if number else stem


def _stacked(columns: Sequence[xr.DataArray], length: int) -> xr.DataArray:
    table = np.full((len(columns), length), np.nan)
    for row, values in zip(table, columns, strict=True):
        row[: values.size] = values.values
    return xr.DataArray(table, dims=("scan", "point"), attrs=dict(columns[0].attrs))


def _columns(scan: xr.Dataset) -> list[str]:
    return [str(n) for n, c in scan.data_vars.items() if c.ndim == 1 and c.dtype.kind in "biuf"]


def require_one_axis(axes: Sequence[xr.DataArray]) -> None:
    """Raise ParameterError unless all axes have the same name and unit."""
    found = {(str(axis.name), str(axis.attrs.get("units", ""))) for axis in axes}
    if len(found) > 1:
        listed = ", ".join(f"{name} [{unit or 'no unit'}]" for name, unit in sorted(found))
        raise ParameterError(
            f"The scans have different axes: {listed}. Overlay scans of one axis, or plot them "
            "against a column that all have (x=...)."
        )


def require_one_dimension(scans: Sequence[xr.Dataset]) -> None:
    """Raise ShapeError if a scan is a grid."""
    for scan in scans:
        dims = scan[default_signal(scan)].dims
        if len(dims) != 1:
            raise ShapeError(
                f"A scan over a grid {dims} is no curve. Select one line with .isel(...)."
            )
