"""What a reconstruction needs to know about the scan, in detector columns and radians."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len

#: A gap between neighbouring angles this many times the usual one was not measured.
_MISSING_WEDGE = 5.0


@dataclass(frozen=True)
class Geometry:
    """Parallel beam, one axis of rotation, one square slice for each detector row.

    ``column - center = x cos(angle) + y sin(angle)``, with ``x = column of the slice - (size-1)/2``
    and ``y = row of the slice - (size-1)/2``.

    Attributes
    ----------
    angles
        Shape (angle,) [rad], any order.
    columns
        Columns of the detector.
    center
        Where the axis meets the detector, in columns from the first, 0 at its centre.
    size
        Rows and columns of the slice.
    """

    angles: NDArray[np.float64]
    columns: int
    center: float
    size: int

    @property
    def padded(self) -> int:
        """Samples of a row with padding: even, fast to transform, and enough.

        Twice the columns, so that the filter does not reach round the end; and so many that the
        corners of the slice, seen beyond one edge, do not meet the other edge.
        """
        edge = max(self.center, self.columns - 1 - self.center)
        corner = self.size / np.sqrt(2)
        needed = max(2 * self.columns, int(np.ceil(edge + corner + self.columns / 2)))
        length: int = next_fast_len(needed)
        while length % 2:
            length = next_fast_len(length + 1)
        return length

    @property
    def weights(self) -> NDArray[np.float64]:
        """Shape (angle,) [rad]: the part of the half circle that each projection stands for."""
        return angle_weights(self.angles)

    @property
    def redundancy(self) -> NDArray[np.float64] | None:
        """Weight of each column, shape (columns,) [1], or None if all count the same.

        In a full turn about an axis off the middle, rays near the axis are measured twice, from
        either side, and those that only the longer side reaches once: these count double, with
        a smooth passage in the outer half of what is measured twice (as for half-acquisition,
        Wang 2002, doi:10.1118/1.1489043).
        """
        middle = (self.columns - 1) / 2
        if abs(self.center - middle) < 1 or not is_full_turn(self.angles):
            return None
        twice = middle - abs(self.center - middle)
        s = np.arange(self.columns) - self.center
        passage = np.clip((np.abs(s) - twice / 2) / max(twice / 2, 1e-9), 0, 1)
        towards_long_side = np.sign(s) * np.sign(middle - self.center)
        return np.asarray(1 + towards_long_side * np.sin(np.pi / 2 * passage) ** 2)


def is_full_turn(angles: NDArray[np.float64]) -> bool:
    """Say whether angles [rad] go all the way round, without a part left out."""
    around = np.sort(np.mod(angles, 2 * np.pi))
    gaps = np.diff(around, append=around[0] + 2 * np.pi)
    usual = np.median(gaps[gaps > 1e-9])
    return bool(gaps.max() < _MISSING_WEDGE * usual and usual < 0.2)


def angle_weights(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the part of the half circle that each projection stands for.

    Half the way to the neighbour on either side, modulo 180 degrees. A part of the half circle
    that was not measured belongs to nobody.

    Parameters
    ----------
    angles
        Shape (angle,) [rad], any order and range; equal ones share.

    Returns
    -------
    weights
        Shape (angle,) [rad]; their sum is pi if nothing is missing.
    """
    turned = np.mod(angles, np.pi)
    # An angle that is 180 degrees but for rounding belongs to 0, not to the other end.
    turned[np.pi - turned < 1e-9] = 0.0
    order = np.argsort(turned, kind="stable")
    gaps = np.diff(turned[order], append=turned[order[0]] + np.pi)
    usual = np.pi / len(angles) if len(angles) < 3 else float(np.median(gaps[gaps > 1e-9]))
    gaps[gaps > _MISSING_WEDGE * usual] = usual
    weights = np.empty(len(angles))
    weights[order] = (gaps + np.roll(gaps, 1)) / 2
    return weights


def pad_rows(rows: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """Return rows padded on the right, to be read as a period.

    The padding goes smoothly from the last value of a row to its first (a raised cosine), so a
    sample wider than the detector makes no step, which would shine at the edge of the slice.
    Rows that end at zero are padded with zeros.

    Parameters
    ----------
    rows
        Shape (angle, column).
    length
        Samples of the result, shape (angle, length).
    """
    columns = rows.shape[1]
    edge = max(1, columns // 100)
    start = rows[:, :edge].mean(axis=1, keepdims=True)
    end = rows[:, columns - edge :].mean(axis=1, keepdims=True)
    way = np.arange(1, length - columns + 1, dtype=np.float32) / (length - columns + 1)
    share = (0.5 - 0.5 * np.cos(np.pi * way)).astype(np.float32)
    padded = np.empty((rows.shape[0], length), np.float32)
    padded[:, :columns] = rows
    padded[:, columns:] = end + share * (start - end)
    return padded
