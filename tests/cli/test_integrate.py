"""``beamkit integrate``."""

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


def test_series_becomes_one_file_and_the_report_is_printed(beamkit):
    done = beamkit("integrate", "DC_*.cbf", "-o", "p.nxs", "--npt", 9, "--unit", "2th_deg")
    assert done.exit_code == 0, done.output
    assert "p.nxs: 3 patterns in 1 file" in done.output
    assert bk.open("p.nxs").sizes == {"frame": 3, "two_theta": 9}


def test_folder_of_text_and_cakes(beamkit, tmp_path):
    done = beamkit("integrate", "DC_*.cbf", "-o", "out", "--npt", 9, "--format", "chi")
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in (tmp_path / "out").glob("*.chi"))[0] == "DC_0001.chi"
    done = beamkit(
        "integrate", "DC_0001.cbf", "-o", "k.nxs", "--npt", 9, "--azimuthal", 4, "--split", "no"
    )
    assert done.exit_code == 0, done.output
    assert bk.open("k.nxs").sizes == {"frame": 1, "chi": 4, "q": 9}


def test_wrong_use_is_2_and_failed_work_is_1(beamkit, tmp_path):
    (tmp_path / "p.nxs").write_text("precious")
    done = beamkit("integrate", "DC_*.cbf", "-o", "p.nxs")
    assert done.exit_code == 2
    assert "--overwrite" in done.output
    assert (tmp_path / "p.nxs").read_text() == "precious"
    assert beamkit("integrate", "DC_*.cbf", "-o", "x.nxs", "--unit", "keV").exit_code == 2
    (tmp_path / "bad.cbf").write_text("hello")
    done = beamkit("integrate", "bad.cbf", "-o", "y.nxs")
    assert done.exit_code == 1
    assert "bad.cbf" in done.output
    assert not (tmp_path / "y.nxs").exists()


def test_interrupted_run_says_how_to_go_on(beamkit, monkeypatch):
    from beamkit import pipelines

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(pipelines, "integrate_files", interrupted)
    done = beamkit("integrate", "DC_*.cbf", "-o", "out")
    assert done.exit_code == 1
    assert "goes on" in done.output
