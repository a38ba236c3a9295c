"""What a calibration rests on: rings and points on the image, and how far the points are off."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from beamkit.core.errors import ShapeError
from beamkit.diffraction import Calibration, rings

from .picture import STYLE, Picture

#: Quantiles of the image that are black and white.
_QUANTILES = (0.02, 0.995)


def calibration(image: xr.DataArray, result: Calibration, *, caption: str | None = None) -> Picture:
    """Show fitted rings and used points on the image, and residuals against azimuth by ring.

    Parameters
    ----------
    image
        That was calibrated with, shape (detector_y, detector_x).
    result
        Of :func:`beamkit.diffraction.calibrate`.
    caption
        What is seen; None: calibrant, distance and rms.

    Returns
    -------
    picture
        ``save`` writes PNG, SVG or PDF.

    Raises
    ------
    ShapeError
        If the image has not two dimensions.
    """
    frame = image.squeeze()
    if frame.ndim != 2:
        raise ShapeError(
            f"The picture is of one image, got {dict(image.sizes)}. Take one with .isel(frame=0)."
        )
    picture = Picture(10, 4.6, caption=caption or _caption(result))
    with rc_context(STYLE):
        left, right = picture.subplots(1, 2, width_ratios=(1, 1.15))
        _show_image(left, frame, result)
        _show_residuals(right, result)
    return picture


def _caption(result: Calibration) -> str:
    trust = "" if result.is_trusted else "; not trusted"
    distance = 1e3 * result.values["detector_distance"]
    return (
        f"{result.calibrant.name} at {distance:.3f} mm: {result.points.sizes['point']} points, "
        f"rms {result.rms_pixel:.2f} pixel{trust}"
    )


def _show_image(axes: Axes, frame: xr.DataArray, result: Calibration) -> None:
    values = np.asarray(frame.values, float)
    level = np.arcsinh(np.where(values < 0, np.nan, values))
    low, high = np.nanquantile(level, _QUANTILES)
    x0, y0 = (float(frame[dim][0]) if dim in frame.coords else 0.0 for dim in reversed(frame.dims))
    extent = (x0, x0 + frame.shape[1], y0 + frame.shape[0], y0)
    axes.imshow(level, cmap="gray", vmin=low, vmax=max(high, low + 1e-9), extent=extent)
    halo = [withStroke(linewidth=1.6, foreground="black")]
    for curve in rings(result.geometry, result.rings["d"].values):
        line = curve.points
        axes.plot(line[:, 0], line[:, 1], color="#ffd54a", lw=0.6, path_effects=halo)
    points = result.points
    axes.plot(points["x"], points["y"], ".", color="#ff5d5d", ms=1.8, mew=0)
    place = result.geometry.beam_center
    axes.plot([place.x], [place.y], "+", color="#7fd8ff", ms=10, mew=1.2)
    axes.set(xlim=extent[:2], ylim=extent[2:], xlabel="x [pixel]", ylabel="y [pixel]")
    axes.set_title("rings of the geometry, and points used")


def _show_residuals(axes: Axes, result: Calibration) -> None:
    points, table = result.points, result.rings
    shown = table["ring"].values[table["number"].values > 0]
    spread = max(float(np.abs(points["residual"]).max()), 1e-6) * 2.2
    colors = colormaps["viridis"](np.linspace(0.1, 0.85, max(len(shown), 1)))
    for row, (number, color) in enumerate(zip(shown, colors, strict=False)):
        own = points["ring"].values == number
        axes.axhline(row * spread, color="0.8", lw=0.6, zorder=0)
        axes.plot(
            points["chi"].values[own],
            points["residual"].values[own] + row * spread,
            ".", color=color, ms=3, mew=0,
        )  # fmt: skip
    axes.set_yticks(
        np.arange(len(shown)) * spread, [str(table["label"].sel(ring=n).item()) for n in shown]
    )
    axes.set(xlim=(-180, 180), xlabel="azimuth chi [deg]", ylabel="ring")
    axes.set_xticks([-180, -90, 0, 90, 180])
    axes.set_title(f"distance from the ring; {spread / 2:.2g} pixel is half a row")
