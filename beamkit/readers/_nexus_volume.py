"""Volumes that beamkit reconstructed, with every attribute that they had when they were written.

Layout: NXtomoproc; ``/entry/beamkit`` (NXcollection) holds the attributes as they were.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

from beamkit.core.errors import UnreadableFileError
from beamkit.core.schema import VOLUME

from . import _hdf5
from ._dataset import coordinate
from ._hdf5_chunks import read
from ._hdf5_lazy import lazy
from ._hdf5_links import require_dataset
from ._nexus_plot import Plot, units_of

_ATTRIBUTES = "/entry/beamkit"


def is_volume(plot: Plot) -> bool:
    """Say whether an NXdata is a reconstructed volume: three axes named z, y, x."""
    names = tuple(_hdf5.list_attribute(plot.group, "axes"))
    return plot.signal is not None and plot.signal.ndim == 3 and names == VOLUME


def volume(path: Path, plot: Plot) -> xr.Dataset:
    """Return a volume with its coordinates and attributes, lazily.

    Raises
    ------
    UnreadableFileError
        If the volume is not complete or an axis does not fit.
    """
    signal = require_dataset(plot.group, str(plot.signal.name)) if plot.signal is not None else None
    if signal is None:
        raise UnreadableFileError(f"{path} holds no volume. Reconstruct it again.")
    attrs = _attributes(plot.group.file)
    data = xr.DataArray(lazy(signal), dims=VOLUME, attrs={"units": units_of(signal), **attrs})
    for place, name in enumerate(VOLUME):
        axis = plot.axes[place]
        if axis is not None and axis.size == signal.shape[place]:
            data = data.assign_coords({name: coordinate(name, read(axis), units_of(axis))})
    general = {**attrs, "kind": "volume", "source": str(path.absolute()), "format": "nexus"}
    general.setdefault("header", "{}")
    return data.to_dataset(name="volume").assign_attrs(general)


def _attributes(file: h5py.File) -> dict[str, Any]:
    collection = _hdf5.member(file, _ATTRIBUTES)
    if not isinstance(collection, h5py.Group):
        return {}
    with _hdf5.readable(file.filename, _ATTRIBUTES):
        names = [name for name in collection.attrs if name != "NX_class"]
        return {_hdf5.text(name): _restored(collection.attrs[name]) for name in names}


def _restored(value: Any) -> Any:
    """Return an attribute as it was: text, a number, or a list of these."""
    if isinstance(value, np.ndarray):
        return [_restored(one) for one in value.reshape(-1)]
    if isinstance(value, h5py.Empty):
        return ""
    if isinstance(value, (bytes, str)):
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return value.item() if isinstance(value, np.generic) else value
