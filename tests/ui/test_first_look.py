"""The first lesson, as a person sees it: JupyterLab in Chromium."""

import re

import pytest

LESSON = "01-first-look.ipynb"

#: The viewer of the raw scan: the first in the lesson.
VIEWER = ".beamkit-viewer >> nth=0"
CANVAS = f"{VIEWER} >> .jupyter-matplotlib-canvas-div canvas >> nth=0"

PIXELS = """canvas => {
  const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let sum = 0, squares = 0, hash = 0, holes = 0;
  for (let i = 0; i < data.length; i += 4) {
    sum += data[i]; squares += data[i] * data[i]; hash = (hash * 31 + data[i]) | 0;
    holes += data[i + 3] < 255;
  }
  const number = data.length / 4, mean = sum / number;
  const spread = Math.sqrt(squares / number - mean * mean);
  return {width: canvas.width, spread, holes, hash};
}"""


@pytest.fixture(scope="module")
def lesson(open_notebook):
    """The lesson, run from the first cell to the last."""
    notebook = open_notebook(LESSON)
    notebook.run_all()
    return notebook


def pixels(lesson):
    """What is on the canvas of the viewer."""
    return lesson.page.locator(CANVAS).evaluate(PIXELS)


def changes(lesson, before, seconds=15):
    """Wait until the canvas shows something else."""
    lesson.page.wait_for_function(
        f"([canvas, before]) => ({PIXELS})(canvas).hash !== before",
        arg=[lesson.page.locator(CANVAS).element_handle(), before["hash"]],
        timeout=seconds * 1000,
    )
    return pixels(lesson)


def test_every_cell_runs(lesson):
    assert lesson.errors() == []


@pytest.mark.parametrize("number", [0, 1, 2])
def test_every_viewer_is_drawn_and_completely(lesson, number):
    viewer = lesson.page.locator(".beamkit-viewer").nth(number)
    viewer.scroll_into_view_if_needed()
    lesson.page.wait_for_timeout(1000)
    drawn = viewer.locator("canvas").first.evaluate(PIXELS)
    assert drawn["width"] >= 500
    assert drawn["spread"] > 20, "of 255 grey levels: the canvas is blank"
    assert drawn["holes"] == 0, "a frame was lost, and the next brought only what had changed"


def test_moving_the_slider_turns_the_sample(lesson):
    before, index = pixels(lesson), int(lesson.value("viewer.index"))
    handle = lesson.page.locator(f"{VIEWER} >> .widget-slider >> nth=0 >> .noUi-handle")
    handle.focus()
    handle.press("ArrowRight")
    changes(lesson, before)
    assert int(lesson.value("viewer.index")) == index + 1


def test_a_line_of_python_does_the_same(lesson):
    before = pixels(lesson)
    lesson.value("setattr(viewer, 'index', 7)")
    changes(lesson, before)
    text = lesson.page.locator(f"{VIEWER} >> .widget-hbox >> nth=0").inner_text()
    assert "4.2 deg" in text  # 7 steps of 180 / 300 deg


def test_the_value_under_the_cursor_is_told(lesson):
    canvas = lesson.page.locator(CANVAS)
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    lesson.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    told = lesson.page.locator(f"{VIEWER} >> text=/detector x \\d+, detector y \\d+: .* counts/")
    told.wait_for(timeout=15_000)
    column, row, counts = map(int, re.findall(r"\d+", told.inner_text()))
    pixel = "scan['projections'][viewer.index].sel(detector_y={}, detector_x={})"
    assert float(lesson.value(f"float({pixel.format(row, column)})")) == counts


def test_the_slider_works_while_a_cell_is_busy_with_the_same_viewer(lesson):
    # Widget messages then come on another thread than the cell's, where figures get lost.
    before = pixels(lesson)
    lesson.start(
        "import time\nfor k in range(30):\n  viewer.limits = (100, 20000 + k)\n  time.sleep(0.1)"
    )
    handle = lesson.page.locator(f"{VIEWER} >> .widget-slider >> nth=0 >> .noUi-handle")
    handle.focus()
    for _ in range(5):
        handle.press("ArrowRight")
    assert lesson.finish() == "ok"
    lesson.expect("viewer.index", "12")  # the browser holds moves back while one is on its way
    drawn = changes(lesson, before)
    assert drawn["spread"] > 20
    assert drawn["holes"] == 0


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
    lesson.page.locator(VIEWER).wait_for()


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_the_controls_fit_into_a_narrow_window(lesson, theme):
    lesson.use(theme)
    lesson.page.set_viewport_size({"width": 900, "height": 900})
    viewer = lesson.page.locator(VIEWER)
    viewer.scroll_into_view_if_needed()
    right = viewer.evaluate("e => e.closest('.jp-OutputArea').getBoundingClientRect().right")
    boxes = [item.bounding_box() for item in viewer.locator(".widget-hbox > *").all()]
    assert len(boxes) == 7
    assert max(box["x"] + box["width"] for box in boxes) <= right
    lesson.page.set_viewport_size({"width": 1280, "height": 900})


def test_a_notebook_opened_without_its_kernel_shows_the_pictures(lesson, open_notebook):
    lesson.save_and_shut_down()
    page = open_notebook(LESSON).page
    picture = page.locator(".jp-RenderedImage img").first
    picture.wait_for(timeout=15_000)
    picture.scroll_into_view_if_needed()
    assert picture.evaluate("image => image.naturalWidth") >= 500
