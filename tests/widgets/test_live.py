"""What the live view knows and shows, without a browser."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

import beamkit as bk
from beamkit import samples
from beamkit.core.errors import ParameterError, UnknownNameError

NUMBER = 6


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    folder = tmp_path_factory.mktemp("live") / "thau"
    sample = samples.diffraction(folder, frames=NUMBER, detector="PILATUS 100K")
    sample.files[3].write_bytes(sample.files[3].read_bytes()[:4000])  # cut short
    return sample


@pytest.fixture(scope="module")
def live(scan):
    view = bk.live(scan.path, frames=NUMBER, gap_patience=0.3, poll=0.02)
    assert view.join(60)
    yield view
    view.close()


def show(live, frame):
    live.frame = frame
    assert live._worker.wait(30)


def test_all_frames_are_analysed_as_statistics_do(live, scan):
    assert (live.state, live.seen, live.analysed) == ("finished", NUMBER, NUMBER)
    expected = bk.diffraction.statistics(bk.open(scan.path, on_error="mark")).to_dataframe()
    for name in ("spots", "total", "background", "max"):
        np.testing.assert_allclose(live.statistics[name], expected[name], err_msg=name)


def test_lost_frame_has_no_numbers_and_says_why(live):
    assert np.isnan(live.statistics["total"][3])
    assert "thau_00004.cbf" in live.statistics["problem"][3]
    assert [problem.index for problem in live.watch.problems] == [3]


def test_picture_is_the_newest_and_says_what_it_skipped(live, scan):
    show(live, None)
    assert live.shown == NUMBER - 1
    assert 0 <= live.skipped < NUMBER
    np.testing.assert_array_equal(live.viewer.image, scan.frame(NUMBER - 1))


def test_chosen_frame_is_shown(live, scan):
    show(live, 2)
    assert live.shown == 2
    np.testing.assert_array_equal(live.viewer.image, scan.frame(2))
    assert live.viewer._title == "frame 2: thau_00003.cbf"


def test_frame_that_has_not_come_is_refused(live):
    with pytest.raises(ParameterError, match="6 have come"):
        live.frame = NUMBER


def test_unknown_statistic_is_refused(live):
    with pytest.raises(UnknownNameError, match="Did you mean 'spots'"):
        live.statistic = "spot"


def test_picture_for_readers_without_a_kernel_has_image_and_plot(live):
    still = Image.open(BytesIO(live._still()))
    assert still.height > 400


def test_paused_picture_stands_still_while_numbers_go_on(scan, tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()

    def put(number):
        (folder / f"a_{number}.cbf").write_bytes(scan.files[number].read_bytes())

    put(0)
    live = bk.live(folder, frames=2, gap_patience=30, patience=60, poll=0.02)
    assert live._has_frame.wait(30)
    live.is_paused = True
    put(1)
    assert live.join(60)
    assert (live.shown, live.analysed) == (0, 2)
    live.is_paused = False
    assert live._worker.wait(30)
    assert live.shown == 1
    live.close()


def test_stopped_view_ends(tmp_path):
    live = bk.live(tmp_path, patience=60)
    live.stop()
    assert live.join(30)
    assert live.state == "stopped"
    live.close()
