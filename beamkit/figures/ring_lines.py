"""Rings of calibrants, of ice and of any lattice spacing, on a picture."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from beamkit.diffraction import Geometry, rings
from beamkit.diffraction.ring_items import MOST_RINGS, RING_COLORS, RingItem, substances
from beamkit.images.grid import Axis


def draw_rings(
    axes: Axes, items: Iterable[RingItem], geometry: Geometry, data: xr.DataArray
) -> None:
    """Draw rings on axes whose units are positions on the array ``data`` [pixel]."""
    halo = [withStroke(linewidth=2, foreground="black")]
    text: dict[str, Any] = {"fontsize": 7, "ha": "center", "va": "center", "path_effects": halo}
    room = _Room()
    left, right = sorted(axes.get_xlim())
    top, bottom = sorted(axes.get_ylim())
    for kind, _name, what in substances(items):
        color, style = RING_COLORS[kind], "--" if kind == "ice" else "-"
        for curve in rings(geometry, what, shape=_full_shape(data))[:MOST_RINGS]:
            for arc in curve.arcs:
                x, y = _on_array(arc[:, 0], data, 1), _on_array(arc[:, 1], data, 0)
                line = Line2D(x, y, color=color, ls=style, lw=0.8, path_effects=halo)
                axes.add_line(line)
            spot = [_on_array(np.array([curve.label_position[k]]), data, 1 - k) for k in (0, 1)]
            at_x, at_y = (float(value[0]) for value in spot)
            if room.take((at_x - left) / (right - left), (at_y - top) / (bottom - top)):
                axes.text(at_x, at_y, f"{curve.d:.4g} Å", color=color, **text)


class _Room:
    """Where labels are, so that no two overlap and none crosses the edge; 0 to 1 both ways."""

    _SIZE = (0.11, 0.028)

    def __init__(self) -> None:
        self._taken: list[tuple[float, float]] = []

    def take(self, x: float, y: float) -> bool:
        """Return whether there is room for a label around a place, and take it."""
        width, height = self._SIZE
        inside = width / 2 < x < 1 - width / 2 and height < y < 1 - height
        free = all(abs(x - a) > width or abs(y - b) > height for a, b in self._taken)
        if inside and free:
            self._taken.append((x, y))
        return inside and free


def _on_array(positions: NDArray[np.float64], data: xr.DataArray, dim: int) -> Any:
    """Return positions on the array of positions on the full detector."""
    return Axis.of(data, str(data.dims[dim])).position(positions - 0.5)  # type: ignore[arg-type]


def _full_shape(data: xr.DataArray) -> tuple[int, int]:
    """Return the shape of the detector up to the last pixel of the array."""
    rows, columns = (Axis.of(data, str(dim)) for dim in data.dims)
    return math.ceil(rows.value(rows.size) + 0.5), math.ceil(columns.value(columns.size) + 0.5)
