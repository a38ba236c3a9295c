"""NXmx and DECTRIS EIGER: a master file that links to data files, or a data file alone.

Sources: NeXus definition NXmx; Bernstein et al., IUCrJ 7, 784 (2020); DECTRIS, EIGER HDF5 file
writer (``/entry/data/data_000001`` ..., ``detectorSpecific``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import dask.array as da
import h5py
import xarray as xr

from beamkit.core.errors import ShapeError, UnreadableFileError

from . import _hdf5
from ._dataset import note_text
from ._hdf5_chunks import unwritten
from ._hdf5_lazy import lazy
from ._hdf5_links import require_dataset
from ._hdf5_verify import verify
from ._hdf5_virtual_gaps import unmapped
from ._nexus_metadata import Metadata, metadata
from ._nexus_plot import is_numbers, plots
from ._nexus_scan import has_columns
from ._nexus_stack import Stack, frames_of
from ._nexus_tree import Tree, entry_of, tree
from ._nxmx_kept import restored
from ._paths import natural_key

__all__ = ["DESCRIPTION", "can_read", "read", "verify"]

DESCRIPTION = "an NXmx or EIGER file (HDF5 master or data file)"

#: Links of a master to its data files.
_NUMBERED = re.compile(r"^data_\d+$")


def can_read(path: Path) -> bool:
    """Say whether the file is HDF5 that DECTRIS's writer or NXmx laid out.

    A scan that calls itself NXmx, has lost its frames and still has its columns is left to
    :mod:`.nexus`.
    """
    if not _hdf5.is_hdf5(path):
        return False
    try:
        with _hdf5.open_file(path) as file:
            return _is_nxmx(tree(file))
    except UnreadableFileError:
        return False


def _is_nxmx(seen: Tree) -> bool:
    if any(_NUMBERED.match(path.rpartition("/")[2]) for path in seen.names) or _is_data_file(seen):
        return True
    defined = [_hdf5.string(_hdf5.dataset(seen.file, p)) for p in seen.named("definition")]
    if "NXmx" not in defined:
        return False
    every = plots(seen)
    stacks = [plot for plot in every if plot.signal is not None and plot.signal.ndim >= 3]
    return bool(stacks) or not any(has_columns(plot) for plot in every)


def _is_data_file(seen: Tree) -> bool:
    data = _hdf5.dataset(seen.file, "/entry/data/data")
    return data is not None and _hdf5.attribute(data, "image_nr_low") is not None


def read(paths: Sequence[Path], *, entry: str | None = None) -> xr.Dataset:
    """Return the frames of a master file, or of data files without a master, lazily.

    Parameters
    ----------
    paths
        A master file, or data files of one series.
    entry
        Name of the entry, where the file has several.

    Raises
    ------
    MissingSourceError
        If a data file that the master links to is not there.
    UnreadableFileError
        If a file is damaged, or holds no frames.
    ShapeError
        If data files have frames of different sizes.
    """
    path = paths[0]
    with _hdf5.open_file(path) as file:
        seen = tree(file)
        group = _data_group(seen, entry)
        place = entry_of(str(group.name))
        detector = next(seen.of_class("NXdetector", place), None)
        found = metadata(seen, place, detector)
        frames = _frames(group, found)
        for other in paths[1:]:
            with _hdf5.open_file(other) as more:
                frames += _frames(_data_group(tree(more), entry), found)
        stack = Stack(
            path,
            "nxmx",
            _joined(path, frames),
            "counts",
            found,
            detector=detector,
            plot=group,
            sample=next(seen.of_class("NXsample", place), None),
            gaps=unmapped(_parts(group)[0]),
        )
        return restored(file, place, stack.dataset("diffraction"))


def _data_group(seen: Tree, entry: str | None) -> h5py.Group:
    """Return the NXdata with the frames."""
    below = "/" if entry is None else "/" + entry.strip("/")
    groups = list(seen.of_class("NXdata", below)) or list(seen.of_class("NXdetector", below))
    for group in groups:
        if any(_NUMBERED.match(name) or name == "data" for name in group):
            return group
    raise UnreadableFileError(
        f"{seen.file.filename}: no NXdata below {below} links to frames. "
        "Name them: bk.open(path, data='/entry/data/data')."
    )


def _frames(group: h5py.Group, found: Metadata) -> list[da.Array]:
    """Return the frames of each link; a missing file is an error, never fewer frames."""
    parts = _parts(group)
    for item in parts:
        if not is_numbers(item) or item.ndim < 2:
            raise UnreadableFileError(
                f"{item.file.filename}: {item.name} has the shape {item.shape}, not that of frames "
                "(frame, detector_y, detector_x). Copy the file again."
            )
        note_text(found.attrs, unwritten(item))
    return [frames_of(lazy(item)) for item in parts]


def _parts(group: h5py.Group) -> list[h5py.Dataset]:
    names = sorted((name for name in group if _NUMBERED.match(name)), key=natural_key) or ["data"]
    return [require_dataset(group, f"{group.name}/{name}") for name in names]


def _joined(path: Path, parts: Sequence[da.Array]) -> da.Array:
    sizes = {part.shape[1:] for part in parts}
    if len(sizes) > 1:
        raise ShapeError(
            f"{path}: the data files have frames of different sizes {sorted(sizes)}. "
            "Open those of one size only."
        )
    return parts[0] if len(parts) == 1 else da.concatenate(parts)
