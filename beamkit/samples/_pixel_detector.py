"""A photon-counting detector of several modules, somewhere in the laboratory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beamkit.core import detectors
from beamkit.core.detector_geometry import BeamCenter, DetectorPlane, beam_center
from beamkit.core.errors import ParameterError, UnknownNameError

from ._sample import require_at_least

Floats = NDArray[np.float64]
#: (row, column) of some pixels.
Pixels = tuple[tuple[int, int], ...]

#: Highest valid count: a counter of 20 bits.
COUNT_CUTOFF = 2**20 - 1


@dataclass(frozen=True, eq=False)
class PixelDetector:
    """Modules, defects and place of a detector.

    Attributes
    ----------
    layout
        Modules and gaps.
    plane
        Outer corner of pixel (0, 0) [m] and directions of its rows and columns.
    bad_pixels
        (row, column) of pixels that are flagged.
    hot_pixels
        (row, column) of pixels that count too much, above the count cutoff, unflagged.
    """

    layout: detectors.ModuleLayout
    plane: DetectorPlane
    bad_pixels: Pixels
    hot_pixels: Pixels

    @property
    def shape(self) -> tuple[int, int]:
        """Pixels (detector_y, detector_x)."""
        return self.layout.shape

    def beam_center(self) -> BeamCenter:
        """Return where the direct beam meets the detector."""
        size = self.layout.pixel_size
        return beam_center(*self.plane, size, size)

    def positions(self) -> Floats:
        """Return the centre of every pixel. Shape (detector_y, detector_x, 3) [m], laboratory."""
        rows, columns = (np.arange(size) + 0.5 for size in self.shape)
        origin, fast, slow = (np.asarray(vector) for vector in self.plane)
        size = self.layout.pixel_size
        return np.asarray(
            origin + size * (columns[None, :, None] * fast + rows[:, None, None] * slow)
        )

    def two_theta(self) -> Floats:
        """Return the scattering angle at every pixel. Shape (detector_y, detector_x) [deg]."""
        x, y, z = np.moveaxis(self.positions(), -1, 0)
        return np.asarray(np.rad2deg(np.arctan2(np.hypot(x, y), z)))

    def where(self, directions: Floats) -> Floats:
        """Return where rays from the sample meet the detector.

        Parameters
        ----------
        directions
            Shape (ray, 3), laboratory frame; any length.

        Returns
        -------
        positions
            x, y from the outer corner, shape (ray, 2) [pixel]; NaN where a ray never arrives.
        """
        origin, fast, slow = (np.asarray(vector) for vector in self.plane)
        normal = np.cross(fast, slow)
        with np.errstate(divide="ignore"):
            length = (origin @ normal) / (directions @ normal)
        length = np.where(length > 0, length, np.nan)
        hit = directions * length[:, None] - origin
        return np.asarray(np.stack([hit @ fast, hit @ slow], axis=1) / self.layout.pixel_size)

    def mask(self) -> NDArray[np.uint32]:
        """Return bits of NXdetector ``pixel_mask``. Shape (detector_y, detector_x).

        Hot pixels are not in it: the detector does not know of them.
        """
        mask = np.where(self.layout.gaps(), detectors.MASK_GAP, 0).astype(np.uint32)
        for row, column in self.bad_pixels:
            mask[row, column] |= detectors.MASK_DEAD
        return mask

    def count(self, expected: Floats, random: np.random.Generator | None) -> NDArray[np.int32]:
        """Return a frame with the detector's flags: -1 in gaps, -2 at bad pixels.

        Parameters
        ----------
        expected
            Photons, shape (detector_y, detector_x).
        random
            Source of Poisson noise; None for the expected counts, rounded.
        """
        photons = np.rint(expected) if random is None else random.poisson(expected)
        frame = np.minimum(photons, COUNT_CUTOFF).astype(np.int32)
        frame[self.layout.gaps()] = detectors.PILATUS_GAP
        for row, column in self.bad_pixels:
            frame[row, column] = detectors.PILATUS_BAD
        for row, column in self.hot_pixels:
            frame[row, column] = COUNT_CUTOFF + 1
        return frame


def find_layout(name: str) -> detectors.ModuleLayout:
    """Return the layout of that name. Raises UnknownNameError."""
    known = {layout.name: layout for layout in detectors.LAYOUTS}
    if name not in known:
        raise UnknownNameError("detector", name, known)
    return known[name]


def choose_bad_pixels(
    layout: detectors.ModuleLayout, *, bad: int, hot: int, seed: int
) -> tuple[Pixels, Pixels]:
    """Return bad and hot pixels outside the gaps, none twice.

    Raises
    ------
    ParameterError
        If a number is negative, or there are not so many pixels.
    """
    require_at_least(0, bad_pixels=bad, hot_pixels=hot)
    places = np.argwhere(~layout.gaps())
    if bad + hot > len(places):
        raise ParameterError(
            f"{bad} bad and {hot} hot pixels do not fit on a {layout.name}, which has "
            f"{len(places)} pixels. Ask for fewer of them."
        )
    random = np.random.default_rng([seed, 2**32 - 1])
    chosen = random.choice(places, size=bad + hot, replace=False).tolist()
    pixels = [(int(row), int(column)) for row, column in chosen]
    return tuple(sorted(pixels[:bad])), tuple(sorted(pixels[bad:]))
