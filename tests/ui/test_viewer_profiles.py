"""Profiles, peaks and spots of the viewer, with mouse and keyboard in a real JupyterLab."""

import nbformat
import pytest
from ui.screen import Screen

CODE = """
import beamkit as bk
from beamkit_widgets.viewer import ImageViewer
viewer = ImageViewer(bk.open({files!r}), panel="profile", zoom=[140, 1515, 172, 1542])
viewer
"""

# A reflection that is there in the first frame, and what is around it.
SPOT, START, END = (157.5, 1528.5), (147.2, 1520.3), (168.6, 1537.4)


@pytest.fixture(scope="module")
def screen(lab, open_notebook, data_folder):
    """A viewer of three real frames of a PILATUS 2M, zoomed in to a reflection."""
    files = [str(data_folder / "cbf_pilatus" / f"l-cyst_01_0000{n}.cbf") for n in (1, 2, 3)]
    cell = nbformat.v4.new_code_cell(CODE.format(files=files))
    notebook = nbformat.v4.new_notebook(cells=[cell])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, lab.folder / "profiles.ipynb")
    opened = open_notebook("profiles.ipynb")
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


def draw(screen, key, start, end):
    """Draw a region with the tool of a key; nothing else is drawn before."""
    screen.press("Escape", key)
    screen.drag(screen.point(*start), screen.point(*end))
    screen.press("Escape") if screen.ask("app.roi === null") else None
    screen.settle()


def along(plot, part):
    """Return a point of a plot, at a part of its width."""
    box = plot.bounding_box()
    return box["x"] + 58 + part * (box["width"] - 66), box["y"] + 40


def test_a_line_is_drawn_and_widened_and_its_profile_is_that_of_the_cell(screen, panel):
    profile = panel("profile")
    draw(screen, "k", START, END)
    screen.press(*"]]]]]]]]")
    screen.notebook.expect("viewer.roi.width", "9")
    screen.wait("app.panels.get('profile').found.curves[0]?.labels[1] === 'mean [counts]'")
    shown = screen.ask("[...app.panels.get('profile').found.curves[0].y]")
    assert str(len(shown)) == screen.notebook.value("viewer.profile.size")
    assert (
        f"{max(shown):.6f}" == screen.notebook.value("f'{float(viewer.profile.max()):.6f}'")[1:-1]
    )
    assert max(shown) > 20  # the line goes through the reflection
    profile.get_by_label("width of the line").fill("3")
    profile.get_by_label("width of the line").press("Enter")
    screen.notebook.expect("viewer.roi.width", "3")


def test_the_mouse_on_the_plot_is_seen_in_the_image_and_the_other_way(screen, panel):
    plot = panel("profile").locator(".bk-plot").first
    before = screen.ask("drawn(pane.overlay.canvas).hash")
    screen.page.mouse.move(*along(plot, 0.5))
    screen.wait("drawn(pane.overlay.canvas).hash !== it", before)
    assert screen.ask("app.panels.get('profile').marker.lines.length") == 1
    screen.hover((START[0] + END[0]) / 2, (START[1] + END[1]) / 2)
    length = ((END[0] - START[0]) ** 2 + (END[1] - START[1]) ** 2) ** 0.5
    follows = screen.ask("app.panels.get('profile').plots[0].follows")
    assert follows == pytest.approx(length / 2, abs=0.3)
    assert screen.ask("app.panels.get('profile').marker.lines.length") == 0


def test_a_rectangle_has_statistics_and_goes_through_the_frames(screen, panel):
    profile = panel("profile")
    draw(screen, "b", (148.4, 1520.4), (166.6, 1536.6))
    screen.notebook.expect(
        "viewer.roi.kind, viewer.roi.x0, viewer.roi.y1", "('rectangle', 148, 1537)"
    )
    screen.wait("app.panels.get('profile').found.curves.length === 2")
    total = profile.locator('[data-name="Sum (counts)"]').inner_text()
    screen.notebook.expect("int(viewer.statistics.sum)", total)
    profile.get_by_role("button", name="Through all frames").click()
    screen.notebook.expect("viewer.rocking is not None and viewer.rocking.sizes['frame']", "3")
    screen.wait("app.panels.get('profile').through !== null")
    curve = profile.locator(".bk-plot").last
    curve.scroll_into_view_if_needed()
    screen.page.mouse.click(*along(curve, 0.98))
    screen.notebook.expect("viewer.frame", "2")
    screen.shows(2)
    screen.press("Home")
    screen.shows(0)


