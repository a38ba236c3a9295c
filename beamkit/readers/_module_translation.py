"""Where files of modules say that these lie on the frame.

LAMBDA (X-Spectrum) writes one file a module, with ``translation/distance`` of its NXdetector: x and
y of the first pixel [pixel, or a length], from the module that the files take as origin.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np

from beamkit.core.errors import BeamkitError, MetadataError
from beamkit.core.units import convert

from . import _hdf5
from ._hdf5_chunks import read
from ._module_places import Placement
from ._nexus_plot import units_of
from ._nexus_tree import tree


def places_in_files(sources: Mapping[int, Path]) -> dict[int, Placement]:
    """Return where each module lies; the outermost ones begin at row and column 0.

    Raises
    ------
    MetadataError
        If a file does not say where its module lies, or not by whole pixels.
    """
    corners = {number: _corner(path) for number, path in sources.items()}
    top = min(row for row, _ in corners.values())
    left = min(column for _, column in corners.values())
    return {
        number: Placement(row - top, column - left) for number, (row, column) in corners.items()
    }


def _corner(path: Path) -> tuple[int, int]:
    """Return row and column of the first pixel of a module; they may be negative."""
    with _hdf5.open_file(path) as file:
        for group in tree(file).of_class("NXdetector"):
            item = _hdf5.dataset(group, "translation/distance")
            if item is not None and item.size in (2, 3) and item.dtype.kind in "iuf":
                x, y = (_in_pixels(path, group, item, axis) for axis in (0, 1))
                return y, x
    raise MetadataError(
        f"{path}: no NXdetector with translation/distance says where the module lies. Say where "
        "each goes: layout=[Placement(row, column), ...]."
    )


def _in_pixels(path: Path, group: h5py.Group, item: h5py.Dataset, axis: int) -> int:
    value, unit = float(np.ravel(read(item))[axis]), units_of(item, "pixel")
    if unit.lower() not in ("pixel", "pixels", "px"):
        size = _hdf5.dataset(group, ("x_pixel_size", "y_pixel_size")[axis])
        if size is None or not size.size:
            raise MetadataError(
                f"{path}: the module lies at {value} {unit}, but its pixel size is not in the "
                "file. Say where each goes: layout=[Placement(row, column), ...]."
            )
        try:
            length = convert(value, unit, "m")
            value = length / convert(float(np.ravel(read(size))[0]), units_of(size, "m"), "m")
        except BeamkitError as error:
            raise MetadataError(f"{path}: {error}") from None
    if abs(value - round(value)) > 0.05:
        raise MetadataError(
            f"{path}: the module lies {value:.3f} pixels from the origin, and frames are put "
            "together by whole pixels. Round it: layout=[Placement(row, column), ...]."
        )
    return round(value)
