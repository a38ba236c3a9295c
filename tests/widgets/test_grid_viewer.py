"""The viewer of grid scans, without a browser."""

from __future__ import annotations

import os

import numpy as np
import pytest
import xarray as xr

from beamkit.core.errors import ParameterError, ShapeError
from beamkit.diffraction import grid_map

if os.environ.get("BEAMKIT_REQUIRE_ALL") != "1":
    for package in ("ipywidgets", "ipympl", "anywidget"):
        pytest.importorskip(package, reason='needs: pip install "beamkit[lab]"')

from beamkit_widgets.grid_viewer import GridViewer


@pytest.fixture
def viewer():
    counts = np.arange(5 * 30 * 41, dtype=np.int32).reshape(5, 30, 41)
    frames = xr.DataArray(counts, dims=("frame", "detector_y", "detector_x"), name="frames")
    grid = grid_map([1, 2, 9, 4, 5], (2, 3), snaked=True).rename("spots")
    made = GridViewer(frames, grid)
    yield made
    made.close()


def ring(viewer):
    (x,), (y,) = viewer._ring.get_data()
    return x, y


def test_the_best_frame_is_seen_first(viewer):
    assert viewer.selected == (0, 2)
    assert (viewer.frame, viewer.viewers[0].frame, viewer.value) == (2, 2, 9)
    assert ring(viewer) == (2, 0)
    assert {line.get_gid() for line in viewer.axes.lines} == {"best", "center", "selected"}


def test_a_click_shows_the_frame_of_the_place(viewer):
    viewer.click(2.2, 0.8)  # the second row was scanned backwards
    assert (viewer.selected, viewer.frame, viewer.viewers[0].frame) == ((1, 2), 3, 3)
    assert ring(viewer) == (2, 1)
    assert viewer.caption == "spots 4 at row 1, column 2: frame 3"


def test_a_click_where_nothing_was_scanned_changes_nothing(viewer):
    viewer.click(0.0, 1.0)
    assert viewer.selected == (0, 2)


def test_the_slider_of_the_frames_moves_the_ring(viewer):
    viewer.viewers[0].frame = 4
    assert (viewer.frame, viewer.selected) == (4, (1, 1))


def test_a_cell_can_set_place_and_frame(viewer):
    viewer.selected = (0, 1)
    assert viewer.viewers[0].frame == 1
    viewer.frame = 3
    assert viewer.selected == (1, 2)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("selected", (2, 0), "off the grid; it has rows 0 to 1"),
        ("selected", (1, 0), "no frame at row 1, column 0"),
        ("frame", 7, "not on the map"),
    ],
)
def test_places_without_a_frame_are_refused(viewer, name, value, text):
    with pytest.raises(ParameterError, match=text):
        setattr(viewer, name, value)


def test_what_is_no_map_is_refused():
    with pytest.raises(ShapeError, match="grid_map"):
        GridViewer(xr.DataArray(np.zeros((5, 6, 7))), xr.DataArray(np.zeros(5)))


def test_it_works_again_after_it_was_closed(viewer):
    viewer.open()
    assert viewer._still()[:4] == b"\x89PNG"
    viewer.click(0.0, 0.0)
    assert viewer.viewers[0].frame == 0
    viewer.close()
    viewer.viewers[0].frame = 1
    assert viewer.selected == (0, 1)
