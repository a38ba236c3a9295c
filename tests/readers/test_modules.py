"""Files of modules become frames of the whole detector, with nothing moved, lost or invented."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import dask.array as da
import h5py
import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

import beamkit as bk
from beamkit.core.detectors import EXCALIBUR, MASK_DEAD, MASK_GAP, MASK_NOISY
from beamkit.core.errors import ParameterError, ShapeError, UnknownNameError, UnreadableFileError
from beamkit.readers import Placement, assemble_modules

#: Diamond's EXCALIBUR: first row of each row of chips, by the spacings of 3 and 123 pixels.
ROWS = (0, 259, 638, 897, 1276, 1535)
FRAMES = 2


@pytest.fixture(scope="module")
def raw() -> NDArray[np.uint16]:
    """Frames without gaps in which no two neighbours are alike."""
    frame, row, column = np.ogrid[:FRAMES, :1536, :2048]
    return ((frame * 7919 + row * 31 + column * 3 + row * column % 13) % 60013).astype(np.uint16)


@pytest.fixture(scope="module")
def whole(raw: NDArray[np.uint16], tmp_path_factory: pytest.TempPathFactory) -> NDArray[np.uint16]:
    """The same with gaps of zeros, put together by HDF5."""
    folder = tmp_path_factory.mktemp("virtual")
    stripes = write_stripes(folder, raw, 6)
    with h5py.File(write_virtual(folder / "whole.h5", stripes, fill=0)) as file:
        return np.asarray(file["data"][()], np.uint16)


def write_stripes(folder: Path, raw: NDArray[np.uint16], number: int) -> list[Path]:
    paths = [folder / f"stripe_{k}.h5" for k in range(number)]
    for path, part in zip(paths, np.split(raw, number, axis=1), strict=True):
        with h5py.File(path, "w") as file:
            file.create_dataset("data", data=part, chunks=(1, *part.shape[1:]))
    return paths


def write_virtual(path: Path, stripes: list[Path], *, fill: int) -> Path:
    """Write the virtual dataset as Diamond's vds-gen does: chip by chip, names relative."""
    layout = h5py.VirtualLayout((FRAMES, 1791, 2069), np.uint16)
    for top, stripe in zip(ROWS, stripes, strict=True):
        source = h5py.VirtualSource(stripe.name, "data", (FRAMES, 256, 2048), np.uint16)
        for chip in range(8):
            left = chip * 259
            layout[:, top : top + 256, left : left + 256] = source[
                :, :, chip * 256 : chip * 256 + 256
            ]
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("data", layout, fillvalue=fill)
    return path


def good(data: xr.Dataset) -> NDArray[np.bool_]:
    return np.asarray(data["mask"].values == 0)


@pytest.mark.parametrize("number", [1, 3, 6])
def test_stripes_of_an_excalibur_give_what_the_virtual_dataset_gives(
    tmp_path: Path, raw: NDArray[np.uint16], whole: NDArray[np.uint16], number: int
) -> None:
    data = assemble_modules(write_stripes(tmp_path, raw, number))
    assert data["image"].shape == whole.shape
    assert data["image"].dtype == np.uint16
    np.testing.assert_array_equal(good(data), ~EXCALIBUR.gaps())
    np.testing.assert_array_equal(data["mask"].values[~good(data)], MASK_GAP)
    np.testing.assert_array_equal(data["image"].values[:, good(data)], whole[:, good(data)])
    assert data.attrs["pixel_size_x"] == pytest.approx(55e-6)


def test_chips_one_by_one_give_the_same(
    tmp_path: Path, raw: NDArray[np.uint16], whole: NDArray[np.uint16]
) -> None:
    (path,) = write_stripes(tmp_path, raw, 1)
    opened = bk.open(path)
    chips = [
        opened.isel(
            detector_y=slice(256 * row, 256 * row + 256),
            detector_x=slice(256 * column, 256 * column + 256),
        )
        for row in range(6)
        for column in range(8)
    ]
    data = assemble_modules(chips, layout="excalibur")
    np.testing.assert_array_equal(data["image"].values[:, good(data)], whole[:, good(data)])


