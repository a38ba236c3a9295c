"""From counts to transmission: divide out the beam profile and the detector offset."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.errors import ParameterError, ShapeError
from beamkit.core.history import step
from beamkit.core.schema import (
    ANGLE,
    DARKS,
    DETECTOR_X,
    DETECTOR_Y,
    FLATS,
    PROJECTIONS,
    note,
    require_dims,
    require_quantity,
)

_FRAME = {ANGLE: "projection_frame", "flat": "flat_frame", "dark": "dark_frame"}
_GROUP = "group"


@step(quantity="transmission", units="1")
def flat_field(
    projections: xr.DataArray,
    flats: xr.DataArray,
    darks: xr.DataArray | None,
    *,
    average: str = "mean",
    interpolate: bool = True,
    floor: float = 1e-6,
) -> xr.DataArray:
    """Divide out the beam profile and the detector offset.

    ``transmission = (projections - dark) / (flat - dark)``, with ``flat`` and ``dark`` averaged
    over their frames (Kak & Slaney 1988, section 4.1). Flats (or darks) between which projections
    were taken are averages of their own; a projection is divided by the linear interpolation in
    raw frame number of the one before and the one after it, or by the nearest where there is
    none on one side (Mirone et al. 2014, doi:10.1016/j.nimb.2013.09.030, section 2).

    Works on lazy arrays (the result is lazy) and on arrays in memory.

    Parameters
    ----------
    projections
        Shape (angle, detector_y, detector_x) [counts]. Raw frame numbers in the coordinate
        ``projection_frame``, if they are known.
    flats
        Frames without sample, shape (flat, detector_y, detector_x) [counts], with
        ``flat_frame`` if known. Frame numbers that are those of projections were counted in
        another file; such flats are averaged into one.
    darks
        Frames without beam, shape (dark, detector_y, detector_x) [counts], with ``dark_frame``
        if known. None takes the offset as 0, and ``attrs["notes"]`` says so.
    average
        ``"mean"``: least noise; ``"median"``: not moved by single frames that went wrong.
    interpolate
        False averages all flats into one, and all darks.
    floor
        Lowest transmission returned [1], above 0, so that a later logarithm stays finite.

    Returns
    -------
    transmission
        Shape and coordinates of ``projections``, float32 [1]. NaN where the detector is dead
        (the flat is not above the dark), and where the projection is above
        ``attrs["count_cutoff"]``, if that is known.

    Raises
    ------
    ShapeError
        If dimensions differ from those above, detector sizes disagree, or there are no frames.
    QuantityError
        If the projections are not counts.
    ParameterError
        If an option has a value that is not allowed.
    """
    _check(projections, flats, darks, average, floor)
    frames = _raw_frames(projections, ANGLE) if interpolate else None
    flat, flat_weights = _groups(flats, frames, average)
    if darks is None:
        dark, dark_weights = xr.zeros_like(flat.isel({_GROUP: [0]})), _one_group(projections)
    else:
        dark, dark_weights = _groups(darks, frames, average)
    result: xr.DataArray = xr.apply_ufunc(
        _transmission,
        projections,
        flat.drop_vars((DETECTOR_X, DETECTOR_Y), errors="ignore"),
        dark.drop_vars((DETECTOR_X, DETECTOR_Y), errors="ignore"),
        flat_weights.rename({_GROUP: "flat_group"}),
        dark_weights.rename({_GROUP: "dark_group"}),
        input_core_dims=[[], [_GROUP], [_GROUP], ["flat_group"], ["dark_group"]],
        kwargs={"floor": floor, "cutoff": projections.attrs.get("count_cutoff")},
        exclude_dims={_GROUP},
        dask="parallelized",
        output_dtypes=[np.float32],
    )
    if darks is None:
        result.attrs["notes"] = list(projections.attrs.get("notes", []))
        note(result.attrs, "notes", "no darks: the offset of the detector was taken as 0")
    return result.transpose(*PROJECTIONS)


def _check(
    projections: xr.DataArray,
    flats: xr.DataArray,
    darks: xr.DataArray | None,
    average: str,
    floor: float,
) -> None:
    require_dims(projections, PROJECTIONS, what="projections")
    require_quantity(
        projections, "counts", to="divide by the flats", cure="They have been divided already."
    )
    _require_detector(projections, flats, "flats", FLATS)
    if darks is not None:
        _require_detector(projections, darks, "darks", DARKS)
    if average not in ("mean", "median"):
        raise ParameterError(f"average is {average!r}; allowed are 'mean' and 'median'.")
    if not floor > 0:
        raise ParameterError(f"floor is {floor}; it must be above 0, such as 1e-6.")


def _require_detector(
    projections: xr.DataArray, frames: xr.DataArray, what: str, dims: tuple[str, ...]
) -> None:
    require_dims(frames, dims, what=what)
    if frames.shape[0] == 0:
        raise ShapeError(f"There are no {what}: their number is 0. Give at least one frame.")
    if frames.shape[1:] != projections.shape[1:]:
        raise ShapeError(
            f"{what} have detector size {frames.shape[1:]}, projections {projections.shape[1:]}. "
            "Crop both with the same region of interest."
        )
    for name in (DETECTOR_Y, DETECTOR_X):
        if name not in frames.coords or name not in projections.coords:
            continue
        if not np.array_equal(frames[name].values, projections[name].values):
            raise ShapeError(
                f"{what} and projections lie on different pixels along {name}: from "
                f"{frames[name].values[0]} and from {projections[name].values[0]}. "
                "Crop both with the same region of interest."
            )


def _raw_frames(frames: xr.DataArray, dim: str) -> NDArray[np.float64] | None:
    """Return the raw frame numbers of an array, or None if they are not known."""
    name = _FRAME[dim]
    return frames[name].values.astype(np.float64) if name in frames.coords else None


def _groups(
    frames: xr.DataArray, projection_frames: NDArray[np.float64] | None, average: str
) -> tuple[xr.DataArray, xr.DataArray]:
    """Average each group of frames; return the averages, and their weights in each projection."""
    dim = str(frames.dims[0])
    own = _raw_frames(frames, dim)
    if own is None or projection_frames is None or np.isin(own, projection_frames).any():
        # Numbers that projections have, too, were counted in another file: they tell no order.
        return _average(frames, average).expand_dims(_GROUP), _one_group(frames)
    # Frames with no projection between them are one group, even if darks lie between them.
    label = np.searchsorted(np.sort(projection_frames), own)
    members = [np.flatnonzero(label == value) for value in np.unique(label)]
    averages = [_average(frames.isel({dim: member}), average) for member in members]
    places = np.array([own[member].mean() for member in members])
    weights = _interpolation_weights(projection_frames, places)
    together = xr.concat(averages, dim=_GROUP, coords="minimal", compat="override")
    if together.chunks is not None:
        together = together.chunk({_GROUP: -1})
    return together, xr.DataArray(weights, dims=(ANGLE, _GROUP))


def _one_group(_: xr.DataArray) -> xr.DataArray:
    return xr.DataArray(np.ones(1, np.float32), dims=(_GROUP,))


def _average(frames: xr.DataArray, average: str) -> xr.DataArray:
    dim = str(frames.dims[0])
    if average == "mean":
        mean = frames.mean(dim, dtype=np.float64)
    else:
        whole = frames.chunk({dim: -1}) if frames.chunks is not None else frames
        mean = whole.median(dim)
    return mean.astype(np.float32)


def _interpolation_weights(
    at: NDArray[np.float64], places: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return the weight of each group in each projection, shape (angle, group)."""
    unit = np.eye(len(places))
    columns = [np.interp(at, places, unit[group]) for group in range(len(places))]
    return np.stack(columns, axis=1).astype(np.float32)


