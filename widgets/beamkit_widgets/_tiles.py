"""Pieces of an image for the browser: cropped, reduced to the screen, as 16-bit codes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beamkit.images import (
    PixelClasses,
    choose_coding,
    compress,
    encode,
    histogram,
    limits,
    reduce_around,
)

#: Part of what is visible that is sent beyond each edge, so that a short pan needs no message.
_MARGIN = 0.12

#: Pixels of a piece up to which the values are sent beside the codes, to be read as numbers.
_AS_NUMBERS = 6000

#: Pixels of which the histogram is made.
_SAMPLE = 400_000

#: Counts up to which a frame of few photons is shown at first: single ones are not yet black.
_FEW_COUNTS = 8

#: Size of a usual canvas, for the automatic contrast [pixel].
_SCREEN = 800

#: Steps of the button "auto": each cuts more of the brightest pixels.
_AUTO_STEPS = 3

#: Part of the pixels of a difference that the colours reach, for the same steps.
_REACH = (0.995, 0.97, 0.9)

#: Values and classes of what is seen.
Reduced = tuple[NDArray[Any], NDArray[np.uint8]]

Message = tuple[dict[str, Any], list[bytes]]


class Tiler:
    """Makes the pieces of one image.

    Parameters
    ----------
    image
        Shape (rows, columns).
    classes
        What is known of each pixel; None: nothing.
    quantiles
        Of the good pixels, for the automatic contrast.
    middle
        What is nothing, for images that go both ways from it, such as a difference: blocks show
        what is farthest from it, and the contrast reaches as far to both sides. None: blocks show
        the maximum.
    """

    def __init__(
        self,
        image: NDArray[Any],
        classes: PixelClasses | None,
        quantiles: tuple[float, float],
        middle: float | None = None,
    ) -> None:
        self.image, self.classes, self._middle = image, classes, middle
        self._quantiles = quantiles
        self._auto: list[list[float]] = []
        self._kept: tuple[tuple[int, int], Reduced] | None = None

    def suits(self, classes: PixelClasses | None, middle: float | None) -> bool:
        """Whether the pieces are made with these."""
        return self.classes is classes and self._middle == middle

    def whole(self, width: int, height: int) -> Message:
        """Return the whole image at the size of the screen."""
        rows, columns = self.image.shape
        factor = (_factor(rows, height), _factor(columns, width))
        return self._message((0, 0), factor, *self._whole(factor))

    def visible(self, bounds: Sequence[float], width: int, height: int) -> Message:
        """Return what is visible, and a little more. ``bounds``: x0, y0, x1, y1 [pixel]."""
        x0, y0, x1, y1 = bounds
        factor = (_factor(y1 - y0, height), _factor(x1 - x0, width))
        top, bottom = _extend(y0, y1, self.image.shape[0], factor[0])
        left, right = _extend(x0, x1, self.image.shape[1], factor[1])
        values, classes = self._reduced(factor, slice(top, bottom), slice(left, right))
        return self._message((top, left), factor, values, classes)

    def _message(
        self,
        corner: tuple[int, int],
        factor: tuple[int, int],
        values: NDArray[Any],
        classes: NDArray[np.uint8],
    ) -> Message:
        top, left = corner
        coding = choose_coding(values, classes)
        header = {
            "rows": values.shape[0],
            "columns": values.shape[1],
            "x0": left,
            "y0": top,
            "stepX": factor[1],
            "stepY": factor[0],
            "imageRows": self.image.shape[0],
            "imageColumns": self.image.shape[1],
            "coding": coding.to_dict(),
        }
        buffers = [compress(encode(values, classes, coding))]
        if factor == (1, 1) and values.size <= _AS_NUMBERS:
            window = self.image[top : top + values.shape[0], left : left + values.shape[1]]
            buffers.append(window.astype(np.float64).tobytes())
        return header, buffers

    def _whole(self, factor: tuple[int, int]) -> Reduced:
        """Return all of the image; kept, as the automatic contrast is made from it, too."""
        if self._kept is None or self._kept[0] != factor:
            self._kept = factor, self._reduced(factor, slice(None), slice(None))
        return self._kept[1]

    def _reduced(self, factor: tuple[int, int], rows: slice, columns: slice) -> Reduced:
        return reduce_around(
            self.image, factor, self._middle, classes=self.classes, rows=rows, columns=columns
        )

    def _screen_factor(self) -> tuple[int, int]:
        """Return the reduction to a usual screen; rows and columns each, as of long thin images."""
        rows, columns = self.image.shape
        return _factor(rows, _SCREEN), _factor(columns, _SCREEN)

    def _even_limits(self) -> list[list[float]]:
        """Return contrasts that reach as far to both sides of the middle."""
        seen, classes = self._whole(self._screen_factor())
        middle = self._middle or 0.0
        apart = np.abs(seen[classes == 0].astype(float) - middle)
        apart = apart[np.isfinite(apart)]
        found = np.quantile(apart, _REACH).tolist() if apart.size else []
        reach = [number for number in found if number > 0] or [float(apart.max(initial=0.0)) or 1.0]
        return [[middle - number, middle + number] for number in reach]

    def limits(self) -> list[list[float]]:
        """Return automatic contrasts, from the usual one to the one that cuts most."""
        if not self._auto and self._middle is not None:
            self._auto = self._even_limits()
        if not self._auto:
            # Of what is seen, which is reduced by maximum: single pixels would be all too bright
            # or too dark by the quantiles of the full image.
            seen, classes = self._whole(self._screen_factor())
            for step in range(_AUTO_STEPS):
                pair = list(limits(seen, classes, quantiles=self._quantiles, tightness=step))
                if step == 0 and seen.dtype.kind in "iu":
                    most = int(seen.max(initial=0, where=classes == 0))
                    pair[1] = max(pair[1], float(min(most, _FEW_COUNTS)))
                self._auto += [] if pair in self._auto else [pair]
        return self._auto

    def histogram(self) -> dict[str, Any]:
        """Return counts, edges and extremes of the good pixels."""
        # A sample that keeps rows and columns apart.
        step = max(1, int(math.sqrt(self.image.size / _SAMPLE)))
        sample = np.ascontiguousarray(self.image[::step, ::step])
        known = None
        if self.classes is not None:
            codes = np.ascontiguousarray(self.classes.codes[::step, ::step])
            known = PixelClasses(codes, count_cutoff=self.classes.count_cutoff).of(sample)
        found = histogram(sample, known, bins=160, scale="asinh")
        return {
            "counts": found.counts.tolist(),
            "edges": found.edges.tolist(),
            "extremes": [float(found.edges[0]), float(found.edges[-1])],
        }


def _factor(pixels: float, screen: int) -> int:
    return max(1, math.ceil(pixels / max(screen, 1)))


def _extend(low: float, high: float, size: int, factor: int) -> tuple[int, int]:
    """Return whole blocks around what is visible, inside the image, never none."""
    margin = _MARGIN * (high - low)
    first = min(max(math.floor((low - margin) / factor) * factor, 0), (size - 1) // factor * factor)
    last = min(max(math.ceil((high + margin) / factor) * factor, first + 1), size)
    return first, last
