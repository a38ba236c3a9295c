"""Rules of the house, each with what to do when it is broken."""

import ast
import re
import subprocess
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = sorted((ROOT / "beamkit").rglob("*.py")) + sorted((ROOT / "widgets").rglob("*.py"))
NOTEBOOKS = sorted((ROOT / "notebooks").rglob("*.ipynb"))


def modules(folder: Path) -> set[str]:
    """Public modules of a room."""
    return {path.stem for path in folder.glob("*.py") if not path.stem.startswith("_")}


def test_every_format_module_is_in_formats():
    from beamkit import readers

    found = modules(ROOT / "beamkit/readers")
    assert found == set(readers.FORMATS), "add the module's name to readers.FORMATS"


@pytest.mark.parametrize("room", ["corrections", "reconstruction", "rotation_center"])
def test_every_module_exports_the_function_it_is_named_after(room):
    from importlib import import_module

    package = import_module(f"beamkit.tomography.{room}")
    for name in modules(ROOT / "beamkit/tomography" / room):
        assert callable(getattr(package, name, None)), (
            f"add 'from .{name} import {name} as {name}' to beamkit.tomography.{room}"
        )


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_one_idea(path):
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= 400, f"{path.name} has {lines} lines: split it, 400 is the limit"


def test_every_public_function_and_class_says_what_it_gives():
    missing = []
    for path in LIBRARY:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            is_public = isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name[0] != "_"
            if is_public and not ast.get_docstring(node):
                missing.append(f"{path.relative_to(ROOT)}: {node.name}")
    assert not missing, f"write a docstring for {missing}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
class TestNotebooks:
    def test_outputs_are_stripped(self, path):
        for cell in nbformat.read(path, as_version=4).cells:
            assert not cell.get("outputs"), f"run nbstripout on {path.name}"
            assert cell.get("execution_count") is None, f"run nbstripout on {path.name}"

    def test_the_first_cell_asks_the_question(self, path):
        first = nbformat.read(path, as_version=4).cells[0]
        assert first.cell_type == "markdown"
        assert "?" in first.source, f"{path.name}: say in the first cell which question it answers"

    def test_only_public_names_of_beamkit_are_used(self, path):
        source = "\n".join(
            c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"
        )
        private = re.findall(r"\b(?:bk|beamkit)(?:\.\w+)*\._\w+", source)
        assert not private, f"{path.name} uses {private}: make a public function of it"

    def test_functions_are_short(self, path):
        source = "\n".join(
            c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"
        )
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef):
                length = node.end_lineno - node.lineno + 1
                assert length <= 10, (
                    f"{path.name}: {node.name} has {length} lines; move it into beamkit"
                )


def test_nothing_is_committed_that_is_a_result():
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    heavy = [
        f for f in listed.stdout.split() if f.endswith((".nxs", ".h5", ".cbf", ".tif", ".tiff"))
    ]
    assert not heavy, f"files are written by the test that needs them, not stored: {heavy}"
