"""Damage that HDF5 and its filters do not survive, found before they see it."""

from __future__ import annotations

import struct

import h5py
import hdf5plugin
import numpy as np
import pytest

import beamkit as bk
from beamkit.core.errors import UnreadableFileError
from beamkit.core.schema import lines

FRAMES = np.random.default_rng(4).poisson(3, (3, 40, 60)).astype("u4")


def compressed(path, **filters):
    with h5py.File(path, "w") as file:
        file.create_dataset("data", data=FRAMES, chunks=(1, 40, 60), **filters)
    return path


def chunk_place(path, frame):
    with h5py.File(path) as file:
        return file["data"].id.get_chunk_info(frame).byte_offset


def overwrite(path, place, content):
    with path.open("r+b") as stream:
        stream.seek(place)
        stream.write(content)


def test_strings_that_lead_hdf5_in_a_circle_are_an_error_not_a_hang(tmp_path):
    path = tmp_path / "strings.h5"
    with h5py.File(path, "w") as file:
        file["data"] = FRAMES
        file["name"] = "a string of variable length"
    heap = path.read_bytes().index(b"GCOL")
    # The first object's length: 32 bytes more lead into zeros, an object of length 0 for ever.
    overwrite(path, heap + 24, struct.pack("<Q", 27 + 32))
    with pytest.raises(UnreadableFileError, match=f"strings.h5.*strings at byte {heap}"):
        bk.open(path)


@pytest.mark.timeout(60)
def test_pixels_that_look_like_strings_are_left_alone(tmp_path):
    path = tmp_path / "pixels.h5"
    frame = np.zeros((2, 600), "u1")
    frame[0, :8] = list(b"GCOL\x01\x00\x00\x00")
    frame[0, 8:16] = 255
    with h5py.File(path, "w") as file:
        file["data"] = frame
    np.testing.assert_array_equal(bk.open(path).image[0], frame)


FILTERS = {
    "bitshuffle-lz4": hdf5plugin.Bitshuffle(cname="lz4"),
    "bitshuffle": hdf5plugin.Bitshuffle(cname="none"),
    "bitshuffle-zstd": hdf5plugin.Bitshuffle(cname="zstd"),
    "lz4": hdf5plugin.LZ4(),
    "blosc": hdf5plugin.Blosc(),
    "zstd": hdf5plugin.Zstd(),
    "gzip": {"compression": "gzip", "shuffle": True},
}


@pytest.mark.parametrize("name", FILTERS)
def test_frames_come_through_every_filter(tmp_path, name):
    path = compressed(tmp_path / "frames.h5", **FILTERS[name])
    np.testing.assert_array_equal(bk.open(path).image, FRAMES)
    np.testing.assert_array_equal(bk.open(path).image[::-2, 3, 5:9], FRAMES[::-2, 3, 5:9])


@pytest.mark.parametrize(
    ("name", "place"),
    # The size of the whole, or of the first compressed block: see _hdf5_chunks.
    [
        ("bitshuffle-lz4", 1),
        ("bitshuffle-lz4", 12),
        ("lz4", 1),
        ("blosc", 12),
    ],
)
def test_damaged_length_in_a_chunk_is_an_error_not_a_crash(tmp_path, name, place):
    path = compressed(tmp_path / "frames.h5", **FILTERS[name])
    overwrite(path, chunk_place(path, 1) + place, b"\x7f")
    data = bk.open(path)
    np.testing.assert_array_equal(data.image[0], FRAMES[0])
    with pytest.raises(UnreadableFileError, match=r"frames.h5: /data, the chunk at \(1, 0, 0\)"):
        data.image[1].load()


def test_chunks_that_were_never_written_are_noted(tmp_path):
    path = tmp_path / "interrupted.h5"
    with h5py.File(path, "w") as file:
        data = file.create_dataset("data", (7, 4, 5), "u2", chunks=(1, 4, 5))
        data[:4] = 9
    notes = lines(bk.open(path).attrs, "notes")
    assert any("3 of 7 chunks were never written; they read as 0" in line for line in notes)


def test_blocks_begin_where_chunks_of_the_file_begin(tmp_path):
    from readers.test_nxtomo import write_scan

    path = write_scan(tmp_path / "scan.nxs", keys=np.repeat([2, 0], [3, 8]))
    with h5py.File(path, "a") as file:
        frames = file["entry/instrument/detector/data"][()]
        del file["entry/instrument/detector/data"]
        file["entry/instrument/detector"].create_dataset("data", data=frames, chunks=(2, 3, 5))
    data = bk.open(path, blocks={"angle": 4})
    # Projections begin at frame 3: one of it, then whole chunks from frame 6 on.
    assert data.projections.data.chunks[0] == (3, 4, 1)
    np.testing.assert_array_equal(data.projections, frames[3:])


def test_file_without_checksums_says_so_when_they_are_asked_for(tmp_path):
    path = compressed(tmp_path / "frames.h5")
    notes = lines(bk.open(path, verify=True).attrs, "notes")
    assert any(line.startswith("verify:") for line in notes)
