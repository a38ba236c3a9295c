"""A flat detector in the laboratory: the numbers that every exchange format gives and takes.

Conventions 1 and 2 of :mod:`beamkit.core.schema`: positions count from the outer corner of the
first pixel, the laboratory has z along the beam, y up, and x to the left looking along the beam.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beamkit.core import detector_geometry
from beamkit.core.detector_geometry import BeamCenter
from beamkit.core.errors import MetadataError, ParameterError

Array = NDArray[np.float64]
Vector = tuple[float, float, float]

#: Cosine of the angle between fast and slow axis above which they are no axes of a detector.
_SKEW = 1e-2


#: No detector has more rows or columns.
_MOST_PIXELS = 1_000_000


@dataclass(frozen=True, repr=False)
class Placement:
    """Where a flat detector stands.

    Attributes
    ----------
    origin
        Outer corner of pixel (0, 0), laboratory frame [m].
    fast, slow
        Directions of increasing detector_x and detector_y, laboratory frame; of length 1.
    pixel_size_x, pixel_size_y
        Pixel along a row and along a column [m].
    shape
        Pixels of the full detector (rows, columns); None if not known.
    wavelength
        Of the photons [angstrom]; None if not known.
    assumed
        What was not known and had to be assumed, in words, each line ``name: text``.
    """

    origin: Vector
    fast: Vector
    slow: Vector
    pixel_size_x: float
    pixel_size_y: float
    shape: tuple[int, int] | None = None
    wavelength: float | None = None
    assumed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("origin", "fast", "slow"):
            object.__setattr__(self, name, finite_vector(name, getattr(self, name)))
        for name in ("fast", "slow"):
            object.__setattr__(self, name, _unit(name, getattr(self, name)))
        for name in ("pixel_size_x", "pixel_size_y"):
            object.__setattr__(self, name, _positive(name, getattr(self, name), "m"))
        if self.wavelength is not None:
            object.__setattr__(
                self, "wavelength", _positive("wavelength", self.wavelength, "angstrom")
            )
        if self.shape is not None:
            object.__setattr__(self, "shape", checked_shape(self.shape))
        object.__setattr__(self, "assumed", tuple(self.assumed))
        if abs(float(np.dot(self.fast, self.slow))) > _SKEW:
            raise MetadataError(
                f"The fast axis {self.fast} and the slow axis {self.slow} are not at right angles. "
                "Correct detector_fast_axis and detector_slow_axis."
            )

    @property
    def normal(self) -> Vector:
        """Return the direction of fast x slow: along the beam unless the image is mirrored."""
        return _unit("normal", np.cross(self.fast, self.slow))

    @property
    def beam_center(self) -> BeamCenter:
        """Return where the direct beam meets the detector plane: x, y [pixel], distance [m].

        Raises
        ------
        MetadataError
            If it does not: the arm is swung by 90 deg or more.
        """
        return detector_geometry.beam_center(
            self.origin, self.fast, self.slow, self.pixel_size_x, self.pixel_size_y
        )

    @property
    def tilt(self) -> float:
        """Return the angle between the beam and the normal of the detector [deg], 0 to 90."""
        x, y, z = self.normal
        return float(np.degrees(np.arctan2(np.hypot(x, y), abs(z))))

    def pixel_matrix(self) -> Array:
        """Return the 3 x 3 matrix with the columns of one pixel along x, one along y, and normal.

        The point of the detector at position (x, y) is ``origin + matrix @ (x, y, 0)`` [m].
        """
        return np.column_stack(
            [
                np.multiply(self.fast, self.pixel_size_x),
                np.multiply(self.slow, self.pixel_size_y),
                self.normal,
            ]
        )


def onto_beam(direction: Sequence[float] | Array) -> Array:
    """Return the rotation that turns a direction onto z by the shortest way. Shape (3, 3).

    Parameters
    ----------
    direction
        Of the beam, in a frame that is close to the laboratory's; one opposite to z is turned
        about y.
    """
    x, y, z = _unit("beam direction", finite_vector("beam direction", direction))
    if 1 + z < 1e-12:
        return np.diag([-1.0, 1.0, -1.0])
    # Rodrigues' formula about (y, -x, 0), with the sine and cosine taken from the vector itself.
    cross = np.array([[0.0, 0.0, -x], [0.0, 0.0, -y], [x, y, 0.0]])
    return np.asarray(np.eye(3) + cross + cross @ cross / (1 + z))


def as_vector(value: Any) -> Vector:
    """Return three numbers as a tuple of floats, without -0.0."""
    x, y, z = (float(number) + 0.0 for number in value)
    return x, y, z


def finite_vector(name: str, value: Any) -> Vector:
    """Return three finite numbers as a tuple. Raises MetadataError for anything else."""
    try:
        numbers = np.asarray(value, float)
    except (TypeError, ValueError, OverflowError):
        numbers = np.empty(0)
    if numbers.shape != (3,) or not np.isfinite(numbers).all():
        raise MetadataError(
            f"The {name} is {value!r:.80}; three finite numbers are needed. Correct it in the "
            "file, or set detector_origin, detector_fast_axis and detector_slow_axis."
        )
    return as_vector(numbers)


def _unit(name: str, value: Sequence[float] | Array) -> Vector:
    length = float(np.linalg.norm(value))
    if not length > 0:
        raise MetadataError(
            f"The {name} is {list(value)}; it must have a length. Correct it in the file."
        )
    # A vector of length 1 stays as it is, so that what is written reads back the same.
    return as_vector(value if abs(length - 1) < 1e-15 else np.asarray(value) / length)


def _positive(name: str, value: Any, unit: str) -> float:
    try:
        number = float(value) if isinstance(value, (int, float, np.number)) else np.nan
    except OverflowError:
        number = np.inf
    if not (np.isfinite(number) and number > 0):
        raise MetadataError(
            f"{name} is {value!r:.80}; a number above 0 {unit} is needed. Set {name}."
        )
    return number


def checked_shape(value: Any) -> tuple[int, int]:
    """Return rows and columns as integers. Raises ParameterError if they cannot be that."""
    try:
        sizes = tuple(int(size) for size in value)
    except (TypeError, ValueError, OverflowError):
        sizes = ()
    if len(sizes) != 2 or not 1 <= min(sizes) <= max(sizes) <= _MOST_PIXELS:
        raise ParameterError(
            f"shape={value!r:.80} is impossible. Give (rows, columns), such as (195, 487)."
        )
    return sizes[0], sizes[1]
