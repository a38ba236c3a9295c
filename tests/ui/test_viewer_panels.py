"""Rings, metadata, colours and mask of the viewer, with mouse and keyboard in a real JupyterLab."""

import nbformat
import pytest
from ui.screen import Screen

CODE = """
import beamkit as bk
from beamkit_widgets.viewer import ImageViewer
viewer = ImageViewer(bk.open({files!r}), panel="rings")
viewer
"""

DRAWN = "int(((viewer.mask.values & 256) > 0).sum())"


@pytest.fixture(scope="module")
def screen(lab, open_notebook, data_folder):
    """A viewer of three real frames of a PILATUS 2M, its arm swung to 30 deg."""
    files = [str(data_folder / "cbf_pilatus" / f"l-cyst_01_0000{n}.cbf") for n in (1, 2, 3)]
    cell = nbformat.v4.new_code_cell(CODE.format(files=files))
    notebook = nbformat.v4.new_notebook(cells=[cell])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, lab.folder / "panels.ipynb")
    opened = open_notebook("panels.ipynb")
    opened.run_all()
    assert opened.errors() == []
    return Screen(opened)


@pytest.fixture
def panel(screen):
    """Open a panel by its name, and return what it holds."""

    def _open(name):
        screen.box.locator(f".bk-tab[data-panel={name}]").click()
        screen.settle()
        return screen.box.locator(".bk-side-body")

    return _open


def draw(screen, start, end):
    """Drag from one position of the image to another."""
    screen.drag(screen.point(*start), screen.point(*end))


class TestRings:
    def test_rings_are_chosen_and_drawn(self, screen, panel):
        rings = panel("rings")
        before = screen.ask("drawn(pane.overlay.canvas).ink")
        rings.get_by_label("calibrant", exact=True).select_option("Si 640c")
        rings.get_by_label("ice", exact=True).check()
        rings.get_by_label("d spacings", exact=True).fill("3.5, 1.25")
        rings.get_by_label("d spacings", exact=True).press("Enter")
        screen.notebook.expect("viewer.rings", "('Si 640c', 'ice', 3.5, 1.25)")
        screen.wait("app.rings.items.length === 4")
        screen.settle()
        assert screen.ask("drawn(pane.overlay.canvas).ink") > before + 2000
        assert rings.locator("tr", has_text="Si 640c 111").inner_text().split()[3] == "3.136"
        assert "rings are off the detector" in rings.inner_text()

    def test_a_ring_is_where_its_angle_is(self, screen, panel):
        rings = panel("rings")
        rings.get_by_title("No rings").click()
        rings.get_by_label("d spacings", exact=True).fill("2")
        rings.get_by_label("d spacings", exact=True).press("Enter")
        screen.wait("app.rings.curves.length === 1")
        # Away from the label, gaps and the edge.
        x, y = screen.ask(
            "(c => { const k = c.x.findIndex((x, k) => x > 300 && x < 420 && c.y[k] < 800); "
            "return [c.x[k], c.y[k]]; })(app.rings.curves[0])"
        )
        d = float(screen.notebook.value(f"float(viewer.geometry.d({x}, {y}))"))
        assert d == pytest.approx(2, abs=1e-3)
        inked = (
            "(([a, b]) => [...pane.overlay.context.getImageData(Math.round(a * ratio) - 2, "
            "Math.round(b * ratio) - 2, 5, 5).data].filter((v, k) => k % 4 === 3 && v > 100)"
            ".length)(pane.toScreen(...it))"
        )
        assert screen.ask(inked, [x, y]) > 3

    def test_the_beam_is_dragged_and_the_rings_follow_at_once(self, screen, panel):
        panel("rings")
        beam = screen.ask("app.beamCenter")
        assert beam[0] == pytest.approx(192.93, abs=0.05)
        start = screen.point(*beam)
        screen.page.mouse.move(*start)
        screen.page.mouse.down()
        for k in range(1, 9):
            screen.page.mouse.move(start[0] + 5 * k, start[1] + 3 * k)
        follows = (
            "Math.abs(app.rings.beam[0] + app.rings.shift[0] - app.beamCenter[0]) < 1e-6"
            " && app.beamCenter[0] > it + 50"
        )
        assert screen.ask(follows, beam[0])
        screen.page.mouse.up()
        there = screen.ask("app.beamCenter")
        x, y = there
        screen.notebook.expect(
            f"abs(viewer.beam_center[0] - {x}) + abs(viewer.beam_center[1] - {y}) < 1e-6", "True"
        )
        screen.wait("Math.abs(app.rings.beam[0] - it[0]) < 1e-6", there)  # the exact ones
        screen.hover(x, y)
        assert float(screen.cell("twoTheta")) < 0.05

    def test_numbers_are_typed_and_reset(self, screen, panel):
        rings = panel("rings")
        for name, number in (("Photon energy", "12"), ("Distance", "250")):
            field = rings.get_by_label(name)
            field.fill(number)
            field.press("Enter")
            screen.page.wait_for_timeout(300)
        screen.notebook.expect("round(viewer.geometry.wavelength, 6)", "1.033202")
        screen.notebook.expect("round(viewer.geometry.beam_center.distance, 6)", "0.25")
        rings.get_by_title("Back to the geometry").click()
        screen.notebook.expect("round(viewer.beam_center[0], 2)", "192.93")
        assert screen.notebook.value("viewer.geometry.wavelength") == "0.6889"

    def test_round_spacings_by_a_button(self, screen, panel):
        rings = panel("rings")
        rings.get_by_title("Rings at round").click()
        screen.wait("app.rings.items.length >= 4 && app.rings.curves.length >= 4")
        rings.get_by_title("No rings").click()
        screen.wait("app.rings.curves.length === 0")


