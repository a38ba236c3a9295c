"""TIFF, EDF, MarCCD and other images: pixels, headers, series, damage."""

from __future__ import annotations

import gzip
import json
import logging
import struct
from importlib.util import find_spec

import fabio
import numpy as np
import pytest
import tifffile
from fabio.adscimage import AdscImage
from fabio.edfimage import EdfImage
from fabio.marccdimage import HEADER_FORMAT, HEADER_NAMES
from readers.cbf_files import mini_header
from readers.conformance import ReaderConformance

import beamkit as bk
from beamkit.core.detectors import MASK_DEAD, MASK_GAP
from beamkit.core.errors import BeamkitError, ShapeError, UnreadableFileError
from beamkit.core.schema import lines


def image(rows=7, columns=11, dtype=np.int32, add=0):
    y, x = np.mgrid[:rows, :columns]
    return (13 * y + 3 * x**2 % 17 + add).astype(dtype)


def write_pilatus(path, data=None, *, drop=(), seconds=9):
    """Write a TIFF as a PILATUS camera server does."""
    header = "".join(
        line
        for line in mini_header().splitlines(keepends=True)
        if not line.startswith(("# Detector:", "# 2012", *(f"# {key}" for key in drop)))
    )
    data = image() if data is None else data
    tifffile.imwrite(
        path,
        data,
        description=header,
        metadata=None,
        software="TVX TIFF v 1.3",
        datetime=f"2014:10:24 16:33:{seconds:02d}",
        extratags=[(272, "s", 0, "PILATUS 100K, S/N 1-0102, Diamond", True)],
    )
    return path


def write_edf(path, frames=3, header=None, **options):
    file = EdfImage(data=image(**options), header=header or {"Title": "sample 7", "motor": "2.5"})
    for number in range(1, frames):
        file.append_frame(data=image(add=number, **options))
    file.write(str(path))
    return path


def write_marccd(path):
    """Write a TIFF with the MarCCD block at byte 1024 (its ``frame.h``) and pixels at 4096."""
    data = image(dtype=np.uint16)
    rows, columns = data.shape
    tags = {256: columns, 257: rows, 258: 16, 259: 1, 262: 1, 273: 4096, 277: 1, 278: rows}
    tags[279] = data.nbytes
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    start = struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + bytes(4)
    fields = {
        "xtal_to_detector": 150_250,  # um
        "beam_x": 5_250,
        "beam_y": 3_125,
        "exposure_time": 1_500,
        "pixelsize_x": 79_346,  # nm
        "pixelsize_y": 79_346,
        "source_wavelength": 97_934,  # fm
        "start_phi": 30_500,
    }
    values = [b"\x00" if code == "c" else 0 for code in HEADER_FORMAT]
    for name, value in fields.items():
        values[HEADER_NAMES.index(name)] = value
    block = bytearray(struct.pack(HEADER_FORMAT, *values))
    block[4:7] = b"MMX"
    path.write_bytes(start.ljust(1024, b"\x00") + block + data.tobytes())
    return path


class TestTiff(ReaderConformance):
    format = "fabio_images"
    flips = 20

    @pytest.fixture
    def example(self, tmp_path):
        return write_pilatus(tmp_path / "a.tif")


@pytest.mark.slow
class TestCompressedPages(ReaderConformance):
    format = "fabio_images"
    flips = 20

    @pytest.fixture
    def example(self, tmp_path):
        path = tmp_path / "a.tif"
        frames = np.random.default_rng(3).integers(0, 999, (5, 16, 23), np.uint16)
        tifffile.imwrite(path, frames, compression="zlib", metadata=None)
        return path


class TestEdf(ReaderConformance):
    format = "fabio_images"
    flips = 20

    @pytest.fixture
    def example(self, tmp_path):
        return write_edf(tmp_path / "a.edf")


@pytest.mark.slow
class TestAdsc(ReaderConformance):
    format = "fabio_images"
    flips = 20

    @pytest.fixture
    def example(self, tmp_path):
        path = tmp_path / "a.img"
        header = {"WAVELENGTH": "0.9", "DISTANCE": "200.5", "PIXEL_SIZE": "0.1024", "TIME": "2"}
        AdscImage(data=image(dtype=np.uint16), header=header).write(str(path))
        return path


