"""Histograms and resolution curves."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib import rc_context

from .images import units_label
from .picture import STYLE, Picture


def histogram(data: xr.DataArray, *, caption: str, bins: int = 256) -> Picture:
    """Show how often each value occurs, on a logarithmic axis.

    Parameters
    ----------
    data
        Any shape; NaN is left out.
    caption
        What is seen.
    bins
        Number of bins between the quantiles 0.0005 and 0.9995.
    """
    values = data.values[np.isfinite(data.values)]
    low, high = np.quantile(values, (0.0005, 0.9995)) if values.size else (0.0, 1.0)
    counts, edges = np.histogram(values, bins, (low, high if high > low else low + 1))
    picture = Picture(7, 2.6, caption=caption)
    (axes,) = picture.panels(1, 1)
    with rc_context(STYLE):
        axes.stairs(counts, edges, fill=True, color="#4878a8")
        axes.set_yscale("log", nonpositive="clip")
        axes.set_ylim(bottom=0.7)
        axes.set_xlim(edges[0], edges[-1])
        axes.set_xlabel(units_label(data))
        axes.set_ylabel("voxels")
    return picture


def ring_correlation(
    correlation: xr.DataArray, *, threshold: xr.DataArray, resolution: float | None, caption: str
) -> Picture:
    """Show the Fourier ring correlation of two half data sets, and where it crosses the threshold.

    Parameters
    ----------
    correlation, threshold
        Over ``frequency`` [1/pixel], from 0 to 0.5.
    resolution
        Where they cross [pixel]; None if they do not.
    caption
        What is seen.
    """
    picture = Picture(7, 2.6, caption=caption)
    (axes,) = picture.panels(1, 1)
    frequency = correlation["frequency"].values
    with rc_context(STYLE):
        axes.plot(frequency, correlation.values, color="#4878a8", label="half against half")
        axes.plot(frequency, threshold.values, color="#5b6475", lw=1, ls="--", label="threshold")
        if resolution is not None:
            axes.axvline(1 / resolution, color="#b3541e", lw=1)
            axes.annotate(
                f"{resolution:.3g} pixel",
                (1 / resolution, 0.97),
                xytext=(4, 0),
                textcoords="offset points",
                va="top",
                color="#b3541e",
            )
        axes.set_xlim(0, 0.5)
        axes.set_ylim(-0.1, 1.05)
        axes.set_xlabel("spatial frequency [1/pixel]")
        axes.set_ylabel("correlation")
        axes.legend(loc="lower left")
    return picture
