"""A bar that tells the size of what is seen."""

from __future__ import annotations

import math

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.text import Text

from beamkit.core.units import convert
from beamkit.images.grid import Grid


def scale_bar(panel: Axes, data: xr.DataArray, width: float) -> None:
    """Draw a scale bar where the size of a pixel of ``data`` is known; ``width`` [pixel]."""
    grid = Grid.of(data)
    if grid.pixel_width is not None:
        draw_bar(panel, convert(grid.pixel_width, grid.length_unit, "um"), width)


def draw_bar(panel: Axes, pixel: float, width: float) -> None:
    """Draw a bar of 1, 2 or 5 times a power of ten, about a fifth of the image.

    Parameters
    ----------
    panel
        Axes of the image.
    pixel
        Width of a pixel [um].
    width
        Of what is seen [pixel].
    """
    target = pixel * width / 5
    power = 10.0 ** math.floor(math.log10(target))
    length = max(step for step in (1, 2, 5) if step * power <= target) * power
    text = f"{length / 1000:g} mm" if length >= 1000 else f"{length:g} µm"
    left, right = 0.05, 0.05 + length / pixel / width
    for color, line_width in (("black", 4.5), ("white", 2.5)):
        bar = Line2D(
            [left, right], [0.05, 0.05], color=color, lw=line_width, transform=panel.transAxes
        )
        bar.set_solid_capstyle("butt")
        panel.add_line(bar)
    label = Text(
        left,
        0.075,
        text,
        color="white",
        va="bottom",
        fontsize=9,
        transform=panel.transAxes,
        bbox={"facecolor": "black", "alpha": 0.45, "pad": 1.5, "edgecolor": "none"},
    )
    panel.add_artist(label)
