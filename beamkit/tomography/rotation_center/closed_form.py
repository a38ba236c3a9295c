"""The centre from the double wedge, for all columns of the detector at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from ._double_wedge import outside_wedge

#: Steps of the metric in a pixel.
_STEPS = 20


def closed_form(
    half_turns: Sequence[NDArray[np.float32]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how badly a full turn made from a half turn fits together, for each centre.

    The metric is the energy outside the double wedge of Vo et al. 2014
    (doi:10.1364/OE.22.019078). As a sum of squares it is a Fourier series in the centre c::

        M(c) = sum over k and w outside of  |direct + exp(-2 i w c) mirrored|^2
             = const + 2 Re sum over w of  exp(-2 i w c) G(w)

    so one transform of G gives it for all c, without a range to search in.

    Parameters
    ----------
    half_turns
        Sinograms over 180 degrees in even steps, each of shape (angle, column).

    Returns
    -------
    center
        Shape (center,), columns from the first, in steps of 1/20 [pixel].
    metric
        Shape (center,), over its mean over all centres [1]: near 0 at the axis where everything
        fits, near 1 where nothing does; 1 for empty sinograms.
    """
    columns = half_turns[0].shape[1]
    series, energy = np.zeros(0), 0.0
    for half_turn in half_turns:
        wedge = outside_wedge(half_turn, radius=columns / 2)
        mixed = np.sum(wedge.direct.conj() * wedge.mirrored, axis=0, dtype=np.complex128)
        # exp(-2 i w c) with c = j / 20 is a transform 10 times as long as the row.
        one = 2 * fft.fft(mixed, wedge.length * _STEPS // 2).real
        series = one if not series.size else series + one
        energy += float(
            np.sum(np.abs(wedge.direct) ** 2, dtype=np.float64)
            + np.sum(np.abs(wedge.mirrored) ** 2, dtype=np.float64)
        )
    center = np.arange((columns - 1) * _STEPS + 1) / _STEPS
    if energy == 0:
        return center, np.ones(len(center))
    return center, (series[: len(center)] + energy) / energy
