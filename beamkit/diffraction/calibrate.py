"""Distance, beam centre and tilt of a detector from the rings of a powder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from beamkit.core.errors import ParameterError, QuantityError, UnknownNameError

from ._calibration import Calibration
from ._calibration_fit import Fit, fit_points
from ._calibration_fit import refine as refine_on_image
from ._calibration_input import Detector, parse_points, substance, task
from ._calibration_model import PARAMETERS
from ._calibration_report import report
from ._calibration_start import Search, Start
from ._ring_map import ring_map
from ._ring_points import Points
from .calibrants import Calibrant
from .geometry import Geometry

#: What can be refined, and the numbers that it stands for.
GROUPS = {
    "distance": ("detector_distance",),
    "center": ("beam_center_x", "beam_center_y"),
    "tilt": ("rot1", "rot2"),
}

#: A tilt less certain than this [deg] is not taken from the rings.
_TILT_UNKNOWN = 0.25

#: Points that make a ring count for the tilt.
_RING_POINTS = 6

#: Rings beyond this scattering angle [rad] are not looked for.
_WIDEST = 1.4


def calibrate(
    data: xr.Dataset | xr.DataArray | ArrayLike,
    calibrant: str | Calibrant | ArrayLike = "CeO2",
    *,
    wavelength: float | None = None,
    detector: Detector | None = None,
    start: Geometry | str | None = None,
    points: Sequence[Sequence[float]] | None = None,
    refine: Sequence[str] | str = ("distance", "center", "tilt"),
    fix: Sequence[str] | str = (),
    mask: xr.DataArray | ArrayLike | None = None,
    rings: int | Sequence[int] | None = None,
    max_iterations: int = 20,
) -> Calibration:
    """Return where a detector stands, from one image of a calibration powder.

    Crests of the rings are found sector by sector, and ``2theta(x, y) = 2 asin(wavelength/2d)``
    solved for distance, beam centre and tilt by least squares of their distance from the rings
    [pixel], with a robust loss and outliers left out; both are repeated until nothing changes. A
    turn about the beam cannot be told from rings and stays as it was.

    Parameters
    ----------
    data
        One image: a dataset as :func:`beamkit.open` gives it, or an array of shape (detector_y,
        detector_x). Flags, gaps, saturated pixels and those of its own ``mask`` are left out.
    calibrant
        Name, :class:`Calibrant`, or lattice spacings [angstrom].
    wavelength
        [angstrom]; None for that of ``start`` or of the data.
    detector
        Name such as ``"PILATUS 1M"``, or size of a pixel [m], or (x, y) of it; None for what the
        data say.
    start
        A geometry; ``"header"`` for that of the data; ``"image"`` for none at all; None for the
        header if it states one, and the image alone if that leads nowhere.
    points
        Picked by hand: (x, y, ring), positions [pixel] and number of the ring from 0. The start
        is what they say; with ``max_iterations=0`` so is the result.
    refine
        Of ``"distance"``, ``"center"``, ``"tilt"``; the others stay as in the start.
    fix
        Single numbers to hold, of ``detector_distance``, ``beam_center_x``, ``beam_center_y``,
        ``rot1``, ``rot2``.
    mask
        Pixels not to use, besides: bits of NXdetector, or bool (True: masked).
    rings
        Numbers of the rings to use, from 0, or how many from the first; None for all.
    max_iterations
        Most rounds of finding points and fitting.

    Returns
    -------
    calibration
        Look at ``warnings`` and ``is_trusted``: a result that may be wrong says so.

    Raises
    ------
    QuantityError
        If no rings are found.
    MetadataError
        If wavelength, pixel size, or a header that is asked for, is not known.
    ParameterError
        If an option is not allowed, or no ring can be on the detector.
    UnknownNameError
        If there is no such calibrant, detector, start, group or number.
    ShapeError
        If the data are not one image, or the mask has another shape.
    """
    known = substance(calibrant)
    free = _free(refine, fix)
    _check_start(start)
    given = start if isinstance(start, Geometry) else None
    what = task(data, wavelength=wavelength, detector=detector, mask=mask, start=given)
    two_theta = _two_theta(known, what.wavelength, rings)
    search = Search(what, ring_map(what.image), two_theta, free)
    picked = None if points is None else parse_points(points, len(known))
    best: Calibration | None = None
    for begin in search.starts(start, picked):
        found = _outcome(search, begin, known, picked, max_iterations)
        if found is not None and (best is None or _rank(found) > _rank(best)):
            best = found
        if best is not None and best.is_trusted:
            break
    if best is None:
        raise QuantityError(
            f"No rings of {known.name} were found in the image at {what.wavelength:.5g} angstrom. "
            "Check calibrant, wavelength and mask, or give start= or points=."
        )
    return best


def _rank(found: Calibration) -> tuple[bool, float]:
    return found.is_trusted, found.score


def _outcome(
    search: Search, start: Start, known: Calibrant, picked: NDArray[np.float64] | None, most: int
) -> Calibration | None:
    """Return what a start leads to; None where there are too few points."""

    every = np.deg2rad(known.two_theta(search.task.wavelength))

    def fitted(begin: NDArray[np.float64], free: NDArray[np.bool_]) -> Fit | None:
        if most < 1 and picked is not None:
            chosen = Points(picked[:, 0], picked[:, 1], picked[:, 2].astype(np.int64), {}, {})
            return fit_points(chosen, start.model, begin, search.two_theta, free)
        return refine_on_image(
            search.task.image, start.model, begin, search.two_theta, free,
            window=start.window, most=max(most, 1), every=every,
        )  # fmt: skip

    free, notes = search.free, []
    fit = fitted(start.parameters, free)
    unknown = _tilt_unknown(fit) if fit is not None and free[3:].any() else ""
    if fit is not None and unknown:
        free = free & np.array([True, True, True, False, False])
        fit = fitted(np.array([*fit.parameters[:3], *start.tilt]), free)
        rot1, rot2 = np.rad2deg(start.tilt)
        notes = [
            f"tilt not determined: {unknown}; held at rot1 = {rot1:.3g} and rot2 = {rot2:.3g} deg"
        ]
    if fit is None:
        return None
    if not fit.is_settled and most > 1:
        notes.append(f"not settled after {fit.rounds} rounds")
    return report(search, start, fit, known, free=free, notes=notes)


def _tilt_unknown(fit: Fit) -> str:
    """Return why the tilt cannot be taken from the rings; empty if it can."""
    unsure = float(np.rad2deg(np.sqrt(np.diag(fit.covariance)[3:].max())))
    if unsure > _TILT_UNKNOWN:
        return f"the rings tell it to {unsure:.2g} deg only"
    rings = int((np.bincount(fit.points.ring) >= _RING_POINTS).sum())
    return f"{rings} rings tell it from the beam centre, 3 are needed" if rings < 3 else ""


def _free(refine: Sequence[str] | str, fix: Sequence[str] | str) -> NDArray[np.bool_]:
    """Return which parameters are refined. Raises UnknownNameError, ParameterError."""
    wanted = (refine,) if isinstance(refine, str) else tuple(refine)
    held = (fix,) if isinstance(fix, str) else tuple(fix)
    for name in wanted:
        if name not in GROUPS:
            raise UnknownNameError("group to refine", name, GROUPS)
    for name in held:
        if name not in PARAMETERS:
            raise UnknownNameError("number to fix", name, PARAMETERS)
    names = {number for group in wanted for number in GROUPS[group]} - set(held)
    if not names:
        raise ParameterError(
            f"refine={wanted} and fix={held} leave nothing to refine. Name at least one of "
            f"{', '.join(GROUPS)}."
        )
    return np.array([name in names for name in PARAMETERS])


def _check_start(start: Geometry | str | None) -> None:
    if isinstance(start, str) and start not in ("header", "image"):
        raise UnknownNameError("start of a calibration", start, ("header", "image"))


def _two_theta(
    known: Calibrant, wavelength: float, rings: int | Sequence[int] | None
) -> NDArray[np.float64]:
    """Return 2theta [rad] of the rings, NaN for those that are not used."""
    angles = np.deg2rad(known.two_theta(wavelength))
    if rings is not None:
        wanted = np.arange(rings) if isinstance(rings, int) else np.asarray(rings, int)
        if not wanted.size or wanted.min() < 0 or wanted.max() >= len(known):
            raise ParameterError(
                f"rings={rings} is not among the {len(known)} rings of {known.name}. Give numbers "
                f"from 0 to {len(known) - 1}, or how many."
            )
        angles[~np.isin(np.arange(len(known)), wanted)] = np.nan
    angles[angles > _WIDEST] = np.nan
    if not np.isfinite(angles).any():
        raise ParameterError(
            f"{known.name} has no usable ring at {wavelength:.5g} angstrom. Check the wavelength."
        )
    return angles
