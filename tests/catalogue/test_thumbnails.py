"""A thumbnail shows what the file holds, and says what is wrong with one that holds nothing."""

import io
import shutil

import h5py
import numpy as np
import pytest
import xarray as xr
from matplotlib.image import imread

from beamkit import samples
from beamkit.catalogue import thumbnail
from beamkit.catalogue import thumbnails as room
from beamkit.catalogue.thumbnails import ThumbnailCache


def stack(values, kind="image", dim="frame"):
    dims = (dim, "detector_y", "detector_x")
    name = {"image": "image", "diffraction": "frames", "tomography": "projections"}[kind]
    return xr.Dataset({name: (dims, np.asarray(values))}, attrs={"kind": kind})


def test_a_spot_of_one_pixel_is_seen_where_it_is():
    image = np.zeros((1, 301, 207), np.int32)
    image[0, 40, 190] = 900  # upper right
    found = thumbnail(stack(image, "diffraction"), size=64)
    assert found.pixels.shape == (61, 42)  # blocks of 5
    assert np.argwhere(found.pixels == found.pixels.max()).tolist() == [[8, 38]]
    assert found.pixels[8, 38] == 254


def test_gaps_masked_and_saturated_pixels_have_codes_of_their_own():
    data = stack(np.arange(60, dtype=np.uint16).reshape(1, 6, 10))
    data["mask"] = (("detector_y", "detector_x"), np.zeros((6, 10), np.uint32))
    data["mask"][0, 3], data["mask"][1, 4] = 1, 2  # gap, dead
    data.attrs["count_cutoff"] = 58
    codes = thumbnail(data).pixels
    assert (codes[0, 3], codes[1, 4], codes[5, 9]) == (0, 1, 255)
    rest = np.delete(codes.ravel(), [3, 14, 59])
    assert rest.min() >= 2
    assert rest.max() <= 254


def test_flags_of_a_pilatus_do_not_spoil_the_contrast(series):
    found = thumbnail(series.files[0], size=256)
    assert found.kind == "diffraction"
    assert found.pixels.shape == (98, 244)  # 195 x 487 by 2
    assert np.unique(found.pixels).size > 10


def test_the_flag_of_an_eiger_without_mask_is_masked():
    image = np.full((1, 5, 7), 3, np.uint32)
    image[0, 2, 4] = 2**32 - 1
    image[0, 1, 1] = 9
    codes = thumbnail(stack(image, "diffraction")).pixels
    assert codes[2, 4] == 1
    assert codes[1, 1] == 254


@pytest.mark.parametrize(
    ("kind", "index", "shown"),
    [("tomography", None, 3), ("image", None, 0), ("image", 5, 5), ("tomography", 1, 1)],
)
def test_which_image_of_a_stack(kind, index, shown):
    values = np.zeros((7, 4, 9))
    for number in range(7):
        values[number, number % 4, number] = 1.0
    found = thumbnail(
        stack(values, kind, "angle" if kind == "tomography" else "frame"), index=index
    )
    assert np.argwhere(found.pixels == 254).tolist() == [[shown % 4, shown]]
    assert found.frames == 7


def test_the_longest_side_is_at_most_the_size():
    for shape in ((300, 900), (900, 300), (2, 640), (640, 2), (129, 128)):
        assert max(thumbnail(stack(np.ones((1, *shape))), size=128).pixels.shape) <= 128


def test_a_sinogram_of_two_rows_keeps_its_rows():
    assert thumbnail(stack(np.ones((1, 2, 640))), size=128).pixels.shape == (2, 128)


def test_a_scan_is_a_curve_of_the_detector(tmp_path):
    sample = samples.scan(tmp_path / "1.dat", noise=False)
    found = thumbnail(sample.path)
    x, y = found.curve
    assert (found.kind, found.pixels) == ("scan", None)
    assert (x.min(), x.max(), y.min(), y.max()) == (0, 1, 0, 1)
    # The peak at 2.437 on the way from 2 to 3, to half a step of 81 points.
    assert x[np.argmax(y)] == pytest.approx(0.437, abs=0.007)


def test_a_volume_shows_its_middle_slice():
    values = np.zeros((5, 4, 6), np.float32)
    values[2, 1, 5] = 1
    volume = xr.Dataset({"volume": (("z", "y", "x"), values)}, attrs={"kind": "volume"})
    assert np.argwhere(thumbnail(volume).pixels == 254).tolist() == [[1, 5]]


def test_nan_is_masked():
    values = np.arange(20.0).reshape(1, 4, 5)
    values[0, 1, 2] = np.nan
    assert thumbnail(stack(values)).pixels[1, 2] == 1


