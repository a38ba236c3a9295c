"""One image with all that lies on it: the picture that a viewer shows, for a page or a file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, FuncNorm
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from beamkit.core.errors import ShapeError
from beamkit.diffraction import Geometry
from beamkit.diffraction.ring_items import RingItem, ring_items
from beamkit.diffraction.spots_table import Spots
from beamkit.images import (
    Line,
    PixelClasses,
    Region,
    classify,
    default_quantiles,
    limits,
    reduce_around,
)
from beamkit.images.contrast import Scale, scale_named
from beamkit.images.grid import Grid

from ._outline import outline
from ._scale_bar import scale_bar
from .images import units_label
from .picture import STYLE, Picture
from .ring_lines import draw_rings
from .spot_marks import draw_spots

#: Colours of what is not a number, as in the viewer: red, green, blue from 0 to 1.
FLAG_COLORS = {
    "masked": (217 / 255, 140 / 255, 140 / 255),
    "gap": (70 / 255, 80 / 255, 106 / 255),
    "saturated": (0 / 255, 229 / 255, 255 / 255),
}

#: Largest number of pixels along an edge of the image: what a page shows.
_LARGEST = 900

#: Size of the picture, without its colour bar [inch].
_WIDTH = 5.6


def image(
    data: xr.DataArray,
    *,
    mask: xr.DataArray | NDArray[Any] | None = None,
    clim: tuple[float, float] | None = None,
    scale: str = "linear",
    cmap: str = "gray",
    invert: bool = False,
    rings: Sequence[RingItem] | RingItem = (),
    geometry: Geometry | None = None,
    roi: Region | None = None,
    spots: Spots | NDArray[np.float64] | None = None,
    zoom: Sequence[float] | None = None,
    middle: float | None = None,
    caption: str | None = None,
) -> Picture:
    """Show one image as a viewer does: reduced by maximum, so that no spot is lost.

    Parameters
    ----------
    data
        Shape (rows, columns), any unit. Row 0 is at the top.
    mask
        Same shape: bits as in NXdetector, or bool; masked pixels and gaps get their own colours.
    clim
        Values of the first and the last colour [unit of the data]; None: from the good pixels.
    scale, cmap, invert
        As in the viewer: ``"linear"``, ``"sqrt"``, ``"log"`` or ``"asinh"``; a colour map of
        matplotlib, and whether it runs the other way.
    rings
        Names of calibrants, ``"ice"``, or lattice spacings [angstrom].
    geometry
        Where the detector stands, for the rings; None: from the attributes of ``data``.
    roi
        A region to draw.
    spots
        What :func:`beamkit.diffraction.find_spots` found, or positions on the full detector,
        shape (spot, 2): x, y [pixel].
    zoom
        Part to show: x0, y0, x1, y1 from the outer corner of the array [pixel]; None: all.
    middle
        What is nothing, such as 0 for a difference: of pixels that become one, the farthest from
        it is shown. None: the highest.
    caption
        What is seen; None: name, limits and scale.

    Returns
    -------
    picture
        With colour bar, and a scale bar where the size of a pixel is known. ``save`` writes PNG,
        SVG or PDF.

    Raises
    ------
    ShapeError
        If the data have not two dimensions, or the mask another shape.
    UnknownNameError
        If there is no such scale, colour map or calibrant.
    MetadataError
        If rings are asked for and the geometry is not known.
    """
    if data.ndim != 2:
        raise ShapeError(
            f"An image has two dimensions, this has {data.dims} of sizes {data.shape}. "
            "Select one with .isel(...)."
        )
    shown = scale_named(scale)
    window = _window(zoom, data.shape)
    values, kinds, step = _reduced(data, _classes(data, mask), window, middle)
    low, high = clim or limits(
        values, kinds, quantiles=default_quantiles(str(data.attrs.get("kind", "")))
    )
    colors = colormaps[cmap].reversed() if invert else colormaps[cmap]
    pixels = colors(shown(np.nan_to_num(values.astype(float)), low, high))[..., :3]
    for number, name in enumerate(FLAG_COLORS, start=1):
        pixels[kinds == number] = FLAG_COLORS[name]
    text = caption or _caption(data, low, high, scale)
    picture = _canvas(window, _aspect(data), text)
    with rc_context(STYLE):
        axes = _show(picture, pixels, window, step, _aspect(data))
        _color_bar(picture, axes, shown, (low, high), colors, units_label(data))
        scale_bar(axes, data, window[3] - window[2])
        if roi is not None:
            _draw_region(axes, roi)
        found = ring_items(rings)
        if found:
            draw_rings(axes, found, geometry or Geometry.from_dataset(data), data)
        if spots is not None:
            draw_spots(axes, spots, data)
        _legend(axes, kinds)
    return picture


def _show(
    picture: Picture,
    pixels: NDArray[Any],
    window: tuple[int, int, int, int],
    step: int,
    aspect: float | None,
) -> Axes:
    """Show pixels on axes whose units are positions on the array."""
    top, bottom, left, right = window
    axes = picture.add_subplot()
    extent = (left, left + pixels.shape[1] * step, top + pixels.shape[0] * step, top)
    axes.imshow(pixels, extent=extent, aspect=aspect or "auto", interpolation="nearest")
    axes.set(xlim=(left, right), ylim=(bottom, top))
    axes.set_axis_off()
    axes.set_title(picture.caption, wrap=True)
    return axes


def _color_bar(
    picture: Picture,
    axes: Axes,
    scale: Scale,
    clim: tuple[float, float],
    colors: Colormap,
    label: str,
) -> None:
    low, high = clim

    def forward(values: NDArray[Any]) -> NDArray[Any]:
        return scale(values, low, high)

    def inverse(fractions: NDArray[Any]) -> NDArray[Any]:
        return low + scale.inverse(np.asarray(fractions, float)) * (high - low)

    mappable = ScalarMappable(FuncNorm((forward, inverse), low, high), colors)
    bar = picture.colorbar(mappable, ax=axes, shrink=0.9, pad=0.02, aspect=30)
    bar.set_ticks(_spread_ticks(scale, low, high))
    bar.minorticks_off()
    bar.outline.set_linewidth(0.4)
    bar.set_label(label)


def _spread_ticks(scale: Scale, low: float, high: float) -> list[float]:
    """Return round numbers that do not crowd on the bar."""
    exponent = math.floor(math.log10(max(abs(low), abs(high)) or 1.0))
    powers = [10.0**number for number in range(exponent, exponent - 5, -1)]
    rounds = [
        0.0,
        *(sign * k * power for k in (1, 5, 2, 3, 7) for power in powers for sign in (1, -1)),
    ]
    ticks: list[float] = []
    for value in rounds:
        place = float(scale(value, low, high))
        if low <= value <= high and all(abs(place - scale(t, low, high)) > 0.06 for t in ticks):
            ticks.append(value)
    return sorted(ticks) or [low, high]


def _window(zoom: Sequence[float] | None, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return first and last row and column, at least one of each."""
    if zoom is None:
        return 0, shape[0], 0, shape[1]
    x0, y0, x1, y1 = zoom
    left, top = (
        min(max(int(value), 0), size - 1) for value, size in ((x0, shape[1]), (y0, shape[0]))
    )
    right = min(max(math.ceil(x1), left + 1), shape[1])
    bottom = min(max(math.ceil(y1), top + 1), shape[0])
    return top, bottom, left, right


