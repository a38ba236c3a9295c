"""Leave out projections: by number, by angle, or where the beam was low."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import xarray as xr

from beamkit.core.errors import MetadataError, ParameterError
from beamkit.core.history import extend
from beamkit.core.schema import ANGLE, note

Data = TypeVar("Data", xr.DataArray, xr.Dataset)


def exclude_frames(
    scan: Data,
    *,
    indices: Sequence[int] = (),
    angles: tuple[float, float] | None = None,
    low_beam: float | None = None,
    beam_current: str | Any = "beam_current",
) -> Data:
    """Return a scan without some of its projections; flats and darks stay.

    Parameters
    ----------
    scan
        Dataset or projections with the dimension ``angle``, lazy or not.
    indices
        Numbers of projections, counted from 0; negative ones from the end.
    angles
        First and last angle of a range that is left out, both included [deg].
    low_beam
        Projections with less than this part of the median beam current are left out, 0 to 1.
    beam_current
        Coordinate over ``angle`` with the current, or a value for each projection.

    Returns
    -------
    scan
        The others, in their order; ``attrs["notes"]`` says how many are gone.

    Raises
    ------
    MetadataError
        If the data have no angles, or no such beam current.
    ParameterError
        If there is no projection of a number, a range or part cannot be, or nothing is left.
    """
    if ANGLE not in scan.dims or (angles is not None and ANGLE not in scan.coords):
        raise MetadataError(
            f"The data have no angles; they have {', '.join(map(str, scan.dims))}. Give a "
            "tomography scan."
        )
    size = scan.sizes[ANGLE]
    gone = np.zeros(size, bool)
    for number in indices:
        if not -size <= number < size:
            raise ParameterError(f"There is no projection {number}; there are 0 to {size - 1}.")
        gone[number] = True
    if angles is not None:
        gone |= _in_range(scan, angles)
    if low_beam is not None:
        gone |= _is_low(scan, low_beam, beam_current)
    if gone.all():
        raise ParameterError(f"All {size} projections would be left out. Leave out fewer.")
    result = scan.isel({ANGLE: np.flatnonzero(~gone)}) if gone.any() else scan.copy()
    parameters = {"indices": list(indices), "angles": angles, "low_beam": low_beam}
    result.attrs["history"] = extend(scan.attrs, "exclude_frames", parameters)
    if gone.any():
        note(result.attrs, "notes", f"{int(gone.sum())} of {size} projections were left out")
    return result


def _in_range(scan: xr.DataArray | xr.Dataset, angles: tuple[float, float]) -> Any:
    low, high = angles
    if not low <= high:
        raise ParameterError(
            f"angles={angles}: the first is above the second. Give the lower one first [deg]."
        )
    at = scan[ANGLE].values
    return (at >= low) & (at <= high)


def _is_low(scan: xr.DataArray | xr.Dataset, part: float, current: Any) -> Any:
    if not 0 < part < 1:
        raise ParameterError(f"low_beam={part} is not allowed; give a part above 0 and below 1.")
    if isinstance(current, str):
        if current not in scan.coords or scan[current].dims != (ANGLE,):
            raise MetadataError(
                f"The data have no beam current {current!r} for each projection. Name another "
                "coordinate, or give the values: beam_current=..."
            )
        values = np.asarray(scan[current].values, float)
    else:
        values = np.asarray(current, float)
        if values.shape != (scan.sizes[ANGLE],):
            raise ParameterError(
                f"beam_current has the shape {values.shape}, the scan {scan.sizes[ANGLE]} "
                "projections. Give one value for each."
            )
    return ~(values >= part * np.nanmedian(values))  # unknown counts as low