class TestMetadata:
    def test_it_is_searched_and_copied(self, screen, panel):
        metadata = panel("metadata")
        screen.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        metadata.get_by_label("search the metadata").fill("detector distance")
        lines = metadata.locator(".bk-line:visible")
        assert "0.1847520861 m" in lines.first.inner_text()
        assert "0.16000 m" in metadata.locator(".bk-header").inner_text()
        assert "conflict" in metadata.locator(".bk-remarks").inner_text()
        lines.first.locator(".bk-value").click()
        assert screen.page.evaluate("navigator.clipboard.readText()") == "0.1847520861"
        assert "Copied" in metadata.inner_text()
        metadata.get_by_label("search the metadata").fill("")

    def test_it_is_of_the_shown_frame(self, screen, panel):
        metadata = panel("metadata")
        screen.press("End")
        screen.shows(2)
        metadata.locator(".bk-line", has_text="l-cyst_01_00003.cbf").wait_for()
        screen.press("Home")
        screen.shows(0)


class TestColours:
    def test_numbers_gallery_and_scale_change_picture_and_traits(self, screen, panel):
        colours = panel("color")
        before = screen.ask("drawn().hash")
        colours.get_by_label("Colour map viridis").click()
        colours.get_by_label("Value of the highest").fill("3")
        colours.get_by_label("Value of the highest").press("Enter")
        colours.get_by_label("Scale: linear").click()
        colours.get_by_label("invert", exact=True).uncheck()
        screen.notebook.expect(
            "viewer.cmap, viewer.clim, viewer.scale, viewer.invert",
            "('viridis', (0.0, 3.0), 'linear', False)",
        )
        screen.settle()
        assert screen.ask("drawn().hash") != before
        x, y = (
            int(number)
            for number in screen.notebook.value(
                "' '.join(map(str, map(int, __import__('numpy').argwhere((viewer.image.values == 0)"
                " & (viewer.mask.values == 0))[500][::-1])))"
            ).strip("'").split()
        )  # fmt: skip
        screen.ask("app.pane.show(it)", [x - 4, y - 4, x + 5, y + 5])
        screen.settle()
        assert screen.ask("at(...it)", [x + 0.1, y + 0.1]) == [68, 1, 84]  # viridis begins so
        screen.press("f")

    def test_a_limit_is_dragged_in_the_histogram(self, screen, panel):
        colours = panel("color")
        colours.get_by_title("From the lowest").click()
        screen.wait("app.clim[1] > 100")
        box = colours.locator(".bk-wide-bar").bounding_box()
        right = box["x"] + box["width"] - 10
        screen.drag((right, box["y"] + 30), (right - 100, box["y"] + 30))
        high = screen.ask("app.clim[1]")
        assert 5 < high < 100
        screen.notebook.expect(f"abs(viewer.clim[1] - {high}) < 1e-9", "True")
        screen.settle()
        number = int(screen.notebook.value(f"int((viewer.image.values > {high}).sum())"))
        assert f"brighter: {number} px" in colours.inner_text()

    def test_gap_and_masked_pixels_are_counted(self, screen, panel):
        text = panel("color").locator(".bk-legend").inner_text().replace("\u2009", "")
        assert "gap: 197365 px" in text  # 7 x 2 gaps of a PILATUS 2M


