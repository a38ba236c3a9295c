"""Find the axis of rotation, and say how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.errors import UnknownNameError
from beamkit.core.schema import DETECTOR_X
from beamkit.tomography._volume import columns_of, spacing

from ._estimate import CenterEstimate
from ._findings import Finding, look
from ._sinograms import Scan, line_integrals
from ._verdict import judge

#: What the curve of a method shows.
_METRICS = {
    "closed_form": "energy outside the double wedge, over its mean",
    "vo": "moduli outside the double wedge",
    "sharpness": "entropy of the slice above its lowest",
}

#: What ``method`` may be.
METHODS = ("auto", "closed_form", "phase_correlation", "sharpness", "vo")


def find_center(
    data: xr.Dataset | xr.DataArray,
    *,
    method: str = "auto",
    rows: Sequence[float] | None = None,
) -> CenterEstimate:
    """Find the column of the axis of rotation, and say whether the answer can be trusted.

    ``"auto"`` looks for the axis on the whole detector by ``closed_form`` and
    ``phase_correlation``, refines by ``vo`` and by ``sharpness`` (the least misled by noise,
    rings and samples wider than the detector), and takes the mean of those that agree, weighted
    by their uncertainties. ``trusted`` is False, with reasons, if they do not agree or the scan
    cannot tell.

    Parameters
    ----------
    data
        A raw tomography dataset (the rows used are corrected first), or line integrals of shape
        (angle, detector_y, detector_x) [1] with the coordinate ``angle`` [deg]. 180 degrees or
        more; a scan of 360 degrees is used as two halves.
    method
        ``"auto"``, ``"closed_form"``, ``"phase_correlation"``, ``"sharpness"`` or ``"vo"``.
    rows
        Values of ``detector_y`` to use together; None takes the 8 next to each
        other that change most with the angle.

    Returns
    -------
    center
        ``value`` is an index on ``detector_x``, so a crop does not change it [pixel].

    Raises
    ------
    UnknownNameError
        If there is no such method.
    ShapeError
        If dimensions differ from those above, there are no such rows, or the scan is too small.
    QuantityError
        If the array holds counts or transmissions.
    MetadataError
        If there are no angles, or no flats to correct with.
    InvalidPixelsError
        If a value is NaN or infinite.
    """
    if method not in METHODS:
        raise UnknownNameError("method to find the centre", method, METHODS)
    lines = line_integrals(data, rows)
    scan = Scan.of(lines)
    findings = look(scan, method)
    verdict = judge(scan, findings, method)
    columns = columns_of(lines, DETECTOR_X)
    return CenterEstimate(
        value=float(_on_detector(verdict.center, columns)),
        uncertainty=verdict.uncertainty * abs(spacing(columns)),
        method=method,
        trusted=verdict.trusted,
        reasons=verdict.reasons,
        candidates={
            name: float(_on_detector(finding.center, columns))
            for name, finding in findings.items()
            if finding.center is not None
        },
        curves={
            name: _curve(name, finding, columns)
            for name, finding in findings.items()
            if finding.metric is not None
        },
    )


def _on_detector(place: Any, columns: NDArray[np.float64]) -> Any:
    """Return the index on ``detector_x`` of a place in columns from the first."""
    return columns[0] + place * spacing(columns)


def _curve(name: str, finding: Finding, columns: NDArray[np.float64]) -> xr.DataArray:
    center = _on_detector(finding.places, columns)
    return xr.DataArray(
        finding.metric,
        dims=("center",),
        coords={"center": ("center", center, {"units": "pixel"})},
        name="metric",
        attrs={"units": "1", "method": name, "long_name": _METRICS[name]},
    )
