"""The mean over rings of equal angle, q or d: a profile, on any flat detector, tilted or not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from beamkit.core.errors import ParameterError, ShapeError, UnknownNameError
from beamkit.images import PixelClasses, Region, classify

from .geometry import Geometry

#: What a profile can run over, and what its bins are even in.
AXES = {"two_theta": "two_theta", "q": "q", "d": "q"}

_UNITS = {"two_theta": "deg", "q": "1/angstrom", "d": "angstrom"}
_PLANE = ("detector_y", "detector_x")


def radial_profile(
    image: xr.DataArray,
    geometry: Geometry,
    *,
    axis: str = "two_theta",
    step: float | None = None,
    mask: PixelClasses | xr.DataArray | ArrayLike | None = None,
    region: Region | None = None,
) -> xr.Dataset:
    """Return the mean over rings of equal scattering angle, q or d.

    A pixel belongs to the ring that its centre lies in; nothing is corrected (solid angle,
    polarisation). The rings of the last two geometries are remembered, if the mask is None or a
    PixelClasses (:func:`beamkit.images.classify` once, use often).

    Parameters
    ----------
    image
        Shape (detector_y, detector_x), any unit; cropped or binned, it keeps its coordinates.
    geometry
        Of the full detector.
    axis
        ``"two_theta"`` [deg], ``"q"`` [1/angstrom] or ``"d"`` [angstrom]; rings are even in q for
        ``"d"``.
    step
        Width of a ring [deg, or 1/angstrom for q and d], above 0; None for that of a pixel where
        the detector is nearest to the sample.
    mask
        Shape (detector_y, detector_x): bits of NXdetector, bool (True: masked) or PixelClasses.
    region
        Only pixels in this region, in positions of the image; None: all.

    Returns
    -------
    profile
        ``intensity``, float64, NaN where a ring has no good pixel, and ``pixels``, over ``axis``:
        the middle of each ring, from the first to the last that holds a pixel; d falls.

    Raises
    ------
    ShapeError
        If the image has other dimensions, or the mask another shape.
    UnknownNameError
        If there is no such axis.
    ParameterError
        If the step is not above 0, or the region covers no pixel.
    MetadataError
        If q or d is asked for without a wavelength.
    """
    if axis not in AXES:
        raise UnknownNameError("axis of a radial profile", axis, AXES)
    if step is not None and not step > 0:
        raise ParameterError(f"step is {step}; allowed are numbers above 0. Leave it out.")
    if image.dims != _PLANE:
        raise ShapeError(f"A profile is of an image with dimensions {_PLANE}, got {image.dims}.")
    is_kept = mask is None or isinstance(mask, PixelClasses)
    known = classify(mask) if mask is not None and not isinstance(mask, PixelClasses) else mask
    if known is not None and known.shape != image.shape:
        raise ShapeError(
            f"The mask has shape {known.shape}, the image {image.shape}. Crop both the same."
        )
    find = _rings if is_kept else _rings.__wrapped__
    rings = find(_Pixels.of(image), geometry, AXES[axis], step, known, region)
    intensity, number = rings.means(image)
    places = 2 * math.pi / rings.middle if axis == "d" else rings.middle
    units = {"units": str(image.attrs["units"])} if "units" in image.attrs else {}
    return xr.Dataset(
        {"intensity": (axis, intensity, units), "pixels": (axis, number, {"units": "1"})},
        coords={axis: (axis, places, {"units": _UNITS[axis]})},
        attrs=dict(image.attrs),
    )


@dataclass(frozen=True)
class _Pixels:
    """Which pixels of the full detector the rows and columns of an image are."""

    rows: tuple[float, ...]
    columns: tuple[float, ...]

    @classmethod
    def of(cls, image: xr.DataArray) -> _Pixels:
        return cls(*(tuple(image[axis].values.astype(float).tolist()) for axis in _PLANE))

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.rows), len(self.columns)

    @property
    def binning(self) -> float:
        steps = [abs(line[1] - line[0]) for line in (self.rows, self.columns) if len(line) > 1]
        return min(steps, default=1.0)

    def map(self, geometry: Geometry, name: str, rows: slice, columns: slice) -> NDArray[Any]:
        pixels = xr.DataArray(
            np.empty((rows.stop - rows.start, columns.stop - columns.start), np.uint8),
            dims=_PLANE,
            coords={"detector_y": list(self.rows[rows]), "detector_x": list(self.columns[columns])},
        )
        return np.asarray(geometry.map_like(pixels, name, dtype=np.float32).values)


@dataclass(frozen=True)
class _Rings:
    """Which pixels of a part of an image belong to which ring."""

    rows: slice
    columns: slice
    #: Ring of each pixel, from 1; 0 for those that do not count. Shape (rows, columns), int32.
    index: NDArray[np.int32]
    #: Middle of each ring. Shape (rings,).
    middle: NDArray[np.float64]
    #: Pixels of each ring. Shape (rings,).
    number: NDArray[np.int64]

    def means(self, image: xr.DataArray) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Return mean and number of the good pixels of each ring. Shapes (rings,)."""
        values = np.asarray(image[self.rows, self.columns].values).ravel()
        index, number, rings = self.index.ravel(), self.number, self.middle.size + 1
        is_flagged = values.dtype.kind == "i" and image.attrs.get("units") == "counts"
        bad = np.zeros(0, bool)
        if is_flagged or values.dtype.kind == "f":
            bad = (values < 0 if is_flagged else ~np.isfinite(values)) & (index > 0)
        if bad.any():  # few, as the mask took the others
            number = number - np.bincount(index[bad], minlength=rings)[1:]
            index = np.where(bad, 0, index)
        if values.dtype.kind == "f":  # ring 0 is not looked at, but NaN in it would warn
            values = np.nan_to_num(values, posinf=0, neginf=0)
        total = np.bincount(index, values, minlength=rings)[1:]
        mean = np.full(total.shape, np.nan)
        np.divide(total, number, out=mean, where=number > 0)
        return mean, number


