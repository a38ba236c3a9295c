"""Sliders, menus and the line under a picture, linked to the traits of a viewer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import ipywidgets as ipw
from matplotlib import colormaps

from ._canvas import LiveCanvas
from ._image_stack import ImageStack
from ._shown import HIDE_PICTURE

#: The colour maps that come first in the menu.
_CMAPS = ("gray", "gray_r", "viridis", "magma", "cividis", "turbo", "coolwarm")

#: A picture stands before the widget, for when there is no kernel; the living widget hides it.
_STYLE = f"""<style>
{HIDE_PICTURE}
.beamkit-viewer {{ max-width: 552px; }}
.beamkit-viewer .jupyter-matplotlib {{ max-width: 100%; overflow: auto hidden; }}
.beamkit-viewer .widget-readout {{ min-width: 9em; }}
</style>"""


def make_controls(
    viewer: Any, stack: ImageStack, canvas: LiveCanvas, scales: Iterable[str]
) -> tuple[Any, ...]:
    """Return what a viewer shows, from top to bottom."""
    style = ipw.HTML(_STYLE, layout={"display": "none"})
    cursor = ipw.Label(" ", layout={"flex": "1 1 auto"})

    def point(event: Any) -> None:
        inside = event.inaxes is viewer.image.axes
        cursor.value = stack.describe(viewer.index, event.xdata, event.ydata) if inside else " "

    canvas.mpl_connect("motion_notify_event", point)
    menus = ipw.HBox([cursor, *_menus(viewer, scales)])
    rows = [_chooser(viewer, stack)] if stack.dim else []
    return (style, *rows, canvas, menus, _contrast(viewer, stack))


def _chooser(viewer: Any, stack: ImageStack) -> Any:
    slider = ipw.IntSlider(
        viewer.index, 0, len(stack) - 1, description=stack.dim, layout={"flex": "1 1 auto"}
    )
    place = ipw.Label()

    def tell(_change: Any = None) -> None:
        place.value = stack.place(viewer.index)

    tell()
    viewer.observe(tell, "index")
    return ipw.HBox([tie(viewer, "index", slider), place])


def _menus(viewer: Any, scales: Iterable[str]) -> list[Any]:
    choices = {"cmap": dict.fromkeys((*_CMAPS, *colormaps)), "scale": scales}
    return [
        tie(viewer, name, ipw.Dropdown(options=tuple(names), tooltip=name, layout={"width": "7em"}))
        for name, names in choices.items()
    ]


def _contrast(viewer: Any, stack: ImageStack) -> Any:
    low, high = viewer.limits
    least, most = stack.extremes(viewer.index)
    slider = ipw.FloatRangeSlider(
        value=(low, high),
        min=min(low, max(least, 2 * low - high)),
        max=max(high, min(most, 2 * high - low)),
        step=(high - low) / 200,
        description="contrast",
        readout_format=".4g",
        layout={"flex": "1 1 auto"},
    )

    def widen(_change: Any) -> None:
        slider.min = min(slider.min, viewer.limits[0])
        slider.max = max(slider.max, viewer.limits[1])

    viewer.observe(widen, "limits")  # before they are tied, so that it reaches the new limits
    tie(viewer, "limits", slider)
    auto = ipw.Button(description="auto", tooltip="contrast from this image")
    auto.layout.width = "4em"
    auto.on_click(lambda _button: viewer.auto())
    return ipw.HBox([slider, auto])


def tie(viewer: Any, name: str, control: Any) -> Any:
    """Keep a trait of the viewer and the value of a control the same, and return the control.

    Unlike traitlets.link, which raises when another thread sets one of them meanwhile.
    """

    def to_control(_change: Any = None) -> None:
        with viewer.lock:
            control.value = getattr(viewer, name)

    def to_viewer(_change: Any) -> None:
        with viewer.lock:
            setattr(viewer, name, control.value)

    to_control()
    viewer.observe(to_control, name)
    control.observe(to_viewer, "value")
    return control
