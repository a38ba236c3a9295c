"""How many pixels of an image are good, masked, in gaps, saturated, or beyond the contrast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beamkit.core.errors import ShapeError

from .pixel_classes import GAP, GOOD, MASKED, SATURATED, PixelClasses

Floats = NDArray[np.float64]

#: Pixels of which a histogram is made.
_SAMPLE = 400_000


@dataclass(frozen=True)
class Census:
    """The pixels of an image, counted.

    Attributes
    ----------
    good, masked, gap, saturated
        Number of pixels; each is one of them. NaN and infinite ones count as masked.
    below, above
        Number of good pixels below and above the limits.
    lowest, highest
        Of the good pixels [unit of the data]; NaN if there is none.
    edges, counts
        Histogram of a sample of the good pixels: fine within the limits, coarse far from them.
    """

    good: int
    masked: int
    gap: int
    saturated: int
    below: int
    above: int
    lowest: float
    highest: float
    edges: Floats
    counts: NDArray[np.int64]


def census(
    image: NDArray[Any],
    classes: PixelClasses | None,
    limits: tuple[float, float],
    *,
    bins: int = 200,
) -> Census:
    """Count the pixels of an image.

    Parameters
    ----------
    image
        Shape (rows, columns).
    classes
        Of the same shape; None: only NaN and infinite pixels are masked.
    limits
        Lowest and highest value of the contrast.
    bins
        Of the histogram, evenly spaced in ``arcsinh(3 (value - low)/(high - low))``.

    Raises
    ------
    ShapeError
        If the classes have another shape.
    """
    if classes is not None and classes.shape != image.shape:
        raise ShapeError(
            f"The pixel classes have shape {classes.shape}, the image {image.shape}. "
            "Give both of the same detector."
        )
    codes = (classes or PixelClasses(np.zeros(image.shape, np.uint8))).of(image)
    number = np.bincount(codes.reshape(-1), minlength=SATURATED + 1)
    values = image if number[GOOD] == image.size else image[codes == GOOD]
    ends = (float(values.min()), float(values.max())) if values.size else (np.nan, np.nan)
    edges, counts = _histogram(values.reshape(-1), limits, ends, bins)
    return Census(
        good=int(number[GOOD]),
        masked=int(number[MASKED]),
        gap=int(number[GAP]),
        saturated=int(number[SATURATED]),
        below=int(np.count_nonzero(values < limits[0])),
        above=int(np.count_nonzero(values > limits[1])),
        lowest=ends[0],
        highest=ends[1],
        edges=edges,
        counts=counts,
    )


def _histogram(
    values: NDArray[Any], limits: tuple[float, float], ends: tuple[float, float], bins: int
) -> tuple[Floats, NDArray[np.int64]]:
    """Return edges and counts of a sample; one bin less than a value of whole numbers is none."""
    if not values.size:
        return np.asarray(limits, float), np.zeros(1, np.int64)
    low, unit = limits[0], max((limits[1] - limits[0]) / 3, np.finfo(float).tiny)
    first, last = np.arcsinh((np.asarray(ends) - low) / unit)
    edges = low + unit * np.sinh(np.linspace(first, max(last, first + 1e-6), bins + 1))
    if values.dtype.kind in "iu":  # no bin between two whole numbers, which would be empty
        edges = np.unique(np.ceil(edges - 0.5) - 0.5)
        edges = np.append(edges, edges[-1] + 1) if edges[-1] < ends[1] or edges.size < 2 else edges
    edges[-1] = max(edges[-1], ends[1])
    sample = values[:: max(1, values.size // _SAMPLE)]
    return edges, np.asarray(np.histogram(sample, edges)[0], np.int64)
