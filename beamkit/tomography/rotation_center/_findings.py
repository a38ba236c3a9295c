"""What each method finds on a scan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ._sinograms import Scan
from .closed_form import closed_form
from .phase_correlation import phase_correlation
from .sharpness import sharpness
from .vo import vo


@dataclass(frozen=True)
class Finding:
    """What one method says.

    Attributes
    ----------
    center
        Columns from the first [pixel]; None if the method found nothing.
    uncertainty
        One standard deviation, as far as the method can tell [pixel].
    places, metric
        The curve, shape (center,); None if the method has none.
    """

    center: float | None
    uncertainty: float = 0.0
    places: NDArray[np.float64] | None = None
    metric: NDArray[np.float64] | None = None


Findings = dict[str, Finding]


def look(scan: Scan, method: str) -> Findings:
    """Return what the methods say: all for ``"auto"``, else that one and what it starts from."""
    places, metric = closed_form(scan.sinograms)
    start = float(places[np.argmin(metric)]) if np.ptp(metric) > 0 else float(places.mean())
    findings = {"closed_form": Finding(start, 0.0, places, metric)}
    starts = [start]
    if method in ("auto", "phase_correlation"):
        found = phase_correlation(scan.values, scan.angles)
        findings["phase_correlation"] = Finding(*found) if found else Finding(None)
        starts += [found[0]] if found else []
    if method in ("auto", "vo"):
        findings["vo"] = _first(starts, lambda at: _vo(scan, at))
    if method in ("auto", "sharpness"):
        findings["sharpness"] = _first(starts, lambda at: _sharpness(scan, at))
    return findings


def _first(starts: list[float], try_at: Callable[[float], Finding]) -> Finding:
    """Return the first finding that has a centre, else the first."""
    findings = []
    for start in starts:
        findings.append(try_at(start))
        if findings[-1].center is not None:
            return findings[-1]
    return findings[0]


def _vo(scan: Scan, start: float) -> Finding:
    places, metric, best = vo(scan.few_sinograms, start)
    return Finding(best, 0.0, places, metric)


def _sharpness(scan: Scan, start: float) -> Finding:
    places, metric, best, spread = sharpness(scan.few_sinograms, scan.halves[0].angles, start)
    return Finding(best, spread, places, metric)
