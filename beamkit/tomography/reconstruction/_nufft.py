"""Filtered back projection by a non-uniform Fourier transform; the one door to FINUFFT.

The transform of a filtered row is a radial line of the transform of the slice (central slice
theorem), so a slice is one type-1 transform of all rows::

    slice(x, y) = sum over angle and w of  W(angle) H(w) P(angle, w) exp(i w center)
                  exp(i w (x cos(angle) + y sin(angle))) / length

FINUFFT: Barnett, Magland & af Klinteberg 2019, SIAM J. Sci. Comput. 41, C479,
doi:10.1137/18M120885X.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any, TypeVar

import finufft
import numpy as np
from numpy.typing import NDArray
from scipy import fft

from beamkit.core.machine import cores

from ._geometry import Geometry, pad_rows

T = TypeVar("T")

#: Two slices share a transform only if their norms differ by less than this factor: the darker
#: one would drown in the rounding of the brighter one.
_LARGEST_RATIO = 100.0

#: Relative error of the transform; 1e-2 to 1e-4 give the same image errors.
_TOLERANCE = 1e-3


class NufftBackprojector:
    """Turn sinograms into slices; one plan for each thread serves all slices.

    Parameters
    ----------
    geometry
        The scan.
    factors
        Filter, shape (geometry.padded,) [1/pixel], zero at the Nyquist frequency. A band of
        zeros costs no time.
    """

    def __init__(self, geometry: Geometry, factors: NDArray[np.float64]) -> None:
        self._length = geometry.padded
        self._size = geometry.size
        self._of_pairs = _RadialLines(geometry, factors, is_one_sided=False)
        # One real slice needs the lines on one side of 0 only; the other side is their conjugate.
        doubled = np.where(np.arange(self._length) == 0, factors, 2 * factors)
        self._of_singles = _RadialLines(geometry, doubled, is_one_sided=True)

    def slices(
        self, sinograms: NDArray[np.float32], numbers: Sequence[int], threads: int | None = None
    ) -> NDArray[np.float32]:
        """Return a slice for each detector row.

        Parameters
        ----------
        sinograms
            Shape (angle, detector_y, detector_x), finite.
        numbers
            Number of each row on the whole detector: rows 2k and 2k + 1 share a transform, in
            whatever block they come.
        threads
            Threads; None takes one for each core.

        Returns
        -------
        slices
            Shape (detector_y, y, x), float32 [1/pixel].
        """
        result = np.empty((sinograms.shape[1], self._size, self._size), np.float32)

        def work(job: tuple[int, ...]) -> None:
            rows = [np.ascontiguousarray(sinograms[:, row]) for row in job]
            for row, image in zip(job, self._slices(rows), strict=True):
                result[row] = image

        jobs = _pairs(numbers)
        with ThreadPoolExecutor(min(len(jobs), threads or cores())) as pool:
            list(pool.map(work, jobs))
        return result

    def sweep(
        self,
        first: NDArray[np.float32],
        second: NDArray[np.float32],
        centers: Sequence[float] | NDArray[np.float64],
        measure: Callable[[NDArray[np.complex64]], T],
    ) -> list[T]:
        """Return what ``measure`` says of the slices of two sinograms, for each centre.

        Parameters
        ----------
        first, second
            Sinograms of about equal norm, shape (angle, detector_x).
        centers
            Columns to add to the centre of the geometry [pixel].
        measure
            Called with a slice of the first in the real part and of the second in the imaginary.
        """
        packed = pad_rows(first, self._length) + 1j * pad_rows(second, self._length)
        spectrum = fft.fft(packed, axis=1, overwrite_x=True)
        w = 2 * np.pi * fft.fftfreq(self._length)

        def work(center: float) -> T:
            shifted = spectrum * np.exp(1j * w * center).astype(np.complex64)
            return measure(self._of_pairs.image(shifted))

        with ThreadPoolExecutor(cores()) as pool:
            return list(pool.map(work, centers))

    def _slices(self, rows: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Return the slices of one sinogram, or of two, in one transform if that does no harm."""
        if len(rows) == 1:
            return [self._single(*rows)]
        norms = [float(np.sqrt(np.vdot(row, row))) for row in rows]
        if not max(norms) < _LARGEST_RATIO * min(norms):  # also if one is all zeros
            return [self._single(row) for row in rows]
        return self._pair(rows, norms)

    def _single(self, sinogram: NDArray[np.float32]) -> NDArray[np.float32]:
        spectrum = fft.rfft(pad_rows(sinogram, self._length), axis=1)
        image: NDArray[np.float32] = self._of_singles.image(spectrum).real
        return image

    def _pair(
        self, rows: list[NDArray[np.float32]], norms: list[float]
    ) -> list[NDArray[np.float32]]:
        """Return two slices from the transform of ``first + i second`` scaled to equal norm."""
        packed = np.empty((rows[0].shape[0], self._length), np.complex64)
        packed.real = pad_rows(rows[0], self._length) * np.float32(1 / norms[0])
        packed.imag = pad_rows(rows[1], self._length) * np.float32(1 / norms[1])
        image = self._of_pairs.image(fft.fft(packed, axis=1, overwrite_x=True))
        return [image.real * np.float32(norms[0]), image.imag * np.float32(norms[1])]


