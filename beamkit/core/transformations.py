"""Chains of rotations and translations, as NeXus and imgCIF describe instruments.

Sources: NeXus manual, "NXtransformations"; Hammersley, Bernstein & Westbrook, International
Tables G, ch. 3.7 (imgCIF axes). Both say: an axis depends on another one, which is applied
*after* it; the chain ends in the laboratory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .errors import MetadataError

Matrix = NDArray[np.float64]

#: imgCIF and DIALS have x along the goniometer axis and z from the sample to the *source*;
#: the laboratory frame of beamkit (NeXus/McStas) is this times their vectors.
NEXUS_FROM_IMGCIF: Matrix = np.diag([-1.0, 1.0, -1.0])


@dataclass(frozen=True)
class Axis:
    """One rotation or translation.

    Attributes
    ----------
    name
        Name of the axis.
    kind
        ``"rotation"`` or ``"translation"``.
    vector
        Direction, three numbers; need not have length 1.
    value
        Setting: [deg] for a rotation, [m] for a translation.
    offset
        Translation [m] applied after the axis itself.
    """

    name: str
    kind: str
    vector: Sequence[float]
    value: float = 0.0
    offset: Sequence[float] = field(default=(0.0, 0.0, 0.0))

    def matrix(self) -> Matrix:
        """Return the 4 x 4 matrix of this axis at its setting (lengths in m)."""
        result = np.eye(4)
        if self.kind == "rotation":
            result[:3, :3] = rotation_matrix(self.vector, self.value)
        elif self.kind == "translation":
            result[:3, 3] = _direction(self.vector, self.name) * self.value
        else:
            raise MetadataError(
                f"Axis {self.name!r} is a {self.kind!r}; allowed are 'rotation' and 'translation'. "
                "Correct its transformation_type in the file."
            )
        result[:3, 3] += np.asarray(self.offset, float)
        return result


def rotation_matrix(axis: Sequence[float], angle: float) -> Matrix:
    """Return the 3 x 3 matrix that turns by ``angle`` [deg] about ``axis``, right-handed.

    Rodrigues' formula.
    """
    x, y, z = _direction(axis, "rotation")
    radians = np.deg2rad(angle)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    matrix: Matrix = np.eye(3) + np.sin(radians) * cross + (1 - np.cos(radians)) * cross @ cross
    return matrix


def chain_matrix(axes: Sequence[Axis]) -> Matrix:
    """Return the 4 x 4 matrix from the frame of the first axis to the laboratory.

    Parameters
    ----------
    axes
        In the order of ``depends_on``: the first is applied first, the last stands in the
        laboratory.
    """
    matrix = np.eye(4)
    for axis in axes:
        matrix = axis.matrix() @ matrix
    return matrix


def _direction(vector: Sequence[float], name: str) -> Matrix:
    result = np.asarray(vector, float)
    length = float(np.linalg.norm(result))
    if result.shape != (3,) or not length > 0:
        raise MetadataError(
            f"Axis {name!r} has the vector {list(vector)}; three numbers, not all 0, are needed. "
            "Correct its vector in the file."
        )
    return result / length
