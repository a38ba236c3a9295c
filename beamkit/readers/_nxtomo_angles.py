"""The rotation angles of an NXtomo scan, and which way the stage turns."""

from __future__ import annotations

from collections.abc import Iterator

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

from beamkit.core.errors import UnreadableFileError

from . import _hdf5
from ._angles import in_degrees
from ._hdf5_links import broken_link, require_dataset
from ._nexus_metadata import Metadata
from ._nexus_tree import is_below
from ._nxtomo_layout import Layout
from ._tomography import given_angles

#: Names of the rotation angle: NXtomo's, then those of Diamond's beamlines.
_NAMES = ("rotation_angle", "gts_theta_value", "gts_cs_theta_value", "gts_cs_theta", "theta")


def scan_angles(
    layout: Layout, given: str | ArrayLike | None, projections: NDArray[np.int64], found: Metadata
) -> NDArray[np.float64]:
    """Return the angle of each projection [deg]; say in ``found`` what was assumed.

    Raises
    ------
    UnreadableFileError
        If the file has no angles that fit.
    ParameterError
        If those that the user gave do not fit.
    """
    path = layout.tree.file.filename
    if given is not None and not isinstance(given, str):
        return given_angles(path, given, frames=len(layout.keys), projections=projections)
    item = (
        _named(layout, projections) if given is None else require_dataset(layout.tree.file, given)
    )
    values = in_degrees(item, found)
    if len(values) == layout.announced:
        values = values[: len(layout.keys)]  # an interrupted scan has angles for all its frames
    return given_angles(path, values, frames=len(layout.keys), projections=projections)


def _named(layout: Layout, projections: NDArray[np.int64]) -> h5py.Dataset:
    tried = []
    lengths = (len(layout.keys), layout.announced, len(projections))
    for name in _NAMES:
        for path, item in _candidates(layout, name):
            if item.ndim == 1 and item.size in lengths:
                return item
            tried.append(f"{path} has the shape {item.shape}")
    broken = [
        reason
        for name in _NAMES
        for path in layout.tree.named(name)
        if (reason := broken_link(layout.tree.file, path))
    ]
    why = "; ".join([*tried, *broken]) or f"none of {', '.join(_NAMES)} is there"
    raise UnreadableFileError(
        f"{layout.tree.file.filename}: no rotation angle for {len(layout.keys)} frames: {why}. "
        f"Give them with angles=..., a path in the file or {len(projections)} numbers in degrees."
    )


def _candidates(layout: Layout, name: str) -> Iterator[tuple[str, h5py.Dataset]]:
    """Give the datasets of a name: those of the sample first, those of other entries last."""
    tree = layout.tree
    samples = [str(group.name) for group in tree.of_class("NXsample", layout.entry)]

    def rank(path: str) -> int:
        if any(is_below(path, sample) for sample in samples):
            return 0
        return 1 if is_below(path, layout.entry) else 2

    for path in sorted(tree.named(name), key=rank):
        item = _hdf5.dataset(tree.file, path)
        if item is not None and item.dtype.kind in "iuf":
            yield path, item


def rotation_sense(layout: Layout) -> int | None:
    """Return +1 or -1 from the axis of rotation that the file gives, None if it gives none.

    NeXus turns right-handed about ``vector``; about +y (up) that is counter-clockwise seen from
    above.
    """
    for _, item in _candidates(layout, "rotation_angle"):
        vector = _hdf5.attribute(item, "vector")
        if vector is None or np.shape(vector) != (3,) or np.asarray(vector).dtype.kind not in "iuf":
            continue
        x, y, z = (float(one) for one in vector)
        if abs(y) > max(abs(x), abs(z)):
            return 1 if y > 0 else -1
    return None
