"""The image viewer with mouse and keyboard, in JupyterLab in Chromium, checked by its pixels."""

from ast import literal_eval

import numpy as np
import pytest
from matplotlib import colormaps
from ui.screen import Screen

import beamkit as bk
from beamkit.diffraction import Geometry

REAL, SPOTS, FLAGS, STACK, SLOW = range(5)

CELLS = (
    """
import time
import dask.array as da
import numpy as np
import xarray as xr
import beamkit as bk

FILES = {files!r}
real = bk.view(bk.open(FILES))
real
""",
    # 200 bright pixels in a frame of a PILATUS 6M, also in the corners and along the edges.
    """
random = np.random.default_rng(5)
rows, columns = random.integers(0, 2527, 200), random.integers(0, 2463, 200)
rows[:8], columns[:8] = (0, 0, 2526, 2526, 0, 2526, 1001, 1350), (0, 2462, 0, 2462, 777, 1234, 0, 2462)
frame = np.zeros((2527, 2463), np.int32)
frame[rows, columns] = 5000
spots = bk.view(xr.DataArray(frame), cmap="gray", clim=(0, 5000))
spots
""",
    # 10 * row + column, pixels twice as high as wide; a gap, a masked and a saturated pixel.
    """
row, column = np.indices((7, 11))
image = (10 * row + column).astype(np.int32)
image[1, 9] = 999_999
mask = np.zeros((7, 11), np.uint32)
mask[2, 3], mask[5, 8] = 1, 256
flags = bk.view(
    xr.Dataset(
        {
            "frames": (("detector_y", "detector_x"), image, {"units": "counts"}),
            "mask": (("detector_y", "detector_x"), mask),
        },
        attrs={
            "kind": "diffraction",
            "pixel_size_x": 50e-6,
            "pixel_size_y": 100e-6,
            "pixel_size_unit": "m",
            "count_cutoff": 1000,
        },
    ),
    cmap="viridis",
    scale="linear",
    invert=False,
    clim=(0, 80),
)
flags
""",
    # Every frame has one value: its number.
    """
stack = bk.view(
    xr.DataArray(np.repeat(np.arange(40, dtype=np.int32), 700 * 900).reshape(40, 700, 900)),
    cmap="gray", clim=(0, 40),
)
stack
""",
    # A tenth of a second for each frame.
    """
def read(block):
    time.sleep(0.1)
    return block

frames = np.repeat(np.arange(60, dtype=np.int32), 300 * 400).reshape(60, 300, 400)
lazy = da.from_array(frames, chunks=(1, 300, 400)).map_blocks(read, meta=frames[:0])
slow = bk.view(xr.DataArray(lazy), cmap="gray", clim=(0, 60))
slow
""",
)


@pytest.fixture(scope="module")
def files(data_folder):
    """Three real frames of a PILATUS 2M, its arm swung to 30 deg."""
    return [str(data_folder / "cbf_pilatus" / f"l-cyst_01_0000{n}.cbf") for n in (1, 2, 3)]


@pytest.fixture(scope="module")
def notebook(open_cells, files):
    return open_cells("viewer-core", CELLS[0].format(files=files), *CELLS[1:])


@pytest.fixture(scope="module")
def data(files):
    """The same frames in this process."""
    return bk.open(files).load()


@pytest.fixture
def screen(notebook):
    """Give a function that brings one of the viewers before the eyes, all of its image seen."""

    def _screen(number):
        screen = Screen(notebook, number)
        screen.press("f")
        screen.settle(200)
        return screen

    yield _screen
    assert notebook.page_errors == []


SCALES = {
    "linear": lambda u: u,
    "sqrt": np.sqrt,
    "log": lambda u: np.log1p(999 * u) / np.log(1000),
    "asinh": lambda u: np.arcsinh(50 * u) / np.arcsinh(50),
}


def colours(values, look):
    """The colours of values, as the documentation of beamkit.images.contrast says."""
    low, high = look["clim"]
    t = SCALES[look["scale"]](np.clip((np.asarray(values, float) - low) / (high - low), 0, 1))
    level = np.minimum((t * 256).astype(int), 255)
    level = 255 - level if look["invert"] else level
    return np.asarray(colormaps[look["cmap"]](level / 255, bytes=True))[..., :3].astype(int)


