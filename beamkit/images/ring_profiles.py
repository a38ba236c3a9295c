"""Profiles around a centre: against the radius, and against chi."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.errors import ParameterError

from ._pixels import Mask, good_of, has_flags, image_of, masked_of, mean_of
from .pixel_classes import PixelClasses, classify
from .regions import Region, Sector, covered_bounds

_PIXEL = {"units": "pixel"}


def radial_profile(
    image: xr.DataArray | NDArray[Any],
    center: tuple[float, float],
    *,
    step: float = 1.0,
    mask: Mask | None = None,
    sector: Region | None = None,
) -> xr.Dataset:
    """Return the mean over rings around a centre, against their radius.

    A pixel belongs to the ring that its centre lies in; for angles of a tilted detector, integrate
    with its geometry instead. The rings of the last two centres are remembered, if the mask is None
    or a PixelClasses (:func:`classify` once, use often).

    Parameters
    ----------
    image
        Shape (rows, columns), any unit.
    center
        Position (x, y) [pixel].
    step
        Width of a ring [pixel], above 0.
    mask
        Shape (rows, columns): bits of NXdetector, bool (True: masked) or PixelClasses.
    sector
        Only pixels in this region, such as a :class:`Sector`; None: all.

    Returns
    -------
    profile
        ``intensity``, float64, NaN where a ring has no good pixel, and ``pixels``, over
        ``radius`` [pixel], the middle of each ring.

    Raises
    ------
    ShapeError
        If the image has not two dimensions, or the mask another shape.
    ParameterError
        If the step is not above 0, or the sector covers no pixel.
    """
    data = image_of(image)
    _check_step(step)
    find = _rings if mask is None or isinstance(mask, PixelClasses) else _rings.__wrapped__
    x, y = (float(place) for place in center)
    rings = find(_shape(data), x, y, float(step), _classes(mask), sector)
    radius = (np.arange(rings.number.size) + 0.5) * step
    return _profile(data, "radius", radius, _PIXEL, rings)


@dataclass(frozen=True)
class _Bins:
    """Which pixels of a part of an image belong to which bin."""

    rows: slice
    columns: slice
    #: Bin of each pixel, from 1; 0 for those that do not count. Shape (rows, columns), int32.
    index: NDArray[np.int32]
    #: Pixels of each bin. Shape (bins,).
    number: NDArray[np.int64]

    def means(self, data: xr.DataArray) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Return mean and number of the good pixels of each bin. Shapes (bins,)."""
        values = np.asarray(data[self.rows, self.columns].values)
        nothing = np.zeros(values.shape, bool)
        bad = np.flatnonzero(~good_of(values, nothing, flags=has_flags(data)) & (self.index > 0))
        index, number, bins = self.index.ravel(), self.number, self.number.size + 1
        if bad.size:  # few, as the mask took the others
            index = index.copy()
            number = number - np.bincount(index[bad], minlength=bins)[1:]
            index[bad] = 0
        if values.dtype.kind == "f":  # bin 0 is not looked at, but NaN in it would warn
            values = np.nan_to_num(values, posinf=0, neginf=0)
        total = np.bincount(index, values.ravel(), minlength=bins)[1:]
        return mean_of(total, number), number


@lru_cache(maxsize=2)
def _rings(
    shape: tuple[int, int],
    x: float,
    y: float,
    step: float,
    known: PixelClasses | None,
    sector: Region | None,
) -> _Bins:
    """Return the ring of each pixel."""
    rows, columns = covered_bounds(sector, shape) if sector else (slice(0, n) for n in shape)
    dy = ((np.arange(rows.start, rows.stop) + 0.5 - y) / step)[:, None]
    dx = ((np.arange(columns.start, columns.stop) + 0.5 - x) / step)[None, :]
    index = np.sqrt(dy**2 + dx**2).astype(np.int32) + np.int32(1)
    return _bins(rows, columns, index, _wanted(shape, rows, columns, known, sector), 0)


