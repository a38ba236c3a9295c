import json

import pytest
from click.testing import CliRunner

import beamkit as bk
from beamkit.cli import main
from beamkit.cli.lab import tutorials


@pytest.fixture
def beamkit(tmp_path, monkeypatch):
    """Run the command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def scan(tmp_path):
    return bk.samples.tomography(tmp_path / "scan.nxs", width=65, rows=5, angles=90).path


def test_help_lists_the_commands(beamkit):
    done = beamkit("--help")
    assert done.exit_code == 0
    for command in ("info", "reconstruct", "report", "samples", "demo", "lab"):
        assert command in done.output


def test_info_shows_kind_sizes_and_metadata(beamkit, scan):
    done = beamkit("info", scan)
    assert done.exit_code == 0, done.output
    assert "tomography" in done.output
    assert "90 angle x 5 detector_y x 65 detector_x" in done.output
    assert "energy" in done.output


def test_reconstruct_writes_the_volume_and_says_where(beamkit, scan, tmp_path):
    done = beamkit("reconstruct", scan, "volume.nxs", "--rows", "1:4", "--center", "34.5")
    assert done.exit_code == 0, done.output
    assert "3 slices of 65 x 65, axis at 34.50 px" in done.output
    assert bk.open(tmp_path / "volume.nxs")["volume"].shape == (3, 65, 65)


def test_raw_data_and_earlier_results_are_not_overwritten(beamkit, scan):
    before = scan.read_bytes()
    done = beamkit(
        "reconstruct", scan, "scan.nxs", "--overwrite", "--rows", "1:2", "--center", "33"
    )
    assert done.exit_code == 2
    assert "is the scan itself" in done.stderr
    for command in (("reconstruct", scan, "scan.nxs"), ("samples", "tomography", "scan.nxs")):
        done = beamkit(*command)
        assert done.exit_code == 2
        assert "--overwrite" in done.stderr
    assert scan.read_bytes() == before


@pytest.mark.parametrize("name", ["tomography", "powder", "scan"])
def test_samples_writes_a_raw_file_that_opens(beamkit, name, tmp_path):
    suffix = {"tomography": "nxs", "powder": "tif", "scan": "dat"}[name]
    done = beamkit("samples", name, f"sample.{suffix}")
    assert done.exit_code == 0, done.output
    assert bk.open(tmp_path / f"sample.{suffix}").sizes


def test_report_list_and_show(beamkit):
    assert "tomography" in beamkit("report", "list").output
    shown = beamkit("report", "show", "tomography").output
    assert "center: float | Literal['auto', 'middle'] = 'auto' [pixel]" in shown


def test_a_failed_report_ends_with_1_and_leaves_the_page(beamkit, tmp_path):
    (tmp_path / "broken.nxs").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    done = beamkit("report", "run", "tomography", "broken.nxs", "-o", "out")
    assert done.exit_code == 1
    assert "broken.nxs" in done.stderr
    assert "This report failed." in (tmp_path / "out" / "report.html").read_text()
    assert json.loads((tmp_path / "out" / "report.json").read_text())["state"] == "FAILED"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("report", "run", "tomografy", "-o", "out"), "Did you mean 'tomography'"),
        (("report", "run", "tomography", "-o", "out", "-p", "centre=3"), "Did you mean 'center'"),
        (("report", "run", "tomography", "-o", "out", "-p", "center"), "NAME=VALUE"),
        (("report", "run", "tomography", "none-such.nxs", "-o", "out"), "does not exist"),
        (("reconstruct", "scan.nxs", "v.nxs", "--rows", "a:b"), "first:end"),
        (("reconstruct", "scan.nxs", "v.nxs", "--rows", "::0"), "first:end"),
        (("reconstruct", "scan.nxs", "v.nxs", "--memory", "nan"), "above 0"),
        (("reconstruct", "scan.nxs", "v.txt"), "'.txt'"),
    ],
)
def test_wrong_usage_ends_with_2_and_one_line(beamkit, scan, arguments, message):
    done = beamkit(*arguments)
    assert done.exit_code == 2, done.output
    assert message in done.stderr
    assert "Traceback" not in done.output


def test_work_that_fails_ends_with_1_and_names_the_file(beamkit):
    done = beamkit("info", "nowhere.nxs")
    assert done.exit_code == 1
    assert done.stderr.startswith("error: ")
    assert "nowhere.nxs" in done.stderr


def test_debug_shows_the_traceback(beamkit):
    done = beamkit("--debug", "info", "nowhere.nxs")
    assert type(done.exception).__name__ == "UnreadableFileError"


def test_tutorials_are_copied_and_what_the_user_wrote_stays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    notebook = tutorials() / "01-first-look.ipynb"
    assert notebook.exists()
    notebook.write_text("mine")
    assert (tutorials() / notebook.name).read_text() == "mine"
