"""``beamkit convert``."""

import pytest
from click.testing import CliRunner
from readers.cbf_files import example_frame, mini_header, write_cbf

import beamkit as bk
from beamkit.cli import main


@pytest.fixture
def beamkit(tmp_path, monkeypatch):
    """Run the command in a folder with three CBF files."""
    monkeypatch.chdir(tmp_path)
    for number in (1, 2, 3):
        header = mini_header(angle=10 + number)
        write_cbf(tmp_path / f"DC_{number:04d}.cbf", example_frame() + number, header)
    return lambda *arguments: CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_files_become_one_and_the_report_is_printed(beamkit, tmp_path):
    done = beamkit("convert", "DC_0001.cbf", "DC_0002.cbf", "DC_0003.cbf", "out.nxs")
    assert done.exit_code == 0, done.output
    assert "3 frames of 13 x 17 int32, bslz4; every count read back and equal" in done.output
    assert bk.open(tmp_path / "out.nxs").sizes["frame"] == 3


def test_glob_in_quotes_and_no_check(beamkit):
    done = beamkit("convert", "DC_*.cbf", "out.nxs", "--no-check", "--compression", "gzip")
    assert done.exit_code == 0, done.output
    assert "gzip; not read back" in done.output


def test_existing_file_is_wrong_usage(beamkit, tmp_path):
    (tmp_path / "out.nxs").write_text("precious")
    done = beamkit("convert", "DC_*.cbf", "out.nxs")
    assert done.exit_code == 2
    assert "--overwrite" in done.output
    assert (tmp_path / "out.nxs").read_text() == "precious"


def test_interrupted_run_says_how_to_go_on(beamkit, tmp_path, monkeypatch):
    from beamkit.pipelines._convert_job import Job

    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(Job, "compare", interrupted)
    done = beamkit("convert", "DC_*.cbf", "out.nxs")
    assert done.exit_code == 1
    assert "the same command again" in done.output
    assert not (tmp_path / "out.nxs").exists()
    monkeypatch.undo()
    done = beamkit("convert", tmp_path / "DC_*.cbf", tmp_path / "out.nxs")
    assert "3 frames taken over" in done.output
