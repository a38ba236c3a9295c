"""The second lesson, executed as a batch run does: no browser."""

import pytest
from widgets.lessons import executed


@pytest.fixture(scope="module")
def lesson(tmp_path_factory):
    with executed("02-frames-of-a-crystal.ipynb", tmp_path_factory.mktemp("lesson")) as made:
        yield made


@pytest.mark.slow
class TestFramesOfACrystal:
    def test_no_cell_fails_or_warns(self, lesson):
        outputs = [out for c in lesson.notebook.cells for out in c.get("outputs", [])]
        assert [out for out in outputs if out.output_type == "error"] == []
        assert [out.text for out in outputs if out.get("name") == "stderr"] == []

    def test_the_resolution_of_the_spot_is_that_of_its_planes(self, lesson):
        assert lesson.number("abs(found / planes - 1)") < 0.01

    def test_the_picture_is_saved(self, lesson):
        saved = lesson.folder / "crystal-lesson" / "spots.pdf"
        assert saved.read_bytes().startswith(b"%PDF")

    def test_the_exercise_knows_a_right_answer(self, lesson):
        spots = "unknown.spots[~unknown.spots['in_gap']]"
        near = f"{spots}[np.hypot({spots}['x'] - place[0], {spots}['y'] - place[1]).argmin()]"
        planes = f"1 / np.linalg.norm(unknown.ub @ [{near}[n] for n in 'hkl'])"
        assert lesson.verdict(planes) == "**Right.**"

    @pytest.mark.parametrize(
        ("answer", "hint"),
        [
            ("None", "No answer yet"),
            ("true['q']", "2π/q"),
            ("true['two_theta']", "2θ"),
            ("true['d'] * 1.1", "Not yet"),
        ],
    )
    def test_the_exercise_says_what_is_wrong(self, lesson, answer, hint):
        assert hint in lesson.verdict(answer)
