"""Small parts of NeXus files, and errors of h5py in our words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

from beamkit.core.atomic import atomic_path
from beamkit.core.errors import BeamkitError, WriteError


@contextmanager
def hdf5_file(path: Path) -> Iterator[h5py.File]:
    """Give a new HDF5 file that appears under its name when it is complete.

    Raises
    ------
    WriteError
        If it cannot be written.
    """
    with atomic_path(path) as temporary:
        try:
            with h5py.File(temporary, "w") as file:
                yield file
        except (OSError, RuntimeError) as error:
            if isinstance(error, BeamkitError) or getattr(error, "errno", None) is not None:
                raise  # it explains itself, or atomic_path explains it
            raise WriteError(  # HDF5 says so where the disk is full
                f"{path} was not written: {error}. "
                "See if the disk is full, or choose another folder."
            ) from error


def group(parent: h5py.Group, name: str, nx_class: str, **attrs: str) -> h5py.Group:
    """Make a NeXus group."""
    result = parent.create_group(name)
    result.attrs.update(NX_class=nx_class, **attrs)
    return result


def texts(parent: h5py.Group, **fields: str) -> None:
    """Write text fields."""
    for name, text in fields.items():
        parent[name] = text


def number(parent: h5py.Group, name: str, value: Any, units: str) -> h5py.Dataset:
    """Write a number or an array; units "" for none."""
    dataset = parent.create_dataset(name, data=value)
    if units:
        dataset.attrs["units"] = units
    return dataset
