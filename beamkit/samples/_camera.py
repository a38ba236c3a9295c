"""An indirect X-ray camera: beam profile, Poisson noise, dark current, defects.

Every frame has its own random numbers, made from the seed and the number of the frame, so that a
scan is the same whatever the blocks and threads that write it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beamkit.core.errors import ParameterError

from ._phantom import Floats
from ._sample import require_at_least

#: (row, column) of some pixels.
Pixels = tuple[tuple[int, int], ...]

#: Counts that the brightest pixel gets from the beam; a 16-bit camera is full at 65535.
_PEAK_COUNTS = 45000.0
_SATURATED = 65535
_DARK_COUNTS = 100.0
#: Standard deviation of the dark counts from frame to frame [counts].
_DARK_NOISE = 2.0
_GAINS = (0.965, 1.025, 0.98, 1.04)


@dataclass(frozen=True, eq=False)
class Camera:
    """The camera and the beam on it.

    Attributes
    ----------
    shape
        Pixels (rows, columns).
    photons
        Photons that the brightest pixel counts in a frame of the fresh beam.
    noise
        False gives the expected counts, rounded.
    seed
        Seed of the random numbers.
    dead_pixels, hot_pixels
        (row, column) of pixels that always give 0, or always 65535.
    ring_columns
        Columns that answer to the darkened beam with a gain of their own: the flats do not
        show it, so that flat-field correction leaves a stripe and the slice has a ring.
    """

    shape: tuple[int, int]
    photons: float
    noise: bool
    seed: int
    dead_pixels: Pixels
    hot_pixels: Pixels
    ring_columns: tuple[int, ...]

    def dark_counts(self) -> Floats:
        """Return the expected counts without beam. Shape (detector_y, detector_x)."""
        v, u = self._grid()
        return np.asarray(_DARK_COUNTS + 6 * u + 3 * v + 2 * np.sin(40 * u + 13 * v))

    def beam(self, time: float) -> Floats:
        """Return the beam relative to its fresh maximum. Shape (detector_y, detector_x) [1].

        Each pixel changes linearly with time, so interpolation between the flats before (0) and
        after (1) the scan is exact.
        """
        v, u = self._grid()
        profile = np.exp(-(((u - 0.11) / 0.9) ** 2) - ((v + 0.13) / 0.6) ** 2)
        profile *= 1 + 0.015 * np.sin(55 * v + 3 * u)  # the stripes of a multilayer mirror
        drift = -0.04 + 0.03 * u + 0.02 * v
        return np.asarray(profile / 1.015 * (1 + time * drift))

    def gains(self) -> Floats:
        """Return the gain of each column for projections. Shape (detector_x,) [1]."""
        gains = np.ones(self.shape[1])
        for number, column in enumerate(self.ring_columns):
            gains[column] = _GAINS[number % len(_GAINS)]
        return gains

    def expose(
        self,
        frame: int,
        dark_counts: Floats,
        beam: Floats | None = None,
        gains: Floats | None = None,
    ) -> NDArray[np.uint16]:
        """Return one frame.

        Parameters
        ----------
        frame
            Its number in the scan.
        dark_counts
            Of :meth:`dark_counts`.
        beam
            What arrives, relative to the maximum of the fresh beam; None for a dark.
        gains
            Of :meth:`gains`, for a projection.
        """
        random = np.random.default_rng([self.seed, frame])
        counts = dark_counts.copy()
        if beam is not None:
            photons = beam * self.photons
            signal = random.poisson(photons) if self.noise else photons
            counts += signal * (_PEAK_COUNTS / self.photons) * (1.0 if gains is None else gains)
        if self.noise:
            counts += _DARK_NOISE * random.standard_normal(self.shape, dtype=np.float32)
        image = np.clip(np.rint(counts), 0, _SATURATED).astype(np.uint16)
        for pixels, value in ((self.dead_pixels, 0), (self.hot_pixels, _SATURATED)):
            for row, column in pixels:
                image[row, column] = value
        return image

    def _grid(self) -> tuple[Floats, Floats]:
        """Return v (down) and u (right), each from -0.5 to 0.5 over the frame."""
        rows, columns = self.shape
        v = (np.arange(rows) + 0.5) / rows - 0.5
        u = (np.arange(columns) + 0.5) / columns - 0.5
        return v[:, None], u[None, :]


def choose_defects(
    shape: tuple[int, int], *, dead: int, hot: int, rings: int, seed: int
) -> tuple[Pixels, Pixels, tuple[int, ...]]:
    """Return dead pixels, hot pixels and ring columns, none in the same place as another.

    Raises
    ------
    ParameterError
        If a number is negative, or there is no room for so many.
    """
    rows, columns = shape
    inner = np.arange(columns // 10, columns - columns // 10)
    require_at_least(0, dead_pixels=dead, hot_pixels=hot, rings=rings)
    if rings > inner.size or dead + hot > rows * (columns - rings):
        raise ParameterError(
            f"{dead} dead pixels, {hot} hot pixels and {rings} ring columns do not fit on a camera "
            f"of {rows} x {columns} pixels. Ask for fewer of them, or for a larger camera."
        )
    random = np.random.default_rng([seed, 2**32 - 1])
    ring_columns = np.sort(random.choice(inner, size=rings, replace=False))
    flat = np.arange(rows * columns)
    good = flat[~np.isin(flat % columns, ring_columns)]
    chosen = random.choice(good, size=dead + hot, replace=False)
    pixels = [(int(place // columns), int(place % columns)) for place in chosen]
    return (
        tuple(sorted(pixels[:dead])),
        tuple(sorted(pixels[dead:])),
        tuple(int(column) for column in ring_columns),
    )
