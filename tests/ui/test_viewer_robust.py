"""The image viewer in the life of a notebook: run again, shown twice, batch runs, bad files."""

import base64
import io
import re
import shutil
import subprocess
import sys

import matplotlib.image
import nbformat
import pytest
from ui.screen import Screen

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

#: 20 frames; every pixel of each has the number of its frame, but for one corner.
STACK = """
import gc, threading
import ipywidgets
import numpy as np
import psutil
import xarray as xr
import beamkit as bk

frames = np.repeat(np.arange(20, dtype=np.int32), 300 * 400).reshape(20, 300, 400)
frames[:, :20, :30] = 40
stack = xr.DataArray(frames, name="counts")

def live():
    return [v for v in list(type(viewer)._shown) if v.comm is not None]
"""
SHOW = "viewer = bk.view(stack, cmap='gray', clim=(0, 40))\nviewer"


@pytest.fixture(scope="module")
def notebook(open_cells):
    """A viewer, and the same once more below it; a box with another."""
    return open_cells(
        "viewer-robust",
        STACK,
        SHOW,
        "viewer",
        "boxed = bk.view(stack, cmap='gray', clim=(0, 40))\n"
        "box = ipywidgets.HBox([ipywidgets.Button(description='next'), boxed])\nbox",
    )


@pytest.fixture(autouse=True)
def no_errors_in_the_page(request):
    yield
    if "notebook" in request.fixturenames:
        assert request.getfixturevalue("notebook").page_errors == []


def grey(frame):
    """The colour of a frame's pixels."""
    level = min(int(frame / 40 * 256), 255)
    return (level, level, level)


class TestSeveralAtOnce:
    def test_shown_twice_both_follow(self, notebook):
        first, second = Screen(notebook, 0), Screen(notebook, 1)
        second.press(".", ".", ".")
        for screen in (first, second):
            screen.shows(3)
            assert screen.colour(200.5, 200.5) == grey(3)
        notebook.expect("viewer.frame", "3")
        notebook.expect("len(live())", "1")

    def test_each_has_a_zoom_that_the_other_follows(self, notebook):
        first, second = Screen(notebook, 0), Screen(notebook, 1)
        notebook.value("setattr(viewer, 'zoom', (100.0, 100.0, 160.0, 145.0))")
        for screen in (first, second):
            screen.wait("pane.bounds[0] > 90 && pane.bounds[2] < 170")
        notebook.value("setattr(viewer, 'zoom', None)")
        for screen in (first, second):
            screen.wait("pane.isFitted")

    def test_inside_a_box(self, notebook):
        boxed = Screen(notebook, 2)
        assert boxed.ask("pane.width") > 300
        boxed.press(".")
        boxed.shows(1)
        assert boxed.colour(200.5, 200.5) == grey(1)
        notebook.expect("boxed.frame", "1")

    def test_a_second_browser_tab_shows_the_same(self, notebook, open_notebook):
        notebook.command("docmanager:save")
        notebook.wait("!panel.context.model.dirty")
        other = open_notebook("viewer-robust.ipynb")
        screen = Screen(other, 0)
        first = Screen(notebook, 0)
        first.press("End")
        screen.shows(19)
        assert screen.colour(200.5, 200.5) == grey(19)
        screen.press("Home")
        first.shows(0)
        assert first.colour(200.5, 200.5) == grey(0)
        assert other.page_errors == []
        other.page.close()

    def test_a_window_of_another_size(self, notebook):
        screen = Screen(notebook, 0)
        notebook.page.set_viewport_size({"width": 900, "height": 700})
        screen.settle()
        width, columns = screen.ask("[pane.width, pane.pixels.width]")
        assert width == columns < 700
        left, right = screen.ask("[pane.toScreen(0, 0)[0], pane.toScreen(400, 0)[0]]")
        assert 0 <= left < right <= width + 1
        assert screen.colour(15.5, 10.5) == (255, 255, 255)
        notebook.page.set_viewport_size({"width": 1280, "height": 900})
        screen.settle()
        assert screen.ask("pane.width") > width


