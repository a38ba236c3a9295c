"""The checksums of an HDF5 file: every chunk of the datasets that have the filter fletcher32."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import h5py

from beamkit.core.errors import ChecksumError

from . import _hdf5
from ._hdf5_walk import find_source, walk


def verify(paths: Sequence[Path]) -> int:
    """Read every chunk that has a checksum, of the files, and of what they link to.

    Returns
    -------
    checked
        Number of datasets that have checksums.

    Raises
    ------
    ChecksumError
        If a chunk differs from its checksum; names the file, the dataset and the chunk.
    UnreadableFileError
        If a file is damaged elsewhere.
    """
    seen: set[tuple[str, str]] = set()
    checked = 0
    for path in paths:
        with _hdf5.open_file(path) as file:
            for item in _datasets(file, seen):
                if item.fletcher32:
                    _verify_chunks(item)
                    checked += 1
    return checked


def _datasets(file: h5py.File, seen: set[tuple[str, str]]) -> Iterator[h5py.Dataset]:
    """Give each dataset that a file leads to, through links and virtual datasets, once."""
    for entry in walk(file):
        item = None if entry.is_group else _hdf5.dataset(file, entry.path)
        if item is not None:
            yield from _with_sources(item, seen)


def _with_sources(item: h5py.Dataset, seen: set[tuple[str, str]]) -> Iterator[h5py.Dataset]:
    path = Path(item.file.filename)
    key = (str(path.absolute()), str(item.name))
    if key in seen:
        return
    seen.add(key)
    yield item
    if not item.is_virtual:
        return
    for source in item.virtual_sources():
        found = path if source.file_name == "." else find_source(path, source.file_name)
        if found is None:
            continue  # opening the dataset says so
        with _hdf5.open_file(found) as other:
            inner = _hdf5.dataset(other, source.dset_name)
            if inner is not None:
                yield from _with_sources(inner, seen)


def _verify_chunks(item: h5py.Dataset) -> None:
    path, name = item.file.filename, str(item.name)
    with _hdf5.readable(path, name):
        for chunk in item.iter_chunks():
            try:
                item[chunk]  # the checksum is compared before anything is decoded
            except OSError as error:
                place = ", ".join(f"{part.start}:{part.stop}" for part in chunk)
                raise ChecksumError(
                    f"{path}: {name}[{place}] is not what was written ({error}). "
                    "Copy the file again from where it was written."
                ) from error
