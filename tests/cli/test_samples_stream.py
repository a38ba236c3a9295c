"""``beamkit samples stream``."""

from click.testing import CliRunner

from beamkit.cli import main


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_frames_are_written_and_told(tmp_path):
    done = run(
        *("samples", "stream", tmp_path / "live", "--rate", 100, "--frames", 4),
        *("--detector", "PILATUS 100K"),
    )
    assert done.exit_code == 0, done.output
    assert len(list((tmp_path / "live").glob("live_0000?.cbf"))) == 4
    assert "4 frames at 100 a second" in done.output


def test_its_options_belong_to_no_other_sample(tmp_path):
    done = run("samples", "scan", tmp_path / "a.dat", "--rate", 3)
    assert done.exit_code == 2
    assert "--rate is an option of the stream, not of 'scan'" in done.output
    assert not (tmp_path / "a.dat").exists()
