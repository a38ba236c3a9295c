"""The first lesson, executed as a batch run does: no browser."""

import base64
import io

import matplotlib.image
import pytest
from widgets.lessons import executed, tagged


@pytest.fixture(scope="module")
def lesson(tmp_path_factory):
    with executed("01-first-look.ipynb", tmp_path_factory.mktemp("lesson")) as made:
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
        # The kernel's own peak: ru_maxrss would be that of the test run, which started it.
        peak = "int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
        children = "__import__('resource').getrusage(__import__('resource').RUSAGE_CHILDREN)"
        kilobytes = lesson.number(peak) + lesson.number(f"{children}.ru_maxrss")
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
