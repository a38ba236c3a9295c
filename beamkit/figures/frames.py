"""Frames of a series, side by side, in one contrast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import colormaps
from numpy.typing import NDArray

from beamkit.core.errors import BeamkitError, ParameterError, ShapeError
from beamkit.core.schema import main_variable
from beamkit.images import PixelClasses, classify, limits, reduce

from .contact_sheet import Cell, contact_sheet
from .picture import Picture

#: Longest edge of a small picture [pixel].
_LARGEST = 220

#: Darkest and brightest: of the highest counts of blocks of pixels, most are background.
_QUANTILES = (0.05, 0.998)

#: Of masked pixels and gaps, in a picture where many counts are dark.
_NO_DATA = np.array([206, 212, 222], np.uint8)


def frames(
    data: xr.Dataset | xr.DataArray,
    numbers: Sequence[int],
    *,
    titles: Sequence[str] | None = None,
    columns: int = 6,
    caption: str,
) -> Picture:
    """Show some frames of a series as a contact sheet, all in the contrast of the first readable.

    Frames are made smaller by the highest count of each block, so that no spot is lost.

    Parameters
    ----------
    data
        Shape (frame, detector_y, detector_x), lazy or not; a dataset's mask is used.
    numbers
        Of the frames, by position from 0, in reading order.
    titles
        Written below them; None: the numbers.
    columns
        Frames in a row, at least 1.
    caption
        What is seen.

    Raises
    ------
    ParameterError
        If there is nothing to show, or there are not as many titles as frames.
    ShapeError
        If the data are no series of images.
    """
    stack = data[main_variable(data)] if isinstance(data, xr.Dataset) else data
    if stack.ndim != 3:
        raise ShapeError(f"A series of frames has three dimensions, this has {stack.dims}.")
    names = list(titles) if titles is not None else [f"frame {number}" for number in numbers]
    if len(names) != len(numbers):
        raise ParameterError(f"There are {len(names)} titles for {len(numbers)} frames.")
    classes = _classes(data, stack)
    cells, clim = [], None
    for number, name in zip(numbers, names, strict=True):
        try:
            small, kinds = _small(stack, int(number), classes)
        except BeamkitError as error:  # a frame that cannot be read has its place, and says so
            cells.append(Cell(name, text=str(error)))
            continue
        clim = clim or limits(small, kinds, quantiles=_QUANTILES)
        cells.append(Cell(name, image=_colored(small, kinds, clim)))
    return contact_sheet(cells, caption=caption, columns=columns)


def _classes(data: xr.Dataset | xr.DataArray, stack: xr.DataArray) -> PixelClasses | None:
    if not isinstance(data, xr.Dataset) or "mask" not in data:
        return None
    return classify(data["mask"], dtype=stack.dtype, count_cutoff=data.attrs.get("count_cutoff"))


def _small(
    stack: xr.DataArray, number: int, classes: PixelClasses | None
) -> tuple[NDArray[Any], NDArray[np.uint8]]:
    pixels = stack[number].values
    step = max(1, -(-max(pixels.shape) // _LARGEST))
    return reduce(pixels, (step, step), classes=classes)


def _colored(
    values: NDArray[Any], kinds: NDArray[np.uint8], clim: tuple[float, float]
) -> NDArray[np.uint8]:
    """Return red, green and blue: high counts are dark, as on film."""
    low, high = clim
    part = np.clip((values.astype(float) - low) / (high - low), 0, 1)
    colored = colormaps["gray_r"](np.sqrt(part), bytes=True)[..., :3].copy()
    colored[(kinds == 1) | (kinds == 2)] = _NO_DATA
    return np.asarray(colored, np.uint8)
