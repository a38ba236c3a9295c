from __future__ import annotations

import subprocess
import sys

import h5py
import numpy as np
import pytest
from readers.conformance import ReaderConformance

import beamkit as bk
from beamkit.core.errors import (
    ChecksumError,
    ShapeError,
    UnknownFormatError,
    UnknownNameError,
    UnreadableFileError,
)
from beamkit.core.history import entries

FRAMES = np.arange(6 * 4 * 5, dtype="u2").reshape(6, 4, 5)
ANGLES = 30.0 * np.arange(6)


def write(path, **datasets):
    with h5py.File(path, "w") as file:
        for name, values in datasets.items():
            file[name.replace("__", "/")] = values
    return path


@pytest.fixture
def odd(tmp_path):
    return write(tmp_path / "odd.h5", a__b=FRAMES, c=ANGLES, dark=FRAMES[:1], flat=FRAMES[:2])


class TestImages(ReaderConformance):
    format = "hdf5"
    options = {"data": "/a/b"}  # noqa: RUF012

    @pytest.fixture
    def example(self, odd):
        return odd


class TestScan(ReaderConformance):
    format = "hdf5"
    options = {"data": "/a/b", "angles": "/c", "darks": "/dark"}  # noqa: RUF012

    @pytest.fixture
    def example(self, odd):
        return odd


def test_images_at_a_path(odd):
    data = bk.open(odd, data="/a/b")
    assert data.attrs["kind"] == "image"
    np.testing.assert_array_equal(data.image, FRAMES)


def test_angles_make_it_a_tomography_scan(odd):
    data = bk.open(
        odd, data="/a/b", angles="/c", darks="/dark", flats="/flat", energy=53,
        effective_pixel_size=1.28e-6,
    )  # fmt: skip
    assert data.attrs["kind"] == "tomography"
    np.testing.assert_array_equal(data.angle, ANGLES)
    assert (data.sizes["dark"], data.sizes["flat"]) == (1, 2)
    assert data.projections.attrs["effective_pixel_size_y"] == 1.28e-6
    (entry,) = entries(data.attrs)
    assert entry["parameters"]["data"] == {"old": None, "new": "/a/b"}
    assert entry["parameters"]["energy"] == {"old": None, "new": 53.0}


def test_image_key_can_be_given_too(odd):
    data = bk.open(odd, data="/a/b", angles=ANGLES[2:], image_key=[2, 1, 0, 0, 0, 0])
    np.testing.assert_array_equal(data.projections, FRAMES[2:])
    np.testing.assert_array_equal(data.darks, FRAMES[:1])
    with pytest.raises(ShapeError, match=r"\(2,\).*6 frames"):
        bk.open(odd, data="/a/b", angles=ANGLES, image_key=[0, 1])


def test_only_stack_in_a_file_needs_no_path(tmp_path):
    path = write(tmp_path / "one.h5", x__y=FRAMES, z=ANGLES)
    np.testing.assert_array_equal(bk.open(path).image, FRAMES)


def test_file_with_several_stacks_lists_them(odd):
    with pytest.raises(UnknownFormatError, match=r"odd.h5.*/a/b \(6, 4, 5\).*/flat.*data='/a/b'"):
        bk.open(odd)


def test_file_without_arrays_says_so(tmp_path):
    path = write(tmp_path / "empty.h5", name="nothing")
    with pytest.raises(UnknownFormatError, match="It holds: no arrays"):
        bk.open(path)


def test_wrong_path_lists_what_is_there(odd):
    with pytest.raises(UnreadableFileError, match=r"no /a/c.*/a/b \(6, 4, 5\)"):
        bk.open(odd, data="/a/c")
    with pytest.raises(UnreadableFileError, match="/a is a group.*It holds: b"):
        bk.open(odd, data="/a")


def test_text_where_images_should_be_is_an_error(tmp_path):
    path = write(tmp_path / "text.h5", names=[[b"one", b"two"], [b"three", b"four"]])
    with pytest.raises(UnreadableFileError, match="not numbers"):
        bk.open(path, data="names")


def test_big_endian_frames_become_native(tmp_path):
    path = write(tmp_path / "swapped.h5", data=FRAMES.astype(">u2"))
    data = bk.open(path)
    assert data.image.dtype == np.dtype("u2")
    np.testing.assert_array_equal(data.image, FRAMES)


def test_option_of_another_format_is_refused_by_name(odd):
    with pytest.raises(UnknownNameError, match="'entries'"):
        bk.open(odd, data="/a/b", entries=3)


