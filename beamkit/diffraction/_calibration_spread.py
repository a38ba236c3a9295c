"""How uncertain fitted numbers are when the residuals of points hang together.

Points of one ring share grains, background and the line of the calibrant; points at one azimuth
share the detector: neighbours err alike. Counting each as a measurement of its own makes the
uncertainty too small. The estimate here is the sandwich ``A^-1 B A^-1`` of an M-estimator (Huber,
Proc. 5th Berkeley Symp. 1, 221 (1967)), with B summed over groups of points, in two ways at once:
``V = V_ring + V_azimuth - V_both`` (Cameron, Gelbach & Miller, J. Bus. Econ. Stat. 29, 238 (2011)).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

#: Width of the groups of points along the azimuth [rad].
_SECTOR = np.deg2rad(15.0)


def independent(jacobian: Array, residuals: Array) -> Array:
    """Return ``s^2 (J^T J)^-1``, as if no two residuals hung together.

    s^2 is the mean square residual per degree of freedom.

    Parameters
    ----------
    jacobian
        Derivatives of the residuals. Shape (point, parameter).
    residuals
        Shape (point,).

    Returns
    -------
    covariance
        Shape (parameter, parameter).
    """
    scale = np.maximum(np.linalg.norm(jacobian, axis=0), 1e-300)
    inverse = np.linalg.pinv((jacobian / scale).T @ (jacobian / scale), rcond=1e-14)
    variance = float(residuals @ residuals) / max(residuals.size - jacobian.shape[1], 1)
    return np.asarray(variance * inverse / np.outer(scale, scale))


def grouped(jacobian: Array, residuals: Array, ring: Labels, chi: Array, f_scale: float) -> Array:
    """Return the covariance with residuals that hang together along rings and at an azimuth.

    No variance is less than that of :func:`independent`, whose correlations are kept. Groups count
    where they are more than the parameters: few rings say nothing of how rings differ.

    Parameters
    ----------
    jacobian, residuals
        As in :func:`independent`.
    ring
        Number of the ring of each point.
    chi
        Azimuth of each point [rad].
    f_scale
        Of the soft L1 loss that was minimised, in the unit of the residuals.
    """
    plain = independent(jacobian, residuals)
    sector = np.floor(np.mod(chi, 2 * np.pi) / _SECTOR).astype(np.int64)
    both = ring * int(np.ceil(2 * np.pi / _SECTOR) + 1) + sector
    scale = np.maximum(np.linalg.norm(jacobian, axis=0), 1e-300)
    unit = jacobian / scale
    z = (residuals / f_scale) ** 2
    scores = unit * (residuals / np.sqrt(1 + z))[:, None]
    bread = np.linalg.pinv(unit.T @ (unit * ((1 + z) ** -1.5)[:, None]), rcond=1e-14)
    inner = _meat(scores, both)
    ways = [_meat(scores, labels) for labels in (ring, sector)]
    meat = sum((way for way in ways if way is not None), np.zeros_like(bread))
    if inner is not None:
        counted = sum(way is not None for way in ways)
        meat = inner if counted == 0 else meat - (counted - 1) * inner
    variance = np.diag(bread @ meat @ bread) / scale**2
    if inner is not None:
        variance = np.maximum(variance, np.diag(bread @ inner @ bread) / scale**2)
    before = np.diag(plain)
    grown = np.sqrt(np.maximum(variance, before) / np.maximum(before, 1e-300))
    return np.asarray(plain * np.outer(grown, grown))


def _meat(scores: Array, labels: Labels) -> Array | None:
    """Return the sum over groups of the outer product of their sums; None for too few groups."""
    _, number = np.unique(labels, return_inverse=True)
    groups, unknowns = int(number.max()) + 1, scores.shape[1]
    if groups <= unknowns + 1:
        return None
    sums = np.zeros((groups, unknowns))
    np.add.at(sums, number, scores)
    return np.asarray(sums.T @ sums * groups / (groups - 1 - unknowns / 2))
