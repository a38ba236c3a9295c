"""Numbers that describe a region of an image, and how they go through a stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.errors import ParameterError, UnknownNameError
from beamkit.core.html import table

from ._pixels import (
    Mask,
    blocks,
    good_of,
    has_flags,
    image_of,
    is_counted,
    masked_of,
    require_stack,
)
from .regions import Region, covered_bounds

Background = Literal["auto", "median", "mean"]
#: Counts below which a median is too coarse for a background.
_FEW = 8

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Statistics:
    """Numbers of a region; NaN where they need a good pixel and there is none.

    Attributes
    ----------
    pixels, masked, saturated
        Good pixels; those left out (masked, NaN, or flags); good ones above ``count_cutoff``.
    sum, mean, max, min, std
        Of the good pixels [unit of the data]; std is that of the pixels themselves (divided by
        their number).
    max_x, max_y
        Position of the centre of the highest pixel [pixel]; the first, of equals.
    center_x, center_y
        Position of the centre of mass [pixel]; NaN if the sum is not above 0.
    background, background_error
        Of a pixel, from a frame around the region, and its standard error [unit of the data].
    net, net_error
        Sum without background, and its standard error [unit of the data]. Errors are those of
        counting (Poisson), NaN for data that are no counts.
    """

    pixels: int
    masked: int
    saturated: int
    sum: float
    mean: float
    max: float
    min: float
    std: float
    max_x: float
    max_y: float
    center_x: float
    center_y: float
    background: float
    background_error: float
    net: float
    net_error: float

    def to_dict(self) -> dict[str, float]:
        """Return the numbers by name."""
        return asdict(self)

    def _repr_html_(self) -> str:
        return table([(name, f"{value:.6g}") for name, value in self.to_dict().items()])


NAMES = tuple(field.name for field in fields(Statistics))
_WHOLE = ("pixels", "masked", "saturated")
_POSITIONS = ("max_x", "max_y", "center_x", "center_y")


def statistics(
    image: xr.DataArray | NDArray[Any],
    region: Region,
    *,
    mask: Mask | None = None,
    margin: int = 3,
    background: Background = "auto",
) -> Statistics:
    """Return the numbers that describe a region of an image.

    The background is that of the frame, ``margin`` pixels wide, around the rectangle that the
    region lies in. The standard error of the median of ``m`` counts of variance ``v`` is
    ``sqrt(pi v/(2 m))`` (Kendall & Stuart, The Advanced Theory of Statistics 1, section 10.12),
    with the mean of the frame for ``v``; the error of the net sum of ``n`` pixels is
    ``sqrt(sum + n**2 background_error**2)``.

    Parameters
    ----------
    image
        Shape (rows, columns). Below 0, whole counts are flags and left out.
    region
        In positions of this array.
    mask
        Shape (rows, columns): bits of NXdetector, bool (True: masked) or PixelClasses.
    margin
        Width of the frame [pixel], at least 1.
    background
        ``"median"``, which a second peak in the frame does not disturb; ``"mean"``; ``"auto"``: the
        median, but for few counts, whose median is a whole number and so far off, the mean of the
        counts up to five standard deviations above it.

    Raises
    ------
    ShapeError
        If the image has not two dimensions (see :func:`rocking_curve` for a stack), or the mask
        another shape.
    ParameterError
        If the region covers no pixel, or the margin is below 1.
    """
    data = image_of(image)
    part = _Part(data, region, mask, margin, background)
    found = part.measure(np.asarray(data[part.rows, part.columns].values))
    return Statistics(**found)


def rocking_curve(
    stack: xr.DataArray,
    region: Region,
    *,
    mask: Mask | None = None,
    which: Sequence[str] = ("sum", "mean", "max", "net", "net_error"),
    margin: int = 3,
    background: Background = "auto",
) -> xr.Dataset:
    """Return the numbers that describe a region, image by image through a stack.

    Parameters
    ----------
    stack
        Shape (images, rows, columns), in memory or lazy; a lazy one is read in blocks of at most
        32 MB of the region, or one chunk.
    region, mask, margin, background
        As for :func:`statistics`.
    which
        Names of the numbers, of those of :class:`Statistics`.

    Returns
    -------
    curve
        One variable for each name over the first dimension, with all its coordinates (``angle``,
        ``omega``, ``frame`` ...). Attributes of the stack are kept.

    Raises
    ------
    ShapeError
        If the stack has not three dimensions, or the mask another shape.
    ParameterError
        If the region covers no pixel, the margin is below 1, or a name is unknown.
    """
    require_stack(stack, 3, "A stack of images", "Give (images, rows, columns).")
    for name in which:
        if name not in NAMES:
            raise UnknownNameError("statistic", name, NAMES)
    part = _Part(stack, region, mask, margin, background)
    dim, *plane = stack.dims
    cropped = stack.isel({plane[0]: part.rows, plane[1]: part.columns})
    measured = [
        part.measure(image)
        for block in blocks(cropped, 0, stack.shape[0])
        for image in np.asarray(cropped[block].values)
    ]
    along = {
        name: coordinate for name, coordinate in stack.coords.items() if coordinate.dims == (dim,)
    }
    units = str(stack.attrs.get("units", ""))
    curve = xr.Dataset(
        {
            name: (dim, np.array([numbers[name] for numbers in measured]), _units(name, units))
            for name in which
        },
        coords=along,
        attrs=dict(stack.attrs),
    )
    curve.attrs["region"] = str(region.to_dict())
    return curve


def _units(name: str, units: str) -> dict[str, str]:
    if name in _POSITIONS:
        return {"units": "pixel"}
    return {"units": "1"} if name in _WHOLE else {"units": units} if units else {}


class _Part:
    """The pixels of a region and the frame around it, found once for all images."""

    def __init__(
        self,
        data: xr.DataArray,
        region: Region,
        mask: Mask | None,
        margin: int,
        background: Background,
    ) -> None:
        if margin < 1:
            raise ParameterError(f"margin is {margin}; allowed are 1 pixel and more. Use 3.")
        if background not in get_args(Background):
            raise UnknownNameError("background", background, get_args(Background))
        shape = data.shape[-2], data.shape[-1]
        rows, columns = covered_bounds(region, shape)
        self.rows, self.columns = _wider(rows, margin, shape[0]), _wider(columns, margin, shape[1])
        self.covered = region.covers_in(self.rows, self.columns)
        self.frame = np.ones(self.covered.shape, bool)
        y0, x0 = self.rows.start, self.columns.start
        self.frame[rows.start - y0 : rows.stop - y0, columns.start - x0 : columns.stop - x0] = False
        self.masked = masked_of(mask, shape)[self.rows, self.columns]
        self.size = int(np.count_nonzero(self.covered))
        self.flags, self.counted = has_flags(data), is_counted(data)
        self.cutoff = data.attrs.get("count_cutoff")
        self.background = background

    def measure(self, image: NDArray[Any]) -> dict[str, Any]:
        """Return the numbers of an image. Shape (rows, columns) of this part."""
        good = good_of(image, self.masked, flags=self.flags)
        level, error = self._around(image[self.frame & good])
        inside = good & self.covered
        pixels = int(np.count_nonzero(inside))
        counts = {"pixels": pixels, "masked": self.size - pixels}
        if pixels == 0:
            missing = dict.fromkeys(NAMES, np.nan)
            known = {"background": level, "background_error": error}
            return {**missing, **known, **counts, "saturated": 0}
        values = np.where(inside, image, 0).astype(np.float64)
        total = float(values.sum())
        over = np.count_nonzero(values > self.cutoff) if self.cutoff is not None else 0
        return {
            **counts,
            "saturated": int(over),
            "sum": total,
            **self._spread(values, inside, total / pixels),
            **self._mass(values, total),
            "background": level,
            "background_error": error,
            "net": total - pixels * level,
            "net_error": float(np.sqrt(max(total, 0) + (pixels * error) ** 2)),
        }

    def _spread(self, values: Numbers, inside: NDArray[np.bool_], mean: float) -> dict[str, float]:
        highest = np.where(inside, values, -np.inf)
        row, column = np.unravel_index(highest.argmax(), values.shape)
        return {
            "mean": mean,
            "max": float(highest[row, column]),
            "min": float(values.min(where=inside, initial=np.inf)),
            "std": float(np.sqrt(np.square(values - mean).mean(where=inside))),
            "max_x": self.columns.start + float(column) + 0.5,
            "max_y": self.rows.start + float(row) + 0.5,
        }

    def _mass(self, values: Numbers, total: float) -> dict[str, float]:
        if not total > 0:
            return {"center_x": np.nan, "center_y": np.nan}
        x = np.arange(self.columns.start, self.columns.stop) + 0.5
        y = np.arange(self.rows.start, self.rows.stop) + 0.5
        return {
            "center_x": float(values.sum(axis=0) @ x / total),
            "center_y": float(values.sum(axis=1) @ y / total),
        }

    def _around(self, pixels: NDArray[Any]) -> tuple[float, float]:
        """Return the background of a pixel, and its standard error."""
        if pixels.size == 0:
            return np.nan, np.nan
        median = float(np.median(pixels))
        is_few = self.counted and self.background == "auto" and median < _FEW
        if is_few:  # a second peak stands far above
            pixels = pixels[pixels <= median + 5 * np.sqrt(median + 1)]
        mean = float(pixels.mean(dtype=np.float64))
        is_median = not is_few and self.background != "mean"
        variance = max(mean, 0.0) / pixels.size * (np.pi / 2 if is_median else 1.0)
        error = float(np.sqrt(variance)) if self.counted else np.nan
        return (median if is_median else mean), error


def _wider(part: slice, margin: int, size: int) -> slice:
    return slice(max(part.start - margin, 0), min(part.stop + margin, size))
