"""The frames of every source, in order, whatever happens to the files."""

from __future__ import annotations

import gc
import gzip
import threading
import time

import dask.array as da
import fabio
import fabio.edfimage
import numpy as np
import pytest
import tifffile

import beamkit as bk
from beamkit.core.errors import (
    EngineError,
    ParameterError,
    ShapeError,
    UnknownNameError,
    UnreadableFileError,
)
from beamkit.streams import ArraySource, FrameSource, source_of, stream
from beamkit.streams._blocks import BlockSource
from beamkit.streams._lazy_frames import LazySource


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scan")
    return bk.samples.diffraction(folder / "c", frames=7, detector="PILATUS 100K", seed=3)


@pytest.fixture
def copies(scan, tmp_path):
    files = [tmp_path / file.name for file in scan.files]
    for file, copy in zip(scan.files, files, strict=True):
        copy.write_bytes(file.read_bytes())
    return files


def by_fabio(files):
    return [fabio.open(str(file)).data for file in files]


def assert_frames(frames, expected):
    frames = list(frames)
    assert [frame.problem for frame in frames] == [None] * len(expected)
    for frame, counts in zip(frames, expected, strict=True):
        assert frame.data.dtype == np.asarray(counts).dtype
        np.testing.assert_array_equal(frame.data, counts)


def stream_threads():
    return [t for t in threading.enumerate() if t.name.startswith("beamkit")]


class TestCbf:
    def test_a_dataset_gives_what_fabio_gives_with_number_time_and_file(self, scan):
        frames = list(bk.open(scan.path).bk.stream())
        assert_frames(frames, by_fabio(scan.files))
        assert [frame.index for frame in frames] == list(range(7))
        np.testing.assert_allclose([frame.time for frame in frames], 0.1 * np.arange(7))
        assert frames[3].source == "c_00004.cbf"

    def test_files_are_read_past_dask_as_long_as_nothing_was_computed(self, scan):
        frames = bk.open(scan.path).frames
        assert isinstance(source_of(frames[5:1:-2]), LazySource)
        assert isinstance(source_of(frames + 1), BlockSource)
        assert isinstance(source_of(frames[:, 3:]), BlockSource)

    @pytest.mark.parametrize("part", [slice(2, 6, 3), slice(5, None, -2), slice(3, 4)])
    def test_a_slice_gives_its_frames(self, scan, part):
        data = bk.open(scan.path)
        sliced = list(data.isel(frame=part).bk.stream())
        assert_frames(sliced, by_fabio(scan.files[part]))
        assert [frame.source for frame in sliced] == [file.name for file in scan.files[part]]

    def test_a_list_a_crop_and_a_sum_give_what_dask_computes(self, scan):
        frames = bk.open(scan.path).frames
        for data in (frames[[6, 1, 4]], frames[1:6, 10:31, 7:], frames.astype("f4") / 3):
            assert_frames(data.bk.stream(workers=2), data.values)

    @pytest.mark.parametrize(("start", "stop", "step"), [(2, None, 1), (0, 5, 2), (1, 99, 4)])
    def test_start_stop_and_step_keep_the_numbers_of_the_series(self, scan, start, stop, step):
        frames = list(stream(scan.files, start=start, stop=stop, step=step))
        assert [f.index for f in frames] == list(range(7))[start:stop:step]
        assert_frames(frames, by_fabio(scan.files)[start:stop:step])

    def test_a_joined_series_reads_each_part_from_its_files(self, scan):
        import xarray as xr

        data = bk.open(scan.path).frames
        joined = xr.concat([data[4:], data[:2]], "frame", combine_attrs="drop")
        source = source_of(joined)
        assert isinstance(source, LazySource)
        assert_frames(stream(source), by_fabio([*scan.files[4:], *scan.files[:2]]))


