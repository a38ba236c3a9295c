"""Integrated patterns in a NeXus file: intensity over q or two_theta."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

from beamkit.core.schema import note

from . import _hdf5
from ._dataset import coordinate, finished
from ._hdf5_chunks import read
from ._hdf5_lazy import lazy
from ._nexus_metadata import Metadata
from ._nexus_plot import Plot, units_of

#: Names of the axis of a pattern, as programs write them.
_Q = re.compile(r"^(q|s?q_?axis|scattering_vector)$", re.IGNORECASE)
_TWO_THETA = re.compile(r"(two_?theta|2_?theta|2th|tth)", re.IGNORECASE)

#: Unit of q, without blanks and case: what it is in 1/angstrom.
_PER_ANGSTROM = {
    "1/angstrom": 1.0, "angstrom^-1": 1.0, "angstrom-1": 1.0, "a^-1": 1.0, "1/a": 1.0,
    "1/nm": 0.1, "nm^-1": 0.1, "nm-1": 0.1,
}  # fmt: skip

#: Names of the uncertainties beside the signal.
_ERRORS = ("errors", "data_errors", "sigma", "uncertainties")


#: What the axis of a pattern is ("q" or "two_theta"), the axis, and the signal over it.
Over = tuple[str, h5py.Dataset, h5py.Dataset]


def axis_of_pattern(plot: Plot) -> Over | None:
    """Return the last axis of a signal and what it is, None if it is not one of a pattern."""
    axis = plot.axes[-1] if plot.axes else None
    if axis is None or plot.signal is None or axis.size < plot.signal.shape[-1]:
        return None
    name = str(axis.name).rpartition("/")[2]
    if _Q.match(name) and _per_angstrom(axis) is not None:
        return "q", axis, plot.signal
    if _TWO_THETA.search(f"{name} {_hdf5.text_attribute(axis, 'long_name')}"):
        return "two_theta", axis, plot.signal
    return None


def pattern(path: Path, plot: Plot, over: Over, found: Metadata, file_format: str) -> xr.Dataset:
    """Return the patterns of an NXdata: ``intensity``, and ``sigma`` where it is given.

    Axes of length 1 in front are dropped; several patterns are over ``frame``, or over ``chi``.

    Parameters
    ----------
    over
        What :func:`axis_of_pattern` found.
    """
    name, axis, signal = over
    values, unit = _axis_values(axis, name, signal.shape[-1], found)
    kept = [place for place, size in enumerate(signal.shape[:-1]) if size > 1]
    names = [_outer_name(plot.axes[place]) for place in kept]
    dims = (*(f"frame_{i}" if names.count(n) > 1 else n for i, n in enumerate(names)), name)
    variables = {"intensity": _variable(signal, dims, units_of(signal))}
    errors = _errors(plot)
    if errors is not None and errors.shape == signal.shape:
        variables["sigma"] = _variable(errors, dims, units_of(errors, units_of(signal)))
    coords = {name: coordinate(name, values, unit)}
    for place, dim in zip(kept, dims, strict=False):
        outer = plot.axes[place]
        if outer is not None and outer.size == signal.shape[place]:
            coords[dim] = coordinate(
                dim, read(outer), units_of(outer, "deg" if dim == "chi" else "")
            )
    data = {key: variable.assign_coords(coords) for key, variable in variables.items()}
    return finished(data, kind="pattern", attrs=found.attrs, source=path, file_format=file_format)


def _outer_name(axis: h5py.Dataset | None) -> str:
    name = "" if axis is None else str(axis.name).rpartition("/")[2]
    return "chi" if re.search(r"chi|azimuth", name, re.IGNORECASE) else "frame"


def _variable(item: h5py.Dataset, dims: tuple[str, ...], units: str) -> xr.DataArray:
    data = lazy(item)
    data = data[tuple(0 if size == 1 else slice(None) for size in data.shape[:-1])]
    return xr.DataArray(data, dims=dims, attrs={"units": units})


def _errors(plot: Plot) -> h5py.Dataset | None:
    signal = str(plot.signal.name).rpartition("/")[2] if plot.signal is not None else ""
    named = (
        _hdf5.text_attribute(plot.group, f"{signal}_uncertainty"),
        _hdf5.text_attribute(plot.group, f"{signal}_uncertainties"),
        "" if plot.signal is None else _hdf5.text_attribute(plot.signal, "uncertainties"),
        f"{signal}_errors",
    )
    for name in (*named, *_ERRORS):
        item = _hdf5.dataset(plot.group, name) if name else None
        if item is not None:
            return item
    return None


def _axis_values(axis: h5py.Dataset, name: str, length: int, found: Metadata) -> tuple[Any, str]:
    values = read(axis).astype(float)
    if len(values) > length:
        note(
            found.attrs,
            "notes",
            f"{axis.name} has {len(values)} values for {length}; the first are used",
        )
    if name == "q":
        return values[:length] * (_per_angstrom(axis) or 1.0), "1/angstrom"
    unit = units_of(axis, "deg")
    return (np.rad2deg(values) if unit.startswith("rad") else values)[:length], "deg"


def _per_angstrom(axis: h5py.Dataset) -> float | None:
    unit = "".join(units_of(axis, "1/angstrom").lower().split())
    return _PER_ANGSTROM.get(unit.replace("å", "angstrom").replace("angstroms", "angstrom"))
