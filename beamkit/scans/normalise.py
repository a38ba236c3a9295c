"""Divide by a monitor of the beam."""

from __future__ import annotations

import numpy as np
import xarray as xr

from beamkit.core.errors import ParameterError
from beamkit.core.history import extend
from beamkit.core.schema import note

from .columns import column, default_signal


def normalise(
    data: xr.Dataset,
    signal: str | None = None,
    monitor: str = "",
    *,
    reference: float | None = None,
) -> xr.DataArray:
    """Return a column as it would be, had the monitor not changed.

    ``signal * reference / monitor``, so that the unit and the size of the numbers stay.

    Parameters
    ----------
    data
        Dataset of kind ``scan``.
    signal
        Column to divide; None: the one that the file means.
    monitor
        Column to divide by.
    reference
        Value of the monitor that changes nothing; None: its mean over the points that count.

    Returns
    -------
    normalised
        Coordinates and attributes of the signal, float64. NaN, with a line in
        ``attrs["notes"]``, where the monitor is not above 0 or not a number.

    Raises
    ------
    UnknownNameError
        If a column is not there.
    ParameterError
        If the monitor is nowhere above 0.
    """
    name = default_signal(data) if signal is None else signal
    values, beam = column(data, name), column(data, monitor)
    counts = np.asarray(beam.values, dtype=float)
    good = np.isfinite(counts) & (counts > 0)
    if not good.any():
        raise ParameterError(
            f"Monitor {monitor!r} is nowhere above 0. Choose another column as monitor."
        )
    level = float(counts[good].mean()) if reference is None else reference
    factor = np.divide(level, counts, out=np.full(counts.shape, np.nan), where=good)
    result = values * xr.DataArray(factor, dims=beam.dims)
    result.attrs = dict(values.attrs)
    if not good.all():
        text = f"{int((~good).sum())} points are NaN, as {monitor} is not above 0 there"
        note(result.attrs, "notes", text)
    parameters = {"signal": name, "monitor": monitor, "reference": level}
    # Not by @step, which would give the column the attributes of the whole dataset.
    before = {**data.attrs, **values.attrs}
    result.attrs["history"] = extend(before, "normalise", parameters)
    return result.rename(name)
