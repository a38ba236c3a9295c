"""The centre from projections half a turn apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from ._sinograms import usual_step

#: Differences from half a turn that are used, in steps of the scan.
_OFFSETS = 3

#: Largest number of pairs at each difference.
_PAIRS = 60


def phase_correlation(
    sinograms: NDArray[np.float32], angles: NDArray[np.float64]
) -> tuple[float, float] | None:
    """Return the centre about which opposite projections are mirror images.

    A projection is the mirror image, about the axis, of the one half a turn further. Their
    product in Fourier space has its peak at the centre; it is found to whole pixels, then on a
    fine grid (Guizar-Sicairos, Thurman & Fienup 2008, doi:10.1364/OL.33.000156). Pairs that are a
    step or more off half a turn give centres that drift in proportion, as the sample turns on; a
    line through them gives the centre at half a turn, also for a scan that stops short of it.

    Parameters
    ----------
    sinograms
        Line integrals, shape (row, angle, column).
    angles
        Shape (angle,) [rad], rising.

    Returns
    -------
    center, uncertainty
        In columns from the first [pixel]; None if no projections are half a turn apart.
    """
    step = usual_step(angles)
    length = int(fft.next_fast_len(2 * sinograms.shape[2], real=True))
    offsets, centers, weights = [], [], []
    for offset in range(-_OFFSETS, _OFFSETS + 1):
        first, second = _pairs(angles, np.pi + offset * step, step)
        if not first.size or not sinograms.any():
            continue
        opposite = [fft.rfft(sinograms[:, part], length, axis=2) for part in (first, second)]
        product: NDArray[np.complex64] = _half_whitened(
            np.sum(opposite[0] * opposite[1], axis=(0, 1))
        )
        offsets.append(float(np.mean(angles[second] - angles[first])) / step - np.pi / step)
        centers.append(_peak(product, length) / 2)
        weights.append(np.sqrt(first.size))
    return _at_half_a_turn(np.array(offsets), np.array(centers), np.array(weights))


def _pairs(
    angles: NDArray[np.float64], apart: float, step: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the projections that have another one ``apart`` from them, and the other."""
    second = np.searchsorted(angles, angles + apart - step / 2)
    first = np.flatnonzero(second < len(angles))
    second = second[first]
    near = np.abs(angles[second] - angles[first] - apart) < step / 2
    first, second = first[near], second[near]
    few = np.linspace(0, len(first) - 1, min(len(first), _PAIRS)).astype(np.intp)
    return first[few], second[few]


def _half_whitened(product: NDArray[np.complex64]) -> NDArray[np.complex64]:
    """Return a product with the root of its moduli, without its upper frequencies.

    Between cross-correlation (which sees the broad shape of the sample, and of the detector) and
    phase correlation (which sees noise as well as anything).
    """
    modulus = np.abs(product)
    frequency = np.arange(len(product)) / len(product)
    low_pass = np.exp(-((frequency / 0.3) ** 2))
    result: NDArray[np.complex64] = (
        product / np.sqrt(np.maximum(modulus, 1e-9 * modulus.max() + 1e-30)) * low_pass
    )
    return result


def _peak(product: NDArray[np.complex64], length: int) -> float:
    """Return where the transform of a product has its peak, to 1/100 pixel."""
    place = float(np.argmax(fft.irfft(product, length)))
    w = 2 * np.pi * np.arange(len(product)) / length
    for step in (0.1, 0.01):
        near = place + np.arange(-12, 13) * step
        place = float(near[np.argmax((np.exp(1j * np.outer(near, w)) @ product).real)])
    return place


def _at_half_a_turn(
    offsets: NDArray[np.float64], centers: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[float, float] | None:
    """Return the line through the centres at offset 0, and its uncertainty."""
    if not len(centers):
        return None
    middle = float(np.median(centers))
    usual = np.abs(centers - middle) < 3.0  # a wrong peak is far off
    if usual.sum() < 3:
        return middle, max(0.5, float(np.ptp(centers)) / 2)
    offsets, centers, weights = offsets[usual], centers[usual], weights[usual]
    design = np.stack([np.ones(len(offsets)), offsets], axis=1) * weights[:, None]
    solution, *_ = np.linalg.lstsq(design, centers * weights, rcond=None)
    residual = centers * weights - design @ solution
    variance = max(float(residual @ residual) / (len(offsets) - 2), 1e-4)
    return float(solution[0]), float(np.sqrt(np.linalg.inv(design.T @ design)[0, 0] * variance))
