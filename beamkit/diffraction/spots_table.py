"""The spots of an image, and what is known of each."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from .geometry import Geometry

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]

Floats = NDArray[np.float64]

_UNITS = {"intensity": "counts", "sigma": "counts", "background": "counts", "peak": "counts",
          "pixels": "1", "i_over_sigma": "1"}  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Spots:
    """Spots, in the order of their first pixels in the image. Each array has shape (spot,).

    Positions count from the outer corner of the first pixel of the full detector, convention 1 of
    :mod:`beamkit.core.schema`.

    Attributes
    ----------
    x, y
        Centroid, weighted with the counts above the background [pixel].
    intensity, sigma
        Counts above the background in the strong pixels, and their standard error from counting
        statistics [counts]; NaN where no pixel beside the spot is left for a background. The
        tails of a spot are not strong: a tenth of its counts, or more, may be missing.
    background
        Mean of the valid pixels around that are not strong [counts in a pixel].
    peak
        Highest pixel, background included [counts].
    pixels
        Strong pixels.
    x_min, x_max, y_min, y_max
        Outer edges of the box around the strong pixels [pixel].
    """

    x: Floats
    y: Floats
    intensity: Floats
    sigma: Floats
    background: Floats
    peak: Floats
    pixels: NDArray[np.int64]
    x_min: Floats
    x_max: Floats
    y_min: Floats
    y_max: Floats

    def __len__(self) -> int:
        return self.x.size

    def __repr__(self) -> str:
        strong = int(np.count_nonzero(self.i_over_sigma >= 12))
        return f"<Spots: {len(self)}, {strong} of them with I/sigma of 12 and more>"

    @property
    def i_over_sigma(self) -> Floats:
        """Intensity over its standard error [1]."""
        return np.asarray(self.intensity / self.sigma)

    def select(self, which: Any) -> Spots:
        """Return some of the spots: booleans, indices or a slice."""
        return Spots(**{field.name: getattr(self, field.name)[which] for field in fields(self)})

    def d(self, geometry: Geometry) -> Floats:
        """Return the lattice spacing of each spot [angstrom]. Raises MetadataError without
        wavelength."""
        return np.asarray(geometry.d(self.x, self.y))

    def to_dataset(self) -> xr.Dataset:
        """Return one variable for each attribute, and ``i_over_sigma``, over ``spot``."""
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        columns["i_over_sigma"] = self.i_over_sigma
        return xr.Dataset(
            {
                name: ("spot", values, {"units": _UNITS.get(name, "pixel")})
                for name, values in columns.items()
            }
        )

    def to_dataframe(self) -> pd.DataFrame:
        """Return a row for each spot."""
        return self.to_dataset().to_dataframe()

    def _repr_html_(self) -> str:
        return str(self.to_dataframe().to_html(max_rows=20, float_format="%.6g"))
