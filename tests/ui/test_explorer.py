"""The explorer, as a person sees it: JupyterLab in Chromium."""

import os
import re
import time

import nbformat
import pytest

from beamkit import samples

EXPLORER = ".bk-explorer"
CELL = f"{EXPLORER} .bk-x-cell"

#: Of a thumbnail: how many grey levels, and how many pixels.
PIXELS = """canvas => {
  const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const levels = new Set();
  for (let i = 0; i < data.length; i += 4) levels.add(data[i]);
  return {levels: levels.size, width: canvas.width, height: canvas.height};
}"""

NUMBER = 2000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """2000 frames, of which eight differ; a scan, and a stack of four frames in HDF5."""
    place = tmp_path_factory.mktemp("visit")
    sample = samples.diffraction(place / "once", frames=8)
    (place / "raw").mkdir()
    for number in range(NUMBER):
        os.link(sample.files[number % 8], place / "raw" / f"thau_{number + 1:05d}.cbf")
    samples.scan(place / "77.dat")
    samples.diffraction(place / "eiger" / "x_master.h5", format="nxmx", frames=4)
    return place


def written(lab, name, *sources):
    """Write a notebook of these cells; the last one waits for somebody to run it."""
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(
        nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": spec}), lab.folder / name
    )
    return name


@pytest.fixture(scope="module")
def notebook(lab, open_notebook, folder):
    """An explorer of the folder."""
    name = written(
        lab,
        "explore.ipynb",
        "from beamkit_widgets.explorer import Explorer\n"
        "from beamkit.catalogue import thumbnail\n"
        f"thumbnail({str(folder / 'once' / 'once_00001.cbf')!r})  # what is loaded once",
        f"explorer = Explorer({str(folder)!r})\nexplorer",
    )
    notebook = open_notebook(name)
    notebook.run_all()
    notebook.page.locator(CELL).first.wait_for()
    return notebook


def cell(notebook, name):
    return notebook.page.locator(f"{CELL}:has(.bk-x-name:text-is('{name}'))")


def go(notebook, folder):
    for name, value in (("filter", ""), ("folder", str(folder))):
        notebook.value(f"setattr(explorer, {name!r}, {value!r})")
    notebook.page.locator(f".bk-x-crumb[aria-current]:text-is('{folder.name}')").wait_for()
    notebook.page.locator(".bk-x-grid").evaluate("e => { e.scrollTop = 0; }")
    notebook.page.locator(CELL).first.wait_for()


def test_folders_and_files_are_shown(notebook, folder):
    assert notebook.errors() == []
    go(notebook, folder)
    for name in ("raw", "eiger", "77.dat"):
        assert cell(notebook, name).is_visible()


def test_a_double_click_enters_a_folder_and_a_crumb_leads_back(notebook, folder):
    go(notebook, folder)
    cell(notebook, "eiger").dblclick()
    cell(notebook, "x_master.h5").wait_for()
    notebook.page.locator(f".bk-x-crumb:text-is('{folder.name}')").click()
    cell(notebook, "raw").wait_for()
    notebook.expect("explorer.folder", repr(str(folder)))


def test_a_folder_of_2000_frames_is_usable_before_all_are_read(notebook, folder):
    go(notebook, folder)
    start = time.perf_counter()
    notebook.start(f"explorer.folder = {str(folder / 'raw')!r}")
    frame = cell(notebook, "thau_00002.cbf")
    frame.locator("canvas").wait_for()
    frame.click()
    took = time.perf_counter() - start
    assert notebook.finish() == "ok"
    assert took < 20, "all 2000 were read first"  # which takes a minute
    notebook.expect("explorer.current.rsplit('/')[-1]", "'thau_00002.cbf'")
    assert notebook.page.locator(CELL).count() < 60, "only what is seen exists"
    assert f"{NUMBER + 1} entries" in notebook.page.locator(".bk-x-status").inner_text()


