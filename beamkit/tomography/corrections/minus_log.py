"""From transmission to line integrals."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.errors import ParameterError
from beamkit.core.history import step
from beamkit.core.schema import require_quantity


@step(quantity="line integral", units="1")
def minus_log(transmission: xr.DataArray, *, floor: float = 1e-6) -> xr.DataArray:
    """Return ``-log(transmission)``, the line integral of the attenuation (Lambert and Beer).

    Parameters
    ----------
    transmission
        Any shape [1].
    floor
        Transmissions below are taken as this [1], above 0. A line integral is then at most
        ``-log(floor)``.

    Returns
    -------
    line_integral
        Same shape and coordinates, float32 [1]. NaN stays NaN.

    Raises
    ------
    QuantityError
        If the data are counts, or are line integrals already.
    ParameterError
        If ``floor`` is not above 0.
    """
    require_quantity(
        transmission,
        "transmission",
        to="take the logarithm",
        cure="Counts go through flat_field first; a line integral has had its logarithm.",
    )
    if not floor > 0:
        raise ParameterError(f"floor is {floor}; it must be above 0, such as 1e-6.")
    result: xr.DataArray = xr.apply_ufunc(
        _minus_log,
        transmission,
        kwargs={"floor": floor},
        dask="parallelized",
        output_dtypes=[np.float32],
    )
    return result


def _minus_log(transmission: NDArray[np.floating], *, floor: float) -> NDArray[np.float32]:
    values: NDArray[np.float32] = np.maximum(transmission, floor).astype(np.float32)
    np.log(values, out=values)
    np.negative(values, out=values)
    return values
