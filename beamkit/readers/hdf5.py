"""HDF5 of any layout, by the paths that the user gives: ``bk.open(path, data="/a/b")``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from beamkit.core.errors import ShapeError, UnknownFormatError, UnreadableFileError
from beamkit.core.schema import header_text, note

from . import _hdf5, _hdf5_chunks
from ._angles import in_degrees
from ._dataset import finished, note_text
from ._frames import frames_given
from ._hdf5_chunks import unwritten
from ._hdf5_lazy import lazy
from ._hdf5_links import datasets, require_dataset
from ._hdf5_verify import verify
from ._hdf5_virtual_gaps import unmapped
from ._nexus_header import header
from ._nexus_metadata import Metadata
from ._nexus_plot import units_of
from ._nexus_stack import Stack, frames_of
from ._nexus_tree import tree
from ._paths import one_file
from ._tomography import (
    DARK,
    FLAT,
    PROJECTION,
    Frames,
    Scan,
    as_numbers,
    block_axes,
    given_angles,
    split,
)

__all__ = ["DESCRIPTION", "can_read", "read", "verify"]

DESCRIPTION = "any other HDF5 file, with data='/path'"


def can_read(path: Path) -> bool:
    """Say whether the file is HDF5."""
    return _hdf5.is_hdf5(path)


def read(
    paths: Sequence[Path],
    *,
    data: str | None = None,
    angles: str | ArrayLike | None = None,
    image_key: str | ArrayLike | None = None,
    darks: Any = None,
    flats: Any = None,
    blocks: Mapping[str, int] | None = None,
) -> xr.Dataset:
    """Return a dataset of an HDF5 file: images, a tomography scan, or one column.

    Parameters
    ----------
    paths
        One file.
    data
        Path of the images; not needed where the file has only one stack of them.
    angles
        Path of the rotation angles, or one angle a projection [deg]; makes it a tomography scan.
    image_key
        Path of the keys, or the keys: 0 projection, 1 flat, 2 dark, 3 invalid; one a frame.
    darks, flats
        Frames: another file, a dataset in this one, or an array.
    blocks
        Length of a dask block along some dimensions of a scan, such as ``{"detector_y": 32}``.

    Raises
    ------
    UnknownFormatError
        If it is not clear where the data are; lists the arrays in the file.
    UnreadableFileError
        If the file is damaged, or there is no such dataset.
    """
    path = one_file(paths, DESCRIPTION)
    with _hdf5.open_file(path) as file:
        item = require_dataset(file, data or _only_stack(path, file))
        found = Metadata()
        found.attrs["header"] = header_text(header(tree(file), "/"))
        note_text(found.attrs, unwritten(item))
        if data is None:
            note(found.attrs, "notes", f"{item.name} is the only stack of images in the file")
        if angles is None:
            return _images(path, item, found)
        keys = _keys(file, image_key, item)
        numbers = split(keys, found.attrs)
        scan = Scan(
            path,
            "hdf5",
            projections=_frames(item, numbers[PROJECTION], block_axes(blocks)),
            angles=_angles(path, file, angles, numbers[PROJECTION], len(keys), found),
            flats=_frames(item, numbers[FLAT], block_axes(blocks)),
            darks=_frames(item, numbers[DARK], block_axes(blocks)),
            attrs=found.attrs,
        )
        if flats is not None:
            scan.flats = Frames(frames_given("flats", flats, path, FLAT, file))
        if darks is not None:
            scan.darks = Frames(frames_given("darks", darks, path, DARK, file))
        return scan.dataset()


def _only_stack(path: Path, file: h5py.File) -> str:
    """Return the only stack of images in a file."""
    arrays = datasets(file)
    for dimensions in (3, 2):
        stacks = [
            name for name, shape in arrays if len(shape) == dimensions and min(shape[-2:]) > 1
        ]
        if len(stacks) == 1:
            return stacks[0]
        if stacks:
            break
    listing = "; ".join(f"{name} {shape}" for name, shape in arrays[:12]) or "no arrays"
    more = f" and {len(arrays) - 12} more" if len(arrays) > 12 else ""
    example = arrays[0][0] if arrays else "/a/b"
    raise UnknownFormatError(
        f"{path} is HDF5 without a layout that beamkit knows (NXtomo, Data Exchange, NXmx, NeXus). "
        f"It holds: {listing}{more}. Name the images, such as bk.open(path, data={example!r})."
    )


def _images(path: Path, item: h5py.Dataset, found: Metadata) -> xr.Dataset:
    units = units_of(item, "counts" if item.dtype.kind in "iu" else "1")
    if item.ndim == 1:
        name = str(item.name).rpartition("/")[2]
        column = xr.DataArray(lazy(item), dims=("point",), attrs={"units": units_of(item)})
        return finished(
            {name: column}, kind="scan", attrs=found.attrs, source=path, file_format="hdf5"
        )
    if item.ndim < 2:
        raise UnreadableFileError(
            f"{path}: {item.name} has the shape {item.shape}, not that of images. "
            "Name another dataset with data=..."
        )
    return Stack(path, "hdf5", frames_of(lazy(item)), units, found, gaps=unmapped(item)).dataset()


def _keys(file: h5py.File, given: str | ArrayLike | None, item: h5py.Dataset) -> NDArray[np.int64]:
    """Return the key of each frame; without any, all are projections."""
    if item.ndim != 3:
        raise ShapeError(
            f"{file.filename}: {item.name} has the shape {item.shape}; projections need "
            "(angle, detector_y, detector_x). Name another dataset with data=..."
        )
    if given is None:
        return np.zeros(len(item), np.int64)
    values = _hdf5_chunks.read(require_dataset(file, given)) if isinstance(given, str) else given
    keys = as_numbers("image_key", values).astype(np.int64)
    if keys.shape != (len(item),):
        raise ShapeError(
            f"image_key has the shape {keys.shape}, but {file.filename} has {len(item)} frames. "
            "Give one key a frame: 0 projection, 1 flat, 2 dark, 3 invalid."
        )
    return keys


def _angles(
    path: Path,
    file: h5py.File,
    given: str | ArrayLike,
    projections: NDArray[np.int64],
    frames: int,
    found: Metadata,
) -> NDArray[np.float64]:
    values = in_degrees(require_dataset(file, given), found) if isinstance(given, str) else given
    return given_angles(path, values, frames=frames, projections=projections)


def _frames(item: h5py.Dataset, numbers: NDArray[np.int64], blocks: Mapping[int, int]) -> Frames:
    return Frames(lazy(item, frames=numbers, blocks=blocks), numbers)
