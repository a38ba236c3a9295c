"""Powder images in closed form: any calibrant on any tilted detector, with what real ones have."""

from __future__ import annotations

import numpy as np

from beamkit.core.detector_geometry import origin_from_beam_center
from beamkit.diffraction import Geometry, calibrant

PIXEL = 172e-6


def tilted(
    shape, distance, center, rot1=0.0, rot2=0.0, *, wavelength=0.5, pixel=(PIXEL, PIXEL)
) -> Geometry:
    """A detector whose normal is turned by rot1 and rot2 [rad] as pyFAI turns it.

    Written out from pyFAI's R2 R1 (axes 1 down, 2 right, 3 along the beam): the columns of the
    matrix are where the detector's own axes point.
    """
    c1, s1, c2, s2 = np.cos(rot1), np.sin(rot1), np.cos(rot2), np.sin(rot2)
    down, right = np.array([c2, 0, s2]), np.array([s2 * s1, c1, -c2 * s1])
    slow, fast = ((-v[1], -v[0], v[2]) for v in (down, right))
    origin = origin_from_beam_center(*center, distance, *pixel, fast=fast, slow=slow)
    return Geometry(origin, fast, slow, *pixel, shape, wavelength)


def powder_image(
    geometry, name, *, seed=0, width=2.5, crest=400.0, background=20.0, gaps=True, spotty=0.0
):
    """Photons on a detector: Gaussian rings [pixel], a background that falls outwards, noise.

    ``spotty`` is the share of the azimuth that is dark: each ring has its own grains.
    """
    random = np.random.default_rng(seed)
    rows, columns = geometry.shape
    angle = geometry.map_of("two_theta").values
    chi = geometry.map_of("chi").values
    sigma = np.rad2deg(width / 2.355 * PIXEL / geometry.beam_center.distance)
    expected = background * (1 + np.exp(-angle / (0.3 * angle.max())))
    for n, place in enumerate(calibrant(name).two_theta(geometry.wavelength)):
        if not place < angle.max() + 9 * sigma:
            continue
        grains = random.random(360) * (random.random(360) > spotty) * 2 / max(1 - spotty, 0.1)
        light = grains[((chi + 180) * 359.99 / 360).astype(int)] if spotty else 1.0
        strength = crest * random.uniform(0.3, 1.0) / (1 + n / 4)
        near = np.abs(angle - place) < 9 * sigma
        ring = strength * np.exp(-((angle - place) ** 2) / (2 * sigma**2))
        expected = expected + np.where(near, ring * light, 0)
    image = random.poisson(expected).astype(np.int32)
    if gaps:
        image[:, columns // 3 : columns // 3 + 7] = -1
        image[rows // 2 + 5 : rows // 2 + 22] = -1
        image[random.integers(0, rows, 30), random.integers(0, columns, 30)] = -2
    return image


def random_setup(seed, *, largest_tilt=20.0, off=False):
    """A geometry and the name of a calibrant, drawn at random."""
    random = np.random.default_rng([2012, seed])
    shape = [(619, 487), (407, 487), (521, 743), (1043, 981)][seed % 4]
    name = ["CeO2", "LaB6", "Si", "AgBeh"][(seed // 4) % 4]
    wavelength = 1.1 if name == "AgBeh" else random.uniform(0.35, 0.7)
    low, high = (0.2, 0.8)
    center = [random.uniform(low, high) * size for size in shape[::-1]]
    if off:
        axis = random.integers(2)
        center[axis] = random.choice([-0.25, 1.25]) * shape[::-1][axis]
    first = np.deg2rad(calibrant(name).two_theta(wavelength)[0])
    radius = random.uniform(0.1, 0.2) * max(shape)
    distance = radius * PIXEL / np.tan(first)
    tilt = np.deg2rad(random.uniform(0, largest_tilt))
    way = random.uniform(0, 2 * np.pi)
    rot1, rot2 = tilt * np.cos(way), np.arcsin(np.sin(tilt) * np.sin(way))
    return tilted(shape, distance, center, rot1, rot2, wavelength=wavelength), name