def _transmission(
    projections: NDArray[Any],
    flat: NDArray[np.float32],
    dark: NDArray[np.float32],
    flat_weights: NDArray[np.float32],
    dark_weights: NDArray[np.float32],
    *,
    floor: float,
    cutoff: float | None,
) -> NDArray[np.float32]:
    """Divide; the last axis of all but ``projections`` is the group."""
    offset = _mix(dark, dark_weights)
    beam = _mix(flat, flat_weights) - offset
    # A dead pixel becomes NaN, not inf: NaN is what the later steps know to fill. Judged on the
    # groups, for all angles alike: interpolating equal numbers rounds to a little above 0.
    is_dead = flat.min(axis=-1) <= dark.max(axis=-1)
    beam = np.where(is_dead | (beam <= 0), np.float32(np.nan), beam)
    result = projections.astype(np.float32)
    result -= offset
    result /= beam
    np.maximum(result, np.float32(floor), out=result)
    if cutoff is not None:
        result[projections > cutoff] = np.nan
    return result


def _mix(groups: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the average of each projection from those of the groups."""
    if groups.shape[-1] == 1:
        return groups[..., 0]
    mixed = np.zeros((weights.shape[0], *groups.shape[:-1]), np.float32)
    for group in range(groups.shape[-1]):
        # A projection lies between two groups at most; the others do not count.
        near = np.flatnonzero(weights[..., group])
        mixed[near] += weights[near, ..., group] * groups[..., group]
    return mixed