class TestOtherImages:
    def test_packed_files_and_a_name_are_read(self, scan, tmp_path):
        packed = tmp_path / "c_00001.cbf.gz"
        packed.write_bytes(gzip.compress(scan.files[0].read_bytes()))
        assert_frames(stream(str(packed)), by_fabio([packed]))

    def test_tiff_and_edf_are_read_in_natural_order(self, tmp_path):
        counts = np.random.default_rng(5).integers(0, 60000, (11, 9, 13)).astype(np.uint16)
        for number, frame in enumerate(counts):
            tifffile.imwrite(tmp_path / f"a{number}.tif", frame)
            fabio.edfimage.EdfImage(data=frame).write(str(tmp_path / f"a{number}.edf"))
        assert_frames(stream(str(tmp_path / "*.tif")), counts)
        assert_frames(stream(str(tmp_path / "*.edf")), counts)

    def test_a_tiff_with_many_pages_is_a_series(self, tmp_path):
        counts = np.arange(3 * 5 * 7, dtype=np.uint16).reshape(3, 5, 7)
        tifffile.imwrite(tmp_path / "a.tif", counts, photometric="minisblack")
        assert_frames(stream(tmp_path / "a.tif"), counts)


class TestMemory:
    def test_arrays_of_numpy_dask_and_xarray(self):
        import xarray as xr

        counts = np.random.default_rng(1).poisson(4, (9, 5, 7)).astype(np.float32)
        data = xr.DataArray(counts, dims=("frame", "detector_y", "detector_x"))
        lazy = da.from_array(counts, chunks=(4, 3, 7))
        for source in (counts, counts.astype(">f4"), data, lazy, ArraySource(counts)):
            assert_frames(stream(source, workers=3), counts)

    def test_one_image_is_a_series_of_one(self):
        import xarray as xr

        image = xr.DataArray(np.arange(15.0).reshape(3, 5), dims=("detector_y", "detector_x"))
        assert_frames(image.bk.stream(), image.values[None])

    def test_an_error_of_dask_is_ours(self):
        def fail(block):
            raise ZeroDivisionError("no beam")

        lazy = da.zeros((2, 3, 4), chunks=(1, 3, 4)).map_blocks(fail, meta=np.zeros((0, 0, 0)))
        with pytest.raises(EngineError, match=r"Frames 0 to 0 cannot be computed \(no beam\)"):
            list(stream(lazy, on_error="raise"))


class TestLostFrames:
    def test_a_truncated_file_is_marked_and_nothing_shifts(self, copies):
        data = bk.open(copies)
        copies[2].write_bytes(copies[2].read_bytes()[:9000])
        frames = data.bk.stream()
        found = list(frames)
        assert "cut short" in found[2].problem
        assert (found[2].data == -1).all()
        assert [(p.index, p.source) for p in frames.problems] == [(2, copies[2].name)]
        assert_frames(found[:2] + found[3:], by_fabio(copies[:2] + copies[3:]))

    def test_a_file_that_is_gone_is_marked(self, copies):
        data = bk.open(copies)
        copies[4].unlink()
        frames = data.bk.stream()
        assert [frame.index for frame in frames if frame.problem] == [4]
        assert "there is no such file" in frames.problems[0].reason

    def test_a_number_missing_in_the_series_keeps_its_place(self, copies):
        copies[3].unlink()
        frames = stream(str(copies[0].parent))
        found = list(frames)
        assert [frame.index for frame in found] == list(range(7))
        assert [problem.source for problem in frames.problems] == [str(copies[3])]
        np.testing.assert_array_equal(found[6].data, fabio.open(str(copies[6])).data)

    def test_a_missing_file_in_a_list_keeps_its_place(self, copies):
        copies[0].unlink()
        frames = list(stream([copies[0], copies[6], copies[2]]))
        assert frames[0].problem
        assert_frames(frames[1:], by_fabio([copies[6], copies[2]]))

    def test_a_frame_of_another_size_is_marked(self, copies, tmp_path):
        other = bk.samples.diffraction(tmp_path / "o", frames=1, detector="PILATUS 300K")
        copies[5].write_bytes(other.files[0].read_bytes())
        frames = stream(copies)
        assert [frame.data.shape for frame in frames] == [(195, 487)] * 7
        assert [problem.index for problem in frames.problems] == [5]
        assert r"(619, 487)" in frames.problems[0].reason

    def test_raise_raises_after_the_frames_before(self, copies):
        data = bk.open(copies)
        copies[2].write_bytes(b"")
        frames = data.bk.stream(on_error="raise")
        assert [next(frames).index, next(frames).index] == [0, 1]
        with pytest.raises(UnreadableFileError, match=copies[2].name):
            next(frames)
        assert not stream_threads()

    @pytest.mark.parametrize(("dtype", "fill"), [("f4", np.nan), ("i2", -1), ("u2", 65535)])
    def test_lost_pixels_are_what_a_detector_writes_for_them(self, dtype, fill):
        class Lost(ArraySource):
            def read_into(self, index, out):
                raise UnreadableFileError("gone")

        (frame,) = stream(Lost(np.ones((1, 2, 3), dtype)))
        np.testing.assert_array_equal(frame.data, np.full((2, 3), fill, dtype))

    def test_no_sound_file_is_an_error(self, copies):
        for file in copies:
            file.write_bytes(file.read_bytes()[:100])
        with pytest.raises(UnreadableFileError, match="None of the 7 files"):
            stream(copies)


