"""Rotation scans: numbers of the frames against the angle, rocking curves, and decay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import rc_context
from matplotlib.axes import Axes

from beamkit.core.errors import MetadataError, UnknownNameError
from beamkit.diffraction.decay import Decay
from beamkit.diffraction.rotation_scan import rotation_angle
from beamkit.peaks import PeakFit

from .picture import STYLE, Picture

_BLUE, _RED, _GREY = "#4878a8", "#b3541e", "#9aa3b0"

#: What is worth a panel.
COLUMNS = ("spots", "total", "background", "resolution")

#: More points than this are a line without marks.
_MARKS = 80


def rotation_scan(
    table: xr.Dataset,
    columns: Sequence[str] = COLUMNS,
    *,
    marked: Sequence[int] = (),
    caption: str | None = None,
) -> Picture:
    """Show numbers of the frames, one below the other, against the angle.

    Parameters
    ----------
    table
        From :func:`beamkit.diffraction.statistics`. Where the frames tell no angle, against the
        number of the frame.
    columns
        Names of the numbers.
    marked
        Numbers of frames to mark, such as the best.
    caption
        What is seen; None: the columns.

    Raises
    ------
    UnknownNameError
        If there is no such column.
    """
    for name in columns:
        if name not in table:
            raise UnknownNameError("column of the statistics", name, map(str, table.data_vars))
    x = _axis_of(table)
    chosen = np.isin(table[x.dims[0]].values, list(marked))
    text = caption or f"{', '.join(columns)} against {_name(x)}"
    picture = Picture(7, 0.6 + 1.25 * len(columns), caption=text)
    with rc_context(STYLE):
        every = picture.panels(len(columns), 1, sharex=True)
        for axes, name in zip(every, columns, strict=True):
            values = table[name].values.astype(float)
            _line(axes, x.values, values)
            axes.plot(x.values[chosen], values[chosen], "o", mfc="none", mec=_RED, ms=7)
            axes.set_ylabel(_label(name, table[name]))
            if name == "resolution":  # the best is at the top, as everybody draws it
                axes.invert_yaxis()
        every[-1].set_xlabel(_label(_name(x), x))
        picture.align_ylabels(every)
    return picture


def rocking_curve(
    curve: xr.Dataset, fit: PeakFit | None = None, *, caption: str | None = None
) -> Picture:
    """Show the counts of a region against the angle, and the peak that was fitted to them.

    Parameters
    ----------
    curve
        From :func:`beamkit.diffraction.rocking_curve`.
    fit
        From :func:`beamkit.diffraction.fit_rocking_curve`; drawn if it succeeded.
    caption
        What is seen; None: centre and width, or why there are none.
    """
    picture = Picture(7, 2.8, caption=caption or _words(fit))
    (axes,) = picture.panels(1, 1)
    angle = curve["angle"].values
    with rc_context(STYLE):
        axes.errorbar(
            angle, curve["net"], curve["net_error"], fmt=".", color=_BLUE, ecolor=_GREY,
            elinewidth=0.8, label="counts above the background",
        )  # fmt: skip
        if fit is not None and fit.success:
            line = fit.curve(np.linspace(angle.min(), angle.max(), 800))
            axes.plot(line[line.dims[0]], line, color=_RED, label=f"{fit.model.replace('_', '-')}")
            axes.axvline(fit.position.value, color=_RED, lw=0.8, ls="--")
        axes.set(xlabel="angle [deg]", ylabel="counts")
        axes.legend(loc="best")
    return picture


def decay(found: Decay, *, caption: str | None = None) -> Picture:
    """Show intensities against the dose, the exponential decay, and what it means.

    Parameters
    ----------
    found
        From :func:`beamkit.diffraction.fit_decay`.
    caption
        What is seen; None: the verdict.
    """
    picture = Picture(7, 2.8, caption=caption or f"Decay: {found.verdict}.")
    (axes,) = picture.panels(1, 1)
    points = found.points
    with rc_context(STYLE):
        axes.errorbar(
            points["dose"], points["intensity"],
            points.get("sigma"),
            fmt=".", color=_BLUE, ecolor=_GREY, elinewidth=0.8,
        )  # fmt: skip
        style = "-" if found.is_significant else "--"
        axes.plot(points["dose"], points["curve"], style, color=_RED, label=found.verdict)
        name = found.dose_unit if found.dose_unit == "frame" else _label("dose", points["dose"])
        axes.set(xlabel=name, ylabel=_label("intensity", points["intensity"]))
        axes.set_ylim(bottom=min(0.0, float(points["intensity"].min())))
        axes.legend(loc="lower left")
    return picture


def _axis_of(table: xr.Dataset) -> xr.DataArray:
    try:
        return rotation_angle(table)
    except MetadataError:
        dim = str(table[next(iter(table.data_vars))].dims[0])
        return table[dim]  # numbers from 0, if there is no coordinate


def _line(axes: Axes, x: Any, y: Any) -> None:
    style: dict[str, Any] = {"marker": ".", "ms": 5} if x.size <= _MARKS else {"lw": 0.9}
    axes.plot(x, y, color=_BLUE, **style)
    axes.margins(x=0.01)


def _words(fit: PeakFit | None) -> str:
    if fit is None:
        return "Rocking curve."
    if not fit.success:
        return f"Rocking curve without a peak: {fit.reason}."
    return f"Rocking curve: centre {fit.position}, FWHM {fit.fwhm}."


def _name(x: xr.DataArray) -> str:
    return str(x.name or x.dims[0])


def _label(name: str, values: xr.DataArray) -> str:
    units = str(values.attrs.get("units", "")).replace("angstrom", "Å")
    text = name.replace("_", " ")
    return f"{text} [{units}]" if units not in ("", "1") else text
