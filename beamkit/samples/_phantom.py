"""Ellipsoids: their line integrals in closed form, and their image on a grid.

Frame (convention 4 of :mod:`beamkit.core.schema`): x along +detector_x and y from the detector to
the source at angle 0, both from the axis of rotation; z along +detector_y from the centre of
detector row 0. Right-handed, [um].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Attenuation times length: 1/cm times um.
_CM_PER_UM = 1e-4


@dataclass(frozen=True)
class Ellipsoid:
    """A homogeneous ellipsoid with one axis along z.

    Attributes
    ----------
    center
        x, y, z [um].
    semi_axes
        Along its own x and y, and along z [um].
    angle
        Turn of its own x axis from x towards y [deg].
    value
        What it adds to the linear attenuation coefficient [1/cm].
    """

    center: tuple[float, float, float]
    semi_axes: tuple[float, float, float]
    angle: float
    value: float

    def line_integrals(self, angle: float, s: Floats, z: Floats) -> Floats:
        """Return the integrals of the attenuation along parallel rays.

        A horizontal cut is an ellipse whose semi-axes A and B are smaller by k, with
        ``k^2 = 1 - (z - center_z)^2 / C^2``; its projection is
        ``2 value A B / a^2 sqrt(a^2 k^2 - s^2)``, ``a^2 = A^2 cos^2 + B^2 sin^2`` (Kak & Slaney
        1988, Principles of Computerized Tomographic Imaging, eq. 3.6, for k = 1).

        Parameters
        ----------
        angle
            Direction of the detector's x axis in the sample [deg]: s = x cos + y sin.
        s
            Signed distances of the rays from the axis of rotation, shape (detector_x,) [um].
        z
            Heights of the rays, shape (detector_y,) [um].

        Returns
        -------
        integrals
            Shape (detector_y, detector_x) [1].
        """
        long, short, high = self.semi_axes
        turn = np.deg2rad(angle - self.angle)
        spread = (long * np.cos(turn)) ** 2 + (short * np.sin(turn)) ** 2
        across = (s - self._shadow(angle)) ** 2
        cut = 1 - ((z - self.center[2]) / high) ** 2
        chord = np.sqrt(np.clip(spread * cut[:, None] - across[None, :], 0, None)) / spread
        return np.asarray(2 * self.value * _CM_PER_UM * long * short * chord)

    def shadow(self, angle: float, s: Floats, z: Floats) -> tuple[slice, slice]:
        """Return the rows and columns of the detector that can see the ellipsoid.

        ``s`` and ``z`` as in :meth:`line_integrals`, ascending.
        """
        turn = np.deg2rad(angle - self.angle)
        half = np.hypot(self.semi_axes[0] * np.cos(turn), self.semi_axes[1] * np.sin(turn))
        middle = self._shadow(angle)
        return (
            _between(z, self.center[2] - self.semi_axes[2], self.center[2] + self.semi_axes[2]),
            _between(s, middle - half, middle + half),
        )

    def cuts(self, z: Floats) -> NDArray[np.bool_]:
        """Say which horizontal planes, at heights ``z`` [um], cut the ellipsoid."""
        return np.asarray(np.abs(z - self.center[2]) < self.semi_axes[2])

    def add_cut(self, plane: NDArray[np.float32], x: Floats, z: float, *, oversample: int) -> None:
        """Add the attenuation in a horizontal plane to an image.

        Only pixels that the edge may cross are divided, into oversample x oversample points.

        Parameters
        ----------
        plane
            Square image to add to, shape (y, x) [1/cm].
        x
            Centres of its columns, and of its rows, equally spaced, shape (x,) [um].
        z
            Height of the plane [um].
        oversample
            Points along each side of an edge pixel, at least 1.
        """
        pixel = float(x[1] - x[0]) if x.size > 1 else 1.0
        reach = max(self.semi_axes[:2]) + pixel
        columns, rows = (_between(x, middle - reach, middle + reach) for middle in self.center[:2])
        plane[rows, columns] += self.value * self._coverage(
            x[columns], x[rows], z, pixel, oversample
        )

    def _coverage(self, x: Floats, y: Floats, z: float, pixel: float, oversample: int) -> Floats:
        """Return the part of each pixel that lies inside. Shape (y, x), from 0 to 1."""
        radius = self._radius(x[None, :], y[:, None], z)
        part: Floats = (radius <= 1).astype(float)
        # From the centre of a pixel to its corner, the radius changes by at most this much.
        reach = pixel * np.sqrt(0.5) / min(self.semi_axes[:2])
        row, column = np.nonzero(np.abs(radius - 1) <= reach)
        offsets = ((np.arange(oversample) + 0.5) / oversample - 0.5) * pixel
        across, along = (offset.ravel() for offset in np.meshgrid(offsets, offsets))
        inside = self._radius(x[column, None] + across, y[row, None] + along, z) <= 1
        part[row, column] = inside.mean(axis=1)
        return part

    def _shadow(self, angle: float) -> float:
        """Return where the projection of the centre lies [um]."""
        x, y, _ = self.center
        return float(x * np.cos(np.deg2rad(angle)) + y * np.sin(np.deg2rad(angle)))

    def _radius(self, x: Floats, y: Floats, z: float) -> Floats:
        """Return the distance from the centre in units of the distance to the surface."""
        cosine, sine = np.cos(np.deg2rad(self.angle)), np.sin(np.deg2rad(self.angle))
        x, y = x - self.center[0], y - self.center[1]
        own = (x * cosine + y * sine, y * cosine - x * sine, z - self.center[2])
        squares = [(part / axis) ** 2 for part, axis in zip(own, self.semi_axes, strict=True)]
        return np.asarray(np.sqrt(squares[0] + squares[1] + squares[2]))


def default_ellipsoids(radius: float, height: float) -> tuple[Ellipsoid, ...]:
    """Return a body with a pore, inclusions and a right-handed screw of balls.

    Equal to none of its mirror images and turns. At any size the line integrals through it go
    up to about 1.6, so that a fifth of the beam comes through the thickest part.

    Parameters
    ----------
    radius
        Everything lies within this distance from the axis of rotation [um].
    height
        From the first to beyond the last detector row [um]; the body is taller than that.
    """
    body = 6000.0 / radius  # [1/cm]; 14 /cm for a radius of 0.44 mm
    ball = min(0.09 * radius, 0.1 * height)
    parts = [
        # center x, y (radius), z (height); semi-axes x, y (radius), z (height); turn; value (body)
        (0.03, -0.05, 0.45, 0.92, 0.74, 1.10, 20.0, 1.0),
        (0.42, 0.14, 0.30, 0.16, 0.07, 0.22, 65.0, 2.2),
        (-0.38, -0.26, 0.62, 0.13, 0.20, 0.30, -15.0, -1.0),  # a pore: what is left is nothing
        (-0.30, 0.30, 0.80, 0.20, 0.06, 0.35, 35.0, -0.6),
        (0.10, -0.45, 0.15, 0.10, 0.14, 0.25, 10.0, 1.4),
    ]
    ellipsoids = [
        Ellipsoid(
            (x * radius, y * radius, z * height),
            (a * radius, b * radius, c * height),
            turn,
            v * body,
        )
        for x, y, z, a, b, c, turn, v in parts
    ]
    return (*ellipsoids, *_screw(0.62 * radius, height, ball, 3 * body))


def _screw(radius: float, height: float, ball: float, value: float) -> list[Ellipsoid]:
    """Return seven balls on a right-handed helix: going along +z it turns from x to y."""
    steps = np.arange(7)
    phase, level = np.deg2rad(25 + 50.0 * steps), (0.08 + 0.14 * steps) * height
    horizontal = 0.09 / 0.62 * radius
    return [
        Ellipsoid(
            (float(radius * np.cos(p)), float(radius * np.sin(p)), float(z)),
            (horizontal, horizontal, ball),
            0.0,
            value,
        )
        for p, z in zip(phase, level, strict=True)
    ]


def _between(ascending: Floats, low: float, high: float) -> slice:
    return slice(int(np.searchsorted(ascending, low)), int(np.searchsorted(ascending, high)))