@pytest.mark.slow
class TestMarccd(ReaderConformance):
    format = "fabio_images"
    flips = 20

    @pytest.fixture
    def example(self, tmp_path):
        return write_marccd(tmp_path / "a.mccd")


# TIFF


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint32, np.float32, np.float64])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_pixels_of_any_type_and_byte_order(tmp_path, dtype, byteorder):
    tifffile.imwrite(tmp_path / "a.tif", image(dtype=dtype), byteorder=byteorder)
    data = bk.open(tmp_path / "a.tif")
    np.testing.assert_array_equal(data.image[0], image(dtype=dtype))
    assert data.image.dtype == np.dtype(dtype)
    assert data.attrs["kind"] == "image"
    assert "mask" not in data


@pytest.mark.parametrize(
    "options",
    [
        {"metadata": None},
        {"metadata": None, "compression": "zlib"},
        {"metadata": None, "rowsperstrip": 2},
        {"metadata": None, "tile": (16, 16)},
        {"imagej": True},
        {"bigtiff": True},
        {"ome": True},
    ],
)
def test_pages_are_frames_however_they_are_stored(tmp_path, options):
    frames = np.stack([image(add=number, dtype=np.uint16) for number in range(5)])
    tifffile.imwrite(tmp_path / "a.tif", frames, **options)
    data = bk.open(tmp_path / "a.tif")
    np.testing.assert_array_equal(data.image, frames)
    np.testing.assert_array_equal(data.image[2, 1:3], frames[2, 1:3])
    assert data.source.values.tolist() == [f"a.tif::{number}" for number in range(5)]


def test_pilatus_header_in_a_tiff_is_that_of_a_minicbf(tmp_path):
    data = bk.open(write_pilatus(tmp_path / "a.tif"))
    attrs = data.attrs
    assert (attrs["detector"], attrs["detector_serial"]) == ("PILATUS 100K", "1-0102")
    assert attrs["start_time"] == "2014-10-24T16:33:09"
    assert (attrs["threshold_energy"], attrs["exposure_time"]) == (6.35, 0.097)
    assert attrs["detector_origin"] == pytest.approx([9.5 * 172e-6, 4.25 * 175e-6, 0.25])
    assert json.loads(attrs["header"])["Excluded_pixels"] == "badpix_mask.tif"


def test_wavelength_and_distance_make_it_diffraction(tmp_path):
    assert bk.open(write_pilatus(tmp_path / "a.tif")).attrs["kind"] == "diffraction"
    data = bk.open(write_pilatus(tmp_path / "b.tif", drop=["Wavelength"]))
    assert data.attrs["kind"] == "image"


def test_kind_can_be_asked_for(tmp_path):
    path = write_pilatus(tmp_path / "a.tif", drop=["Wavelength"])
    data = bk.open(path, kind="diffraction", energy=12.4)
    assert data.frames.attrs["energy"] == 12.4


def test_flags_of_a_pilatus_become_a_mask(tmp_path):
    data = image()
    data[2, 3], data[4, 5] = -1, -2
    mask = bk.open(write_pilatus(tmp_path / "a.tif", data)).mask.values
    assert (mask[2, 3], mask[4, 5], np.count_nonzero(mask)) == (MASK_GAP, MASK_DEAD, 2)


def test_beam_center_of_zero_is_one_that_nobody_set(tmp_path):
    path = write_pilatus(tmp_path / "a.tif")
    path.write_bytes(path.read_bytes().replace(b"(9.50, 4.25)", b"(0.00, 0.00)"))
    attrs = bk.open(path).attrs
    assert "beam_center_x" not in attrs
    assert "detector_origin" not in attrs