class TestMachinery:
    def test_a_frame_stays_as_it_is_while_it_is_kept(self, scan):
        kept = [frame.data[50:60] for frame in stream(scan.files, workers=3)]
        for part, counts in zip(kept, by_fabio(scan.files), strict=True):
            np.testing.assert_array_equal(part, counts[50:60])

    def test_a_frame_is_read_only(self, scan):
        (frame,) = stream(scan.files[:1])
        with pytest.raises(ValueError, match="read-only"):
            frame.data[0, 0] = 1

    def test_memory_is_used_again(self):
        places = {
            frame.data.__array_interface__["data"][0]
            for frame in stream(np.zeros((200, 64, 64)), workers=2, prefetch=3)
        }
        assert len(places) <= 3 + 2

    def test_order_is_kept_when_early_frames_take_longest(self):
        class Slow(ArraySource):
            def read_into(self, index, out):
                time.sleep(0.02 if index % 4 == 0 else 0)
                super().read_into(index, out)

        counts = np.arange(12 * 6).reshape(12, 2, 3)
        assert_frames(stream(Slow(counts), workers=4, prefetch=8), counts)

    def test_no_more_than_prefetch_is_read_ahead(self):
        read = []

        class Counted(ArraySource):
            def read_into(self, index, out):
                read.append(index)

        frames = stream(Counted(np.zeros((50, 2, 3))), workers=2, prefetch=4)
        next(frames)
        time.sleep(0.1)
        assert sorted(read) == [0, 1, 2, 3]
        frames.close()

    def test_leaving_the_loop_leaves_no_thread(self, scan):
        for frame in stream(scan.files):
            if frame.index == 2:
                break
        del frame
        gc.collect()
        assert not stream_threads()
        with stream(scan.files) as frames:
            next(frames)
        assert not stream_threads()
        assert list(frames) == []

    def test_a_bug_in_a_source_is_not_hidden(self):
        class Broken(ArraySource):
            def read_into(self, index, out):
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            list(stream(Broken(np.zeros((2, 3, 4)))))
        assert not stream_threads()

    @pytest.mark.parametrize(
        "options", [{"start": -1}, {"step": 0}, {"workers": 0}, {"prefetch": 0}, {"stop": 2.5}]
    )
    def test_impossible_options_are_refused(self, options):
        with pytest.raises(ParameterError, match="a whole number"):
            stream(np.zeros((2, 3, 4)), **options)

    def test_other_things_are_refused(self):
        with pytest.raises(UnknownNameError, match="'mark'"):
            stream(np.zeros((2, 3, 4)), on_error="marc")
        with pytest.raises(ParameterError, match="int gives no frames"):
            stream(3)
        with pytest.raises(ShapeError, match="three|dimensions"):
            stream(np.zeros(4))

    def test_what_is_given_is_a_frame_source(self, scan):
        for source in (scan.path, bk.open(scan.path), np.zeros((1, 2, 3))):
            assert isinstance(source_of(source), FrameSource)

    def test_many_frames_take_no_more_memory_than_few(self):
        import psutil

        counts = np.zeros((40, 500, 500), np.int32)
        process = psutil.Process()
        for _ in stream(counts):
            pass
        before = process.memory_info().rss
        for _ in range(20):
            for _ in stream(counts):
                pass
        assert process.memory_info().rss - before < 20e6
