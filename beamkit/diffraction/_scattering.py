"""Elastic scattering into a direction: q, 2theta, chi and d.

``q = k_out - k_in`` with ``|k| = 2 pi / wavelength``, and ``d = 2 pi / |q|`` (Als-Nielsen &
McMorrow, Elements of Modern X-ray Physics, 2011, section 1.2). X, Y, Z are the laboratory
coordinates of a point that the photons reach; only their direction counts.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._placement import Array


def one_minus_cosine(x: Array, y: Array, z: Array) -> Array:
    """Return 1 - cos(2theta), exact near the beam.

    There ``1 - z/r`` loses every digit; ``rho^2 / (r (r + z))`` is the same and loses none.
    """
    across = x * x + y * y
    r = np.sqrt(across + z * z)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(z > 0, across / (r * (r + np.abs(z))), 1 - z / r))


def q(x: Array, y: Array, z: Array, wavelength: float) -> Array:
    """Return the length of q [1/angstrom]: ``|k| sqrt(2 (1 - cos 2theta))``."""
    return np.asarray(2 * np.pi / wavelength * np.sqrt(2 * one_minus_cosine(x, y, z)))


def q_vector(x: Array, y: Array, z: Array, wavelength: float) -> Array:
    """Return q [1/angstrom], laboratory frame. Shape (..., 3)."""
    r = np.sqrt(x * x + y * y + z * z)
    k = 2 * np.pi / wavelength
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = np.broadcast_arrays(k * x / r, k * y / r, -k * one_minus_cosine(x, y, z))
    return np.stack(parts, axis=-1) + 0.0


def d(x: Array, y: Array, z: Array, wavelength: float) -> Array:
    """Return the spacing that scatters there [angstrom]; infinite in the direct beam."""
    with np.errstate(divide="ignore"):
        return np.asarray(2 * np.pi / q(x, y, z, wavelength))


def two_theta(x: Array, y: Array, z: Array) -> Array:
    """Return the angle to the beam [deg], 0 to 180."""
    return np.asarray(np.degrees(np.arctan2(np.hypot(x, y), z)))


def chi(x: Array, y: Array, z: Array) -> Array:  # noqa: ARG001 - called like the others
    """Return the angle about the beam [deg], in (-180, 180].

    0 towards -x (right, seen from the sample), 90 towards -y (down): on a detector square to the
    beam with its first pixel at the top left, 0 towards increasing detector_x and 90 towards
    increasing detector_y, as in pyFAI (orientation 3).
    """
    # 0.0 - y and not -y: -0.0 would turn 180 deg into -180 deg.
    return np.asarray(np.degrees(np.arctan2(0.0 - y, 0.0 - x)))


def direction(two_theta: Any, chi: Any) -> Array:
    """Return the direction with these angles [deg]. Shape (..., 3), of length 1."""
    tth, azimuth = np.broadcast_arrays(np.radians(two_theta), np.radians(chi))
    sine = np.sin(tth)
    return np.stack([-sine * np.cos(azimuth), -sine * np.sin(azimuth), np.cos(tth)], axis=-1)
