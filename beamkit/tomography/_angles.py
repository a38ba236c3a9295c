"""The angles of the projections, checked."""

from __future__ import annotations

import numpy as np
import xarray as xr

from beamkit.core.errors import MetadataError
from beamkit.core.schema import ANGLE


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
