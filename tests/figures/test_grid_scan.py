"""A heat map shows each frame at its place."""

import numpy as np
import pytest

from beamkit.diffraction.grid_scan import grid_map
from beamkit.figures.grid_scan import grid_scan


def lines(picture):
    return {line.get_gid(): line for line in picture.axes[0].lines}


def test_marks_are_where_the_crystal_is(tmp_path):
    grid = grid_map([0, 0, 0, 0, 0, 3, 9, 0, 0, 3, 9, 0.0], (3, 4)).rename("spots")
    picture = grid_scan(grid.assign_coords(column=[1.0, 2.0, 3.0, 4.0]))
    drawn = lines(picture)
    assert [line[0] for line in drawn["best"].get_data()] == [3.0, 1.0]
    weights = np.array([[2.1, 8.1]] * 2)  # above a tenth of 9
    x = (weights.sum(axis=0) @ [2, 3]) / weights.sum()
    assert [line[0] for line in drawn["center"].get_data()] == pytest.approx([x, 1.5])
    axes = picture.axes[0]
    assert axes.get_xlim() == (0.5, 4.5)
    assert axes.get_ylim() == (2.5, -0.5)  # the first row at the top
    assert picture.caption == "spots: best 9 in frame 6"
    assert picture.save(tmp_path / "map.png").stat().st_size > 5000


@pytest.mark.parametrize("shape", [(1, 11), (11, 1), (40, 2)])
def test_lines_and_flat_maps_can_be_shown(shape, tmp_path):
    grid = grid_map(np.ones(shape[0] * shape[1]), shape)
    picture = grid_scan(grid)
    assert "center" not in lines(picture)
    picture.save(tmp_path / "map.png")


def test_marks_can_be_left_out():
    assert not lines(grid_scan(grid_map(np.arange(6.0), (2, 3)), marks=False))
