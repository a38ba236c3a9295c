"""Flats and darks: is the reference of a scan any good?"""

from __future__ import annotations

import xarray as xr
from matplotlib import rc_context
from matplotlib.axes import Axes

from .images import contrast
from .picture import STYLE, Picture


def reference_frames(
    flats: xr.DataArray | None, darks: xr.DataArray | None, *, caption: str
) -> Picture:
    """Show the mean flat and dark, and the mean of each flat in the order of the scan.

    Parameters
    ----------
    flats, darks
        Shape (flat, detector_y, detector_x) and (dark, ...) [counts]; None where there are none.
    caption
        What is seen.
    """
    picture = Picture(9, 2.7, caption=caption)
    axes = picture.panels(1, 3)
    with rc_context(STYLE):
        _mean(picture, axes[0], flats, "flat")
        _mean(picture, axes[1], darks, "dark")
        _beam(axes[2], flats)
    return picture


def _mean(picture: Picture, panel: Axes, stack: xr.DataArray | None, name: str) -> None:
    if stack is None:
        panel.set_axis_off()
        panel.set_title(f"the scan has no {name}s")
        return
    mean = stack.mean(str(stack.dims[0])).compute()
    low, high = contrast([mean], (0.005, 0.995))
    shown = panel.imshow(mean.values, vmin=low, vmax=high, aspect="auto")
    panel.set_title(f"mean of {stack.shape[0]} {name}s")
    panel.set_xlabel("detector x")
    panel.set_ylabel("detector y")
    picture.colorbar(shown, ax=panel, shrink=0.9).set_label("counts")


def _beam(panel: Axes, flats: xr.DataArray | None) -> None:
    if flats is None:
        panel.set_axis_off()
        return
    levels = flats.mean(flats.dims[1:]).compute()
    is_numbered = "flat_frame" in flats.coords
    frames = flats["flat_frame"].values if is_numbered else range(flats.shape[0])
    panel.plot(frames, 100 * (levels.values / float(levels.mean()) - 1), ".", color="#4878a8")
    panel.set_title("beam: mean of each flat")
    panel.set_xlabel("frame of the scan" if is_numbered else "flat, in the order of the scan")
    panel.set_ylabel("deviation from their mean [%]")
