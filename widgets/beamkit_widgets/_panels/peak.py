"""A peak, fitted to the profile that is shown."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from beamkit.images import Region, region_from_dict
from beamkit.peaks import Measured, PeakFit, fit_peak
from beamkit_widgets._panels._asked import as_asked
from beamkit_widgets._panels.frames import known_curve
from beamkit_widgets._panels.profile import center_of, curves_of, described

if TYPE_CHECKING:
    from beamkit_widgets.viewer import ImageViewer

    from . import Answer, Question

_ROWS = {
    "position": "Position",
    "fwhm": "Width (FWHM)",
    "height": "Height",
    "area": "Area",
    "fraction": "Lorentzian part",
    "background": "Background",
    "slope": "Slope",
}


def answer(viewer: ImageViewer, question: Question) -> Answer:
    """Return the profile, the peak that was fitted to it, and its numbers."""
    viewer = as_asked(viewer, question)
    drawn = question.get("roi", viewer._roi)
    curves = fittable(viewer, None if drawn is None else region_from_dict(drawn))
    if not curves:
        return {"names": [], "fit": None}, {}
    name = viewer.curve if viewer.curve in curves else next(iter(curves))
    curve = curves[name]
    told, arrays = described({name: curve})
    content = {"names": list(curves), "curve": told[0], "range": None, "fit": None}
    limits = viewer.peak_range
    if limits is not None and not _holds_any(curve, limits):
        limits = None  # that of another profile; the browser is told
    fit = fit_peak(curve, model=viewer.peak_model, range=limits)
    content |= {"range": limits and list(limits), "fit": _told(fit)}
    return content, {**arrays, **_lines(fit)}


def fittable(viewer: ImageViewer, region: Region | None) -> dict[str, xr.DataArray]:
    """Return the profiles in which there can be a peak, by name."""
    if region is None and center_of(viewer, None) is None:
        return {}
    curves = curves_of(viewer, region)
    if viewer.rocking is not None and region is not None:
        curves["frames"] = known_curve(viewer)
    return curves


def _holds_any(curve: xr.DataArray, limits: tuple[float, float]) -> bool:
    x = curve[curve.dims[0]].values
    return bool(((x >= limits[0]) & (x <= limits[1])).any())


def _told(fit: PeakFit) -> dict[str, Any]:
    rows = [
        {"name": name, "title": title, **_number(getattr(fit, name))}
        for name, title in _ROWS.items()
        if name != "fraction" or fit.model == "pseudo_voigt"
    ]
    return {
        "rows": rows,
        "success": fit.success,
        "reason": fit.reason,
        "chi2": _finite(fit.reduced_chi2),
        "errors": fit.errors,
    }


def _number(found: Measured) -> dict[str, Any]:
    value, error = _finite(found.value), _finite(found.error)
    return {"value": value, "error": error, "unit": found.unit, "text": str(found)}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _lines(fit: PeakFit) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
    curve = fit.curve()
    return {
        "fitX": curve[curve.dims[0]].values.astype(float),
        "fitY": curve.values,
        "groundY": fit.background_curve().values,
        "pointsX": fit.points.x,
        "residuals": fit.residuals.values,
    }
