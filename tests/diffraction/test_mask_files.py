"""Masks in files: our own, other programs', DAWN's."""

import fabio
import h5py
import numpy as np
import pytest

from beamkit.core.detectors import MASK_DEAD, MASK_GAP, MASK_NOISY, MASK_USER, MASK_VIRTUAL
from beamkit.core.errors import (
    ShapeError,
    UnknownNameError,
    UnreadableFileError,
    WriteError,
)
from beamkit.diffraction.mask import as_mask, counts, gaps, is_bad, load_mask, save_mask

SHAPE = (13, 37)  # 37: more than one word of Fit2D's 32 bits, not a multiple of it


@pytest.fixture
def mask():
    bits = np.zeros(SHAPE, np.uint32)
    bits[2:4] = MASK_GAP
    bits[0, 36] = MASK_DEAD
    bits[12, 1] = MASK_USER | MASK_NOISY
    bits[7, 5] = MASK_VIRTUAL
    return as_mask(bits)


class TestNexus:
    @pytest.mark.parametrize("suffix", [".nxs", ".h5", ".hdf5", ".HDF"])
    def test_keeps_every_bit(self, tmp_path, mask, suffix):
        path = save_mask(mask, tmp_path / f"mask{suffix}")
        found = load_mask(path, shape=SHAPE)
        np.testing.assert_array_equal(found, mask)
        assert found.dtype == np.uint32

    def test_a_crop_keeps_its_numbers(self, tmp_path, mask):
        crop = mask.isel(detector_y=slice(2, 9), detector_x=slice(30, 37))
        found = load_mask(save_mask(crop, tmp_path / "crop.nxs"))
        np.testing.assert_array_equal(found.detector_x, np.arange(30, 37))
        np.testing.assert_array_equal(found.detector_y, np.arange(2, 9))

    def test_is_an_nxdetector(self, tmp_path, mask):
        with h5py.File(save_mask(mask, tmp_path / "mask.nxs")) as file:
            group = file["entry/instrument/detector"]
            assert group.attrs["NX_class"] == "NXdetector"
            assert group["pixel_mask"].dtype == np.uint32
            plot = file[file.attrs["default"]][file["entry"].attrs["default"]]
            assert plot[plot.attrs["signal"]].shape == SHAPE
            assert list(plot.attrs["axes"]) == ["detector_y", "detector_x"]

    def test_masks_in_parts_are_combined(self, tmp_path):
        with h5py.File(tmp_path / "m.nxs", "w") as file:
            file["entry/detector/pixel_mask"] = np.array([[1, 0, 2]], np.uint32)
            file["entry/detector/pixel_mask_1"] = np.array([[0, 256, 256]], np.uint32)
        np.testing.assert_array_equal(load_mask(tmp_path / "m.nxs"), [[1, 256, 258]])

    def test_dectris_place_and_single_frames(self, tmp_path):
        with h5py.File(tmp_path / "master.h5", "w") as file:
            place = "entry/instrument/detector/detectorSpecific/pixel_mask"
            file[place] = np.array([[[1, 0, 4]]], np.uint32)
        np.testing.assert_array_equal(load_mask(tmp_path / "master.h5"), [[1, 0, 4]])

    def test_several_detectors_need_a_choice(self, tmp_path):
        with h5py.File(tmp_path / "m.nxs", "w") as file:
            file["entry/saxs/pixel_mask"] = np.array([[1, 0, 2]], np.uint32)
            file["entry/waxs/pixel_mask"] = np.array([[0, 8]], np.uint32)
        with pytest.raises(UnreadableFileError, match=r"several masks: entry/saxs.*data="):
            load_mask(tmp_path / "m.nxs")
        found = load_mask(tmp_path / "m.nxs", data="entry/waxs/pixel_mask")
        np.testing.assert_array_equal(found, [[0, 8]])
        with pytest.raises(UnreadableFileError, match="no dataset entry/other"):
            load_mask(tmp_path / "m.nxs", data="entry/other")

    def test_files_without_a_mask_are_refused(self, tmp_path):
        with h5py.File(tmp_path / "m.nxs", "w") as file:
            file["entry/data"] = np.zeros((2, 2))
        with pytest.raises(UnreadableFileError, match="no pixel_mask and no mask/mask"):
            load_mask(tmp_path / "m.nxs")


