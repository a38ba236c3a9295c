"""Resolution from two independent images of the same object: Fourier ring correlation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.errors import InvalidPixelsError, ShapeError


@dataclass(frozen=True)
class RingCorrelation:
    """How alike two images are at each spatial frequency.

    Attributes
    ----------
    correlation, threshold
        Over ``frequency`` [1/pixel], from 0 to 0.5.
    resolution
        Period at which the correlation first falls below the threshold [pixel]; 2 (the limit of
        sampling) if it never does, None if it is below it from the start.
    """

    correlation: xr.DataArray
    threshold: xr.DataArray
    resolution: float | None


def ring_correlation(first: xr.DataArray, second: xr.DataArray) -> RingCorrelation:
    """Compare two images of the same object, ring by ring in Fourier space.

    The threshold is the half-bit curve of van Heel & Schatz, J. Struct. Biol. 151, 250-262 (2005),
    doi:10.1016/j.jsb.2005.05.009, eq. 17, for halves of one data set.

    Parameters
    ----------
    first, second
        Shape (rows, columns), from one half of the data each. The edges are tapered (Hann), or
        their steps would correlate.

    Raises
    ------
    ShapeError
        If the two are not images of the same shape, or smaller than 8 pixels.
    InvalidPixelsError
        If a pixel is NaN.
    """
    if first.shape != second.shape or first.ndim != 2 or min(first.shape) < 8:
        raise ShapeError(
            f"Two images of the same shape, at least 8 x 8 pixels, are needed; got {first.shape} "
            f"and {second.shape}. Make both halves the same way."
        )
    if not (np.isfinite(first.values).all() and np.isfinite(second.values).all()):
        raise InvalidPixelsError(
            "The images hold NaN, which has no Fourier transform. Crop or fill them first."
        )
    one, two = _spectrum(first.values), _spectrum(second.values)
    rings = _rings(one.shape)
    number = np.arange(rings.max() + 1)
    number = number[: min(first.shape) // 2 + 1]
    cross = scipy.ndimage.sum_labels((one * two.conj()).real, rings, number)
    power = scipy.ndimage.sum_labels(abs(one) ** 2, rings, number) * scipy.ndimage.sum_labels(
        abs(two) ** 2, rings, number
    )
    count = scipy.ndimage.sum_labels(np.ones(rings.shape), rings, number)
    correlation = cross / np.sqrt(np.maximum(power, np.finfo(float).tiny))
    threshold = (0.2071 + 1.9102 / np.sqrt(count)) / (1.2071 + 0.9102 / np.sqrt(count))
    frequency = ("frequency", number / min(first.shape), {"units": "1/pixel"})
    return RingCorrelation(
        xr.DataArray(correlation, dims="frequency", coords={"frequency": frequency}),
        xr.DataArray(threshold, dims="frequency", coords={"frequency": frequency}),
        _first_crossing(number / min(first.shape), correlation - threshold),
    )


def _spectrum(image: NDArray[np.floating]) -> NDArray[np.complex128]:
    taper = np.hanning(image.shape[0])[:, None] * np.hanning(image.shape[1])[None, :]
    spectrum: NDArray[np.complex128] = scipy.fft.fft2((image - image.mean(dtype=float)) * taper)
    return spectrum


def _rings(shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Return the number of the ring, one Fourier pixel of the shorter side wide."""
    fy, fx = (scipy.fft.fftfreq(size) for size in shape)
    rings: NDArray[np.int64] = np.rint(np.hypot(fy[:, None], fx[None, :]) * min(shape)).astype(int)
    return rings


def _first_crossing(frequency: NDArray[np.float64], excess: NDArray[np.float64]) -> float | None:
    """Return the period where ``excess`` first falls below 0, by linear interpolation."""
    # The taper spreads the mean, which was taken away, over the rings 0 and 1.
    start = 2
    below = np.flatnonzero(excess[start:] < 0)
    if below.size == 0:
        return 2.0
    ring = int(below[0]) + start
    if ring == start:
        return None
    before, after = excess[ring - 1], excess[ring]
    crossing = frequency[ring - 1] + (frequency[ring] - frequency[ring - 1]) * before / (
        before - after
    )
    return float(1 / crossing)