def test_modules_go_where_they_are_placed_and_are_turned() -> None:
    upper, lower = (np.arange(2 * 3 * 5).reshape(2, 3, 5) + add for add in (100, 200))
    data = assemble_modules(
        [stack(upper), stack(lower)],
        layout=[Placement(0, 2), Placement(4, 0, flip_rows=True, flip_columns=True)],
    )
    expected = np.full((2, 7, 7), -1)
    expected[:, 0:3, 2:7] = upper
    for row in range(3):
        for column in range(5):
            expected[:, 4 + row, column] = lower[:, 2 - row, 4 - column]
    np.testing.assert_array_equal(data["image"].values, expected)
    np.testing.assert_array_equal(data["mask"].values, np.where(expected[0] < 0, MASK_GAP, 0))


def test_masks_of_the_modules_go_along() -> None:
    one, two = (stack(np.ones((1, 3, 4), np.int32)) for _ in range(2))
    one["mask"] = (("detector_y", "detector_x"), np.zeros((3, 4), np.uint32))
    one["mask"][1, 2] = MASK_NOISY
    data = assemble_modules([one, two], layout=[Placement(0, 0), Placement(0, 5)])
    expected = np.zeros((3, 9), np.uint32)
    expected[:, 4] = MASK_GAP
    expected[1, 2] = MASK_NOISY
    np.testing.assert_array_equal(data["mask"].values, expected)


def test_only_the_frame_asked_for_is_read() -> None:
    seen: list[tuple[int, ...]] = []

    def spied(block: NDArray[np.int32], block_info: dict | None = None) -> NDArray[np.int32]:
        if isinstance(block_info, dict) and block_info:
            seen.append(tuple(block_info[0]["chunk-location"]))
        return block

    modules = []
    for number in range(2):
        frames = da.full((5, 3, 4), number, dtype=np.int32, chunks=(1, 3, 4))
        modules.append(stack(frames.map_blocks(spied, dtype=np.int32)))
    data = assemble_modules(modules, layout=[Placement(0, 0), Placement(3, 0)])
    assert seen == []
    data["image"][3].compute()
    assert sorted(seen) == [(3, 0, 0), (3, 0, 0)]


def test_what_was_put_together_can_be_sent_to_another_process(
    tmp_path: Path, raw: NDArray[np.uint16]
) -> None:
    data = assemble_modules(write_stripes(tmp_path, raw, 3))
    again = pickle.loads(pickle.dumps(data))
    np.testing.assert_array_equal(again["image"][1].values, data["image"][1].values)


def test_a_missing_module_is_refused_by_name_or_left_empty(
    tmp_path: Path, raw: NDArray[np.uint16], whole: NDArray[np.uint16]
) -> None:
    stripes = write_stripes(tmp_path, raw, 6)
    stripes[2].unlink()
    with pytest.raises(UnreadableFileError, match="stripe_2"):
        assemble_modules(stripes)
    check_without_third(assemble_modules(stripes, on_error="mark"), whole)


