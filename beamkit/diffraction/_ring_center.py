"""Where the lines square to the rings of an image meet: candidates for their centre.

Each place of a ring votes for all places along its normal (Ballard, Pattern Recognition 13, 111
(1981), for circles of any radius). The normal is the first principal direction of the structure
tensor, which spots and noise disturb little (Bigun & Granlund, Proc. ICCV, 433 (1987)).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, maximum_filter

from ._ring_map import RingMap

Array = NDArray[np.float64]

#: Places that vote, and how far about the image votes count [sizes of the image].
_VOTERS, _MARGIN = 6000, 1.5

#: Size of a cell of the ballot [cell of the map], and blurs of the count [cell of the ballot].
_CELL, _BLURS = 2.0, (1.5, 4.0, 10.0)


def centers(rings: RingMap, most: int) -> list[tuple[float, float]]:
    """Return up to so many candidates for the centre of the rings, x and y [pixel].

    They may lie beyond the edges, by up to one and a half times the size of the image.
    """
    rows, columns, normal, weight = _voters(rings)
    if not rows.size:
        return []
    height, width = rings.values.shape
    reach = _MARGIN * max(height, width)
    along = np.arange(-reach - max(height, width), reach + max(height, width), _CELL)
    x = columns[:, None] + np.cos(normal)[:, None] * along
    y = rows[:, None] + np.sin(normal)[:, None] * along
    shape = (int((height + 2 * reach) / _CELL) + 1, int((width + 2 * reach) / _CELL) + 1)
    i, j = ((y + reach) / _CELL).astype(int), ((x + reach) / _CELL).astype(int)
    inside = (i >= 0) & (j >= 0) & (i < shape[0]) & (j < shape[1])
    votes = np.bincount(
        (i * shape[1] + j)[inside], np.broadcast_to(weight[:, None], x.shape)[inside],
        minlength=shape[0] * shape[1],
    ).reshape(shape)  # fmt: skip
    found = _peaks(votes.astype(np.float64), most)
    return [
        (
            rings.first[0] + ((column + 0.5) * _CELL - reach) * rings.step[0],
            rings.first[1] + ((row + 0.5) * _CELL - reach) * rings.step[1],
        )
        for row, column in found
    ]


def _voters(rings: RingMap) -> tuple[Array, Array, Array, Array]:
    """Return row, column, direction of the normal [rad] and weight of places on rings."""
    gradients = [gaussian_filter(rings.values, 1.2, order=o) for o in ((1, 0), (0, 1))]
    edge = gaussian_filter((rings.known < 0.25).astype(float), 1.5) > 0.02
    down, right = (np.where(edge, 0, part) for part in gradients)
    a, b, c = (gaussian_filter(part, 2.5) for part in (right**2, right * down, down**2))
    strength = np.hypot(a - c, 2 * b)
    coherence = strength / np.maximum(a + c, 1e-12)
    score = strength * coherence**2 * ~edge
    candidates = np.flatnonzero(score > np.quantile(score, 0.6))
    random = np.random.default_rng(0)
    if candidates.size > _VOTERS:
        candidates = random.choice(candidates, _VOTERS, replace=False)
    row, column = np.divmod(candidates, score.shape[1])
    normal = 0.5 * np.arctan2(2 * b, a - c).ravel()[candidates]
    weight = np.minimum(coherence.ravel()[candidates], 1) ** 4
    return row.astype(float), column.astype(float), normal, weight


def _peaks(votes: Array, most: int) -> list[tuple[float, float]]:
    """Return the highest places of the count, at several blurs, none near another."""
    found: list[tuple[float, float]] = []
    for number, blur in enumerate(_BLURS):
        smooth = gaussian_filter(votes, blur)
        top = (smooth == maximum_filter(smooth, int(4 * blur) + 1)) & (smooth > 0)
        rows, columns = np.nonzero(top)
        order = np.argsort(smooth[rows, columns])[::-1]
        wanted = -(-most * (number + 1) // len(_BLURS))
        for n in order[: 3 * most]:
            place = (float(rows[n]), float(columns[n]))
            if len(found) < wanted and all(_apart(place, other) > 2 * blur for other in found):
                found.append(place)
    return found


def _apart(one: tuple[float, float], other: tuple[float, float]) -> float:
    return float(np.hypot(one[0] - other[0], one[1] - other[1]))
