"""Draw the two pictures of JupyterLab in the README: the viewer and the explorer, on simulated files."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import nbformat

TARGET = Path(__file__).resolve().parents[2] / "notebooks" / "images"

_FILES = """
import beamkit as bk
bk.samples.diffraction("visit/crystal", frames=12, detector="PILATUS 2M", spot_size=1.3)
bk.samples.diffraction("visit/swung", frames=4, two_theta=12.0)
bk.samples.powder("visit/LaB6.tif", calibrant="LaB6")
bk.samples.powder("visit/AgBeh.tif", calibrant="AgBeh", distance=1.2, wavelength=1.0)
bk.samples.tomography("visit/scan.nxs")
bk.samples.scan("visit/slits.dat")
"""

_VIEWER = """viewer = bk.view(bk.open("visit/crystal"))
viewer"""

_EXPLORER = """explorer = bk.explore("visit")
explorer"""


def draw(browser, width: int, theme: str, folder: Path) -> None:
    """Write viewer.png and explorer.png for one width and theme."""
    from conftest import Lab, Notebook  # which is beside this script

    home = Path(tempfile.mkdtemp())
    for name, code in (("viewer", _VIEWER), ("explorer", _EXPLORER)):
        cells = [nbformat.v4.new_code_cell(code)]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
        nbformat.write(notebook, home / f"{name}.ipynb")
    lab = Lab(Path(tempfile.mkdtemp()), home)
    lab.wait()
    try:
        for name, pose in (("viewer", pose_viewer), ("explorer", pose_explorer)):
            page = browser.new_page(viewport={"width": width, "height": 1000})
            page.goto(f"{lab.url}/lab/workspaces/{name}/tree/{name}.ipynb?reset&token={lab.token}")
            notebook = Notebook(page, theme)
            notebook.command("application:toggle-left-area")
            notebook.ask("(await kernel.requestExecute({code: it}).done, 0)", _FILES)
            notebook.run_all()
            assert notebook.errors() == []
            pose(notebook)
            box = page.locator(f".bk-{name}").first
            box.scroll_into_view_if_needed()
            page.wait_for_timeout(1500)
            box.screenshot(path=folder / f"{name}.png")
            page.close()
    finally:
        lab.stop()


def pose_viewer(notebook) -> None:
    """Rings over the frame, a line through a spot, the cursor at rest."""
    page = notebook.page
    page.locator(".bk-viewer[data-version]").wait_for(timeout=30_000)
    notebook.value("setattr(viewer, 'rings', (4.0, 3.0, 2.5, 2.0))")
    notebook.value("setattr(viewer, 'roi', bk.images.Line(420, 500, 1040, 760, width=9))")
    notebook.value("setattr(viewer, 'panel', 'profile')")
    page.wait_for_timeout(2500)
    box = page.locator(".bk-pane").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.62, box["y"] + box["height"] * 0.35)
    page.wait_for_timeout(1500)


def pose_explorer(notebook) -> None:
    """The frames of the crystal, one selected, with its header."""
    page = notebook.page
    page.locator(".bk-explorer").wait_for(timeout=30_000)
    notebook.value("explorer.go('visit/crystal')")
    page.wait_for_timeout(4000)
    page.locator(".bk-explorer").get_by_text("crystal_00003.cbf").first.click()
    page.wait_for_timeout(2500)


def main() -> None:
    """Draw at the width of the README, or at another one and in another theme, to look at."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--theme", default="JupyterLab Light")
    parser.add_argument("--out", type=Path, default=TARGET)
    options = parser.parse_args()
    import shutil

    from conftest import ARGUMENTS, BROWSERS
    from playwright.sync_api import sync_playwright

    executable = next(filter(None, map(shutil.which, BROWSERS)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        draw(browser, options.width, options.theme, options.out)
        browser.close()


if __name__ == "__main__":
    main()
