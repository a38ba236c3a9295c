"""A map over a grid scan, and beside it the frame of the place that is clicked."""

from __future__ import annotations

import threading
from typing import Any

import ipywidgets as ipw
import numpy as np
import traitlets
import xarray as xr
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.layout_engine import ConstrainedLayoutEngine

from beamkit import figures
from beamkit.core.errors import ParameterError
from beamkit.diffraction import best
from beamkit.figures.picture import STYLE

from ._canvas import DRAWING, TOOLBAR_WIDTH, LiveCanvas
from ._several import Several, montage
from .viewer import ImageViewer

#: Size of the map [inch] and its dots per inch: it stands beside the image.
_SIZE, _DPI = (4.4, 3.6), 100


class GridViewer(Several, ipw.Box):  # type: ignore[misc]
    """See a map over a grid scan; click a place to see its frame.

    Everything the mouse can do, a cell can do by setting a trait: ``viewer.selected = (3, 7)``.

    Parameters
    ----------
    data
        The frames, lazy or not: what the map was made of.
    grid
        From :func:`beamkit.diffraction.grid_map`. Its ``frame`` numbers the frames of ``data``.
    selected
        As the attribute; None: the best place.
    **look
        Options of :class:`~beamkit_widgets.viewer.ImageViewer`, such as ``clim`` and ``panel``.

    Attributes
    ----------
    selected
        Row and column of the place, counted from 0 at the top left.
    frame
        Number of the frame there.
    viewers
        The image viewer of the frame, alone.

    Raises
    ------
    ShapeError
        If ``grid`` is no map over (row, column).
    InvalidPixelsError
        If all of it is NaN.
    ParameterError
        If a place is off the grid or has no frame, or there is no frame of a number.
    """

    selected = traitlets.Any()
    frame = traitlets.Int(0)

    def __init__(
        self,
        data: xr.Dataset | xr.DataArray,
        grid: xr.DataArray,
        *,
        selected: tuple[int, int] | None = None,
        **look: Any,
    ) -> None:
        top = best(grid)
        super().__init__()
        self.lock = threading.RLock()
        #: The map, as it was given.
        self.grid = grid
        self.viewers = (ImageViewer(data, **look),)
        self._make_map()
        self.selected = _place_of(grid, top.frame) if selected is None else selected
        self._link()
        self._is_made = True

    @property
    def value(self) -> float:
        """The map at the place that is selected, in its unit."""
        return float(self.grid.values[self.selected])

    @property
    def caption(self) -> str:  # type: ignore[override]
        """What is seen, in a line."""
        row, column = self.selected
        name = self.grid.name or "map"
        return f"{name} {self.value:.5g} at row {row}, column {column}: frame {self.frame}"

    @traitlets.validate("selected")  # type: ignore[untyped-decorator]
    def _check_selected(self, proposal: Any) -> tuple[int, int]:
        row, column = (int(number) for number in proposal["value"])
        rows, columns = self.grid.shape
        if not (0 <= row < rows and 0 <= column < columns):
            raise ParameterError(
                f"Place {row, column} is off the grid; it has rows 0 to {rows - 1} and columns 0 "
                f"to {columns - 1}."
            )
        if self.grid["frame"].values[row, column] < 0:
            raise ParameterError(
                f"There is no frame at row {row}, column {column}. Choose a place that was scanned."
            )
        return row, column

    @traitlets.validate("frame")  # type: ignore[untyped-decorator]
    def _check_frame(self, proposal: Any) -> int:
        _place_of(self.grid, proposal["value"])
        return int(proposal["value"])

    @traitlets.observe("selected")  # type: ignore[untyped-decorator]
    def _selected(self, _change: Any = None) -> None:
        self.frame = int(self.grid["frame"].values[self.selected])
        self._mark()

    @traitlets.observe("frame")  # type: ignore[untyped-decorator]
    def _moved(self, change: Any) -> None:
        self.selected = _place_of(self.grid, change["new"])
        self.viewers[0].frame = change["new"]

    def _slid(self, change: Any) -> None:
        if (self.grid["frame"].values == change["new"]).any():  # others are not on the map
            self.frame = change["new"]

    def _link(self) -> None:
        self.viewers[0].frame = self.frame
        self.viewers[0].observe(self._slid, "frame")

    def _make_map(self) -> None:
        with DRAWING, rc_context(STYLE):
            # The same picture as in a report, and a ring around the place that is selected.
            self.figure = figures.grid_scan(self.grid)
            self.figure.set_size_inches(*_SIZE)
            self.figure.set_dpi(_DPI)
            self.figure.set_layout_engine(
                ConstrainedLayoutEngine(rect=(TOOLBAR_WIDTH, 0, 1 - TOOLBAR_WIDTH, 1))
            )
            self.axes = self.figure.axes[0]
            self._ring = self.axes.plot(
                [], [], "o", mfc="none", mec="#ff5d5d", ms=15, mew=2, gid="selected"
            )[0]

    def _mark(self) -> None:
        row, column = self.selected
        place = self.grid["column"].values[column], self.grid["row"].values[row]
        with self.lock, DRAWING:
            self._ring.set_data([place[0]], [place[1]])
            self.axes.set_title(self.caption, loc="right", fontsize=8, pad=20)
        if self.comm is not None:
            self._canvas.draw_idle()

    def click(self, x: float, y: float) -> None:
        """Select the place nearest to a position, in the units of the map; empty ones stay so."""
        row, column = (
            int(np.abs(self.grid[name].values - at).argmin())
            for name, at in (("row", y), ("column", x))
        )
        if self.grid["frame"].values[row, column] >= 0:
            self.selected = row, column

    def _clicked(self, event: Any) -> None:
        is_moving = bool(self._canvas.toolbar.mode)  # a drag that zooms is no click
        if event.inaxes is self.axes and not is_moving:
            self.click(event.xdata, event.ydata)

    def _connect(self) -> None:
        self._canvas = LiveCanvas(self.figure, self.lock)
        self._canvas.mpl_connect("button_press_event", self._clicked)
        stage = self._make_stage("bk-grid", (self._canvas, *self.viewers))
        stage.layout = ipw.Layout(flex_flow="row wrap", width="100%")
        self.viewers[0].layout.flex = "1 1 420px"
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


def _place_of(grid: xr.DataArray, frame: int) -> tuple[int, int]:
    """Return row and column of a frame. Raises ParameterError if it is not on the map."""
    places = np.argwhere(grid["frame"].values == frame)
    if len(places) == 0:
        raise ParameterError(f"Frame {frame} is not on the map. Choose one of its frames.")
    row, column = (int(number) for number in places[0])
    return row, column
