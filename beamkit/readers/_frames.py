"""Darks and flats that the user gives from elsewhere: a file, a dataset, an array."""

from __future__ import annotations

import os
from collections.abc import Sequence
from glob import glob, has_magic
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

from beamkit.core.errors import ParameterError, UnreadableFileError

from . import _hdf5
from ._hdf5_lazy import lazy
from ._hdf5_links import datasets, require_dataset
from ._nexus_tree import tree
from ._nxtomo_layout import find, has_scan
from ._tomography import PROJECTION


def frames_given(
    name: str, value: Any, beside: Path, key: int, file: h5py.File | None = None
) -> Any:
    """Return the frames that an option stands for, shape (frame, detector_y, detector_x).

    Parameters
    ----------
    name
        ``"darks"`` or ``"flats"``.
    value
        An array of two or three dimensions; or the name of a file, or of a dataset in it
        (``"flats.h5"``, ``"flats.h5::/entry/data"``), a glob, a folder or a list of images; or the
        name of a dataset in ``file``.
    beside
        The scan; files are looked for in its folder too.
    key
        The ``image_key`` of such frames, where the other file has one.
    file
        The open HDF5 file of the scan.

    Raises
    ------
    ParameterError
        If the option has another type or number of dimensions.
    UnreadableFileError
        If there is no such file or dataset, or several in it could be meant.
    """
    if isinstance(value, (str, os.PathLike)):
        return _named(name, os.fspath(value), beside, key, file)
    if isinstance(value, (list, tuple)) and all(isinstance(v, (str, os.PathLike)) for v in value):
        return _images(name, [_beside(os.fspath(each), beside) for each in value])
    if isinstance(value, xr.Dataset):
        value = value[name] if name in value else next(iter(value.data_vars.values()))
    array = value.data if isinstance(value, xr.DataArray) else value
    if not hasattr(array, "ndim"):
        array = np.asarray(array)
    return _stacked(name, array)


def _stacked(name: str, array: Any) -> Any:
    """Return one frame as a stack of one, a stack as it is."""
    if array.ndim not in (2, 3) or array.dtype.kind not in "iufb":
        raise ParameterError(
            f"{name} has the shape {tuple(array.shape)} and type {array.dtype}. Give numbers of "
            "shape (frame, detector_y, detector_x), or one frame."
        )
    return array[None] if array.ndim == 2 else array


def _named(name: str, value: str, beside: Path, key: int, file: h5py.File | None) -> Any:
    filename, _, inside = value.partition("::")
    path = Path(_beside(filename, beside))
    if path.is_file() and _hdf5.is_hdf5(path):
        with _hdf5.open_file(path) as other:
            return _stacked(name, _in_file(name, other, inside, key))
    if path.exists() or has_magic(filename):
        return _images(name, [str(path)])
    if file is not None and _hdf5.member(file, value) is not None:
        return _stacked(name, lazy(require_dataset(file, value)))
    raise UnreadableFileError(
        f"{name}={value!r} is neither a file nor a dataset in {beside}. "
        f"Give a path, 'file.h5::/path/to/{name}', or an array."
    )


def _beside(name: str, scan: Path) -> str:
    """Return a name as it is if it is found so, else in the folder of the scan."""
    found = Path(name).exists() or glob(name)  # noqa: PTH207
    return name if found else str(scan.parent / name)


def _images(name: str, paths: Sequence[str]) -> Any:
    from ._open import open_dataset  # the door itself: other frames may be of any format

    data = open_dataset(paths)
    return _stacked(name, next(iter(data.data_vars.values())).data)


def _in_file(name: str, file: h5py.File, inside: str, key: int) -> Any:
    if inside:
        return lazy(require_dataset(file, inside))
    seen = tree(file)
    if has_scan(seen):
        layout = find(seen, data=None, image_key=None, entry=None)
        # A file of flats alone often marks them as projections.
        numbers = np.flatnonzero(layout.keys == key)
        if not numbers.size:
            numbers = np.flatnonzero(layout.keys == PROJECTION)
        return lazy(layout.data, frames=numbers)
    return lazy(require_dataset(file, _only_stack(name, file)))


def _only_stack(name: str, file: h5py.File) -> str:
    exchange = {"flats": "/exchange/data_white", "darks": "/exchange/data_dark"}[name]
    if _hdf5.dataset(file, exchange) is not None:
        return exchange
    stacks = [path for path, shape in datasets(file, least=2) if len(shape) in (2, 3)]
    if len(stacks) != 1:
        found = ", ".join(stacks[:8]) or "none"
        raise UnreadableFileError(
            f"{file.filename} holds {len(stacks)} stacks of images that could be {name}: {found}. "
            f"Name one: {name}='{Path(file.filename).name}::/path'."
        )
    return stacks[0]
