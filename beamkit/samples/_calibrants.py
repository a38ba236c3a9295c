"""Powders whose lattice spacings are certified, and the rings that they give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from beamkit.diffraction.calibrants import planes

#: Those that a sample can be made of.
CALIBRANTS = ("LaB6", "CeO2", "Si", "AgBeh")


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
    found = planes(calibrant, shortest)
    if calibrant == "AgBeh":
        weights = [1 / order for order in range(1, len(found) + 1)]
    else:
        weights = [p.multiplicity * _weight(p.spacing, wavelength) for p in found]
    strongest = max(weights, default=1.0)
    return tuple(
        Ring(plane.hkl, plane.spacing, _two_theta(wavelength, plane.spacing), weight / strongest)
        for plane, weight in zip(found, weights, strict=True)
    )


def _two_theta(wavelength: float, spacing: float) -> float:
    return float(np.rad2deg(2 * np.arcsin(wavelength / (2 * spacing))))


def _weight(spacing: float, wavelength: float) -> float:
    """Return Debye-Waller factor times Lorentz factor."""
    theta = np.arcsin(wavelength / (2 * spacing))
    lorentz = 1 / (np.sin(theta) ** 2 * np.cos(theta))
    return float(np.exp(-1 / (2 * spacing**2)) * lorentz)
