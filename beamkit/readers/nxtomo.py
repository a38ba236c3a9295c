"""NXtomo, as Diamond, the ESRF and others write it: HDF5 with an ``image_key`` for each frame.

Layout: NeXus definition NXtomo; paths of the facilities in :mod:`._nxtomo_layout`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from beamkit.core.errors import UnreadableFileError

from . import _hdf5
from ._dataset import note_text
from ._frames import frames_given
from ._hdf5_chunks import unwritten
from ._hdf5_lazy import lazy
from ._hdf5_verify import verify
from ._nexus_metadata import metadata
from ._nexus_tree import tree
from ._nxtomo_angles import rotation_sense, scan_angles
from ._nxtomo_layout import Layout, find, has_scan
from ._paths import one_file
from ._tomography import DARK, FLAT, PROJECTION, Frames, Scan, block_axes, split

__all__ = ["DESCRIPTION", "can_read", "read", "verify"]

DESCRIPTION = "an NXtomo scan (HDF5 with an image_key)"


def can_read(path: Path) -> bool:
    """Say whether the file is HDF5 with an ``image_key``, or defines itself as NXtomo."""
    if not _hdf5.is_hdf5(path):
        return False
    try:
        with _hdf5.open_file(path) as file:
            return has_scan(tree(file))
    except UnreadableFileError:
        return False


def read(
    paths: Sequence[Path],
    *,
    data: str | None = None,
    angles: str | ArrayLike | None = None,
    image_key: str | ArrayLike | None = None,
    darks: Any = None,
    flats: Any = None,
    entry: str | None = None,
    blocks: Mapping[str, int] | None = None,
) -> xr.Dataset:
    """Return projections, flats and darks of an NXtomo file, lazily.

    Parameters
    ----------
    paths
        One file.
    data
        Path of the frames in the file.
    angles
        Path of the rotation angles in the file, or the angles [deg], one a projection or one a
        frame.
    image_key
        Path of the keys in the file, or the keys: 0 projection, 1 flat, 2 dark, 3 invalid.
    darks, flats
        Frames from elsewhere: another file, a dataset in this one, or an array of shape
        (frame, detector_y, detector_x) or (detector_y, detector_x) [counts].
    entry
        Name of the entry, where the file has several.
    blocks
        Length of a dask block along some dimensions, such as ``{"detector_y": 32}`` to read slabs
        of rows; the default is whole frames, about 64 MB.

    Raises
    ------
    UnreadableFileError
        If the file is damaged, or has no frames or angles that fit.
    MissingSourceError
        If the frames are in another file that is not there.
    ParameterError
        If an option does not fit the file, or the file holds several scans.
    """
    path = one_file(paths, DESCRIPTION)
    with _hdf5.open_file(path) as file:
        layout = find(tree(file), data=data, image_key=image_key, entry=entry)
        found = metadata(layout.tree, layout.entry, layout.detector)
        layout.say(found.attrs)
        note_text(found.attrs, unwritten(layout.data))
        numbers = split(layout.keys, found.attrs)
        axes = block_axes(blocks)
        scan = Scan(
            path,
            "nxtomo",
            projections=_frames(layout, numbers[PROJECTION], axes),
            angles=scan_angles(layout, angles, numbers[PROJECTION], found),
            flats=_frames(layout, numbers[FLAT], axes),
            darks=_frames(layout, numbers[DARK], axes),
            attrs=found.attrs,
        )
        sense = rotation_sense(layout)
        if sense is not None:
            scan.attrs["rotation_sense"] = sense
        if flats is not None:
            scan.flats = Frames(frames_given("flats", flats, path, FLAT, file))
        if darks is not None:
            scan.darks = Frames(frames_given("darks", darks, path, DARK, file))
        return scan.dataset()


def _frames(layout: Layout, numbers: NDArray[np.int64], blocks: Mapping[int, int]) -> Frames:
    return Frames(lazy(layout.data, frames=numbers, blocks=blocks), numbers)
