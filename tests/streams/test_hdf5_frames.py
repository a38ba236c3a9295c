"""HDF5 stacks: read past HDF5 where a chunk is a frame, and always what h5py gives."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import fabio
import h5py
import hdf5plugin
import numpy as np
import pytest

import beamkit as bk
from beamkit.core.errors import BeamkitError, ParameterError, ShapeError, UnreadableFileError
from beamkit.streams import SwmrSource, _bitshuffle, source_of, stream
from beamkit.streams._hdf5_frames import Hdf5Frames, decoder_of
from beamkit.streams._hdf5_virtual import parts_of

SHAPE = (5, 37, 53)


def counts(dtype="u4", seed=1):
    frames = np.random.default_rng(seed).poisson(3, SHAPE).astype(dtype)
    frames[2, 4, 7] = np.iinfo(dtype).max if np.dtype(dtype).kind in "iu" else 1e9
    return frames


def read_all(path, name="/d"):
    frames = Hdf5Frames(str(path), name)
    with h5py.File(path) as file:
        shape, dtype = file[name].shape, file[name].dtype.newbyteorder("=")
    out = np.empty(shape, dtype)
    for number in range(shape[0]):
        frames.read_into(number, out[number])
    frames.close()
    return out


#: How a stack is stored, and whether its chunks are decoded here.
LAYOUTS = {
    "bitshuffle": ({"chunks": (1, 37, 53), **hdf5plugin.Bitshuffle(cname="lz4")}, True),
    "bitshuffle, blocks": (
        {"chunks": (1, 37, 53), **hdf5plugin.Bitshuffle(nelems=64, cname="lz4")},
        True,
    ),
    "bitshuffle alone": ({"chunks": (1, 37, 53), **hdf5plugin.Bitshuffle(cname="none")}, False),
    "lz4": ({"chunks": (1, 37, 53), **hdf5plugin.LZ4()}, True),
    "lz4, blocks": ({"chunks": (1, 37, 53), **hdf5plugin.LZ4(nbytes=1000)}, True),
    "plain chunks": ({"chunks": (1, 37, 53)}, True),
    "two frames a chunk": ({"chunks": (2, 37, 53), **hdf5plugin.Bitshuffle(cname="lz4")}, False),
    "tiles": ({"chunks": (1, 20, 53), **hdf5plugin.Bitshuffle(cname="lz4")}, False),
    "gzip": ({"chunks": (1, 37, 53), "compression": "gzip", "shuffle": True}, False),
    "contiguous": ({}, False),
}


@pytest.mark.parametrize("dtype", ["u4", "i2", "u1", "f8"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_what_h5py_gives(tmp_path, layout, dtype):
    options, is_direct = LAYOUTS[layout]
    with h5py.File(tmp_path / "a.h5", "w") as file:
        item = file.create_dataset("d", data=counts(dtype), **options)
        assert (decoder_of(item) is not None) == is_direct
    np.testing.assert_array_equal(read_all(tmp_path / "a.h5"), counts(dtype))


@pytest.mark.parametrize("layout", ["bitshuffle", "lz4", "plain chunks"])
def test_noise_that_does_not_compress_is_read(tmp_path, layout):
    noise = np.random.default_rng(2).integers(0, 2**32, SHAPE, np.uint32)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("d", data=noise, **LAYOUTS[layout][0])
    np.testing.assert_array_equal(read_all(tmp_path / "a.h5"), noise)


def test_other_byte_order_and_a_user_block_are_read(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w", userblock_size=512) as file:
        file.create_dataset("d", data=counts(), **LAYOUTS["bitshuffle"][0])
        file.create_dataset("e", data=counts(">i4"), dtype=">i4", chunks=(1, 37, 53))
    np.testing.assert_array_equal(read_all(tmp_path / "a.h5"), counts())
    np.testing.assert_array_equal(read_all(tmp_path / "a.h5", "/e"), counts("i4"))


def test_a_chunk_stored_without_its_filter_is_read(tmp_path):
    frame = counts()[0]
    with h5py.File(tmp_path / "a.h5", "w") as file:
        item = file.create_dataset("d", SHAPE, "u4", **LAYOUTS["bitshuffle"][0])
        for number in range(5):
            item.id.write_direct_chunk((number, 0, 0), frame.tobytes(), filter_mask=1)
    np.testing.assert_array_equal(read_all(tmp_path / "a.h5")[3], frame)


@pytest.mark.parametrize("layout", ["bitshuffle", "lz4"])
def test_damaged_chunks_are_errors_never_a_crash(tmp_path, layout):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        item = file.create_dataset("d", data=counts(), **LAYOUTS[layout][0])
        info = item.id.get_chunk_info(0)
    sound = path.read_bytes()
    random = np.random.default_rng(4)
    out = np.empty(SHAPE[1:], np.uint32)
    caught = 0
    for _ in range(150):
        broken = bytearray(sound)
        place = info.byte_offset + int(random.integers(0, info.size))
        broken[place] ^= 1 << int(random.integers(0, 8))
        path.write_bytes(broken)
        frames = Hdf5Frames(str(path), "/d")
        try:
            frames.read_into(0, out)
        except UnreadableFileError as error:
            assert "frame 0 is damaged" in str(error)  # noqa: PT017
            caught += 1
        frames.close()
    assert caught > 10


def test_a_frame_that_was_never_written_is_marked(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        item = file.create_dataset("d", SHAPE, "u4", **LAYOUTS["bitshuffle"][0])
        item[:4] = counts()[:4]
    frames = bk.open(tmp_path / "a.h5", data="/d").bk.stream()
    assert [frame.problem is None for frame in frames] == [True] * 4 + [False]
    assert "was never written" in frames.problems[0].reason


def test_a_file_cut_short_or_gone_is_marked(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("d", data=counts(), **LAYOUTS["bitshuffle"][0])
    data = bk.open(path, data="/d")
    path.unlink()
    assert [bool(frame.problem) for frame in data.bk.stream()] == [True] * 5


class TestVirtual:
    @pytest.fixture
    def master(self, tmp_path):
        """Frames of two files, the second from its third on, in the other order."""
        for number in (1, 2):
            with h5py.File(tmp_path / f"data_{number}.h5", "w") as file:
                file.create_dataset("d", data=counts(seed=number), **LAYOUTS["bitshuffle"][0])
        layout = h5py.VirtualLayout((8, 37, 53), "u4")
        layout[:3] = h5py.VirtualSource("data_2.h5", "d", SHAPE)[2:]
        layout[3:] = h5py.VirtualSource("data_1.h5", "d", SHAPE)
        with h5py.File(tmp_path / "master.h5", "w") as file:
            file.create_virtual_dataset("d", layout)
        return tmp_path / "master.h5"

    def test_frames_come_from_the_files_behind(self, master):
        with h5py.File(master) as file:
            parts = [(p.start, p.stop, p.first) for p in parts_of(file["d"])]
        assert parts == [(0, 3, 2), (3, 8, 0)]
        expected = np.concatenate([counts(seed=2)[2:], counts(seed=1)])
        np.testing.assert_array_equal(read_all(master), expected)

    def test_a_missing_source_is_an_error_that_names_it(self, master):
        (master.parent / "data_1.h5").unlink()
        frames = Hdf5Frames(str(master), "/d")
        with pytest.raises(UnreadableFileError, match=r"data_1\.h5"):
            frames.read_into(0, np.empty(SHAPE[1:], np.uint32))

    def test_modules_put_together_are_left_to_hdf5(self, tmp_path):
        with h5py.File(tmp_path / "m.h5", "w") as file:
            file["a"], file["b"] = counts(seed=1), counts(seed=2)
            layout = h5py.VirtualLayout((5, 80, 53), "u4", maxshape=(5, 80, 53))
            layout[:, :37] = h5py.VirtualSource(file["a"])
            layout[:, 43:] = h5py.VirtualSource(file["b"])
            item = file.create_virtual_dataset("d", layout, fillvalue=7)
            assert parts_of(item) is None
            expected = item[()]
        np.testing.assert_array_equal(read_all(tmp_path / "m.h5"), expected)


def test_an_eiger_master_gives_what_h5py_gives(tmp_path):
    sample = bk.samples.diffraction(tmp_path / "m.h5", frames=3, format="nxmx", detector="EIGER 1M")
    with h5py.File(sample.files[1]) as file:
        expected = file["entry/data/data"][()]
    got = list(bk.open(sample.path).isel(frame=slice(1, None)).bk.stream())
    np.testing.assert_array_equal([frame.data for frame in got], expected[1:])


class TestRealFiles:
    def test_eiger_data_file(self, data_folder):
        path = data_folder / "eiger" / "vac_007_data_000001.h5"
        sums = [2855315732690164, 2855315732689910]  # the source's own test
        with h5py.File(path) as file:
            expected = file["entry/data/data"][()]
        for frame, total, counted in zip(bk.open(path).bk.stream(), sums, expected, strict=True):
            assert int(frame.data.sum(dtype=np.int64)) == total
            np.testing.assert_array_equal(frame.data, counted)

    @pytest.mark.parametrize(
        "name",
        [
            "multimodule/testasapo1_1009_00002_m2_part00000.nxs",
            "nexus/336502.nxs",
            "nexus/i22-104749-Pilatus2M.h5",
            "powder/i22-363061/i22-363061-Pilatus2M_SAXS.h5",
        ],
    )
    def test_stacks_are_those_of_the_dataset(self, data_folder, name):
        data = bk.open(data_folder / name).bk.main
        for number, frame in enumerate(data.bk.stream()):
            assert frame.problem is None
            np.testing.assert_array_equal(frame.data, data[number].values)

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "names",
        [
            "cbf_pilatus/l-cyst_01_*.cbf",
            "cbf_pilatus/DLS_I03_smargon_0001.cbf.gz",
            "cbf_pilatus/thaumatin_grid/thau_3_2_001[0-2].cbf.bz2",
            "powder/CeO2_Pilatus1M.tif",
        ],
    )
    def test_images_are_those_of_fabio(self, data_folder, names):
        files = sorted(data_folder.glob(names))
        frames = list(stream(files))
        assert len(frames) == len(files)
        for frame, file in zip(frames, files, strict=True):
            assert frame.problem is None
            np.testing.assert_array_equal(frame.data, fabio.open(str(file)).data)


WRITER = textwrap.dedent(
    """
    import sys, time
    import h5py, hdf5plugin, numpy as np
    path, frames = sys.argv[1], int(sys.argv[2])
    with h5py.File(path, "w", libver="latest") as file:
        item = file.create_dataset(
            "entry/data", (0, 37, 53), "u2", maxshape=(None, 37, 53), chunks=(1, 37, 53),
            **hdf5plugin.Bitshuffle(cname="lz4"),
        )
        file.swmr_mode = True
        print("ready", flush=True)
        for number in range(frames):
            item.resize(number + 1, axis=0)
            item[number] = np.arange(37 * 53).reshape(37, 53) + number
            item.flush()
            time.sleep(0.02)
    """
)


class TestGrowing:
    @pytest.fixture
    def writer(self, tmp_path):
        """Start another process that writes 20 frames, 50 a second."""
        path = tmp_path / "live.h5"
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), "20"], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout.readline() == "ready\n"
            yield path, process
            process.kill()

    def test_a_file_that_another_process_writes_gives_every_frame_once(self, writer):
        path, _ = writer
        source = SwmrSource(path)
        assert len(source) < 20
        assert not source.is_complete
        frames = list(stream(source))
        assert [frame.index for frame in frames] == list(range(20))
        for frame in frames:
            assert frame.problem is None
            np.testing.assert_array_equal(
                frame.data, np.arange(37 * 53).reshape(37, 53) + frame.index
            )

    def test_the_announced_number_ends_the_series(self, writer):
        path, process = writer
        frames = list(stream(SwmrSource(path, "/entry/data", frames=6)))
        assert len(frames) >= 6
        assert process.poll() is None

    def test_a_writer_that_died_ends_the_series_after_a_while(self, writer):
        path, process = writer
        source = SwmrSource(path, patience=0.5)
        source.wait_for(3, 5)
        process.kill()
        process.wait()
        assert [frame.index for frame in stream(source)][:4] == [0, 1, 2, 3]

    def test_a_file_without_a_writer_is_complete(self, tmp_path):
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file["d"] = counts()
        assert_counts = [frame.data.sum() for frame in stream(SwmrSource(tmp_path / "a.h5"))]
        np.testing.assert_array_equal(assert_counts, counts().sum((1, 2)))

    def test_what_holds_no_frames_is_refused(self, tmp_path):
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file["d"] = np.zeros(5)
        with pytest.raises(ParameterError, match="0 stacks"):
            SwmrSource(tmp_path / "a.h5")
        with pytest.raises(ShapeError, match="three dimensions"):
            SwmrSource(tmp_path / "a.h5", "/d")
        with pytest.raises(BeamkitError, match=r"none\.h5"):
            SwmrSource(tmp_path / "none.h5")


def test_a_source_can_be_streamed_again(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("d", data=counts(), **LAYOUTS["bitshuffle"][0])
    source = source_of(bk.open(tmp_path / "a.h5", data="/d"))
    for _ in range(2):
        assert [frame.problem for frame in stream(source)] == [None] * 5


def test_an_array_that_is_not_contiguous_is_filled_and_its_neighbours_are_left(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("d", data=counts(), **LAYOUTS["bitshuffle"][0])
    wide = np.full((SHAPE[1], 2 * SHAPE[2]), 7, counts().dtype)
    Hdf5Frames(str(tmp_path / "a.h5"), "d").read_into(1, wide[:, ::2])
    np.testing.assert_array_equal(wide[:, ::2], counts()[1])
    assert (wide[:, 1::2] == 7).all()


def test_a_stream_leaves_openmp_of_the_callers_thread_alone():
    if not hasattr(_bitshuffle._library, "omp_get_max_threads"):
        pytest.skip("bitshuffle without OpenMP")
    before = _bitshuffle._library.omp_get_max_threads()
    with ThreadPoolExecutor(1, initializer=_bitshuffle.one_core) as threads:
        inside = threads.submit(_bitshuffle._library.omp_get_max_threads).result()
    assert inside == 1
    assert _bitshuffle._library.omp_get_max_threads() == before
