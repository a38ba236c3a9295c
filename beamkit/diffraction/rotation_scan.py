"""Rotation scans: the angle of each frame, rocking curves, and the decay of the intensity."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from beamkit.core.errors import MetadataError, ShapeError
from beamkit.core.history import extend
from beamkit.core.schema import FRAMES, main_variable
from beamkit.images import Region
from beamkit.images import rocking_curve as curve_of
from beamkit.peaks import PeakFit, fit_peak

#: Coordinates that tell where a frame began, the first that changes from frame to frame is taken.
_STARTS = ("start_angle", "omega", "phi", "kappa", "chi")

#: Turns below this are the noise of an encoder, not a rotation [deg].
_LEAST = 1e-4

#: What a rocking curve holds.
_NUMBERS = ("net", "net_error", "sum", "background", "max", "pixels")


def rotation_angle(data: xr.Dataset | xr.DataArray) -> xr.DataArray:
    """Return the angle at the middle of each frame.

    A coordinate ``angle`` is taken as it is. Else frames begin at ``start_angle``, ``omega``,
    ``phi``, ``kappa`` or ``chi``, whichever changes first in this order, and turn by
    ``attrs["angle_increment"]``; without it, by the median step between them.

    Parameters
    ----------
    data
        Frames, or their statistics; with coordinates over ``frame``, or over the first dimension.

    Returns
    -------
    angle
        Shape (frame,) [deg].

    Raises
    ------
    MetadataError
        If no angle is known, or none changes.

    Examples
    --------
    >>> start = ("frame", [10.0, 10.5, 11.0], {"units": "deg"})
    >>> rotation_angle(xr.Dataset(coords={"omega": start})).values.tolist()
    [10.25, 10.75, 11.25]
    """
    if "angle" in data.coords and data["angle"].ndim == 1:
        return data["angle"]
    for name in _STARTS:
        if name in data.coords and data[name].ndim == 1 and data[name].size > 1:
            start = np.asarray(data[name].values, float)
            if np.nanmax(np.abs(np.diff(start)), initial=0.0) > _LEAST:
                return _middles(data[name], start, data.attrs.get("angle_increment"))
    known = ", ".join(str(each) for each in data.coords) or "none"
    raise MetadataError(
        "The frames tell no angle that changes from one to the next; their coordinates are "
        f"{known}. If it is a rotation scan, add it: "
        "data.assign_coords(angle=('frame', degrees))."
    )


def rocking_curve(
    data: xr.Dataset | xr.DataArray, region: Region, *, mask: Any = None, margin: int = 3
) -> xr.Dataset:
    """Return the counts of a region, above the background around it, against the angle.

    Parameters
    ----------
    data
        Frames of a rotation scan, shape (frame, detector_y, detector_x) [counts], lazy or not.
    region
        Such as a :class:`beamkit.images.Rectangle` around a spot; in positions of the array.
    mask
        Shape (detector_y, detector_x); None: that of the dataset, if it has one.
    margin
        Width of the frame around the region, where the background is taken [pixel].

    Returns
    -------
    curve
        Over ``frame``, with the coordinate ``angle`` [deg]: ``net`` and ``net_error`` (standard
        error), ``sum``, ``background`` (of a pixel), ``max`` [counts] and ``pixels`` [1]. A frame
        that could not be read is NaN. See :func:`beamkit.images.rocking_curve`.

    Raises
    ------
    MetadataError
        If the angles are not known.
    ShapeError
        If there is no stack of images, or the mask has another shape.
    ParameterError
        If the region covers no pixel, or the margin is below 1.
    """
    stack = data[main_variable(data)] if isinstance(data, xr.Dataset) else data
    if isinstance(data, xr.Dataset) and mask is None:
        mask = data.get("mask")
    if stack.ndim != len(FRAMES):
        raise ShapeError(
            f"A rotation scan has the dimensions {FRAMES}, got {stack.dims}. Open all its frames."
        )
    angle = rotation_angle(data)
    curve = curve_of(stack, region, mask=mask, which=_NUMBERS, margin=margin)
    curve = curve.assign_coords(angle=(stack.dims[0], angle.values, {"units": "deg"}))
    curve.attrs["history"] = extend(data.attrs, "rocking_curve", {"region": region.to_dict()})
    return curve


def fit_rocking_curve(
    curve: xr.Dataset,
    *,
    model: str = "gaussian",
    range: tuple[float, float] | None = None,  # noqa: A002
) -> PeakFit:
    """Fit the peak of a rocking curve: its centre, width and area with standard errors.

    The width is that of the curve: the counts of a frame are those of all its turn, which adds
    ``increment**2 / 12`` to the variance of the peak (Sheppard's correction; Kendall & Stuart, The
    Advanced Theory of Statistics 1, section 3.18). It widens a peak of the width of a frame
    (FWHM) by 21 %, one of three frames by 2.5 %.

    Parameters
    ----------
    curve
        From :func:`rocking_curve`.
    model
        As in :func:`beamkit.peaks.fit_peak`.
    range
        First and last angle that take part [deg]; None: all.

    Returns
    -------
    fit
        ``position`` and ``fwhm`` [deg], ``area`` [counts deg]; look at ``success`` and ``reason``.

    Raises
    ------
    ShapeError
        If it is no rocking curve, or too few of its points are in the range.
    ParameterError
        If model or range cannot be.
    MissingDependencyError
        If lmfit (extra ``diffraction``) is not installed.
    """
    if "net" not in curve or "angle" not in curve.coords:
        raise ShapeError(
            f"A rocking curve has net counts over an angle, got {list(curve.variables)}. "
            "Make it by rocking_curve(data, region)."
        )
    net = curve["net"].assign_coords(angle=curve["angle"])
    order = net.swap_dims({net.dims[0]: "angle"}).reset_coords(drop=True)
    return fit_peak(order, model=model, range=range, sigma=_usable(curve["net_error"].values))


def _usable(error: Any) -> Any:
    """Return errors that can be weights: a frame without a count is not known without error."""
    values = np.asarray(error, float)
    return np.where(np.isfinite(values), np.maximum(values, 1.0), np.nan)


def _middles(start: xr.DataArray, values: Any, increment: Any) -> xr.DataArray:
    step = float(np.nanmedian(np.diff(values)))
    turn = step if increment is None or not np.isfinite(increment) else float(increment)
    if abs(turn) <= _LEAST:  # still shots at several angles
        turn = 0.0
    angle = start.copy(data=values + turn / 2).rename("angle")
    return angle.assign_attrs(units="deg", long_name=f"{start.name} at the middle of the frame")
