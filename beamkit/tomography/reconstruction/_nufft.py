"""Filtered back projection by a non-uniform Fourier transform; the one door to FINUFFT.

The transform of a filtered row is a radial line of the transform of the slice (central slice
theorem), so a slice is one type-1 transform of all rows::

    slice(x, y) = sum over angle and w of  W(angle) H(w) P(angle, w) exp(i w center)
                  exp(i w (x cos(angle) + y sin(angle))) / length

FINUFFT: Barnett, Magland & af Klinteberg 2019, SIAM J. Sci. Comput. 41, C479,
doi:10.1137/18M120885X.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import finufft
import numpy as np
from numpy.typing import NDArray
from scipy import fft

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
        highest = np.abs(fft.fftfreq(self._length, 1 / self._length))[factors != 0].max()
        band = np.r_[: int(highest) + 1, self._length - int(highest) : self._length]
        self._of_pairs = _RadialLines(geometry, band, factors)
        # One real slice needs the lines on one side of 0 only; the other side is their conjugate.
        doubled = np.where(np.arange(self._length) == 0, factors, 2 * factors)
        self._of_singles = _RadialLines(geometry, band[: int(highest) + 1], doubled)

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
            images = self._single(*rows) if len(job) == 1 else self._pair(*rows)
            for row, image in zip(job, images, strict=True):
                result[row] = image

        jobs = _pairs(sinograms, numbers)
        for lines, rows_of_a_job in ((self._of_singles, 1), (self._of_pairs, 2)):
            if any(len(job) == rows_of_a_job for job in jobs):
                lines.prepare()
        with ThreadPoolExecutor(min(len(jobs), threads or os.cpu_count() or 1)) as pool:
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
        self._of_pairs.prepare()
        spectrum = self._of_pairs.band_of(fft.fft(packed, axis=1, overwrite_x=True))
        w = self._of_pairs.w

        def work(center: float) -> T:
            shifted = spectrum * np.exp(1j * w * center).astype(np.complex64)
            return measure(self._of_pairs.image(shifted))

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(work, centers))

    def _single(self, sinogram: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        spectrum = fft.rfft(pad_rows(sinogram, self._length), axis=1)
        return [self._of_singles.image(self._of_singles.band_of(spectrum)).real]

    def _pair(
        self, first: NDArray[np.float32], second: NDArray[np.float32]
    ) -> list[NDArray[np.float32]]:
        """Return two slices from one transform, of ``first + i second`` scaled to equal norm."""
        norms = _norm(first), _norm(second)
        packed = np.empty((first.shape[0], self._length), np.complex64)
        packed.real = pad_rows(first, self._length) * np.float32(1 / norms[0])
        packed.imag = pad_rows(second, self._length) * np.float32(1 / norms[1])
        spectrum = fft.fft(packed, axis=1, overwrite_x=True)
        image = self._of_pairs.image(self._of_pairs.band_of(spectrum))
        return [image.real * np.float32(norms[0]), image.imag * np.float32(norms[1])]


class _RadialLines:
    """The places of the frequencies of all rows in the transform of a slice."""

    def __init__(
        self, geometry: Geometry, band: NDArray[np.intp], factors: NDArray[np.float64]
    ) -> None:
        self._geometry = geometry
        self._band = band
        self._factors = factors[band] / geometry.padded
        self.w = 2 * np.pi * fft.fftfreq(geometry.padded)[band]
        self._plans = threading.local()
        self._is_prepared = False

    def prepare(self) -> None:
        """Compute the places and factors, shared by all threads, if that is not done."""
        if self._is_prepared:
            return
        geometry = self._geometry
        cos, sin = np.cos(geometry.angles)[:, None], np.sin(geometry.angles)[:, None]
        self._places = [(part * self.w).astype(np.float32).ravel() for part in (sin, cos)]
        # A slice of even size has its middle between pixels.
        half_pixel = 0.5 * (cos + sin) * (1 - geometry.size % 2)
        factors = self.band_of(_phases(geometry.center + half_pixel[:, 0], geometry.padded))
        factors *= geometry.weights[:, None].astype(np.float32)
        factors *= self._factors.astype(np.float32)
        self._all_factors = factors
        self._is_prepared = True

    def band_of(self, spectrum: NDArray[np.complex64]) -> NDArray[np.complex64]:
        """Return the frequencies that are used. Shape (angle, frequency)."""
        return spectrum[:, self._band]

    def image(self, spectrum: NDArray[np.complex64]) -> NDArray[np.complex64]:
        """Return the sum over all lines, from the frequencies that are used."""
        strengths = spectrum * self._all_factors
        image: NDArray[np.complex64] = self._plan().execute(strengths.ravel())
        return image

    def _plan(self) -> finufft.Plan:
        """Return the plan of this thread.

        It runs on one thread: with more, FINUFFT adds in an order that changes from call to call,
        and so do the last bits.
        """
        if not hasattr(self._plans, "plan"):
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
            plan.setpts(*self._places)
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


def _norm(sinogram: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean(np.square(sinogram, dtype=np.float64))))


def _pairs(sinograms: NDArray[np.float32], numbers: Sequence[int]) -> list[tuple[int, ...]]:
    """Return the rows that share a transform."""
    place = {number: row for row, number in enumerate(numbers)}
    jobs: list[tuple[int, ...]] = []
    for row, number in enumerate(numbers):
        partner = place.get(number ^ 1)
        if partner is None or place[number] != row:
            jobs.append((row,))
        elif number % 2 == 0:
            together = _fit(sinograms[:, row], sinograms[:, partner])
            jobs.extend([(row, partner)] if together else [(row,), (partner,)])
    return jobs


def _fit(first: NDArray[np.float32], second: NDArray[np.float32]) -> bool:
    low, high = sorted((_norm(first), _norm(second)))
    return high < _LARGEST_RATIO * low  # False also if both are zero
