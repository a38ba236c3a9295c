"""Promises that every format keeps. A test class inherits them by giving an example file::

class TestDxchange(ReaderConformance):
    format = "dxchange"

    @pytest.fixture
    def example(self, tmp_path):
        return write_scan(tmp_path / "scan.h5")
"""

from __future__ import annotations

import json
import math
import pickle
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
import xarray as xr

import beamkit as bk
from beamkit.core.errors import BeamkitError, UnknownNameError, UnreadableFileError
from beamkit.core.schema import KINDS, lines, main_variable

#: More than this is not loaded: a flipped byte can make an empty dataset huge.
MOST_BYTES = 300e6


def load_all(data: xr.Dataset) -> None:
    """Read every number, or of a huge variable the first and the last block."""
    for variable in data.variables.values():
        if variable.nbytes < MOST_BYTES:
            np.asarray(variable)
        else:
            blocks = variable.data.blocks
            for corner in (0, -1):
                np.asarray(blocks[(corner,) * variable.ndim])


def names_file(error: BaseException, path: Path) -> bool:
    """Say whether the message names the file."""
    return path.name in str(error)


def as_netcdf_gives_it(value):
    """netCDF knows arrays of numbers and of texts; one of length 1 is a scalar."""
    plain = value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
    return plain[0] if isinstance(plain, list) and len(plain) == 1 else plain


class ReaderConformance:
    """Inherited by the tests of every format.

    Attributes
    ----------
    format
        Name of the reader's module.
    options
        Options needed to open the example.
    is_lazy
        Whether the main variable is a dask array; the columns of a scan need not be.
    may_be_shorter
        Whether a cut file may open as a shorter scan that says so in ``attrs["notes"]``.
    flips
        Number of damaged copies to try.
    """

    format: str
    options: dict = {}  # noqa: RUF012
    is_lazy = True
    may_be_shorter = False
    flips = 40

    @pytest.fixture
    def example(self, tmp_path) -> Path:
        raise NotImplementedError("write a tiny file of the format and return its path")

    def open(self, path) -> xr.Dataset:
        return bk.open(path, **self.options)

    def test_its_own_file_is_recognised(self, example):
        data = self.open(example)
        assert data.attrs["format"] == self.format
        assert data.attrs["kind"] in KINDS
        assert Path(data.attrs["source"]).name == example.name

    def test_a_file_of_another_kind_is_not_recognised(self, tmp_path):
        from beamkit.readers._formats import formats

        reader = next(each for each in formats() if each.name == self.format)
        for content in (
            b"",
            b"\x00" * 64,
            b"hello, this is text\n1 2 3\n",
            b"\x89HDF\r\n\x1a\n\x00",
        ):
            path = tmp_path / "other.dat"
            path.write_bytes(content)
            assert reader.can_read(path) is False or content.startswith(b"\x89HDF")

    def test_frames_are_read_when_computed(self, example):
        data = self.open(example)
        if self.is_lazy:
            assert isinstance(data[main_variable(data)].data, da.Array)

    def test_every_variable_and_coordinate_has_a_unit(self, example):
        data = self.open(example)
        without = [name for name, each in data.variables.items() if "units" not in each.attrs]
        assert without == []

    def test_geometry_is_on_the_main_variable_too(self, example):
        data = self.open(example)
        main = data[main_variable(data)].attrs
        for name in ("energy", "pixel_size_x", "detector_distance", "detector_origin"):
            assert main.get(name) == data.attrs.get(name)

    def test_attributes_are_text_numbers_and_lists(self, example):
        data = self.open(example)
        for attrs in (data.attrs, *(each.attrs for each in data.variables.values())):
            for name, value in attrs.items():
                parts = value if isinstance(value, list) else [value]
                assert parts, f"{name} is an empty list; absent means absent"
                assert all(type(part) in (str, int, float) for part in parts), name
        assert isinstance(json.loads(data.attrs["header"]), dict)

    def test_netcdf_gives_the_same_dataset_back(self, example, tmp_path):
        data = self.open(example)
        data.to_netcdf(tmp_path / "copy.nc", engine="h5netcdf")
        with xr.open_dataset(tmp_path / "copy.nc", engine="h5netcdf") as copy:
            xr.testing.assert_equal(copy, data)
            assert {name: each.dtype for name, each in copy.variables.items()} == {
                name: each.dtype for name, each in data.variables.items()
            }
            for one, other in [(copy, data), *((copy[n], data[n]) for n in data.variables)]:
                assert {n: as_netcdf_gives_it(v) for n, v in one.attrs.items()} == {
                    n: as_netcdf_gives_it(v) for n, v in other.attrs.items()
                }

    def test_dataset_pickles(self, example):
        data = self.open(example)
        xr.testing.assert_identical(pickle.loads(pickle.dumps(data)), data)

    def test_cut_file_is_an_error_that_names_it(self, example, tmp_path):
        content = example.read_bytes()
        whole = self.open(example)
        for part in (0.02, 0.25, 0.5, 0.75, 0.95):
            cut = tmp_path / f"cut{example.name}"
            cut.write_bytes(content[: math.floor(len(content) * part)])
            try:
                data = self.open(cut)
                load_all(data)
            except BeamkitError as error:
                assert names_file(error, cut), error  # noqa: PT017 (both outcomes are allowed)
            else:
                assert self.may_be_shorter, f"cut to {part:.0%} of its bytes, it opened in silence"
                assert data.sizes != whole.sizes
                assert lines(data.attrs, "notes")

    def test_empty_file_is_an_error_that_names_it(self, example, tmp_path):
        empty = tmp_path / f"empty{example.name}"
        empty.touch()
        with pytest.raises(UnreadableFileError, match="empty") as raised:
            self.open(empty)
        assert names_file(raised.value, empty)

    @pytest.mark.slow
    def test_damaged_file_opens_or_is_an_error_of_ours(self, example, tmp_path):
        content = example.read_bytes()
        random = np.random.default_rng(20)
        damaged = tmp_path / f"damaged{example.name}"
        for _ in range(self.flips):
            copy = bytearray(content)
            place = int(random.integers(len(copy)))
            copy[place] ^= int(random.integers(1, 256))
            damaged.write_bytes(copy)
            try:
                load_all(self.open(damaged))
            except BeamkitError as error:
                assert names_file(error, damaged), f"byte {place}: {error}"  # noqa: PT017
            except Exception as error:
                pytest.fail(f"byte {place} flipped: {type(error).__name__}: {error}")

    def test_unknown_option_is_refused_by_name(self, example):
        with pytest.raises(UnknownNameError, match="'enrgy'.*energy"):
            bk.open(example, **self.options, enrgy=12.4)
