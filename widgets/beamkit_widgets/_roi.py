"""The region drawn in a viewer, with what one asks of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import xarray as xr

from beamkit import images
from beamkit.images import Region

if TYPE_CHECKING:
    from .viewer import ImageViewer


class Roi:
    """A region of the image that a viewer shows.

    Parameters
    ----------
    viewer
        Where it was drawn.
    region
        One of :mod:`beamkit.images.regions`; positions from the outer corner of the first pixel
        of the array [pixel].
    """

    def __init__(self, viewer: ImageViewer, region: Region) -> None:
        self._viewer, self.region = viewer, region

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.region, name)  # x0, y0, radius ...

    def __eq__(self, other: object) -> bool:
        return self.region == (other.region if isinstance(other, Roi) else other)

    def __hash__(self) -> int:
        return hash(self.region)

    def __repr__(self) -> str:
        return f"Roi({self.region})"

    @property
    def data(self) -> xr.DataArray:
        """The image inside the region, with its coordinates; NaN outside a round one."""
        return images.select(self._viewer.image, self.region)

    def statistics(self) -> Any:
        """Return sum, mean, extremes ... of the good pixels: `beamkit.images.statistics`."""
        return images.statistics(self._viewer.image, self.region, mask=self._viewer.mask)

    def profile(self) -> Any:
        """Return the profile along a line, of a rectangle's rows and columns, or of a sector.

        A line: `beamkit.images.line_profile`; a rectangle: `beamkit.images.box_profile`; else
        `beamkit.images.radial_profile` around its centre.
        """
        from ._panels.profile import profile_of

        return profile_of(self._viewer, self.region)

    def rocking_curve(self) -> xr.Dataset:
        """Return the statistics in all frames: `beamkit.images.rocking_curve`."""
        return images.rocking_curve(self._viewer.stack, self.region, mask=self._viewer.mask)
