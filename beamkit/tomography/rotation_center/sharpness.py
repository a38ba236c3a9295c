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

#: Centres looked at: so far on either side, in these steps [pixel].
_REACH, _STEP = 3.0, 0.5

#: Wider and longer sinograms are binned and thinned out to this.
_COLUMNS, _ANGLES = 1500, 900

#: Low pass on the ramp, over the Nyquist frequency: above is mostly noise.
_SIGMA = 0.2

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
        Shape (center,), in steps of 1/2 about the first guess [pixel].
    metric
        Shape (center,): entropy above its lowest value [1].
    best
        The minimum, to a fraction of a step; None if there is none in the range.
    uncertainty
        Half the distance between the minima of the two sets of angles [pixel].
    """
    binning = -(-half_turns[0].shape[1] // _COLUMNS)
    thin = -(-len(angles) // _ANGLES)
    inner = (start - (binning - 1) / 2) / binning
    center = inner + np.arange(-_REACH, _REACH + _STEP / 2, _STEP)
    entropies = np.zeros((3, len(center)))
    for half_turn in half_turns:
        entropies += _entropies(_binned(half_turn[::thin], binning), angles[::thin], center)
    best, even, odd = (parabola(center, curve, reach=2 * _STEP) for curve in entropies)
    spread = _REACH if even is None or odd is None else max(abs(even - odd) / 2, 0.02)
    offset = (binning - 1) / 2
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


def _entropies(sinogram: NDArray[np.float32], angles: Curve, center: Curve) -> Curve:
    """Return the entropy with all angles, with the even and the odd ones. Shape (3, center)."""
    columns = sinogram.shape[1]
    middle = float(center[len(center) // 2])
    radius = max(4.0, _INNER * min(middle, columns - 1 - middle))
    geometry = Geometry(angles, columns, 0.0, 2 * int(radius) + 1)
    frequency = np.abs(np.fft.fftfreq(geometry.padded)) * 2
    factors = response("ramp", geometry.padded) * np.exp(-0.5 * (frequency / _SIGMA) ** 2)
    even = without_stripes(sinogram)
    odd = even.copy()
    even[1::2], odd[::2] = 0, 0
    place = np.arange(geometry.size) - geometry.size // 2
    inside = np.hypot(place[:, None], place) < radius
    limits: list[tuple[float, float]] = []

    def measure(image: NDArray[np.complex64]) -> list[float]:
        values = image[inside]
        sets = (values.real + values.imag, 2 * values.real, 2 * values.imag)
        if not limits:
            limits.extend(_limits(one) for one in sets)
        return [_entropy(one, *limit) for one, limit in zip(sets, limits, strict=True)]

    projector = NufftBackprojector(geometry, factors)
    measure(projector.sweep(even, odd, [middle], lambda image: image)[0])
    return np.array(projector.sweep(even, odd, center, measure)).T


def _limits(values: NDArray[np.float32]) -> tuple[float, float]:
    low, high = np.percentile(values, (0.1, 99.9))
    margin = (high - low) / 2 or 1.0
    return float(low - margin), float(high + margin)


def _entropy(values: NDArray[np.float32], low: float, high: float) -> float:
    index = ((values - low) * (_BINS / (high - low))).astype(np.int32)
    counts = np.bincount(np.clip(index, 0, _BINS - 1), minlength=_BINS)
    return float(-np.log(np.sum((counts / values.size) ** 2)))
