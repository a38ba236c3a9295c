"""A curve without its numbers: small enough for a thumbnail."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Points of a curve; more than a small picture can tell apart.
_POINTS = 256


def curve(x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.float32]:
    """Return at most 256 points, each axis from 0 to 1.

    Parameters
    ----------
    x, y
        Shape (points,), real numbers of any unit.

    Returns
    -------
    curve
        Shape (2, points), float32: x and y; NaN where a number is not finite, 0.5 for a constant.
    """
    step = -(-len(y) // _POINTS)
    return np.array([_unit(x[::step]), _unit(y[::step])], np.float32)


def _unit(numbers: NDArray[Any]) -> NDArray[np.float64]:
    values = numbers.astype(np.float64)
    is_finite = np.isfinite(values)
    if not is_finite.any():
        return np.full(values.shape, np.nan)
    low, span = values[is_finite].min(), np.ptp(values[is_finite])
    scaled = (values - low) / span if span else np.full(values.shape, 0.5)
    return np.where(is_finite, scaled, np.nan)


def drawn(points: NDArray[np.float32], size: int) -> NDArray[np.bool_]:
    """Return where the line of a curve is in a square of ``size`` pixels, row 0 at the top."""
    pixels = np.zeros((size, size), np.bool_)
    x, y = points[:, np.isfinite(points).all(axis=0)].astype(np.float64)
    if len(x) == 0:
        return pixels
    margin, width = size * 0.08, size * 0.84
    order = np.argsort(x, kind="stable")
    columns = np.arange(int(margin), int(margin + width) + 1)
    rows = size - margin - width * np.interp((columns - margin) / width, x[order], y[order])
    for column, here, there in zip(columns.tolist(), rows, [*rows[1:], rows[-1]], strict=True):
        low, high = int(min(here, there)), int(max(here, there))
        pixels[max(low, 0) : min(high, size - 1) + 1, min(column, size - 1)] = True
    return pixels
