"""Bragg spots in a viewer, without a browser."""

import os

import numpy as np
import pytest
import xarray as xr

from beamkit.core.errors import ParameterError, UnknownNameError

if os.environ.get("BEAMKIT_REQUIRE_ALL") != "1":
    for package in ("ipywidgets", "anywidget"):
        pytest.importorskip(package, reason='needs: pip install "beamkit[lab]"')

from beamkit_widgets.viewer import ImageViewer
from widgets.panels import ask

#: Where the crop begins on the detector: column, row; and the spots, as column, row, counts of
#: four equal pixels, on the array.
LEFT, TOP = 40, 7
SPOTS = {0: [(12, 30, 900)], 1: [(12, 30, 400), (77, 9, 800)]}


@pytest.fixture
def viewer():
    random = np.random.default_rng(5)
    frames = random.poisson(2.0, (2, 61, 94)).astype(np.int32)
    for frame, spots in SPOTS.items():
        for column, row, counts in spots:
            frames[frame, row : row + 2, column : column + 2] = counts
    mask = np.zeros((61, 94), np.uint32)
    mask[:, 50:53] = 1
    coords = {"detector_y": TOP + np.arange(61), "detector_x": LEFT + np.arange(94)}
    data = xr.Dataset(
        {
            "frames": (("frame", "detector_y", "detector_x"), frames, {"units": "counts"}),
            "mask": (("detector_y", "detector_x"), mask),
        },
        coords=coords,
        attrs={"kind": "diffraction"},
    )
    return ImageViewer(data, spot_options={"min_pixels": 3})


class TestFound:
    def test_spots_are_those_of_the_frame_on_the_full_detector(self, viewer):
        for frame, spots in SPOTS.items():
            viewer.frame = frame
            found = sorted(zip(viewer.found.x, viewer.found.y, strict=True))
            wanted = [(column + 1 + LEFT, row + 1 + TOP) for column, row, _ in spots]
            np.testing.assert_allclose(found, wanted, atol=0.05)

    def test_masked_pixels_are_no_spot(self, viewer):
        drawn = viewer.mask.copy()
        drawn.values[28:34, 10:16] |= 256
        viewer.mask = drawn
        assert len(viewer.found) == 0

    def test_settings_count(self, viewer):
        viewer.spot_options = {"min_pixels": 5}
        assert len(viewer.found) == 0


class TestPanel:
    def test_spots_are_marked_when_asked_for(self, viewer):
        assert viewer.spots is None
        told, _ = ask(viewer, "bragg")
        assert (told["finds"], told["strongest"]) == (False, [])
        told, _ = ask(viewer, "bragg", finds=True, number=3)
        assert viewer.spots == "find"
        assert told["number"] == 3
        assert told["verdict"].startswith("1 spots, 1 of them")

    def test_the_strongest_comes_first_and_stands_on_the_array(self, viewer):
        viewer.frame, viewer.spots = 1, "find"
        first, second = ask(viewer, "bragg")[0]["strongest"]
        assert (first["x"], first["y"]) == pytest.approx((78, 10), abs=0.05)
        assert first["intensity"] == pytest.approx(4 * 798, rel=0.01)
        assert second["intensity"] < first["intensity"]

    def test_a_field_changes_a_setting_and_keeps_its_type(self, viewer):
        told, _ = ask(viewer, "bragg", options={"kernel": 4.0})
        assert viewer.spot_options == {"min_pixels": 3, "kernel": 4}
        assert told["options"]["kernel"] == 4

    def test_what_is_out_of_range_is_told_and_changes_nothing(self, viewer):
        with pytest.raises(ParameterError, match=r"gain is -1.0; allowed is above 0"):
            ask(viewer, "bragg", options={"gain": -1})
        assert viewer.spot_options == {"min_pixels": 3}


class TestState:
    def test_a_table_has_marks_for_each_frame(self, viewer):
        viewer.spots = {"x": [50.0, 60.0, 70.0], "y": [8.0, 9.0, 10.0], "frame": [0, 1, 1]}
        assert viewer.marked_spots().tolist() == [[50, 8]]
        viewer.frame = 1
        assert viewer.marked_spots().tolist() == [[60, 9], [70, 10]]

    def test_state_and_code_bring_them_back(self, viewer):
        viewer.spots = "find"
        other = ImageViewer(viewer.source.whole)
        other.state = viewer.state
        assert (other.spots, other.spot_options) == ("find", {"min_pixels": 3})
        assert "spots=bk.diffraction.find_spots(image, mask=" in viewer.code()
        assert "min_pixels=3" in viewer.code()

    @pytest.mark.parametrize("bad", ["nope", 3, {"x": [1]}])
    def test_what_is_no_table_is_refused(self, viewer, bad):
        with pytest.raises(ParameterError, match="a table with the columns x and y"):
            viewer.spots = bad

    def test_an_unknown_setting_is_refused(self, viewer):
        with pytest.raises(UnknownNameError, match="gain"):
            viewer.spot_options = {"gan": 2}

    def test_the_picture_has_the_marks(self, viewer):
        viewer.spots = "find"
        (axes,) = (axes for axes in viewer.picture().axes if axes.images)
        marks = [line for line in axes.lines if line.get_marker() == "o"]
        np.testing.assert_allclose(marks[0].get_xydata(), [[13, 31]], atol=0.05)