def test_rings_run_over_the_axis_that_is_chosen(screen, panel):
    profile = panel("profile")
    screen.press("Escape")
    screen.notebook.expect("viewer.roi", "None")
    profile.get_by_label("Radial axis").select_option("q")
    screen.notebook.expect("viewer.profile.dims", "('q',)")
    screen.wait("app.panels.get('profile').found.curves[0]?.axis === 'q'")
    screen.page.mouse.move(*along(profile.locator(".bk-plot").first, 0.4))
    # The ring of that q, on a detector that is swung, in the image.
    x, y = screen.ask("app.panels.get('profile').marker.lines[0][30]")
    q = screen.ask("app.panels.get('profile').plots[0].toX(app.panels.get('profile').plots[0].at)")
    assert float(screen.notebook.value(f"float(viewer.geometry.q({x}, {y}))")) == pytest.approx(q)
    profile.get_by_label("Radial axis").select_option("two_theta")


def test_a_peak_is_fitted_in_the_range_that_is_dragged(screen, panel, require):
    require("lmfit", extra="diffraction")
    draw(screen, "k", START, END)
    screen.press(*"]]]]")
    peak = panel("peak")
    plot = peak.locator(".bk-plot").first
    screen.wait("app.panels.get('peak').found?.fit")
    screen.drag(along(plot, 0.2), along(plot, 0.8))
    screen.wait("app.model.get('peak_range') !== null")
    peak.get_by_label("shape of the peak").select_option("lorentzian")
    screen.notebook.expect("viewer.peak.model", "'lorentzian'")
    position = screen.notebook.value("str(viewer.peak.position)")[1:-1]
    peak.locator("[data-name=position] td", has_text=position).wait_for()
    low, high = screen.ask("app.model.get('peak_range')")
    assert low < float(position.split()[0]) < high
    screen.button("Fit all").click()
    screen.notebook.expect("viewer.peak_range", "None")


def test_a_spot_is_turned_with_the_mouse(screen, panel):
    draw(screen, "b", (145.4, 1518.4), (169.6, 1539.6))
    panel("spot")
    screen.wait("app.panels.get('spot').picture.surface !== null")
    spot = screen.box.locator(".bk-spot")
    picture = "drawn(app.panels.get('spot').picture.canvas).hash"
    before, box = screen.ask(picture), spot.bounding_box()
    start = box["x"] + box["width"] / 2, box["y"] + 120
    screen.drag(start, (start[0] + 60, start[1] + 20))
    screen.wait(f"{picture} !== it", before)
    screen.notebook.expect("viewer.spot_view", "(-24.0, 45.0, 1.0)")
    screen.button("Seen from above").click()
    screen.notebook.expect("viewer.spot_view", "(0.0, 90.0, 1.0)")
    # From above it lies as in the image: the largest of the surface is the reflection.
    surface = "app.panels.get('spot').picture.surface"
    k = screen.ask(f"{surface}.values.indexOf({surface}.top)")
    x, y = 145 + k % 25 + 0.5, 1518 + k // 25 + 0.5
    assert (x, y) == pytest.approx(SPOT, abs=1.1)
    text = screen.box.locator(".bk-spot-told").inner_text()
    assert f"at {x:g}, {y:g}" in text


def test_a_large_spot_is_turned_smoothly(screen, panel):
    panel("spot")
    screen.notebook.value(
        "setattr(viewer, 'roi', dict(kind='rectangle', x0=100, y0=1490, x1=164, y1=1554))"
    )
    screen.wait("app.panels.get('spot').content?.rows === 64")
    spot, times = screen.box.locator(".bk-spot"), []
    for turn in range(8):
        screen.ask("app.panels.get('spot').picture.turn(it, 0)", turn + 1)
        screen.page.wait_for_timeout(100)
        times.append(float(spot.get_attribute("data-milliseconds")))
    assert min(times) < 30  # drawn by the processor alone, and others may use it, too
