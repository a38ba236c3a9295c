"""Rings at round lattice spacings that fill a detector."""

from __future__ import annotations

import numpy as np

from beamkit.core.errors import MetadataError, ParameterError

from .geometry import Geometry

#: What a round number starts with.
_ROUND = (
    np.array([10, 12, 14, 16, 18, 20, 22, 25, 28, 30, 35, 40, 45, 50, 55, 60, 70, 80, 90, 100]) / 10
)

#: Positions along either axis at which the angles are looked at.
_SAMPLES = 65


def resolution_rings(
    geometry: Geometry, *, shape: tuple[int, int] | None = None, number: int = 5
) -> tuple[float, ...]:
    """Return round lattice spacings whose rings fill the detector evenly.

    Parameters
    ----------
    geometry
        With a wavelength.
    shape
        Rows and columns of the detector; None for those of the geometry.
    number
        How many rings are aimed at, from 1; it becomes fewer where round numbers coincide.

    Returns
    -------
    spacings
        d, descending [angstrom].

    Raises
    ------
    MetadataError
        If the wavelength is not known.
    ParameterError
        If the shape is not known, or ``number`` is below 1.

    Examples
    --------
    >>> here = Geometry.from_fit2d(
    ...     center_x=500, center_y=500, distance=200, pixel_x=172, pixel_y=172, wavelength=1
    ... )
    >>> resolution_rings(here, shape=(1000, 1000))
    (12.0, 5.5, 3.5, 2.8, 2.2)
    """
    size = geometry.shape if shape is None else shape
    if size is None or number < 1:
        raise ParameterError(
            f"Rings are asked for on a detector of shape {size}, {number} of them; a shape (rows, "
            "columns) and a number from 1 are needed. Give shape= and number=."
        )
    if geometry.wavelength is None:
        raise MetadataError(
            "Resolution rings need the wavelength, and the geometry has none. Set "
            "attrs['wavelength'] [angstrom] or attrs['energy'] [keV]."
        )
    y, x = (np.linspace(0, length, _SAMPLES) for length in size)
    angles = geometry.two_theta(x[None, :], y[:, None])
    low, high = float(angles.min()), float(angles.max())
    # Neither in the beam stop nor in the very corner.
    wanted = low + (high - low) * np.arange(1, number + 1) / (number + 1)
    spacings = geometry.wavelength / (2 * np.sin(np.deg2rad(wanted) / 2))
    return tuple(sorted({_rounded(float(d)) for d in spacings}, reverse=True))


def _rounded(value: float) -> float:
    """Return the round number that is nearest by ratio."""
    power = 10.0 ** np.floor(np.log10(value))
    nearest = _ROUND[np.argmin(abs(np.log(_ROUND * power / value)))]
    return float(f"{nearest * power:.6g}")
