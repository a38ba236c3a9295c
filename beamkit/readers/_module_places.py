"""Where the files of modules go on the frame of the whole detector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beamkit.core.detectors import ModuleLayout
from beamkit.core.errors import ParameterError, ShapeError


@dataclass(frozen=True)
class Placement:
    """Where a module lies on the frame.

    Attributes
    ----------
    row, column
        Index of its first pixel on the whole frame, after the flips.
    flip_rows, flip_columns
        Whether the module is read out from its last row, or column.
    """

    row: int
    column: int
    flip_rows: bool = False
    flip_columns: bool = False


@dataclass(frozen=True)
class Patch:
    """A rectangle of a module's frame and where it goes.

    Attributes
    ----------
    module
        Number of the module.
    top, left
        Index of its first pixel on the frame of the module.
    shape
        Pixels (rows, columns).
    place
        Where it goes.
    """

    module: int
    top: int
    left: int
    shape: tuple[int, int]
    place: Placement

    @property
    def target(self) -> tuple[slice, slice]:
        """Rows and columns on the whole frame."""
        row, column = self.place.row, self.place.column
        return slice(row, row + self.shape[0]), slice(column, column + self.shape[1])

    def taken(self, frames: NDArray[Any]) -> NDArray[Any]:
        """Return the rectangle of frames of the module. Shape (frame, rows, columns)."""
        height, width = self.shape
        part = frames[:, self.top : self.top + height, self.left : self.left + width]
        rows = slice(None, None, -1 if self.place.flip_rows else 1)
        columns = slice(None, None, -1 if self.place.flip_columns else 1)
        return part[:, rows, columns]


def placed(
    shape: tuple[int, int], places: Mapping[int, Placement]
) -> tuple[tuple[int, int], list[Patch]]:
    """Return the size of the frame that modules of one shape make, and the patches.

    Parameters
    ----------
    shape
        Pixels of a module (rows, columns).
    places
        Where each goes, by its number.

    Raises
    ------
    ParameterError
        If two modules overlap, or a place is negative.
    """
    if any(place.row < 0 or place.column < 0 for place in places.values()):
        raise ParameterError(
            f"A placement is outside the frame: {list(places.values())}. Rows and columns count "
            "from 0: add the same number to all."
        )
    patches = [Patch(number, 0, 0, shape, place) for number, place in places.items()]
    size = (
        max(patch.target[0].stop for patch in patches),
        max(patch.target[1].stop for patch in patches),
    )
    taken = np.full(size, -1, np.int32)
    for patch in patches:
        below = taken[patch.target]
        if (below >= 0).any():
            raise ParameterError(
                f"Modules {below.max()} and {patch.module} overlap on the frame: "
                f"{places[below.max()]} and {patch.place} with modules of {patch.shape} pixels. "
                "Move one."
            )
        taken[patch.target] = patch.module
    return size, patches


def tiled(
    number: int, shape: tuple[int, int], layout: ModuleLayout
) -> tuple[tuple[int, int], list[Patch]]:
    """Return the size of a detector's frame, and the patches that its files go to.

    The files are equal tiles, along the rows, of the frame without gaps; each has whole modules of
    the layout. (An EXCALIBUR may be 1 file of 1536 x 2048 pixels, 3 of 512 x 2048, 6 of 256 x 2048
    or 48 chips.)

    Raises
    ------
    ShapeError
        If that many files of that size do not make the frame.
    """
    starts = layout.starts
    chips = [len(starts[axis]) for axis in (0, 1)]
    whole = [shape[axis] // layout.module[axis] for axis in (0, 1)]  # chips of a file
    fits = all(
        whole[axis] * layout.module[axis] == shape[axis]
        and whole[axis] > 0
        and chips[axis] % whole[axis] == 0
        for axis in (0, 1)
    )
    if not fits or number * whole[0] * whole[1] != chips[0] * chips[1]:
        raise ShapeError(
            f"{number} files of {shape[0]} x {shape[1]} pixels do not make the frame of the "
            f"{layout.name}: {chips[0]} x {chips[1]} modules of {layout.module[0]} x "
            f"{layout.module[1]} pixels. Give all its files in order (on_error='mark' leaves the "
            "missing ones empty), or say where each goes: layout=[Placement(row, column), ...]."
        )
    across = chips[1] // whole[1]
    patches = []
    for tile in range(number):
        for inner in range(whole[0] * whole[1]):
            down, right = divmod(inner, whole[1])
            row = starts[0][tile // across * whole[0] + down]
            column = starts[1][tile % across * whole[1] + right]
            top, left = down * layout.module[0], right * layout.module[1]
            patches.append(Patch(tile, top, left, layout.module, Placement(row, column)))
    return layout.shape, patches