@pytest.mark.parametrize("values", [np.zeros((1, 4, 5)), np.full((1, 4, 5), np.nan)])
def test_an_image_without_contrast_has_a_thumbnail(values):
    assert thumbnail(stack(values)).pixels.shape == (4, 5)


def test_a_file_cut_short_says_so(series, tmp_path):
    file = shutil.copy(series.files[0], tmp_path / "short_1.cbf")
    with file.open("r+b") as stream:
        stream.truncate(file.stat().st_size // 2)
    found = thumbnail(file)
    assert (found.kind, found.pixels) == ("unreadable", None)
    assert "short_1.cbf" in found.reason


def test_a_lost_source_is_named(tmp_path):
    with h5py.File(tmp_path / "x_master.h5", "w") as file:
        file.create_group("entry").attrs["NX_class"] = "NXentry"
        file["entry"].create_group("data").attrs["NX_class"] = "NXdata"
        file["entry/data/data_000001"] = h5py.ExternalLink("x_data_000001.h5", "/entry/data/data")
        file["entry/data"].attrs["signal"] = "data_000001"
    assert "x_data_000001.h5" in thumbnail(tmp_path / "x_master.h5").reason


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [("empty.cbf", "unreadable", "empty"), ("gone.cbf", "unreadable", "not there")],
)
def test_what_cannot_be_opened_says_why(tmp_path, name, kind, words):
    (tmp_path / "empty.cbf").touch()
    found = thumbnail(tmp_path / name)
    assert found.kind == kind
    assert words in found.reason


def test_a_file_of_another_kind_is_no_damage(tmp_path):
    (tmp_path / "notes.json").write_text('{"a": 1}')
    found = thumbnail(tmp_path / "notes.json")
    assert found.kind == "other"
    assert "JSON" in found.reason


def test_no_surprise_ends_the_work(monkeypatch, series):
    def surprise(_path):
        raise ZeroDivisionError("float division by zero")

    monkeypatch.setattr(room, "open_dataset", surprise)
    monkeypatch.setattr(room, "_CACHE", ThumbnailCache())
    assert "ZeroDivisionError" in thumbnail(series.files[0]).reason


def test_a_thumbnail_is_made_once_and_again_when_the_file_changes(series, tmp_path):
    file = shutil.copy(series.files[0], tmp_path)
    first = thumbnail(file)
    assert thumbnail(file) is first
    shutil.copyfile(series.files[1], file)
    assert thumbnail(file) is not first


def test_the_cache_is_bounded():
    cache = ThumbnailCache(keep=3000)
    made = [thumbnail(stack(np.ones((1, 20, 30))), size=32) for _ in range(4)]
    for number, one in enumerate(made):  # each takes 1100 bytes
        cache.put(number, one)
        cache.put(number, one)
    assert [cache.get(number) is not None for number in range(4)] == [False, False, True, True]


@pytest.mark.parametrize("curve", [False, True])
def test_png_shows_the_same_the_right_way_up(curve):
    if curve:
        data = xr.Dataset(
            {"intensity": ("q", np.arange(9.0))}, {"q": np.arange(9.0)}, {"kind": "pattern"}
        )
    else:
        data = stack(np.add.outer(np.arange(6.0), np.arange(9.0)[::-1])[None, ::-1])
    picture = imread(io.BytesIO(thumbnail(data).png(64, cmap="gray")), format="png")[..., 0]
    rows, columns = picture.shape
    if curve:  # rises from the lower left to the upper right
        assert picture[: rows // 3, 2 * columns // 3 :].max() == 1
        assert picture[: rows // 3, : columns // 3].max() == 0
    else:  # falls from the upper left to the lower right
        assert picture[0, 0] == 1
        assert picture[-1, -1] == 0


def test_real_frames_have_thumbnails(data_folder):
    files = [
        "cbf_pilatus/l-cyst_01_00001.cbf",
        "cbf_pilatus/thaumatin_grid/thau_3_2_0013.cbf.bz2",
        "eiger/vac_007_data_000001.h5",
        "tomography/k11_diad/k11-18014.nxs",
        "powder/CeO2_Pilatus1M.tif",
        "srs/i16_315029/315029-pilatus100k-files/00023.tif",
    ]
    for name in files:
        codes = thumbnail(data_folder / name).pixels
        levels = np.unique(codes[(codes > 1) & (codes < 255)])
        assert levels.size >= 2, name  # 0 or 1 count, in the emptiest
