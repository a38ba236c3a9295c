"""The filters of filtered back projection, as factors on the Fourier transform of a row."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from beamkit.core.errors import UnknownNameError

Array = NDArray[np.float64]


def _shepp_logan(u: Array) -> Array:
    """Shepp & Logan 1974, doi:10.1109/TNS.1974.6499235: the ramp times a sinc."""
    return np.sinc(u / 2)


def _cosine(u: Array) -> Array:
    return np.asarray(np.cos(np.pi * u / 2))


def _hann(u: Array) -> Array:
    return np.asarray(0.5 + 0.5 * np.cos(np.pi * u))


def _hamming(u: Array) -> Array:
    return np.asarray(0.54 + 0.46 * np.cos(np.pi * u))


def _butterworth(u: Array) -> Array:
    """Order 2, half-way down at half the Nyquist frequency."""
    return np.asarray(1 / (1 + (2 * u) ** 4))


def _parzen(u: Array) -> Array:
    """Harris 1978, doi:10.1109/PROC.1978.10837, equation 37."""
    inner = 1 - 6 * u**2 * (1 - u)
    return np.where(u <= 0.5, inner, 2 * (1 - u) ** 3)


#: Window on the ramp by name, of the frequency over the Nyquist frequency.
_WINDOWS: dict[str, Callable[[Array], Array]] = {
    "ramp": np.ones_like,
    "shepp-logan": _shepp_logan,
    "cosine": _cosine,
    "hann": _hann,
    "hamming": _hamming,
    "butterworth": _butterworth,
    "parzen": _parzen,
}

#: Names of all filters, the sharpest first. ``"none"`` is back projection without a filter.
FILTERS = (*_WINDOWS, "none")


def response(name: str, length: int) -> Array:
    """Return the factors on the discrete Fourier transform of a row of ``length`` samples.

    The ramp is the transform of the kernel discretised in space, ``h[0] = 1/4``,
    ``h[odd k] = -1/(pi k)^2``, else 0 (Kak & Slaney 1988, equation 3.61, at a spacing of 1
    pixel), and not ``|frequency|``: that would put the mean of a slice wrong.

    Parameters
    ----------
    name
        One of :data:`FILTERS`.
    length
        Number of samples, even; frequencies in the order of ``numpy.fft.fftfreq``.

    Returns
    -------
    factors
        Shape (length,) [1/pixel]; 0 at the Nyquist frequency, which has no partner of the
        opposite sign and would leak one of two slices packed into a complex one into the other.

    Raises
    ------
    UnknownNameError
        If there is no such filter.
    """
    if name not in FILTERS:
        raise UnknownNameError("filter", name, FILTERS)
    if name == "none":
        factors = np.ones(length)
    else:
        frequency = np.abs(np.fft.fftfreq(length)) * 2
        factors = _ramp(length) * _WINDOWS[name](frequency)
    factors[length // 2] = 0
    return factors


def _ramp(length: int) -> Array:
    k = np.fft.fftfreq(length, 1 / length)
    kernel = np.zeros(length)
    kernel[0] = 0.25
    odd = np.abs(k) % 2 == 1
    kernel[odd] = -1 / (np.pi * k[odd]) ** 2
    return np.asarray(np.fft.fft(kernel).real)
