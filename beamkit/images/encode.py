"""Pixels as 16-bit codes, small enough to send for each frame of a slider.

Codes: 0 gap, 1 masked or no data, 65535 saturated, 2 to 65534 data. What a data code stands for
says the :class:`Coding`; a browser decodes with the same formula.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from beamkit.core.errors import ParameterError

from .pixel_classes import GAP, GOOD, MASKED, SATURATED

CODE_GAP, CODE_MASKED, CODE_SATURATED = 0, 1, 65535
#: Lowest and highest code of data, and that of ``center``.
FIRST, LAST, MIDDLE = 2, 65534, 2 + 32766

#: Levels from the first code to the last.
_LEVELS = LAST - FIRST + 1
#: Argument of sinh at the last code beyond which steps are above 2/1000 of the value.
_LONGEST = 2e-3 * (LAST - MIDDLE)
#: Pixels of which the quantiles are taken.
_SAMPLE = 50_000


@dataclass(frozen=True)
class Coding:
    """What the data codes stand for.

    ``"exact"``: ``value = code - 2 + offset``. ``"asinh"``:
    ``value = center + scale * sinh((code - 2 - 32766) * step)``: even steps near the centre,
    steps in proportion to the distance far from it.

    Attributes
    ----------
    kind
        ``"exact"`` or ``"asinh"``.
    offset
        Value of the first code, for ``"exact"`` [unit of the data].
    center
        Value of the middle code, for ``"asinh"`` [unit of the data].
    scale
        Distance from the centre where the steps begin to grow, above 0 [unit of the data].
    step
        Step of the argument of sinh from code to code, above 0 [1].
    """

    kind: Literal["exact", "asinh"]
    offset: float = 0
    center: float = 0.0
    scale: float = 1.0
    step: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in ("exact", "asinh"):
            raise ParameterError(
                f"Coding {self.kind!r} is not known; allowed are 'exact' and 'asinh'. "
                "Let choose_coding(values, classes) choose."
            )
        if not (self.scale > 0 and self.step > 0):
            raise ParameterError(
                f"A coding has scale and step above 0, got {self.scale} and {self.step}. "
                "Let choose_coding(values, classes) choose."
            )

    def decode(self, codes: NDArray[np.uint16]) -> NDArray[np.float64]:
        """Return the values of codes, float64; NaN for gap, masked and saturated ones."""
        number = codes.astype(np.float64)
        if self.kind == "exact":
            values = number + (self.offset - FIRST)
        else:
            values = self.center + self.scale * np.sinh((number - MIDDLE) * self.step)
        values[(codes < FIRST) | (codes > LAST)] = np.nan
        return values

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, as JSON knows them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Coding:
        """Return the coding that :meth:`to_dict` gave the fields of."""
        return cls(**fields)


def choose_coding(values: NDArray[Any], classes: NDArray[np.uint8]) -> Coding:
    """Return the coding that keeps most of an image.

    Exact where the good values are whole numbers (of any type) over at most 65533 levels. Whole
    numbers over more: asinh in steps of 1/2 near the lowest (or the median, if that is far away).
    Others: asinh around the median. With Q the distance of the quantiles 0.001 and 0.999 (of the
    values away from the median, where the two agree), ``scale = Q/32``: within the scale an
    error is below Q/20000 (for outliers up to 1e26 Q). Everywhere an error is at most 1/1000 of the
    distance from the centre, or half a step at it.

    Parameters
    ----------
    values, classes
        As :func:`~beamkit.images.reduce` gives them: shape (rows, columns).

    Returns
    -------
    coding
        Covers the lowest to the highest good value. Saturated ones have a code of their own.
    """
    good = values[classes == GOOD]
    if values.dtype.kind == "f":
        good = good[np.isfinite(good)]
    if good.size == 0:
        return Coding("exact")
    low, high = good.min().item(), good.max().item()
    if not _is_whole(good):
        return _real_coding(good, float(low), float(high))
    if high - low <= _LEVELS - 1:
        return Coding("exact", offset=int(low))
    return _counts_coding(good, int(low), int(high))


def _is_whole(good: NDArray[Any]) -> bool:
    # 2**53: above it, floats do not tell neighbouring whole numbers apart.
    return good.dtype.kind != "f" or bool((good == np.rint(good)).all() and abs(good).max() < 2**53)


def _counts_coding(good: NDArray[Any], low: int, high: int) -> Coding:
    """Return a coding that tells whole numbers apart near the centre, in steps of 1/2.

    The steps are 1/2 there whatever the range, and so neighbouring pixels of few counts have
    neighbouring codes, which compress well. The scale, at least 500, is the longest that covers the
    range: whole numbers up to 1.7 times the scale from the centre come back exactly when rounded.
    """
    center, scale, step = low, *_widest(high - low)
    median = int(np.median(good[:: good.size // _SAMPLE + 1]))
    if median - low > scale:
        center = median
        scale, step = _widest(max(high - median, median - low))
    return Coding("asinh", center=center, scale=scale, step=step)


def _widest(farthest: int) -> tuple[float, float]:
    """Return the largest scale, and its step, whose codes in steps of 1/2 reach that far."""
    step = 1e-5
    while math.asinh(2 * farthest * step) / step > LAST - MIDDLE:
        step *= 1.02
    return 0.5 / step, step


def _real_coding(good: NDArray[Any], low: float, high: float) -> Coding:
    sample = good[:: good.size // _SAMPLE + 1].astype(np.float64)
    center = float(np.median(sample))
    spread = _spread(sample, center) or _spread(good.astype(np.float64), center)
    farthest = max(high - center, center - low)
    if farthest == 0:  # one value only
        return Coding("asinh", center=center)
    scale = max((spread or farthest) / 32, farthest * 2 * math.exp(-_LONGEST))
    # A rounding up: the ends of the range must have codes.
    step = math.asinh(farthest / scale) / (LAST - MIDDLE) * (1 + 1e-6)
    return Coding("asinh", center=center, scale=scale, step=step)


def _spread(sample: NDArray[np.float64], center: float) -> float:
    """Return the distance of the quantiles 0.001 and 0.999, 0 if all are at the centre."""
    low, high = np.quantile(sample, (0.001, 0.999))
    if high > low:
        return float(high - low)
    away = np.abs(sample[sample != center] - center)
    return float(np.median(away)) if away.size else 0.0


def encode(values: NDArray[Any], classes: NDArray[np.uint8], coding: Coding) -> NDArray[np.uint16]:
    """Return an image as 16-bit codes.

    Parameters
    ----------
    values, classes
        As :func:`~beamkit.images.reduce` gives them: shape (rows, columns).
    coding
        Values outside what it covers get the first or the last code of data.

    Returns
    -------
    codes
        Same shape, uint16; NaN and infinite values that no class speaks of count as masked.
    """
    codes = _exact(values, coding) if coding.kind == "exact" else _asinh(values, coding)
    if values.dtype.kind == "f":
        codes[~np.isfinite(values)] = CODE_MASKED
    # A table of 4 by take is faster than three comparisons and assignments.
    return np.asarray(np.where(classes == GOOD, codes, _SPECIAL.take(classes)), np.uint16)


#: Code of each class; data have no single one.
_SPECIAL = np.zeros(4, np.uint16)
_SPECIAL[[MASKED, GAP, SATURATED]] = CODE_MASKED, CODE_GAP, CODE_SATURATED


def _exact(values: NDArray[Any], coding: Coding) -> NDArray[np.uint16]:
    if values.dtype.kind == "f":
        levels = np.clip(np.rint(np.nan_to_num(values) - coding.offset), 0, _LEVELS - 1)
        return np.asarray(levels + FIRST, np.uint16)
    numbers = values.astype(np.uint8) if values.dtype.kind == "b" else values
    limits = np.iinfo(numbers.dtype)
    low = min(max(int(coding.offset), int(limits.min)), int(limits.max))
    high = min(max(int(coding.offset) + _LEVELS - 1, int(limits.min)), int(limits.max))
    clipped = np.clip(numbers, numbers.dtype.type(low), numbers.dtype.type(high))
    # Wraps around and back for the signed types; the difference fits 16 bits after clipping.
    levels = (clipped - numbers.dtype.type(low)).view(numbers.dtype.str.replace("i", "u"))
    first = np.uint16(FIRST + min(max(low - int(coding.offset), 0), _LEVELS - 1))
    return np.asarray(levels.astype(np.uint16) + first, np.uint16)


def _asinh(values: NDArray[Any], coding: Coding) -> NDArray[np.uint16]:
    """Return the codes; asinh by its logarithm in float32, eight times as fast as arcsinh.

    An absolute error of 1e-6 in asinh is far below half a step, as a step is above 3e-5.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # far outside the coding, or infinite
        away = ((values.astype(np.float64) - coding.center) / coding.scale).astype(np.float32)
    size = np.abs(away)
    root = np.minimum(size, np.float32(1e15))  # whose square float32 still holds
    np.sqrt(np.add(np.square(root, out=root), 1, out=root), out=root)
    np.add(np.maximum(root, size, out=root), size, out=root)
    steps = np.copysign(np.log(root, out=root), away, out=root)
    np.rint(np.multiply(steps, np.float32(1 / coding.step), out=steps), out=steps)
    # fmax, as it takes NaN away.
    np.fmin(np.fmax(steps, FIRST - MIDDLE, out=steps), LAST - MIDDLE, out=steps)
    return (steps.astype(np.int32) + MIDDLE).astype(np.uint16)


