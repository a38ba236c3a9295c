"""A fit turned into a calibration: numbers per ring, and what speaks against it."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ._calibration import Calibration
from ._calibration_fit import Fit
from ._calibration_model import PARAMETERS, UNITS
from ._calibration_search import Scorer
from ._calibration_start import Search, Start
from ._ring_places import RingPlaces
from .calibrants import Calibrant

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Fewest rings and points that are enough.
_RINGS, _POINTS = 3, 24

#: Largest rms that is trusted [pixel], or in parts of the width of the rings.
_RMS, _RMS_WIDTH = 0.7, 0.25

#: Least share of the ring-like places explained, of sectors seen, and the largest rival.
_EXPLAINED, _SEEN, _RIVAL = 0.75, 0.25, 0.85

#: Rings that are not the calibrant's, for each that is, from which on it is another calibrant.
_STRANGE = 0.2

#: Least score of a geometry that is on rings at all [standard deviations].
_SCORE = 10.0

#: Other distances that are tried as rivals, in parts of the one that was found.
_OTHERS = np.concatenate([np.geomspace(0.3, 0.93, 120), np.geomspace(1.07, 3.3, 120)])


def report(
    search: Search,
    start: Start,
    fit: Fit,
    known: Calibrant,
    *,
    free: Flags,
    notes: list[str],
) -> Calibration:
    """Return the calibration that a fit gives.

    Parameters
    ----------
    search, start, fit
        What was looked at, begun with, and found.
    known
        The calibrant.
    free
        What was refined in the end.
    notes
        Warnings so far; they do not take away trust.
    """
    every = np.deg2rad(known.two_theta(search.task.wavelength))
    scorer = Scorer(search.sketch.blurred(1.0), start.model, every)
    score = scorer.score(fit.parameters)
    rings = _rings(fit, known, search.task.wavelength)
    places = RingPlaces.of(search.sketch, start, fit, every)
    explained = places.explained()
    doubts = _doubts(fit, rings, score, explained)
    strange, is_another = _strangers(*places.strangers())
    if is_another:
        doubts += strange
    else:
        notes = [*strange, *notes]
    few = _few_rings(rings)
    if few and start.is_bare:
        doubts.insert(0, few)
    elif few:
        notes = [few, *notes]
    doubts += _rivals(scorer, fit.parameters, score)
    values = np.where([UNITS[n] == "deg" for n in PARAMETERS], 180 / np.pi, 1.0)
    spread = np.sqrt(np.diag(fit.covariance)) * values
    numbers = fit.parameters * values
    return Calibration(
        geometry=start.model.geometry(fit.parameters),
        uncertainties=dict(zip(PARAMETERS, spread.tolist(), strict=True)),
        values=dict(zip(PARAMETERS, numbers.tolist(), strict=True)),
        calibrant=known,
        points=_points(start, fit),
        rings=rings,
        rejected=fit.rejected,
        start=start.model.geometry(start.parameters),
        start_from=start.said,
        refined=tuple(n for n, f in zip(PARAMETERS, free, strict=True) if f),
        rounds=fit.rounds,
        score=score,
        explained=explained,
        warnings=(*doubts, *notes),
        is_trusted=not doubts,
    )


def _points(start: Start, fit: Fit) -> xr.Dataset:
    points = fit.points
    _, chi = start.model.angles(fit.parameters, points.x, points.y)
    pixel, angle = {"units": "pixel"}, {"units": "deg"}
    chi_lab = np.rad2deg(np.arctan2(np.sin(chi), np.cos(chi)))
    return xr.Dataset(
        {
            "x": ("point", points.x, pixel),
            "y": ("point", points.y, pixel),
            "ring": ("point", points.ring),
            "chi": ("point", chi_lab, angle),
            "residual": ("point", fit.residuals, pixel),
            "residual_two_theta": ("point", np.rad2deg(fit.two_theta), angle),
        }
    )


def _rings(fit: Fit, known: Calibrant, wavelength: float) -> xr.Dataset:
    numbers = sorted(fit.points.seen or set(fit.points.ring.tolist()))
    off = [fit.residuals[fit.points.ring == n] for n in numbers]
    nothing = float("nan")
    mean = [float(part.mean()) if part.size else nothing for part in off]
    rms = [float(np.sqrt(np.mean(part**2))) if part.size else nothing for part in off]
    angles = known.two_theta(wavelength)
    pixel = {"units": "pixel"}
    return xr.Dataset(
        {
            "label": ("ring", [known.labels[n] for n in numbers]),
            "d": ("ring", [known.spacings[n] for n in numbers], {"units": "angstrom"}),
            "two_theta": ("ring", [float(angles[n]) for n in numbers], {"units": "deg"}),
            "number": ("ring", [part.size for part in off]),
            "residual": ("ring", mean, pixel),
            "rms": ("ring", rms, pixel),
            "seen": ("ring", [fit.points.seen.get(n, nothing) for n in numbers]),
            "width": ("ring", [fit.points.width.get(n, nothing) for n in numbers], pixel),
        },
        coords={"ring": numbers},
    )


def _doubts(fit: Fit, rings: xr.Dataset, score: float, explained: float) -> list[str]:
    """Return the warnings that take away trust."""
    rms = float(np.sqrt(np.mean(fit.residuals**2)))
    width = float(np.nanmedian(rings["width"])) if fit.points.width else 0.0
    seen = float(np.nanmedian(rings["seen"])) if fit.points.seen else 1.0
    checks = {
        f"too few points: {len(fit.points)}, at least {_POINTS} are needed": len(fit.points)
        < _POINTS,
        f"large residual: rms {rms:.2f} pixel for rings {width:.1f} pixel wide": rms
        > max(_RMS, _RMS_WIDTH * width),
        f"few of the expected rings are there: half of them show less than {100 * seen:.0f} % of "
        "their length": seen < _SEEN,
        f"the rings of the geometry hardly stand out of the image (score {score:.1f})": score
        < _SCORE,
        f"only {100 * explained:.0f} % of what looks like a ring in the image is on a ring of the "
        "geometry": explained < _EXPLAINED,
    }
    return [text for text, is_so in checks.items() if is_so]


def _strangers(angles: list[float], own: int) -> tuple[list[str], bool]:
    """Return a warning of rings that the calibrant has not, and whether it is another one."""
    if not angles:
        return [], False
    told = ", ".join(f"{angle:.2f}" for angle in angles[:5])
    text = (
        f"rings that the calibrant has not, at 2theta {told} deg: is it another calibrant, or is "
        "something else in the beam?"
    )
    return [text], len(angles) >= max(2, _STRANGE * own)


def _few_rings(rings: xr.Dataset) -> str:
    """Return a warning if a wrong assignment of the rings would not be noticed."""
    found = int((rings["number"] > 2).sum())
    if found >= _RINGS:
        return ""
    return (
        f"too few rings: points on {found}, at least {_RINGS} are needed to tell a wrong assignment"
    )


def _rivals(scorer: Scorer, parameters: Array, score: float) -> list[str]:
    """Return a warning if another distance is nearly as good."""
    others = np.array([scorer.score(parameters * [part, 1, 1, 1, 1]) for part in _OTHERS])
    best = int(np.argmax(others))
    if others[best] < _RIVAL * score:
        return []
    return [
        f"ambiguous: a distance {_OTHERS[best]:.3g} times this one is about as good (score "
        f"{others[best]:.1f} and {score:.1f})"
    ]