class TestZoom:
    def test_the_wheel_keeps_the_position_under_the_mouse(self, screen):
        real = screen(REAL)
        box = real.ask("(({left, top}) => [left, top])(pane.pixels.getBoundingClientRect())")
        before = [610 - box[0], 590 - box[1]]  # the mouse stands on whole pixels
        x, y = real.ask("pane.toImage(...it)", before)
        scale = real.ask("pane.view.scaleX")
        real.wheel(x, y, 7)
        assert real.ask("pane.view.scaleX") > 5 * scale
        assert real.ask("pane.toScreen(...it)", [x, y]) == pytest.approx(before, abs=0.01)
        real.wheel(x, y, 7, step=120)
        assert real.ask("pane.view.scaleX") == pytest.approx(scale, rel=1e-6)

    def test_the_pixels_on_the_screen_are_those_of_the_file(self, screen, data):
        real = screen(REAL)
        look = real.ask("app.look")
        real.press("+", "+", "+", "+", "+", "+", "+")
        real.settle()
        x0, y0, x1, y1 = real.ask("pane.bounds")
        assert x1 - x0 < 300
        rows, columns = np.arange(int(y0) + 2, y1 - 2, 9), np.arange(int(x0) + 2, x1 - 2, 11)
        positions = [(c + 0.5, r + 0.5) for r in rows for c in columns]
        seen = np.array(real.ask("it.map(([x, y]) => at(x, y))", positions))
        frame, mask = data["frames"].values[0], data["mask"].values
        values = np.array([frame[int(y), int(x)] for x, y in positions])
        good = np.array([mask[int(y), int(x)] == 0 for x, y in positions])
        assert good.sum() > 50
        assert np.abs(seen - colours(values, look))[good].max() <= 1
        assert (seen[~good] == (70, 80, 106)).all()  # the gaps

    def test_dragging_moves_the_picture_with_the_mouse(self, screen):
        real = screen(REAL)
        real.wheel(400, 500, 5)
        start = real.point(400, 500)
        real.drag(start, (start[0] + 60, start[1] - 45))
        assert real.point(400, 500) == pytest.approx((start[0] + 60, start[1] - 45), abs=1)
        real.press("ArrowRight", "ArrowDown")
        assert real.point(400, 500) == pytest.approx((start[0] + 20, start[1] - 85), abs=1)
        real.notebook.expect("real.zoom is None", "False")

    def test_fit_and_one_to_one(self, screen):
        real = screen(REAL)
        real.button("One to one").click()
        assert real.ask("[pane.view.scaleX, pane.view.scaleY]") == [1, 1]
        real.button("Fit").click()
        left, top = real.ask("pane.toScreen(0, 0)")
        right, bottom = real.ask("pane.toScreen(1475, 1679)")
        width, height = real.ask("[pane.width, pane.height]")
        assert min(left, top) == pytest.approx(0, abs=0.01)
        assert (left + right, top + bottom) == pytest.approx((width, height), abs=0.01)
        real.press("1")
        real.pane.dblclick()
        assert real.ask("pane.isFitted")
        real.notebook.expect("real.zoom is None", "True")

    def test_values_are_printed_in_large_pixels(self, screen, data):
        real = screen(REAL)
        assert not self.ink(real, 700.5, 600.5)
        real.notebook.value("setattr(real, 'zoom', (694.0, 595.0, 708.0, 607.0))")
        real.wait("pane.view.scaleX > 34")
        real.settle()
        real.hover(700.5, 600.5)
        real.wait("!app.cursorTable.cells.value.classList.contains('bk-waits')")
        assert self.ink(real, 701.5, 600.5)
        assert self.ink(real, 698.5, 602.5)
        assert float(real.cell("value")) == data["frames"].values[0, 600, 700]

    @staticmethod
    def ink(screen, x, y):
        """How many pixels are drawn over a pixel of the image."""
        return screen.ask(
            "(() => { const [a, b] = pane.toScreen(...it).map((v) => Math.round(v * ratio));"
            "const data = pane.overlay.context.getImageData(a - 15, b - 10, 30, 20).data;"
            "return data.filter((v, k) => k % 4 === 3 && v > 60).length; })()",
            [x, y],
        )


