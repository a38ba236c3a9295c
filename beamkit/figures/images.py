"""Images side by side: same contrast, colour bar, scale bar where the pixel size is known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import numpy as np
import xarray as xr
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from beamkit.core.errors import ParameterError, ShapeError

from ._scale_bar import draw_bar
from .picture import STYLE, Picture

#: Where an image is NaN: no data, in a colour that no grey can be.
_MISSING = "#d98c8c"


def images(
    panels: Mapping[str, xr.DataArray],
    *,
    caption: str,
    columns: int = 3,
    limits: tuple[float, float] | None = None,
    quantiles: tuple[float, float] = (0.005, 0.995),
    cmap: str = "gray",
    aspect: Literal["equal", "auto"] = "equal",
    shared: bool = True,
) -> Picture:
    """Show images side by side.

    Parameters
    ----------
    panels
        Title and image; each of two dimensions (rows, columns), any unit.
    caption
        What is seen.
    columns
        Panels in a row.
    limits
        Values of black and white; None: ``quantiles`` of the images.
    quantiles
        Of the pixels that are not NaN, from 0 to 1.
    cmap
        Colour map of matplotlib.
    aspect
        ``"equal"`` for images, ``"auto"`` for sinograms, whose axes differ.
    shared
        Whether all panels have the same contrast and one colour bar, or each its own.

    Returns
    -------
    picture
        NaN pixels are shown in a colour of their own.

    Raises
    ------
    ParameterError
        If there is nothing to show.
    ShapeError
        If an image has not two dimensions.
    """
    if not panels:
        raise ParameterError("There are no images to show: panels is empty. Give at least one.")
    for title, image in panels.items():
        if image.ndim != 2:
            raise ShapeError(
                f"Panel {title!r} has dimensions {image.dims} of sizes {image.shape}; an image has "
                "two. Select one with .isel(...)."
            )
    columns = min(columns, len(panels))
    picture = _canvas(next(iter(panels.values())), len(panels), columns, aspect, caption)
    axes = picture.panels(math.ceil(len(panels) / columns), columns)
    together = limits or contrast(list(panels.values()), quantiles)
    colors = colormaps[cmap].with_extremes(bad=_MISSING)
    with rc_context(STYLE):
        for panel, (title, image) in zip(axes, panels.items(), strict=False):
            low, high = together if shared else contrast([image], quantiles)
            shown = panel.imshow(image.values, cmap=colors, vmin=low, vmax=high, aspect=aspect)
            panel.set_title(title)
            _label(panel, image, aspect)
            if not shared:
                _colorbar(picture, shown, [panel], image)
        for panel in axes[len(panels) :]:
            panel.set_visible(False)
        if shared:
            _colorbar(picture, shown, axes[: len(panels)], image)
    return picture


def _canvas(image: xr.DataArray, number: int, columns: int, aspect: str, caption: str) -> Picture:
    """Return a picture of the size that the panels need."""
    ratio = image.shape[0] / image.shape[1] if aspect == "equal" else 0.75
    width = 9.0 if columns > 1 else 5.5
    height = (width - 0.9) / columns * min(max(ratio, 0.25), 1.6) + 0.45
    return Picture(width, math.ceil(number / columns) * height, caption=caption)


def _colorbar(picture: Picture, shown: AxesImage, axes: list[Axes], image: xr.DataArray) -> None:
    bar = picture.colorbar(shown, ax=axes, shrink=0.9, pad=0.015, aspect=30)
    bar.outline.set_linewidth(0.4)
    bar.set_label(units_label(image))


def contrast(data: list[xr.DataArray], quantiles: tuple[float, float]) -> tuple[float, float]:
    """Return the two quantiles of all finite pixels; never the same number twice."""
    pixels = np.concatenate([item.values[np.isfinite(item.values)].ravel() for item in data])
    if pixels.size == 0:
        return 0.0, 1.0
    low, high = (float(value) for value in np.quantile(pixels, quantiles))
    if low == high:  # a constant image, or all but a few pixels the same
        low, high = float(pixels.min()), float(pixels.max())
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def units_label(data: xr.DataArray) -> str:
    """Return quantity and unit as the label of an axis."""
    units = str(data.attrs.get("units", ""))
    quantity = str(data.attrs.get("quantity", data.name or ""))
    if units in ("", "1") or units == quantity:
        return quantity
    return f"{quantity} [{units.replace('um', 'µm')}]".strip()


def _label(panel: Axes, image: xr.DataArray, aspect: str) -> None:
    """A scale bar where both axes are lengths, else labelled axes."""
    y, x = (image.coords.get(name) for name in image.dims)
    is_length = all(axis is not None and axis.attrs.get("units") == "um" for axis in (y, x))
    if is_length and x is not None and x.size > 1:
        panel.set_axis_off()
        draw_bar(panel, float(abs(x[1] - x[0])), image.shape[1])
        return
    panel.set_xlabel(str(image.dims[1]).replace("_", " "))
    panel.set_ylabel(str(image.dims[0]).replace("_", " "))
    if aspect != "equal" and y is not None and y.ndim == 1:
        _ticks_from_coordinate(panel, y)


def _ticks_from_coordinate(panel: Axes, y: xr.DataArray) -> None:
    """Label rows with their coordinate, such as angles, rather than their number."""
    rows = np.linspace(0, y.size - 1, min(5, y.size)).round().astype(int)
    panel.set_yticks(rows, [f"{float(y[row]):.4g}" for row in rows])
    units = str(y.attrs.get("units", ""))
    panel.set_ylabel(f"{y.name} [{units}]" if units else str(y.name))
