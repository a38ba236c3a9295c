"""The mask drawn by hand, without a browser."""

import os

import numpy as np
import pytest

from beamkit.core.detectors import MASK_DEAD, MASK_GAP, MASK_USER
from beamkit.core.errors import ParameterError, ShapeError, UnreadableFileError
from beamkit.diffraction import load_mask, save_mask
from beamkit.images import Circle, statistics

if os.environ.get("BEAMKIT_REQUIRE_ALL") != "1":
    for package in ("ipywidgets", "anywidget"):
        pytest.importorskip(package, reason='needs: pip install "beamkit[lab]"')

from beamkit_widgets.viewer import ImageViewer
from widgets.panels import ask, diffraction

BOX = {"kind": "rectangle", "x0": 25, "y0": 2, "x1": 45, "y1": 9}


@pytest.fixture
def viewer():
    return ImageViewer(diffraction())


def drawn(viewer):
    """Pixels masked by hand."""
    return int(((viewer.mask.values & MASK_USER) > 0).sum())


class TestDrawing:
    def test_a_region_is_masked_and_gaps_stay_gaps(self, viewer):
        content, _ = ask(viewer, "mask", region=BOX, value=True)
        bits = viewer.mask.values
        assert drawn(viewer) == 20 * 7
        assert (bits[2:9, 30:33] == MASK_USER | MASK_GAP).all()
        assert content["counts"] == {
            "in gaps": 61 * 3,
            "dead": 1,
            "masked by the user": 20 * 7,
        }
        assert content["bad"] == 61 * 3 + 1 + 17 * 7

    def test_erasing_takes_only_what_was_drawn(self, viewer):
        before = viewer.mask.values.copy()
        ask(viewer, "mask", region=BOX, value=True)
        ask(viewer, "mask", region={**BOX, "x0": 0, "y0": 0}, value=False)
        np.testing.assert_array_equal(viewer.mask.values, before)

    def test_a_cell_draws_too(self, viewer):
        viewer.draw_mask(Circle(50.0, 40.0, 3.5))
        assert drawn(viewer) == Circle(50.0, 40.0, 3.5).covers((61, 83)).sum()
        assert viewer.mask.dims == ("detector_y", "detector_x")
        assert viewer.mask.detector_x[0] == 120

    def test_single_pixels_toggle(self, viewer):
        ask(viewer, "mask", pixels=[[10, 20], [11, 20]], value=True)
        assert drawn(viewer) == 2
        assert viewer.mask.values[20, 10] == MASK_USER
        ask(viewer, "mask", pixels=[[11, 20], [12, 20]], value=True)
        assert drawn(viewer) == 1

    def test_thresholds_leave_flags_to_their_own_reason(self, viewer):
        viewer.frame = 2
        ask(viewer, "mask", threshold=[1, 800], value=True)
        image, bits = viewer.image.values, viewer.mask.values
        good = (bits & (MASK_GAP | MASK_DEAD)) == 0
        wanted = ((image < 1) | (image > 800)) & good
        np.testing.assert_array_equal((bits & MASK_USER) > 0, wanted)

    def test_no_threshold_is_refused(self, viewer):
        with pytest.raises(ParameterError, match="no threshold"):
            ask(viewer, "mask", threshold=[None, None], value=True)

    def test_inverting_twice_is_nothing(self, viewer):
        ask(viewer, "mask", region=BOX, value=True)
        before = viewer.mask.values.copy()
        ask(viewer, "mask", step="invert")
        assert drawn(viewer) == 61 * 80 - 1 - 17 * 7 + 3 * 7  # in the gap it stays
        ask(viewer, "mask", step="invert")
        np.testing.assert_array_equal(viewer.mask.values, before)

    def test_images_without_a_mask_and_without_detector(self, stack):
        viewer = ImageViewer(stack.rename(detector_y="y", detector_x="x"))
        content, _ = ask(viewer, "mask")
        assert (content["bad"], content["total"]) == (0, 40)
        ask(viewer, "mask", region={"kind": "point", "x": 3.5, "y": 1.5}, value=True)
        assert viewer.mask.values[1, 3] == MASK_USER
        assert drawn(viewer) == 1


