"""A detector is calibrated with the mouse, in a real JupyterLab."""

import pytest

pytest.importorskip("pyFAI", reason='needs: pip install "beamkit[diffraction]"')

CELLS = (
    "import beamkit as bk\n"
    "sample = bk.samples.powder('calibrate.tif', distance=0.22, rot1=0.0, rot2=0.0)\n"
    "viewer = bk.view(bk.open(sample.path), layout='calibration', calibrant='CeO2')\n"
    "viewer.set(detector_distance=0.2231, beam_center_x=445.0)\n"
    "viewer",
)


@pytest.fixture(scope="module")
def notebook(open_cells):
    return open_cells("calibration", *CELLS, width=1280)


def test_points_are_picked_and_the_button_refines(notebook):
    page = notebook.page
    page.get_by_role("button", name="Refine", exact=True).wait_for()
    page.get_by_title("Single pixel (N)").click()
    box = page.locator(".bk-viewer canvas").first.bounding_box()
    page.mouse.click(box["x"] + 0.7 * box["width"], box["y"] + 0.3 * box["height"])
    notebook.expect("len(viewer.session.points)", "1")
    page.get_by_text("1 point on ring 0").wait_for()
    page.get_by_role("button", name="Drop last point").click()
    notebook.expect("len(viewer.session.points)", "0")
    page.get_by_role("button", name="Refine", exact=True).click()
    notebook.expect("viewer.calibration is not None", "True")
    notebook.expect("abs(viewer.geometry.beam_center.distance - 0.22) < 2e-4", "True")
    page.get_by_text("rms 0.").first.wait_for()


def test_a_number_that_cannot_be_is_refused_in_words(notebook):
    field = notebook.page.get_by_label("distance [mm]")
    field.fill("-5")
    field.press("Enter")
    notebook.page.get_by_text("Not done: detector_distance is -0.005").wait_for()
    notebook.expect("viewer.session.numbers['detector_distance'] > 0.2", "True")
