"""The centre from projections half a turn apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

#: Steps of the correlation in a pixel of shift, twice as fine for the centre.
_STEPS = 50


def phase_correlation(first: NDArray[np.float32], opposite: NDArray[np.float32]) -> float:
    """Return the centre by which a projection is the mirror image of the opposite one.

    Cross-correlation in Fourier space, its peak first to whole pixels, then on a fine grid about
    it by a matrix product (Guizar-Sicairos, Thurman & Fienup 2008, doi:10.1364/OL.33.000156).

    Parameters
    ----------
    first, opposite
        Line integrals at an angle and 180 degrees further, shape (row, column).

    Returns
    -------
    center
        In columns from the first [pixel].
    """
    columns = first.shape[1]
    length = int(fft.next_fast_len(2 * columns, real=True))
    spectra = [
        fft.rfft(part - part.mean(axis=1, keepdims=True), length, axis=1)
        for part in (first, opposite)
    ]
    # opposite(s) = first(2 c - s): the product has the phase exp(-2 i w c).
    product = np.sum(spectra[0] * spectra[1], axis=0)
    shift = float(np.argmax(fft.irfft(product, length)))
    w = 2 * np.pi * np.arange(len(product)) / length
    for step in (0.1, 1 / _STEPS):
        near = shift + np.arange(-12, 13) * step
        shift = float(near[np.argmax((np.exp(1j * np.outer(near, w)) @ product).real)])
    return shift / 2