class TestEveryPixelIsSeen:
    # Around the place of each spot: whether the brightest of the 3 x 3 points is white.
    LOST = """(() => {
      const {data} = pane, {width} = data, lost = [];
      for (const [x, y] of it) {
        const [a, b] = pane.toScreen(x, y).map((v) => Math.floor(v * ratio));
        if (a < 0 || b < 0 || a >= width || b >= data.height) continue;
        let best = 0;
        for (let j = Math.max(b - 1, 0); j <= Math.min(b + 1, data.height - 1); j++)
          for (let i = Math.max(a - 1, 0); i <= Math.min(a + 1, width - 1); i++)
            best = Math.max(best, data.data[4 * (j * width + i)]);
        if (best < 255) lost.push([x, y, best]);
      }
      return lost;
    })()"""

    @pytest.fixture
    def places(self, notebook):
        text = notebook.value("[(int(c) + 0.5, int(r) + 0.5) for r, c in zip(rows, columns)]")
        return [list(pair) for pair in literal_eval(text)]

    @pytest.mark.parametrize("width", [1280, 1111, 903])
    def test_spots_of_one_pixel_survive_zooming_out(self, screen, notebook, places, width):
        notebook.page.set_viewport_size({"width": width, "height": 900})
        try:
            spots = screen(SPOTS)
            spots.settle()
            assert len(places) == 200
            assert spots.ask("app.shown.stepX") >= 4
            assert spots.ask(self.LOST, places) == []
            for _ in range(4):
                spots.press("-")
                assert spots.ask(f"(pane.now(), {self.LOST})", places) == []
        finally:
            notebook.page.set_viewport_size({"width": 1280, "height": 900})

    def test_spots_survive_every_step_of_the_wheel(self, screen, places):
        spots = screen(SPOTS)
        for _ in range(8):
            spots.wheel(1200.5, 1100.5, 1)
            assert spots.ask(f"(pane.now(), {self.LOST})", places) == []
        spots.settle()
        assert spots.ask("app.shown.role") == "detail"
        assert spots.ask(self.LOST, places) == []


class TestPixelsAndTheirShape:
    def test_a_pixel_is_where_its_numbers_are(self, screen):
        flags = screen(FLAGS)
        assert flags.ask("pane.view.scaleY / pane.view.scaleX") == pytest.approx(2)
        look = flags.ask("app.look")
        for row, column in ((0, 0), (0, 10), (6, 0), (6, 10), (4, 2)):
            wanted = colours(10 * row + column, look)
            # near a corner, where no number is printed, of the pixel
            assert flags.colour(column + 0.1, row + 0.1) == pytest.approx(tuple(wanted), abs=1)
            assert flags.colour(column + 0.9, row + 0.9) == pytest.approx(tuple(wanted), abs=1)
        # the first row is at the top, the first column on the left
        assert flags.point(0, 0)[1] < flags.point(0, 7)[1]
        assert flags.point(0, 0)[0] < flags.point(11, 0)[0]

    def test_gap_masked_and_saturated_pixels_have_colours_of_their_own(self, screen):
        flags = screen(FLAGS)
        assert flags.colour(3.1, 2.1) == (70, 80, 106)
        assert flags.colour(8.1, 5.1) == (217, 140, 140)
        assert flags.colour(9.1, 1.1) == (0, 229, 255)
        for x, y, words in ((3.5, 2.5, "gap"), (8.5, 5.5, "masked"), (9.5, 1.5, "saturated")):
            flags.hover(x, y)
            flags.wait("app.cursorTable.cells.value.textContent.includes(it)", words)

    def test_outside_the_image_is_the_background(self, screen):
        flags = screen(FLAGS)
        flags.press("-", "-")
        flags.settle()
        assert flags.colour(-1, -1) == (238, 238, 238)


class TestContrast:
    def test_the_keys_change_the_picture_and_the_traits(self, screen, notebook):
        real = screen(REAL)
        before = real.ask("drawn().hash")
        real.press("i")
        notebook.expect("real.invert", "False")
        assert real.ask("drawn().hash") != before
        real.press("i")
        notebook.expect("real.invert", "True")
        assert real.ask("drawn().hash") == before
        real.press("l")
        notebook.expect("real.scale", "'log'")
        assert real.ask("drawn().hash") != before
        real.box.get_by_label("scale", exact=True).select_option("sqrt")
        notebook.expect("real.scale", "'sqrt'")
        assert real.ask("drawn().hash") == before
        real.box.get_by_label("colour map", exact=True).select_option("viridis")
        notebook.expect("real.cmap", "'viridis'")
        assert real.ask("drawn().hash") != before
        notebook.value("setattr(real, 'cmap', 'gray')")
        real.wait("drawn().hash === it", before)

    def test_the_handle_of_the_colour_bar_sets_the_limit(self, screen, notebook):
        flags = screen(FLAGS)
        box = flags.box.locator(".bk-bar").bounding_box()
        x = box["x"] + 10
        high, wanted = flags.ask("[app.bar.y(80), app.bar.y(40)]")
        flags.drag((x, box["y"] + high), (x, box["y"] + wanted))
        notebook.expect("abs(flags.clim[1] - 40) < 2 and flags.clim[0] == 0", "True")
        look = flags.ask("app.look")
        assert flags.colour(2.1, 3.1) == pytest.approx(tuple(colours(32, look)), abs=1)
        assert flags.colour(10.1, 6.1) == (253, 231, 36)  # 70: the last colour of all
        notebook.value("setattr(flags, 'clim', (0, 80))")
        flags.wait("app.clim[1] === 80")

    def test_automatic_contrast_is_that_of_the_good_pixels(self, screen, notebook):
        real = screen(REAL)
        first = notebook.value("real.clim")
        notebook.value("setattr(real, 'clim', (0, 1e5))")
        real.wait("app.clim[1] === 1e5")
        real.press("a")
        notebook.expect("real.clim", first)
        for _ in range(real.ask("app.automatic.length - 1")):
            real.press("a")
        notebook.expect(f"real.clim[1] < {first}[1]", "True")
        real.button("Automatic contrast").click()  # after the tightest comes the first
        notebook.expect("real.clim", first)


