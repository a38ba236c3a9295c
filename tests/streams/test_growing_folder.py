"""A folder in which frames appear: whole ones are taken, in order, and nothing shifts."""

import threading
import time

import fabio
import numpy as np
import pytest

from beamkit import samples, streams
from beamkit.core.errors import ParameterError, UnreadableFileError
from beamkit.streams.growing_folder import FolderSource

QUICK = {"patience": 1.0, "gap_patience": 0.3, "poll": 0.02}


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scan") / "thau"
    return samples.diffraction(folder, frames=5, detector="PILATUS 100K")


def put(scan, folder, number, *, size=None, name=None):
    data = scan.files[(number - 1) % 5].read_bytes()
    target = folder / (name or f"run_{number:05d}.cbf")
    target.write_bytes(data[:size])
    return target


def read(source):
    with streams.stream(source) as frames:
        return [(frame.index, frame.data.copy(), frame.problem) for frame in frames]


def test_frames_that_come_one_by_one_are_all_given_in_order(scan, tmp_path):
    def write():
        for number in (1, 2, 3, 4, 5):
            put(scan, tmp_path, number)
            time.sleep(0.05)

    writer = threading.Thread(target=write)
    writer.start()
    found = read(FolderSource(tmp_path, frames=5, **QUICK))
    writer.join()
    assert [index for index, _, _ in found] == [0, 1, 2, 3, 4]
    for index, data, problem in found:
        assert problem is None
        np.testing.assert_array_equal(data, scan.frame(index))


def test_series_ends_when_nothing_comes_for_a_while(scan, tmp_path):
    put(scan, tmp_path, 1)
    put(scan, tmp_path, 2)
    assert len(read(FolderSource(tmp_path, **QUICK))) == 2


def test_half_written_file_is_waited_for(scan, tmp_path):
    put(scan, tmp_path, 1)
    put(scan, tmp_path, 2, size=3000)
    source = FolderSource(tmp_path, frames=2, patience=20, gap_patience=20, poll=0.02)
    assert source.wait_for(0, 10)
    assert not source.wait_for(1, 0.3)
    put(scan, tmp_path, 2)
    assert source.wait_for(1, 10)
    assert source.problems == []
    out = np.empty(source.shape, source.dtype)
    source.read_into(1, out)
    np.testing.assert_array_equal(out, scan.frame(1))


def test_file_that_stays_cut_short_is_a_problem_and_shifts_nothing(scan, tmp_path):
    put(scan, tmp_path, 1)
    put(scan, tmp_path, 2, size=3000)
    put(scan, tmp_path, 3)
    source = FolderSource(tmp_path, frames=3, **QUICK)
    found = read(source)
    assert [problem is None for _, _, problem in found] == [True, False, True]
    assert [problem.index for problem in source.problems] == [1]
    assert (found[1][1] == -1).all()
    np.testing.assert_array_equal(found[2][1], scan.frame(2))


def test_missing_number_is_a_gap_after_a_while(scan, tmp_path):
    for number in (7, 8, 10):
        put(scan, tmp_path, number)
    source = FolderSource(tmp_path, frames=4, **QUICK)
    found = read(source)
    assert [index for index, _, _ in found] == [0, 1, 2, 3]
    assert "run_00009.cbf: there is no such file" in found[2][2]
    assert [(problem.index, problem.source) for problem in source.problems] == [
        (2, str(tmp_path / "run_00009.cbf"))
    ]
    np.testing.assert_array_equal(found[3][1], scan.frame(4))


def test_changed_detector_size_is_a_problem(scan, tmp_path):
    other = samples.diffraction(tmp_path / "other", frames=1, detector="PILATUS 300K")
    folder = tmp_path / "raw"
    folder.mkdir()
    put(scan, folder, 1)
    (folder / "run_00002.cbf").write_bytes(other.files[0].read_bytes())
    source = FolderSource(folder, frames=2, **QUICK)
    found = read(source)
    assert "of a series must be equal" in found[1][2]
    assert [problem.index for problem in source.problems] == [1]


def test_other_files_and_other_series_are_left_alone(scan, tmp_path):
    put(scan, tmp_path, 1)
    (tmp_path / "notes.txt").write_text("beam is back")
    put(scan, tmp_path, 1, name="zzz_0001.cbf")
    put(scan, tmp_path, 2, name=".run_00002.cbf")
    source = FolderSource(tmp_path / "run_*.cbf", **QUICK)
    assert len(read(source)) == 1


def test_tiff_and_edf_are_watched_too(tmp_path):
    rng = np.random.default_rng(3)
    pictures = rng.integers(0, 900, (2, 21, 34)).astype(np.uint16)
    for number, picture in enumerate(pictures):
        fabio.tifimage.TifImage(picture).write(str(tmp_path / f"a_{number}.tif"))
    found = read(FolderSource(tmp_path, frames=2, **QUICK))
    np.testing.assert_array_equal([data for _, data, _ in found], pictures)


def test_folder_may_come_later(scan, tmp_path):
    source = FolderSource(tmp_path / "later", **QUICK)
    assert not source.wait_for(0, 0.05)
    (tmp_path / "later").mkdir()
    put(scan, tmp_path / "later", 1)
    assert source.wait_for(0, 10)


def test_folder_that_cannot_come_is_refused(tmp_path):
    with pytest.raises(UnreadableFileError, match="there is no folder"):
        FolderSource(tmp_path / "no" / "such" / "folder")


def test_time_of_nothing_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="poll is 0"):
        FolderSource(tmp_path, poll=0)


def test_ring_is_fed_from_a_folder(scan, tmp_path):
    for number in (1, 2, 3):
        put(scan, tmp_path, number)
    source = FolderSource(tmp_path, frames=3, **QUICK)
    assert source.wait_for(0, 10)
    ring = streams.RingBuffer(2, source.shape, source.dtype)
    with streams.feed(source, ring) as feed:
        assert feed.join(20)
    assert [frame.index for frame in ring.latest(2)] == [1, 2]
