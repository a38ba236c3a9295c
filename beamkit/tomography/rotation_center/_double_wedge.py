"""The Fourier transform of a full turn made from a half turn, where the sample leaves no trace.

In the transform of a sinogram over a full turn, ``k`` over angle and ``w`` over column, a sample
within a radius R of the axis fills a double wedge only, ``|k| <= R |w|`` (Edholm, Lewitt &
Lindholm 1986, doi:10.1117/12.966672; for the centre Vo et al. 2014, doi:10.1364/OE.22.019078). A
full turn made from a half turn and its mirror image about a wrong centre spills over.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft


@dataclass(frozen=True)
class OutsideWedge:
    """What lies outside of the wedge, from a half turn and from its mirror image.

    About the centre c the full turn is ``direct + exp(-2 i w c) mirrored``.

    Attributes
    ----------
    direct, mirrored
        Shape (k, w), zero inside the wedge.
    w
        Shape (w,) [rad/pixel].
    length
        Samples of the padded row.
    """

    direct: NDArray[np.complex64]
    mirrored: NDArray[np.complex64]
    w: NDArray[np.float64]
    length: int


def outside_wedge(half_turn: NDArray[np.float32], *, radius: float) -> OutsideWedge:
    """Return the transform of a half turn and of its mirror image, outside the wedge.

    Parameters
    ----------
    half_turn
        One sinogram over 180 degrees in even steps, shape (angle, column).
    radius
        Radius R of the sample [pixel].
    """
    count, columns = half_turn.shape
    length = int(fft.next_fast_len(2 * columns, real=True))
    # The upper half of the frequencies is mostly noise.
    w = 2 * np.pi * np.arange(length // 4) / length
    spectrum = fft.rfft(half_turn, length, axis=1)[:, : len(w)]
    k = np.rint(fft.fftfreq(2 * count, 1 / (2 * count)))
    outside = np.abs(k)[:, None] > radius * w + 2
    outside[:, :2] = False
    sign = np.where(k % 2 == 0, 1, -1).astype(np.float32)[:, None]
    return OutsideWedge(
        direct=fft.fft(spectrum, 2 * count, axis=0) * outside,
        mirrored=fft.fft(spectrum.conj(), 2 * count, axis=0) * (sign * outside),
        w=w,
        length=length,
    )
