"""Reconstructed volumes as NeXus files, readable by any HDF5 viewer and by ``beamkit.open``.

Layout: application definition NXtomoproc. ``/entry/reconstruction`` is the NXdata with the volume
and its axes, ``/entry/process_N`` (NXprocess) one step of the history each, and
``/entry/beamkit`` (NXcollection) the attributes as they were, so that reading gives them back.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from beamkit._version import __version__
from beamkit.core.atomic import atomic_path, existing_parent
from beamkit.core.errors import BeamkitError, ShapeError, WriteError
from beamkit.core.history import entries
from beamkit.core.schema import VOLUME, require_dims

#: Suffixes of NeXus files.
NEXUS_SUFFIXES = (".nxs", ".h5", ".hdf5", ".nx")

#: Slices per chunk: a slice is read alone far more often than a column.
_CHUNK_ROWS = 1


def nexus(volume: xr.DataArray, path: str | os.PathLike[str]) -> Path:
    """Write a reconstructed volume; return the path.

    Parameters
    ----------
    volume
        Shape (z, y, x), with coordinates and attributes; lazy arrays are computed slice by slice.
    path
        Of the file to write; an existing one is replaced only when the new one is complete.

    Raises
    ------
    ShapeError
        If the dimensions are not (z, y, x).
    WriteError
        If the file cannot be written; nothing appears at ``path`` then.
    """
    require_dims(volume, VOLUME, what="The volume")
    coords = {name: volume[name] for name in VOLUME if name in volume.coords}
    with VolumeFile(path, volume.shape) as file:
        for row in range(volume.sizes["z"]):
            file.write(row, volume[row : row + 1].values)
        file.describe(volume.attrs, coords)
    return Path(path)


class VolumeFile:
    """A volume file that is written slab by slab and appears when it is complete.

    Use as a context manager. If the block raises, nothing appears under the final name.

    Parameters
    ----------
    path
        Of the file.
    shape
        Of the volume (z, y, x).
    """

    def __init__(self, path: str | os.PathLike[str], shape: tuple[int, ...]) -> None:
        self._path = Path(path)
        self._shape = shape
        self._stack = ExitStack()

    def __enter__(self) -> VolumeFile:
        with ExitStack() as stack:
            temporary = stack.enter_context(atomic_path(self._path))
            # Entered after atomic_path, so closed before the file is flushed and renamed.
            self._file = stack.enter_context(h5py.File(temporary, "w"))
            self._data = _skeleton(self._file, self._shape)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with _hdf5_errors_named(self._path):
            self._stack.__exit__(kind, error, traceback)

    def write(self, first: int, slab: NDArray[np.float32]) -> None:
        """Write slices ``first``, ``first + 1`` ... Shape (rows, y, x).

        Raises
        ------
        ShapeError
            If the slab does not fit into the volume.
        """
        rows = slab.shape[0]
        if slab.shape[1:] != self._shape[1:] or first + rows > self._shape[0]:
            raise ShapeError(
                f"A slab of shape {slab.shape} at slice {first} does not fit into a volume of "
                f"shape {self._shape}. Give slices of {self._shape[1:]} pixels."
            )
        with _hdf5_errors_named(self._path):
            self._data[first : first + rows] = slab

    def describe(self, attrs: Mapping[str, Any], coords: Mapping[str, xr.DataArray]) -> None:
        """Write the axes (each with ``attrs["units"]``), the attributes and the history."""
        self._data.attrs["units"] = attrs.get("units", "")
        entry = self._file["entry"]
        _write_axes(entry["reconstruction"], coords)
        collection = entry.require_group("beamkit")
        collection.attrs["NX_class"] = "NXcollection"
        for key, value in attrs.items():
            collection.attrs[key] = _storable(value)
        if "title" in attrs:
            entry["title"] = attrs["title"]
        for number, item in enumerate(entries(attrs), start=1):
            _write_process(entry, number, item)


@contextmanager
def _hdf5_errors_named(path: Path) -> Iterator[None]:
    """HDF5 says a full disk as OSError without a number on writing, as RuntimeError on closing."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        if isinstance(error, BeamkitError):
            raise
        found = re.search(r"error message = '([^']*)'", str(error))
        reason = found[1] if found else str(error).splitlines()[0]
        free = shutil.disk_usage(existing_parent(path)).free
        raise WriteError(
            f"{path} was not written: {reason}. {free / 1e6:.0f} MB are free there. "
            "Free some space, or choose another folder."
        ) from error


def _skeleton(file: h5py.File, shape: tuple[int, ...]) -> h5py.Dataset:
    file.attrs["NX_class"] = "NXroot"
    file.attrs["default"] = "entry"
    file.attrs["creator"] = f"beamkit {__version__}"
    entry = file.create_group("entry")
    entry.attrs["NX_class"] = "NXentry"
    entry.attrs["default"] = "reconstruction"
    entry["definition"] = "NXtomoproc"
    group = entry.create_group("reconstruction")
    group.attrs["NX_class"] = "NXdata"
    group.attrs["signal"] = "data"
    group.attrs["axes"] = list(VOLUME)
    # NaN where nothing was written: a missing slab must never read as zeros.
    return group.create_dataset(
        "data", shape, "f4", chunks=(min(_CHUNK_ROWS, shape[0]), *shape[1:]), fillvalue=np.nan
    )


def _write_axes(group: h5py.Group, coords: Mapping[str, xr.DataArray]) -> None:
    for position, name in enumerate(VOLUME):
        if name in coords:
            group[name] = coords[name].values
            group[name].attrs["units"] = coords[name].attrs.get("units", "")
            group.attrs[f"{name}_indices"] = position


def _write_process(entry: h5py.Group, number: int, item: Mapping[str, Any]) -> None:
    """One step of the history. Layout: NeXus base classes NXprocess and NXnote."""
    process = entry.create_group(f"process_{number}")
    process.attrs["NX_class"] = "NXprocess"
    process["program"] = "beamkit"
    process["version"] = item["version"]
    process["date"] = item["time"]
    process["sequence_index"] = number
    note = process.create_group("configuration")
    note.attrs["NX_class"] = "NXnote"
    note["type"] = "application/json"
    note["description"] = item["name"]
    note["data"] = json.dumps(item["parameters"])


def _storable(value: Any) -> ArrayLike:
    """Return what HDF5 keeps as an attribute: lists of text need a variable-length type."""
    if isinstance(value, (list, tuple)) and any(isinstance(item, str) for item in value):
        return np.array([str(item) for item in value], dtype=h5py.string_dtype())
    stored: ArrayLike = value
    return stored
