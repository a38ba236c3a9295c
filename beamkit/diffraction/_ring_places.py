"""Where an image has rings, against where a geometry expects them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ._calibration_fit import Fit
from ._calibration_start import Start
from ._ring_map import RingMap

Array = NDArray[np.float64]

#: What looks like a ring [standard deviations], and the least share of good pixels there.
_RING_LIKE, _KNOWN = 1.5, 0.5

#: A ring that the calibrant has not is one that stands out as much as this part of a usual ring
#: of the calibrant, over so many places at least.
_AS_STRONG, _PLACES = 0.5, 60


@dataclass(frozen=True, eq=False)
class RingPlaces:
    """Places of an image. Each array has shape (place,).

    Attributes
    ----------
    values
        How far the place stands out of its surroundings [standard deviations].
    two_theta
        Scattering angle [rad].
    off
        How far the nearest ring of the calibrant is [pixel].
    reach
        How far that may be at a place that is on the ring [pixel].
    per_pixel
        Change of the scattering angle [rad/pixel].
    first, last
        Smallest and largest angle of a ring that the calibrant's table has [rad]; nearer to the
        beam there are the beam stop and its edge.
    """

    values: Array
    two_theta: Array
    off: Array
    reach: float
    per_pixel: Array
    first: float
    last: float

    @classmethod
    def of(cls, sketch: RingMap, start: Start, fit: Fit, two_theta: Array) -> Self:
        """Return the places of a map; ``two_theta``: rings of the calibrant, rising [rad]."""
        smooth = sketch.blurred(1.0)
        row, column = np.nonzero(smooth.known > _KNOWN)
        x = np.asarray(sketch.first[0] + column * sketch.step[0], float)
        y = np.asarray(sketch.first[1] + row * sketch.step[1], float)
        slopes = start.model.slopes(fit.parameters, x, y)
        rings = two_theta[np.isfinite(two_theta)]
        after = np.clip(np.searchsorted(rings, slopes.two_theta), 1, max(rings.size - 1, 1))
        near = [
            np.abs(slopes.two_theta - rings[np.minimum(n, rings.size - 1)])
            for n in (after - 1, after)
        ]
        widths = [w for w in fit.points.width.values() if w > 0]
        cell = max(abs(step) for step in sketch.step)
        return cls(
            values=np.asarray(smooth.values[row, column], float),
            two_theta=slopes.two_theta,
            off=np.minimum(*near) / slopes.per_pixel,
            reach=max(2 * cell, float(np.median(widths)) if widths else 0.0),
            per_pixel=slopes.per_pixel,
            first=float(rings.min(initial=np.pi)),
            last=float(rings.max(initial=0.0)),
        )

    def explained(self) -> float:
        """Return the share of ring-like places that are on a ring of the calibrant."""
        here = self.values > _RING_LIKE
        if not here.any():
            return 0.0
        weight = self.values[here]
        return float(weight[self.off[here] < self.reach].sum() / weight.sum())

    def strangers(self) -> tuple[list[float], int]:
        """Return the angles of rings that the calibrant has not [deg], and how many it has here.

        A calibrant whose rings are nearly a part of those in the image fits well at a distance
        that is wrong; what gives it away are the rings that it leaves out.
        """
        angle, mean, own = self._rings_by_angle()
        if not own.any():
            return [], 0
        strong = mean > _AS_STRONG * float(np.median(mean[own]))
        return self._apart(angle[strong & ~own]), len(self._apart(angle[own & strong]))

    def _apart(self, angles: Array) -> list[float]:
        """Return the first of each run of neighbouring angles [deg]."""
        step = self.reach * float(np.median(self.per_pixel))
        rising = np.sort(angles)
        first = rising[np.diff(rising, prepend=-np.inf) > 2.5 * step]
        return [float(angle) for angle in np.rad2deg(first)]

    def _rings_by_angle(self) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Return angle, mean of the values, and whether a ring of the calibrant is there.

        In steps of the reach, each of places that are either all near a ring or all far off.
        """
        step = self.reach * float(np.median(self.per_pixel))
        number = (self.two_theta / step).astype(np.int64)
        angles, means, owns = [], [], []
        for own, chosen in ((True, self.off < self.reach), (False, self.off > 2 * self.reach)):
            use = chosen & (self.two_theta > self.first) & (self.two_theta < self.last)
            count = np.bincount(number[use])
            total = np.bincount(number[use], self.values[use])
            enough = np.flatnonzero(count >= _PLACES)
            angles.append((enough + 0.5) * step)
            means.append(total[enough] / count[enough])
            owns.append(np.full(enough.size, own))
        return np.concatenate(angles), np.concatenate(means), np.concatenate(owns)
