"""Where cones of scattering about the beam meet a flat detector: arcs of conic sections.

A ray at the angles 2theta and chi has the direction ``k = (-sin 2theta cos chi, -sin 2theta sin
chi, cos 2theta)`` (conventions 2 and 3 of :mod:`beamkit.core.schema`). With the matrix ``M`` of
columns ``pixel_size_x fast``, ``pixel_size_y slow`` and ``origin``, ``k`` is proportional to
``M (x, y, 1)`` at the position (x, y) that it meets. So ``(X, Y, W) = M^-1 k`` are homogeneous
coordinates of that position, x = X/W and y = Y/W, each of the form ``a + b cos chi + c sin chi``;
W is above 0 where the ray meets the plane. An edge of the detector is a line in X, Y, W: where a
cone crosses it follows in closed form, and nothing has to be searched on tilted detectors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from beamkit.core.errors import MetadataError

if TYPE_CHECKING:
    from ._placement import Placement

Array = NDArray[np.float64]

#: Arcs shorter than this [rad] are rounding where a cone touches an edge.
_SHORTEST = 1e-9

#: Places at which the bend of an arc is looked at, and fewest segments of an arc.
_PROBES, _FEWEST = 65, 8


class Arcs(NamedTuple):
    """Parts of cones that lie on the detector.

    Attributes
    ----------
    cone
        Index of the cone. Shape (arc,).
    start, end
        chi [rad]; ``end`` is above ``start``. Shape (arc,).
    """

    cone: NDArray[np.int64]
    start: Array
    end: Array

    def closed(self) -> NDArray[np.bool_]:
        """Return True for whole rings. Shape (arc,)."""
        return np.asarray(self.end - self.start > 2 * np.pi - _SHORTEST)


def coefficients(geometry: Placement, two_theta: Array) -> Array:
    """Return a, b, c of X, Y and W for cones of half opening ``two_theta`` [rad].

    Returns
    -------
    coefficients
        Shape (cone, 3: X Y W, 3: 1 cos sin).

    Raises
    ------
    MetadataError
        If the sample lies in the detector plane.
    """
    matrix = np.column_stack(
        [
            np.multiply(geometry.fast, geometry.pixel_size_x),
            np.multiply(geometry.slow, geometry.pixel_size_y),
            geometry.origin,
        ]
    )
    try:
        inverse = np.linalg.inv(matrix)
    except np.linalg.LinAlgError:
        raise MetadataError(
            f"The detector plane runs through the sample: origin {geometry.origin} m lies in the "
            f"plane of fast {geometry.fast} and slow {geometry.slow}. Correct detector_origin."
        ) from None
    sine, cosine = np.sin(two_theta)[:, None], np.cos(two_theta)[:, None]
    parts = [cosine * inverse[:, 2], -sine * inverse[:, 0], -sine * inverse[:, 1]]
    return np.stack(parts, axis=-1)


def on_detector(cones: Array, shape: tuple[int, int]) -> Arcs:
    """Return the arcs within a detector of ``shape`` pixels (rows, columns).

    Between neighbouring crossings of the lines through its edges, an arc is all in or all out.
    """
    rows, columns = shape
    edges = np.array([[1.0, 0, 0], [1, 0, -columns], [0, 1, 0], [0, 1, -rows]])
    a, b, c = np.moveaxis(np.einsum("el,nlk->nek", edges, cones), -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        half = np.arccos(-a / np.hypot(b, c))
    middle = np.arctan2(c, b)
    crossings = np.mod(np.concatenate([middle - half, middle + half], axis=1), 2 * np.pi)
    # A cone that misses a line gets another crossing of its own again, or 0: an empty stretch.
    crossings = np.sort(crossings, axis=1)
    first = np.nan_to_num(crossings[:, :1])
    start = np.sort(np.where(np.isnan(crossings), first, crossings), axis=1)
    end = np.concatenate([start[:, 1:], start[:, :1] + 2 * np.pi], axis=1)
    x, y = positions(cones, (start + end) / 2)
    inside = (x >= 0) & (x <= columns) & (y >= 0) & (y <= rows)
    cone, stretch = np.nonzero(inside & (end - start > _SHORTEST))
    return Arcs(cone, start[cone, stretch], end[cone, stretch])


def positions(cones: Array, chi: Array) -> tuple[Array, Array]:
    """Return x, y [pixel] at ``chi`` [rad]; NaN where the ray does not meet the plane.

    Shapes: ``cones`` (..., 3, 3), ``chi`` (..., ray); the result is like ``chi``.
    """
    basis = np.stack([np.ones_like(chi), np.cos(chi), np.sin(chi)], axis=-2)
    big_x, big_y, w = np.moveaxis(cones @ basis, -2, 0)
    w = np.where(w > 0, w, np.nan)
    return big_x / w, big_y / w


def polylines(cones: Array, arcs: Arcs, deviation: float) -> tuple[Array, NDArray[np.int64]]:
    """Return points along the arcs, so dense that chords stay within ``deviation`` [pixel].

    A chord of length s leaves a curve of curvature K by K s^2/8, so the points have the density
    ``sqrt(K/(8 deviation))`` along the curve.

    Returns
    -------
    points
        x, y of all arcs, one after the other. Shape (point, 2) [pixel].
    counts
        How many of them each arc has. Shape (arc,).
    """
    steps = np.linspace(0, 1, _PROBES)
    length = (arcs.end - arcs.start)[:, None]
    chi = arcs.start[:, None] + length * steps
    own = cones[arcs.cone]
    # A tenth more, as the density is only probed, and a few points where the arc is straight.
    density = 1.1 * _bend(own, chi) / np.sqrt(8 * deviation) + _FEWEST / length
    between = (density[:, 1:] + density[:, :-1]) / 2 * length / (_PROBES - 1)
    passed = np.concatenate([np.zeros((len(chi), 1)), np.cumsum(between, axis=1)], axis=1)
    at, counts = _evenly(passed, chi)
    each = np.repeat(own, counts, axis=0)
    x, y = positions(each, at[:, None])
    return np.concatenate([x, y], axis=1), counts


def _evenly(passed: Array, chi: Array) -> tuple[Array, NDArray[np.int64]]:
    """Return the chi at which ``passed`` is even along each arc, and how many each arc has.

    Shapes: ``passed``, ``chi`` (arc, probe); chi (point,), counts (arc,).
    """
    if not len(chi):
        return np.empty(0), np.empty(0, np.int64)
    total = passed[:, -1]
    counts = np.ceil(total).astype(np.int64) + 1
    # All arcs in one interpolation: each begins one further than the last one ended.
    begin = np.cumsum(total + 1) - total
    number = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    wanted = np.repeat(begin, counts) + number * np.repeat(total / (counts - 1), counts)
    return np.interp(wanted, (passed + begin[:, None]).ravel(), chi.ravel()), counts


def _bend(cones: Array, chi: Array) -> Array:
    """Return sqrt(curvature) times the length of the curve per chi [sqrt(pixel)/rad]."""
    cosine, sine, one = np.cos(chi), np.sin(chi), np.ones_like(chi)
    derivatives = [(one, cosine, sine), (0 * one, -sine, cosine), (0 * one, -cosine, -sine)]
    at, d1, d2 = (np.moveaxis(cones @ np.stack(basis, axis=-2), -2, -1) for basis in derivatives)
    # Quotient rule: r = P/W, r' = (P' - r W')/W, r'' = (P'' - 2 r' W' - r W'')/W.
    w, w1, w2 = (value[..., 2:] for value in (at, d1, d2))
    r = at[..., :2] / w
    r1 = (d1[..., :2] - r * w1) / w
    r2 = (d2[..., :2] - 2 * r1 * w1 - r * w2) / w
    cross = np.abs(r1[..., 0] * r2[..., 1] - r1[..., 1] * r2[..., 0])
    return np.asarray(np.sqrt(cross / np.hypot(r1[..., 0], r1[..., 1])))
