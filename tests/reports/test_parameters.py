from pathlib import Path

import pytest

from beamkit.core.errors import ParameterError, ReportError, UnknownNameError
from beamkit.reports.parameters import as_source, from_cell

CELL = """
from pathlib import Path
from typing import Literal

scan: Path | None = None  # Raw scan. [exists]
sample: str = "none"  # Name of the sample.
center: float | Literal["auto", "middle"] = "auto"  # Axis. [pixel, 0..4000]
count: int | None = 3  # How many. [1..]
shift: tuple[float, float] = (0.5, -1)
names: list[str] = ["a"]
fast: bool = True
"""


@pytest.fixture
def spec():
    return from_cell(CELL, where="test.ipynb")


def test_help_unit_and_range_come_from_the_comment(spec):
    center = spec["center"]
    assert (center.help, center.unit, center.minimum, center.maximum) == ("Axis.", "pixel", 0, 4000)
    assert spec["count"].maximum is None


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("sample", "0012", "0012"),
        ("sample", "1e5", "1e5"),
        ("sample", "True", "True"),
        ("sample", 'µ "quoted"\nline', 'µ "quoted"\nline'),
        ("center", "auto", "auto"),
        ("center", "12", 12.0),
        ("count", "none", None),
        ("count", "7", 7),
        ("shift", "1, 2.5", (1.0, 2.5)),
        ("names", '["x y", "z"]', ["x y", "z"]),
        ("fast", "no", False),
    ],
)
def test_text_is_read_by_the_declared_type(spec, name, given, expected):
    value = spec.check({name: given})[name]
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("count", "3.5"),
        ("count", "1_0"),
        ("count", True),
        ("center", "nan"),
        ("fast", "maybe"),
        ("shift", "1"),
    ],
)
def test_a_wrong_type_is_refused_and_named(spec, name, given):
    with pytest.raises(ParameterError, match=f"{name}.*must be"):
        spec.check({name: given})


def test_out_of_range_says_the_range_and_the_unit(spec):
    with pytest.raises(ParameterError, match="from 0 to 4000 pixel, got -3"):
        spec.check({"center": "-3"})


def test_unknown_name_suggests_the_nearest(spec):
    with pytest.raises(UnknownNameError, match="Did you mean 'center'"):
        spec.check({"centre": 1})


def test_a_path_becomes_absolute_and_must_exist(spec, tmp_path, monkeypatch):
    (tmp_path / "a b.nxs").touch()
    monkeypatch.chdir(tmp_path)
    assert spec.check({"scan": "a b.nxs"})["scan"] == tmp_path / "a b.nxs"
    with pytest.raises(ParameterError, match="does not exist"):
        spec.check({"scan": "other.nxs"})


def test_injected_source_gives_the_exact_values_and_text_never_becomes_code(spec):
    given = {"sample": "'); import os  # \n", "scan": None, "shift": (1.0, -2.0), "names": ["é'"]}
    values = spec.check(given)
    namespace = {"Path": Path}
    exec(as_source({**values, "scan": Path("/a b/'c'")}), namespace)  # the promise is about exec
    assert namespace["sample"] == given["sample"]
    assert namespace["shift"] == (1.0, -2.0)
    assert namespace["scan"] == Path("/a b/'c'")
    assert "os" not in namespace


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("x = 3", "not a parameter"),
        ("x: int = open('f')", "x"),
        ("x: complex = 3", "'complex' is not known"),
        ("x: int = 'a'", "must be int"),
        ("x: int =", "not valid Python"),
    ],
)
def test_a_bad_cell_is_refused_naming_the_notebook(cell, message):
    with pytest.raises(ReportError, match=f"(?s)bad.ipynb.*{message}"):
        from_cell(cell, where="bad.ipynb")
