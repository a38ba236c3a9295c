"""The first lesson, executed as a batch run does: no browser."""

import base64
import contextlib
import io
import os
import shutil
from pathlib import Path

import matplotlib.image
import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
LESSON = ROOT / "notebooks" / "tutorials" / "01-first-look.ipynb"


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


@pytest.fixture(scope="module")
def lesson(tmp_path_factory):
    if os.environ.get("BEAMKIT_REQUIRE_ALL") != "1":
        pytest.importorskip("anywidget", reason='needs: pip install "beamkit[lab]"')
    from nbclient import NotebookClient

    folder = tmp_path_factory.mktemp("lesson")
    shutil.copy(LESSON, folder)
    client = NotebookClient(
        nbformat.read(LESSON, as_version=4),
        timeout=200,
        resources={"metadata": {"path": str(folder)}},
    )
    with contextlib.ExitStack() as stack:
        stack.enter_context(client.setup_kernel())
        made = Lesson(client)
        made.folder = folder
        made.run()
        yield made


@pytest.mark.slow
class TestFirstLook:
    def test_no_cell_fails_or_warns(self, lesson):
        outputs = [out for c in lesson.notebook.cells for out in c.get("outputs", [])]
        assert [out for out in outputs if out.output_type == "error"] == []
        assert [out.text for out in outputs if out.get("name") == "stderr"] == []

    def test_the_viewer_leaves_a_picture_that_is_not_blank(self, lesson):
        _, cell = tagged(lesson.notebook, "viewer")
        still, live = cell.outputs
        pixels = matplotlib.image.imread(io.BytesIO(base64.b64decode(still.data["image/png"])))
        assert pixels.shape[1] >= 500
        assert pixels[..., :3].std() > 0.1
        assert list(live.data) == ["application/vnd.jupyter.widget-view+json"]

    def test_the_reconstruction_is_the_truth_but_for_noise(self, lesson):
        assert lesson.number("abs(center.value - sample.rotation_center)") < 0.2
        # The plain material: its mean is right to 1 %.
        assert lesson.number("abs(plain.mean() / body - 1)") < 0.01

    def test_the_report_is_there(self, lesson):
        assert (lesson.folder / "first-look" / "report" / "report.html").stat().st_size > 100_000

    def test_it_fits_into_two_gigabytes(self, lesson):
        usage = "__import__('resource').getrusage(__import__('resource').RUSAGE_{}).ru_maxrss"
        kilobytes = sum(lesson.number(usage.format(who)) for who in ("SELF", "CHILDREN"))
        assert kilobytes < 2e6

    def test_the_exercise_knows_a_right_answer(self, lesson):
        mean = "(bk.tomography.find_center(bk.open(bumped)).value - center.value)"
        assert lesson.verdict(f"{mean} * 3.25") == "**Right.**"

    @pytest.mark.parametrize(
        ("answer", "hint"),
        [
            ("None", "No answer yet"),
            ("-bump * 3.25", "not the direction"),
            ("bump", "in pixels"),
            ("bump * 6.5", "on the camera"),
            ("0", "Not yet"),
            ("bump * 3.25 + 2", "Not yet"),
        ],
    )
    def test_the_exercise_says_what_is_wrong(self, lesson, answer, hint):
        assert hint in lesson.verdict(answer)
