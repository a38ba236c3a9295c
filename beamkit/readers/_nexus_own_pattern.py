"""Patterns that beamkit wrote as NXdata or NXcanSAS, with all that they had.

Layout: :mod:`beamkit.writers`; the NXcollection ``beamkit`` beside the NXdata has the attributes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

from beamkit.core.errors import UnreadableFileError

from . import _hdf5
from ._dataset import finished
from ._hdf5_chunks import read
from ._hdf5_lazy import lazy
from ._nexus_plot import Plot
from ._nexus_tree import entry_of
from ._nexus_volume import _restored

_LAYOUT = "pattern-1"

#: Names of the fields in NXcanSAS.
_CANSAS = {"Q": "q", "I": "intensity", "Idev": "sigma"}
_NAMES = {**_CANSAS, "intensity_errors": "sigma"}


def is_own_pattern(plot: Plot) -> bool:
    """Say whether beamkit wrote an NXdata as a pattern."""
    kept = _kept(plot)
    return kept is not None and _hdf5.text_attribute(kept, "beamkit_layout") == _LAYOUT


def own_pattern(path: Path, plot: Plot) -> xr.Dataset:
    """Return the patterns with their coordinates, weights and attributes, lazily.

    Raises
    ------
    UnreadableFileError
        If the file is not complete.
    """
    kept = _kept(plot)
    signal = plot.signal
    if kept is None or signal is None:
        raise UnreadableFileError(f"{path} holds no pattern. Write it again.")
    with _hdf5.readable(str(path), str(kept.name)):
        attrs = {_hdf5.text(name): _restored(value) for name, value in kept.attrs.items()}
    dims = tuple(str(dim) for dim in attrs.pop("beamkit_dims", ()))
    units = str(attrs.pop("beamkit_units", ""))
    if len(dims) != signal.ndim:
        raise UnreadableFileError(
            f"{path}: the pattern has {signal.ndim} axes, {len(dims)} are named. The file is "
            "damaged; write it again."
        )
    found = _fields(plot.group, dims, units)
    for key in ("NX_class", "beamkit_layout", "kind", "source", "format"):
        attrs.pop(key, None)
    attrs.setdefault("header", "{}")
    try:
        variables = {
            name: xr.DataArray(values, dims=over, attrs=said)
            for name, (over, values, said) in found.items()
        }
        coords = {
            n: each for n, each in variables.items() if n not in ("intensity", "sigma", "weight")
        }
        data = {name: each for name, each in variables.items() if name not in coords}
        built = xr.Dataset(data, coords)
    except ValueError as error:
        raise UnreadableFileError(
            f"{path}: the fields of the pattern do not fit each other ({error}). The file is "
            "damaged; write it again."
        ) from None
    return finished(
        {name: built[name] for name in data},
        kind="pattern",
        attrs=attrs,
        source=path,
        file_format="nexus",
    ).assign_coords(built.coords)


def _kept(plot: Plot) -> h5py.Group | None:
    entry = entry_of(str(plot.group.name))
    found = _hdf5.member(plot.group.file, f"{entry}/beamkit")
    return found if isinstance(found, h5py.Group) else None


Field = tuple[tuple[str, ...], Any, dict[str, str]]


def _fields(group: h5py.Group, dims: tuple[str, ...], units: str) -> dict[str, Field]:
    found: dict[str, Field] = {}
    for field, item in _hdf5.items(group):
        if not isinstance(item, h5py.Dataset):
            continue
        name = _NAMES.get(field, field)
        said = {
            key: text
            for key in ("units", "long_name")
            if (text := _hdf5.text_attribute(item, key)) or key in item.attrs
        }
        if name in ("intensity", "sigma"):
            found[name] = (dims, lazy(item), {**said, "units": units})
        else:
            over = dims[-item.ndim :] if name == "weight" else _over(group, field, dims, item.ndim)
            found[name] = (over, _values(item), {"units": "", **said})
    return found


def _over(group: h5py.Group, field: str, dims: tuple[str, ...], ndim: int) -> tuple[str, ...]:
    place = _hdf5.attribute(group, f"{field}_indices")
    if not ndim:
        return ()
    number = int(np.asarray(place).reshape(-1)[0]) if place is not None else 0
    return (dims[min(number, len(dims) - 1)],)


def _values(item: h5py.Dataset) -> Any:
    values = read(item) if item.ndim else np.asarray(item[()])
    if item.dtype.kind != "O":
        return values
    texts = [_hdf5.text(one) for one in np.ravel(values)]
    return np.reshape(np.array(texts), item.shape)