@lru_cache(maxsize=2)
def _angles(shape: tuple[int, int], ring: Sector, bins: int, known: PixelClasses | None) -> _Bins:
    """Return the bin of chi of each pixel of a ring."""
    rows, columns = covered_bounds(ring, shape)
    wanted = _wanted(shape, rows, columns, known, ring)
    y, x = np.nonzero(wanted)
    turn = np.degrees(np.arctan2(y + rows.start + 0.5 - ring.y, x + columns.start + 0.5 - ring.x))
    index = np.zeros(wanted.shape, np.int32)
    index[wanted] = np.minimum((turn + 180) * (bins / 360), bins - 1).astype(np.int32) + 1
    return _bins(rows, columns, index, wanted, bins)


def _wanted(
    shape: tuple[int, int],
    rows: slice,
    columns: slice,
    known: PixelClasses | None,
    region: Region | None,
) -> NDArray[np.bool_]:
    """Return True for the pixels of a part that are in the region and not masked."""
    wanted = ~masked_of(known, shape)[rows, columns]
    return wanted if region is None else wanted & region.covers_in(rows, columns)


def _bins(
    rows: slice, columns: slice, index: NDArray[np.int32], wanted: NDArray[np.bool_], least: int
) -> _Bins:
    index *= wanted
    number = np.bincount(index.ravel(), minlength=least + 1)[1:].astype(np.int64)
    for array in (index, number):
        array.flags.writeable = False
    return _Bins(rows, columns, index, number)


def azimuthal_profile(
    image: xr.DataArray | NDArray[Any],
    center: tuple[float, float],
    r0: float,
    r1: float,
    *,
    step: float = 1.0,
    mask: Mask | None = None,
) -> xr.Dataset:
    """Return the mean around a ring, against chi.

    Parameters
    ----------
    image
        Shape (rows, columns), any unit.
    center
        Position (x, y) [pixel].
    r0, r1
        Inner and outer radius of the ring [pixel].
    step
        Width of a bin [deg], above 0; rounded so that a whole number of bins makes a turn.
    mask
        Shape (rows, columns): bits of NXdetector, bool (True: masked) or PixelClasses.

    Returns
    -------
    profile
        ``intensity``, float64, NaN where a bin has no good pixel, and ``pixels``, over ``chi``
        [deg], the middle of each bin, from -180 to 180: 0 towards +x, 90 towards +y (down).

    Raises
    ------
    ShapeError
        If the image has not two dimensions, or the mask another shape.
    ParameterError
        If the step is not above 0, or the ring is impossible or covers no pixel.
    """
    data = image_of(image)
    _check_step(step)
    ring = Sector(float(center[0]), float(center[1]), r0, r1)
    find = _angles if mask is None or isinstance(mask, PixelClasses) else _angles.__wrapped__
    bins = find(_shape(data), ring, max(1, round(360 / step)), _classes(mask))
    width = 360 / bins.number.size
    chi = -180 + (np.arange(bins.number.size) + 0.5) * width
    return _profile(data, "chi", chi, {"units": "deg"}, bins)


def _classes(mask: Mask | None) -> PixelClasses | None:
    return mask if mask is None or isinstance(mask, PixelClasses) else classify(mask)


def _shape(data: xr.DataArray) -> tuple[int, int]:
    return data.shape[0], data.shape[1]


def _profile(
    data: xr.DataArray, along: str, places: NDArray[Any], unit: dict[str, str], bins: _Bins
) -> xr.Dataset:
    units = {"units": str(data.attrs["units"])} if "units" in data.attrs else {}
    intensity, pixels = bins.means(data)
    return xr.Dataset(
        {"intensity": (along, intensity, units), "pixels": (along, pixels, {"units": "1"})},
        coords={along: (along, places, unit)},
        attrs=dict(data.attrs),
    )


def _check_step(step: float) -> None:
    if not step > 0:
        raise ParameterError(f"step is {step}; allowed are numbers above 0. Use 1.")
