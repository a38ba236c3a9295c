"""A detector by the five numbers that powder rings tell, and how its rings move with each.

The numbers are the place of the direct beam, the distance along it, and two tilts; the sixth of a
detector in space, the turn about the beam, leaves all rings where they are and is kept as it is.
Place of the beam and distance along it stand in for pyFAI's point of normal incidence: they are
what a header tells, and hang together far less with the tilt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from beamkit.core.detector_geometry import origin_from_beam_center

from ._placement import as_vector
from .geometry import Geometry
from .poni import _LABORATORY, rotation

Array = NDArray[np.float64]

#: The numbers that are refined, in the order of a vector of parameters.
PARAMETERS = ("detector_distance", "beam_center_x", "beam_center_y", "rot1", "rot2")

#: Units of these numbers as they are reported; inside, rot1 and rot2 are in radian.
UNITS = {
    "detector_distance": "m", "beam_center_x": "pixel", "beam_center_y": "pixel",
    "rot1": "deg", "rot2": "deg",
}  # fmt: skip

#: Step of the differences that give the derivative of a rotation [rad].
_STEP = 1e-5


class Slopes(NamedTuple):
    """2theta and its derivatives.

    Attributes
    ----------
    two_theta
        Shape (point,) [rad].
    by_parameter
        By each of :data:`PARAMETERS` [rad/m, rad/pixel, rad/rad]. Shape (point, 5).
    per_pixel
        How fast 2theta grows on the detector. Shape (point,) [rad/pixel].
    """

    two_theta: Array
    by_parameter: Array
    per_pixel: Array


@dataclass(frozen=True)
class Model:
    """What the refinement leaves as it is: pixels, turn about the beam, photons.

    Attributes
    ----------
    pixel_size
        Along a row and along a column [m].
    rot3
        pyFAI's turn about the beam [rad].
    shape
        Pixels of the detector (rows, columns).
    wavelength
        [angstrom]
    assumed
        Lines of the start that calibration does not settle.
    """

    pixel_size: tuple[float, float]
    rot3: float
    shape: tuple[int, int]
    wavelength: float
    assumed: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, geometry: Geometry, wavelength: float, shape: tuple[int, int]
    ) -> tuple[Model, Array]:
        """Return the model and the parameters of a geometry."""
        place, tilts = geometry.beam_center, geometry.poni
        settled = ("beam_center", "detector_distance", "wavelength", "energy")
        left = tuple(line for line in geometry.assumed if not line.startswith(settled))
        model = cls(
            (geometry.pixel_size_x, geometry.pixel_size_y), tilts.rot3, shape, wavelength, left
        )
        return model, np.array([place.distance, place.x, place.y, tilts.rot1, tilts.rot2])

    def geometry(self, parameters: Array) -> Geometry:
        """Return the detector with these parameters."""
        distance, x, y, rot1, rot2 = (float(value) for value in parameters)
        turn = _LABORATORY @ rotation(rot1, rot2, self.rot3)
        fast, slow = as_vector(turn[:, 1]), as_vector(turn[:, 0])
        origin = origin_from_beam_center(x, y, distance, *self.pixel_size, fast=fast, slow=slow)
        return Geometry(
            origin, fast, slow, *self.pixel_size, self.shape, self.wavelength, self.assumed
        )

    def angles(self, parameters: Array, x: Array, y: Array) -> tuple[Array, Array]:
        """Return 2theta and chi at positions [rad]; x and y may broadcast."""
        (a, b, c), *_ = self._rays(parameters, x, y)
        return np.arctan2(np.hypot(a, b), c), np.arctan2(a, b)

    def slopes(self, parameters: Array, x: Array, y: Array) -> Slopes:
        """Return 2theta at positions and its derivatives. x, y: shape (point,) [pixel]."""
        rays, down, along, turn = self._rays(parameters, x, y)
        ones = np.ones_like(rays[0])
        moved = [np.array([0 * ones, 0 * ones, ones])]
        for axis, size in ((1, self.pixel_size[0]), (0, self.pixel_size[1])):
            moved.append(-size * turn[:, axis, None] * ones)
        for change in _turns(parameters[3], parameters[4], self.rot3):
            moved.append(change[:, 0, None] * down + change[:, 1, None] * along)
        across = np.maximum(np.hypot(rays[0], rays[1]), 1e-15)
        length = across**2 + rays[2] ** 2
        by = [
            (rays[2] * (rays[0] * d[0] + rays[1] * d[1]) / across - across * d[2]) / length
            for d in moved
        ]
        return Slopes(np.arctan2(across, rays[2]), np.stack(by, -1), np.hypot(by[1], by[2]))

    def positions(self, parameters: Array, two_theta: Array, chi: Array) -> tuple[Array, Array]:
        """Return x, y [pixel] where rays [rad] meet the detector plane; NaN where they do not."""
        turn = rotation(parameters[3], parameters[4], self.rot3)
        sine = np.sin(two_theta)
        rays = np.stack(
            np.broadcast_arrays(sine * np.sin(chi), sine * np.cos(chi), np.cos(two_theta))
        )
        down, along, out = np.tensordot(turn.T, rays, 1)
        foot = parameters[0] * turn[2]
        with np.errstate(divide="ignore", invalid="ignore"):
            length = np.where(out > 1e-9, foot[2] / out, np.nan)
        x = (length * along - foot[1]) / self.pixel_size[0] + parameters[1]
        y = (length * down - foot[0]) / self.pixel_size[1] + parameters[2]
        return x, y

    def _rays(self, parameters: Array, x: Array, y: Array) -> tuple[Array, Array, Array, Array]:
        """Return pyFAI's (t1, t2, t3) [m], the way down and along the detector [m], and R."""
        distance, center_x, center_y, rot1, rot2 = parameters
        turn = rotation(rot1, rot2, self.rot3)
        down = (np.asarray(y, float) - center_y) * self.pixel_size[1]
        along = (np.asarray(x, float) - center_x) * self.pixel_size[0]
        rays = [row[0] * down + row[1] * along for row in turn]
        rays[2] = rays[2] + distance
        return np.stack(rays), down, along, turn


def _turns(rot1: float, rot2: float, rot3: float) -> tuple[Array, Array]:
    """Return the derivatives of the rotation by rot1 and by rot2. Shapes (3, 3)."""
    first = rotation(rot1 + _STEP, rot2, rot3) - rotation(rot1 - _STEP, rot2, rot3)
    second = rotation(rot1, rot2 + _STEP, rot3) - rotation(rot1, rot2 - _STEP, rot3)
    return first / (2 * _STEP), second / (2 * _STEP)