class TestSteps:
    def test_undo_and_redo(self, viewer):
        first = viewer.mask.values.copy()
        ask(viewer, "mask", region=BOX, value=True)
        content, _ = ask(viewer, "mask", region={"kind": "point", "x": 60.5, "y": 50.5}, value=True)
        assert (content["canUndo"], content["canRedo"]) == (True, False)
        ask(viewer, "mask", step="undo")
        assert drawn(viewer) == 140
        content, _ = ask(viewer, "mask", step="undo")
        assert (content["canUndo"], content["canRedo"]) == (False, True)
        np.testing.assert_array_equal(viewer.mask.values, first)
        viewer.redo_mask()
        assert drawn(viewer) == 140

    def test_undo_at_the_start_is_nothing(self, viewer):
        before = viewer.mask
        viewer.undo_mask()
        viewer.redo_mask()
        assert viewer.mask is before

    def test_back_to_the_mask_of_the_data(self, viewer):
        ask(viewer, "mask", region=BOX, value=True)
        ask(viewer, "mask", step="reset")
        assert drawn(viewer) == 0
        viewer.undo_mask()
        assert drawn(viewer) == 140


class TestEffect:
    def test_statistics_and_contrast_leave_masked_pixels_out(self, viewer):
        viewer.frame, viewer.roi = 2, {"kind": "rectangle", "x0": 65, "y0": 35, "x1": 75, "y1": 45}
        assert viewer.roi.statistics().max == 900
        viewer.draw_mask({"kind": "point", "x": 70.5, "y": 40.5})
        expected = statistics(viewer.image, viewer.roi.region, mask=viewer.mask)
        assert viewer.roi.statistics() == expected
        assert expected.max < 20

    def test_hidden_masks_still_count(self, viewer):
        viewer.draw_mask(BOX)
        viewer.shows_mask = False
        shown = viewer.classes.codes
        assert (shown == 1).sum() == 0
        assert (shown == 2).sum() == 61 * 3
        assert drawn(viewer) == 140
        viewer.shows_mask = True
        assert (viewer.classes.codes == 1).sum() == 17 * 7 + 1

    def test_frames_that_were_read_are_kept(self, viewer):
        before = viewer.image
        viewer.draw_mask(BOX)
        assert viewer.image is before

    def test_a_mean_of_frames_is_made_anew(self, viewer):
        viewer.span = ("mean", 0, 2)
        before = viewer.image
        viewer.draw_mask(BOX)
        assert viewer.image is not before


class TestFiles:
    def test_saved_and_loaded(self, viewer, tmp_path):
        ask(viewer, "mask", region=BOX, value=True)
        content, _ = ask(viewer, "mask", save=f" {tmp_path}/mine.nxs")
        assert "mine.nxs" in content["done"]
        other = ImageViewer(diffraction())
        ask(other, "mask", load=f"{tmp_path}/mine.nxs")
        np.testing.assert_array_equal(other.mask.values, viewer.mask.values)
        assert load_mask(tmp_path / "mine.nxs").detector_y[0] == 100

    def test_a_mask_of_the_full_detector_is_cropped(self, viewer, tmp_path):
        full = viewer.mask.pad(detector_y=(100, 9), detector_x=(120, 4), constant_values=0)
        full = full.assign_coords(detector_y=np.arange(170), detector_x=np.arange(207))
        full[100 + 50, 120 + 60] = MASK_USER
        save_mask(full.astype("u4"), tmp_path / "full.nxs")
        viewer.load_mask(tmp_path / "full.nxs")
        assert viewer.mask.values[50, 60] == MASK_USER
        assert drawn(viewer) == 1

    def test_errors_name_the_file(self, viewer, tmp_path):
        with pytest.raises(UnreadableFileError, match=r"none\.nxs"):
            ask(viewer, "mask", load=f"{tmp_path}/none.nxs")
        with pytest.raises(ParameterError, match="empty"):
            ask(viewer, "mask", save="  ")
        np.save(tmp_path / "other.npy", np.zeros((3, 4), bool))
        with pytest.raises(ShapeError):
            ask(viewer, "mask", load=f"{tmp_path}/other.npy")