def compress(codes: NDArray[np.uint16]) -> bytes:
    """Return the codes as two byte planes (all low bytes, then all high ones), deflated.

    A browser inflates it with ``DecompressionStream("deflate")``. Planes, as the high bytes of
    counts are nearly all 0; the level and the strategy are those of the measurement in
    ``tests/benchmarks/results/images.md``.
    """
    pairs = np.ascontiguousarray(codes, "<u2").reshape(-1).view(np.uint8).reshape(-1, 2)
    planes = np.ascontiguousarray(pairs.T)
    deflate = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, zlib.Z_RLE)
    return deflate.compress(planes.tobytes()) + deflate.flush()


def decompress(data: bytes, shape: tuple[int, int]) -> NDArray[np.uint16]:
    """Return the codes that :func:`compress` made small. Shape (rows, columns).

    Raises
    ------
    ParameterError
        If the bytes are not those of an image of that shape.
    """
    try:
        planes = np.frombuffer(zlib.decompress(data), np.uint8)
    except zlib.error as error:
        raise ParameterError(
            f"These {len(data)} bytes are no compressed codes ({error}). Give what compress() gave."
        ) from error
    size = shape[0] * shape[1]
    if planes.size != 2 * size:
        raise ParameterError(
            f"The bytes hold {planes.size // 2} codes, shape {shape} has {size}. Give the shape "
            "that the codes had."
        )
    pairs = np.ascontiguousarray(planes.reshape(2, size).T)
    return pairs.view("<u2").astype(np.uint16).reshape(shape)
