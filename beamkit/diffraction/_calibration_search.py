"""The geometry of an image of rings, found from nothing: centre, then distance, then tilt.

Scores are sums of the map of rings along the rings of a geometry, over the square root of how
many places they have: standard deviations, if there were no rings. One that has them all wins over
one that has every second, and over one that has as many between them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ._calibration_model import Model
from ._ring_center import centers
from ._ring_map import RingMap

Array = NDArray[np.float64]

#: Candidates: of the centre, of the distance for each, those that are improved,
#: and those of them that are worth a refinement.
_CENTERS, _DISTANCES, _IMPROVED, _RETURNED = 9, 5, 4, 2

#: Distances that are tried: ratio of one to the next, and radius of the first ring at the
#: nearest and the farthest, in parts of the larger side of the image.
_RATIO, _RADII = 1.006, (0.02, 3.0)

#: Rings that are looked for at most, and places on each.
_RINGS, _PLACES = 12, 120

#: Rings nearer to each other than this [cell of the map] are one.
_APART = 2.5


#: Blurs under which a geometry is improved [cell], and the part of its room that it tries first.
_STAGES = ((4.0, 0.5), (2.0, 0.25), (1.0, 0.1))


@dataclass(frozen=True, eq=False)
class Found:
    """A geometry and what speaks for it.

    Attributes
    ----------
    parameters
        As of :data:`beamkit.diffraction._calibration_model.PARAMETERS`.
    score
        Standard deviations above an image without rings.
    """

    parameters: Array
    score: float


class Scorer:
    """How well rings of a geometry lie on those of an image."""

    def __init__(self, rings: RingMap, model: Model, two_theta: Array) -> None:
        self.map, self.model = rings, model
        self.rings = two_theta[np.isfinite(two_theta)]

    def score(self, parameters: Array) -> float:
        """Return the score of a geometry."""
        cell = float(np.sqrt(abs(self.map.step[0] * self.map.step[1])))
        x, y, length = self._places(parameters)
        values, known = self.map.at(x, y)
        weight = np.where(known > 0, length / cell, 0.0)
        total = float(weight.sum())
        if total < 20:
            return 0.0
        return float((weight * values).sum() / np.sqrt(total))

    def _places(self, parameters: Array) -> tuple[Array, Array, Array]:
        """Return positions on the rings, and the length [pixel] that each stands for."""
        chi = self._directions(parameters)
        per_radian = parameters[0] / float(np.sqrt(np.prod(self.model.pixel_size)))
        radius = np.tan(np.minimum(self.rings, 1.4)) * per_radian
        # Too near to the last one: the lines of both cannot be told apart.
        cell = abs(self.map.step[0])
        gaps = np.diff(radius, prepend=0.0)
        use = (gaps > _APART * cell) & (radius > 3 * cell)
        rings, radius = self.rings[use], radius[use]
        near, far = self._reach(parameters)
        use = (radius > 0.7 * near) & (radius < 1.4 * far)
        rings, radius = rings[use][:_RINGS], radius[use][:_RINGS]
        x, y = self.model.positions(parameters, rings[:, None], chi[None, :])
        length = np.broadcast_to(radius[:, None] * (chi[1] - chi[0]), x.shape)
        return x, y, length

    def _corners(self, parameters: Array) -> tuple[Array, Array]:
        height, width = self.map.values.shape
        x = self.map.first[0] + np.linspace(0, width - 1, 9) * self.map.step[0] - parameters[1]
        y = self.map.first[1] + np.linspace(0, height - 1, 9) * self.map.step[1] - parameters[2]
        x, y = np.meshgrid(x, y)
        return x.ravel(), y.ravel()

    def _reach(self, parameters: Array) -> tuple[float, float]:
        """Return the least and the largest distance of the image from the beam [pixel]."""
        x, y = self._corners(parameters)
        away = np.hypot(x, y)
        inside = x.min() < 0 < x.max() and y.min() < 0 < y.max()
        return (0.0 if inside else float(away.min())), float(away.max())

    def _directions(self, parameters: Array) -> Array:
        """Return the chi [rad] under which the image is seen from the beam."""
        x, y = self._corners(parameters)
        if x.min() < 0 < x.max() and y.min() < 0 < y.max():
            return np.linspace(-np.pi, np.pi, _PLACES, endpoint=False)
        middle = np.arctan2(y.mean(), x.mean())
        off = np.angle(np.exp(1j * (np.arctan2(y, x) - middle)))
        room = 0.1 * (off.max() - off.min())
        span = np.linspace(off.min() - room, off.max() + room, _PLACES)
        return np.asarray(span + middle - self.model.rot3)


def from_image(
    rings: RingMap,
    model: Model,
    two_theta: Array,
    *,
    room: tuple[float, float, float],
    tilts: bool,
) -> list[Found]:
    """Return the geometries that the image alone speaks for, the best first.

    Parameters
    ----------
    room
        As of :func:`improve`.
    tilts
        Whether the detector may be tilted.
    """
    coarse = Scorer(rings.blurred(2.0), model, two_theta)
    seeds = []
    for center in centers(rings, _CENTERS):
        for distance in _distances(coarse, center):
            start = np.array([distance, *center, 0.0, 0.0])
            seeds.append(Found(start, coarse.score(start)))
    seeds.sort(key=lambda seed: seed.score, reverse=True)
    free = np.array([True, True, True, tilts, tilts])
    improved = [
        improve(rings, model, two_theta, seed.parameters, room=room, free=free)
        for seed in _different(seeds)[:_IMPROVED]
    ]
    improved.sort(key=lambda seed: seed.score, reverse=True)
    return _different(improved)[:_RETURNED]


def improve(
    rings: RingMap,
    model: Model,
    two_theta: Array,
    start: Array,
    *,
    room: tuple[float, float, float],
    free: NDArray[np.bool_],
) -> Found:
    """Return the best geometry near a start.

    Parameters
    ----------
    room
        Part of the distance, pixels of the centre, and radians of the tilts, that are tried.
    free
        Which parameters may change.
    """
    from scipy.optimize import minimize

    sizes = np.array([room[0] * start[0], room[1], room[1], room[2], room[2]])
    found = start
    for blur, share in _STAGES:
        scorer = Scorer(rings.blurred(blur), model, two_theta)

        def loss(values: Array, scorer: Scorer = scorer) -> float:
            return -scorer.score(_with(start, values, free))

        first = found[free]
        simplex = np.vstack([first, first + np.diag(share * sizes[free])])
        result = minimize(
            loss, first, method="Nelder-Mead",
            options={"initial_simplex": simplex, "maxfev": 250, "fatol": 0.05, "xatol": 1e-9},
        )  # fmt: skip
        found = _with(start, result.x, free)
    return Found(found, Scorer(rings.blurred(1.0), model, two_theta).score(found))


def _with(start: Array, values: Array, free: NDArray[np.bool_]) -> Array:
    result = start.copy()
    result[free] = values
    return result


def _distances(scorer: Scorer, center: tuple[float, float]) -> list[float]:
    """Return the distances at which the rings about a centre are best [m]."""
    height, width = scorer.map.values.shape
    side = max(height * abs(scorer.map.step[1]), width * abs(scorer.map.step[0]))
    pixel = float(np.sqrt(np.prod(scorer.model.pixel_size)))
    nearest, farthest = (r * side * pixel / np.tan(scorer.rings[0]) for r in _RADII)
    tried = np.geomspace(nearest, farthest, int(np.log(farthest / nearest) / np.log(_RATIO)))
    scores = np.array([scorer.score(np.array([d, *center, 0, 0])) for d in tried])
    best: list[float] = []
    for n in np.argsort(scores)[::-1]:
        if all(abs(np.log(tried[n] / other)) > 0.05 for other in best):
            best.append(float(tried[n]))
        if len(best) == _DISTANCES:
            break
    return best


def _different(seeds: list[Found]) -> list[Found]:
    """Return seeds without those that are near to a better one."""
    kept: list[Found] = []
    for seed in seeds:
        if all(_unlike(seed.parameters, other.parameters) for other in kept):
            kept.append(seed)
    return kept


def _unlike(one: Array, other: Array) -> bool:
    return bool(abs(np.log(one[0] / other[0])) > 0.06 or np.hypot(*(one[1:3] - other[1:3])) > 40)
