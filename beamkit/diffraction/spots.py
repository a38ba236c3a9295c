"""Spots: small regions of an image that are brighter than chance allows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.errors import ParameterError, ShapeError

from ._spot_image import Frame, Mask, frame_of, good_of
from ._spot_limits import COLUMNS, WIDEST
from .spots_table import Spots

#: Strong pixels that there is room for at first.
_ROOM = 1 << 16


@dataclass(frozen=True, kw_only=True)
class SpotSettings:
    """What a spot is.

    Attributes
    ----------
    gain
        Counts a photon, above 0: 1 for a photon counter.
    kernel
        Half width of the window that a pixel is compared with, 1 to 10 [pixel]; it must be
        wider than a spot.
    n_sigma_background
        How far the variance over the mean of the window is above that of mere background, in
        standard deviations.
    n_sigma_strong
        How far a strong pixel is above the mean of the window, in standard deviations.
    min_count
        Fewest valid pixels in a window, at least 2.
    global_threshold
        Value that a strong pixel is above [counts].
    min_pixels, max_pixels
        Fewest and most strong pixels of a spot.
    min_i_over_sigma
        Lowest intensity over its standard error.
    connectivity
        8: strong pixels that share an edge or a corner are one spot, so that a narrow one across
        the rows is not cut; 4: those that share an edge, as in DIALS.

    Raises
    ------
    ParameterError
        If a number is out of range.
    """

    gain: float = 1.0
    kernel: int = 3
    n_sigma_background: float = 6.0
    n_sigma_strong: float = 3.0
    min_count: int = 2
    global_threshold: float = 0.0
    min_pixels: int = 2
    max_pixels: int = 1000
    min_i_over_sigma: float = 0.0
    connectivity: int = 8

    def __post_init__(self) -> None:
        allowed = {
            "gain": (self.gain > 0, "above 0"),
            "kernel": (self.kernel in range(1, WIDEST + 1), f"1 to {WIDEST}"),
            "n_sigma_background": (self.n_sigma_background >= 0, "0 and more"),
            "n_sigma_strong": (self.n_sigma_strong >= 0, "0 and more"),
            "min_count": (self.min_count >= 2, "2 and more"),
            "min_pixels": (self.min_pixels >= 1, "1 and more"),
            "max_pixels": (self.max_pixels >= self.min_pixels, "min_pixels and more"),
            "connectivity": (self.connectivity in (4, 8), "4 and 8"),
        }
        for name, (is_allowed, told) in allowed.items():
            if not is_allowed:
                raise ParameterError(
                    f"{name} is {getattr(self, name)}; allowed is {told}. Leave it out for "
                    f"{type(self).__dataclass_fields__[name].default}."
                )


def find_spots(
    image: xr.DataArray | NDArray[Any],
    mask: Mask | None = None,
    *,
    count_cutoff: float | None = None,
    gain: float = 1.0,
    kernel: int = 3,
    n_sigma_background: float = 6.0,
    n_sigma_strong: float = 3.0,
    min_count: int = 2,
    global_threshold: float = 0.0,
    min_pixels: int = 2,
    max_pixels: int = 1000,
    min_i_over_sigma: float = 0.0,
    connectivity: int = 8,
) -> Spots:
    """Return the spots of an image, found by the dispersion of the counts.

    The "dispersion" algorithm of DIALS as described by Winter et al., Acta Cryst. D74, 85-97
    (2018), section 3.1: a pixel is strong where the variance over the mean in the window around it
    is too high for background, and it is itself above the mean. Only valid pixels count, in the
    sums too: not masked, no flags or NaN, not above the count cutoff. For many images of one shape
    take a :class:`SpotFinder`.

    Parameters
    ----------
    image
        Shape (detector_y, detector_x) [counts].
    mask
        Same shape: bits of NXdetector, bool (True: masked) or PixelClasses.
    count_cutoff
        Highest valid count; None: that of the attributes of ``image``, if it tells.
    gain, kernel, n_sigma_background, n_sigma_strong, min_count, global_threshold, min_pixels, \