class TestMask:
    def test_every_tool_draws_and_every_step_is_taken_back(self, screen, panel):
        mask = panel("mask")
        notebook = screen.notebook
        screen.press("f")
        mask.get_by_label("Mask: Rectangle").click()
        draw(screen, (320, 330), (420, 400))
        screen.wait("JSON.stringify(at(370, 360)) === JSON.stringify(FLAG)".replace(
            "FLAG", "[217, 140, 140]"
        ))  # fmt: skip
        boxed = int(notebook.value(DRAWN))
        assert boxed == pytest.approx(100 * 70, rel=0.05)

        mask.get_by_label("Mask: Circle").click()
        draw(screen, (900, 900), (960, 900))
        screen.wait("at(900, 890)[0] === 217 && at(900, 890)[1] === 140")
        circled = int(notebook.value(DRAWN))
        assert circled - boxed == pytest.approx(3.1416 * 60**2, rel=0.07)

        mask.get_by_label("Mask: Polygon").click()
        for x, y in ((300, 1250), (450, 1260), (380, 1370)):
            screen.page.mouse.click(*screen.point(x, y))
        screen.page.keyboard.press("Enter")
        screen.wait("at(378, 1285)[0] === 217 && at(378, 1285)[1] === 140")

        mask.get_by_label("Drawing frees").click()
        mask.get_by_label("Mask: Rectangle").click()
        draw(screen, (310, 320), (430, 410))
        screen.wait("!(at(370, 360)[0] === 217 && at(370, 360)[1] === 140)")

        for _ in range(4):
            screen.press("Control+z")
        notebook.expect(DRAWN, "0")
        screen.press("Control+Shift+Z")
        notebook.expect(DRAWN, str(boxed))
        mask.get_by_label("Back to the mask").click()
        notebook.expect(DRAWN, "0")

    def test_a_single_pixel_is_toggled(self, screen, panel):
        mask = panel("mask")
        mask.get_by_label("Drawing masks").click()
        mask.get_by_label("Mask: Single").click()
        screen.ask("app.pane.show(it)", [1000, 1000, 1010, 1010])
        screen.settle()
        screen.page.mouse.click(*screen.point(1005.3, 1004.6))
        screen.notebook.expect("int(viewer.mask.values[1004, 1005])", "256")
        screen.wait("at(1005.1, 1004.1)[0] === 217 && at(1005.1, 1004.1)[1] === 140")
        screen.page.mouse.click(*screen.point(1005.3, 1004.6))
        screen.notebook.expect("int(viewer.mask.values[1004, 1005])", "0")
        screen.press("Escape", "f")

    def test_values_are_masked_saved_and_loaded(self, screen, panel, tmp_path):
        mask = panel("mask")
        mask.get_by_label("mask above").fill("10")
        mask.get_by_label("Mask (or unmask)").click()
        number = int(screen.notebook.value("int((viewer.image.values > 10).sum())"))
        assert number > 5
        screen.notebook.expect(DRAWN, str(number))
        mask.get_by_label("file of the mask").fill(str(tmp_path / "mine.nxs"))
        mask.get_by_label("Save the mask").click()
        mask.get_by_text("Saved as").wait_for()
        mask.get_by_label("Back to the mask").click()
        screen.notebook.expect(DRAWN, "0")
        mask.get_by_label("Load a mask").click()
        screen.notebook.expect(DRAWN, str(number))
        mask.get_by_label("file of the mask").fill(str(tmp_path / "none.nxs"))
        mask.get_by_label("Load a mask").click()
        mask.get_by_text("cannot be read").wait_for()

    def test_the_mask_is_hidden_and_the_other_tools_come_back(self, screen, panel):
        mask = panel("mask")
        mask.get_by_label("shown").uncheck()
        screen.notebook.expect("viewer.shows_mask", "False")
        mask.get_by_label("shown").check()
        drawn = screen.notebook.value(DRAWN)
        screen.button("Rectangle (B)").click()
        draw(screen, (600, 600), (700, 660))
        screen.notebook.expect("viewer.roi.kind", "'rectangle'")
        assert screen.notebook.value(DRAWN) == drawn


class TestBragg:
    def test_spots_are_marked_on_their_own_frame_only(self, screen, panel):
        bragg = panel("bragg")
        screen.wait("!app.spotMarks.isShown")
        bragg.get_by_label("find spots in each image").check()
        screen.wait("app.spotMarks.isShown")
        for frame in (1, 0):
            screen.notebook.value(f"setattr(viewer, 'frame', {frame})")
            screen.shows(frame)
            screen.wait("app.spotMarks.isShown")
            number = screen.ask("app.spotMarks.x.length")
            screen.notebook.expect("len(viewer.found)", str(number))
            assert number > 3
            first = [
                float(text)
                for text in bragg.locator("tbody tr").first.locator("td").all_inner_texts()[:2]
            ]
            screen.notebook.expect(
                "[bool(abs(p - q).min() < 0.6) for p, q in zip("
                f"{first}, (viewer.found.x, viewer.found.y))]",
                "[True, True]",
            )

    def test_a_spot_of_the_list_is_brought_into_view(self, screen, panel):
        bragg = panel("bragg")
        screen.wait("app.spotMarks.isShown")
        bragg.locator("tbody tr").first.click()
        screen.settle()
        x, y = screen.ask("[app.spotMarks.x[0], app.spotMarks.y[0]]")
        left, top, right, bottom = screen.ask("pane.bounds")
        assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx((x, y), abs=0.5)
        assert right - left < 120
        bragg.get_by_label("find spots in each image").uncheck()
        screen.wait("!app.spotMarks.isShown")
        screen.notebook.expect("viewer.spots is None", "True")