def test_thumbnails_are_not_blank(notebook, folder):
    go(notebook, folder / "raw")
    drawn = notebook.page.locator(f"{CELL} canvas")
    drawn.nth(4).wait_for()
    for number in range(5):
        found = drawn.nth(number).evaluate(PIXELS)
        assert found["levels"] > 20
        assert found["height"] > found["width"]  # 619 rows, 487 columns


def test_scrolling_to_the_end_brings_the_last_thumbnails(notebook, folder):
    go(notebook, folder / "raw")
    grid = notebook.page.locator(".bk-x-grid")
    for place in (0.2, 0.4, 0.6, 0.8, 1.0):
        grid.evaluate("(e, place) => { e.scrollTop = place * e.scrollHeight; }", place)
        notebook.page.wait_for_timeout(60)
    start = time.perf_counter()
    cell(notebook, f"thau_{NUMBER:05d}.cbf").locator("canvas").wait_for()
    assert time.perf_counter() - start < 20, "what was scrolled past was made first"
    assert notebook.page.locator(CELL).count() < 60


def test_clicks_select_as_in_any_file_manager(notebook, folder):
    go(notebook, folder / "raw")
    names = "[p.rsplit('/')[-1] for p in explorer.selection]"
    cell(notebook, "thau_00001.cbf").click()
    notebook.expect(names, "['thau_00001.cbf']")
    cell(notebook, "thau_00003.cbf").click(modifiers=["Shift"])
    notebook.expect(names, str([f"thau_0000{k}.cbf" for k in (1, 2, 3)]))
    cell(notebook, "thau_00002.cbf").click(modifiers=["Control"])
    notebook.expect(names, "['thau_00001.cbf', 'thau_00003.cbf']")
    notebook.expect("explorer.dataset['frames'].sizes['frame']", "2")


def test_arrows_move_and_select(notebook, folder):
    go(notebook, folder / "raw")
    cell(notebook, "thau_00001.cbf").click()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft"):
        notebook.page.keyboard.press(key)
    notebook.expect("explorer.current.rsplit('/')[-1]", "'thau_00002.cbf'")
    notebook.page.keyboard.press("Shift+ArrowRight")
    notebook.expect("len(explorer.selection)", "2")
    notebook.page.keyboard.press("End")
    notebook.expect("explorer.current.rsplit('/')[-1]", f"'thau_{NUMBER:05d}.cbf'")


def test_a_cell_selects_what_the_browser_shows(notebook, folder):
    go(notebook, folder / "raw")
    path = str(folder / "raw" / "thau_00003.cbf")
    notebook.value(f"setattr(explorer, 'selection', [{path!r}])")
    notebook.page.locator(f"{CELL}[aria-selected=true]:has-text('thau_00003')").wait_for()


def test_the_header_of_the_current_frame_is_told(notebook, folder):
    go(notebook, folder / "raw")
    cell(notebook, "thau_00002.cbf").click()
    row = notebook.page.locator(".bk-x-table tr:has(th:text-is('wavelength')) td")
    row.wait_for()
    assert row.inner_text() == "0.9795 angstrom"


def test_a_filter_by_the_header(notebook, folder):
    go(notebook, folder / "raw")
    box = notebook.page.locator(".bk-x-filter")
    box.fill("omega > -23.5 size > 1kB")  # the last of eight angles
    status = notebook.page.locator(".bk-x-status")
    status.filter(has_text=re.compile(r"^250 of 2001 shown(?!.*reading)")).wait_for(timeout=30_000)
    cell(notebook, "thau_00008.cbf").wait_for()
    box.fill("omgea > 1")
    notebook.page.locator(".bk-x-message.bk-x-error:has-text('omega')").wait_for()
    box.fill("")
    status.filter(has_text=f"{NUMBER + 1} entries").wait_for()


def test_the_inside_of_an_hdf5_file_is_in_the_tree(notebook, folder):
    go(notebook, folder)
    for name in ("eiger", "x_master.h5", "entry"):
        notebook.page.locator(f"li[aria-label='{name}'] > .bk-x-row .bk-x-twisty").click()
    notebook.page.locator("li[aria-label='instrument']").wait_for()


