"""The panel of the dataset, planes of a volume, and two datasets compared: mouse and keyboard."""

import ast

import nbformat
import pytest

CELLS = (
    """import numpy as np, xarray as xr
from beamkit_widgets.compare_viewer import CompareViewer
from beamkit_widgets.ortho import OrthoViewer
from beamkit_widgets.viewer import ImageViewer
scan, z, y, x = np.indices((3, 30, 40, 60))
um = {"units": "um"}
volumes = xr.DataArray(
    (10000 * scan + 300 * z + 7 * y + x).astype("f4"),
    dims=("scan", "z", "y", "x"),
    coords={
        "scan": ("scan", [7.1, 7.2, 7.4], {"units": "keV"}),
        "z": ("z", np.arange(30) * 5.0, um),
        "y": ("y", np.arange(40) * 2.5, um),
        "x": ("x", np.arange(60) * 2.5, um),
    },
    attrs={"units": "1/cm"},
    name="volume",
)
v = ImageViewer(volumes, panel="inspect", frame=11)
v""",
    "o = OrthoViewer(volumes[0])\no",
    "c = CompareViewer(volumes[0], volumes[1])\nc",
)
PANEL, PLANES, PAIR = ".jp-CodeCell >> nth=0", ".bk-ortho", ".bk-compare"

#: What the viewer number `it[1]` inside `it[0]` knows.
APP = "document.querySelector(it[0]).querySelectorAll('.bk-viewer')[it[1]].parentElement.__beamkit"


@pytest.fixture(scope="module")
def notebook(lab, open_notebook):
    """A notebook with a viewer, planes of a volume, and a comparison."""
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(made, lab.folder / "inspect.ipynb")
    opened = open_notebook("inspect.ipynb")
    opened.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened.run_all()
    assert opened.errors() == []
    return opened


@pytest.fixture
def at(notebook):
    """Give a function from a position on an image [pixel] to one on the screen."""

    def _at(inside, number, x, y):
        viewer = notebook.page.locator(f"{inside} >> .bk-viewer").nth(number)
        viewer.locator(".bk-pane").scroll_into_view_if_needed()
        box = viewer.locator(".bk-pane").bounding_box()
        dx, dy = viewer.evaluate(
            "(viewer, it) => viewer.parentElement.__beamkit.pane.toScreen(...it)", [x, y]
        )
        return box["x"] + 1 + dx, box["y"] + 1 + dy

    return _at


def drag(page, start, end):
    """Drag with the left button."""
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=8)
    page.mouse.up()


class TestPanel:
    def viewer(self, notebook):
        viewer = notebook.page.locator(f"{PANEL} >> .bk-viewer")
        viewer.locator(".bk-inspect-facts dd").first.wait_for()
        return viewer

    def test_the_number_under_the_mouse_is_marked_in_the_table(self, notebook, at):
        viewer = self.viewer(notebook)
        notebook.page.mouse.move(*at(PANEL, 0, 41.5, 22.5))
        viewer.locator("td.bk-cell-at", has_text=f"{300 * 11 + 7 * 22 + 41}").wait_for()

    def test_a_slider_goes_along_another_dimension(self, notebook):
        viewer = self.viewer(notebook)
        row = viewer.locator(".bk-inspect-dim[data-dim=scan]")
        row.locator("input[type=range]").fill("2")
        notebook.expect("v.places['scan'], float(v.image[0, 0])", "(2, 23300.0)")
        row.locator(".bk-inspect-place", has_text="7.4 keV").wait_for()
        row.locator("select").select_option("max")
        notebook.expect("str(v.places['scan'])", "\"Span(how='max', first=0, last=2)\"")
        row.locator("select").select_option("single")
        notebook.expect("v.places['scan']", "0")

    def test_a_ruler_is_drawn_and_measured(self, notebook, at):
        viewer = self.viewer(notebook)
        viewer.locator(".bk-pane").focus()
        notebook.page.keyboard.press("u")
        drag(notebook.page, at(PANEL, 0, 10, 5), at(PANEL, 0, 40, 25))
        notebook.expect("[round(n) for n in v.ruler]", "[10, 5, 40, 25]")
        length = float(notebook.value("v.measurement.length"))
        assert length == pytest.approx(2.5 * 1300**0.5, rel=0.02)
        told = viewer.locator(".bk-inspect-ruler")
        assert "µm" in told.inner_text()
        notebook.page.keyboard.press("Escape")
        notebook.expect("v.ruler", "None")

    def test_a_region_is_copied_as_csv_with_coordinates(self, notebook, at):
        viewer = self.viewer(notebook)
        viewer.locator(".bk-pane").focus()
        notebook.page.keyboard.press("b")
        drag(notebook.page, at(PANEL, 0, 20.3, 10.3), at(PANEL, 0, 22.7, 11.7))
        notebook.expect("v.roi.x0, v.roi.y0, v.roi.x1, v.roi.y1", "(20, 10, 23, 12)")
        viewer.locator("select[aria-label='numbers of']").select_option("region")
        viewer.locator("button[title^='Copy as CSV']").click()
        viewer.locator("text=/Copied 2 . 3/").wait_for()
        text = notebook.page.evaluate("navigator.clipboard.readText()")
        first = 300 * 11 + 7 * 10 + 20
        assert text.splitlines() == [
            "y [um]\\x [um],50,52.5,55",
            f"25,{first}.0,{first + 1}.0,{first + 2}.0",
            f"27.5,{first + 7}.0,{first + 8}.0,{first + 9}.0",
        ]
        notebook.page.keyboard.press("Escape")

    def test_any_dimension_becomes_rows(self, notebook):
        viewer = self.viewer(notebook)
        viewer.locator("select[aria-label^='rows']").select_option("z")
        notebook.expect("v.axes, v.image.shape", "(('z', 'x'), (30, 60))")
        notebook.page.wait_for_function(
            f"it => {APP}.info.rows.dim === 'z' && {APP}.shown.imageRows === 30",
            arg=[".jp-CodeCell", 0],
        )
        scale = notebook.ask(
            f"(({APP}).pane.view.scaleY / ({APP}).pane.view.scaleX)", [".jp-CodeCell", 0]
        )
        assert scale == pytest.approx(2)  # 5 um over 2.5 um


