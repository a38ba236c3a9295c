"""The angles of the projections, checked."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.errors import MetadataError
from beamkit.core.schema import ANGLE
from beamkit.core.units import convert


def require_angles(data: xr.DataArray) -> None:
    """Raise MetadataError unless every projection has an angle."""
    if ANGLE not in data.coords:
        raise MetadataError(
            f"The data have no coordinate 'angle' [deg], but {data.sizes[ANGLE]} projections need "
            "as many. Give them on opening, angles=..., or data.assign_coords(angle=...)."
        )
    finite = np.isfinite(data[ANGLE].values)
    if not finite.all():
        raise MetadataError(
            f"The angle of projection {int(np.argmin(finite))} is "
            f"{data[ANGLE].values[np.argmin(finite)]}; all {finite.size} must be numbers [deg]. "
            "Leave such projections out with isel(angle=...), or give the angles."
        )


def angles_of(data: xr.DataArray) -> NDArray[np.float64]:
    """Return the angles, turning as the stage does.

    Returns
    -------
    angles
        Shape (angle,) [rad], from ``attrs["units"]`` of the coordinate (deg if it has none);
        negated where ``attrs["rotation_sense"]`` is -1.

    Raises
    ------
    MetadataError
        If the unit is not that of an angle, or the sense is neither 1 nor -1.
    """
    sense = data.attrs.get("rotation_sense", 1)
    if sense not in (1, -1):
        raise MetadataError(
            f"rotation_sense is {sense!r}; it must be 1 (counter-clockwise seen from above) or -1. "
            "Correct attrs['rotation_sense']."
        )
    degrees_each = convert(1.0, str(data[ANGLE].attrs.get("units", "deg")), "deg")
    return np.deg2rad(data[ANGLE].values.astype(np.float64) * degrees_each) * float(sense)
