"""Shapes of peaks, by position, area and full width at half maximum.

All are the pseudo-Voigt function ``area ((1 - f) G(x) + f L(x))`` with a Gaussian G and a
Lorentzian L of unit area and the same full width at half maximum: f = 0 is the Gaussian, f = 1 the
Lorentzian (Wertheim et al., Rev. Sci. Instrum. 45, 1369 (1974); the fraction is that of the
area, as in lmfit and in Thompson, Cox & Hastings, J. Appl. Cryst. 20, 79 (1987)).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Fraction of the Lorentzian in each model; None: it is fitted.
MODELS: dict[str, float | None] = {"gaussian": 0.0, "lorentzian": 1.0, "pseudo_voigt": None}

#: Maximum of a Gaussian and of a Lorentzian of unit area, times the full width at half maximum.
_GAUSSIAN_TOP = 2 * math.sqrt(math.log(2) / math.pi)
_LORENTZIAN_TOP = 2 / math.pi


def pseudo_voigt(x: Any, position: float, area: float, fwhm: float, fraction: float) -> Floats:
    """Return a pseudo-Voigt peak.

    Parameters
    ----------
    x
        Where, any shape.
    position, fwhm
        In the unit of ``x``; ``fwhm`` is the full width at half maximum, not 0.
    area
        Of the whole peak, tails included; negative for a dip.
    fraction
        Of the area that is Lorentzian: 0 is a Gaussian, 1 a Lorentzian.

    Returns
    -------
    y
        Same shape as ``x``.

    Examples
    --------
    At half the width from the middle it is half as high as there:

    >>> middle, half = pseudo_voigt([3.0, 3.2], 3.0, 7.0, 0.4, 0.3)
    >>> round(float(half / middle), 12)
    0.5
    """
    square = ((np.asarray(x, dtype=float) - position) / fwhm) ** 2
    gaussian = _GAUSSIAN_TOP * np.exp(-4 * math.log(2) * square)
    lorentzian = _LORENTZIAN_TOP / (1 + 4 * square)
    both = (1 - fraction) * gaussian + fraction * lorentzian
    return np.asarray(area / abs(fwhm) * both)


def height(area: float, fwhm: float, fraction: float) -> float:
    """Return the height of a peak above its background, in the unit of ``area / fwhm``."""
    return area / fwhm * top(fraction)


def top(fraction: float) -> float:
    """Return the height of a peak of unit area and unit width."""
    return (1 - fraction) * _GAUSSIAN_TOP + fraction * _LORENTZIAN_TOP


#: How :func:`top` grows with the fraction.
TOP_SLOPE = _LORENTZIAN_TOP - _GAUSSIAN_TOP
