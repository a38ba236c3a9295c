"""The picture that stays where there is no kernel: the same image and contrast."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import colormaps
from matplotlib.image import imsave

from beamkit.images import reduce
from beamkit.images.contrast import scale_named

if TYPE_CHECKING:
    from .viewer import ImageViewer


def still(viewer: ImageViewer) -> bytes:
    """Return PNG."""
    image = viewer.image.values
    factor = max(1, -(-max(image.shape) // 600))
    values, classes = reduce(image, (factor, factor), classes=viewer.classes)
    levels = scale_named(viewer.scale)(values, *viewer.clim)
    pixels = colormaps[viewer.cmap](1 - levels if viewer.invert else levels)
    pixels[np.isin(classes, (1, 2))] = (0.3, 0.3, 0.4, 1)
    buffer = BytesIO()
    imsave(buffer, pixels, format="png")
    return buffer.getvalue()