class TestPlanes:
    def test_a_drag_in_a_plane_moves_the_others(self, notebook, at):
        drag(notebook.page, at(PLANES, 0, 30.5, 20.5), at(PLANES, 0, 12.5, 33.5))
        notebook.expect("o.position", "{'z': 15, 'y': 33, 'x': 12}")
        notebook.page.wait_for_function(f"it => {APP}.shown.frame === 12", arg=[PLANES, 1])
        notebook.page.wait_for_function(f"it => {APP}.shown.frame === 33", arg=[PLANES, 2])

    def test_the_cross_is_drawn_where_the_planes_meet(self, notebook, at):
        notebook.value("[setattr(o, 'z', 21), setattr(o, 'y', 8), setattr(o, 'x', 44)]")
        notebook.page.wait_for_function(
            f"it => {APP}.planes.place.x === 44 && {APP}.planes.place.z === 21", arg=[PLANES, 2]
        )
        notebook.page.wait_for_timeout(300)
        bright = notebook.ask(
            f"""(() => {{
              const pane = ({APP}).pane, canvas = pane.overlay.canvas, ratio = devicePixelRatio;
              const x = Math.round(pane.toScreen(44.5, 0)[0] * ratio);
              const data = canvas.getContext('2d').getImageData(x, 5, 1, 1).data;
              return data[3];
            }})()""",
            [PLANES, 2],
        )
        assert bright > 100


class TestPair:
    def test_zoom_and_cursor_are_the_same_in_both(self, notebook, at):
        page = notebook.page
        page.mouse.move(*at(PAIR, 0, 20.5, 10.5))
        for _ in range(6):
            page.mouse.wheel(0, -120)
        page.wait_for_timeout(500)
        first, second = (notebook.ask(f"({APP}).pane.bounds", [PAIR, k]) for k in (0, 1))
        assert second == pytest.approx(first)
        assert first[2] - first[0] < 50
        found = page.evaluate(
            f"it => [{APP}.otherPointer, {APP}.cursorTable.cells.value.textContent]", [PAIR, 1]
        )
        assert found[0] == pytest.approx([20.5, 10.5], abs=0.2)
        assert float(found[1]) == 10000 + 300 * 15 + 7 * 10 + 20
        notebook.expect("c.first.zoom == c.second.zoom and c.first.zoom is not None", "True")

    def test_hundreds_of_moves_do_not_drift(self, notebook, at):
        page, (x, y) = notebook.page, at(PAIR, 0, 20.5, 10.5)
        before = notebook.ask(f"({APP}).pane.bounds", [PAIR, 1])
        for k in range(300):
            page.mouse.move(x + k % 17, y + k % 13)
        page.wait_for_timeout(1000)
        for number in (0, 1):
            assert notebook.ask(f"({APP}).pane.bounds", [PAIR, number]) == pytest.approx(before)

    def test_the_cursor_leaves_both(self, notebook):
        notebook.page.mouse.move(5, 5)
        notebook.page.wait_for_function(f"it => {APP}.otherPointer === null", arg=[PAIR, 1])

    def test_a_button_shows_the_difference_at_the_same_zoom(self, notebook):
        before = ast.literal_eval(notebook.value("c.first.zoom"))
        notebook.page.locator(".bk-compare-controls button").nth(1).click()
        notebook.expect(
            "c.how, len(c.shown), float(c.shown[0].image.mean())", "('difference', 1, -10000.0)"
        )
        notebook.page.wait_for_function(f"it => Boolean({APP}?.shown)", arg=[PAIR, 0])
        bounds = notebook.ask(f"({APP}).pane.bounds", [PAIR, 0])
        assert (bounds[0] + bounds[2]) / 2 == pytest.approx((before[0] + before[2]) / 2, abs=0.1)
