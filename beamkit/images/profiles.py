"""Profiles along a line and across a box."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy
import xarray as xr
from numpy.typing import NDArray

from ._pixels import Mask, good_of, has_flags, image_of, masked_of, mean_of
from .regions import Line, Rectangle, covered_bounds

_PIXEL = {"units": "pixel"}


def line_profile(
    image: xr.DataArray | NDArray[Any], line: Line, *, mask: Mask | None = None
) -> xr.DataArray:
    """Return the values along a line: bilinear, in steps of a pixel, mean across its width.

    Parameters
    ----------
    image
        Shape (rows, columns), any unit.
    line
        From its start (x0, y0) in the direction of (x1, y1). Across, as many samples as its width
        has whole pixels, a pixel apart.
    mask
        Shape (rows, columns): bits of NXdetector, bool (True: masked) or PixelClasses.

    Returns
    -------
    profile
        Over ``distance`` [pixel] from the start, with the positions ``x`` and ``y`` [pixel]
        on the middle of the line. float64; masked pixels, NaN and flags are left out of the mean,
        and it is NaN where nothing is left, or outside the image. Unit of the image.

    Raises
    ------
    ShapeError
        If the image has not two dimensions, or the mask another shape.
    """
    data = image_of(image)
    ux, uy = (line.x1 - line.x0) / line.length, (line.y1 - line.y0) / line.length
    # The end belongs to it: 1e-9, as the length of a line of 5 pixels is 4.999999999.
    distance = np.arange(np.floor(line.length + 1e-9) + 1)
    number = max(1, round(line.width))
    across = np.arange(number) - (number - 1) / 2
    x, y = line.x0 + distance * ux, line.y0 + distance * uy
    values = _interpolated(
        data, mask, y[:, None] + across[None, :] * ux, x[:, None] - across[None, :] * uy
    )
    return xr.DataArray(
        values,
        dims="distance",
        coords={
            "distance": ("distance", distance, _PIXEL),
            "x": ("distance", x, _PIXEL),
            "y": ("distance", y, _PIXEL),
        },
        name=data.name,
        attrs=dict(data.attrs),
    )


def _interpolated(
    data: xr.DataArray, mask: Mask | None, y: NDArray[Any], x: NDArray[Any]
) -> NDArray[np.float64]:
    """Return the weighted means at positions. Shapes (steps, across) -> (steps,)."""
    rows, columns = (slice(max(int(at.min()) - 2, 0), max(int(at.max()) + 3, 0)) for at in (y, x))
    part = np.asarray(data[rows, columns].values)
    masked = masked_of(mask, data.shape)[rows, columns]
    if part.size == 0:
        return np.full(len(y), np.nan)
    good = good_of(part, masked, flags=has_flags(data))
    # Indices of the part: position 0.5 is the centre of pixel 0. Outside, the weight is 0.
    places = np.stack([y - 0.5 - rows.start, x - 0.5 - columns.start])
    options: dict[str, Any] = {"order": 1, "mode": "constant", "cval": 0.0}
    weight = scipy.ndimage.map_coordinates(good.astype(np.float64), places, **options)
    value = scipy.ndimage.map_coordinates(
        np.where(good, part, 0).astype(np.float64), places, **options
    )
    return mean_of(value.sum(axis=1), weight.sum(axis=1), least=1e-6)


def box_profile(
    image: xr.DataArray | NDArray[Any], box: Rectangle, *, mask: Mask | None = None
) -> xr.Dataset:
    """Return the sums and means along the rows and the columns of a box.

    Parameters
    ----------
    image
        Shape (rows, columns), any unit.
    box
        In positions of this array.
    mask
        Shape (rows, columns): bits of NXdetector, bool (True: masked) or PixelClasses.

    Returns
    -------
    profiles
        ``row_sum``, ``row_mean``, ``row_pixels`` over the positions ``y`` of the rows, and
        ``col_sum``, ``col_mean``, ``col_pixels`` over those of the columns, ``x`` [pixel].
        Sums and means are of good pixels, so that ``sum = mean * pixels``; a sum over masked
        pixels is lower than its neighbours, a mean is not. NaN where there is none.

    Raises
    ------
    ShapeError
        If the image has not two dimensions, or the mask another shape.
    ParameterError
        If the box covers no pixel.
    """
    data = image_of(image)
    rows, columns = covered_bounds(box, (data.shape[0], data.shape[1]))
    part = np.asarray(data[rows, columns].values)
    good = good_of(part, masked_of(mask, data.shape)[rows, columns], flags=has_flags(data))
    values = np.where(good, part, 0).astype(np.float64)
    units = {"units": str(data.attrs["units"])} if "units" in data.attrs else {}
    profiles = xr.Dataset(
        coords={
            "y": ("y", np.arange(rows.start, rows.stop) + 0.5, _PIXEL),
            "x": ("x", np.arange(columns.start, columns.stop) + 0.5, _PIXEL),
        },
        attrs=dict(data.attrs),
    )
    for name, dim, axis in (("row", "y", 1), ("col", "x", 0)):
        number, total = good.sum(axis=axis), values.sum(axis=axis)
        profiles[f"{name}_sum"] = dim, np.where(number > 0, total, np.nan), units
        profiles[f"{name}_mean"] = dim, mean_of(total, number), units
        profiles[f"{name}_pixels"] = dim, number, {"units": "1"}
    return profiles
