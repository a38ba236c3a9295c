"""One HTML file and one JSON file from an executed notebook, which is not executed again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
from jinja2 import Environment, FileSystemLoader, select_autoescape
from nbconvert import HTMLExporter
from nbconvert.filters import markdown2html
from pygments.formatters import HtmlFormatter
from traitlets.config import Config

from beamkit.core.atomic import write_text

from .parameters import as_text
from .results import ATTENTION, MIME
from .shelf import tags

_TEMPLATES = Path(__file__).parent / "template"

#: Tags of jupyter-book, and those that papermill and beamkit use.
_REMOVED_CELLS = ("remove-cell", "parameters", "injected-parameters")
#: Tag of the cells that the page shows first.
SUMMARY = "summary"

_REMOVED_INPUTS = ("remove-input", "hide-code")

_BANNERS = {
    "FAILED": "This report failed.",
    "KILLED": "This report was stopped.",
    "TIMEOUT": "This report ran out of time.",
    "RUNNING": "This report did not end.",
}


def render(notebook: Path, folder: Path, files: Sequence[str]) -> tuple[Path, Path]:
    """Write ``report.html`` and ``report.json`` of an executed notebook.

    Parameters
    ----------
    notebook
        As the engine left it: finished or not.
    folder
        Where to write.
    files
        Names of the data files that the notebook made there.

    Returns
    -------
    html, json
        The paths of the two files.

    Raises
    ------
    WriteError
        If a file cannot be written.
    """
    executed = nbformat.read(notebook, as_version=4)
    html, facts = folder / "report.html", folder / "report.json"
    write_text(html, _page(executed))
    write_text(
        facts, json.dumps({**_facts(executed), "files": list(files)}, indent=2, ensure_ascii=False)
    )
    return html, facts


def _page(notebook: nbformat.NotebookNode) -> str:
    record = notebook.metadata["beamkit"]
    failed = record.get("failed_cell")
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=select_autoescape(["j2"])
    )
    environment.filters["lower"] = str.lower
    page = environment.get_template("page.html.j2")
    return page.render(
        title=record["title"],
        record=record,
        banner=_BANNERS.get(record["state"], ""),
        started=_readable(notebook.metadata["papermill"].get("start_time")),
        duration=_duration(notebook.metadata["papermill"].get("duration")),
        parameters=_parameter_rows(record["parameters"]),
        failed_section=None if failed is None else _section(notebook, failed),
        has_failed_cell=failed is not None,
        not_run=0 if failed is None else _count_code_cells(notebook, after=failed),
        # Ours, and already HTML.
        attention=_attention(notebook),
        introduction=_safe(_introduction(notebook)),
        body=_safe(_body(notebook, failed)),
        style=_safe((_TEMPLATES / "style.css").read_text(encoding="utf-8")),
        highlight_style=_safe(HtmlFormatter(style="tango").get_style_defs(".highlight")),
    )


def _safe(text: str) -> Any:
    from markupsafe import Markup

    return Markup(text)


def _body(notebook: nbformat.NotebookNode, failed: int | None) -> str:
    """Return the cells after the introduction as HTML, up to the one that failed."""
    if notebook.cells[0].cell_type == "markdown":
        notebook.cells[0].metadata["tags"] = ["remove-cell"]  # the introduction stands further up
    shown = nbformat.from_dict(
        {**notebook, "cells": notebook.cells[: None if failed is None else failed + 1]}
    )
    if failed is not None:
        shown.cells[failed].metadata["beamkit"] = {"failed": True}
    # The answer first: a report is read from the top, a notebook runs to the bottom.
    shown.cells.sort(key=lambda cell: SUMMARY not in tags(cell))
    remove = {
        "enabled": True,
        "remove_cell_tags": set(_REMOVED_CELLS),
        "remove_input_tags": set(_REMOVED_INPUTS),
    }
    exporter = HTMLExporter(
        config=Config({"TagRemovePreprocessor": remove}),
        extra_template_basedirs=[str(_TEMPLATES)],
        template_name="beamkit",
        embed_images=True,
        exclude_output_prompt=True,
        # Nothing from the network: a report opens offline, years later.
        mathjax_url="",
        require_js_url="",
        mermaid_js_url="",
        jupyter_widgets_base_url="",
    )
    body: str = exporter.from_notebook_node(shown)[0]
    return body


def _facts(notebook: nbformat.NotebookNode) -> dict[str, Any]:
    record = notebook.metadata["beamkit"]
    results: dict[str, Any] = {}
    figures: list[str] = []
    for output in _outputs(notebook):
        data = output.get("data", {})
        results |= data.get(MIME, {})
        if "image/png" in data:
            figures.append(output.get("metadata", {}).get("image/png", {}).get("caption", ""))
    return {
        **record,
        "started": notebook.metadata["papermill"].get("start_time"),
        "ended": notebook.metadata["papermill"].get("end_time"),
        "duration": notebook.metadata["papermill"].get("duration"),
        "results": results,
        "attention": _attention(notebook),
        "figures": figures,
    }


def _attention(notebook: nbformat.NotebookNode) -> list[str]:
    """Return the warnings of all cells, in their order."""
    found = (output.get("data", {}).get(ATTENTION) for output in _outputs(notebook))
    return [text for text in found if text is not None]


def _outputs(notebook: nbformat.NotebookNode) -> list[Any]:
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def _parameter_rows(parameters: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            **item,
            "value": as_text(item["value"]),
            "default": as_text(item["default"]),
            "changed": item["value"] != item["default"],
        }
        for item in parameters
    ]


def _section(notebook: nbformat.NotebookNode, failed: int) -> str | None:
    """Return the heading that the failed cell stands under."""
    for cell in reversed(notebook.cells[:failed]):
        if cell.cell_type == "markdown":
            headings = [line for line in cell.source.splitlines() if line.startswith("#")]
            if headings:
                return str(headings[-1].lstrip("# "))
    return None


def _count_code_cells(notebook: nbformat.NotebookNode, *, after: int) -> int:
    return sum(cell.cell_type == "code" for cell in notebook.cells[after + 1 :])


def _introduction(notebook: nbformat.NotebookNode) -> str:
    """Return the first cell as HTML without the title, if it is text."""
    first = notebook.cells[0]
    if first.cell_type != "markdown":
        return ""
    text = "\n".join(line for line in first.source.splitlines() if not line.startswith("# "))
    return str(markdown2html(text))


def _readable(time: str | None) -> str:
    return "" if time is None else datetime.fromisoformat(time).strftime("%Y-%m-%d %H:%M:%S UTC")


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"
