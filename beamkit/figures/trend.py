"""One number of each frame against frame, time or any other coordinate."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib import rc_context
from matplotlib.axes import Axes

from beamkit.core.errors import UnknownNameError
from beamkit.scans.trends import quantities, trends

from .picture import STYLE, Picture

_CURVE, _MISSING = "#4878a8", "#b3541e"

#: More points than this are not marked one by one.
_MOST_MARKS = 400


def trend(
    values: Any,
    quantity: str | None = None,
    *,
    over: str | None = None,
    caption: str | None = None,
) -> Picture:
    """Show one number of each frame, with its uncertainty, and where there is none.

    Parameters
    ----------
    values
        As :func:`beamkit.scans.trends.trends` takes them.
    quantity
        Which number; None for the first.
    over
        Coordinate along the frames; None for the frame.
    caption
        What is seen; None: both names.

    Raises
    ------
    UnknownNameError
        If there is no such number or coordinate.
    """
    curves = trends(values)
    name, axis = chosen(curves, quantity, over)
    picture = Picture(8, 3.4, caption=caption or f"{name} against {axis}")
    (axes,) = picture.panels(1, 1)
    with rc_context(STYLE):
        draw_trend(axes, curves, name, axis)
    return picture


def chosen(curves: xr.Dataset, quantity: str | None, over: str | None) -> tuple[str, str]:
    """Return the names of a number and of a coordinate. Raises UnknownNameError."""
    names, places = quantities(curves), [str(name) for name in curves.coords]
    (dim,) = (str(name) for name in curves.dims)
    name, axis = quantity or names[0], over or dim
    if name not in names:
        raise UnknownNameError("quantity", name, names)
    if axis not in places:
        raise UnknownNameError("coordinate", axis, places)
    return name, axis


def draw_trend(axes: Axes, curves: xr.Dataset, name: str, over: str) -> None:
    """Draw a curve into axes, that are cleared before; frames without a number are ticks."""
    axes.clear()
    x, y = curves[over].values, curves[name].values
    order = np.argsort(x, kind="stable")
    mark = "." if len(y) <= _MOST_MARKS else ""
    error = curves.get(f"{name}_error")
    if error is not None:
        spread = np.where(np.isfinite(error.values), error.values, 0)
        axes.errorbar(x, y, spread, fmt="none", ecolor=_CURVE, elinewidth=0.8, alpha=0.6)
    axes.plot(x[order], y[order], marker=mark, color=_CURVE, lw=0.9, ms=5, gid="curve")
    missing = ~np.isfinite(y)
    if missing.any():
        at = np.full(int(missing.sum()), 0.02)
        axes.plot(
            x[missing], at, "|", color=_MISSING, ms=7, transform=axes.get_xaxis_transform(),
            gid="missing",
        )  # fmt: skip
        axes.set_title(f"{len(at)} frames without a number", loc="left", fontsize=8)
    axes.set(xlabel=_label(curves[over]), ylabel=_label(curves[name]))
    if len(x) and over in curves.dims and np.issubdtype(x.dtype, np.number):
        axes.margins(x=0.02)


def _label(values: xr.DataArray) -> str:
    unit = str(values.attrs.get("units", ""))
    return f"{values.name} [{unit}]" if unit not in ("", "1") else str(values.name)
