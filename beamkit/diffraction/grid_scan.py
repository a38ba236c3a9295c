"""A number of every frame of a grid scan as a map, and where the crystal is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from beamkit.core.errors import InvalidPixelsError, ParameterError, ShapeError, UnknownNameError

from .grid_layout import Fast, grid_layout, groups_of

DIMS = ("row", "column")

#: Values below this part of the range from lowest to highest are none of the crystal.
_FLOOR = 0.1


@dataclass(frozen=True)
class GridPosition:
    """A place on a grid.

    Attributes
    ----------
    row, column
        Where, in the coordinates of the map; between the nodes for a centre of mass.
    value
        Of the map at the node that is nearest.
    frame
        Number of the frame there; -1 if the map does not tell, or there is none.
    """

    row: float
    column: float
    value: float
    frame: int


def grid_map(
    values: xr.DataArray | ArrayLike,
    shape: tuple[int, int] | None = None,
    *,
    snaked: bool = False,
    fast: Fast = "horizontal",
    coords: tuple[str, str] | None = None,
) -> xr.DataArray:
    """Return a number of every frame as a map over the grid.

    Parameters
    ----------
    values
        Shape (frame,), in the order of the scan, such as a column of
        :func:`beamkit.diffraction.statistics`.
    shape
        Rows and columns. None: from ``coords``; without these, from the positions of motors that
        ``values`` have as coordinates (:func:`beamkit.diffraction.grid_layout`).
    snaked
        Whether every second line was scanned backwards. Of no matter with ``coords``.
    fast
        ``"horizontal"``: row by row; ``"vertical"``: column by column. As ``snaked``.
    coords
        Names of the coordinates of ``values`` that tell row and column of each frame, such as
        motor positions. Positions closer than 0.1 % of the range are one row or column.

    Returns
    -------
    map
        Shape (row, column), float64, NaN where there is no frame (a scan that was stopped);
        coordinates ``row``, ``column`` (positions, or numbers from 0), and ``frame`` (row, column):
        the number of the frame, -1 for none.

    Raises
    ------
    ShapeError
        If there are more values than places, or they are not one-dimensional.
    UnknownNameError
        If there is no such coordinate.
    ParameterError
        If two frames share a place, a position is NaN, or an option cannot be.
    MetadataError
        If neither shape nor ``coords`` is given, and the values do not tell.

    Examples
    --------
    >>> grid_map([1, 2, 3, 4, 5, 6], (2, 3), snaked=True).values.tolist()
    [[1.0, 2.0, 3.0], [6.0, 5.0, 4.0]]
    """
    data = values if isinstance(values, xr.DataArray) else xr.DataArray(values)
    if data.ndim != 1 or data.size == 0:
        raise ShapeError(
            f"A grid map is made of one number for each frame, got shape {data.shape}. Select one "
            "column, such as statistics(data)['spots']."
        )
    if fast not in get_args(Fast):
        raise UnknownNameError("direction (fast)", str(fast), get_args(Fast))
    if coords is None and shape is None:
        coords = grid_layout(data).coords
    if coords is not None:
        places, along = _by_coords(data, coords)
    else:
        size = (int(shape[0]), int(shape[1])) if shape is not None else (1, data.size)
        places = _by_order(data.size, size, snaked, fast)
        along = [(axis, (axis, np.arange(length))) for axis, length in zip(DIMS, size, strict=True)]
    return _filled(data, places, along)


def best(grid: xr.DataArray) -> GridPosition:
    """Return where a map is highest; the first, of equals.

    Raises
    ------
    ShapeError
        If it is no map over (row, column).
    InvalidPixelsError
        If all of it is NaN.
    """
    values = _require_map(grid)
    row, column = np.unravel_index(np.nanargmax(values), values.shape)
    return _at(grid, float(grid["row"][row]), float(grid["column"][column]))


def center_of_mass(grid: xr.DataArray, *, floor: float | None = None) -> GridPosition:
    """Return the centre of mass of a map: between the nodes, where the crystal is.

    Parameters
    ----------
    grid
        From :func:`grid_map`.
    floor
        What lies above it is the weight; None: the lowest value, and a tenth of the way from
        there to the highest, so that frames beside the crystal do not count.

    Raises
    ------
    ShapeError
        If it is no map over (row, column).
    InvalidPixelsError
        If all of it is NaN, or nothing is above the floor: a flat map has no centre.
    """
    values = _require_map(grid)
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    ground = low + _FLOOR * (high - low) if floor is None else floor
    weights = np.nan_to_num(np.maximum(values - ground, 0))
    if not weights.sum() > 0:
        raise InvalidPixelsError(
            f"The map runs from {low:g} to {high:g}, and nothing is above {ground:g}: it has no "
            "centre. Take another column, or give a lower floor=."
        )
    row, column = (
        float(weights.sum(axis=1 - axis) @ grid[name].values / weights.sum())
        for axis, name in enumerate(DIMS)
    )
    return _at(grid, row, column)


def _require_map(grid: xr.DataArray) -> NDArray[np.float64]:
    if grid.dims != DIMS or not set(DIMS) <= set(grid.coords):
        raise ShapeError(f"A map has the dimensions {DIMS}, got {grid.dims}. Make it by grid_map.")
    if not np.isfinite(grid.values).any():
        raise InvalidPixelsError("The map holds no number. Look at the column problem.")
    return np.asarray(grid.values, float)


def _at(grid: xr.DataArray, row: float, column: float) -> GridPosition:
    node = grid.sel(row=row, column=column, method="nearest")
    frame = int(node["frame"]) if "frame" in node.coords else -1
    return GridPosition(row, column, float(node), frame)


def _by_order(
    number: int, shape: tuple[int, int], snaked: bool, fast: Fast
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return row and column of each frame."""
    if min(shape) < 1 or number > shape[0] * shape[1]:
        raise ShapeError(
            f"{number} frames do not fit on a grid of {shape[0]} rows x {shape[1]} columns. "
            "Give the shape of the scan."
        )
    length = shape[1] if fast == "horizontal" else shape[0]
    line, step = np.divmod(np.arange(number), length)
    if snaked:
        step = np.where(line % 2 == 1, length - 1 - step, step)
    return (line, step) if fast == "horizontal" else (step, line)


