"""Marks around spots on a picture of an image."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from beamkit.core.errors import ShapeError
from beamkit.diffraction.spots_table import Spots
from beamkit.images.grid import Axis

_COLOR = "#00b8d4"


def draw_spots(axes: Axes, spots: Spots | NDArray[np.float64], data: xr.DataArray) -> None:
    """Draw a ring around each spot, on axes whose units are positions on the array [pixel].

    Parameters
    ----------
    spots
        Found ones, or positions on the full detector, shape (spot, 2): x, y [pixel].
    data
        The image, shape (rows, columns); its coordinates tell a crop.

    Raises
    ------
    ShapeError
        If the positions have another shape.
    """
    given: Any = np.column_stack([spots.x, spots.y]) if isinstance(spots, Spots) else spots
    positions = np.asarray(given, float)
    if positions.ndim != 2 or positions.shape[1] != 2:
        raise ShapeError(
            f"spots has shape {positions.shape}; give what find_spots found, or positions of "
            "shape (spot, 2): x, y [pixel]."
        )
    x: Any = positions[:, 0]
    y: Any = positions[:, 1]
    rows, columns = (Axis.of(data, str(dim)) for dim in data.dims)
    axes.plot(
        columns.position(x - 0.5),
        rows.position(y - 0.5),
        "o",
        ms=6,
        mfc="none",
        mec=_COLOR,
        mew=0.8,
        path_effects=[withStroke(linewidth=1.8, foreground="#00000090")],
        scalex=False,
        scaley=False,
    )
