"""How the axis of rotation was found."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr
from matplotlib import rc_context

from .picture import STYLE, Picture


def center_curve(
    curve: xr.DataArray,
    *,
    center: float,
    uncertainty: float,
    candidates: Mapping[str, float],
    caption: str,
) -> Picture:
    """Show the metric over the whole detector, and close to the centre that was chosen.

    Parameters
    ----------
    curve
        Metric over ``center`` [pixel]; the smaller, the better.
    center, uncertainty
        What was chosen [pixel].
    candidates
        What each method found [pixel].
    caption
        What is seen.
    """
    picture = Picture(9, 2.7, caption=caption)
    whole, close = picture.panels(1, 2)
    reach = max(8 * uncertainty, 4.0, *(1.3 * abs(c - center) for c in candidates.values()), 0.0)
    nearby = curve.sel(center=slice(center - reach, center + reach))
    with rc_context(STYLE):
        for axes, part, title in ((whole, curve, "whole detector"), (close, nearby, "close by")):
            axes.plot(part["center"], part, color="#4878a8")
            axes.axvspan(center - uncertainty, center + uncertainty, color="#b3541e", alpha=0.15)
            axes.axvline(center, color="#b3541e", lw=1, label=f"chosen: {center:.2f}")
            axes.set_xlabel("centre of rotation [pixel]")
            axes.set_title(title)
            axes.set_yticks([])
        whole.set_ylabel("metric (low is good)")
        markers = "ovs^Dx+"
        bottom = float(nearby.min()) if nearby.size else float(curve.min())
        for marker, (method, value) in zip(markers, candidates.items(), strict=False):
            close.plot(
                [value], [bottom], marker, label=f"{method.replace('_', ' ')}: {value:.2f}", ms=5
            )
        close.set_xlim(center - reach, center + reach)
        close.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8)
    return picture