def _by_coords(
    data: xr.DataArray, names: tuple[str, str]
) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64]], list[tuple[str, Any]]]:
    """Return row and column of each frame, and the positions of rows and columns."""
    numbers: list[NDArray[np.int64]] = []
    along: list[tuple[str, Any]] = []
    for axis, name in zip(DIMS, names, strict=True):
        if name not in data.coords:
            raise UnknownNameError("coordinate of the frames", name, map(str, data.coords))
        given = np.asarray(data[name].values, float)
        if given.shape != data.shape or not np.isfinite(given).all():
            raise ParameterError(
                f"Coordinate {name} does not tell one position for each of {data.size} frames. "
                "Give the shape of the grid instead: grid_map(values, (rows, columns))."
            )
        number = groups_of(given)
        count = np.bincount(number)
        numbers.append(number)
        along.append((axis, (axis, np.bincount(number, given) / count, dict(data[name].attrs))))
    return (numbers[0], numbers[1]), along


def _filled(
    data: xr.DataArray,
    places: tuple[NDArray[np.int64], NDArray[np.int64]],
    along: list[tuple[str, Any]],
) -> xr.DataArray:
    shape = tuple(len(each[1]) for _, each in along)
    frames = np.full(shape, -1, np.int64)
    if len(np.unique(np.ravel_multi_index(places, shape))) < data.size:
        raise ParameterError(
            f"Several of the {data.size} frames lie at the same place of a grid of {shape[0]} x "
            f"{shape[1]}. Select one pass of the scan, or give its shape."
        )
    dim = data.dims[0]
    known = data[dim].values if dim in data.coords else np.arange(data.size)
    frames[places] = known if np.issubdtype(known.dtype, np.integer) else np.arange(data.size)
    values = np.full(shape, np.nan)
    values[places] = data.values
    return xr.DataArray(
        values,
        dims=DIMS,
        coords={**dict(along), "frame": (DIMS, frames)},
        attrs=dict(data.attrs),
        name=data.name,
    )
