"""Run a report: check, execute with papermill, render."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import papermill

from beamkit.core.errors import ReportError, WriteError

from . import provenance
from .engine import Progress, Terminated, read_state
from .parameters import as_source, as_text
from .render import render
from .shelf import Report, find, read_notebook, tags


@dataclass(frozen=True)
class ReportRun:
    """How a report ended, and what it left.

    Attributes
    ----------
    state
        ``FINISHED``, ``FAILED``, ``KILLED`` or ``TIMEOUT``.
    reason
        Why, in words; empty when it finished.
    folder, notebook, html, json
        Where the outputs are.
    """

    state: str
    reason: str
    folder: Path
    notebook: Path
    html: Path
    json: Path

    @property
    def is_finished(self) -> bool:
        """Whether every cell ran to its end."""
        return self.state == "FINISHED"


def run(
    report: str | os.PathLike[str],
    parameters: Mapping[str, Any] | None = None,
    folder: str | os.PathLike[str] = "report",
    *,
    progress: Progress | None = None,
    cell_timeout: int | None = None,
) -> ReportRun:
    """Run a report and write notebook.ipynb, report.html, report.json and its data into a folder.

    Parameters
    ----------
    report
        Name of a report, or path of a notebook with a cell tagged ``parameters``.
    parameters
        Values, or text as on a command line; what is not given keeps its default.
    folder
        Output folder; made if it is not there. The notebook runs in it.
    progress
        Called before each cell with (cells done, cells in all, first line of the cell).
    cell_timeout
        Longest time for one cell [s]; None for no limit.

    Returns
    -------
    run
        How it ended. A notebook that fails is not an exception: its HTML says where and why.

    Raises
    ------
    UnknownNameError
        If there is no such report, or it has no such parameter.
    ParameterError
        If a value is wrong; no kernel was started then.
    ReportError
        If the notebook is not a report.
    WriteError
        If the folder cannot be written to.
    """
    found = find(report)
    values = found.specification.check(parameters or {})
    target = _make_folder(Path(folder).absolute())
    notebook = _prepare(found, values, target)
    path = target / "notebook.ipynb"
    before = _files(target)
    stopped = _execute(notebook, path, progress, cell_timeout)
    made = sorted(name for name, time in _files(target).items() if before.get(name) != time)
    html, facts = render(path, target, made)
    if stopped is not None:
        raise stopped
    state = read_state(path)
    return ReportRun(state["state"], state["reason"], target, path, html, facts)


def _make_folder(folder: Path) -> Path:
    """Make the folder; take away an earlier report and its data: they would pass for new."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("report.html", *_made_before(folder), "report.json"):
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise WriteError(
            f"The folder {folder} cannot be used: {error.strerror}. Choose another with -o."
        ) from error
    return folder


def _made_before(folder: Path) -> list[str]:
    """Return the files that an earlier report made here, as its report.json lists them."""
    try:
        listed = json.loads((folder / "report.json").read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError):
        return []
    return [name for name in listed if Path(name).name == name]  # never outside the folder


def _files(folder: Path) -> dict[str, int]:
    """Return name and time of change of each file in the folder but the report itself."""
    own = ("notebook.ipynb", "report.html", "report.json")
    files = (path for path in folder.iterdir() if path.is_file() and path.name not in own)
    return {path.name: path.stat().st_mtime_ns for path in files}


def _prepare(report: Report, values: Mapping[str, Any], folder: Path) -> nbformat.NotebookNode:
    """Return the notebook with the values injected and the provenance in its metadata."""
    notebook = read_notebook(report.path)
    injected = nbformat.v4.new_code_cell(
        as_source(values), metadata={"tags": ["injected-parameters"]}, id="injected-parameters"
    )
    cells = [cell for cell in notebook.cells if "injected-parameters" not in tags(cell)]
    after = next(i for i, cell in enumerate(cells) if "parameters" in tags(cell)) + 1
    notebook.cells = [*cells[:after], injected, *cells[after:]]
    notebook.metadata["beamkit"] = {
        "report": report.name,
        "title": report.title,
        "parameters": [
            {
                "name": item.name,
                "value": _plain(values[item.name]),
                "default": _plain(item.default),
                "unit": item.unit,
                "help": item.help,
            }
            for item in report.specification
        ],
        "inputs": provenance.inputs(values.values()),
        "environment": provenance.environment(),
        "command": provenance.command(report.name, report.specification, values, folder),
    }
    return notebook


def _execute(
    notebook: nbformat.NotebookNode, path: Path, progress: Progress | None, cell_timeout: int | None
) -> BaseException | None:
    """Run the notebook into ``path``; return what stopped it from outside, if anything did."""
    logging.getLogger("papermill").setLevel(logging.ERROR)
    try:
        papermill.execute_notebook(
            notebook,
            None,  # papermill would write it once more at the end, and not atomically
            engine_name="beamkit",
            kernel_name="python3",
            progress_bar=False,
            progress=progress,
            execution_timeout=cell_timeout,
            save_to=str(path),
            working_folder=str(path.parent),
        )
    except (Terminated, KeyboardInterrupt) as stopped:
        return stopped
    except WriteError:
        raise
    except Exception as error:
        # The notebook says how it ended; without one there is nothing to render.
        if not path.exists():
            raise ReportError(f"The report could not be started: {error}") from error
    return None


def _plain(value: Any) -> Any:
    """Return what JSON keeps as it is, and paths as text."""
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return as_text(value) if isinstance(value, Path) else value