class TestCursor:
    @pytest.mark.parametrize(
        ("x", "y"), [(680.573, 738.227), (3.4, 2.2), (1470.3, 1671.9), (191.1, 864.2)]
    )
    def test_the_row_of_numbers_is_that_of_the_geometry(self, screen, data, x, y):
        real = screen(REAL)
        real.hover(x, y)
        real.wait("!app.cursorTable.cells.value.classList.contains('bk-waits')")
        x, y = real.ask("app.pointer")
        found = Geometry.from_dataset(data).at(x, y)
        assert real.cell("x") == f"{x:.2f}"
        assert real.cell("y") == f"{y:.2f}"
        assert real.cell("qx") == f"{found['q_x']:.4f}"
        assert real.cell("qy") == f"{found['q_y']:.4f}"
        assert real.cell("qz") == f"{found['q_z']:.4f}"
        assert real.cell("twoTheta") == f"{found['two_theta']:.3f}"
        digits = 3 if found["d"] < 10 else 2
        if found["d"] < 1000:
            assert real.cell("d") == f"{found['d']:.{digits}f}"
        value = data["frames"].values[0, int(y), int(x)]
        assert real.cell("value").split()[0] == str(value)
        real.notebook.expect(f"abs(real.cursor[0] - {x}) < 0.01", "True")

    def test_leaving_the_image_clears_it(self, screen):
        real = screen(REAL)
        real.hover(500, 500)
        real.wait("app.cursorTable.cells.x.textContent > '0'")
        real.page.mouse.move(2, 2)
        real.wait("app.cursorTable.cells.x.textContent.length === 1")


