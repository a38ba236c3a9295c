"""Points on powder rings: crests of the intensity across each ring, sector by sector.

A ring is cut into sectors along chi. In each, the mean intensity over 2theta is smoothed with a
Gaussian, and the crest is where its first derivative passes through zero: exact for a symmetric
line however it is sampled, and taken between two bins by a straight line.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from ._calibration_model import Model

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Length of a sector along the ring [pixel], and fewest and most of them in a turn.
_SECTOR, _FEWEST, _MOST = 10.0, 16, 360

#: Bins per pixel across a ring.
_BINS = 1.0

#: A crest stands above its surroundings by this many standard errors.
_SIGNIFICANT = 5.0

#: A window this narrow [pixel] holds no crest and its two sides.
_NARROWEST = 3.0


@dataclass(frozen=True, eq=False)
class PixelImage:
    """An image, which of its pixels are good, and where they are on the detector.

    Attributes
    ----------
    values
        Shape (row, column), float32, finite where good.
    good
        Same shape.
    x, y
        Positions of the centres of columns and of rows [pixel].
    """

    values: NDArray[np.float32]
    good: Flags
    x: Array
    y: Array

    @property
    def step(self) -> float:
        """How many pixels of the detector one of the image spans."""
        steps = [abs(float(line[1] - line[0])) for line in (self.x, self.y) if line.size > 1]
        return max(steps, default=1.0)


@dataclass(frozen=True, eq=False)
class Points:
    """Points on rings.

    Attributes
    ----------
    x, y
        Positions on the full detector [pixel]. Shape (point,).
    ring
        Number of the ring, from 0. Shape (point,).
    seen
        By ring: the share of its sectors on the detector that have a crest.
    width
        By ring: full width at half height [pixel], about.
    """

    x: Array
    y: Array
    ring: NDArray[np.int64]
    seen: dict[int, float]
    width: dict[int, float]

    def __len__(self) -> int:
        return self.x.size

    def only(self, chosen: Flags) -> Points:
        """Return some of the points."""
        return Points(self.x[chosen], self.y[chosen], self.ring[chosen], self.seen, self.width)


def find_points(
    image: PixelImage,
    model: Model,
    parameters: Array,
    rings: Array,
    window: float,
    *,
    every: Array | None = None,
) -> Points:
    """Return the crests near the rings of a geometry.

    Parameters
    ----------
    image
        With the rings.
    model, parameters
        A geometry that is nearly right.
    rings
        2theta of the rings, ascending [rad]; NaN where there is none.
    window
        How far a crest may be from where the geometry has it [pixel]; half the way to the next
        ring at most.
    every
        All rings that the image may show, where ``rings`` are some of them.
    """
    sorted_pixels = _Sorted.of(image, model, parameters)
    apart = _apart(rings if every is None else every)
    found: list[tuple[Array, Array, Array]] = []
    seen: dict[int, float] = {}
    width: dict[int, float] = {}
    for number, angle in enumerate(rings):
        ring = sorted_pixels.ring(float(angle), float(apart[number]), window * image.step)
        if ring is None:
            continue
        crests = _crests(ring)
        seen[number], width[number] = crests.seen, crests.width * image.step
        if crests.chi.size:
            x, y = model.positions(parameters, crests.two_theta, crests.chi)
            found.append((x, y, np.full(x.size, float(number))))
    if not found:
        nowhere = np.empty(0)
        return Points(nowhere, nowhere, np.empty(0, np.int64), seen, width)
    x, y, ring_numbers = (np.concatenate(column) for column in zip(*found, strict=True))
    return Points(x, y, ring_numbers.astype(np.int64), seen, width)


def _apart(rings: Array) -> Array:
    """Return the way from each ring to its neighbour; NaN rings are none."""
    result = np.full(rings.shape, np.inf)
    there = np.flatnonzero(np.isfinite(rings))
    steps = np.diff(rings[there], prepend=-rings[there[:1]], append=np.inf)
    result[there] = np.minimum(steps[:-1], steps[1:])
    return result


@dataclass(frozen=True, eq=False)
class _Ring:
    """Pixels about one ring: distance from it in bins, sector, value; and what bins mean."""

    profile: Array
    error: Array
    pixels: Array
    chi: Array
    middle: float
    per_bin: float


@dataclass(frozen=True, eq=False)
class _Sorted:
    """The good pixels by ascending 2theta."""

    two_theta: Array
    chi: Array
    values: Array
    per_pixel: float

    @classmethod
    def of(cls, image: PixelImage, model: Model, parameters: Array) -> _Sorted:
        angle, chi = model.angles(parameters, image.x[None, :], image.y[:, None])
        angle, chi = angle[image.good], chi[image.good]
        values = image.values[image.good].astype(np.float64)
        order = np.argsort(angle)
        nearest = abs(parameters[0] * np.cos(parameters[3]) * np.cos(parameters[4]))
        per_pixel = float(np.sqrt(np.prod(model.pixel_size))) * image.step / nearest
        return cls(angle[order], chi[order], values[order], per_pixel)

    def ring(self, angle: float, apart: float, window: float) -> _Ring | None:
        """Return profiles across a ring, or None where it has no pixels or no room."""
        if not np.isfinite(angle):
            return None
        # On a flat detector a pixel spans an angle that falls as cos^2.
        per_pixel = self.per_pixel * max(np.cos(angle) ** 2, 0.05)
        half = min(window * per_pixel, 0.47 * apart)
        if half < _NARROWEST * per_pixel:
            return None
        first, last = np.searchsorted(self.two_theta, (angle - half, angle + half))
        if last - first < 30:
            return None
        per_bin = per_pixel / _BINS
        bins = 2 * int(half / per_bin) + 1
        place = ((self.two_theta[first:last] - angle) / per_bin + bins / 2).astype(int)
        place = np.clip(place, 0, bins - 1)
        around = 2 * np.pi * np.sin(angle) / per_pixel
        sectors = int(np.clip(around / _SECTOR, _FEWEST, _MOST))
        chi = self.chi[first:last]
        sector = np.minimum(((chi + np.pi) / (2 * np.pi) * sectors).astype(int), sectors - 1)
        return _profiles(
            sector * bins + place, chi, self.values[first:last], (sectors, bins), angle, per_bin
        )


def _profiles(
    cell: NDArray[np.int64], chi: Array, values: Array, shape: tuple[int, int], middle: float,
    per_bin: float,
) -> _Ring:  # fmt: skip
    """Return mean, standard error and number of the pixels of each cell of sector and bin."""
    size = shape[0] * shape[1]
    number = np.bincount(cell, minlength=size).astype(float)
    total, square, turn = (
        np.bincount(cell, weights, minlength=size) for weights in (values, values**2, chi)
    )
    count = np.maximum(number, 1)
    mean = total / count
    spread = np.maximum(square / count - mean**2, 0) / count
    mean, error, number, chi = (
        part.reshape(shape) for part in (mean, np.sqrt(spread), number, turn / count)
    )
    return _Ring(mean, error, number, chi, middle, per_bin)


@dataclass(frozen=True, eq=False)
class _Crests:
    two_theta: Array
    chi: Array
    seen: float
    width: float


def _crests(ring: _Ring) -> _Crests:
    """Return where the crests of a ring are, and how many of the sectors that could show one do."""
    profile, covered = _filled(ring)
    sectors, bins = profile.shape
    width = _width(profile, covered)
    sigma = float(np.clip(0.4 * width, 1.0, bins / 6))
    smooth = gaussian_filter1d(profile, sigma, axis=1, mode="nearest")
    slope = gaussian_filter1d(profile, sigma, axis=1, order=1, mode="nearest")
    row = np.arange(sectors)
    top = np.argmax(smooth[:, 1:-1], axis=1) + 1
    # The crest is where the slope changes sign: just before or just after the highest bin.
    left = np.clip(np.where(slope[row, top] > 0, top, top - 1), 0, bins - 2)
    before, after = slope[row, left], slope[row, left + 1]
    passes = (before > 0) & (after <= 0)
    place = left + before / np.where(passes, before - after, 1.0)
    near = np.abs(np.arange(bins) - top[:, None]) <= max(2 * sigma, 2)
    whole = np.all((ring.pixels > 0) | ~near, axis=1)
    inside = (top > sigma) & (top < bins - 1 - sigma)
    base = np.minimum(profile[:, :2].mean(axis=1), profile[:, -2:].mean(axis=1))
    high = smooth[row, top] - np.maximum(base, np.median(profile, axis=1))
    error = np.sqrt(np.mean(ring.error**2, axis=1) / max(2 * sigma, 1))
    good = passes & whole & inside & covered & (high > _SIGNIFICANT * error)
    seen = float(good.sum() / max((covered & whole).sum(), 1))
    angle = ring.middle + (place + 0.5 - bins / 2) * ring.per_bin
    return _Crests(angle[good], ring.chi[row, top][good], seen, width)


def _filled(ring: _Ring) -> tuple[Array, Flags]:
    """Return profiles without holes, and which sectors have pixels enough."""
    there = ring.pixels > 0
    covered = there.mean(axis=1) > 0.7
    profile = ring.profile.copy()
    bins = np.arange(profile.shape[1])
    for row in np.flatnonzero(covered & ~there.all(axis=1)):
        known = there[row]
        profile[row, ~known] = np.interp(bins[~known], bins[known], profile[row, known])
    return profile, covered


def _width(profile: Array, covered: Flags) -> float:
    """Return the full width at half height of the crests, about [bins]."""
    if not covered.any():
        return 2.0
    above = profile[covered] - np.median(profile[covered], axis=1, keepdims=True)
    top = above.max(axis=1, keepdims=True)
    return float(np.median(np.sum(above > top / 2, axis=1)))
