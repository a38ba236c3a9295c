"""The centre from the double wedge, for all centres of the detector at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

#: Steps of the metric in a pixel.
_STEPS = 40


def closed_form(half_turn: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how badly a full turn made from a half turn fits together, for each centre.

    A projection and its mirror image about the axis are 180 degrees apart. In the Fourier
    transform of a full turn the sample fills a double wedge only, ``|k| <= R |w|`` (Vo et al.
    2014, doi:10.1364/OE.22.019078); a wrong centre spills over. The energy outside is::

        M(c) = sum over k and w outside of  |A + (-1)^k exp(-2 i w c) B|^2
             = const + 2 Re sum over w of  exp(-2 i w c) G(w)

    with A the transform over angle (zero-padded to a full turn) and column of the half turn, and
    B that of its mirror image about column 0. So one more Fourier transform, of G, gives all c.

    Parameters
    ----------
    half_turn
        Line integrals, shape (row, angle, column), angles over 180 degrees in even steps.

    Returns
    -------
    center
        Shape (center,), columns from the first, in steps of 1/40 [pixel].
    metric
        Shape (center,): energy outside the wedge over its mean over all centres [1].
    """
    _, count, columns = half_turn.shape
    length = int(fft.next_fast_len(2 * columns, real=True))
    spectrum = fft.rfft(half_turn, length, axis=2)
    w = 2 * np.pi * np.arange(spectrum.shape[2]) / length
    k = np.rint(fft.fftfreq(2 * count, 1 / (2 * count)))
    outside = np.abs(k)[:, None] > columns / 2 * w + 2
    outside[:, :2] = False
    outside[:, w > np.pi / 2] = False
    sign = np.where(k % 2 == 0, 1.0, -1.0)[:, None]
    mixed, energy = np.zeros(len(w), np.complex128), 0.0
    for row in spectrum:
        direct = fft.fft(row, 2 * count, axis=0)
        mirrored = sign * fft.fft(row.conj(), 2 * count, axis=0)
        mixed += np.sum(direct.conj() * mirrored * outside, axis=0)
        energy += float(np.sum((np.abs(direct) ** 2 + np.abs(mirrored) ** 2) * outside))
    # exp(-2 i w c) with c = j / 40 is a transform of length 20 times the padded row.
    series = 2 * fft.fft(mixed, length * _STEPS // 2).real
    center = np.arange(0, (columns - 1) * _STEPS + 1) / _STEPS
    metric = series[np.arange(len(center)) % len(series)]
    return center, (metric + energy) / energy