max_pixels, min_i_over_sigma, connectivity
        As in :class:`SpotSettings`.

    Raises
    ------
    ShapeError
        If the image has not two dimensions, or the mask another shape.
    ParameterError
        If a number is out of range, or the image holds no real numbers.

    Examples
    --------
    >>> image = np.zeros((40, 50), np.int32)
    >>> image[11:13, 30:33] = 20
    >>> spots = find_spots(image)
    >>> [(float(x), float(y)) for x, y in zip(spots.x, spots.y)]
    [(31.5, 12.0)]
    """
    given = locals()
    settings = SpotSettings(**{field.name: given[field.name] for field in fields(SpotSettings)})
    frame = frame_of(image, count_cutoff)
    return SpotFinder(frame.pixels.shape, mask, settings=settings).find_in(frame)


class SpotFinder:
    """Finds spots in images of one shape, in memory that is used again.

    The work is done outside the GIL; of several threads each needs a finder of its own.

    Parameters
    ----------
    shape
        Rows and columns of the images.
    mask, settings
        As for :func:`find_spots`.

    Raises
    ------
    ShapeError
        If the mask has another shape.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        mask: Mask | None = None,
        *,
        settings: SpotSettings | None = None,
    ) -> None:
        self.shape = (int(shape[0]), int(shape[1]))
        self.settings = settings or SpotSettings()
        self.good = good_of(mask, self.shape)
        columns = self.shape[1]
        self._work: dict[bool, tuple[NDArray[Any], NDArray[Any]]] = {}
        self._bright = np.zeros(-(-columns // 8) * 8, np.uint8)
        self._is_strong = np.zeros(self.shape, np.uint8)
        self._found = np.empty(min(_ROOM, self.shape[0] * columns), np.int64)

    def find(
        self, image: xr.DataArray | NDArray[Any], *, count_cutoff: float | None = None
    ) -> Spots:
        """Return the spots of an image; see :func:`find_spots`."""
        return self.find_in(frame_of(image, count_cutoff))

    def strong_pixels(
        self, image: xr.DataArray | NDArray[Any], *, count_cutoff: float | None = None
    ) -> NDArray[np.bool_]:
        """Return True at strong pixels, of spots and alone. Shape (row, column)."""
        strong = self.strong_in(frame_of(image, count_cutoff))
        flags = np.zeros(self.shape, bool)
        flags.flat[strong] = True
        return flags

    def find_in(self, frame: Frame) -> Spots:
        """Return the spots of a frame."""
        return self.spots_of(frame, self.strong_in(frame))

    def strong_in(self, frame: Frame) -> NDArray[np.int64]:
        """Return the flat indices of the strong pixels of a frame, until the next call."""
        if frame.pixels.shape != self.shape:
            raise ShapeError(
                f"The image has shape {frame.pixels.shape}, this finder is for {self.shape}. "
                "Make a SpotFinder for it."
            )
        number = self._list_strong(frame)
        if number > self._found.size:
            self._found = np.empty(number, np.int64)
            self._list_strong(frame)
        return self._found[:number]

    def spots_of(self, frame: Frame, strong: NDArray[np.int64]) -> Spots:
        """Return the spots of a frame whose strong pixels are known."""
        from ._spot_groups import group, keep, measure

        used = self.settings
        groups, count = group(strong, self.shape[1], int(used.connectivity == 8))
        count = keep(groups, count, used.min_pixels, used.max_pixels)
        with self.marked(strong) as is_strong:
            table = measure(
                frame.pixels,
                self.good,
                frame.low,
                frame.high,
                is_strong,
                strong,
                groups,
                count,
                used.kernel + 1,
                used.gain,
            )
        found = _spots(frame, table)
        if used.min_i_over_sigma > 0:
            return found.select(found.i_over_sigma >= used.min_i_over_sigma)
        return found

    @contextmanager
    def marked(self, strong: NDArray[np.int64]) -> Iterator[NDArray[np.uint8]]:
        """Give an image, shape (row, column), that is 1 at the strong pixels and 0 elsewhere."""
        self._is_strong.flat[strong] = 1
        try:
            yield self._is_strong
        finally:
            self._is_strong.flat[strong] = 0

    def _room(self, frame: Frame) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the arrays for sums over columns and windows."""
        if frame.is_whole not in self._work:
            dtype = np.int32 if frame.is_whole else np.float64
            columns, edge = self.shape[1], 2 * self.settings.kernel
            self._work[frame.is_whole] = (
                np.empty((2, columns + edge), dtype),
                np.empty((2, columns), dtype),
            )
        return self._work[frame.is_whole]

    def _list_strong(self, frame: Frame) -> int:
        from ._spot_pixels import find_strong  # compiled: numba loads when spots are looked for

        used = self.settings
        return int(
            find_strong(
                frame.pixels,
                self.good,
                frame.low,
                frame.high,
                frame.top,
                used.kernel,
                float(used.gain),
                float(used.n_sigma_background),
                float(used.n_sigma_strong),
                used.min_count,
                float(used.global_threshold),
                frame.is_whole,
                *self._room(frame),
                self._bright,
                self._found,
            )
        )


def _spots(frame: Frame, table: NDArray[np.float64]) -> Spots:
    columns: dict[str, Any] = dict(zip(COLUMNS, table.T.copy(), strict=True))
    for axis, name in enumerate("xy"):
        for column in (name, f"{name}_min", f"{name}_max"):
            columns[column] = frame.first[axis] + frame.step[axis] * columns[column]
    columns["pixels"] = columns["pixels"].astype(np.int64)
    return Spots(**columns)
