import json
import re
import signal
import subprocess
import sys
import time

import nbformat
import psutil
import pytest

from beamkit import reports
from beamkit.core.errors import ParameterError, ReportError, UnknownNameError, WriteError


def write_report(path, *cells, parameters="count: int = 2  # How many. [1..9]"):
    """A report whose code cells are ``cells``, under the heading 'Work'."""
    v4 = nbformat.v4
    notebook = v4.new_notebook(
        cells=[
            v4.new_markdown_cell("# A test report\nWhat is asked."),
            v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}),
            v4.new_markdown_cell("## Work"),
            *(v4.new_code_cell(cell) for cell in cells),
        ],
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
        },
    )
    nbformat.write(notebook, path)
    return path


def statuses(run):
    notebook = nbformat.read(run.notebook, as_version=4)
    return [cell.metadata.papermill.status for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out {with} brace"


def test_a_finished_report_leaves_notebook_html_and_json(tmp_path, out):
    report = write_report(
        tmp_path / "r.ipynb",
        "import beamkit as bk\nbk.reports.Results({'double': (2 * count, 'counts', 'twice')})",
        "open('made-here.txt', 'w').close()",
    )
    seen = []
    run = reports.run(report, {"count": "7"}, out, progress=lambda *step: seen.append(step))
    assert (run.state, run.reason) == ("FINISHED", "")
    facts = json.loads(run.json.read_text())
    assert facts["results"] == {"double": {"value": 14, "unit": "counts", "meaning": "twice"}}
    assert facts["command"].endswith("-p count=7")
    assert (out / "made-here.txt").exists()
    assert seen[-1][:2] == (6, 6)
    assert not list(out.glob(".*.part*"))


@pytest.mark.slow
def test_the_html_is_one_file_without_external_references(tmp_path, out):
    run = reports.run(write_report(tmp_path / "r.ipynb", "1 + 1"), {}, out)
    html = run.html.read_text()
    assert not re.search(r"""(src|href)=["']?(https?:)?//|@import|url\((?!data:)|<script""", html)
    assert "A test report" in html


def test_the_data_of_an_earlier_report_do_not_pass_for_those_of_a_failed_one(tmp_path, out):
    report = write_report(
        tmp_path / "r.ipynb", "assert count > 2", "open('made-here.txt', 'w').close()"
    )
    assert reports.run(report, {"count": 3}, out).is_finished
    (out / "notes-of-the-user.txt").touch()
    run = reports.run(report, {"count": 2}, out)
    assert run.state == "FAILED"
    assert not (out / "made-here.txt").exists()
    assert (out / "notes-of-the-user.txt").exists()


def test_a_warning_stands_at_the_head_and_in_the_json(tmp_path, out):
    cell = "import beamkit as bk\nbk.reports.Attention('the beam was < 10 % at frame 7')"
    run = reports.run(write_report(tmp_path / "r.ipynb", cell), {}, out)
    assert json.loads(run.json.read_text())["attention"] == ["the beam was < 10 % at frame 7"]
    assert "the beam was &lt; 10 % at frame 7" in run.html.read_text().split("<h2>")[0]


def test_an_error_in_a_cell_is_told_in_red_with_place_and_reason(tmp_path, out):
    run = reports.run(write_report(tmp_path / "r.ipynb", "x = 1", "1 / 0", "y = 2"), {}, out)
    assert run.state == "FAILED"
    assert run.reason == "ZeroDivisionError: division by zero"
    assert statuses(run) == ["completed", "completed", "completed", "failed", "pending"]
    html = run.html.read_text()
    assert "This report failed." in html
    assert "section “Work”" in html
    assert "1 cell after it did not run" in html
    assert 'id="failed-cell"' in html


@pytest.mark.slow
def test_a_killed_kernel_is_a_failure_that_names_the_signal(tmp_path, out):
    cell = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    run = reports.run(write_report(tmp_path / "r.ipynb", cell, "y = 2"), {}, out)
    assert run.state == "FAILED"
    assert "SIGKILL" in run.reason
    assert statuses(run)[-2:] == ["failed", "pending"]


@pytest.mark.slow
def test_sys_exit_is_not_success(tmp_path, out):
    run = reports.run(
        write_report(tmp_path / "r.ipynb", "import sys; sys.exit(0)", "y = 2"), {}, out
    )
    assert run.state == "FAILED"
    assert "SystemExit" in run.reason


@pytest.mark.slow
def test_a_cell_that_takes_too_long_is_a_timeout(tmp_path, out):
    report = write_report(tmp_path / "r.ipynb", "import time; time.sleep(60)", "y = 2")
    run = reports.run(report, {}, out, cell_timeout=2)
    assert run.state == "TIMEOUT"
    assert statuses(run)[-2:] == ["failed", "pending"]
    assert "ran out of time" in run.html.read_text()


@pytest.mark.slow
def test_sigterm_leaves_a_truthful_report_and_no_kernel(tmp_path, out):
    report = write_report(tmp_path / "r.ipynb", "import time; time.sleep(60)")
    code = f"from beamkit import reports; reports.run({str(report)!r}, {{}}, {str(out)!r})"
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while "sleep" not in _running_cell(out) and time.monotonic() < deadline:
        time.sleep(0.2)
    time.sleep(1.0)
    children = psutil.Process(process.pid).children(recursive=True)
    assert children
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) != 0
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive
    facts = json.loads((out / "report.json").read_text())
    assert facts["state"] == "KILLED"
    assert "SIGTERM" in facts["reason"]


def _running_cell(out):
    try:
        notebook = nbformat.read(out / "notebook.ipynb", as_version=4)
    except (OSError, ValueError):
        return ""
    return "".join(
        c.source
        for c in notebook.cells
        if c.metadata.get("papermill", {}).get("status") == "running"
    )


def test_wrong_values_are_refused_before_anything_is_made(tmp_path, out):
    report = write_report(tmp_path / "r.ipynb", "1")
    with pytest.raises(ParameterError, match="from 1 to 9, got 12"):
        reports.run(report, {"count": 12}, out)
    with pytest.raises(UnknownNameError, match="Did you mean 'count'"):
        reports.run(report, {"counts": 1}, out)
    assert not out.exists()


def test_unknown_reports_and_other_files_are_refused(tmp_path):
    with pytest.raises(UnknownNameError, match="tomografy"):
        reports.find("tomografy")
    with pytest.raises(ReportError, match="no such notebook"):
        reports.find(tmp_path / "x.ipynb")
    (tmp_path / "x.ipynb").write_text("not json")
    with pytest.raises(ReportError, match="not a Jupyter notebook"):
        reports.find(tmp_path / "x.ipynb")
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "y.ipynb")
    with pytest.raises(ReportError, match="tagged 'parameters', this notebook has 0"):
        reports.find(tmp_path / "y.ipynb")


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    report = write_report(tmp_path / "r.ipynb", "1")
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="cannot be used"):
        reports.run(report, {}, tmp_path / "file" / "out")


@pytest.mark.slow
def test_plain_papermill_can_use_the_engine(tmp_path):
    report = write_report(tmp_path / "r.ipynb", "count * 3")
    output = tmp_path / "executed.ipynb"
    command = [
        sys.executable,
        "-m",
        "papermill",
        "--engine",
        "beamkit",
        "-p",
        "count",
        "5",
        str(report),
        str(output),
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "15" in output.read_text()
