"""Scientific Data Exchange (APS tomography beamlines), HDF5.

Layout: De Carlo et al., J. Synchrotron Rad. 21, 1224-1230 (2014),
https://doi.org/10.1107/S160057751401604X
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dask.array as da
import h5py
import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from beamkit.core.errors import UnreadableFileError

from . import _hdf5
from ._angles import in_degrees
from ._dataset import note_text
from ._dxchange_metadata import metadata
from ._frames import frames_given
from ._hdf5_chunks import unwritten
from ._hdf5_lazy import lazy
from ._hdf5_links import require_dataset
from ._hdf5_verify import verify
from ._nexus_metadata import Metadata
from ._nexus_tree import tree
from ._paths import one_file
from ._tomography import DARK, FLAT, Frames, Scan, block_axes, given_angles

__all__ = ["DESCRIPTION", "can_read", "read", "verify"]

DESCRIPTION = "a Data Exchange file (HDF5 with /exchange/data)"

_PROJECTIONS = "/exchange/data"

#: Frames before the scan, and those that some beamlines take after it.
_FLATS = ("/exchange/data_white", "/exchange/data_white_post")
_DARKS = ("/exchange/data_dark", "/exchange/data_dark_post")


def can_read(path: Path) -> bool:
    """Say whether the file is HDF5 with the dataset that Data Exchange requires."""
    if not _hdf5.is_hdf5(path):
        return False
    try:
        with _hdf5.open_file(path) as file:
            exchange = _hdf5.member(file, "/exchange")
            return isinstance(exchange, h5py.Group) and "data" in exchange
    except UnreadableFileError:
        return False


def read(
    paths: Sequence[Path],
    *,
    angles: str | ArrayLike | None = None,
    darks: Any = None,
    flats: Any = None,
    blocks: Mapping[str, int] | None = None,
) -> xr.Dataset:
    """Return projections, flats and darks of a Data Exchange file, lazily.

    Parameters
    ----------
    paths
        One file.
    angles
        Path of the rotation angles in the file, or one angle a projection [deg].
    darks, flats
        Frames from elsewhere: another file, a dataset in this one, or an array of shape
        (frame, detector_y, detector_x) or (detector_y, detector_x) [counts].
    blocks
        Length of a dask block along some dimensions, such as ``{"detector_y": 32}`` to read slabs
        of rows; the default is whole frames, about 64 MB.

    Raises
    ------
    UnreadableFileError
        If the file is damaged, or ``/exchange/theta`` is missing or does not fit the projections.
    """
    path = one_file(paths, DESCRIPTION)
    with _hdf5.open_file(path) as file:
        projections = require_dataset(file, _PROJECTIONS)
        if projections.ndim != 3:
            raise UnreadableFileError(
                f"{path}: {_PROJECTIONS} has the shape {projections.shape}; projections need "
                "(angle, detector_y, detector_x). For other images: bk.open(path, data='/a/b')."
            )
        found = metadata(tree(file))
        note_text(found.attrs, unwritten(projections))
        turned = _angles(path, file, projections.shape[0], angles, found)
        axes = block_axes(blocks)
        scan = Scan(
            path, "dxchange", Frames(lazy(projections, blocks=axes)), turned, attrs=found.attrs
        )
        scan.flats = _beside(file, _FLATS, axes, len(projections))
        scan.darks = _beside(file, _DARKS, axes, len(projections))
        if flats is not None:
            scan.flats = Frames(frames_given("flats", flats, path, FLAT, file))
        if darks is not None:
            scan.darks = Frames(frames_given("darks", darks, path, DARK, file))
        return scan.dataset()


def _beside(
    file: h5py.File, names: Sequence[str], blocks: Mapping[int, int], projections: int
) -> Frames | None:
    """Return the frames of one kind: those before the scan, then those after it.

    Data Exchange does not number them. Those after it get numbers behind the projections, so that
    an interpolation in time has the scan between the two.
    """
    stacks, numbers = [], []
    for name, first in zip(names, (0, projections), strict=True):
        stack = lazy(require_dataset(file, name), blocks=blocks) if name in file else None
        if stack is not None and stack.ndim == 3 and len(stack):
            stacks.append(stack)
            numbers.append(first + np.arange(len(stack)))
    if not stacks:
        return None
    return Frames(da.concatenate(stacks) if len(stacks) > 1 else stacks[0], np.concatenate(numbers))


def _angles(
    path: Path, file: h5py.File, projections: int, given: str | ArrayLike | None, found: Metadata
) -> NDArray[np.float64]:
    everyone = np.arange(projections)
    if given is not None and not isinstance(given, str):
        return given_angles(path, given, frames=projections, projections=everyone)
    name = "/exchange/theta" if given is None else given
    theta = _hdf5.dataset(file, name) if given is None else require_dataset(file, given)
    if theta is None or theta.shape != (projections,):
        what = "is missing" if theta is None else f"has the shape {theta.shape}"
        raise UnreadableFileError(
            f"{path}: {name} {what}, but {projections} projections need {projections} angles. "
            "An interrupted scan often looks like this; give them with angles=..., in degrees, "
            f"such as np.linspace(0, 180, {projections}, endpoint=False)."
        )
    return in_degrees(theta, found)
