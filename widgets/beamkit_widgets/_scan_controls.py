"""Menus beside the curves of a scan, linked to the traits of a viewer."""

from __future__ import annotations

import html
from typing import Any

import ipywidgets as ipw
import numpy as np

from beamkit.figures.scans import tell_fit
from beamkit.scans import statistics
from beamkit.scans.columns import is_monitor
from beamkit.scans.derivative import axis_of

from ._controls import tie
from ._shown import HIDE_PICTURE

#: What the menus say for a model.
MODELS = {
    "no fit": None,
    "Gaussian": "gaussian",
    "Lorentzian": "lorentzian",
    "pseudo-Voigt": "pseudo_voigt",
}

_STYLE = f"""<style>
{HIDE_PICTURE}
.beamkit-scan {{ max-width: 860px; }}
.beamkit-scan .beamkit-scan-row {{ flex-flow: row wrap; align-items: flex-start; }}
.beamkit-scan .jupyter-matplotlib {{ max-width: 100%; overflow: auto hidden; }}
.beamkit-scan .beamkit-scan-side {{ flex: 1 1 260px; min-width: 220px; max-width: 460px; }}
.beamkit-scan .widget-label {{ overflow: hidden; text-overflow: ellipsis; }}
.beamkit-scan .beamkit-numbers .widget-html-content {{ line-height: 1.45; white-space: pre-wrap;
  font-family: var(--jp-code-font-family, monospace); font-size: var(--jp-code-font-size, 13px); }}
</style>"""

#: Curves whose values the cursor tells.
_MOST_TOLD = 4


def make_scan_controls(viewer: Any, canvas: Any) -> tuple[Any, ...]:
    """Return what a viewer of scans shows, from top to bottom."""
    style = ipw.HTML(_STYLE, layout={"display": "none"})
    cursor = ipw.Label(" ")

    def point(event: Any) -> None:
        inside = event.inaxes is viewer.axes
        cursor.value = tell_cursor(viewer, event.xdata) if inside else " "

    canvas.mpl_connect("motion_notify_event", point)
    side = ipw.VBox([_columns(viewer), *_options(viewer), _numbers(viewer)])
    side.add_class("beamkit-scan-side")
    row = ipw.HBox([ipw.VBox([canvas, cursor]), side])
    row.add_class("beamkit-scan-row")
    return (style, row)


def tell_cursor(viewer: Any, x: float) -> str:
    """Return the nearest point of each curve at x."""
    told = []
    for label, curve in list(viewer.curves.items())[:_MOST_TOLD]:
        axis = axis_of(curve)
        places = np.asarray(axis.values, dtype=float)
        if np.isfinite(places).any():
            nearest = int(np.nanargmin(np.abs(places - x)))
            told.append(f"{label} {curve.values[nearest]:.6g} at {places[nearest]:.6g}")
    unit = str(axis.attrs.get("units", "")) if told else ""
    return f"{axis.name} {x:.6g} {unit}".rstrip() + ": " + "; ".join(told) if told else " "


def tell_numbers(viewer: Any) -> str:
    """Return the fit of the first curve, or else its statistics, as lines."""
    if viewer.fit is not None:
        fit = viewer.fit
        ground = [f"background {fit.background}"] if fit.success else []
        return "\n".join([tell_fit(fit), *ground])
    if viewer.problem:
        return str(viewer.problem)
    curve = viewer.first_in_selection()
    finite = np.isfinite(np.asarray(curve.values, dtype=float))
    return str(statistics(curve)) if finite.any() else "no numbers here"


def _columns(viewer: Any) -> Any:
    names = list(viewer.columns)
    chosen = tie(
        viewer,
        "y",
        ipw.SelectMultiple(
            options=names,
            rows=min(max(len(names), 2), 8),
            layout={"width": "auto"},
            tooltip="columns to show; several with Ctrl or Shift",
        ),
    )
    return ipw.VBox([ipw.Label("y (several with Ctrl)"), chosen])


def _options(viewer: Any) -> list[Any]:
    wide = {"width": "auto"}
    style = {"description_width": "6em"}
    axis = [viewer.default_x, *(name for name in viewer.columns if name != viewer.default_x)]
    monitors = sorted(viewer.columns, key=lambda name: not is_monitor(name))
    menus = {
        "x": ("x", axis),
        "monitor": ("divide by", [("nothing", None), *((name, name) for name in monitors)]),
        "scale": ("axes", list(viewer.SCALES)),
        "model": ("fit", list(MODELS.items())),
    }
    made = [
        tie(
            viewer,
            name,
            ipw.Dropdown(options=options, description=text, layout=wide, style=style),
        )
        for name, (text, options) in menus.items()
    ]
    derive = ipw.Checkbox(description="derivative", indent=False, layout={"width": "8em"})
    clear = ipw.Button(description="whole range", tooltip="fit and count all points", layout=wide)
    clear.on_click(lambda _button: viewer.set_trait("selection", None))
    return [*made, ipw.HBox([tie(viewer, "derivative", derive), clear])]


def _numbers(viewer: Any) -> Any:
    shown = ipw.HTML()
    shown.add_class("beamkit-numbers")

    def tell(_change: Any = None) -> None:
        with viewer.lock:
            shown.value = html.escape(tell_numbers(viewer))

    tell()
    viewer.observe(tell, ["fit", "problem", "y", "x", "monitor", "derivative", "selection"])
    return shown
