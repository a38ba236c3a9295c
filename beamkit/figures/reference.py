"""Flats and darks: is the reference of a scan any good?"""

from __future__ import annotations

import xarray as xr
from matplotlib import rc_context

from .images import contrast
from .picture import STYLE, Picture


def reference_frames(flats: xr.DataArray, darks: xr.DataArray | None, *, caption: str) -> Picture:
    """Show the mean flat and dark, and the mean of each flat in the order of the scan.

    Parameters
    ----------
    flats, darks
        Shape (flat, detector_y, detector_x) and (dark, ...) [counts]. Darks may be None.
    caption
        What is seen.
    """
    picture = Picture(9, 2.7, caption=caption)
    axes = picture.panels(1, 3)
    with rc_context(STYLE):
        for panel, stack, title in ((axes[0], flats, "mean flat"), (axes[1], darks, "mean dark")):
            if stack is None:
                panel.set_axis_off()
                panel.set_title(f"{title}: none in the file")
                continue
            mean = stack.mean(str(stack.dims[0])).compute()
            low, high = contrast([mean], (0.005, 0.995))
            shown = panel.imshow(mean.values, vmin=low, vmax=high, aspect="auto")
            panel.set_title(f"{title} of {stack.shape[0]}")
            panel.set_xlabel("detector x")
            panel.set_ylabel("detector y")
            picture.colorbar(shown, ax=panel, shrink=0.9).set_label("counts")
        levels = flats.mean(flats.dims[1:]).compute()
        axes[2].plot(100 * (levels.values / float(levels.mean()) - 1), ".-", color="#4878a8")
        axes[2].set_title("beam: mean of each flat")
        axes[2].set_xlabel("flat, in the order of the scan")
        axes[2].set_ylabel("deviation from their mean [%]")
    return picture
