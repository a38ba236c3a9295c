"""Patterns: one with its rings and peaks, a series as a waterfall or as a map."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize, PowerNorm

from beamkit.core.errors import ParameterError, ShapeError
from beamkit.core.pattern_axes import radial_axis

from .picture import STYLE, Picture

#: Curves of a waterfall, and labels beside them.
_MOST_CURVES, _MOST_LABELS = 40, 12

#: Columns and rows of a map: more than a picture has pixels are averaged.
_MOST_CELLS = 1500

_CURVE, _LINE, _GOOD = "#4878a8", "#b3541e", "#3a8a5c"

SCALES = ("linear", "sqrt", "log")


def pattern(
    data: xr.Dataset,
    *,
    lines: xr.Dataset | None = None,
    peaks: xr.Dataset | None = None,
    scale: str = "sqrt",
    caption: str,
) -> Picture:
    """Show one pattern, with the rings of a calibrant and the peaks that were found.

    Parameters
    ----------
    data
        Of one dimension; a band shows ``sigma``.
    lines
        Of :func:`beamkit.diffraction.calibrant_check`: ticks under the pattern.
    peaks
        Of :func:`beamkit.diffraction.pattern_peaks`: marks above it.
    scale
        Of the intensity: ``"linear"``, ``"sqrt"`` or ``"log"``.
    caption
        What is seen.

    Raises
    ------
    ShapeError
        If there is more than one pattern.
    ParameterError
        If the scale is not known.
    """
    axis = radial_axis(data)
    intensity = _scaled_check(data["intensity"], scale)
    if intensity.ndim != 1:
        raise ShapeError(
            f"The picture is of one pattern, got {dict(intensity.sizes)}. Select one, as with "
            "pattern.isel(frame=0), or use beamkit.figures.waterfall."
        )
    picture = Picture(8, 3.4, caption=caption)
    (axes,) = picture.panels(1, 1)
    x, y = data[axis].values, np.asarray(intensity.values, float)
    with rc_context(STYLE):
        if "sigma" in data:
            s = data["sigma"].values
            axes.fill_between(x, y - s, y + s, color=_CURVE, alpha=0.3, lw=0)
        axes.plot(x, y, color=_CURVE, lw=1)
        _set_scale(axes, scale, y)
        if peaks is not None and peaks.sizes.get("peak", 0):
            place = peaks["position"].values
            axes.plot(place, np.interp(place, x, y), "v", color=_LINE, ms=3.5, label="peaks found")
        if lines is not None:
            _draw_lines(axes, lines)
        axes.set(xlim=(x[0], x[-1]), xlabel=label_of(data[axis]), ylabel=label_of(intensity))
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="upper right")
    return picture


def waterfall(
    data: xr.Dataset,
    *,
    offset: float | None = None,
    scale: str = "linear",
    by: str | None = None,
    caption: str,
) -> Picture:
    """Show the patterns of a series one above the other, the first at the bottom.

    Parameters
    ----------
    data
        Over (frame or another axis, radial axis). Of more than 40, 40 evenly spread are shown.
    offset
        From curve to curve [unit of the intensity; its root or logarithm with such a scale];
        None: a share of the range of the patterns, less the more there are.
    scale
        ``"linear"``, ``"sqrt"`` or ``"log"`` of the intensity.
    by
        Coordinate that labels the curves; None: that of the axis, or the number of the frame.
    caption
        What is seen.

    Raises
    ------
    ShapeError
        If the patterns are not over two axes.
    ParameterError
        If the scale or the coordinate is not known.
    """
    axis = radial_axis(data)
    stack = _stack(_scaled_check(data["intensity"], scale), axis)
    first = str(stack.dims[0])
    chosen = np.unique(
        np.linspace(0, stack.sizes[first] - 1, min(stack.sizes[first], _MOST_CURVES)).astype(int)
    )
    curves = _scaled(stack.isel({first: chosen}).values, scale)
    labels, title = _labels(stack, first, by)
    step = _offset(curves, offset)
    colors = colormaps["viridis"](np.linspace(0.05, 0.85, len(chosen)))
    picture = Picture(8, min(2.4 + 0.22 * len(chosen), 7), caption=caption)
    (axes,) = picture.panels(1, 1)
    named = set(np.linspace(0, len(chosen) - 1, min(len(chosen), _MOST_LABELS)).astype(int))
    x = stack[axis].values
    with rc_context(STYLE):
        for row, (number, values, color) in enumerate(zip(chosen, curves, colors, strict=True)):
            axes.plot(x, values + row * step, color=color, lw=0.9, zorder=len(chosen) - row)
            finite = values[np.isfinite(values)]
            if row in named and finite.size:
                axes.annotate(
                    labels[number], (1, finite[-20:].mean() + row * step), xytext=(4, 0),
                    xycoords=("axes fraction", "data"), textcoords="offset points",
                    color=color, fontsize=8, va="center", annotation_clip=False,
                )  # fmt: skip
        unit = label_of(stack) if scale == "linear" else f"{scale} of {label_of(stack)}"
        axes.set(xlim=(x[0], x[-1]), xlabel=label_of(stack[axis]), ylabel=f"{unit}, shifted")
        axes.set_yticks([])
        axes.set_title(f"curves by {title}, upwards", loc="right", color="0.4")
    return picture


def pattern_map(
    data: xr.Dataset,
    *,
    scale: str = "log",
    by: str | None = None,
    cmap: str = "magma",
    caption: str,
) -> Picture:
    """Show the patterns of a series as the rows of an image, the first at the bottom.

    Parameters
    ----------
    data
        Over (frame or another axis, radial axis).
    scale
        Of the colours: ``"linear"``, ``"sqrt"`` or ``"log"``. Bins without a value are grey.
    by
        Coordinate of the rows; None: that of the axis, or the number of the frame.
    cmap
        A colour map of matplotlib.
    caption
        What is seen.

    Raises
    ------
    ShapeError
        If the patterns are not over two axes.
    ParameterError
        If the scale or the coordinate is not known.
    """
    axis = radial_axis(data)
    stack = _stack(_scaled_check(data["intensity"], scale), axis)
    first = str(stack.dims[0])
    factors = {dim: max(1, -(-stack.sizes[dim] // _MOST_CELLS)) for dim in stack.dims}
    plain = stack.drop_vars([name for name in stack.coords if name != axis])  # texts have no mean
    image = plain.coarsen(factors, boundary="trim").mean().compute()
    rows, title = _rows(stack, image, first, by)
    picture = Picture(8, 4.2, caption=caption)
    (axes,) = picture.panels(1, 1)
    with rc_context(STYLE):
        axes.set_facecolor("0.85")
        mesh = axes.pcolormesh(
            image[axis].values, rows, np.ma.masked_invalid(image.values),
            norm=_norm(image.values, scale), cmap=cmap, shading="nearest", rasterized=True,
        )  # fmt: skip
        axes.set(xlabel=label_of(stack[axis]), ylabel=title)
        bar = picture.colorbar(mesh, ax=axes, pad=0.015, aspect=30, label=label_of(stack))
        bar.outline.set_linewidth(0.4)
    return picture


def calibrant_rings(rings: xr.Dataset, *, tolerance: float = 1e-3, caption: str) -> Picture:
    """Show how far each ring of a calibrant is from its place [%].

    Parameters
    ----------
    rings
        Of :func:`beamkit.diffraction.calibrant_check`.
    tolerance
        Part by which a ring may be off; the band.
    caption
        What is seen.
    """
    picture = Picture(8, 2.4, caption=caption)
    (axes,) = picture.panels(1, 1)
    off = 100 * (rings["ratio"].values - 1)
    places = np.arange(off.size)
    with rc_context(STYLE):
        axes.axhspan(-100 * tolerance, 100 * tolerance, color=_GOOD, alpha=0.15, lw=0)
        axes.axhline(0, color="0.6", lw=0.6)
        axes.plot(places, off, "o", color=_CURVE, ms=5)
        for place in places[~np.isfinite(off)]:
            axes.annotate(
                "not found", (place, 0), rotation=90, ha="center", va="center", color=_LINE,
                fontsize=8, bbox={"fc": "white", "ec": "none", "pad": 1},
            )  # fmt: skip
        axes.set_xticks(places, [str(label) for label in rings["label"].values])
        axes.set(xlim=(-0.6, off.size - 0.4), xlabel="ring", ylabel="off by [%]")
        axes.margins(y=0.2)
    return picture


def _draw_lines(axes: Axes, rings: xr.Dataset) -> None:
    """Draw where the rings must be, dashed those that were not found, with their labels on top."""
    above = axes.get_xaxis_transform()
    for place, found, label in zip(
        rings["expected"].values, rings["found"].values, rings["label"].values, strict=True
    ):
        style = "-" if np.isfinite(found) else "--"
        axes.axvline(place, color=_GOOD, lw=0.7, ls=style, alpha=0.8, zorder=0)
        axes.text(
            place, 1.01, str(label), transform=above, color=_GOOD, fontsize=7, rotation=90,
            ha="center", va="bottom",
        )  # fmt: skip
    axes.plot([], [], color=_GOOD, lw=0.9, label=f"rings of {rings.attrs['calibrant']}")


def label_of(values: xr.DataArray) -> str:
    """Return name and unit as the label of an axis: ``q [1/Å]``, ``2θ [deg]``."""
    name = {"two_theta": "2θ", "inverse_d_squared": "1/d²"}.get(str(values.name), str(values.name))
    units = str(values.attrs.get("units", "")).replace("angstrom", "Å")
    return f"{name} [{units}]" if units not in ("", "1") else name


def _scaled_check(intensity: xr.DataArray, scale: str) -> xr.DataArray:
    if scale not in SCALES:
        raise ParameterError(f"scale={scale!r} is not allowed. Give one of {', '.join(SCALES)}.")
    return intensity


def _stack(intensity: xr.DataArray, axis: str) -> xr.DataArray:
    stack = intensity.transpose(..., axis)
    if stack.ndim != 2:
        raise ShapeError(
            f"A series has patterns over one axis, this has {dict(stack.sizes)}. Select others "
            "with .isel(...), or stack them with .stack(frame=(...))."
        )
    return stack


def _set_scale(axes: Axes, scale: str, y: Any) -> None:
    if scale == "log":
        axes.set_yscale("log", nonpositive="clip")
    elif scale == "sqrt":
        axes.set_yscale("function", functions=(_root, _square))
        finite = y[np.isfinite(y)]
        top = float(finite.max()) if finite.size else 1.0
        axes.set_ylim(0, max(top, 1e-12) * 1.06)


def _root(values: Any) -> Any:
    return np.sqrt(np.maximum(values, 0))


def _square(values: Any) -> Any:
    return np.square(values)


def _scaled(values: Any, scale: str) -> Any:
    if scale == "sqrt":
        return _root(values)
    if scale == "log":
        return np.log10(np.where(values > 0, values, np.nan))
    return values


def _offset(curves: Any, offset: float | None) -> float:
    if offset is not None:
        return offset
    finite = curves[np.isfinite(curves)]
    spread = float(np.ptp(finite)) if finite.size else 1.0
    return spread * min(0.35, 3.0 / max(len(curves), 1))


def _labels(stack: xr.DataArray, first: str, by: str | None) -> tuple[list[str], str]:
    values = _coordinate(stack, first, by)
    if values is None:
        return [str(number) for number in range(stack.sizes[first])], f"{first} number"
    texts = [f"{value:.4g}" if values.dtype.kind == "f" else str(value) for value in values.values]
    return texts, label_of(values)


def _coordinate(stack: xr.DataArray, first: str, by: str | None) -> xr.DataArray | None:
    name = by or first
    if name in stack.coords and stack[name].dims == (first,):
        return stack[name]
    if by is not None:
        raise ParameterError(
            f"by={by!r} is no coordinate over {first}. There are: "
            f"{', '.join(str(name) for name in stack.coords)}."
        )
    return None


def _rows(stack: xr.DataArray, image: xr.DataArray, first: str, by: str | None) -> tuple[Any, str]:
    values = _coordinate(stack, first, by)
    step = stack.sizes[first] // image.sizes[first]
    numbers = (np.arange(image.sizes[first]) + 0.5) * step - 0.5
    is_rising = (
        values is not None and values.dtype.kind in "iuf" and bool((np.diff(values) > 0).all())
    )
    if values is None or not is_rising:
        return numbers, f"{first} number"
    return np.interp(numbers, np.arange(values.size), values.values), label_of(values)


def _norm(values: Any, scale: str) -> Normalize:
    good = values[np.isfinite(values)]
    low, high = (float(each) for each in np.quantile(good, (0.02, 0.998))) if good.size else (0, 1)
    if scale == "log":
        floor = float(good[good > 0].min()) if (good > 0).any() else 1e-3
        low = max(low, floor)
        return LogNorm(low, max(high, low * 1.01), clip=True)
    high = high if high > low else low + 1
    return PowerNorm(0.5, low, high, clip=True) if scale == "sqrt" else Normalize(low, high)