def test_frames_of_a_file_are_a_grid_too(notebook, folder):
    go(notebook, folder / "eiger")
    master = cell(notebook, "x_master.h5")
    master.locator("canvas").wait_for()
    assert "4 frames" in master.inner_text()
    master.dblclick()
    cell(notebook, "frame 2").locator("canvas").wait_for()
    cell(notebook, "frame 2").click()
    notebook.expect("explorer.dataset['frames'].sizes['frame']", "1")


def test_it_works_while_a_cell_is_busy(notebook, folder):
    go(notebook, folder / "raw")
    # It sets a trait, too: kernels then hold the browser's messages back, unless told otherwise.
    notebook.start("import time\nexplorer.size = 104\ntime.sleep(6)")
    start = time.perf_counter()
    grid = notebook.page.locator(".bk-x-grid")
    grid.evaluate("e => { e.scrollTop = 0.5 * e.scrollHeight; }")
    notebook.page.wait_for_timeout(300)
    shown = notebook.page.locator(f"{CELL}:has-text('thau_01'), {CELL}:has-text('thau_00')")
    shown.nth(6).locator("canvas").wait_for()
    shown.nth(6).click()
    notebook.page.locator(".bk-x-table th:text-is('wavelength')").wait_for()
    assert time.perf_counter() - start < 5, "it waited for the cell"
    assert notebook.finish() == "ok"


def test_view_shows_the_selected_below(notebook, folder):
    go(notebook, folder / "raw")
    cell(notebook, "thau_00001.cbf").click()
    cell(notebook, "thau_00002.cbf").click(modifiers=["Shift"])
    notebook.page.locator(".bk-x-foot button:text-is('View')").click()
    notebook.page.locator(f".jp-OutputArea-output:has({EXPLORER}) canvas >> nth=-1").wait_for()
    notebook.expect("explorer.viewer is not None", "True")


def test_running_the_cell_again_leaves_one_explorer(notebook):
    opened = "len([v for v in Explorer._shown if v.comm is not None])"
    notebook.ask("(panel.content.activeCellIndex = 1, 0)")
    for count in (3, 4):
        notebook.command("notebook:run-cell")
        notebook.wait(f"cells()[1].model.executionCount >= {count} && kernel.status === 'idle'")
    notebook.expect(opened, "1")
    assert notebook.page.locator(EXPLORER).count() == 1


@pytest.mark.parametrize("width", [900, 1280])
@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_nothing_is_clipped_and_nothing_overlaps(notebook, folder, theme, width):
    notebook.use(theme)
    notebook.page.set_viewport_size({"width": width, "height": 900})
    go(notebook, folder / "raw")
    cell(notebook, "thau_00001.cbf").click()
    notebook.page.locator(".bk-x-table th:text-is('wavelength')").wait_for()
    parts = notebook.page.locator(
        ".bk-x-bar > *, .bk-x-tree, .bk-x-grid, .bk-x-details, .bk-x-foot > *"
    )
    whole = notebook.page.locator(EXPLORER).bounding_box()
    boxes = [part.bounding_box() for part in parts.all() if part.is_visible()]
    assert len(boxes) >= 12
    for box in boxes:
        assert box["x"] >= whole["x"] - 1
        assert box["x"] + box["width"] <= whole["x"] + whole["width"] + 1
    for number, one in enumerate(boxes):
        for other in boxes[number + 1 :]:
            beside = (
                one["x"] + one["width"] <= other["x"] + 1
                or other["x"] + other["width"] <= one["x"] + 1
            )
            below = (
                one["y"] + one["height"] <= other["y"] + 1
                or other["y"] + other["height"] <= one["y"] + 1
            )
            assert beside or below, (one, other)
    clipped = notebook.page.locator(f"{EXPLORER} button").evaluate_all(
        "all => all.filter(b => b.scrollWidth > b.clientWidth + 1).map(b => b.textContent)"
    )
    assert clipped == []
    notebook.page.set_viewport_size({"width": 1280, "height": 900})
