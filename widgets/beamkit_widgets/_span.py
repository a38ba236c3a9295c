"""A range of x, drawn with the mouse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

#: A drag of fewer pixels is a click: it takes the range away.
_LEAST = 4

Range = tuple[float, float] | None


class Span:
    """Let the mouse choose a range of x in a figure, while no tool of the toolbar is in use.

    Parameters
    ----------
    canvas
        Of the figure.
    axes
        Where the mouse draws.
    chosen
        Called with the range at the end of a drag, with None after a click; and with the range
        so far, and ``is_final=False``, during it.
    """

    def __init__(self, canvas: Any, axes: Axes, chosen: Callable[..., None]) -> None:
        self._canvas, self._axes, self._chosen = canvas, axes, chosen
        self._start: tuple[float, float] | None = None
        canvas.mpl_connect("button_press_event", self._press)
        canvas.mpl_connect("motion_notify_event", self._move)
        canvas.mpl_connect("button_release_event", self._release)

    def _press(self, event: Any) -> None:
        if event.inaxes is self._axes and event.button == 1 and not self._canvas.toolbar.mode:
            self._start = event.x, event.xdata

    def _move(self, event: Any) -> None:
        if self._start is not None:
            self._chosen(self._range(event), is_final=False)

    def _release(self, event: Any) -> None:
        if self._start is not None:
            found, self._start = self._range(event), None
            self._chosen(found, is_final=True)

    def _range(self, event: Any) -> Range:
        """Return the range from where the drag began; past the axes it ends at their edge."""
        if self._start is None or abs(event.x - self._start[0]) < _LEAST:
            return None
        left, right = self._axes.bbox.x0, self._axes.bbox.x1
        pixel = min(max(event.x, left), right)
        x = float(self._axes.transData.inverted().transform((pixel, 0))[0])
        low, high = sorted((self._start[1], x))
        return low, high


def draw_range(axes: Axes, limits: Range) -> list[Any]:
    """Shade a range over the whole height; return what was drawn."""
    if limits is None:
        return []
    low, high = limits
    shade = Rectangle(
        (low, 0),
        high - low,
        1,
        transform=axes.get_xaxis_transform(),
        facecolor="#4878a8",
        edgecolor="#4878a8",
        alpha=0.16,
        zorder=0,
    )
    return [axes.add_patch(shade)]
