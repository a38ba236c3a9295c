"""Scans as curves: several columns, several scans, and a fit with its numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from textwrap import fill, wrap
from typing import Any

import xarray as xr
from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from beamkit.core.errors import ParameterError
from beamkit.peaks import PeakFit, fit_peak
from beamkit.scans import curve, default_signal, scanned_axis
from beamkit.scans.derivative import axis_of
from beamkit.scans.overlay import labels_of, require_one_axis

from .picture import STYLE, Picture

#: Colours that differ for colour-blind eyes, too, and on paper.
COLORS = ("#4878a8", "#c8702a", "#3a8a5c", "#8a5aa8", "#b89a1e", "#c44e62", "#3aa0a8", "#5b6475")
_FIT = "#1a1a1a"

#: Axes that are logarithmic.
LOGS = {False: "", True: "y", "x": "x", "y": "y", "xy": "xy"}

#: Curves that the legend names.
_LEGEND_MOST = 12

#: Curves with more points are drawn without a mark for each.
_FEW_POINTS = 250


def scan(
    data: xr.Dataset | Sequence[xr.Dataset],
    y: str | Sequence[str] | None = None,
    x: str | None = None,
    *,
    derivative: bool = False,
    monitor: str | None = None,
    fit: str | PeakFit | None = None,
    range: tuple[float, float] | None = None,  # noqa: A002
    log: bool | str = False,
    caption: str | None = None,
) -> Picture:
    """Show one scan or several, against the axis that the file means.

    Parameters
    ----------
    data
        Datasets of kind ``scan``.
    y, x
        Columns; None: those that the files mean. Several ``y`` share one axis.
    derivative, monitor
        As in :func:`beamkit.scans.curve`.
    fit
        Fit of the first curve: one that was made, or the model to fit (see
        :func:`beamkit.peaks.fit_peak`); its numbers and errors are written beside it.
    range
        Lowest and highest x that take part in the fit; None: all.
    log
        True or ``"y"`` for a logarithmic y axis, ``"x"``, or ``"xy"``.
    caption
        What is seen; None: columns and names of the scans.

    Raises
    ------
    ParameterError
        If there is no scan, their axes differ, or an option cannot be.
    UnknownNameError
        If a column is not there.
    ShapeError
        If a scan is a grid, or the range has too few points.
    MissingDependencyError
        If a fit is asked for and lmfit is not installed.
    """
    if log not in LOGS:
        raise ParameterError(f'log is {log!r}; give True, False, "x", "y" or "xy".')
    curves = scan_curves(data, y, x, derivative=derivative, monitor=monitor)
    first = next(iter(curves.values()))
    found = fit_peak(first, model=fit, range=range) if isinstance(fit, str) else fit
    picture = Picture(7, 3.6, caption=caption or describe(curves, monitor))
    (axes,) = picture.panels(1, 1)
    with rc_context(STYLE):
        plot_curves(axes, curves, monitor=monitor)
        if found is not None:
            plot_fit(axes, found)
        set_log(axes, LOGS[log])
    return picture


def scan_curves(
    data: xr.Dataset | Sequence[xr.Dataset],
    y: str | Sequence[str] | None = None,
    x: str | None = None,
    *,
    derivative: bool = False,
    monitor: str | None = None,
) -> dict[str, xr.DataArray]:
    """Return the curves to show, by the name that tells them apart. Arguments as :func:`scan`."""
    scans = [data] if isinstance(data, xr.Dataset) else list(data)
    if not scans:
        raise ParameterError("There are no scans to show. Give at least one.")
    if x is None:
        require_one_axis([scanned_axis(each) for each in scans])
    names = [default_signal(scans[0])] if y is None else [y] if isinstance(y, str) else list(y)
    if not names:
        raise ParameterError("There is no column to show: y is empty. Give at least one.")
    curves = {}
    for label, each in zip(labels_of(scans), scans, strict=True):
        for name in names:
            told = [label] * (len(scans) > 1) + [name] * (len(names) > 1 or len(scans) == 1)
            curves[": ".join(told)] = curve(each, name, x, monitor=monitor, derivative=derivative)
    return curves


def plot_curves(
    axes: Axes, curves: dict[str, xr.DataArray], *, monitor: str | None = None, characters: int = 84
) -> None:
    """Draw curves with labels, units, and, of several, a legend above, so wide."""
    for number, (label, values) in enumerate(curves.items()):
        marks: dict[str, Any] = {"marker": "o", "markersize": 2.5}
        axes.plot(
            axis_of(values).values,
            values.values,
            color=COLORS[number % len(COLORS)],
            label=label if number < _LEGEND_MOST else "_",
            linewidth=1.1,
            **(marks if values.size <= _FEW_POINTS else {}),
        )
    axis = axis_of(next(iter(curves.values())))
    axes.set_xlabel(_label([str(axis.name)], [axis]))
    names = list(dict.fromkeys(str(values.name) for values in curves.values()))
    axes.set_ylabel(_label(names, curves.values(), monitor))
    if len(curves) > 1:
        _legend(axes, list(curves), characters)


def plot_fit(axes: Axes, fit: PeakFit, *, is_brief: bool = False) -> list[Artist]:
    """Draw a fit over its range, with its numbers on the side where there is room.

    Brief, these are position and width only.

    Returns what was drawn, so that it can be taken away again.
    """
    drawn: list[Artist] = []
    if fit.solution is None:
        place, text = 0.5, fit.reason
    else:
        found = fit.curve()
        axis = axis_of(found).values
        ground = fit.background_curve().values
        drawn += axes.plot(axis, found.values, color=_FIT, lw=1.2, label="_fit", zorder=3)
        drawn += axes.plot(axis, ground, color=_FIT, lw=0.7, ls=":", label="_background")
        place, text = fit.position.value, tell_fit(fit, is_brief=is_brief)
    low, high = axes.get_xlim()
    is_left = place - low > (high - low) / 2
    told = axes.text(
        0.015 if is_left else 0.985,
        0.97,
        text,
        transform=axes.transAxes,
        ha="left" if is_left else "right",
        va="top",
        fontsize=8,
        linespacing=1.4,
        gid="fit",
        bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1.5},
    )
    return [*drawn, told]


def tell_fit(fit: PeakFit, *, is_brief: bool = False) -> str:
    """Return the numbers of a fit in a few lines; of one that failed, the reason."""
    if not fit.success:
        return fill(fit.reason, 44)
    lines = [f"position {fit.position}", f"fwhm {fit.fwhm}"]
    if is_brief:
        return "\n".join(lines)
    lines.insert(0, fit.model.replace("_", "-"))
    lines += [f"height {fit.height}", f"area {fit.area}"]
    if fit.model == "pseudo_voigt":
        lines.append(f"Lorentzian {fit.fraction}")
    if math.isfinite(fit.reduced_chi2):
        lines.append(f"reduced chi² {fit.reduced_chi2:.3g}")
    remark = fit.reason.partition("; ")[2]
    return "\n".join([*lines, *wrap(remark, 44)])


def set_log(axes: Axes, which: str) -> None:
    """Make the axes named in ``"x"``, ``"y"``, ``"xy"`` logarithmic, and the others linear.

    What is not above 0 has no place on a logarithm and is left out.
    """
    for name in "xy":
        options = {"nonpositive": "mask"} if name in which else {}
        getattr(axes, f"set_{name}scale")("log" if name in which else "linear", **options)


def describe(curves: dict[str, xr.DataArray], monitor: str | None = None) -> str:
    """Return what is seen: columns, axis, and how many curves."""
    values = list(curves.values())
    names = list(dict.fromkeys(str(each.name) for each in values))
    several = f" ({len(values)} curves)" if len(values) > 1 else ""
    shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    normal = f", normalised by {monitor}" if monitor else ""
    return f"{shown} against {axis_of(values[0]).name}{normal}{several}"


def _legend(axes: Axes, labels: list[str], characters: int) -> None:
    widest = max(len(label) for label in labels[:_LEGEND_MOST])
    columns = max(1, min(len(labels), characters // (widest + 6)))
    hidden = len(labels) - _LEGEND_MOST
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=columns,
        fontsize=8,
        title=f"and {hidden} more" if hidden > 0 else None,
        title_fontsize=8,
        borderaxespad=0.2,
    )


def _label(names: list[str], columns: Iterable[xr.DataArray], monitor: str | None = None) -> str:
    """Return names and unit; one unit, or none where they differ."""
    units = {str(values.attrs.get("units", "")) for values in columns}
    unit = units.pop() if len(units) == 1 else ""
    text = ", ".join(names) if len(names) <= 2 else ""
    if monitor and text:
        text += f", by {monitor}"
    shown = unit.replace("um", "µm").replace("angstrom", "Å")
    return f"{text} [{shown}]".strip() if unit not in ("", "1") else text
