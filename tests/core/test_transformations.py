import numpy as np
import pytest

from beamkit.core.errors import MetadataError
from beamkit.core.transformations import Axis, chain_matrix, rotation_matrix


def test_rotation_is_right_handed():
    # 90 deg about z takes x to y; a mirrored implementation takes it to -y.
    np.testing.assert_allclose(rotation_matrix((0, 0, 2), 90) @ [1, 0, 0], [0, 1, 0], atol=1e-15)


def test_the_first_axis_is_applied_first():
    turn = Axis("turn", "rotation", (0, 0, 1), 90)
    shift = Axis("shift", "translation", (1, 0, 0), 3)
    # Turned, then shifted: (1, 0, 0) -> (0, 1, 0) -> (3, 1, 0); the other way (4, 0, 0) -> (0, 4, 0).
    np.testing.assert_allclose(chain_matrix([turn, shift]) @ [1, 0, 0, 1], [3, 1, 0, 1], atol=1e-15)
    np.testing.assert_allclose(chain_matrix([shift, turn]) @ [1, 0, 0, 1], [0, 4, 0, 1], atol=1e-15)


def test_the_offset_is_added_after_the_axis():
    axis = Axis("turn", "rotation", (0, 0, 1), 90, offset=(5, 0, 0))
    np.testing.assert_allclose(axis.matrix() @ [1, 0, 0, 1], [5, 1, 0, 1], atol=1e-15)


def test_impossible_axes_are_refused_by_name():
    with pytest.raises(MetadataError, match="'omega' has the vector"):
        Axis("omega", "translation", (0, 0, 0), 1).matrix()
    with pytest.raises(MetadataError, match="'omega' is a 'shear'"):
        Axis("omega", "shear", (0, 0, 1), 1).matrix()
