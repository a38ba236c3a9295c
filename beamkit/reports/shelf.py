"""The reports that there are: notebooks with a cell tagged ``parameters``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import nbformat

from beamkit.core.errors import ReportError, UnknownNameError

from .parameters import Specification, from_cell


@dataclass(frozen=True)
class Report:
    """A report: its name, where its notebook is, its title and its parameters."""

    name: str
    path: Path
    title: str
    specification: Specification


def available() -> list[str]:
    """Return the names of the reports that come with beamkit."""
    return sorted(path.stem for path in _folder().glob("*.ipynb"))


def find(report: str | os.PathLike[str]) -> Report:
    """Return a report by name, or by the path of a notebook.

    Raises
    ------
    UnknownNameError
        If no report has that name.
    ReportError
        If the notebook is not there, is not one, or has no usable ``parameters`` cell.
    """
    path = Path(report)
    if path.suffix != ".ipynb":
        if str(report) not in available():
            raise UnknownNameError("report", str(report), available())
        path = _folder() / f"{report}.ipynb"
    notebook = read_notebook(path)
    tagged = [cell for cell in notebook.cells if "parameters" in tags(cell)]
    if len(tagged) != 1:
        raise ReportError(
            f"{path}: a report has one cell tagged 'parameters', this notebook has {len(tagged)}. "
            "Add the tag to the cell with the parameters (JupyterLab: property inspector)."
        )
    specification = from_cell(tagged[0].source, where=str(path))
    name = str(report) if Path(report).suffix != ".ipynb" else str(path.absolute())
    return Report(name, path.absolute(), _title(notebook, path), specification)


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """Read a notebook. Raises ReportError if it is not there or not one."""
    try:
        return nbformat.read(path, as_version=4)
    except FileNotFoundError:
        raise ReportError(f"{path}: there is no such notebook. Check the path.") from None
    except (OSError, ValueError, KeyError, AttributeError, nbformat.ValidationError) as error:
        raise ReportError(f"{path}: this is not a Jupyter notebook ({error}).") from error


def tags(cell: nbformat.NotebookNode) -> list[str]:
    """Return the tags of a cell."""
    return list(cell.metadata.get("tags", []))


def _folder() -> Path:
    """The notebooks in the installed package, else those in the source tree."""
    packaged = Path(__file__).parent / "notebooks"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "notebooks" / "reports"


def _title(notebook: nbformat.NotebookNode, path: Path) -> str:
    for cell in notebook.cells:
        for line in cell.source.splitlines():
            if cell.cell_type == "markdown" and line.startswith("# "):
                return str(line[2:].strip())
    return path.stem
