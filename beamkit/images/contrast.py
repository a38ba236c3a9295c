"""Which values are black and white, and how the ones between are spread.

Every scale maps the linear fraction ``u = (value - low)/(high - low)``, clipped to 0 to 1, to
a fraction ``t`` of the colour map; a browser uses the same formulas:

======== ==============================
linear   ``t = u``
sqrt     ``t = sqrt(u)``
log      ``t = log(1 + 999 u)/log(1000)``
asinh    ``t = asinh(50 u)/asinh(50)``
======== ==============================

The logarithm spans three decades, whatever the limits, and so works with zeros.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from beamkit.core.errors import ParameterError, ShapeError, UnknownNameError

from .pixel_classes import GOOD

Floats = NDArray[np.float64]

#: Pixels that are enough for the quantiles of an image.
_SAMPLE = 200_000
#: Fewer pixels than these above the lowest say nothing about a quantile of a sparse image.
_FEW = 500
#: How much more is saturated with each step of ``tightness``.
_TIGHTER = 4.0

_QUANTILES = {"diffraction": (0.01, 0.999), "image": (0.005, 0.995)}


@dataclass(frozen=True)
class Scale:
    """A way to spread values over the colour map.

    Attributes
    ----------
    name
        ``"linear"``, ``"sqrt"``, ``"log"`` or ``"asinh"``.
    forward, inverse
        From the linear fraction to the fraction of the colour map, and back; 0 to 1 both.
    """

    name: str
    forward: Callable[[Floats], Floats]
    inverse: Callable[[Floats], Floats]

    def __call__(self, values: ArrayLike, low: float, high: float) -> Floats:
        """Return the fraction of the colour map, 0 to 1, of values; NaN stays NaN."""
        given = np.asarray(values, np.float64)
        fraction = np.clip((given - low) / (high - low), 0.0, 1.0)
        return np.asarray(self.forward(fraction), np.float64)


SCALES: dict[str, Scale] = {
    scale.name: scale
    for scale in (
        Scale("linear", lambda u: u, lambda t: t),
        Scale("sqrt", np.sqrt, np.square),
        Scale(
            "log",
            lambda u: np.log1p(999 * u) / math.log(1000),
            lambda t: np.expm1(t * math.log(1000)) / 999,
        ),
        Scale(
            "asinh",
            lambda u: np.arcsinh(50 * u) / math.asinh(50),
            lambda t: np.sinh(t * math.asinh(50)) / 50,
        ),
    )
}


def scale_named(name: str) -> Scale:
    """Return a scale of :data:`SCALES`; UnknownNameError if there is none of that name."""
    if name not in SCALES:
        raise UnknownNameError("scale", name, SCALES)
    return SCALES[name]


def default_quantiles(kind: str) -> tuple[float, float]:
    """Return the quantiles for black and white: 1 and 99.9 % for diffraction, else 0.5 and 99.5 %.

    Parameters
    ----------
    kind
        ``attrs["kind"]`` of the dataset. Frames of a diffraction experiment are a dark
        background with few bright pixels; radiographs and slices use all greys.
    """
    return _QUANTILES["diffraction" if kind == "diffraction" else "image"]


def limits(
    values: NDArray[Any],
    classes: NDArray[np.uint8] | None = None,
    *,
    quantiles: tuple[float, float] = (0.01, 0.999),
    tightness: int = 0,
) -> tuple[float, float]:
    """Return the values of black and white from the quantiles of a sample of the good pixels.

    Of an image whose pixels are nearly all the same (0 counts), the upper limit is the quantile of
    those above.

    Parameters
    ----------
    values
        Any shape; NaN and infinite pixels are left out.
    classes
        Same shape, uint8: 0 for the pixels to use. None: all.
    quantiles
        Of black and white, from 0 to 1; see :func:`default_quantiles`.
    tightness
        0, or how many times the user has asked for more: each step saturates four times as many
        pixels at either end, up to 40 %.

    Returns
    -------
    low, high
        [unit of the data]; low is below high, always.

    Raises
    ------
    ShapeError
        If the classes have another shape.
    ParameterError
        If the quantiles are not increasing from 0 to 1, or tightness is below 0.
    """
    first, last = _tightened(quantiles, tightness)
    _check_shapes(values, classes)
    step = math.ceil(math.sqrt(values.size / _SAMPLE)) if values.size else 1
    sample = _good(_thin(values, step), None if classes is None else _thin(classes, step))
    if sample.size == 0:
        sample = _good(values, classes)
    if sample.size == 0:
        return 0.0, 1.0
    low, high = (float(value) for value in np.quantile(_as_numbers(sample), (first, last)))
    if low < high and math.isfinite(high - low):
        return low, high
    return _sparse_limits(sample, lambda: _good(values, classes), low, last)


def _sparse_limits(
    sample: NDArray[Any], everything: Callable[[], NDArray[Any]], low: float, last: float
) -> tuple[float, float]:
    """Return limits where nearly all pixels are ``low``: from those above it, else around it."""
    above = sample[sample > low]
    if above.size < _FEW:
        sample = everything()
        above = sample[sample > low]
    if above.size:
        return low, float(np.quantile(above, last))
    lowest = float(sample.min())
    if lowest < low:
        return lowest, low
    if sample.dtype.kind in "biu":  # one value only
        return low, low + 1.0
    margin = max(abs(low) * 1e-3, 0.5 if low == 0 else 1e-300)
    return low - margin, low + margin


def _tightened(quantiles: tuple[float, float], tightness: int) -> tuple[float, float]:
    first, last = quantiles
    if not 0 <= first < last <= 1:
        raise ParameterError(
            f"quantiles are {quantiles}; allowed are two increasing numbers from 0 to 1, such as "
            "(0.01, 0.999)."
        )
    if tightness < 0:
        raise ParameterError(
            f"tightness is {tightness}; allowed are 0, 1, 2 ... Use 0 for the quantiles as given."
        )
    if tightness == 0:
        return first, last
    factor = _TIGHTER ** min(tightness, 20)
    low_end, high_end = (min(max(end, 1e-4) * factor, 0.4) for end in (first, 1 - last))
    return max(low_end, first), min(1 - high_end, last)


def _thin(values: NDArray[Any], step: int) -> NDArray[Any]:
    return values[..., ::step, ::step] if values.ndim > 1 else values[:: step * step]


def _as_numbers(values: NDArray[Any]) -> NDArray[Any]:
    """Return values of which there are quantiles: numpy has none of bool."""
    return values.astype(np.uint8) if values.dtype.kind == "b" else values


def _good(values: NDArray[Any], classes: NDArray[np.uint8] | None) -> NDArray[Any]:
    pixels = values.reshape(-1) if classes is None else values[classes == GOOD]
    return pixels[np.isfinite(pixels)] if pixels.dtype.kind == "f" else pixels


def _check_shapes(values: NDArray[Any], classes: NDArray[np.uint8] | None) -> None:
    if classes is not None and classes.shape != values.shape:
        raise ShapeError(
            f"The pixel classes have shape {classes.shape}, the values {values.shape}. "
            "Give both of the same image."
        )


@dataclass(frozen=True)
class Histogram:
    """How many pixels have which value.

    Attributes
    ----------
    edges
        Values at the edges of the bins [unit of the data]. Shape (bins + 1,), increasing.
    counts
        Pixels of each bin [1]. Shape (bins,); together all good pixels.
    scale
        In which the bins are equally wide.
    """

    edges: Floats
    counts: NDArray[np.int64]
    scale: str


def histogram(
    values: NDArray[Any],
    classes: NDArray[np.uint8] | None = None,
    *,
    bins: int = 256,
    scale: str = "linear",
) -> Histogram:
    """Count the good pixels by value, from the lowest to the highest, in bins even in a scale.

    Parameters
    ----------
    values
        Any shape; NaN and infinite pixels are left out.
    classes
        Same shape, uint8: 0 for the pixels to use. None: all.
    bins
        Number of bins, at least 1.
    scale
        One of :data:`SCALES`: bins of a logarithm are narrow for low values.

    Raises
    ------
    ShapeError
        If the classes have another shape.
    ParameterError
        If there is no bin, or no such scale (UnknownNameError).
    """
    spread = scale_named(scale)
    if bins < 1:
        raise ParameterError(f"bins is {bins}; a histogram has at least 1. Use 256.")
    _check_shapes(values, classes)
    good = _good(values, classes)
    low, high = (float(good.min()), float(good.max())) if good.size else (0.0, 1.0)
    if not low < high:  # one value only
        low, high = low - 0.5, low + 0.5
    place = (spread(good, low, high) * bins).astype(np.intp)
    counts = np.bincount(np.minimum(place, bins - 1), minlength=bins)
    edges = low + spread.inverse(np.linspace(0, 1, bins + 1)) * (high - low)
    edges[-1] = high
    return Histogram(edges, counts.astype(np.int64), scale)
