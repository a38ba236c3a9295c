"""An image, or one image of a stack, chosen with a slider."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import ipywidgets as ipw
import traitlets
import xarray as xr
from matplotlib import colormaps, rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm, Normalize, PowerNorm
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from beamkit.core.errors import ParameterError, UnknownNameError
from beamkit.figures.picture import STYLE

from ._canvas import DRAWING, TOOLBAR_WIDTH, LiveCanvas
from ._controls import make_controls
from ._image_stack import ImageStack
from ._shown import Shown

#: From value to colour. Clipped: what a logarithm does not know is dark, not missing.
SCALES: dict[str, Callable[..., Normalize]] = {
    "linear": partial(Normalize, clip=True),
    "log": partial(LogNorm, clip=True),
    "sqrt": partial(PowerNorm, 0.5, clip=True),
}
#: Pixels that are masked or have no value: a colour that no grey can be.
_MISSING = "#d98c8c"


class SliceViewer(Shown, ipw.VBox):  # type: ignore[misc]
    """Show an image, or one image of a stack.

    Everything the mouse can do, a cell or a test can do too, by setting a trait:
    ``viewer.index = 12``. A viewer that was never shown is freed when it is dropped; one that was
    shown lives until its cell runs again, or until :meth:`close`.

    Parameters
    ----------
    data
        Shape (rows, columns) or (images, rows, columns), in memory or lazy; or a Dataset, whose
        main variable is shown. Row 0 is at the top.
    index, limits, cmap, scale
        As the attributes. None chooses: the middle of a volume, else the first image; and the
        quantiles 0.005 and 0.995 of the good pixels of that image.
    mask
        Shape (rows, columns): 0 for a good pixel, else bits as in NXdetector; None takes that of
        the Dataset.

    Attributes
    ----------
    index
        Which image, from 0.
    limits
        Values of the darkest and the brightest colour, in the unit of the data.
    cmap
        Colour map of matplotlib.
    scale
        ``"linear"``, ``"log"`` or ``"sqrt"``.

    Raises
    ------
    ShapeError
        If the data are not one image or one stack.
    ParameterError
        If the data are not real numbers, or an option has a value that is not allowed.
    """

    index = traitlets.Any(0)
    limits = traitlets.Tuple(traitlets.CFloat(), traitlets.CFloat(), default_value=(0.0, 1.0))
    cmap = traitlets.Unicode("gray")
    scale = traitlets.Unicode("linear")

    def __init__(
        self,
        data: xr.DataArray | xr.Dataset,
        *,
        index: int | None = None,
        limits: tuple[float, float] | None = None,
        cmap: str = "gray",
        scale: str = "linear",
        mask: xr.DataArray | None = None,
    ) -> None:
        super().__init__()
        self._stack = stack = ImageStack(data, mask)
        self.lock = threading.RLock()
        self.index = (len(stack) // 2 if stack.dim == "z" else 0) if index is None else index
        self.limits = stack.contrast(self.index) if limits is None else limits
        self._make_picture()
        self.cmap, self.scale = cmap, scale
        self._show_index()
        self._show_colors()
        self._observe()
        self._is_made = True

    def _observe(self) -> None:
        self.observe(self._show_index, "index")
        self.observe(self._show_colors, ["limits", "scale", "cmap"])

    def auto(self) -> None:
        """Set the contrast to the quantiles 0.005 and 0.995 of the good pixels of the image."""
        self.limits = self._stack.contrast(self.index)

    @traitlets.validate("index", "limits", "cmap", "scale")  # type: ignore[untyped-decorator]
    def _check(self, proposal: Any) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        if name == "limits":
            return _in_order(*value)
        if name == "index":
            return self._stack.number(value)
        known: Any = {"cmap": colormaps, "scale": SCALES}[name]
        if value not in known:
            raise UnknownNameError({"cmap": "colour map"}.get(name, name), value, known)
        return value

    def _make_picture(self) -> None:
        rows, columns, aspect = self._stack.rows, self._stack.columns, self._stack.aspect()
        ratio = aspect * rows.length / columns.length if aspect else 0.75
        if not 0.05 < ratio < 20:  # a few rows: better seen than true
            ratio, aspect = 0.75, None
        with DRAWING, rc_context(STYLE):
            # A Figure without pyplot, which would keep the figure of every viewer for ever.
            size = (5.4, min(max(3.6 * ratio, 1.6), 4.8) + 0.75)
            layout = ConstrainedLayoutEngine(rect=(TOOLBAR_WIDTH, 0, 1 - TOOLBAR_WIDTH, 1))
            self.figure = Figure(size, dpi=100, layout=layout)
            axes = self.figure.add_subplot()
            (left, right), (top, bottom) = columns.edges, rows.edges
            extent = (left, right, bottom, top)  # row 0 at the top
            self.image = axes.imshow(
                self._stack.image(self.index),
                extent=extent,
                aspect=aspect or "auto",
                interpolation="auto",  # true pixels when large, means of pixels when small
                norm=Normalize(*self.limits),
            )
            axes.set(xlabel=columns.label, ylabel=rows.label)
            beside = axes.inset_axes((1.02, 0.0, 0.03, 1.0))  # as high as the image, always
            self.figure.colorbar(self.image, cax=beside, label=self._stack.label)

    def _show_index(self, _change: Any = None) -> None:
        with self.lock, DRAWING:
            where = f", {self._stack.dim} {self._stack.place(self.index)}"
            self.caption = self._stack.name + (where if self._stack.dim else "")
            self.image.set_data(self._stack.image(self.index))
            self.image.axes.set_title(self.caption, loc="left", fontsize=9)
        self._redraw()

    def _show_colors(self, _change: Any = None) -> None:
        low, high = self.limits
        if self.scale == "log":  # which has no place for 0
            high = high if high > 0 else 1.0
            low = low if low > 0 else min(self._stack.floor(self.index), high / 2)
        with self.lock, DRAWING:
            self.image.set_norm(SCALES[self.scale](vmin=low, vmax=high))
            self.image.set_cmap(colormaps[self.cmap].with_extremes(bad=_MISSING))
        self._redraw()

    def _redraw(self) -> None:
        if self.comm is not None:
            self._canvas.draw_idle()

    def _connect(self) -> None:
        self._canvas = LiveCanvas(self.figure, self.lock)
        self.children = make_controls(self, self._stack, self._canvas, SCALES)
        self.add_class("beamkit-viewer")

    def _disconnected(self) -> None:
        self._observe()
        self.children = ()
        FigureCanvasAgg(self.figure)

    def _still(self) -> bytes:
        with self.lock, DRAWING:
            return self._canvas.still()


def _in_order(low: float, high: float) -> tuple[float, float]:
    if not -math.inf < low <= high < math.inf:  # also catches nan
        raise ParameterError(f"limits are {low, high}; give two numbers, the lower one first.")
    return (low, high) if low < high else (low, low + max(abs(low), 1e-9) * 1e-6)
