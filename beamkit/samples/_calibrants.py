"""Powders whose lattice spacings are certified, and the rings that they give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]

#: Indices, spacing [angstrom] and relative intensity of a ring.
_Planes = list[tuple[tuple[int, int, int], float, float]]


@dataclass(frozen=True)
class Ring:
    """One Debye-Scherrer ring.

    Attributes
    ----------
    hkl
        Indices of one of the planes.
    spacing
        Of the lattice planes, d [angstrom].
    two_theta
        Scattering angle [deg].
    intensity
        At its crest, relative to that of the strongest ring [1].
    """

    hkl: tuple[int, int, int]
    spacing: float
    two_theta: float
    intensity: float


@dataclass(frozen=True)
class _Cubic:
    """A cubic powder: lattice constant [angstrom], and which planes of (plane, 3) reflect."""

    constant: float
    reflects: Callable[[Indices], NDArray[np.bool_]]


def _primitive(hkl: Indices) -> NDArray[np.bool_]:
    return np.ones(len(hkl), bool)


def _face_centered(hkl: Indices) -> NDArray[np.bool_]:
    """All indices even, or all odd."""
    return np.asarray(np.ptp(hkl % 2, axis=1) == 0)


def _diamond(hkl: Indices) -> NDArray[np.bool_]:
    """As face-centred, and of the even ones those whose sum is a multiple of four."""
    total = hkl.sum(axis=1)
    return np.asarray(_face_centered(hkl) & ((total % 2 == 1) | (total % 4 == 0)))


#: Sources: NIST SRM 660c (LaB6), 674b (CeO2) and 640c (Si), as in pyFAI's calibrant files.
_CUBIC = {
    "LaB6": _Cubic(4.156826, _primitive),
    "CeO2": _Cubic(5.411651, _face_centered),
    "Si": _Cubic(5.431195, _diamond),
}

#: Silver behenate, d of the first order [angstrom]: Huang et al., J. Appl. Cryst. 26, 180 (1993).
_AGBEH_SPACING = 58.380
_AGBEH_ORDERS = 25

CALIBRANTS = (*_CUBIC, "AgBeh")


def rings(calibrant: str, wavelength: float, largest: float) -> tuple[Ring, ...]:
    """Return the rings up to a scattering angle, by ascending angle.

    Bragg's law, ``wavelength = 2 d sin(theta)``. Intensities are the multiplicity times a
    Debye-Waller factor (B = 1 square angstrom) times the Lorentz factor of a powder per length of
    the ring, ``1 / (sin^2(theta) cos(theta))`` (Warren, X-ray Diffraction, 1969, section 4.3);
    1/order for silver behenate.

    Parameters
    ----------
    calibrant
        One of :data:`CALIBRANTS`.
    wavelength
        [angstrom].
    largest
        Largest scattering angle [deg].
    """
    sine_limit = np.sin(np.deg2rad(min(largest, 180.0)) / 2)
    shortest = wavelength / (2 * float(sine_limit))
    if calibrant == "AgBeh":
        planes = _agbeh(shortest)
    else:
        planes = _cubic(_CUBIC[calibrant], shortest, wavelength)
    strongest = max((intensity for _, _, intensity in planes), default=1.0)
    return tuple(
        Ring(hkl, spacing, _two_theta(wavelength, spacing), intensity / strongest)
        for hkl, spacing, intensity in planes
    )


def _two_theta(wavelength: float, spacing: float) -> float:
    return float(np.rad2deg(2 * np.arcsin(wavelength / (2 * spacing))))


def _agbeh(shortest: float) -> _Planes:
    orders = range(1, min(_AGBEH_ORDERS, int(_AGBEH_SPACING / shortest)) + 1)
    return [((0, 0, order), _AGBEH_SPACING / order, 1 / order) for order in orders]


def _cubic(powder: _Cubic, shortest: float, wavelength: float) -> _Planes:
    """Return one plane for each h^2 + k^2 + l^2: all with the same sum share a ring."""
    limit = (powder.constant / shortest) ** 2
    steps = np.arange(-int(np.sqrt(limit)), int(np.sqrt(limit)) + 1)
    hkl = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    squares = np.sum(hkl**2, axis=1)
    hkl = hkl[powder.reflects(hkl) & (squares > 0) & (squares <= limit)]
    squares = np.sum(hkl**2, axis=1)
    planes: _Planes = []
    for square in np.unique(squares).tolist():
        same = hkl[squares == square].tolist()
        spacing = powder.constant / float(np.sqrt(square))
        h, k, l = max(same)  # noqa: E741
        planes.append(((h, k, l), spacing, len(same) * _weight(spacing, wavelength)))
    return planes


def _weight(spacing: float, wavelength: float) -> float:
    """Return Debye-Waller factor times Lorentz factor."""
    theta = np.arcsin(wavelength / (2 * spacing))
    lorentz = 1 / (np.sin(theta) ** 2 * np.cos(theta))
    return float(np.exp(-1 / (2 * spacing**2)) * lorentz)