def test_series_of_images_is_one_dataset_in_natural_order(tmp_path):
    for number in (1, 10, 2):
        write_pilatus(tmp_path / f"a{number}.tif", image(add=number), seconds=number)
    data = bk.open(str(tmp_path / "*.tif"))
    assert data.source.values.tolist() == ["a1.tif", "a2.tif", "a10.tif"]
    np.testing.assert_array_equal(data.frames[:, 0, 0], [1, 2, 10])
    np.testing.assert_array_equal(data.time, [0, 1, 9])


def test_colour_picture_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((5, 7, 3), np.uint8), photometric="rgb")
    with pytest.raises(UnreadableFileError, match=r"a\.tif: a picture of 3 colours"):
        bk.open(tmp_path / "a.tif")


def test_images_of_different_size_name_two_files(tmp_path):
    tifffile.imwrite(tmp_path / "1.tif", image())
    tifffile.imwrite(tmp_path / "2.tif", image(rows=9))
    with pytest.raises(ShapeError, match=r"2\.tif.*\(9, 11\).*1\.tif.*\(7, 11\)"):
        bk.open(tmp_path)


def test_images_of_different_formats_name_two_files(tmp_path):
    tifffile.imwrite(tmp_path / "1.tif", image())
    write_edf(tmp_path / "2.edf")
    with pytest.raises(ShapeError, match=r"1\.tif and .*2\.edf are of different formats"):
        bk.open([tmp_path / "1.tif", tmp_path / "2.edf"])


def test_file_that_is_no_image_in_a_series_is_named(tmp_path):
    tifffile.imwrite(tmp_path / "1.tif", image())
    (tmp_path / "2.tif").write_text("hello")
    with pytest.raises(UnreadableFileError, match=r"2\.tif"):
        bk.open([tmp_path / "1.tif", tmp_path / "2.tif"])


def test_every_truncation_of_a_tiff_names_the_file(tmp_path):
    content = write_pilatus(tmp_path / "a.tif").read_bytes()
    path = tmp_path / "cut.tif"
    for length in range(1, len(content), 61):
        path.write_bytes(content[:length])
        with pytest.raises(BeamkitError, match=r"cut\.tif"):
            bk.open(path).frames.load()


def test_every_truncation_of_many_pages_names_the_file(tmp_path):
    frames = np.stack([image(add=number, dtype=np.uint16) for number in range(5)])
    tifffile.imwrite(tmp_path / "a.tif", frames, metadata=None, contiguous=False, rowsperstrip=3)
    content = (tmp_path / "a.tif").read_bytes()
    path = tmp_path / "cut.tif"
    for length in range(1, len(content), 31):
        path.write_bytes(content[:length])
        with pytest.raises(BeamkitError, match=r"cut\.tif"):
            bk.open(path).image.load()