class _RadialLines:
    """The places of the frequencies of all rows in the transform of a slice."""

    def __init__(
        self, geometry: Geometry, factors: NDArray[np.float64], *, is_one_sided: bool
    ) -> None:
        self._geometry = geometry
        length = geometry.padded
        highest = int(np.abs(fft.fftfreq(length, 1 / length))[factors != 0].max())
        # Where the frequencies are in a spectrum, and where among those that are used.
        self._parts = [(slice(0, highest + 1), slice(0, highest + 1))]
        if highest and not is_one_sided:
            self._parts.append((slice(length - highest, length), slice(highest + 1, None)))
        self._factors = self._used(factors / length)
        self._w = self._used(2 * np.pi * fft.fftfreq(length))
        self._plans = threading.local()
        self._lock = threading.Lock()

    def _used(self, spectrum: NDArray[Any]) -> NDArray[Any]:
        """Return the frequencies that are used, of the last axis."""
        return np.concatenate([spectrum[..., where] for where, _ in self._parts], axis=-1)

    def image(self, spectrum: NDArray[np.complex64]) -> NDArray[np.complex64]:
        """Return the sum over all lines. ``spectrum`` has shape (angle, frequency)."""
        plan = self._plan()
        strengths = np.empty_like(self._phased_factors)
        for where, place in self._parts:
            np.multiply(spectrum[:, where], self._phased_factors[:, place], out=strengths[:, place])
        image: NDArray[np.complex64] = plan.execute(strengths.ravel())
        return image

    @cached_property
    def _places(self) -> list[NDArray[np.float32]]:
        """The transform's coordinates of all frequencies, along y and along x."""
        angles = self._geometry.angles[:, None]
        return [
            (turn * self._w).astype(np.float32).ravel() for turn in (np.sin(angles), np.cos(angles))
        ]

    @cached_property
    def _phased_factors(self) -> NDArray[np.complex64]:
        """Filter, weight of the angle, and phase that puts the axis in the middle."""
        geometry = self._geometry
        # A slice of even size has its middle between pixels.
        half_pixel = 0.5 * (np.cos(geometry.angles) + np.sin(geometry.angles))
        shifts = geometry.center + half_pixel * (1 - geometry.size % 2)
        factors = self._used(_phases(shifts, geometry.padded))
        factors *= geometry.weights[:, None].astype(np.float32)
        factors *= self._factors.astype(np.float32)
        return factors

    def _plan(self) -> finufft.Plan:
        """Return the plan of this thread.

        It runs on one thread: with more, FINUFFT adds in an order that changes from call to call,
        and so do the last bits.
        """
        if not hasattr(self._plans, "plan"):
            with self._lock:  # the first thread computes for all
                places, _ = self._places, self._phased_factors
            size = self._geometry.size
            plan = finufft.Plan(
                1,
                (size, size),
                eps=_TOLERANCE,
                isign=1,
                dtype="complex64",
                upsampfac=1.25,
                nthreads=1,
            )
            plan.setpts(*places)
            self._plans.plan = plan
        return self._plans.plan


def _phases(shifts: NDArray[np.float64], length: int) -> NDArray[np.complex64]:
    """Return ``exp(i w shift)`` for all shifts and frequencies, shape (shift, length).

    From tables of each 64th frequency and of those between, as exponentials are slow.
    """
    step = 2j * np.pi / length * shifts[:, None]
    coarse = np.exp(step * np.arange(0, length // 2 + 1, 64)).astype(np.complex64)
    fine = np.exp(step * np.arange(64)).astype(np.complex64)
    positive = (coarse[:, :, None] * fine[:, None, :]).reshape(len(shifts), -1)
    phases = np.empty((len(shifts), length), np.complex64)
    phases[:, : length // 2] = positive[:, : length // 2]
    np.conjugate(positive[:, length // 2 : 0 : -1], out=phases[:, length // 2 :])
    return phases


def _pairs(numbers: Sequence[int]) -> list[tuple[int, ...]]:
    """Return the rows that may share a transform: those numbered 2k and 2k + 1."""
    place = {number: row for row, number in enumerate(numbers)}
    jobs: list[tuple[int, ...]] = []
    for row, number in enumerate(numbers):
        partner = place.get(number ^ 1)
        if partner is None or place[number] != row:
            jobs.append((row,))
        elif number % 2 == 0:
            jobs.append((row, partner))
    return jobs
