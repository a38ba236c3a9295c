"""Rings of constant scattering angle, as curves on the detector."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beamkit.core.errors import MetadataError, ParameterError

from . import _cone
from .calibrants import Calibrant

if TYPE_CHECKING:
    from ._placement import Placement

Array = NDArray[np.float64]

#: How far the chords of a curve may leave it [pixel].
DEVIATION = 0.08

#: Where labels are put where there is room: chi [deg], towards the top right.
_LABEL_CHI = -45.0

#: How far labels stay from the edges, in parts of the detector's size.
_MARGIN = 0.03


@dataclass(frozen=True, eq=False)
class RingCurve:
    """One ring on the detector.

    Attributes
    ----------
    label
        Indices or number of the ring.
    d
        Lattice spacing [angstrom]; NaN if the wavelength is not known.
    two_theta
        Scattering angle [deg].
    arcs
        Visible parts, each of shape (point, 2): positions x, y from the outer corner [pixel].
    closed
        Whether the whole ring is visible; its last point is then the first.
    label_position
        x, y on the ring, away from the edges if it can be [pixel].
    """

    label: str
    d: float
    two_theta: float
    arcs: tuple[Array, ...]
    closed: bool
    label_position: tuple[float, float]

    @property
    def points(self) -> Array:
        """All arcs in one array, a row of NaN between them. Shape (point, 2) [pixel]."""
        gap = np.full((1, 2), np.nan)
        parts = [part for arc in self.arcs for part in (gap, arc)]
        return np.concatenate(parts[1:])


@dataclass(frozen=True, eq=False)
class Rings(Sequence[RingCurve]):
    """The rings that are on the detector, and what became of the others.

    Attributes
    ----------
    curves
        In the order in which they were asked for.
    off_detector
        Labels of rings that pass beside the detector.
    unreachable
        Labels of rings that the wavelength is too long for: d under wavelength/2.
    """

    curves: tuple[RingCurve, ...]
    off_detector: tuple[str, ...] = ()
    unreachable: tuple[str, ...] = ()

    @overload
    def __getitem__(self, index: int) -> RingCurve: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[RingCurve, ...]: ...
    def __getitem__(self, index: int | slice) -> RingCurve | tuple[RingCurve, ...]:
        return self.curves[index]

    def __len__(self) -> int:
        return len(self.curves)

    def __iter__(self) -> Iterator[RingCurve]:
        return iter(self.curves)

    @property
    def left_out(self) -> int:
        """How many rings are not on the detector."""
        return len(self.off_detector) + len(self.unreachable)

    @property
    def note(self) -> str:
        """What is left out, in words; empty if nothing is."""
        total = len(self) + self.left_out
        parts = []
        if self.off_detector:
            parts.append(f"{len(self.off_detector)} of {total} rings are off the detector")
        if self.unreachable:
            parts.append(
                f"{len(self.unreachable)} of {total} rings have d under half the wavelength"
            )
        return "; ".join(parts)


def rings(
    geometry: Placement,
    spacings: Calibrant | ArrayLike | None = None,
    *,
    two_theta: ArrayLike | None = None,
    q: ArrayLike | None = None,
    labels: Sequence[str] | None = None,
    shape: tuple[int, int] | None = None,
) -> Rings:
    """Return rings as curves on a flat detector, however it is tilted or swung.

    Conventions 1 to 3 of :mod:`beamkit.core.schema`. Chords between the points leave the curve
    by less than 0.1 pixel; the points themselves are on it.

    Parameters
    ----------
    geometry
        Where the detector stands.
    spacings
        A calibrant, or lattice spacings d [angstrom].
    two_theta
        Instead of ``spacings``: scattering angles [deg], above 0 and under 180.
    q
        Instead of ``spacings``: lengths of the scattering vector, 2 pi/d [1/angstrom].
    labels
        One a ring; None for the indices of a calibrant, or the number with its unit.
    shape
        Pixels (detector_y, detector_x) to clip to; None for those of the geometry.

    Returns
    -------
    rings
        Those on the detector; ``left_out`` and ``note`` tell of the others.

    Raises
    ------
    ParameterError
        If not exactly one of spacings, two_theta and q is given, a number is out of range, labels
        and rings differ in number, or the shape is not known.
    MetadataError
        If spacings or q are given and the geometry has no wavelength.
    """
    size = _require_shape(shape, geometry)
    angles, d, names = _angles(geometry.wavelength, spacings, two_theta, q)
    names = _require_labels(labels, names)
    reachable = np.flatnonzero(np.isfinite(angles))
    cones = _cone.coefficients(geometry, np.deg2rad(angles[reachable]))
    arcs = _cone.on_detector(cones, size)
    points, counts = _cone.polylines(cones, arcs, DEVIATION)
    lines = np.split(points, np.cumsum(counts)[:-1])
    places = _label_positions(points, np.repeat(arcs.cone, counts), size, geometry)
    curves = []
    for number, place in places.items():
        own, ring = np.flatnonzero(arcs.cone == number), reachable[number]
        parts, whole = tuple(lines[n] for n in own), bool(arcs.closed()[own[0]])
        curves.append(
            RingCurve(names[ring], float(d[ring]), float(angles[ring]), parts, whole, place)
        )
    seen = set(reachable[arcs.cone].tolist())
    return Rings(
        tuple(curves),
        tuple(names[n] for n in reachable.tolist() if n not in seen),
        tuple(name for name, angle in zip(names, angles, strict=True) if not np.isfinite(angle)),
    )


def _require_shape(shape: tuple[int, int] | None, geometry: Placement) -> tuple[int, int]:
    size = geometry.shape if shape is None else shape
    if size is None:
        raise ParameterError(
            "The geometry does not know how many pixels the detector has, and rings must end at "
            "its edges. Give shape=(rows, columns)."
        )
    return int(size[0]), int(size[1])


def _angles(
    wavelength: float | None,
    spacings: Calibrant | ArrayLike | None,
    two_theta: ArrayLike | None,
    q: ArrayLike | None,
) -> tuple[Array, Array, list[str]]:
    """Return 2theta [deg], NaN where there is none, d [angstrom], and default labels."""
    given = {"spacings": spacings, "two_theta": two_theta, "q": q}
    names = [name for name, value in given.items() if value is not None]
    if len(names) != 1:
        raise ParameterError(
            f"Rings are told by exactly one of spacings, two_theta and q; got {names or 'none'}. "
            "Give one, such as rings(geometry, calibrant('LaB6'))."
        )
    if two_theta is not None:
        angles = _numbers("two_theta", two_theta, 180.0)
        d = np.full(len(angles), np.nan)
        if wavelength is not None:
            d = wavelength / (2 * np.sin(np.deg2rad(angles) / 2))
        return angles, d, [f"{angle:.4g}°" for angle in angles]
    if wavelength is None:
        raise MetadataError(
            f"Rings of given {names[0]} need the wavelength, and the geometry has none. Set "
            "attrs['wavelength'] [angstrom] or attrs['energy'] [keV], or give two_theta=."
        )
    if q is not None:
        lengths = _numbers("q", q)
        known = Calibrant(
            "q", tuple(2 * np.pi / lengths), tuple(f"{x:.4g} 1/Å" for x in lengths), ""
        )
    elif isinstance(spacings, Calibrant):
        known = spacings
    else:
        values = _numbers("spacings", spacings)
        known = Calibrant("d", tuple(values), tuple(f"{x:.4g} Å" for x in values), "")
    return known.two_theta(wavelength), np.asarray(known.spacings, float), list(known.labels)


def _numbers(name: str, values: ArrayLike | None, limit: float = np.inf) -> Array:
    """Return numbers above 0 and under the limit as an array. Raises ParameterError."""
    numbers = np.atleast_1d(np.asarray(values, float)).ravel()
    wrong = numbers[~((numbers > 0) & (numbers < limit))]
    if wrong.size:
        upper = "" if limit == np.inf else f" and under {limit:g}"
        raise ParameterError(
            f"{name} holds {wrong[0]:g}; each must be above 0{upper}. Correct or leave out "
            f"{wrong.size} of the {numbers.size} numbers."
        )
    return numbers


def _require_labels(labels: Sequence[str] | None, default: list[str]) -> list[str]:
    if labels is None:
        return default
    if len(labels) != len(default):
        raise ParameterError(
            f"There are {len(default)} rings but {len(labels)} labels; each ring needs one. "
            "Give as many labels, or none."
        )
    return list(labels)


def _label_positions(
    points: Array, ring: NDArray[np.int64], shape: tuple[int, int], geometry: Placement
) -> dict[int, tuple[float, float]]:
    """Return, for each ring, the point away from the edges and nearest to the labels' direction.

    Parameters
    ----------
    points
        Of all rings, shape (point, 2) [pixel].
    ring
        Which ring each point is of. Shape (point,), ascending.
    """
    size = np.array([shape[1], shape[0]], float)
    room = np.min(np.minimum(points, size - points) / size, axis=1)
    steps = np.array([np.multiply(geometry.fast, geometry.pixel_size_x),
                      np.multiply(geometry.slow, geometry.pixel_size_y)])  # fmt: skip
    x, y, _ = (np.asarray(geometry.origin) + points @ steps).T
    chi = np.deg2rad(_LABEL_CHI)
    along = (-x * np.cos(chi) - y * np.sin(chi)) / np.hypot(x, y)
    # Every point with room enough beats every one without; room is 0.5 at most.
    score = np.where(room >= _MARGIN, 2 + along, room)
    order = np.lexsort((score, ring))
    last = np.flatnonzero(np.diff(ring[order], append=-1))
    return {int(ring[n]): (float(points[n, 0]), float(points[n, 1])) for n in order[last].tolist()}
