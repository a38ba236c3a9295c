"""A lesson executed as a batch run does: no browser."""

import contextlib
import os
import shutil
from pathlib import Path

import nbformat
import pytest

TUTORIALS = Path(__file__).resolve().parents[2] / "notebooks" / "tutorials"


def tagged(notebook, tag):
    """Number and cell of the cell with a tag."""
    ((number, cell),) = [
        (k, c) for k, c in enumerate(notebook.cells) if tag in c.metadata.get("tags", [])
    ]
    return number, cell


class Lesson:
    """The lesson in a folder of its own, with a kernel that goes on living."""

    def __init__(self, client):
        self.client, self.notebook = client, client.nb

    def run(self):
        for number, cell in enumerate(self.notebook.cells):
            self.client.execute_cell(cell, number)

    def verdict(self, answer):
        """What the lesson says to an answer; an expression, of names in the lesson."""
        number, cell = tagged(self.notebook, "answer")
        cell.source = f"answer = {answer}"
        self.client.execute_cell(cell, number)
        number, cell = tagged(self.notebook, "check")
        return self.client.execute_cell(cell, number).outputs[-1].data["text/markdown"]

    def number(self, expression):
        """A number from the kernel."""
        cell = nbformat.v4.new_code_cell(f"print(float({expression}))")
        self.notebook.cells.append(cell)
        self.client.execute_cell(cell, len(self.notebook.cells) - 1)
        return float(self.notebook.cells.pop().outputs[0].text)


@contextlib.contextmanager
def executed(name, folder):
    """Run a lesson in a folder, and keep its kernel."""
    if os.environ.get("BEAMKIT_REQUIRE_ALL") != "1":
        pytest.importorskip("anywidget", reason='needs: pip install "beamkit[lab]"')
    from nbclient import NotebookClient

    shutil.copy(TUTORIALS / name, folder)
    client = NotebookClient(
        nbformat.read(TUTORIALS / name, as_version=4),
        timeout=200,
        resources={"metadata": {"path": str(folder)}},
    )
    with client.setup_kernel():
        made = Lesson(client)
        made.folder = folder
        made.run()
        yield made
