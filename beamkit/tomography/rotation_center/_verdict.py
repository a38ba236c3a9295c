"""The centre from what the methods found, and whether to believe it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ._findings import Findings
from ._sinograms import Scan
from .closed_form import closed_form
from .phase_correlation import phase_correlation

#: Errors that each method makes beside those it tells [pixel]: with all of the sample on the
#: detector, and with a wider sample. From closed-form discs and textures with noise and rings
#: (tests/tomography/test_find_center.py).
_SYSTEMATIC = {
    "sharpness": (0.05, 0.15),
    "phase_correlation": (0.3, 0.3),
    "vo": (0.3, 1.0),
    "closed_form": (0.4, 2.0),
}

#: Fewest columns on which features can be told from edges.
_FEWEST_COLUMNS = 48

#: The energy outside the double wedge must be below this at the axis, over its mean: with all of
#: the sample on the detector, and with a wider sample, whose cut edges alone favour the middle.
_FLATTEST = (0.95, 0.9)

#: Part of the half circle that must have been measured.
_LEAST_COVERAGE = 0.98

#: Methods agree if they differ by less than this, or by this part of the columns [pixel].
_TOLERANCE, _RELATIVE_TOLERANCE = 2.0, 0.005

#: An estimate less certain than this is not to be trusted [pixel].
_LEAST_CERTAIN = 1.0


@dataclass(frozen=True)
class Verdict:
    """The centre in columns from the first [pixel], its uncertainty, and what speaks for it."""

    center: float
    uncertainty: float
    trusted: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class _Vote:
    center: float
    uncertainty: float


def judge(scan: Scan, findings: Findings, method: str) -> Verdict:
    """Return the centre, and whether it can be trusted, with reasons in words.

    Parameters
    ----------
    method
        What the caller asked for. ``"auto"`` takes the mean of the most that agree, weighted by
        their uncertainties.
    """
    votes = _votes(scan, findings)
    tolerance = max(_TOLERANCE, _RELATIVE_TOLERANCE * scan.values.shape[2])
    best = _best(votes, method, tolerance)
    apart = {name: abs(vote.center - votes[best].center) for name, vote in votes.items()}
    agreeing = [name for name in votes if apart[name] <= tolerance]
    chosen = _mean([votes[name] for name in agreeing]) if method == "auto" else votes[best]
    wanted = "sharpness" if method == "auto" else method
    doubts = [*_doubts_of_the_scan(scan, findings), *_doubts_of_the_edges(scan, chosen, tolerance)]
    if wanted not in votes:
        doubts.append(f"{wanted} found no centre")
    if chosen.uncertainty > _LEAST_CERTAIN:
        doubts.append(f"the uncertainty of {chosen.uncertainty:.1f} pixel is large")
    doubts += [
        f"{name} differs from {best} by {apart[name]:.1f} pixel"
        for name in votes
        if apart[name] > tolerance + _leeway(name, findings)
    ]
    reasons = tuple(doubts) or (_support(votes, agreeing),)
    return Verdict(chosen.center, chosen.uncertainty, trusted=not doubts, reasons=reasons)


def _leeway(name: str, findings: Findings) -> float:
    """Return how much further a method may be off [pixel].

    One pair of noisy projections may be off by chance, and its own uncertainty says so.
    """
    return 3 * findings[name].uncertainty if name == "phase_correlation" else 0.0


def _best(votes: dict[str, _Vote], method: str, tolerance: float) -> str:
    """Return the method asked for; for "auto" the most certain of the largest group."""
    if method != "auto":
        return method if method in votes else "closed_form"

    def friends(name: str) -> int:
        near = (abs(vote.center - votes[name].center) <= tolerance for vote in votes.values())
        return sum(near)

    return max(votes, key=lambda name: (friends(name), -votes[name].uncertainty))


def _support(votes: dict[str, _Vote], agreeing: list[str]) -> str:
    if len(agreeing) < 2:
        return "nothing speaks against it; method='auto' compares with other methods"
    centers = [votes[name].center for name in agreeing]
    return f"{', '.join(agreeing)} agree within {max(centers) - min(centers):.2f} pixel"


def _votes(scan: Scan, findings: Findings) -> dict[str, _Vote]:
    """Return what found something, with all its uncertainty."""
    return {
        name: _Vote(
            finding.center,
            float(np.hypot(finding.uncertainty, _SYSTEMATIC[name][scan.is_truncated])),
        )
        for name, finding in findings.items()
        if finding.center is not None
    }


def _mean(votes: list[_Vote]) -> _Vote:
    """Return the mean weighted by inverse variance, and its uncertainty or half the spread."""
    centers = np.array([vote.center for vote in votes])
    weights = np.array([vote.uncertainty**-2 for vote in votes])
    mean = float(weights @ centers / weights.sum())
    scatter = float(np.sqrt(weights @ (centers - mean) ** 2 / weights.sum()))
    return _Vote(mean, max(float(weights.sum() ** -0.5), scatter))


def _doubts_of_the_scan(scan: Scan, findings: Findings) -> Iterator[str]:
    columns = scan.values.shape[2]
    if columns < _FEWEST_COLUMNS:
        yield (
            f"the detector is {columns} columns wide; below {_FEWEST_COLUMNS} the axis cannot be "
            "told from the edges"
        )
    coverage = min(half.coverage for half in scan.halves)
    if coverage < _LEAST_COVERAGE:
        yield (
            f"the angles cover {coverage * 180:.0f} degrees of the 180 that are needed to compare "
            "opposite projections"
        )
    depth = _mismatch(scan, findings)
    if not depth < _FLATTEST[scan.is_truncated]:
        yield (
            f"no centre fits much better than any other (mismatch {depth:.2f} of the mean): too "
            "few features, too much noise, or a sample much wider than the detector"
        )


def _doubts_of_the_edges(scan: Scan, chosen: _Vote, tolerance: float) -> Iterator[str]:
    """Ask again without the cut edges of a wide sample, which pull to the middle."""
    if not scan.is_truncated:
        return
    inner = np.stack([_without_edges(sinogram) for sinogram in scan.values])
    found = phase_correlation(inner, scan.angles)
    if found and abs(found[0] - chosen.center) > tolerance + 3 * found[1]:
        yield (
            "the sample is wider than the detector, and without its cut edges opposite "
            f"projections give a centre {abs(found[0] - chosen.center):.1f} pixel away"
        )


def _mismatch(scan: Scan, findings: Findings) -> float:
    """Return the least energy outside the double wedge over its mean [1]."""
    metric = findings["closed_form"].metric
    if scan.is_truncated:
        _, metric = closed_form([_without_edges(sinogram) for sinogram in scan.few_sinograms])
    return 1.0 if metric is None else float(metric.min())


def _without_edges(sinogram: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a sinogram less the lines through its values at both edges."""
    columns = sinogram.shape[1]
    edge = max(1, columns // 50)
    first = sinogram[:, :edge].mean(axis=1, keepdims=True)
    last = sinogram[:, columns - edge :].mean(axis=1, keepdims=True)
    way = np.linspace(0, 1, columns, dtype=np.float32)
    return np.asarray(sinogram - first * (1 - way) - last * way, np.float32)
