"""Images as a tomography scan: angles, darks, flats, and what is missing."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
import tifffile
from readers.conformance import ReaderConformance

import beamkit as bk
from beamkit.core.errors import (
    MetadataError,
    ParameterError,
    ShapeError,
    UnreadableFileError,
)

ANGLES = [0.0, 45.5, 90.0, 135.25]


def frame(number):
    return (np.arange(15).reshape(3, 5) * 7 % 11 + 100 * number).astype(np.uint16)


@pytest.fixture
def raw(tmp_path):
    """A folder with four projections, two flats and one dark."""
    for name, count, value in (("raw", 4, 1), ("flat", 2, 20), ("dark", 1, 0)):
        (tmp_path / name).mkdir()
        for number in range(count):
            tifffile.imwrite(tmp_path / name / f"{name}_{number}.tif", frame(value + number))
    return tmp_path


class TestTiffStack(ReaderConformance):
    format = "tiff_stack"
    flips = 20
    options = {"angles": [0.0, 90.0, 180.0]}  # noqa: RUF012

    @pytest.fixture
    def example(self, tmp_path):
        path = tmp_path / "projections.tif"
        stack = np.stack([frame(number) for number in range(3)])
        tifffile.imwrite(path, stack, metadata=None, photometric="minisblack")
        return path


def opened(raw, **options):
    given = {"angles": ANGLES, "flats": str(raw / "flat" / "*.tif"), "darks": raw / "dark"}
    return bk.open(str(raw / "raw" / "*.tif"), kind="tomography", **{**given, **options})


def test_images_become_projections_flats_and_darks(raw):
    data = opened(raw)
    assert data.attrs["kind"] == "tomography"
    assert data.projections.dims == ("angle", "detector_y", "detector_x")
    np.testing.assert_array_equal(data.projections[:, 0, 0], [100, 200, 300, 400])
    np.testing.assert_array_equal(data.angle, ANGLES)
    assert data.angle.attrs["units"] == "deg"
    np.testing.assert_array_equal(data.flats[:, 0, 0], [2000, 2100])
    np.testing.assert_array_equal(data.darks[0], frame(0))
    assert data.projections.chunks is not None


def test_folder_with_kind_is_enough(raw):
    data = bk.open(raw / "raw", kind="tomography", angles=ANGLES)
    assert data.sizes["angle"] == 4
    assert "flats" not in data
    assert any("flats" in note for note in data.attrs["notes"])


def test_without_kind_the_same_files_are_images(raw):
    assert bk.open(raw / "raw").attrs["kind"] == "image"


def test_angles_may_stand_in_a_text_file_beside_the_images(raw):
    (raw / "raw" / "angles.txt").write_text("# deg\n" + "\n".join(map(str, ANGLES)) + "\n")
    np.testing.assert_array_equal(opened(raw, angles="angles.txt").angle, ANGLES)
    np.testing.assert_array_equal(opened(raw, angles=raw / "raw" / "angles.txt").angle, ANGLES)


def test_missing_angles_are_asked_for(raw):
    with pytest.raises(MetadataError, match=r"angles=np\.linspace\(0, 180, 4"):
        opened(raw, angles=None)


def test_wrong_number_of_angles_says_both_numbers(raw):
    with pytest.raises(ParameterError, match=r"\(3,\).*4 projections"):
        opened(raw, angles=ANGLES[:3])


def test_text_file_with_words_is_refused_by_name(raw):
    (raw / "angles.txt").write_text("0\nninety\n")
    with pytest.raises(UnreadableFileError, match=r"angles\.txt: one angle a line"):
        opened(raw, angles=raw / "angles.txt")


@pytest.mark.parametrize(
    "form", ["list", "name beside", "glob beside", "array", "one frame", "hdf5"]
)
def test_flats_in_every_form(raw, form):
    flats = np.stack([frame(20), frame(21)])
    with h5py.File(raw / "flats.h5", "w") as file:
        file["entry/flat"] = flats
    for number in (20, 21):
        tifffile.imwrite(raw / "raw" / f"f{number}.tiff", frame(number))
    value = {
        "list": [raw / "flat" / "flat_0.tif", str(raw / "flat" / "flat_1.tif")],
        "name beside": ["f20.tiff", "f21.tiff"],
        "glob beside": "f2*.tiff",
        "array": flats,
        "one frame": frame(20),
        "hdf5": f"{raw / 'flats.h5'}::/entry/flat",
    }[form]
    expected = flats[:1] if form == "one frame" else flats
    np.testing.assert_array_equal(opened(raw, flats=value).flats, expected)


def test_flats_of_another_size_are_refused(raw):
    tifffile.imwrite(raw / "odd.tif", np.zeros((3, 6), np.uint16))
    with pytest.raises(
        ShapeError, match=r"flats have detector size \(3, 6\), projections \(3, 5\)"
    ):
        opened(raw, flats=raw / "odd.tif")


@pytest.mark.parametrize("value", ["nothing_*.tif", []])
def test_flats_that_are_not_there_are_refused(raw, value):
    with pytest.raises(UnreadableFileError, match="nothing_|names no files"):
        opened(raw, flats=value)


def test_damaged_projection_is_named_when_read(raw):
    data = opened(raw)
    path = raw / "raw" / "raw_2.tif"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(UnreadableFileError, match=r"raw_2\.tif"):
        data.projections.load()
