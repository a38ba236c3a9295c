"""The door: which file is meant, which format it has, what the user knows better."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from types import ModuleType

import h5py
import numpy as np
import pytest
import xarray as xr
from readers.test_dxchange import write_scan
from readers.test_nexus import write_images

import beamkit as bk
from beamkit import readers
from beamkit.core.errors import (
    ParameterError,
    UnknownFormatError,
    UnknownNameError,
    UnreadableFileError,
)
from beamkit.core.history import entries
from beamkit.core.schema import lines
from beamkit.readers import _formats
from beamkit.readers._paths import natural_key


@pytest.fixture
def scan(tmp_path):
    return write_scan(tmp_path / "scan.h5")


def test_every_format_has_what_the_door_needs():
    found = {each.name: each for each in _formats.formats()}
    assert tuple(found) == readers.FORMATS
    for each in found.values():
        assert each.description
        assert each.can_read(Path("/nothing/here.xyz")) is False


def test_every_module_that_reads_is_in_formats():
    folder = Path(readers.__file__).parent
    modules = {path.stem for path in folder.glob("*.py") if not path.name.startswith("_")}
    assert modules == set(readers.FORMATS), "add the module's name to readers.FORMATS"


def test_package_of_its_own_adds_a_format(tmp_path, monkeypatch):
    module = ModuleType("mine")
    module.DESCRIPTION = "a file of mine"
    module.can_read = lambda path: path.suffix == ".mine"
    module.read = lambda paths, *, gain=1.0: xr.Dataset(
        {"image": (("frame", "detector_y", "detector_x"), np.full((1, 2, 3), gain))},
        attrs={"kind": "image"},
    )

    class Point:
        name = "mine"

        def load(self):
            return module

    monkeypatch.setattr(_formats, "entry_points", lambda group: [Point()])
    path = tmp_path / "a.mine"
    path.write_bytes(b"\x01\x02")
    assert float(bk.open(path, gain=3.0).image.max()) == 3


# Which file


def test_path_can_be_text_path_or_list(scan):
    for given in (str(scan), scan, [scan], (str(scan), scan)):
        assert bk.open(given).attrs["source"] == str(scan)


def test_path_beside_the_working_directory_stays_right_after_leaving_it(scan, monkeypatch):
    monkeypatch.chdir(scan.parent)
    data = bk.open("scan.h5")
    monkeypatch.chdir("/")
    assert data.projections.shape == data.projections.compute().shape
    assert os.path.isabs(data.attrs["source"])  # noqa: PTH117


def test_files_of_a_series_are_in_natural_order():
    names = ["a/f10.cbf", "a/f2.cbf", "a/f1.cbf", "b/f1.cbf"]
    expected = ["a/f1.cbf", "a/f2.cbf", "a/f10.cbf", "b/f1.cbf"]
    assert sorted(names, key=natural_key) == expected


def test_missing_file_is_an_error_that_names_the_nearest(scan):
    with pytest.raises(UnreadableFileError, match="scam.h5 is not there. Did you mean .*scan.h5"):
        bk.open(scan.with_name("scam.h5"))
    with pytest.raises(OSError, match="folder .* is not there either"):
        bk.open("/no/such/folder/scan.h5")


def test_glob_without_match_lists_the_folder(scan):
    with pytest.raises(UnreadableFileError, match=r"No file matches .*\*.cbf.*holds: scan.h5"):
        bk.open(f"{scan.parent}/*.cbf")


def test_folder_with_one_scan_opens_it(scan):
    (scan.parent / "notes.txt").write_text("hello")
    assert bk.open(scan.parent).attrs["source"] == str(scan)


def test_folder_with_several_scans_names_them(scan):
    write_scan(scan.with_name("other.h5"))
    with pytest.raises(ParameterError, match="2 files.*other.h5, scan.h5"):
        bk.open(scan.parent)


def test_folder_without_readable_files_says_what_it_holds(tmp_path):
    with pytest.raises(UnreadableFileError, match="no file that beamkit can read .no files"):
        bk.open(tmp_path)
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(UnreadableFileError, match="1 of '.txt'"):
        bk.open(tmp_path)


@pytest.mark.parametrize("given", [3, None, [], [3]])
def test_what_is_not_a_path_is_refused(given):
    with pytest.raises(ParameterError, match="does not name a file"):
        bk.open(given)


# Which format


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"some text\nof two lines\n", "text that begins with 'some text'"),
        (b"\x00\x01\x02\x03" * 4, "unknown kind .it begins with the bytes 00 01 02 03"),
        (b"%PDF-1.4\n", "a PDF document"),
        (b"PK\x03\x04....", "a ZIP archive"),
    ],
)
def test_unknown_file_is_described(tmp_path, content, words):
    path = tmp_path / "file.dat"
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match=rf"file.dat.*{words}"):
        bk.open(path)


def test_unknown_file_lists_the_formats_and_what_to_try(tmp_path):
    path = tmp_path / "file.dat"
    path.write_bytes(b"\x01" * 20)
    with pytest.raises(UnknownFormatError, match=r"Known: .*NXtomo.*Data Exchange.*data=\"/a/b\""):
        bk.open(path)


def test_unreadable_permissions_are_an_error_of_ours(tmp_path):
    folder = tmp_path / "sub"
    folder.mkdir()
    (tmp_path / "link.h5").symlink_to(tmp_path / "gone.h5")
    with pytest.raises(UnreadableFileError, match="link.h5 is not there"):
        bk.open(tmp_path / "link.h5")


def test_kind_must_be_known_and_the_right_one(scan):
    with pytest.raises(UnknownNameError, match="'tomograpy'.*Did you mean 'tomography'"):
        bk.open(scan, kind="tomograpy")
    with pytest.raises(ParameterError, match="opens as 'tomography', not as 'image'"):
        bk.open(scan, kind="image")
    assert bk.open(scan, kind="tomography").attrs["kind"] == "tomography"


# What the user knows better


def test_override_replaces_and_is_recorded_with_the_old_value(scan):
    data = bk.open(scan, energy=30)
    for attrs in (data.attrs, data.projections.attrs):
        assert attrs["energy"] == 30.0
        # hc = 12.398419843320026 keV angstrom (CODATA 2018)
        assert attrs["wavelength"] == pytest.approx(12.398419843320026 / 30)
    (entry,) = entries(data.attrs)
    assert entry["name"] == "open"
    assert entry["parameters"]["energy"] == {"old": 27.4, "new": 30.0}
    assert entry["parameters"]["wavelength"]["new"] == pytest.approx(0.41328066)


def test_wavelength_given_changes_the_energy(scan):
    assert bk.open(scan, wavelength=1.0).attrs["energy"] == pytest.approx(12.398419843320026)


def test_nothing_given_leaves_no_history(scan):
    assert "history" not in bk.open(scan).attrs


def test_pairs_are_one_number_or_x_and_y(scan):
    attrs = bk.open(scan, pixel_size=1e-6, effective_pixel_size=(2e-6, 3e-6)).attrs
    assert (attrs["pixel_size_x"], attrs["pixel_size_y"]) == (1e-6, 1e-6)
    assert (attrs["effective_pixel_size_x"], attrs["effective_pixel_size_y"]) == (2e-6, 3e-6)


def test_beam_center_given_moves_the_detector(tmp_path):
    path = write_images(tmp_path / "images.nxs")
    data = bk.open(path, beam_center=(10, 20), detector_distance=0.5)
    np.testing.assert_allclose(data.attrs["detector_origin"], [10 * 172e-6, 20 * 172e-6, 0.5])
    assert data.frames.attrs["detector_origin"] == data.attrs["detector_origin"]


def test_detector_given_moves_the_beam_center(tmp_path):
    path = write_images(tmp_path / "images.nxs")
    attrs = bk.open(path, detector_origin=[172e-5, 344e-5, 0.25]).attrs
    assert (attrs["beam_center_x"], attrs["beam_center_y"]) == pytest.approx((10, 20))
    assert attrs["detector_distance"] == pytest.approx(0.25)


def test_what_was_assumed_is_not_once_it_is_given(scan):
    assert any(line.startswith("rotation_sense") for line in lines(bk.open(scan).attrs, "assumed"))
    given = bk.open(scan, rotation_sense=-1)
    assert given.attrs["rotation_sense"] == -1
    assert "assumed" not in given.attrs


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"energy": "53 keV"}, "energy='53 keV' is not a number. Give it in keV"),
        ({"energy": -1}, "energy=-1 is impossible. Give a number above 0 in keV"),
        ({"energy": float("nan")}, "is impossible"),
        ({"energy": True}, "is not a number"),
        ({"beam_center": 12}, "not a pair of numbers. Give .x, y. in pixel"),
        ({"pixel_size": (1, 2, 3)}, "not a pair of numbers"),
        ({"detector_origin": 3}, "three numbers"),
        ({"rotation_sense": 2}, "rotation_sense=2"),
    ],
)
def test_impossible_override_is_refused(scan, options, words):
    with pytest.raises(ParameterError, match=words):
        bk.open(scan, **options)


def test_unknown_option_lists_those_that_exist(scan):
    with pytest.raises(UnknownNameError, match="'anlges'.*Did you mean 'angles'.*energy"):
        bk.open(scan, anlges=3)


# xarray's side


def test_xarray_opens_it_by_name(scan):
    data = xr.open_dataset(scan, engine="beamkit", energy=30, drop_variables="darks")
    assert data.attrs["energy"] == 30
    assert set(data.data_vars) == {"projections", "flats"}
    with pytest.raises(ParameterError, match="opens paths, not"):
        xr.open_dataset(h5py.File, engine="beamkit")


def test_xarray_does_not_give_us_files_unasked(tmp_path):
    xr.Dataset({"a": ("x", [1.0, 2.0])}).to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    assert xr.open_dataset(tmp_path / "a.nc").a.values.tolist() == [1, 2]


def test_history_is_text_that_pickles(scan):
    data = pickle.loads(pickle.dumps(bk.open(scan, energy=30)))
    assert json.loads(data.attrs["history"])[0]["name"] == "open"
