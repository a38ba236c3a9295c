"""A cake: intensity over the radial axis and azimuth, where the rings of a powder are straight."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib import rc_context

from beamkit.core.errors import ShapeError
from beamkit.core.pattern_axes import radial_axis

from .patterns import label_of
from .picture import STYLE, Picture

#: Quantiles of the intensity that are dark and bright.
_QUANTILES = (0.02, 0.995)


def cake(data: xr.Dataset, *, lines: xr.Dataset | None = None, caption: str) -> Picture:
    """Show one cake, with the places where the rings of a calibrant must be.

    Parameters
    ----------
    data
        ``intensity`` over (``chi``, radial axis), as :func:`beamkit.diffraction.integrate` gives
        it for two numbers of bins.
    lines
        Of :func:`beamkit.diffraction.calibrant_check`: ``expected`` places, on the same axis.
    caption
        What is seen.

    Raises
    ------
    ShapeError
        If the data are not one cake.
    """
    axis = radial_axis(data)
    intensity = data["intensity"]
    if set(intensity.dims) != {"chi", axis}:
        raise ShapeError(
            f"The picture is of one cake over chi and {axis}, got {dict(intensity.sizes)}. "
            "Integrate one image with npt=(radial, azimuthal)."
        )
    level = np.arcsinh(np.asarray(intensity.transpose("chi", axis).values, float))
    low, high = np.nanquantile(level, _QUANTILES) if np.isfinite(level).any() else (0.0, 1.0)
    picture = Picture(8, 3.6, caption=caption)
    (axes,) = picture.panels(1, 1)
    with rc_context(STYLE):
        axes.pcolormesh(
            data[axis].values,
            data["chi"].values,
            level,
            cmap="gray",
            vmin=low,
            vmax=max(high, low + 1e-9),
            shading="nearest",
            rasterized=True,
        )
        for place in [] if lines is None else lines["expected"].values:
            axes.axvline(place, color="#ffd54a", lw=0.7, alpha=0.8)
        x = data[axis].values
        axes.set(xlim=(x[0], x[-1]), xlabel=label_of(data[axis]), ylabel="azimuth chi [deg]")
    return picture
