"""The first lesson, as a person sees it: JupyterLab in Chromium."""

import pytest
from ui.screen import Screen

LESSON = "01-first-look.ipynb"


@pytest.fixture(scope="module")
def lesson(open_notebook):
    """The lesson, run from the first cell to the last."""
    notebook = open_notebook(LESSON)
    notebook.run_all()
    return notebook


@pytest.fixture
def viewer(lesson):
    """The viewer of the raw scan: the first in the lesson."""
    return Screen(lesson)


def test_every_cell_runs(lesson):
    assert lesson.errors() == []


@pytest.mark.parametrize("number", [0, 1, 2])
def test_every_viewer_is_drawn(lesson, number):
    drawn = Screen(lesson, number).ask("drawn()")
    assert drawn["width"] >= 500
    assert drawn["spread"] > 20, "of 255 grey levels: the canvas is blank"


def test_moving_the_slider_turns_the_sample(lesson, viewer):
    before, frame = viewer.ask("drawn()"), int(lesson.value("viewer.frame"))
    viewer.box.locator(".bk-slider").press("ArrowRight")
    viewer.shows(frame + 1)
    assert viewer.ask("drawn()")["hash"] != before["hash"]
    lesson.expect("viewer.frame", str(frame + 1))


def test_a_line_of_python_does_the_same(lesson, viewer):
    before = viewer.ask("drawn()")
    lesson.value("setattr(viewer, 'frame', 7)")
    viewer.shows(7)
    assert viewer.ask("drawn()")["hash"] != before["hash"]
    assert "4.2 deg" in viewer.box.locator(".bk-place").inner_text()  # 7 steps of 180 / 300 deg


def test_the_value_under_the_cursor_is_told(lesson, viewer):
    viewer.hover(120.5, 45.5)
    viewer.wait("!app.cursorTable.cells.value.classList.contains('bk-waits')")
    assert viewer.ask("app.pointer.map(Math.floor)") == [120, 45]
    pixel = "scan['projections'][viewer.frame].sel(detector_y=45, detector_x=120)"
    assert float(lesson.value(f"float({pixel})")) == float(viewer.cell("value"))


def test_the_slider_works_while_a_cell_is_busy_with_the_same_viewer(lesson, viewer):
    lesson.start(
        "import time\nfor k in range(60):\n  viewer.clim = (100, 20000 + k)\n  time.sleep(0.1)"
    )
    for _ in range(5):
        viewer.box.locator(".bk-slider").press("ArrowRight")
    viewer.shows(12)
    assert lesson.is_busy()
    assert lesson.finish() == "ok"
    lesson.expect("viewer.frame", "12")  # the browser holds moves back while one is on its way
    viewer.wait("app.clim[1] === 20059")
    assert viewer.ask("drawn()")["spread"] > 20


def test_the_picture_for_readers_without_a_kernel_is_hidden_behind_the_widget(lesson):
    still = lesson.page.locator(".jp-OutputArea-child:has(+ .jp-OutputArea-child .beamkit-shown)")
    assert still.count() >= 3
    assert not any(item.is_visible() for item in still.all())


def test_running_the_cell_again_leaves_one_viewer(lesson):
    opened = "len([v for v in type(viewer)._shown if v.comm is not None])"
    before = int(lesson.value(opened))
    lesson.run_tagged("viewer")
    lesson.run_tagged("viewer")
    assert int(lesson.value(opened)) == before


def test_the_link_opens_the_report(lesson):
    link = lesson.page.locator("a:has-text('report.html')").last
    link.scroll_into_view_if_needed()
    link.click()
    frame = lesson.page.frame_locator("iframe[sandbox]")
    frame.locator("h1").first.wait_for(timeout=20_000)
    assert "Tomography" in frame.locator("h1").first.inner_text()
    assert frame.locator("img").count() >= 5
    lesson.command("application:close")
    lesson.page.locator(".bk-viewer").first.wait_for()


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_the_controls_fit_into_a_narrow_window(lesson, viewer, theme):
    lesson.use(theme)
    lesson.page.set_viewport_size({"width": 900, "height": 900})
    viewer.settle()
    right = viewer.box.evaluate("e => e.closest('.jp-OutputArea').getBoundingClientRect().right")
    rows = ".bk-toolbar button, .bk-toolbar select, .bk-row > *, .bk-image > *, .bk-cell"
    boxes = [item.bounding_box() for item in viewer.box.locator(rows).all() if item.is_visible()]
    assert len(boxes) > 20
    assert max(box["x"] + box["width"] for box in boxes) <= right
    lesson.page.set_viewport_size({"width": 1280, "height": 900})


def test_a_notebook_opened_without_its_kernel_shows_the_pictures(lesson, open_notebook):
    lesson.save_and_shut_down()
    page = open_notebook(LESSON).page
    picture = page.locator(".jp-RenderedImage img").first
    picture.wait_for(timeout=45_000)
    picture.scroll_into_view_if_needed()
    assert picture.evaluate("image => image.naturalWidth") >= 500
