"""A dataset that grows while frames are written."""

import threading
import time

import h5py
import numpy as np
import pytest

import beamkit as bk
from beamkit import samples
from beamkit.core.errors import ParameterError

QUICK = {"patience": 5.0, "gap_patience": 0.3, "poll": 0.02}


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scan") / "thau"
    return samples.diffraction(folder, frames=5, detector="PILATUS 100K")


def put(scan, folder, *numbers):
    for number in numbers:
        data = scan.files[number - 1].read_bytes()
        (folder / f"run_{number:05d}.cbf").write_bytes(data)


def test_dataset_grows_with_its_folder(scan, tmp_path):
    put(scan, tmp_path, 1, 2)
    with bk.watch_frames(tmp_path, **QUICK) as watch:
        assert watch.wait(2, 20)
        before = watch.data
        put(scan, tmp_path, 3)
        assert watch.wait(3, 20)
        assert (before.sizes["frame"], watch.data.sizes["frame"]) == (2, 3)
        np.testing.assert_array_equal(watch.data["frames"][2], scan.frame(2))


def test_header_of_the_first_frame_comes_with_it(scan, tmp_path):
    put(scan, tmp_path, 1)
    whole = bk.open(scan.path)
    with bk.watch_frames(tmp_path, **QUICK) as watch:
        assert watch.wait(1, 20)
        assert watch.data.attrs["wavelength"] == whole.attrs["wavelength"]
        np.testing.assert_array_equal(watch.data["mask"], whole["mask"])


def test_lost_frame_keeps_its_place_and_says_why(scan, tmp_path):
    put(scan, tmp_path, 1, 3)
    with bk.watch_frames(tmp_path, **QUICK) as watch:
        assert watch.wait(3, 20)
        data = watch.data
        assert (data["frames"][1].values == -1).all()
        assert "there is no such file" in str(data["problem"].values[1])
        assert [problem.index for problem in watch.problems] == [1]


def test_loop_gives_frames_until_the_last(scan, tmp_path):
    def write():
        for number in (1, 2, 3, 4):
            put(scan, tmp_path, number)
            time.sleep(0.03)

    writer = threading.Thread(target=write)
    writer.start()
    with bk.watch_frames(tmp_path, frames=4, **QUICK) as watch:
        assert [frame.index for frame in watch] == [0, 1, 2, 3]
        assert watch.is_complete
    writer.join()


def test_without_a_thread_it_looks_when_asked(scan, tmp_path):
    watch = bk.watch_frames(tmp_path, background=False, **QUICK)
    put(scan, tmp_path, 1)
    time.sleep(0.1)
    assert len(watch) == 0
    assert watch.wait(1, 20)
    watch.stop()


def test_growing_hdf5_file_is_watched(tmp_path):
    rng = np.random.default_rng(5)
    pictures = rng.integers(0, 99, (3, 11, 17)).astype(np.uint32)
    with h5py.File(tmp_path / "x.h5", "w", libver="latest", locking=False) as file:
        data = file.create_dataset(
            "/entry/data/data", (0, 11, 17), np.uint32, chunks=(1, 11, 17), maxshape=(None, 11, 17)
        )
        file.swmr_mode = True
        with bk.watch_frames(tmp_path / "x.h5", poll=0.02) as watch:
            for number in (1, 2, 3):
                data.resize(number, axis=0)
                data[number - 1] = pictures[number - 1]
                data.flush()
                assert watch.wait(number, 20)
            np.testing.assert_array_equal(watch.data["frames"], pictures)


def test_nothing_yet_is_said(tmp_path):
    with (
        bk.watch_frames(tmp_path, **QUICK) as watch,
        pytest.raises(ParameterError, match="No frame has come yet"),
    ):
        _ = watch.data


def test_what_cannot_be_watched_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="int cannot be watched"):
        bk.watch_frames(3)
    with pytest.raises(ParameterError, match="frames cannot be given"):
        bk.watch_frames(np.zeros((1, 2, 3)), frames=3)
