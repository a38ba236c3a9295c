"""Automatic contrast of a viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from beamkit.core.errors import ParameterError
from beamkit.images import PixelClasses
from beamkit.images.pixel_classes import MASKED

from ._tiles import Tiler

if TYPE_CHECKING:
    from .viewer import ImageViewer


def automatic(viewer: ImageViewer, tightness: int, *, roi: bool) -> tuple[float, float]:
    """Return the contrast from the good pixels of the image, or of the region drawn in it.

    Raises
    ------
    ParameterError
        If ``roi`` is asked for and there is no region, or it covers no pixel.
    """
    tiler = viewer.talk.tiler()
    if roi:
        if viewer.roi is None:
            raise ParameterError(
                "The contrast of a region is asked for, and none is drawn. Draw one, or set "
                "viewer.roi."
            )
        region, shape = viewer.roi.region, viewer.source.shape
        rows, columns = region.bounds(shape)
        inside = region.covers_in(rows, columns)
        if not inside.any():
            raise ParameterError(f"{region} covers no pixel of the image. Draw it inside.")
        classes = viewer.classes
        known = np.zeros(shape, np.uint8) if classes is None else classes.codes
        codes = np.where(inside, known[rows, columns], MASKED)
        cutoff = None if classes is None else classes.count_cutoff
        known_inside = PixelClasses(codes, count_cutoff=cutoff)
        image = tiler.image[rows, columns]
        tiler = Tiler(image, known_inside, viewer.quantiles, viewer.middle)
    steps = tiler.limits()
    low, high = steps[min(tightness, len(steps) - 1)]
    return low, high
