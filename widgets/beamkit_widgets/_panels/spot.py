"""The pixels of a spot, to be seen as a surface."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from beamkit.images import Region, reduce, region_from_dict
from beamkit.images.regions import covered_bounds

if TYPE_CHECKING:
    from beamkit_widgets.viewer import ImageViewer

    from . import Answer, Question

#: Most rows and columns of a surface; more are reduced.
MOST = 96

#: Rows and columns that are shown where no region is drawn.
_AROUND = 40

#: Classes of pixels: see :func:`beamkit.images.reduce`.
_BAD, _SATURATED = (1, 2), 3


def answer(viewer: ImageViewer, question: Question) -> Answer:
    """Return the pixels of the region that is drawn, or around a position.

    ``values`` (rows, columns), float32, are NaN where pixels are masked; ``saturated`` is 1 where
    one is. Regions of more than 96 rows or columns are reduced: the largest of a block.
    """
    image, drawn = viewer.image.values, question.get("roi", viewer._roi)
    if drawn is None:
        rows, columns = _around(viewer, image, question.get("at") or viewer.cursor)
    else:
        rows, columns = _bounds(region_from_dict(drawn), image.shape)
    height, width = rows.stop - rows.start, columns.stop - columns.start
    factor = math.ceil(height / MOST), math.ceil(width / MOST)
    values, classes = reduce(image, factor, classes=viewer.classes, rows=rows, columns=columns)
    surface = np.where(np.isin(classes, _BAD), np.nan, values).astype(np.float32)
    told = {
        "x0": columns.start,
        "y0": rows.start,
        "columns": width,
        "rows": height,
        "stepX": factor[1],
        "stepY": factor[0],
    }
    return told, {"values": surface, "saturated": (classes == _SATURATED).astype(np.uint8)}


def _bounds(region: Region, shape: tuple[int, ...]) -> tuple[slice, slice]:
    return covered_bounds(region, (shape[0], shape[1]))


def _around(viewer: ImageViewer, image: Any, at: Any) -> tuple[slice, slice]:
    """Return rows and columns around a position; around the brightest pixel where there is none."""
    rows, columns = image.shape
    if not at or not (0 <= at[0] < columns and 0 <= at[1] < rows):
        at = _brightest(viewer, image)
    return _window(at[1], rows), _window(at[0], columns)


def _window(position: float, size: int) -> slice:
    first = min(max(math.floor(position) - _AROUND // 2, 0), max(size - _AROUND, 0))
    return slice(first, min(first + _AROUND, size))


def _brightest(viewer: ImageViewer, image: Any) -> tuple[float, float]:
    """Return the position of the brightest good pixel of what is visible."""
    rows, columns = image.shape
    x0, y0, x1, y1 = viewer.zoom or (0, 0, columns, rows)
    top, left = (min(max(math.floor(a), 0), size - 1) for a, size in ((y0, rows), (x0, columns)))
    part = slice(top, max(math.ceil(y1), top + 1)), slice(left, max(math.ceil(x1), left + 1))
    values = image[part].astype(np.float64)
    good = np.isfinite(values)
    if viewer.classes is not None:
        good &= viewer.classes.good[part]
    row, column = np.unravel_index(np.where(good, values, -np.inf).argmax(), values.shape)
    return left + float(column) + 0.5, top + float(row) + 0.5
