"""An image at the size of the screen, on which a spot of one pixel is still there."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beamkit.core.errors import ParameterError, ShapeError, UnknownNameError

from ._pool import pool
from .pixel_classes import GOOD, MASKED, SATURATED, BlockClasses, PixelClasses, Window

How = Literal["max", "min", "mean", "sum"]


def reduce(
    image: NDArray[Any],
    factor: tuple[int, int],
    *,
    classes: PixelClasses | ArrayLike | None = None,
    how: How = "max",
    rows: slice = slice(None),
    columns: slice = slice(None),
) -> tuple[NDArray[Any], NDArray[np.uint8]]:
    """Reduce blocks of pixels to one; masked pixels and gaps never contribute.

    Parameters
    ----------
    image
        Shape (rows, columns); bool, integers or floats. NaN and infinite pixels count as masked.
    factor
        Pixels of a block (rows, columns), each at least 1. The last block may be smaller.
    classes
        What is known of the pixels: a :class:`PixelClasses`, which remembers what it worked
        out, or uint8 of the shape of the image: 0 good, 1 masked, 2 gap, 3 saturated. None: all
        good.
    how
        ``"max"`` keeps spots and thin lines; ``"mean"`` and ``"sum"`` are of the good pixels.
    rows, columns
        Part of the image to reduce, in steps of 1; blocks begin at its corner.

    Returns
    -------
    values
        One number for each block; the type of the image for ``"max"`` and ``"min"``, float64 for
        ``"mean"``, int64, uint64 or float64 for ``"sum"``. A block without a good pixel has
        NaN in floats and 0 in integers.
    classes
        Shape of ``values``, uint8: saturated (3) if any good member is, gap (2) or masked (1)
        only if there is no good member (gap: all members are), else good (0).

    Raises
    ------
    ShapeError
        If the image has not two dimensions, or the classes another shape.
    ParameterError
        If a factor is below 1, a slice has a step or holds no pixel, or the pixels are not real.

    Examples
    --------
    >>> import numpy as np
    >>> reduce(np.array([[0, 7, 1], [2, -1, 3]]), (2, 2), classes=[[0, 0, 0], [0, 1, 0]])[0]
    array([[7, 3]])
    """
    known = _known(image, classes)
    blocks = _factor(factor)
    window = (*_range(rows, image.shape[0], "rows"), *_range(columns, image.shape[1], "columns"))
    part = image[window[0] : window[1], window[2] : window[3]]
    if how not in get_args(How):
        raise UnknownNameError("reduction", str(how), get_args(How))
    if how in ("max", "min"):
        return _extreme(part, known, blocks, window, how)
    return _total(part, known, blocks, window, how)


def _extreme(
    part: NDArray[Any],
    known: PixelClasses | None,
    factor: tuple[int, int],
    window: Window,
    how: str,
) -> tuple[NDArray[Any], NDArray[np.uint8]]:
    """Return the highest or lowest good pixel of each block, and the classes."""
    ufunc, losing = _rule(part.dtype, how)
    static = known.blocks(factor, window) if known is not None else None
    values = _pool_good(part, static, losing, factor, ufunc)
    if part.dtype.kind == "f" and np.isinf(values).any():
        finite = np.where(np.isfinite(part), part, np.nan)
        values = _pool_good(finite, static, losing, factor, ufunc)
    cutoff = known.count_cutoff if known is not None else None
    if cutoff is None:
        return _finish(values, static, None)
    saturated = values > cutoff if how == "max" else pool(_over(part, static, cutoff), factor, _OR)
    return _finish(values, static, saturated)


def _pool_good(
    part: NDArray[Any],
    static: BlockClasses | None,
    losing: Any,
    factor: tuple[int, int],
    ufunc: np.ufunc,
) -> NDArray[Any]:
    """Return the reduction, with the bad pixels at a value that does not count.

    Some rows at a time, whose copy stays in the cache: a copy of the whole image would take as long
    as its reduction.
    """
    if static is None or static.bad_pixels.size == 0:
        return np.array(pool(part, factor, ufunc), order="C")  # 1 x 1: not the caller's own array
    width, bad = part.shape[1], static.bad_pixels
    lines = factor[0] * max(1, _CACHE // (width * part.itemsize * factor[0]))
    starts = range(0, len(part), lines)
    edges = np.searchsorted(bad, [*(start * width for start in starts), part.size])
    values = np.empty(static.classes.shape, part.dtype)
    for start, first, last in zip(starts, edges[:-1], edges[1:], strict=True):
        rows = part[start : start + lines].copy(order="C")
        rows.reshape(-1)[bad[first:last] - start * width] = losing
        pooled = pool(rows, factor, ufunc)
        values[start // factor[0] :][: len(pooled)] = pooled
    return values


#: Bytes of pixels that are reduced at a time.
_CACHE = 1 << 20


def _total(
    part: NDArray[Any],
    known: PixelClasses | None,
    factor: tuple[int, int],
    window: Window,
    how: str,
) -> tuple[NDArray[Any], NDArray[np.uint8]]:
    """Return the sum or mean of the good pixels of each block, and the classes."""
    static = known.blocks(factor, window) if known is not None else None
    pixels = _without(part.astype(_WIDE[part.dtype.kind]), static, 0)
    finite = np.isfinite(pixels)
    everywhere = part.dtype.kind != "f" or bool(finite.all())
    values = np.ascontiguousarray(pool(np.where(finite, pixels, 0), factor, np.add))
    if everywhere and static is not None:
        number: NDArray[Any] = static.good_pixels
    else:
        good = finite if static is None else _without(finite, static, losing=False)
        number = pool(good.astype(np.int32), factor, np.add)
    if how == "mean":
        values = np.where(number > 0, values / np.maximum(number, 1), np.nan)
    elif part.dtype.kind == "f":
        values = np.where(number > 0, values, np.nan)
    cutoff = known.count_cutoff if known is not None else None
    over = None if cutoff is None else pool(_over(part, static, cutoff), factor, _OR)
    return _finish(values, static, over)


_OR = np.logical_or

#: Types that hold the sum of any image.
_WIDE = {"b": np.int64, "i": np.int64, "u": np.uint64, "f": np.float64}


def _rule(dtype: np.dtype[Any], how: str) -> tuple[np.ufunc, Any]:
    """Return the operation, and the value that loses it against any pixel."""
    if dtype.kind == "f":
        return (np.fmax if how == "max" else np.fmin), np.nan
    ufunc = np.maximum if how == "max" else np.minimum
    if dtype.kind == "b":
        return ufunc, how == "min"
    limits = np.iinfo(dtype)
    return ufunc, limits.min if how == "max" else limits.max


def _without(part: NDArray[Any], static: BlockClasses | None, losing: Any) -> NDArray[Any]:
    """Return the pixels with the bad ones at a value that does not count."""
    if static is None or static.bad_pixels.size == 0:
        return part
    pixels = part.copy(order="C")
    pixels.reshape(-1)[static.bad_pixels] = losing
    return pixels


def _over(part: NDArray[Any], static: BlockClasses | None, cutoff: float) -> NDArray[np.bool_]:
    return _without(part > cutoff, static, losing=False)


def _finish(
    values: NDArray[Any], static: BlockClasses | None, saturated: NDArray[np.bool_] | None
) -> tuple[NDArray[Any], NDArray[np.uint8]]:
    """Return values and classes, with nothing where there is no good pixel."""
    floats = values.dtype.kind == "f"
    classes = np.zeros(values.shape, np.uint8) if static is None else static.classes.copy()
    if static is not None and static.bad_blocks.size:
        values.reshape(-1)[static.bad_blocks] = np.nan if floats else 0
    if saturated is not None:
        classes[saturated & (classes == GOOD)] = SATURATED
    if floats:
        classes[np.isnan(values) & (classes == GOOD)] = MASKED
    return values, classes


def _known(image: NDArray[Any], classes: PixelClasses | ArrayLike | None) -> PixelClasses | None:
    if image.ndim != 2:
        raise ShapeError(
            f"An image has two dimensions (rows, columns), got shape {image.shape}. "
            "Select one image of the stack first."
        )
    if image.dtype.kind not in "biuf":
        raise ParameterError(
            f"Images of real numbers can be reduced, not {image.dtype}. Reduce abs(image), or "
            "convert it."
        )
    if classes is None or isinstance(classes, PixelClasses):
        known = classes
    else:
        known = PixelClasses(classes)
    if known is not None and known.shape != image.shape:
        raise ShapeError(
            f"The pixel classes have shape {known.shape}, the image {image.shape}. "
            "Crop both with the same selection."
        )
    return known


def _factor(factor: tuple[int, int]) -> tuple[int, int]:
    rows, columns = (int(number) for number in factor)
    if rows < 1 or columns < 1:
        raise ParameterError(
            f"factor is {factor}: a block has at least one row and one column. Use (1, 1) for "
            "an image as it is."
        )
    return rows, columns


def _range(part: slice, size: int, name: str) -> tuple[int, int]:
    first, last, step = part.indices(size)
    if step != 1 or last <= first:
        raise ParameterError(
            f"{name} is {part}, of {size}: allowed are slices in steps of 1 that hold at least "
            "one. Slice the image first for another step."
        )
    return first, last
