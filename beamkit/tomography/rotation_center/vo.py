"""The centre from the double wedge, by the metric of Vo."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ._double_wedge import OutsideWedge, outside_wedge
from ._minimum import parabola

#: Centres looked at: so far on either side, in these steps [pixel].
_REACH, _STEP = 4.0, 0.5

#: The radius within which the sample is taken to be, over half the detector (Vo's ratio).
_RATIO = 0.5


def vo(
    half_turns: Sequence[NDArray[np.float32]], start: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], float | None]:
    """Return the metric of Vo et al. 2014 near a first guess, and its minimum.

    The sum of the moduli outside the double wedge (doi:10.1364/OE.22.019078). The mirror image
    is shifted by a phase, to any fraction of a pixel, instead of column by column: no
    interpolation, and one transform serves all centres. The first guess takes the place of the
    coarse search; :func:`closed_form` gives one.

    Parameters
    ----------
    half_turns
        Sinograms over 180 degrees in even steps, each of shape (angle, column).
    start
        Columns from the first [pixel].

    Returns
    -------
    center
        Shape (center,), in steps of 1/2 about the first guess [pixel].
    metric
        Shape (center,), over its largest value [1].
    best
        The minimum, to a fraction of a step; None if there is none in the range.
    """
    center = start + np.arange(-_REACH, _REACH + _STEP / 2, _STEP)
    metric = np.zeros(len(center))
    for half_turn in half_turns:
        radius = _RATIO * half_turn.shape[1] / 2
        metric += _moduli(outside_wedge(half_turn, radius=radius), center)
    metric /= metric.max() or 1.0
    return center, metric, parabola(center, metric, reach=_STEP)


def _moduli(wedge: OutsideWedge, center: NDArray[np.float64]) -> NDArray[np.float64]:
    inside = wedge.direct != 0
    w = np.broadcast_to(wedge.w, inside.shape)[inside].astype(np.float32)
    direct, mirrored = wedge.direct[inside], wedge.mirrored[inside]
    # The phase goes on by the same factor from centre to centre.
    turn = np.exp(-2j * w * (center[1] - center[0])).astype(np.complex64)
    mirrored = mirrored * np.exp(-2j * w.astype(np.float64) * center[0]).astype(np.complex64)
    metric = np.empty(len(center))
    for index in range(len(center)):
        metric[index] = np.sum(np.abs(direct + mirrored), dtype=np.float64)
        mirrored *= turn
    return metric
