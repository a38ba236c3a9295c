"""The grid of a scan, from what its frames tell of themselves."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.errors import MetadataError

Fast = Literal["horizontal", "vertical"]

#: Positions that differ by less than this part of the largest difference are one row or column:
#: motors do not return exactly.
SAME = 1e-3

#: Coordinates of frames that are no place of the sample.
_NO_PLACES = {
    "time", "frame", "angle", "start_angle", "angle_increment", "omega", "phi", "chi", "kappa",
    "exposure_time", "exposure_period", "filter_transmission", "flux", "dose",
}  # fmt: skip

#: Ends of the names of motors that move up and down, and those that move along.
_VERTICAL, _HORIZONTAL = ("y", "row", "ver", "vert", "vertical"), ("x", "column", "hor", "z")


@dataclass(frozen=True)
class GridLayout:
    """How the frames of a scan lie on a grid.

    Attributes
    ----------
    coords
        Names of the coordinates that tell row and column of each frame.
    shape
        Rows and columns.
    snaked
        Whether every second line was scanned backwards.
    fast
        ``"horizontal"``: row by row; ``"vertical"``: column by column.
    step
        From row to row, and from column to column, in the units of the coordinates; NaN where
        there is only one.
    """

    coords: tuple[str, str]
    shape: tuple[int, int]
    snaked: bool
    fast: Fast
    step: tuple[float, float]


def grid_layout(data: xr.Dataset | xr.DataArray) -> GridLayout:
    """Return the grid of a scan from the positions of motors that its frames have as coordinates.

    Two coordinates with a number for each frame make a grid if no two frames share a place, and
    more than half of the places hold a frame (a scan may have been stopped). Of two pairs that
    do, the one of the fewest places is taken. The one whose name ends in ``y``, ``row`` or
    ``ver`` is that of the rows; if no name tells, the slow one.

    Parameters
    ----------
    data
        Frames, or their statistics, with coordinates over ``frame`` (or the first dimension):
        such as NeXus files with an array of positions beside the frames have.

    Raises
    ------
    MetadataError
        If no two coordinates make a grid; says what to give instead.
    """
    places = _candidates(data)
    pairs = [(one, other) for one, other in combinations(places, 2) if _is_grid(places, one, other)]
    if not pairs:
        raise MetadataError(_missing(data, places))
    one, other = min(pairs, key=lambda pair: _number(places[pair[0]]) * _number(places[pair[1]]))
    row, column = _in_order(places, one, other)
    return _described(places, row, column)


def groups_of(positions: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the number of the row, or column, of each position, by increasing position.

    Examples
    --------
    >>> groups_of(np.array([0.3, 0.1, 0.30001, 0.2])).tolist()
    [2, 0, 2, 1]
    """
    order = np.argsort(positions, kind="stable")
    steps = np.diff(positions[order], prepend=positions[order[0]])
    numbers = np.empty(positions.size, np.int64)
    numbers[order] = np.cumsum(steps > SAME * np.ptp(positions))
    return numbers


def _candidates(data: xr.Dataset | xr.DataArray) -> dict[str, NDArray[np.float64]]:
    """Return the positions of each motor that moved, by name."""
    found = {}
    for name, item in data.coords.items():
        is_number = item.ndim == 1 and item.dtype.kind in "iuf" and item.size > 1
        if not is_number or str(name) in _NO_PLACES or name in item.dims:
            continue
        values = np.asarray(item.values, float)
        if item.dims == (_dim(data),) and np.isfinite(values).all() and np.ptp(values) > 0:
            found[str(name)] = values
    return found


def _dim(data: xr.Dataset | xr.DataArray) -> str:
    return "frame" if "frame" in data.dims else str(next(iter(data.dims), ""))


def _is_grid(places: dict[str, NDArray[np.float64]], one: str, other: str) -> bool:
    rows, columns = groups_of(places[one]), groups_of(places[other])
    size = (rows.max() + 1) * (columns.max() + 1)
    is_apart = len(np.unique(rows * (columns.max() + 1) + columns)) == rows.size
    return bool(is_apart and rows.size > size / 2)


def _number(positions: NDArray[np.float64]) -> int:
    return int(groups_of(positions).max()) + 1


def _in_order(places: dict[str, NDArray[np.float64]], one: str, other: str) -> tuple[str, str]:
    """Return the coordinate of the rows, and that of the columns."""
    for name, partner in ((one, other), (other, one)):
        if name.lower().endswith(_VERTICAL) and not partner.lower().endswith(_VERTICAL):
            return name, partner
        if name.lower().endswith(_HORIZONTAL) and partner.lower().endswith(_VERTICAL):
            return partner, name
    changes = {name: np.count_nonzero(np.diff(groups_of(places[name]))) for name in (one, other)}
    return (one, other) if changes[one] <= changes[other] else (other, one)


def _described(
    places: dict[str, NDArray[np.float64]],
    row: str,
    column: str,
) -> GridLayout:
    rows, columns = groups_of(places[row]), groups_of(places[column])
    by_rows = np.count_nonzero(np.diff(rows)) <= np.count_nonzero(np.diff(columns))
    line, along = (rows, columns) if by_rows else (columns, rows)
    way = [np.sign(np.diff(along[line == number]).sum()) for number in _in_time(line)]
    turns = [one * other < 0 for one, other in pairwise(way)]
    return GridLayout(
        (row, column),
        (int(rows.max()) + 1, int(columns.max()) + 1),
        bool(turns) and all(turns),
        "horizontal" if by_rows else "vertical",
        (_step(places[row], rows), _step(places[column], columns)),
    )


def _in_time(line: NDArray[np.int64]) -> list[int]:
    """Return the numbers of the lines, in the order in which they were scanned."""
    return list(dict.fromkeys(line.tolist()))


def _step(positions: NDArray[np.float64], numbers: NDArray[np.int64]) -> float:
    middles = np.bincount(numbers, positions) / np.bincount(numbers)
    return float(np.median(np.diff(middles))) if middles.size > 1 else np.nan


def _missing(data: xr.Dataset | xr.DataArray, places: dict[str, NDArray[np.float64]]) -> str:
    frames = data.sizes.get(_dim(data), 0)
    moved = f"motors that moved: {', '.join(places)}" if places else "no motor that moved"
    return (
        f"The frames do not tell the grid of the scan: of {frames} frames, the coordinates hold "
        f"{moved}, and no two make a grid. Give the shape, rows and columns, and say if it was "
        f"snaked: grid_map(values, (rows, columns), snaked=True); one line is (1, {frames}). Or "
        "add the positions: data.assign_coords(x=('frame', ...), y=('frame', ...))."
    )
