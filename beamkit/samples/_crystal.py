"""Where a rotating crystal reflects."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def b_matrix(cell: Sequence[float]) -> Floats:
    """Return the matrix B that takes h, k, l to reciprocal space [1/angstrom], without 2 pi.

    Busing & Levy, Acta Cryst. 22, 457 (1967), eq. 3: x along a*, z along c.

    Parameters
    ----------
    cell
        a, b, c [angstrom], alpha, beta, gamma [deg].
    """
    a, b, c = cell[:3]
    cosine, sine = np.cos(np.deg2rad(cell[3:])), np.sin(np.deg2rad(cell[3:]))
    volume = a * b * c * np.sqrt(1 - np.sum(cosine**2) + 2 * np.prod(cosine))
    a_star, b_star, c_star = np.array([b * c * sine[0], a * c * sine[1], a * b * sine[2]]) / volume
    cos_gamma_star = (cosine[0] * cosine[1] - cosine[2]) / (sine[0] * sine[1])
    cos_beta_star = (cosine[0] * cosine[2] - cosine[1]) / (sine[0] * sine[2])
    sin_gamma_star, sin_beta_star = np.sqrt(1 - np.array([cos_gamma_star, cos_beta_star]) ** 2)
    return np.array(
        [
            [a_star, b_star * cos_gamma_star, c_star * cos_beta_star],
            [0, b_star * sin_gamma_star, -c_star * sin_beta_star * cosine[0]],
            [0, 0, 1 / c],
        ]
    )


def miller_indices(ub: Floats, d_min: float) -> NDArray[np.int64]:
    """Return h, k, l of every reciprocal lattice point within 1/d_min, except 0 0 0.

    Shape (reflection, 3). The largest index along an axis is the length of that axis of the cell,
    the column of the inverse of UB, over d_min.
    """
    real_axes = np.linalg.inv(ub)
    largest = np.floor(np.linalg.norm(real_axes, axis=1) / d_min).astype(int)
    ranges = [np.arange(-number, number + 1) for number in largest]
    hkl = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3)
    length = np.linalg.norm(hkl @ ub.T, axis=1)
    return np.asarray(hkl[(length > 0) & (length <= 1 / d_min)])


def reflecting_angles(
    points: Floats, axis: Sequence[float], wavelength: float
) -> tuple[NDArray[np.int64], Floats]:
    """Return the angles at which reciprocal lattice points cross the Ewald sphere.

    A point s, turned by the angle w about the axis e, is
    ``(s.e) e + cos w (s - (s.e) e) + sin w (e x s)``; it reflects when its component along the
    beam is ``-|s|^2 wavelength / 2`` (the condition ``|k_in + s| = |k_in|``): one equation in
    cos w and sin w with two solutions or none.

    Parameters
    ----------
    points
        Reciprocal lattice points at angle 0, laboratory frame, shape (point, 3) [1/angstrom].
    axis
        Unit vector of the rotation, laboratory frame.
    wavelength
        [angstrom].

    Returns
    -------
    index, angle
        Which point, and when [deg], from -180 to 180; shapes (reflection,).
    """
    e = np.asarray(axis, float)
    along = (points @ e)[:, None] * e
    cosine_part, sine_part = (points - along)[:, 2], np.cross(e, points)[:, 2]
    wanted = -np.sum(points**2, axis=1) * wavelength / 2 - along[:, 2]
    size = np.hypot(cosine_part, sine_part)
    index = np.flatnonzero(np.abs(wanted) < size)
    middle = np.arctan2(sine_part, cosine_part)[index]
    aside = np.arccos(wanted[index] / size[index])
    angle = np.rad2deg(np.concatenate([middle - aside, middle + aside]))
    return np.concatenate([index, index]), np.asarray((angle + 180) % 360 - 180)