class TestLife:
    def test_running_the_cell_again_leaves_one_viewer(self, notebook):
        cell = "cells()[1]"
        for _ in range(3):
            self.run_again(notebook, cell)
        notebook.expect("len([v for v in live() if v._cell[0] == viewer._cell[0]])", "1")
        screen = Screen(notebook, 0)
        assert screen.colour(15.5, 10.5) == (255, 255, 255)

    @pytest.mark.slow
    def test_a_hundred_runs_leave_no_memory_behind(self, notebook):
        cell = "cells()[1]"
        memory = "(gc.collect(), psutil.Process().memory_info().rss)[1]"
        for _ in range(25):  # until what malloc keeps for the threads has filled
            self.run_again(notebook, cell)
        before = int(notebook.value(memory))
        for _ in range(100):
            self.run_again(notebook, cell)
        notebook.expect("len([v for v in live() if v._cell[0] == viewer._cell[0]])", "1")
        grown = int(notebook.value(memory)) - before
        assert grown < 50e6
        assert notebook.ask("document.querySelectorAll('.bk-viewer').length") <= 4
        notebook.expect(
            "sum('beamkit viewer' in t.name for t in threading.enumerate()) <= 2", "True", 20
        )

    @staticmethod
    def run_again(notebook, cell):
        before = notebook.ask(f"{cell}.model.executionCount")
        notebook.ask(f"(panel.content.activeCellIndex = panel.content.widgets.indexOf({cell}), 0)")
        notebook.command("notebook:run-cell")
        notebook.wait(f"{cell}.model.executionCount > {before} && kernel.status === 'idle'")

    def test_closing_it_ends_its_thread(self, notebook):
        notebook.value("boxed.close()")
        notebook.expect("boxed.comm is None and boxed.talk.worker._thread is None", "True")
        notebook.value("setattr(boxed, 'frame', 5)")  # it can be used, and shown again
        notebook.expect("boxed.selection.values.max()", "np.int32(40)")

    def test_without_a_kernel_the_picture_is_there(self, notebook, open_notebook):
        notebook.save_and_shut_down()
        notebook.page.close()
        page = open_notebook("viewer-robust.ipynb").page
        picture = page.locator(".jp-RenderedImage img").first
        picture.wait_for(timeout=45_000)
        picture.scroll_into_view_if_needed()
        assert picture.evaluate("image => image.naturalWidth") >= 400
        assert picture.is_visible()


class TestBadFrame:
    @pytest.fixture(scope="class")
    @classmethod
    def opened(cls, data_folder, open_cells, tmp_path_factory):
        """Three frames of which the second has lost its end since the series was opened."""
        folder = tmp_path_factory.mktemp("series")
        for number in (1, 2, 3):
            shutil.copy(data_folder / "cbf_pilatus" / f"l-cyst_01_0000{number}.cbf", folder)
        bad = folder / "l-cyst_01_00002.cbf"
        return open_cells(
            "viewer-bad",
            "import beamkit as bk\nfrom pathlib import Path\n"
            f"series = bk.open(sorted(map(str, Path({str(folder)!r}).glob('*.cbf'))))\n"
            f"bad = Path({str(bad)!r})\nbad.write_bytes(bad.read_bytes()[:900_000])",
            "viewer = bk.view(series)\nviewer",
        )

    def test_a_frame_that_cannot_be_read_is_told_and_the_next_works(self, opened):
        screen = Screen(opened, 0)
        before = screen.ask("drawn().hash")
        screen.press(".")
        message = screen.box.locator(".bk-message.bk-error")
        message.wait_for(timeout=45_000)
        assert "l-cyst_01_00002.cbf" in message.inner_text()
        assert screen.ask("[app.frame, app.shown.frame]") == [1, 0]  # and this is told
        assert screen.box.locator(".bk-frames.bk-late").count() == 1
        assert screen.ask("drawn().hash") == before
        screen.press(".")
        screen.shows(2)
        assert screen.ask("drawn().hash") != before
        assert screen.box.locator(".bk-message.bk-error").count() == 0
        assert opened.page_errors == []


class TestBatch:
    """What runs without a browser leaves a picture."""

    @pytest.fixture(scope="class")
    @classmethod
    def written(cls, tmp_path_factory):
        folder = tmp_path_factory.mktemp("batch")
        notebook = nbformat.v4.new_notebook(
            cells=[
                nbformat.v4.new_code_cell(STACK),
                nbformat.v4.new_code_cell(SHOW),
            ]
        )
        notebook.metadata["kernelspec"] = {
            "name": "python3",
            "display_name": "Python 3",
            "language": "python",
        }
        nbformat.write(notebook, folder / "in.ipynb")
        return folder

    @staticmethod
    def run(folder, *command):
        subprocess.run(
            [sys.executable, "-m", *command],
            cwd=folder,
            check=True,
            capture_output=True,
            timeout=120,
        )

    @staticmethod
    def is_drawn(png):
        pixels = matplotlib.image.imread(io.BytesIO(base64.b64decode(png)))[..., :3]
        return min(pixels.shape[:2]) > 200 and pixels.std() > 0.1

    def test_papermill_leaves_a_picture(self, written):
        self.run(written, "papermill", "in.ipynb", "out.ipynb")
        outputs = nbformat.read(written / "out.ipynb", 4).cells[-1].outputs
        assert self.is_drawn(outputs[0].data["image/png"])
        assert WIDGET_VIEW in outputs[-1].data

    def test_nbconvert_leaves_a_picture_in_the_page(self, written, browser):
        self.run(written, "nbconvert", "--execute", "--to", "html", "in.ipynb")
        page = browser.new_page()
        page.route(re.compile("^https?:"), lambda route: route.abort())  # as without a network
        page.goto((written / "in.html").as_uri())
        picture = page.locator("img[src^='data:image/png']").first
        picture.scroll_into_view_if_needed()
        assert picture.is_visible()
        assert picture.evaluate("image => image.naturalWidth") >= 400
        page.close()
