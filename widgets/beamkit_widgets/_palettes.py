"""Colour maps for the browser: 256 colours each, those with even steps of lightness first."""

from __future__ import annotations

from base64 import b64encode
from functools import cache

import numpy as np
from matplotlib import colormaps

from beamkit.core.errors import UnknownNameError

#: In the order of the menu. "spectrum" and "jet" are left out on purpose: they invent edges.
NAMES = (
    "gray",
    "viridis",
    "inferno",
    "magma",
    "cividis",
    "plasma",
    "bone",
    "hot",
    "turbo",
    "coolwarm",
    "RdBu_r",
    "twilight",
)


@cache
def palette(name: str) -> str:
    """Return 256 colours of 3 bytes (red, green, blue), in base64.

    Raises
    ------
    UnknownNameError
        If matplotlib has no colour map of that name.
    """
    if name not in colormaps:
        raise UnknownNameError("colour map", name, colormaps)
    colors = colormaps[name](np.arange(256) / 255, bytes=True)[:, :3]
    return b64encode(np.ascontiguousarray(colors).tobytes()).decode("ascii")


def palettes() -> dict[str, str]:
    """Return the colour maps of the menu."""
    return {name: palette(name) for name in NAMES}
