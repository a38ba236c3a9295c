"""A difference at the size of the screen, on which a loss is seen as well as a gain."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .pixel_classes import PixelClasses
from .reduce import reduce


def reduce_around(
    image: NDArray[Any],
    factor: tuple[int, int],
    middle: float | None,
    *,
    classes: PixelClasses | ArrayLike | None = None,
    rows: slice = slice(None),
    columns: slice = slice(None),
) -> tuple[NDArray[Any], NDArray[np.uint8]]:
    """Reduce blocks to their pixel that is farthest from a middle, on either side.

    Parameters
    ----------
    image, factor, classes, rows, columns
        As for :func:`~beamkit.images.reduce`.
    middle
        Such as 0 for a difference and 1 for a ratio [unit of the image]; None: the maximum.

    Returns
    -------
    values, classes
        As :func:`~beamkit.images.reduce` gives them.

    Raises
    ------
    ShapeError, ParameterError
        As :func:`~beamkit.images.reduce` does.

    Examples
    --------
    >>> reduce_around(np.array([[0.0, 2.0, -1.0], [-3.0, 1.0, 0.0]]), (2, 2), 0.0)[0]
    array([[-3., -1.]])
    """
    part: Any = {"classes": classes, "rows": rows, "columns": columns}
    values, kinds = reduce(image, factor, **part)
    if middle is not None and tuple(factor) != (1, 1):
        lowest, _ = reduce(image, factor, how="min", **part)
        values = np.where(middle - lowest > values - middle, lowest, values)
    return values, kinds