@lru_cache(maxsize=2)
def _rings(
    pixels: _Pixels,
    geometry: Geometry,
    name: str,
    step: float | None,
    known: PixelClasses | None,
    region: Region | None,
) -> _Rings:
    """Return the ring of each pixel."""
    shape = pixels.shape
    rows, columns = region.bounds(shape) if region else (slice(0, size) for size in shape)
    wanted = np.ones((rows.stop - rows.start, columns.stop - columns.start), bool)
    if region is not None:
        wanted &= region.covers_in(rows, columns)
    if not wanted.any():
        raise ParameterError(f"{region} covers no pixel of the image. Move it inside.")
    if known is not None:
        wanted &= known.good[rows, columns]
    width = step or _step(geometry, name) * pixels.binning
    ring = (pixels.map(geometry, name, rows, columns) / width).astype(np.int32)
    first = int(ring[wanted].min()) if wanted.any() else 0
    index = np.where(wanted, ring - first + 1, 0).astype(np.int32, copy=False)
    middle = (first + np.arange(index.max()) + 0.5) * width
    number = np.bincount(index.ravel(), minlength=middle.size + 1)[1:].astype(np.int64)
    for array in (index, middle, number):
        array.flags.writeable = False
    return _Rings(rows, columns, index, middle, number)


def _step(geometry: Geometry, name: str) -> float:
    """Return how much a pixel spans where the detector is nearest to the sample."""
    nearest = abs(float(np.dot(geometry.origin, geometry.normal)))
    angle = min(geometry.pixel_size_x, geometry.pixel_size_y) / nearest
    if name == "two_theta":
        return math.degrees(angle)
    return 2 * math.pi / float(geometry.wavelength or 1.0) * angle
