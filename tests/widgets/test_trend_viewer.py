"""The viewer of numbers over the frames, without a browser."""

from __future__ import annotations

import os

import numpy as np
import pytest
import xarray as xr

from beamkit.core.errors import ParameterError, ShapeError, UnknownNameError

if os.environ.get("BEAMKIT_REQUIRE_ALL") != "1":
    for package in ("ipywidgets", "ipympl", "anywidget"):
        pytest.importorskip(package, reason='needs: pip install "beamkit[lab]"')

from beamkit_widgets.trend_viewer import TrendViewer

POSITION = np.array([[2.0, 2.5, np.nan, 3.0, 9.0], [7.0, 6.0, 5.0, 4.0, 3.0]])


def images():
    counts = np.arange(5 * 30 * 41, dtype=np.int32).reshape(5, 30, 41)
    return xr.DataArray(counts, dims=("frame", "detector_y", "detector_x"), name="frames")


def fits():
    return xr.Dataset(
        {
            "position": (("peak", "frame"), POSITION, {"units": "1/angstrom"}),
            "position_error": (("peak", "frame"), 0.1 * POSITION),
            "reason": (("peak", "frame"), np.full((2, 5), "")),
        },
        coords={"temperature": ("frame", [300.0, 280.0, 260.0, 240.0, 220.0], {"units": "K"})},
    )


@pytest.fixture
def viewer():
    made = TrendViewer(images(), fits())
    yield made
    made.close()


def drawn(viewer, name):
    (line,) = (line for line in viewer.axes.lines if line.get_gid() == name)
    return line.get_xdata(), line.get_ydata()


def test_the_first_number_is_drawn_with_its_uncertainty(viewer):
    assert viewer.quantity == "position, peak 0"
    x, y = drawn(viewer, "curve")
    np.testing.assert_array_equal(x, range(5))
    np.testing.assert_array_equal(y, POSITION[0])
    assert len(viewer.axes.collections) == 1  # the bars
    assert viewer.axes.get_ylabel() == "position, peak 0 [1/angstrom]"


def test_a_frame_without_a_number_is_marked_and_can_be_seen(viewer):
    assert drawn(viewer, "missing")[0].tolist() == [2]
    viewer.frame = 2
    assert viewer.viewers[0].frame == 2
    assert viewer.caption == "position, peak 0 without a number: frame 2"


def test_a_click_shows_the_frame_of_the_nearest_point(viewer):
    viewer.click(3.8, 8.0)
    assert (viewer.frame, viewer.viewers[0].frame, viewer.value) == (4, 4, 9.0)
    assert drawn(viewer, "selected") == ([4], [9.0])


def test_the_slider_of_the_frames_moves_the_mark(viewer):
    viewer.viewers[0].frame = 1
    assert viewer.frame == 1
    assert drawn(viewer, "selected") == ([1], [2.5])


def test_another_number_and_another_axis(viewer):
    viewer.quantity, viewer.over = "position, peak 1", "temperature"
    x, y = drawn(viewer, "curve")
    assert x.tolist() == [220, 240, 260, 280, 300]
    assert y.tolist() == [3, 4, 5, 6, 7]
    viewer.click(300.0, 7.0)
    assert viewer.frame == 0
    assert viewer.caption == "position, peak 1 7: frame 0, temperature 300"


def test_what_there_is_not_is_refused(viewer):
    with pytest.raises(UnknownNameError, match="position, peak 0"):
        viewer.quantity = "area"
    with pytest.raises(UnknownNameError, match="temperature"):
        viewer.over = "time"
    with pytest.raises(ParameterError, match="0 to 4"):
        viewer.frame = 5
    with pytest.raises(ShapeError, match="5 numbers for 4 frames"):
        TrendViewer(images()[:4], fits())
    with pytest.raises(ParameterError, match="no numbers"):
        TrendViewer(images(), fits()[["reason"]])


def test_it_works_again_after_it_was_closed(viewer):
    viewer.open()
    assert viewer._still()[:4] == b"\x89PNG"
    viewer.frame = 3
    viewer.close()
    viewer.viewers[0].frame = 1
    assert viewer.frame == 1


def test_a_table_in_another_order_belongs_to_its_frames():
    import pandas as pd

    ranked = pd.DataFrame({"spots": [9, 7, 5, 3, 1]}, index=[3, 1, 0, 4, 2])
    made = TrendViewer(images(), ranked)
    assert made.curves["spots"].values.tolist() == [5, 7, 1, 9, 3]
    made.close()
