"""Detectors that break every symmetry, for the tests of the geometry."""

from __future__ import annotations

import numpy as np

from beamkit.core.detector_geometry import origin_from_beam_center
from beamkit.core.transformations import rotation_matrix
from beamkit.diffraction import Geometry

#: Rows, columns; pixels along a row and along a column [m]: neither is square.
SHAPE = (83, 61)
PIXEL = (172e-6, 230e-6)


def square(**changes) -> Geometry:
    """A detector square to the beam, the beam off its centre."""
    numbers = {
        "origin": origin_from_beam_center(23.7, 51.2, 0.021, *PIXEL),
        "fast": (-1, 0, 0),
        "slow": (0, -1, 0),
        "pixel_size_x": PIXEL[0],
        "pixel_size_y": PIXEL[1],
        "shape": SHAPE,
        "wavelength": 0.9173,
    }
    return Geometry(**{**numbers, **changes})


def turned(axis, angle: float, **changes) -> Geometry:
    """The square detector, turned about the sample."""
    turn = rotation_matrix(axis, angle)
    vectors = {name: tuple(turn @ getattr(square(), name)) for name in ("origin", "fast", "slow")}
    return square(**vectors, **changes)


def random_detectors(count: int, largest: float = 70.0) -> list[Geometry]:
    """Detectors turned about random axes by up to ``largest`` [deg]."""
    generator = np.random.default_rng(20120301)
    axes, angles = generator.normal(size=(count, 3)), generator.uniform(5, largest, count)
    return [turned(axis, angle) for axis, angle in zip(axes, angles, strict=True)]


def same(first: Geometry, second: Geometry, tolerance: float = 1e-9) -> bool:
    """Whether two detectors stand in the same place, to ``tolerance`` of the distance."""
    distance = np.linalg.norm(first.origin)
    corners = [(0.0, 0.0), (SHAPE[1], 0.0), (0.0, SHAPE[0])]
    gaps = [np.linalg.norm(first.position(*c) - second.position(*c)) for c in corners]
    sizes = (first.pixel_size_x, first.pixel_size_y, first.wavelength)
    again = (second.pixel_size_x, second.pixel_size_y, second.wavelength)
    return max(gaps) < tolerance * distance and np.allclose(sizes, again, rtol=tolerance, atol=0)