class TestFrames:
    # At every picture of the screen: the frame that is told, the words, and the red of a pixel.
    WATCH = """(() => {
      window.seen = [];
      const look = () => {
        if (!window.seen) return;
        window.seen.push([app.shown.frame, app.frames.place.textContent, at(450.5, 350.5)[0], app.frames.element.classList.contains('bk-late'), app.frame]);
        requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
      return 0;
    })()"""

    def test_a_dragged_slider_never_shows_a_stale_frame(self, screen, notebook):
        stack = screen(STACK)
        stack.ask(self.WATCH)
        slider = stack.box.locator(".bk-slider")
        slider.scroll_into_view_if_needed()
        box = slider.bounding_box()
        y = box["y"] + box["height"] / 2
        mouse = notebook.page.mouse
        mouse.move(box["x"] + 9, y)
        mouse.down()
        for part in (0.3, 0.9, 0.2, 1.0, 0.6):
            mouse.move(box["x"] + 9 + part * (box["width"] - 18), y, steps=12)
        mouse.up()
        last = stack.ask("app.frame")
        assert 20 < last < 28
        stack.shows(last)
        notebook.expect("stack.frame", str(last))
        seen = stack.ask("(() => { const seen = window.seen; window.seen = null; return seen; })()")
        look = stack.ask("app.look")
        shown = np.array([item[0] for item in seen])
        assert len(set(shown)) > 3, "pictures came while the mouse was moved"
        assert [item[2] for item in seen] == list(colours(shown, look)[:, 0])
        assert {item[1] for item in seen} == {f"dim_0 {frame}" for frame in set(shown)}
        # What is late says so.
        assert all(late == (frame != wanted) for frame, _, _, late, wanted in seen)

    def test_keys_and_buttons_go_through_the_frames(self, screen, notebook):
        stack = screen(STACK)
        notebook.value("setattr(stack, 'frame', 10)")
        stack.shows(10)
        for key, frame in ((".", 11), (",", 10), ("PageDown", 20), ("End", 39), ("Home", 0)):
            stack.press(key)
            stack.shows(frame)
            notebook.expect("stack.frame", str(frame))
        stack.button("Next").click()
        stack.shows(1)
        stack.button("Previous").click()
        stack.shows(0)
        stack.box.get_by_label("frame number").fill("17")
        stack.box.get_by_label("frame number").press("Enter")
        stack.shows(17)
        assert stack.colour(450.5, 350.5) == tuple(colours(17, stack.ask("app.look")))

    def test_of_many_requests_the_newest_wins(self, screen, notebook):
        slow = screen(SLOW)
        notebook.value("setattr(slow, 'frame', 0)")
        slow.shows(0)
        slow.ask(
            "(window.versions = new Set(), window.adds = setInterval(() => window.versions.add(app.shown.frame), 5), 0)"
        )
        slow.box.locator(".bk-slider").focus()
        for _ in range(40):
            notebook.page.keyboard.press("ArrowRight", delay=5)
        slow.shows(40)
        seen = slow.ask("(clearInterval(window.adds), window.versions.size)")
        assert seen < 30, "every request was answered, though nobody waited for it"
        assert slow.colour(200.5, 150.5) == tuple(colours(40, slow.ask("app.look")))

    def test_the_slider_works_while_another_cell_is_busy(self, screen, notebook):
        stack = screen(STACK)
        notebook.value("setattr(stack, 'frame', 3)")
        stack.shows(3)
        notebook.start(
            "import time\nend = time.time() + 4\nwhile time.time() < end: sum(range(999))"
        )
        for frame in (4, 5, 6):
            stack.press(".")
            stack.shows(frame)
        assert notebook.is_busy()
        assert notebook.finish() == "ok"
        notebook.expect("stack.frame", "6")

    def test_playing_goes_on_until_it_is_stopped(self, screen, notebook):
        stack = screen(STACK)
        notebook.value("setattr(stack, 'frame', 37)")
        stack.shows(37)
        stack.button("Play").click()
        stack.wait("app.shown.frame >= 1 && app.shown.frame < 30")  # past the end
        stack.button("Play").click()
        stack.settle(600)
        frame = stack.ask("app.frame")
        notebook.page.wait_for_timeout(400)
        assert stack.ask("[app.frame, app.shown.frame]") == [frame, frame]

    @pytest.mark.parametrize("how", ["sum", "max", "mean"])
    def test_several_frames_as_one(self, screen, notebook, data, how):
        real = screen(REAL)
        assert real.ask("app.info.frames") == 3
        real.box.locator(".bk-how").select_option(how)
        notebook.expect("(real.span.how, real.span.first, real.span.last)", f"({how!r}, 0, 2)")
        real.box.get_by_title("first frame").fill("1")
        real.box.get_by_title("first frame").press("Enter")
        notebook.expect("real.span.first", "1")
        real.wait("app.shown.frame === -1 && app.shown.label.includes('1 to 2')")
        stack = data["frames"].values[1:].astype(float)
        wanted = getattr(stack, how)(axis=0)
        row, column = np.unravel_index(wanted[800:900, 500:600].argmax(), (100, 100))
        real.hover(column + 500.5, row + 800.5)
        real.wait("!app.cursorTable.cells.value.classList.contains('bk-waits')")
        assert real.ask("app.pointer.map(Math.floor)") == [column + 500, row + 800]
        assert float(real.cell("value")) == wanted[row + 800, column + 500]
        real.box.locator(".bk-how").select_option("single")
        notebook.expect("real.span is None", "True")
        real.shows(0)

    def test_what_is_half_typed_is_left_alone(self, screen, notebook):
        stack = screen(STACK)
        number = stack.box.get_by_label("frame number")
        number.fill("23")
        notebook.value("setattr(stack, 'frame', 10)")
        stack.shows(10)
        assert number.input_value() == "23"
        number.press("Enter")
        stack.shows(23)
        notebook.value("setattr(stack, 'frame', 11)")
        stack.shows(11)
        assert number.input_value() == "11"
        number.fill("999")
        number.press("Enter")
        stack.shows(39)
        assert number.input_value() == "39"

    def test_a_thumbnail_is_drawn_and_brings_its_frame(self, screen, notebook):
        real = screen(REAL)
        strip = real.box.locator(".bk-thumbnail")
        assert strip.count() == 3
        real.wait("[...app.frames.strip.children].every((canvas) => drawn(canvas).spread > 2)")
        strip.nth(2).click()
        real.shows(2)
        notebook.expect("real.frame", "2")
        assert "bk-current" in strip.nth(2).get_attribute("class")
        strip.nth(0).click()
        real.shows(0)
