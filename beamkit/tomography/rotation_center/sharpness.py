"""The centre at which the slice is sharpest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from beamkit.tomography.corrections.remove_stripes import without_stripes
from beamkit.tomography.reconstruction._filters import response
from beamkit.tomography.reconstruction._geometry import Geometry
from beamkit.tomography.reconstruction._nufft import NufftBackprojector

from ._minimum import parabola

#: Centres looked at: so far on either side in steps of 1, and between the best three [pixel].
_REACH, _STEP = 3, 0.5

#: Wider and longer sinograms are binned and thinned out to this.
_COLUMNS, _ANGLES = 800, 900

#: Low pass on the ramp, over the Nyquist frequency: above is mostly noise.
_SIGMA, _HIGHEST = 0.2, 0.7

#: Part of the radius seen at all angles that is looked at.
_INNER = 0.9

_BINS = 256

Curve = NDArray[np.float64]


def sharpness(
    half_turns: Sequence[NDArray[np.float32]], angles: NDArray[np.float64], start: float
) -> tuple[Curve, Curve, float | None, float]:
    """Return the entropy of the slice near a first guess, and its minimum.

    The histogram of a slice with the right centre has the fewest different values (Donath,
    Beckmann & Schreyer 2006, J. Opt. Soc. Am. A 23, 1048, doi:10.1364/JOSAA.23.001048), here
    measured by the entropy of order 2, ``-log sum p^2``, which noise moves less than that of
    order 1. The slice is smoothed and freed of rings for this. Slices from every second angle,
    and from the others, share a transform and tell the uncertainty.

    Parameters
    ----------
    half_turns
        Sinograms over 180 degrees, each of shape (angle, column).
    angles
        Shape (angle,) [rad].
    start
        Columns from the first [pixel].

    Returns
    -------
    center
        Shape (center,), rising [pixel].
    metric
        Shape (center,): entropy above its lowest value [1].
    best
        The minimum, to a fraction of a step; None if there is none in the range.
    uncertainty
        Half the distance between the minima of the two sets of angles [pixel].
    """
    binning = -(-half_turns[0].shape[1] // _COLUMNS)
    thin = -(-len(angles) // _ANGLES)
    offset = (binning - 1) / 2
    middle = (start - offset) / binning
    slices = [
        _Slices(_binned(half_turn[::thin], binning), angles[::thin], middle)
        for half_turn in half_turns
    ]
    center = middle + np.arange(-_REACH, _REACH + 1)
    entropies = _entropies(slices, center)
    near = center[np.argmin(entropies[0])] + np.array([-_STEP, _STEP])
    order = np.argsort(np.append(center, near))
    center = np.append(center, near)[order]
    entropies = np.hstack([entropies, _entropies(slices, near)])[:, order]
    best, even, odd = (parabola(center, curve, reach=2 * _STEP) for curve in entropies)
    spread = _REACH if even is None or odd is None else max(abs(even - odd) / 2, 0.02)
    return (
        center * binning + offset,
        entropies[0] - entropies[0].min(),
        None if best is None else best * binning + offset,
        spread * binning,
    )


def _binned(sinogram: NDArray[np.float32], binning: int) -> NDArray[np.float32]:
    columns = sinogram.shape[1] // binning * binning
    parts = sinogram[:, :columns].reshape(len(sinogram), -1, binning)
    return np.ascontiguousarray(parts.mean(axis=2), np.float32)


def _entropies(slices: Sequence[_Slices], center: Curve) -> Curve:
    """Return the entropy with all angles, with the even and the odd ones. Shape (3, center)."""
    return np.asarray(np.sum([one.entropies(center) for one in slices], axis=0))


class _Slices:
    """Slices of one sinogram about different centres."""

    def __init__(self, sinogram: NDArray[np.float32], angles: Curve, middle: float) -> None:
        columns = sinogram.shape[1]
        radius = max(4.0, _INNER * min(middle, columns - 1 - middle))
        geometry = Geometry(angles, columns, 0.0, 2 * int(radius) + 1)
        self._projector = NufftBackprojector(geometry, _low_pass(geometry.padded))
        self._even = without_stripes(sinogram)
        self._odd = self._even.copy()
        self._even[1::2], self._odd[::2] = 0, 0
        place = np.arange(geometry.size) - geometry.size // 2
        self._inside = np.hypot(place[:, None], place) < radius
        sets = self._projector.sweep(self._even, self._odd, [middle], self._sets)[0]
        self._limits = [_limits(one) for one in sets]

    def entropies(self, center: Curve) -> Curve:
        """Return the entropies, shape (3, center)."""

        def measure(image: NDArray[np.complex64]) -> list[float]:
            sets = self._sets(image)
            return [_entropy(one, *limit) for one, limit in zip(sets, self._limits, strict=True)]

        return np.array(self._projector.sweep(self._even, self._odd, center, measure)).T

    def _sets(self, image: NDArray[np.complex64]) -> tuple[NDArray[np.float32], ...]:
        """Return the values inside with all angles, with the even and the odd ones."""
        values = image[self._inside]
        return values.real + values.imag, 2 * values.real, 2 * values.imag


def _low_pass(length: int) -> Curve:
    frequency = np.abs(np.fft.fftfreq(length)) * 2
    factors = response("ramp", length) * np.exp(-0.5 * (frequency / _SIGMA) ** 2)
    return np.where(frequency < _HIGHEST, factors, 0)


def _limits(values: NDArray[np.float32]) -> tuple[float, float]:
    low, high = np.percentile(values, (0.1, 99.9))
    margin = (high - low) / 2 or 1.0
    return float(low - margin), float(high + margin)


def _entropy(values: NDArray[np.float32], low: float, high: float) -> float:
    index = ((values - low) * (_BINS / (high - low))).astype(np.int32)
    counts = np.bincount(np.clip(index, 0, _BINS - 1), minlength=_BINS)
    return float(-np.log(np.sum((counts / values.size) ** 2)))
