"""The columns of a scan in a NeXus file: one variable each, over ``point``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import h5py
import xarray as xr

from beamkit.core.schema import note

from . import _hdf5
from ._dataset import coordinate, finished
from ._hdf5_chunks import read
from ._nexus_metadata import Metadata
from ._nexus_plot import Plot, clean, columns, is_numbers, units_of

#: Broken links that are named one by one.
_MOST_MISSING = 5


def scan(
    path: Path, chosen: Plot, others: Sequence[Plot], found: Metadata, file_format: str
) -> xr.Dataset:
    """Return the columns of a scan.

    Parameters
    ----------
    chosen
        The NXdata whose signal comes first.
    others
        Every NXdata of the entry; those with as many points add their columns.
    found
        Metadata; gets notes of what is missing or does not fit.
    """
    if is_grid(chosen):
        return _grid(path, chosen, found, file_format)
    points = _points(chosen, others)
    axis = _scanned(chosen)
    found_columns: dict[str, h5py.Dataset] = {}
    if chosen.signal is not None and chosen.signal.ndim == 1:
        found_columns[_name(chosen.signal)] = chosen.signal
    for plot in (chosen, *others):
        _collect(plot, points, found_columns, found)
    variables, coords = {}, {}
    for name, item in found_columns.items():
        values = read(item)[:points]
        if axis is not None and item == axis:
            coords[name] = coordinate("point", values, units_of(item))
        else:
            variables[name] = xr.DataArray(values, dims=("point",), attrs={"units": units_of(item)})
    _note_missing([chosen, *others], found)
    data = {name: variable.assign_coords(coords) for name, variable in variables.items()}
    return finished(data, kind="scan", attrs=found.attrs, source=path, file_format=file_format)


def has_columns(plot: Plot) -> bool:
    """Say whether an NXdata has an array of several points."""
    return any(item.size > 1 for _, item in columns(plot.group))


def is_grid(plot: Plot) -> bool:
    """Say whether an NXdata is a scan over a grid: several arrays alike, an axis each way."""
    signal = plot.signal
    if signal is None or signal.ndim < 2 or None in plot.axes:
        return False
    if any(axis.size != n for axis, n in zip(plot.axes, signal.shape, strict=True) if axis):
        return False
    scalar = _hdf5.text_attribute(signal, "interpretation") == "scalar"
    return scalar or len(_alike(plot, signal)) > 1


def _alike(plot: Plot, signal: h5py.Dataset) -> dict[str, h5py.Dataset]:
    """Return the arrays of an NXdata that have the shape of the signal, the signal first."""
    arrays = {clean(name): item for name, item in _hdf5.items(plot.group) if is_numbers(item)}
    alike = {name: item for name, item in arrays.items() if item.shape == signal.shape}
    return {_name(signal): signal, **alike}


def _grid(path: Path, plot: Plot, found: Metadata, file_format: str) -> xr.Dataset:
    signal = plot.signal
    dims = tuple(_name(axis) for axis in plot.axes if axis is not None)
    coords = {
        _name(axis): coordinate(_name(axis), read(axis), units_of(axis))
        for axis in plot.axes
        if axis is not None
    }
    data = {
        name: xr.DataArray(read(item), dims=dims, coords=coords, attrs={"units": units_of(item)})
        for name, item in ({} if signal is None else _alike(plot, signal)).items()
        if name not in dims
    }
    return finished(data, kind="scan", attrs=found.attrs, source=path, file_format=file_format)


def _points(chosen: Plot, others: Sequence[Plot]) -> int:
    """Return the number of points: of the signal, else of most columns."""
    if chosen.signal is not None and chosen.signal.ndim == 1:
        return int(chosen.signal.size)
    lengths = Counter(item.size for plot in (chosen, *others) for _, item in columns(plot.group))
    return int(max(lengths, key=lambda size: (lengths[size], size)))


def _scanned(plot: Plot) -> h5py.Dataset | None:
    """Return what was scanned: the axis of the signal, else the primary one (old style)."""
    if plot.axes:
        return plot.axes[0]
    marked = [item for _, item in columns(plot.group) if _hdf5.text_attribute(item, "axis")]
    primary = [item for item in marked if _hdf5.text_attribute(item, "primary") == "1"]
    return next(iter(primary or marked), None)


def _collect(plot: Plot, points: int, into: dict[str, h5py.Dataset], found: Metadata) -> None:
    for name, item in columns(plot.group):
        if any(item == each for each in into.values()):
            continue
        if item.size != points:
            done = f"the first {points} are used" if item.size > points else "it is left out"
            note(
                found.attrs,
                "notes",
                f"{item.name} has {item.size} values for {points} points; {done}",
            )
        if item.size >= points:
            group = clean(str(plot.group.name).rpartition("/")[2])
            into[name if name not in into else f"{group}_{name}"] = item


def _note_missing(plots: Sequence[Plot], found: Metadata) -> None:
    missing = [plot.missing for plot in plots if plot.missing]
    for text in missing[:_MOST_MISSING]:
        note(found.attrs, "notes", f"frames are missing: {text}")
    if len(missing) > _MOST_MISSING:
        note(found.attrs, "notes", f"{len(missing) - _MOST_MISSING} more links lead nowhere")


def _name(item: h5py.Dataset) -> str:
    return clean(str(item.name).rpartition("/")[2])
