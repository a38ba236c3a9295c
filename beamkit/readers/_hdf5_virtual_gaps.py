"""Pixels of a virtual dataset that none of its source files has: the gaps between modules."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from beamkit.core.errors import UnreadableFileError

from . import _hdf5

Flags = NDArray[np.bool_]

#: A virtual dataset of a virtual dataset of ... is followed this far.
_DEPTH = 4


def unmapped(dataset: h5py.Dataset, depth: int = _DEPTH) -> Flags | None:
    """Return where no source of a virtual dataset has pixels, in any of the frames.

    What HDF5 gives there is the fill value, which may look like counts.

    Parameters
    ----------
    dataset
        Shape (..., detector_y, detector_x).
    depth
        How many virtual datasets below one another are looked into.

    Returns
    -------
    gaps
        Shape (detector_y, detector_x), True in gaps. None if there are none, or the dataset is
        not a virtual one.
    """
    if dataset.ndim < 2 or not dataset.is_virtual or depth == 0:
        return None
    covered = np.zeros(dataset.shape[-2:], bool)
    looked_into = False
    for source in dataset.virtual_sources():
        rows, columns = _selected(source.vspace, dataset.shape[-2:])
        if rows.all() and columns.all() and not looked_into:
            looked_into = True  # whole frames follow one another in files that are alike
            inside = _gaps_of_source(dataset, source.file_name, source.dset_name, depth)
            covered |= True if inside is None else ~inside
        elif not (rows.all() and columns.all()):
            covered |= rows[:, None] & columns[None, :]
    return None if covered.all() or not covered.any() else ~covered


def _selected(space: h5py.h5s.SpaceID, shape: tuple[int, ...]) -> tuple[Flags, Flags]:
    """Return the rows and the columns that a selection of a dataset takes."""
    if space.get_select_type() == h5py.h5s.SEL_ALL:
        return np.ones(shape[0], bool), np.ones(shape[1], bool)
    if space.get_select_type() == h5py.h5s.SEL_NONE:
        return np.zeros(shape[0], bool), np.zeros(shape[1], bool)
    if space.is_regular_hyperslab():
        start, stride, count, block = (part[-2:] for part in space.get_regular_hyperslab())
    else:
        first, last = (part[-2:] for part in space.get_select_bounds())
        start, stride, count = first, (1, 1), (1, 1)
        block = tuple(b - a + 1 for a, b in zip(first, last, strict=True))
    rows, columns = (
        _lines(shape[axis], start[axis], stride[axis], count[axis], block[axis]) for axis in (0, 1)
    )
    return rows, columns


def _lines(size: int, start: int, stride: int, count: int, block: int) -> Flags:
    """Return True on the lines of a hyperslab; its count may be unlimited."""
    at = np.arange(size) - start
    period, inside = np.divmod(at, max(stride, 1)) if count != 1 else (np.zeros(size, int), at)
    return np.asarray((at >= 0) & (inside < block) & (inside >= 0) & (period < count))


def _gaps_of_source(dataset: h5py.Dataset, file_name: str, name: str, depth: int) -> Flags | None:
    """Return the gaps of a source that fills whole frames; None if it cannot be looked into."""
    if file_name == ".":
        found = _hdf5.dataset(dataset.file, name)
        return None if found is None else _alike(dataset, found, depth)
    path = Path(file_name)
    path = path if path.is_absolute() else Path(dataset.file.filename).parent / path
    if not path.is_file():
        return None
    try:
        with _hdf5.open_file(path) as file:
            found = _hdf5.dataset(file, name)
            return None if found is None else _alike(dataset, found, depth)
    except UnreadableFileError:
        return None


def _alike(dataset: h5py.Dataset, found: h5py.Dataset, depth: int) -> Flags | None:
    if found.shape[-2:] != dataset.shape[-2:]:
        return None
    return unmapped(found, depth - 1)