def _classes(data: xr.DataArray, mask: Any) -> PixelClasses | None:
    cutoff = data.attrs.get("count_cutoff")
    if mask is None and cutoff is None:
        return None
    bits = np.zeros(data.shape, np.uint32) if mask is None else mask
    return classify(bits, dtype=data.dtype, count_cutoff=cutoff)


def _reduced(
    data: xr.DataArray,
    classes: PixelClasses | None,
    window: tuple[int, int, int, int],
    middle: float | None,
) -> tuple[NDArray[Any], NDArray[np.uint8], int]:
    top, bottom, left, right = window
    step = max(1, math.ceil(max(bottom - top, right - left) / _LARGEST))
    values, kinds = reduce_around(
        data.values,
        (step, step),
        middle,
        classes=classes,
        rows=slice(top, bottom),
        columns=slice(left, right),
    )
    return values, kinds, step


def _aspect(data: xr.DataArray) -> float | None:
    """Return height over width of a pixel; None where rows and columns are not comparable."""
    ratio = Grid.of(data).aspect
    # A sinogram of a few rows, say, is better seen than true.
    return ratio if ratio and 0.05 < ratio * data.shape[0] / data.shape[1] < 20 else None


def _canvas(window: tuple[int, int, int, int], aspect: float | None, text: str) -> Picture:
    top, bottom, left, right = window
    ratio = (aspect or 0.75 * (right - left) / (bottom - top)) * (bottom - top) / (right - left)
    return Picture(_WIDTH + 0.9, _WIDTH * min(max(ratio, 0.3), 1.3) + 0.5, caption=text)


def _caption(data: xr.DataArray, low: float, high: float, scale: str) -> str:
    name = str(data.name or "image").replace("_", " ")
    return f"{name}, {scale} from {low:.4g} to {high:.4g} {data.attrs.get('units', '')}".strip()


def _draw_region(axes: Axes, region: Region) -> None:
    for line in outline(region):
        for color, width in (("black", 2.4), ("#ff6b6b", 1.2)):
            axes.add_line(Line2D(line[:, 0], line[:, 1], color=color, lw=width))
    if isinstance(region, Line):
        axes.plot([region.x0, region.x1], [region.y0, region.y1], "o", ms=3, color="#ff6b6b")


def _legend(axes: Axes, kinds: NDArray[np.uint8]) -> None:
    """Say what the colours of flagged pixels mean, where there are any."""
    there = [
        name
        for number, name in ((1, "masked"), (2, "gap"), (3, "saturated"))
        if (kinds == number).any()
    ]
    if there:
        axes.legend(
            handles=[Patch(facecolor=FLAG_COLORS[name], label=name) for name in there],
            loc="upper left",
            bbox_to_anchor=(0, 0),
            ncols=len(there),
            fontsize=7,
            handlelength=1,
            borderaxespad=0.3,
        )