@pytest.mark.skipif(find_spec("imagecodecs") is not None, reason="imagecodecs is installed")
def test_compression_that_needs_another_package_is_named_with_it(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", image(), compression="zlib", metadata=None)
    content = bytearray((tmp_path / "a.tif").read_bytes())
    (at,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, at)
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        if struct.unpack_from("<H", content, entry)[0] == 259:  # compression
            struct.pack_into("<H", content, entry + 8, 34712)  # JPEG 2000
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(UnreadableFileError, match=r"a\.tif.*JPEG2000.*imagecodecs"):
        bk.open(tmp_path / "a.tif")


def test_impossible_size_of_a_compressed_tiff_is_refused_before_memory_is_taken(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", image(), compression="zlib", metadata=None)
    content = bytearray((tmp_path / "a.tif").read_bytes())
    (at,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, at)
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        if struct.unpack_from("<H", content, entry)[0] in (256, 257):  # width and length
            struct.pack_into("<HIHH", content, entry + 2, 3, 1, 60_000, 0)
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(UnreadableFileError, match=r"a\.tif"):
        bk.open(tmp_path / "a.tif").image.load()


# MarCCD


def test_marccd_header_is_converted(tmp_path):
    data = bk.open(write_marccd(tmp_path / "a.mccd"))
    attrs = data.attrs
    np.testing.assert_array_equal(data.frames[0], image(dtype=np.uint16))
    assert attrs["kind"] == "diffraction"
    assert attrs["detector_distance"] == 0.15025
    assert (attrs["beam_center_x"], attrs["beam_center_y"]) == (5.25, 3.125)
    assert attrs["pixel_size_x"] == 79.346e-6
    assert (attrs["wavelength"], attrs["exposure_time"], attrs["phi"]) == (0.97934, 1.5, 30.5)
    np.testing.assert_array_equal(fabio.open(str(tmp_path / "a.mccd")).data, data.frames[0])


# EDF and what else fabio reads


def test_frames_of_an_edf_are_frames(tmp_path):
    data = bk.open(write_edf(tmp_path / "a.edf"))
    np.testing.assert_array_equal(data.image[:, 0, 0], [0, 1, 2])
    np.testing.assert_array_equal(data.image[2], image(add=2))
    assert json.loads(data.attrs["header"])["motor"] == "2.5"
    assert data.attrs["title"] == "sample 7"


def test_saxs_keys_of_an_edf_are_converted(tmp_path):
    header = {
        "WaveLength": "9.9e-11",
        "SampleDistance": "2.5",
        "PSize_1": "172e-6",
        "PSize_2": "150e-6",
        "Center_1": "5.5",
        "Center_2": "3.25",
        "ExposureTime": "0.1",
    }
    attrs = bk.open(write_edf(tmp_path / "a.edf", frames=1, header=header)).attrs
    assert attrs["kind"] == "diffraction"
    assert attrs["wavelength"] == pytest.approx(0.99)
    assert attrs["detector_origin"] == pytest.approx([5.5 * 172e-6, 3.25 * 150e-6, 2.5])


def test_tiff_in_gzip_is_read(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", image())
    content = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "b.tif.gz").write_bytes(gzip.compress(content))
    np.testing.assert_array_equal(bk.open(tmp_path / "b.tif.gz").image[0], image())


def test_edf_in_gzip_is_read(tmp_path):
    content = write_edf(tmp_path / "a.edf").read_bytes()
    (tmp_path / "a.edf").unlink()
    (tmp_path / "b.edf.gz").write_bytes(gzip.compress(content))
    np.testing.assert_array_equal(bk.open(tmp_path / "b.edf.gz").image[1], image(add=1))


def test_edf_that_ends_early_is_an_error_not_zeros(tmp_path):
    path = write_edf(tmp_path / "a.edf", frames=1)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UnreadableFileError, match=r"a\.edf.*cut short"):
        bk.open(path)


def test_adsc_header_is_converted(tmp_path):
    header = {"WAVELENGTH": "0.9", "DISTANCE": "200.5", "PIXEL_SIZE": "0.1024", "OSC_START": "3"}
    path = tmp_path / "a.img"
    AdscImage(data=image(dtype=np.uint16), header=header).write(str(path))
    data = bk.open(path)
    np.testing.assert_array_equal(data.frames[0], image())
    assert data.attrs["detector_distance"] == 0.2005
    assert data.attrs["pixel_size_y"] == 102.4e-6
    assert data.attrs["start_angle"] == 3
    assert "beam_center_x" not in data.attrs


def test_json_is_no_edf(tmp_path):
    (tmp_path / "a.json").write_text('{"a": 1, "b": [1, 2]}')
    with pytest.raises(BeamkitError, match="JSON"):
        bk.open(tmp_path / "a.json")


def test_damage_is_told_once_and_not_printed_by_the_libraries(tmp_path, capfd):
    assert logging.lastResort is not None
    for path in (write_edf(tmp_path / "a.edf"), write_pilatus(tmp_path / "a.tif")):
        path.write_bytes(path.read_bytes()[:-30])
        with pytest.raises(UnreadableFileError):
            bk.open(path)
    assert capfd.readouterr() == ("", "")


def test_series_notes_are_of_the_first_header(tmp_path):
    for number in (1, 2):
        write_pilatus(tmp_path / f"{number}.tif")
    assumed = lines(bk.open(tmp_path).attrs, "assumed")
    assert len(assumed) == len(set(assumed)) == 2