def test_a_module_cut_short_is_refused_by_name_or_left_empty(
    tmp_path: Path, raw: NDArray[np.uint16], whole: NDArray[np.uint16]
) -> None:
    stripes = write_stripes(tmp_path, raw, 6)
    with stripes[2].open("r+b") as file:
        file.truncate(stripes[2].stat().st_size * 6 // 10)
    with pytest.raises(UnreadableFileError, match="stripe_2"):
        assemble_modules(stripes)
    check_without_third(assemble_modules(stripes, on_error="mark"), whole)


def check_without_third(data: xr.Dataset, whole: NDArray[np.uint16]) -> None:
    expected = np.where(EXCALIBUR.gaps(), MASK_GAP, 0)
    third = np.zeros_like(expected, bool)
    third[638 : 638 + 256] = ~EXCALIBUR.gaps()[638 : 638 + 256]
    expected[third] = MASK_DEAD
    np.testing.assert_array_equal(data["mask"].values, expected)
    np.testing.assert_array_equal(data["image"].values[:, good(data)], whole[:, good(data)])
    assert (data["image"].values[:, third] == 65535).all()
    assert "module 2" in str(data.attrs["notes"])


def test_a_module_with_fewer_frames_is_refused_or_ends_with_empty_ones() -> None:
    modules = [stack(np.full((n, 3, 4), n, np.int32)) for n in (5, 3)]
    places = [Placement(0, 0), Placement(0, 4)]
    with pytest.raises(ShapeError, match="number of frames"):
        assemble_modules(modules, layout=places)
    data = assemble_modules(modules, layout=places, on_error="mark")
    assert data["image"].shape == (5, 3, 8)
    values = data["image"].values
    assert (values[:, :, :4] == 5).all()
    assert (values[:3, :, 4:] == 3).all()
    assert (values[3:, :, 4:] == -1).all()
    assert "3 frames of 5" in str(data.attrs["notes"])


def test_attributes_that_differ_are_listed_and_the_beam_of_one_module_is_left_out() -> None:
    one, two = (stack(np.ones((1, 3, 4), np.int32)) for _ in range(2))
    one.attrs.update(energy=12.4, exposure_time=0.1, beam_center_x=3.5)
    two.attrs.update(energy=12.4, exposure_time=0.2, beam_center_x=-3.5)
    data = assemble_modules([one, two], layout=[Placement(0, 0), Placement(0, 4)])
    assert data.attrs["energy"] == 12.4
    assert "exposure_time" not in data.attrs
    assert "beam_center_x" not in data.attrs
    assert "exposure_time" in str(data.attrs["conflicts"])
    assert "beam_center_x" in str(data.attrs["notes"])


def _sizes() -> list[xr.Dataset]:
    return [stack(np.ones((1, 3, size), np.int32)) for size in (4, 5)]


def _types() -> list[xr.Dataset]:
    return [stack(np.ones((1, 3, 4), dtype)) for dtype in (np.int32, np.int16)]


@pytest.mark.parametrize(
    ("modules", "layout", "error", "words"),
    [
        (_sizes, [Placement(0, 0), Placement(9, 0)], ShapeError, "differ in size"),
        (_types, [Placement(0, 0), Placement(9, 0)], ParameterError, "differ in type"),
        (lambda: _sizes()[:1] * 2, [Placement(0, 0), Placement(2, 3)], ParameterError, "overlap"),
        (lambda: _sizes()[:1], [Placement(-1, 0)], ParameterError, "count from 0"),
        (lambda: _sizes()[:1], [Placement(0, 0)] * 2, ParameterError, "1 modules and 2"),
        (lambda: _sizes()[:1], "EXCALIBUR", ShapeError, "6 x 8 modules"),
        (lambda: _sizes()[:1], "EXCALIBER", UnknownNameError, "EXCALIBUR"),
        (list, "EXCALIBUR", ParameterError, "No modules"),
    ],
)
def test_modules_that_make_no_frame_are_refused(
    modules: Callable[[], list[xr.Dataset]],
    layout: str | list[Placement],
    error: type[Exception],
    words: str,
) -> None:
    with pytest.raises(error, match=words):
        assemble_modules(modules(), layout=layout)


@pytest.fixture
def virtual(tmp_path: Path, raw: NDArray[np.uint16]) -> Path:
    """A virtual dataset whose gaps hold a number that looks like counts, moved after writing."""
    first, then = tmp_path / "first", tmp_path / "then"
    first.mkdir()
    write_virtual(first / "virtual.h5", write_stripes(first, raw, 6), fill=7)
    first.rename(then)
    return then / "virtual.h5"


def check_virtual(data: xr.Dataset, whole: NDArray[np.uint16]) -> None:
    np.testing.assert_array_equal(data["mask"].values != 0, EXCALIBUR.gaps())
    values = data[next(name for name in ("frames", "image") if name in data)].values
    np.testing.assert_array_equal(values[:, good(data)], whole[:, good(data)])


def test_gaps_of_a_virtual_dataset_are_masked(virtual: Path, whole: NDArray[np.uint16]) -> None:
    check_virtual(bk.open(virtual), whole)


def test_gaps_are_found_through_an_external_link_and_a_second_virtual_dataset(
    tmp_path: Path, virtual: Path, whole: NDArray[np.uint16]
) -> None:
    with h5py.File(tmp_path / "linked.h5", "w") as file:
        file["images"] = h5py.ExternalLink("then/virtual.h5", "data")
    check_virtual(bk.open(tmp_path / "linked.h5", data="/images"), whole)
    layout = h5py.VirtualLayout(whole.shape, np.uint16)
    layout[:] = h5py.VirtualSource("then/virtual.h5", "data", whole.shape, np.uint16)
    with h5py.File(tmp_path / "second.h5", "w") as file:
        file.create_virtual_dataset("data", layout)
    check_virtual(bk.open(tmp_path / "second.h5"), whole)


def test_gaps_are_added_to_the_mask_of_a_nexus_file(
    tmp_path: Path, virtual: Path, whole: NDArray[np.uint16]
) -> None:
    bits = np.zeros((1791, 2069), np.uint32)
    bits[5, 9] = MASK_NOISY
    with h5py.File(tmp_path / "scan.nxs", "w") as file:
        file.attrs["default"] = "entry"
        entry = file.create_group("entry")
        entry.attrs["NX_class"] = "NXentry"
        detector = entry.create_group("instrument/detector")
        entry["instrument"].attrs["NX_class"] = "NXinstrument"
        detector.attrs["NX_class"] = "NXdetector"
        detector["data"] = h5py.ExternalLink("then/virtual.h5", "data")
        detector["pixel_mask"] = bits
    values = bk.open(tmp_path / "scan.nxs")["mask"].values
    assert values[5, 9] == MASK_NOISY
    np.testing.assert_array_equal((values & MASK_GAP) != 0, EXCALIBUR.gaps())


def test_a_virtual_dataset_without_gaps_has_none(tmp_path: Path, raw: NDArray[np.uint16]) -> None:
    stripes = write_stripes(tmp_path, raw, 3)
    layout = h5py.VirtualLayout(raw.shape, np.uint16)
    for number, stripe in enumerate(stripes):
        part = slice(512 * number, 512 * number + 512)
        layout[:, part] = h5py.VirtualSource(stripe.name, "data", (FRAMES, 512, 2048), np.uint16)
    with h5py.File(tmp_path / "raw.h5", "w") as file:
        file.create_virtual_dataset("data", layout)
    assert (bk.open(tmp_path / "raw.h5")["mask"].values == 0).all()


def test_files_of_a_lambda_lie_where_their_translations_say(data_folder: Path) -> None:
    paths = sorted((data_folder / "multimodule").glob("testasapo1_1009_00002_m?_part00000.nxs"))
    data = assemble_modules(paths, layout="file")
    frames = data[next(name for name in ("frames", "image") if name in data)]
    assert frames.shape == (10, 1833, 1556)  # what Dioptas' test states
    for path, row, column in zip(paths, (0, 660, 1317), (2, 0, 0), strict=True):
        with h5py.File(path) as file:
            module = file["entry/instrument/detector/data"][4]
        part = frames[4, row : row + 516, column : column + 1554].values
        np.testing.assert_array_equal(part, module)


def stack(values: NDArray[np.int32] | da.Array) -> xr.Dataset:
    dims = ("frame", "detector_y", "detector_x")
    image = xr.DataArray(values, dims=dims, attrs={"units": "counts"})
    return xr.Dataset({"image": image}, attrs={"kind": "image", "format": "hdf5"})
