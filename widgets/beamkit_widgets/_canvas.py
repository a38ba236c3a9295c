"""The one door to ipympl, which shows matplotlib figures in a notebook."""

from __future__ import annotations

import threading
from base64 import b64encode
from io import BytesIO
from typing import Any

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from beamkit.core.optional import need


def _import_ipympl() -> Any:
    """Import ipympl without letting it take over the user's matplotlib, as its import does."""
    use = matplotlib.use
    matplotlib.use = lambda *_args, **_options: None
    try:
        return need("ipympl.backend_nbagg", extra="lab", to="show images in a notebook")
    finally:
        matplotlib.use = use


_ipympl = _import_ipympl()

#: One drawing at a time in the process: all figures share matplotlib's parser of text.
DRAWING = threading.RLock()

#: Buttons of the toolbar, and the part of a figure's width that they cover on the left.
_TOOLS = ("home", "pan", "zoom", "save_figure")
TOOLBAR_WIDTH = 0.07


class LiveCanvas(_ipympl.Canvas):  # type: ignore[misc, name-defined]
    """A figure in the browser, outside pyplot, whose callbacks wait for each other.

    Jupyter calls a widget on the main thread or on a subshell's, and matplotlib stands only one
    at a time (https://github.com/matplotlib/ipympl/issues/609).

    Parameters
    ----------
    figure
        What to show. It keeps its own canvas for files.
    lock
        Held during every callback: a threading.RLock.
    """

    def __init__(self, figure: Figure, lock: Any) -> None:
        self._lock = lock
        super().__init__(figure)
        _ipympl.FigureManager(self, 0)  # gives the canvas its toolbar
        self.header_visible = self.footer_visible = False
        self.toolbar_visible = True
        self.toolbar.toolitems = [item for item in self.toolbar.toolitems if item[3] in _TOOLS]

    def still(self) -> bytes:
        """Return the figure as PNG; kept in the saved state until a browser takes over."""
        buffer = BytesIO()
        with DRAWING:
            FigureCanvasAgg.print_png(self, buffer)  # savefig would draw twice
        png = buffer.getvalue()
        if self.syncing_data_url:
            self._size = tuple(int(length) for length in self.figure.bbox.size)
            self._data_url = f"data:image/png;base64,{b64encode(png).decode('ascii')}"
        return png

    def _handle_message(self, *message: Any) -> None:
        with self._lock:
            super()._handle_message(*message)

    def draw(self) -> None:
        """Draw the figure and send it."""
        with DRAWING:
            super().draw()

    def get_diff_image(self) -> bytes | None:
        """Return the whole frame: what only changed is worth nothing where a frame was lost.

        ipympl loses frames that it draws while the browser still sets up the canvas, as it does
        when all cells are run at once.
        """
        self._force_full = True
        png: bytes | None = super().get_diff_image()
        return png
