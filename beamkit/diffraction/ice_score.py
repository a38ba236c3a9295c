"""How much an image shows the rings of ice."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from .geometry import Geometry
from .ice import ice_rings

Floats = NDArray[np.float64]

#: Spacing down to which rings of ice are looked at [angstrom]: below, they come too close.
SHORTEST = 1.9

#: Rings that stand alone, with background on both sides, are those down to this [angstrom].
_ALONE = 2.0

#: Half width of a ring, and where the background beside it begins and ends, as parts of d. The
#: two nearest rings, at 3.90 and 3.67 angstrom, are 0.06 apart.
WIDTH, _BESIDE = 0.009, (0.014, 0.03)

#: Zones of a ring: itself, and beside it at larger and at smaller d.
_ZONES = 3


def is_ice(d: ArrayLike) -> NDArray[np.bool_]:
    """Return True for lattice spacings [angstrom] of ice rings of at least 1.9 angstrom.

    Within 0.9 % of one: the width of the rings of small crystals of ice.
    """
    apart = np.abs(np.log(np.asarray(d, float)[..., None] / _spacings(SHORTEST)))
    return np.asarray((apart < WIDTH).any(axis=-1))


@dataclass(frozen=True, eq=False)
class IceZones:
    """The pixels on the rings of ice and beside them.

    Attributes
    ----------
    places
        Flat indices of these pixels. Shape (pixel,).
    zones
        Ring number times 3, plus 0 on the ring, 1 and 2 beside it. Shape (pixel,).
    spacings
        d of each ring [angstrom].
    """

    places: NDArray[np.int64]
    zones: NDArray[np.uint8]
    spacings: Floats

    @classmethod
    def of(cls, geometry: Geometry, image: xr.DataArray | NDArray[Any]) -> IceZones:
        """Return the zones of an image; those of the last two are remembered.

        Raises
        ------
        MetadataError
            If the wavelength is not known.
        """
        rows, columns = (_indices(image, axis) for axis in ("detector_y", "detector_x"))
        return _zones(geometry, rows, columns)

    def score(
        self,
        image: NDArray[Any],
        good: NDArray[np.uint8],
        is_strong: NDArray[np.uint8],
        low: Any,
        high: Any,
    ) -> tuple[float, float]:
        """Return how far the strongest ring is above its surroundings, and its d [angstrom].

        The excess is a part of the background: 0.5 for a ring half as bright again. Background
        on the ring is taken as the mean of both sides. 0 where no ring is 3 standard deviations
        (counting statistics) above it; NaN where no ring lies on the detector with both sides.
        """
        from ._spot_sums import sum_zones

        sums = sum_zones(
            image, good, is_strong, low, high, self.places, self.zones, _ZONES * len(self.spacings)
        )
        number, total = sums.reshape(2, -1, _ZONES)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean, error = total / number, np.maximum(total, 1) / number**2
            ground = mean[:, 1:].mean(axis=1)
            noise = np.sqrt(error[:, 0] + error[:, 1:].sum(axis=1) / 4)
            excess = (mean[:, 0] - ground) / np.maximum(ground, noise)
            excess[mean[:, 0] - ground < 3 * noise] = 0
        if np.isnan(excess).all():
            return np.nan, np.nan
        best = int(np.nanargmax(excess))
        return float(excess[best]), float(self.spacings[best]) if excess[best] > 0 else np.nan


@lru_cache(maxsize=2)
def _zones(geometry: Geometry, rows: tuple[float, ...], columns: tuple[float, ...]) -> IceZones:
    spacings = _spacings(_ALONE)
    pixels = xr.DataArray(
        np.empty((len(rows), len(columns)), np.uint8),
        dims=("detector_y", "detector_x"),
        coords={"detector_y": list(rows), "detector_x": list(columns)},
    )
    d = geometry.map_like(pixels, "d", dtype=np.float32).values
    zone = np.zeros(d.shape, np.uint8)
    for number, spacing in enumerate(spacings):
        inner, outer = _BESIDE
        for part, (least, most) in enumerate(
            ((-WIDTH, WIDTH), (inner, outer), (-outer, -inner)), start=_ZONES * number + 1
        ):
            zone[(d > spacing * np.exp(least)) & (d < spacing * np.exp(most))] = part
    places = np.flatnonzero(zone)
    found = IceZones(places, zone.ravel()[places] - np.uint8(1), spacings)
    found.places.flags.writeable = found.zones.flags.writeable = False
    return found


@lru_cache(maxsize=2)
def _spacings(shortest: float) -> Floats:
    return np.array(ice_rings(shortest=shortest).spacings)


def _indices(image: xr.DataArray | NDArray[Any], axis: str) -> tuple[float, ...]:
    if isinstance(image, xr.DataArray) and axis in image.coords:
        return tuple(image.coords[axis].values.astype(float).tolist())
    size = image.shape[0 if axis == "detector_y" else 1]
    return tuple(float(index) for index in range(size))
