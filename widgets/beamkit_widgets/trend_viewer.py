"""A number of each frame as a curve, and beside it the frame of the point that is clicked."""

from __future__ import annotations

import threading
from typing import Any

import ipywidgets as ipw
import numpy as np
import traitlets
import xarray as xr
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from beamkit.core.errors import ParameterError, ShapeError
from beamkit.figures.picture import STYLE
from beamkit.figures.trend import chosen, draw_trend
from beamkit.scans.trends import quantities, trends

from ._canvas import DRAWING, TOOLBAR_WIDTH, LiveCanvas
from ._several import Several, montage
from .viewer import ImageViewer

#: Size of the curve [inch] and its dots per inch: it stands beside the image.
_SIZE, _DPI = (3.9, 3.3), 100


class TrendViewer(Several, ipw.Box):  # type: ignore[misc]
    """See a number of each frame as a curve; click a point to see its frame.

    Everything the mouse can do, a cell can do by setting a trait: ``viewer.frame = 7``.

    Parameters
    ----------
    data
        The frames, lazy or not: what the numbers were made of.
    values
        A number for each of them: Dataset, DataArray or DataFrame, such as
        :func:`beamkit.diffraction.statistics` and :func:`beamkit.diffraction.fit_series` give.
    quantity, over, frame
        As the attributes.
    **look
        Options of :class:`~beamkit_widgets.viewer.ImageViewer`, such as ``clim`` and ``panel``.

    Attributes
    ----------
    quantity
        Which number is drawn.
    over
        Against which coordinate of the frames.
    frame
        Number of the frame that is seen.
    viewers
        The image viewer of the frame, alone.

    Raises
    ------
    ShapeError
        If there are more or fewer numbers than frames.
    UnknownNameError
        If there is no such number or coordinate.
    ParameterError
        If there is no such frame, or ``values`` is no table.
    """

    quantity = traitlets.Unicode()
    over = traitlets.Unicode()
    frame = traitlets.Int(0)

    def __init__(
        self,
        data: xr.Dataset | xr.DataArray,
        values: Any,
        *,
        quantity: str | None = None,
        over: str | None = None,
        frame: int = 0,
        **look: Any,
    ) -> None:
        #: The numbers, a variable each.
        self.curves = trends(values)
        (self._dim,) = (str(dim) for dim in self.curves.dims)
        name, axis = chosen(self.curves, quantity, over)
        super().__init__()
        self.lock = threading.RLock()
        self.viewers = (ImageViewer(data, **look),)
        self._check_number()
        self._make_curve()
        self.set_trait("quantity", name)
        self.set_trait("over", axis)
        self.frame = frame
        self._link()
        self._is_made = True
        self._redraw()

    @property
    def value(self) -> float:
        """The number of the frame that is seen, in its unit; NaN where there is none."""
        return float(self.curves[self.quantity].values[self.frame])

    @property
    def caption(self) -> str:  # type: ignore[override]
        """What is seen, in a line."""
        place = self.curves[self.over].values[self.frame]
        where = "" if self.over == self._dim else f", {self.over} {place:.6g}"
        number = f"{self.value:.5g}" if np.isfinite(self.value) else "without a number"
        return f"{self.quantity} {number}: {self._dim} {self.frame}{where}"

    @traitlets.validate("quantity", "over")  # type: ignore[untyped-decorator]
    def _check_name(self, proposal: Any) -> str:
        given = {proposal["trait"].name: str(proposal["value"])}
        name, axis = chosen(self.curves, given.get("quantity"), given.get("over"))
        return name if "quantity" in given else axis

    @traitlets.validate("frame")  # type: ignore[untyped-decorator]
    def _check_frame(self, proposal: Any) -> int:
        number, size = int(proposal["value"]), self.curves.sizes[self._dim]
        if not 0 <= number < size:
            raise ParameterError(f"There is no frame {number}; there are 0 to {size - 1}.")
        return number

    @traitlets.observe("quantity", "over")  # type: ignore[untyped-decorator]
    def _renamed(self, _change: Any) -> None:
        self._redraw()

    @traitlets.observe("frame")  # type: ignore[untyped-decorator]
    def _moved(self, change: Any) -> None:
        self.viewers[0].frame = change["new"]
        self._mark()

    def _slid(self, change: Any) -> None:
        self.frame = change["new"]

    def _check_number(self) -> None:
        source, numbers = self.viewers[0].source, self.curves.sizes[self._dim]
        frames = source.data.sizes[source.main] if source.main else 1
        if frames != numbers:
            raise ShapeError(
                f"There are {numbers} numbers for {frames} frames. Give one for each frame, NaN "
                "where there is none."
            )

    def _link(self) -> None:
        self.viewers[0].frame = self.frame
        self.viewers[0].observe(self._slid, "frame")

    def _make_curve(self) -> None:
        with DRAWING, rc_context(STYLE):
            self.figure = Figure(figsize=_SIZE, dpi=_DPI)
            FigureCanvasAgg(self.figure)
            self.figure.set_layout_engine(
                ConstrainedLayoutEngine(rect=(TOOLBAR_WIDTH, 0, 1 - TOOLBAR_WIDTH, 1))
            )
            self.axes = self.figure.add_subplot()

    def _redraw(self) -> None:
        if not self._is_made:
            return
        with self.lock, DRAWING, rc_context(STYLE):
            draw_trend(self.axes, self.curves, self.quantity, self.over)
            (self._ring,) = self.axes.plot(
                [], [], "o", mfc="none", mec="#ff5d5d", ms=12, mew=2, gid="selected"
            )
            self._line = self.axes.axvline(0, color="#ff5d5d", lw=0.8, alpha=0.6, gid="place")
        self._mark()

    def _mark(self) -> None:
        if not self._is_made:
            return
        place = self.curves[self.over].values[self.frame]
        with self.lock, DRAWING:
            self._ring.set_data([place], [self.value])
            self._line.set_xdata([place, place])
            self.axes.set_title(self.caption, loc="right", fontsize=8)
        if self.comm is not None:
            self._canvas.draw_idle()

    def click(self, x: float, y: float) -> None:
        """Show the frame whose point is nearest to a position, in the units of the curve."""
        places, numbers = self.curves[self.over].values, self.curves[self.quantity].values
        to_screen = self.axes.transData.transform
        points = to_screen(np.column_stack([places, np.where(np.isfinite(numbers), numbers, y)]))
        away = points - to_screen([(x, y)])
        away[:, 1] *= 0.3  # along the curve counts more than across it
        self.frame = int(np.hypot(*away.T).argmin())

    def _clicked(self, event: Any) -> None:
        is_moving = bool(self._canvas.toolbar.mode)  # a drag that zooms is no click
        if event.inaxes is self.axes and not is_moving:
            self.click(event.xdata, event.ydata)

    def _pressed(self, event: Any) -> None:
        step = {"left": -1, "right": 1, "home": -self.frame}.get(event.key or "", 0)
        self.frame = min(max(self.frame + step, 0), self.curves.sizes[self._dim] - 1)

    def _menus(self) -> Any:
        menus = []
        choices = {
            "quantity": quantities(self.curves),
            "over": [str(n) for n in self.curves.coords],
        }
        for name, options in choices.items():
            if len(options) > 1:
                menu = ipw.Dropdown(
                    options=options,
                    value=getattr(self, name),
                    description={"quantity": "show", "over": "against"}[name],
                    layout={"width": "auto", "max_width": "230px"},
                    style={"description_width": "auto"},
                )
                traitlets.link((self, name), (menu, "value"))
                menus.append(menu)
        return ipw.Box(menus, layout={"flex_flow": "row wrap"})

    def _connect(self) -> None:
        self._canvas = LiveCanvas(self.figure, self.lock)
        self._canvas.mpl_connect("button_press_event", self._clicked)
        self._canvas.mpl_connect("key_press_event", self._pressed)
        left = ipw.VBox([self._menus(), self._canvas])
        stage = self._make_stage("bk-trend", (left, *self.viewers))
        stage.layout = ipw.Layout(flex_flow="row wrap", width="100%")
        self.viewers[0].layout.flex = "1 1 400px"
        self.children = (stage,)
        self.layout.width = "100%"

    def _disconnected(self) -> None:
        super()._disconnected()
        with DRAWING:
            FigureCanvasAgg(self.figure)

    def _still(self) -> bytes:
        with self.lock, DRAWING:
            picture = self._canvas.still()
        return montage([picture, self.viewers[0]._still()], columns=2)
