"""Find the axis of rotation, and say how sure that is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.errors import UnknownNameError
from beamkit.core.schema import ANGLE, DETECTOR_X

from ._estimate import CenterEstimate
from ._sinograms import HalfTurn, half_turns, line_integrals
from .closed_form import closed_form
from .phase_correlation import phase_correlation

_METHODS = ("auto", "closed_form", "phase_correlation")


def find_center(
    data: xr.Dataset | xr.DataArray,
    *,
    method: str = "auto",
    rows: Sequence[float] | None = None,
) -> CenterEstimate:
    """Find the column of the axis of rotation.

    Parameters
    ----------
    data
        A raw tomography dataset (the rows used are corrected first), or line integrals of shape
        (angle, detector_y, detector_x) with the coordinate ``angle`` [deg].
    method
        ``"auto"``, or one method.
    rows
        Values of ``detector_y`` to use together; None takes 8 in the middle.

    Returns
    -------
    center
        As an index on ``detector_x``, so a crop does not change it.
    """
    if method not in _METHODS:
        raise UnknownNameError("method to find the centre", method, _METHODS)
    lines = line_integrals(data, rows)
    values = np.ascontiguousarray(lines.values.transpose(1, 0, 2))
    halves = half_turns(values, np.deg2rad(lines[ANGLE].values.astype(np.float64)))
    places, metric = closed_form(halves[0].values)
    found = {"closed_form": float(places[np.argmin(metric)])}
    found["phase_correlation"] = phase_correlation(halves[0].values[:, 0], _opposite(halves))
    columns = (
        lines[DETECTOR_X].values.astype(float)
        if DETECTOR_X in lines.coords
        else np.arange(lines.sizes[DETECTOR_X], dtype=float)
    )
    index = np.arange(len(columns))
    candidates = {name: float(np.interp(v, index, columns)) for name, v in found.items()}
    agree = abs(candidates["closed_form"] - candidates["phase_correlation"]) < 2
    depth = float(metric.min())
    reasons = []
    if depth > 0.5:
        reasons.append("the double wedge hardly depends on the centre: too few features")
    if not agree:
        reasons.append("the methods disagree")
    best = "phase_correlation" if method == "auto" and agree else "closed_form"
    best = method if method != "auto" else best
    return CenterEstimate(
        candidates[best],
        0.1,
        best,
        not reasons,
        tuple(reasons),
        candidates,
        xr.DataArray(
            metric,
            dims="center",
            coords={"center": np.interp(places, index, columns)},
            name="metric",
        ),
    )


def _opposite(halves: list[HalfTurn]) -> NDArray[np.float32]:
    if len(halves) > 1:
        return halves[1].values[:, 0]
    return halves[0].values[:, -1]
