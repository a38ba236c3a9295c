"""A notebook in a real JupyterLab and Chromium, for the benchmarks that need one."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat

TOOLS = Path(__file__).resolve().parents[1] / "ui" / "conftest.py"


def lab_tools() -> Any:
    """Return the module with the JupyterLab of the tests."""
    spec = importlib.util.spec_from_file_location("ui_tools", TOOLS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextlib.contextmanager
def notebook(cells: list[str], home: Path, *, script: str = "", style: str = "") -> Iterator[Any]:
    """Open a notebook of these cells in Chromium, none of them run yet.

    ``script`` runs in the page before anything else; ``style`` is added to it.
    """
    from playwright.sync_api import sync_playwright

    tools = lab_tools()
    folder = home / "notebooks"
    folder.mkdir()
    written = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    written.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(written, folder / "bench.ipynb")
    lab = tools.Lab(home, folder)
    chromium = next(filter(None, map(shutil.which, tools.BROWSERS)))
    try:
        lab.wait()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=tools.ARGUMENTS)
            page = browser.new_page(viewport={"width": 1300, "height": 1300})
            if script:
                page.add_init_script(script)
            page.goto(f"{lab.url}/lab/workspaces/bench/tree/bench.ipynb?reset&token={lab.token}")
            opened = tools.Notebook(page, "JupyterLab Light")
            if style:
                page.add_style_tag(content=style)
            yield opened
            browser.close()
    finally:
        lab.stop()