class TestOtherPrograms:
    @pytest.mark.parametrize("suffix", [".edf", ".tif", ".tiff", ".msk", ".npy"])
    def test_read_one_where_a_pixel_is_unusable(self, tmp_path, mask, suffix):
        path = save_mask(mask, tmp_path / f"mask{suffix}")
        peer = np.load(path) if suffix == ".npy" else fabio.open(path).data
        np.testing.assert_array_equal(peer != 0, is_bad(mask))
        assert set(np.unique(peer)) == {0, 1}

    @pytest.mark.parametrize("suffix", [".edf", ".tif", ".tiff", ".msk", ".npy"])
    def test_write_what_is_read_as_masked_by_the_user(self, tmp_path, mask, suffix):
        found = load_mask(save_mask(mask, tmp_path / f"mask{suffix}"), shape=SHAPE)
        np.testing.assert_array_equal(found, np.where(is_bad(mask), MASK_USER, 0))

    def test_floats_and_other_numbers_are_masked_where_not_zero(self, tmp_path):
        np.save(tmp_path / "m.npy", np.array([[0.0, 2.5, -1.0]]))
        np.testing.assert_array_equal(load_mask(tmp_path / "m.npy"), [[0, 256, 256]])

    def test_inverted_masks_are_read_on_request(self, tmp_path):
        np.save(tmp_path / "m.npy", np.array([[True, False, True]]))
        np.testing.assert_array_equal(load_mask(tmp_path / "m.npy", invert=True), [[0, 256, 0]])


class TestErrors:
    def test_another_shape(self, tmp_path, mask):
        path = save_mask(mask, tmp_path / "mask.npy")
        with pytest.raises(ShapeError, match=r"mask.npy: the mask has the shape \(13, 37\)"):
            load_mask(path, shape=(37, 13))

    def test_more_dimensions(self, tmp_path):
        np.save(tmp_path / "m.npy", np.zeros((2, 3, 4)))
        with pytest.raises(ShapeError, match="must have two dimensions"):
            load_mask(tmp_path / "m.npy")

    @pytest.mark.parametrize("suffix", [".npy", ".edf", ".tif", ".msk", ".nxs"])
    def test_damaged_files(self, tmp_path, suffix):
        (tmp_path / f"m{suffix}").write_bytes(b"no mask at all")
        with pytest.raises(UnreadableFileError, match=f"m{suffix} cannot be read"):
            load_mask(tmp_path / f"m{suffix}")

    @pytest.mark.parametrize("suffix", [".npy", ".edf", ".nxs"])
    def test_missing_files(self, tmp_path, suffix):
        with pytest.raises(UnreadableFileError, match="cannot be read: No such file"):
            load_mask(tmp_path / f"gone{suffix}")

    def test_unknown_endings(self, tmp_path, mask):
        with pytest.raises(UnknownNameError, match="no kind of mask file '.jpg'"):
            save_mask(mask, tmp_path / "mask.jpg")
        assert not list(tmp_path.iterdir())

    def test_folders_that_cannot_be_written(self, tmp_path, mask):
        (tmp_path / "file").write_text("not a folder")
        with pytest.raises(WriteError):
            save_mask(mask, tmp_path / "file" / "mask.npy")


def test_the_mask_of_dawn_has_the_pixels_that_it_says(data_folder):
    found = load_mask(
        data_folder / "powder/i22-363061/i22-363061_mask.nxs", shape=(1679, 1475)
    )  # fmt: skip
    # PROVENANCE.md: 517937 pixels, with every gap of the PILATUS 2M.
    assert counts(found) == {"masked by the user": 517937}
    assert is_bad(found).values[is_bad(gaps("PILATUS 2M")).values].all()
