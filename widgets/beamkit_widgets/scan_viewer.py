"""Scans as curves: choose columns, compare, normalise, fit."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import ipywidgets as ipw
import traitlets
import xarray as xr
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from beamkit import figures
from beamkit.core.errors import BeamkitError, ParameterError, UnknownNameError
from beamkit.figures.picture import STYLE, Picture
from beamkit.figures.scans import describe, plot_curves, plot_fit, scan_curves, set_log
from beamkit.peaks import MODELS, fit_peak
from beamkit.scans import default_signal, scanned_axis
from beamkit.scans.derivative import axis_of
from beamkit.scans.overlay import (
    require_one_axis,
    require_one_dimension,
    shared_columns,
    spec_number,
)

from ._canvas import DRAWING, TOOLBAR_WIDTH, LiveCanvas
from ._scan_controls import make_scan_controls
from ._shown import Shown
from ._span import Range, Span, draw_range

#: Size of the figure [inch]: it fits beside the side bar of a window of 900 pixels.
_SIZE = (4.5, 3.75)
#: Characters in a line of its legend.
_CHARACTERS = 50

#: What state and code are made of.
_STATE = ("x", "y", "monitor", "derivative", "scale", "model", "selection")


class ScanViewer(Shown, ipw.VBox):  # type: ignore[misc]
    """Show one scan or several as curves.

    Everything the mouse can do, a cell can do by setting a trait: ``viewer.y = ("sum", "maxval")``.
    Drag over the curves to choose the range for the fit and the numbers; click to take it away.

    Parameters
    ----------
    data
        One dataset of kind ``scan``, or several with the same axis.
    x, y, monitor, derivative, scale, model, selection
        As the attributes; for ``x`` and ``y`` None chooses what the files mean.

    Attributes
    ----------
    x, y
        Column along the axis, and the columns shown (a tuple).
    monitor
        Column to divide by; None for none.
    derivative
        Whether the derivative is shown.
    scale
        ``"linear"``, ``"log"`` (of y), ``"log x"`` or ``"log xy"``.
    model
        Peak that is fitted to the first curve: ``"gaussian"``, ``"lorentzian"``,
        ``"pseudo_voigt"`` or None.
    selection
        Lowest and highest x of the points that count; None: all.
    fit
        :class:`beamkit.peaks.PeakFit` of the first curve; None without a model.
    problem
        Why there is no fit, although there is a model; else empty.

    Raises
    ------
    ParameterError
        If there is no scan, their axes differ, or an option has a value that is not allowed.
    ShapeError
        If a scan is a grid.
    """

    x = traitlets.Unicode()
    y = traitlets.Tuple()
    monitor = traitlets.Unicode(None, allow_none=True)
    derivative = traitlets.Bool(False)
    scale = traitlets.Unicode("linear")
    model = traitlets.Unicode(None, allow_none=True)
    selection = traitlets.Any(None)
    fit = traitlets.Any(None)
    problem = traitlets.Unicode("")

    #: What ``log=`` of :func:`beamkit.figures.scan` is for each scale.
    SCALES: ClassVar[dict[str, str]] = {"linear": "", "log": "y", "log x": "x", "log xy": "xy"}

    def __init__(
        self,
        data: xr.Dataset | Sequence[xr.Dataset],
        *,
        x: str | None = None,
        y: str | Sequence[str] | None = None,
        monitor: str | None = None,
        derivative: bool = False,
        scale: str = "linear",
        model: str | None = None,
        selection: Range = None,
    ) -> None:
        super().__init__()
        self.scans = [data] if isinstance(data, xr.Dataset) else list(data)
        self.lock = threading.RLock()
        if not self.scans:
            raise ParameterError("There are no scans to show. Give at least one.")
        require_one_dimension(self.scans)
        axes = [scanned_axis(scan) for scan in self.scans]
        if x is None:
            require_one_axis(axes)
        self.default_x, self.default_y = str(axes[0].name), default_signal(self.scans[0])
        #: Columns that all scans have, the scanned one first.
        self.columns = list(dict.fromkeys([self.default_x, *shared_columns(self.scans)]))
        self._marks: list[Any] = []
        self._make_figure()
        self.x = self.default_x if x is None else x
        self.y = (self.default_y,) if y is None else (y,) if isinstance(y, str) else tuple(y)
        self.monitor, self.derivative, self.scale = monitor, derivative, scale
        self.model, self.selection = model, selection
        self._plot()
        self._observe()
        self._is_made = True

    def _observe(self) -> None:
        self.observe(self._plot, ["x", "y", "monitor", "derivative"])
        self.observe(self._rescale, "scale")
        self.observe(self._fit, ["model", "selection"])

    @traitlets.validate("x", "y", "monitor", "scale", "model", "selection")  # type: ignore[untyped-decorator]
    def _check(self, proposal: Any) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        if name == "selection":
            return _in_order(value)
        if name == "y" and not value:
            return self.y or (self.default_y,)  # the list cannot be emptied
        known: Any = {"scale": self.SCALES, "model": MODELS}.get(name, self.columns)
        what = {"scale": "scale", "model": "model of a peak"}.get(name, "column of these scans")
        for each in value if name == "y" else (value,):
            if each is not None and each not in known:
                raise UnknownNameError(what, str(each), known)
        return value

    def _make_figure(self) -> None:
        with DRAWING, rc_context(STYLE):
            # A Figure without pyplot, which would keep the figure of every viewer for ever.
            layout = ConstrainedLayoutEngine(rect=(TOOLBAR_WIDTH, 0, 1 - TOOLBAR_WIDTH, 1))
            self.figure = Figure(_SIZE, dpi=100, layout=layout)
            self.axes = self.figure.add_subplot()

    def _plot(self, _change: Any = None) -> None:
        with self.lock, DRAWING, rc_context(STYLE):
            self.curves = scan_curves(
                self.scans, self.y, self.x, derivative=self.derivative, monitor=self.monitor
            )
            self.caption = describe(self.curves, self.monitor)
            self.axes.clear()
            self._marks = []
            plot_curves(self.axes, self.curves, monitor=self.monitor, characters=_CHARACTERS)
            set_log(self.axes, self.SCALES[self.scale])
        self._fit()

    def _rescale(self, _change: Any = None) -> None:
        with self.lock, DRAWING:
            set_log(self.axes, self.SCALES[self.scale])
            self.axes.autoscale()
        self._mark(self.selection)

    def _fit(self, _change: Any = None) -> None:
        with self.lock:
            fit, problem = None, ""
            if self.model is not None:
                try:
                    first = next(iter(self.curves.values()))
                    fit = fit_peak(first, model=self.model, range=self.selection)
                except BeamkitError as error:  # too few points, no lmfit: told beside the curves
                    problem = str(error)
            self.set_trait("problem", problem)
            self.set_trait("fit", fit)
        self._mark(self.selection)

    def _mark(self, selection: Range) -> None:
        """Draw range and fit anew, and nothing else; what is zoomed stays so."""
        with self.lock, DRAWING, rc_context(STYLE):
            for mark in self._marks:
                mark.remove()
            limits = self.axes.get_xlim(), self.axes.get_ylim()
            self._marks = draw_range(self.axes, selection)
            if self.fit is not None:
                self._marks += plot_fit(self.axes, self.fit, is_brief=True)
            self.axes.set(xlim=limits[0], ylim=limits[1])
        if self.comm is not None:
            self._canvas.draw_idle()

    def _drag(self, found: Range, is_final: bool) -> None:
        if is_final:
            self.selection = found
        self._mark(found)

    def first_in_selection(self) -> xr.DataArray:
        """Return the part of the first curve that the selection holds."""
        first = next(iter(self.curves.values()))
        if self.selection is None:
            return first
        low, high = self.selection
        places = axis_of(first)
        return first[((places >= low) & (places <= high)).values]

    @property
    def state(self) -> dict[str, Any]:
        """All choices in one dictionary of plain values; set it to restore them."""
        return {name: getattr(self, name) for name in _STATE}

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        unknown = [name for name in state if name not in _STATE]
        if unknown:
            raise UnknownNameError("part of the state", unknown[0], _STATE)
        for name, value in state.items():
            setattr(self, name, tuple(value) if isinstance(value, list) else value)

    def picture(self) -> Picture:
        """Return the same picture as a static one, with labels of its own."""
        return figures.scan(self.scans, **self._options(), fit=self.fit)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture as PNG, SVG or PDF, by the suffix. Raises WriteError."""
        return self.picture().save(path)

    def code(self) -> str:
        """Return the Python that makes the same picture."""
        opened = [_opened(scan) for scan in self.scans]
        data = opened[0] if len(opened) == 1 else f"[{', '.join(opened)}]"
        options = self._options()
        if self.fit is not None:
            options["fit"] = self.model
            options["range"] = self.selection
        given = [f"{name}={value!r}" for name, value in options.items() if value is not None]
        return f"import beamkit as bk\n\nbk.figures.scan({', '.join([data, *given])})"

    def _options(self) -> dict[str, Any]:
        """Options of :func:`beamkit.figures.scan`, without what is so by itself."""
        y: Any = self.y[0] if len(self.y) == 1 else self.y
        options = {
            "y": None if y == self.default_y else y,
            "x": None if self.x == self.default_x else self.x,
            "monitor": self.monitor,
            "derivative": self.derivative or None,
            "log": self.SCALES[self.scale] or None,
        }
        return {name: value for name, value in options.items() if value is not None}

    def _connect(self) -> None:
        self._canvas = LiveCanvas(self.figure, self.lock)
        self._span = Span(self._canvas, self.axes, self._drag)  # matplotlib holds it only weakly
        self.children = make_scan_controls(self, self._canvas)
        self.add_class("beamkit-scan")

    def _disconnected(self) -> None:
        self._observe()
        self.children = ()
        FigureCanvasAgg(self.figure)

    def _still(self) -> bytes:
        with self.lock, DRAWING:
            return self._canvas.still()


def _in_order(limits: Any) -> Range:
    if limits is None:
        return None
    try:
        low, high = sorted(float(limit) for limit in limits)
    except (TypeError, ValueError):
        low = high = math.nan
    if not -math.inf < low < high < math.inf:  # also catches nan
        raise ParameterError(
            f"selection is {limits!r}; give the lowest and the highest x, or None."
        )
    return low, high


def _opened(scan: xr.Dataset) -> str:
    source, number = str(scan.attrs.get("source", "")), spec_number(scan)
    if not source:
        return "data"
    return f"bk.open({source!r}{f', scan={number}' if number else ''})"