# verify


@pytest.fixture
def checked(tmp_path):
    """Frames with a Fletcher checksum each."""
    path = tmp_path / "checked.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("a", data=FRAMES + 7000, chunks=(1, 4, 5), fletcher32=True)
    return path


def test_intact_checksums_pass(checked):
    assert bk.open(checked, verify=True).sizes["frame"] == 6


def test_every_flipped_byte_of_the_frames_is_caught_and_named(checked, tmp_path):
    content = checked.read_bytes()
    start = content.index((FRAMES[3] + 7000).tobytes())
    for place in range(start, start + FRAMES[3].nbytes, 3):
        copy = bytearray(content)
        copy[place] ^= 0x41
        (tmp_path / "flipped.h5").write_bytes(copy)
        with pytest.raises(ChecksumError, match=r"flipped.h5: /a\[3:4, 0:4, 0:5\]"):
            bk.open(tmp_path / "flipped.h5", verify=True)


def test_checksums_behind_links_and_virtual_datasets_are_checked(checked, tmp_path):
    layout = h5py.VirtualLayout(FRAMES.shape, "u2")
    layout[:] = h5py.VirtualSource("checked.h5", "a", FRAMES.shape)
    with h5py.File(tmp_path / "top.h5", "w") as file:
        file.create_virtual_dataset("data", layout)
    content = bytearray(checked.read_bytes())
    content[content.index((FRAMES[3] + 7000).tobytes())] ^= 1
    checked.write_bytes(content)
    with pytest.raises(ChecksumError, match="checked.h5"):
        bk.open(tmp_path / "top.h5", verify=True)


# lazy


def test_opening_a_file_of_120_gigabytes_reads_headers_only(tmp_path):
    path = tmp_path / "huge.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("data", (12_000, 2000, 2500), "u2", chunks=(1, 2000, 2500))
        file["image_key"] = np.repeat([2, 1, 0], [20, 20, 11_960])
        file["rotation_angle"] = np.linspace(0, 180, 12_000)
    code = """
import resource, sys
import beamkit as bk, beamkit.readers, h5py, dask.array, xarray
from beamkit.readers import _formats
list(_formats.formats())
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
data = bk.open(sys.argv[1])
assert data.projections.nbytes > 119e9, data
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 100_000  # kB


def test_blocks_are_whole_chunks_of_about_64_megabytes(tmp_path):
    with h5py.File(tmp_path / "frames.h5", "w") as file:
        file.create_dataset("data", (400, 1000, 1000), "u2", chunks=(1, 1000, 1000))
    data = bk.open(tmp_path / "frames.h5")
    assert data.image.data.chunks[0][:-1] == (32,) * 12  # 64e6 / 2e6 bytes
    assert data.image.data.chunks[1:] == ((1000,), (1000,))


def test_chunks_made_for_sinograms_are_not_read_whole_for_one_row(tmp_path):
    with h5py.File(tmp_path / "sinograms.h5", "w") as file:
        file.create_dataset("data", (4000, 2000, 2000), "u2", chunks=(4000, 16, 8))
    data = bk.open(tmp_path / "sinograms.h5")
    block = data.image.data.chunksize
    assert block[0] == 4000
    assert block[1] % 16 == 0
    assert np.prod(block) * 2 <= 64e6


def test_selecting_before_computing_reads_only_that(tmp_path, monkeypatch):
    path = write(tmp_path / "one.h5", data=FRAMES)
    data = bk.open(path)
    from beamkit.readers._hdf5_lazy import Hdf5Array

    keys = []
    read = Hdf5Array.__getitem__
    monkeypatch.setattr(
        Hdf5Array, "__getitem__", lambda self, key: keys.append(key) or read(self, key)
    )
    data.image.isel(detector_y=slice(2, 3)).load()
    assert keys == [(slice(0, 6, None), slice(2, 3, None), slice(0, 5, None))]


def test_impossible_size_is_an_error_before_anything_is_read(tmp_path):
    path = tmp_path / "impossible.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("data", (2**45, 100, 100), "u2", chunks=(1, 100, 100))
    with pytest.raises(UnreadableFileError, match="claims to have the shape"):
        bk.open(path)


def test_file_that_changed_after_opening_is_an_error(tmp_path):
    path = write(tmp_path / "one.h5", data=FRAMES)
    data = bk.open(path)
    write(path, data=FRAMES[:, :2])
    with pytest.raises(UnreadableFileError, match="not what it was.*Open the file again"):
        data.image.load()
