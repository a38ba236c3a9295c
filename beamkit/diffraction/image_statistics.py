"""Is there diffraction, and how good: the numbers of one image."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from beamkit.core.html import table

from ._spot_image import Mask, frame_of
from .geometry import Geometry
from .ice_score import IceZones, is_ice
from .spots import SpotFinder, SpotSettings
from .spots_table import Spots

#: Part of the spots that lies beyond the resolution estimate.
BEYOND = 0.05

#: Fewer spots outside ice rings tell no resolution.
FEWEST_SPOTS = 8


@dataclass(frozen=True)
class ImageStatistics:
    """Numbers of an image; NaN where they cannot be told.

    Attributes
    ----------
    spots, spots_outside_ice
        Number of spots, and of those not on a ring of ice (all, where d is not known).
    score
        Sum of ln(I/sigma) over the spots outside ice rings with I/sigma above 1: rises with their
        number, and slowly with their strength, so that no single spot decides.
    resolution
        d that all but 5 % of the spots outside ice rings lie above [angstrom]; NaN for fewer
        than 8 spots. It is at best that of the corners of the detector.
    intensity
        Sum of the spots outside ice rings, above background [counts].
    total
        Of the valid pixels [counts].
    background
        Mean of the valid pixels that are not strong [counts in a pixel].
    max
        Highest valid pixel [counts].
    overloads
        Pixels above the count cutoff that are not masked.
    ice_score, ice_ring
        How far the strongest ring of ice is above its surroundings, as a part of these (0: no
        ring), and its d [angstrom].
    masked
        Part of the pixels that is not valid: masked, flagged, NaN or overloaded.
    """

    spots: int
    spots_outside_ice: int
    score: float
    resolution: float
    intensity: float
    total: float
    background: float
    max: float
    overloads: int
    ice_score: float
    ice_ring: float
    masked: float

    def to_dict(self) -> dict[str, float]:
        """Return the numbers by name."""
        return asdict(self)

    def _repr_html_(self) -> str:
        return table([(name, f"{value:.6g}") for name, value in self.to_dict().items()])


def image_statistics(
    image: xr.DataArray | NDArray[Any],
    mask: Mask | None = None,
    geometry: Geometry | None = None,
    *,
    settings: SpotSettings | None = None,
    count_cutoff: float | None = None,
) -> ImageStatistics:
    """Return the numbers that tell whether an image shows diffraction, and how good it is.

    For a series see :func:`beamkit.diffraction.statistics`.

    Parameters
    ----------
    image
        Shape (detector_y, detector_x) [counts].
    mask
        Same shape: bits of NXdetector, bool (True: masked) or PixelClasses.
    geometry
        Of the full detector, with a wavelength; None: without resolution and ice.
    settings
        What a spot is.
    count_cutoff
        Highest valid count; None: that of the attributes of ``image``, if it tells.

    Raises
    ------
    ShapeError
        If the image has not two dimensions, or the mask another shape.
    ParameterError
        If the image holds no real numbers.
    MetadataError
        If the geometry has no wavelength.
    """
    analyser = ImageAnalyser(np.shape(image), mask, geometry, settings=settings)
    return analyser.analyse(image, count_cutoff=count_cutoff)


class ImageAnalyser:
    """Gives the statistics of images of one shape, in memory that is used again.

    The work is done outside the GIL; of several threads each needs one of its own.

    Parameters
    ----------
    shape
        Rows and columns of the images.
    mask, geometry, settings
        As for :func:`image_statistics`.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        mask: Mask | None = None,
        geometry: Geometry | None = None,
        *,
        settings: SpotSettings | None = None,
    ) -> None:
        self.finder = SpotFinder(shape, mask, settings=settings)
        self.geometry = geometry

    def analyse(
        self, image: xr.DataArray | NDArray[Any], *, count_cutoff: float | None = None
    ) -> ImageStatistics:
        """Return the statistics of an image."""
        return self.analyse_spots(image, count_cutoff=count_cutoff)[0]

    def analyse_spots(
        self, image: xr.DataArray | NDArray[Any], *, count_cutoff: float | None = None
    ) -> tuple[ImageStatistics, Spots]:
        """Return the statistics of an image, and its spots."""
        from ._spot_sums import sum_image

        finder, frame = self.finder, frame_of(image, count_cutoff)
        strong = finder.strong_in(frame)
        spots = finder.spots_of(frame, strong)
        limits = frame.low, frame.high
        ice = np.nan, np.nan
        with finder.marked(strong) as is_strong:
            valid, over, total, at_strong, highest = sum_image(
                frame.pixels, finder.good, is_strong, *limits
            )
            if self.geometry is not None:
                zones = IceZones.of(self.geometry, image)
                ice = zones.score(frame.pixels, finder.good, is_strong, *limits)
        ground = valid - strong.size
        numbers = {
            "total": total,
            "background": (total - at_strong) / ground if ground else np.nan,
            "max": highest if valid else np.nan,
            "overloads": over,
            "ice_score": ice[0],
            "ice_ring": ice[1],
            "masked": 1 - valid / frame.pixels.size,
        }
        return ImageStatistics(**_of_spots(spots, self.geometry), **numbers), spots


def resolution_of(d: ArrayLike) -> float:
    """Return the spacing that all but 5 % of the spots lie above [angstrom].

    The 95th percentile of 1/d**2 of the spots, which a few false spots at high angle do not move:
    the simplest of the estimates by the number of spots against resolution (compare method 2 of
    Zhang et al., J. Appl. Cryst. 39, 112-119 (2006)).

    Parameters
    ----------
    d
        Of each spot [angstrom]; fewer than 8 give NaN.

    Examples
    --------
    >>> round(resolution_of([8.0] * 95 + [2.0] * 10), 6)
    2.0
    """
    spacings = np.asarray(d, float)
    if spacings.size < FEWEST_SPOTS:
        return np.nan
    return float(np.quantile(spacings**-2, 1 - BEYOND) ** -0.5)


def _of_spots(spots: Spots, geometry: Geometry | None) -> dict[str, Any]:
    chosen, resolution = spots, np.nan
    if geometry is not None:
        d = spots.d(geometry)
        outside = ~is_ice(d)
        chosen, resolution = spots.select(outside), resolution_of(d[outside])
    strength = chosen.i_over_sigma
    return {
        "spots": len(spots),
        "spots_outside_ice": len(chosen),
        "score": float(np.log(strength[strength > 1]).sum()),
        "resolution": resolution,
        "intensity": float(np.nansum(chosen.intensity)),
    }
