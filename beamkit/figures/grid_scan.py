"""A map over a grid scan, with the centre of mass and the best place."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import rc_context
from matplotlib.axes import Axes
from numpy.typing import NDArray

from beamkit.core.errors import InvalidPixelsError
from beamkit.diffraction.grid_scan import best, center_of_mass

from .picture import STYLE, Picture

#: Size of the longer edge of the map [inch], and the shortest that the other may be.
_LONG, _SHORT = 5.0, 1.2


def grid_scan(
    grid: xr.DataArray,
    *,
    clim: tuple[float, float] | None = None,
    cmap: str = "viridis",
    marks: bool = True,
    caption: str | None = None,
) -> Picture:
    """Show a map over a grid scan as a heat map.

    Parameters
    ----------
    grid
        From :func:`beamkit.diffraction.grid_map`; the first row is at the top.
    clim
        Values of the first and the last colour; None: the lowest and the highest.
    cmap
        A colour map of matplotlib. Places without a frame are grey.
    marks
        Whether centre of mass (cross) and best frame (square) are marked.
    caption
        What is seen; None: the name of the map, the best frame and the centre.

    Raises
    ------
    ShapeError
        If it is no map over (row, column).
    InvalidPixelsError
        If all of it is NaN.
    """
    top = best(grid)
    rows, columns = (grid[name].values for name in ("row", "column"))
    steps = [_step(rows), _step(columns)]
    text = caption or f"{grid.name or 'map'}: best {top.value:.4g} in frame {top.frame}"
    height, width = abs(np.ptp(rows)) + steps[0], abs(np.ptp(columns)) + steps[1]
    scale = _LONG / max(height, width)
    picture = Picture(
        max(scale * width, _SHORT) + 1.6, max(scale * height, _SHORT) + 0.9, caption=text
    )
    (axes,) = picture.panels(1, 1)
    edges = [_edges(values) for values in (columns, rows)]
    with rc_context(STYLE):
        axes.set_facecolor("0.85")
        low, high = clim or (None, None)
        mesh = axes.pcolormesh(*edges, grid.values, cmap=cmap, vmin=low, vmax=high)
        axes.set_aspect("equal" if min(height, width) * scale >= _SHORT else "auto")
        if not axes.yaxis_inverted():
            axes.invert_yaxis()
        for name, axis in (("column", axes.xaxis), ("row", axes.yaxis)):
            axis.set_label_text(_label(name, grid[name]))
            if grid.sizes[name] == 1:  # no ticks between the edges of the only one
                axis.set_ticks([float(grid[name][0])])
        picture.colorbar(mesh, ax=axes, label=_label(str(grid.name or ""), grid))
        if marks:
            _mark(axes, grid)
    return picture


def _mark(axes: Axes, grid: xr.DataArray) -> None:
    top = best(grid)
    style: dict[str, Any] = {"linestyle": "none", "markersize": 11, "markeredgewidth": 1.6}
    axes.plot(top.column, top.row, "s", mfc="none", mec="white", label="best", gid="best", **style)
    with suppress(InvalidPixelsError):  # a flat map has no centre
        center = center_of_mass(grid)
        axes.plot(
            center.column, center.row, "+", color="#e0503a", label="centre of mass",
            gid="center", **style,
        )  # fmt: skip
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize=8, borderaxespad=0.2,
        facecolor="0.6", frameon=True, markerscale=0.6,
    )  # fmt: skip


def _step(values: NDArray[np.float64]) -> float:
    return float(np.median(np.abs(np.diff(values)))) if values.size > 1 else 1.0


def _edges(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the edges of cells whose middles are these."""
    if values.size == 1:
        return np.array([values[0] - 0.5, values[0] + 0.5])
    middle = (values[1:] + values[:-1]) / 2
    first, last = values[0] - (middle[0] - values[0]), values[-1] + (values[-1] - middle[-1])
    return np.concatenate([[first], middle, [last]])


def _label(name: str, values: xr.DataArray) -> str:
    units = str(values.attrs.get("units", "")).replace("angstrom", "Å")
    return f"{name} [{units}]" if units not in ("", "1") else name
