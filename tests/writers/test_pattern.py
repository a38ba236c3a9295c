"""Patterns to files and back; other programs' readers see the same numbers."""

import json

import h5py
import numpy as np
import pytest
import xarray as xr

import beamkit as bk
from beamkit import writers
from beamkit.core.errors import (
    InvalidPixelsError,
    MetadataError,
    ParameterError,
    ShapeError,
    UnknownNameError,
    WriteError,
)

HISTORY = json.dumps(
    [{"name": "integrate", "version": "0", "parameters": {"npt": 5}, "time": "2026-01-02T03:04:05"}]
)


def make(axis="q", unit="1/angstrom", frames=3, *, sigma=True):
    """A pattern of five bins, or several; no two numbers are the same."""
    x = np.array([0.11, 0.23, 0.35, 0.47, 0.59])
    lead = () if frames is None else ("frame",)
    shape = (5,) if frames is None else (frames, 5)
    values = np.arange(1.0, 1 + np.prod(shape)).reshape(shape) ** 1.5
    units = {"units": "counts", "long_name": "intensity", "wavelength": 0.4066}
    data = {"intensity": ((*lead, axis), values, units)}
    if sigma:
        data["sigma"] = ((*lead, axis), np.sqrt(values) / 7, {"units": "counts"})
    data["weight"] = ((axis,), x * 100, {"units": "pixel"})
    coords = {axis: (axis, x, {"units": unit})}
    if frames is not None:
        coords["angle"] = ("frame", np.arange(frames) * 0.25 - 3, {"units": "deg"})
        coords["file"] = ("frame", [f"f{n}.cbf" for n in range(frames)])
    attrs = {
        "kind": "pattern", "wavelength": 0.4066, "energy": 30.4926, "detector_distance": 0.2087,
        "pixel_size_x": 172e-6, "pixel_size_y": 172e-6, "sample": "ceria", "title": "run 7",
        "assumed": ["one", "two"], "history": HISTORY, "header": "{}", "source": "/x/DC_7.cbf",
        "detector_origin": [0.08, 0.09, 0.2],
    }  # fmt: skip
    return xr.Dataset(data, coords, attrs)


@pytest.mark.parametrize("frames", [None, 1, 3])
@pytest.mark.parametrize("axis", [("q", "1/angstrom"), ("two_theta", "deg"), ("radius", "mm")])
def test_nxdata_gives_the_same_dataset_back(axis, frames, tmp_path):
    data = make(*axis, frames)
    assert data.bk.save(tmp_path / "p.nxs") == [tmp_path / "p.nxs"]
    back = bk.open(tmp_path / "p.nxs")
    xr.testing.assert_equal(back, data)
    for name in ("history", "assumed", "detector_origin", "sample", "wavelength"):
        assert back.attrs[name] == data.attrs[name]
    assert back.attrs["kind"] == "pattern"
    assert back.intensity.attrs["units"] == "counts"
    assert back.intensity.attrs["wavelength"] == 0.4066


def test_cake_is_kept_as_nxdata_and_refused_as_text(tmp_path):
    cake = make(frames=3).rename(frame="chi").drop_vars(["angle", "file"])
    cake = cake.assign_coords(chi=("chi", [-120.0, 0.0, 120.0], {"units": "deg"}))
    cake.bk.save(tmp_path / "cake.nxs")
    xr.testing.assert_equal(bk.open(tmp_path / "cake.nxs"), cake)
    for name in ("cake.xye", "cake.chi"):
        with pytest.raises(ShapeError, match="line_profile"):
            cake.bk.save(tmp_path / name)
    with pytest.raises(ShapeError, match="this is a cake"):
        cake.bk.save(tmp_path / "other.h5", format="nxcansas")


def test_silx_plots_signal_axis_and_errors(tmp_path, require):
    nxdata = require("silx.io.nxdata", "test")
    data = make()
    data.bk.save(tmp_path / "p.nxs")
    data.isel(frame=1).bk.save(tmp_path / "c.h5", format="nxcansas")
    with h5py.File(tmp_path / "p.nxs") as file:
        seen = nxdata.get_default(file)
        assert seen.is_valid
        np.testing.assert_array_equal(seen.signal, data.intensity)
        np.testing.assert_array_equal(seen.errors, data.sigma)
        np.testing.assert_array_equal(seen.axes[-1], data.q)
    with h5py.File(tmp_path / "c.h5") as file:
        seen = nxdata.get_default(file)
        assert seen.is_valid
        np.testing.assert_array_equal(seen.signal, data.intensity[1])
        np.testing.assert_array_equal(seen.axes[-1], data.q)


def test_nxcansas_has_what_the_definition_requires(tmp_path):
    """https://manual.nexusformat.org/classes/applications/NXcanSAS.html, required items."""
    data = make(frames=None)
    data.bk.save(tmp_path / "c.h5", format="nxcansas")
    with h5py.File(tmp_path / "c.h5") as file:
        entry = file[file.attrs["default"]]
        assert (entry.attrs["NX_class"], entry.attrs["canSAS_class"]) == ("NXentry", "SASentry")
        assert entry.attrs["version"] == "1.1"
        assert entry["definition"][()] == b"NXcanSAS"
        assert entry["title"][()] == b"run 7"
        assert entry["run"][()] == b"DC_7"
        group = entry[entry.attrs["default"]]
        assert (group.attrs["NX_class"], group.attrs["canSAS_class"]) == ("NXdata", "SASdata")
        assert group.attrs["signal"] == "I"
        assert list(group.attrs["I_axes"]) == ["Q"]
        assert list(group.attrs["Q_indices"]) == [0]
        assert group["Q"].attrs["units"] == "1/angstrom"
        assert group["I"].attrs["units"] == group["Idev"].attrs["units"] == "arbitrary"
        assert group["I"].attrs["uncertainties"] == "Idev"
        source = entry["sasinstrument01/sassource"]
        assert source.attrs["canSAS_class"] == "SASsource"
        assert source["incident_wavelength"][()] == 0.4066
        assert entry["sasinstrument01/sasdetector01/SDD"][()] == 0.2087
        assert entry["sassample/name"][()] == b"ceria"
        assert entry["process_1"].attrs["canSAS_class"] == "SASprocess"


@pytest.mark.parametrize("frames", [None, 3])
def test_nxcansas_gives_the_same_pattern_back(frames, tmp_path):
    data = make(frames=frames)
    data.bk.save(tmp_path / "c.h5", format="nxcansas")
    back = bk.open(tmp_path / "c.h5")
    xr.testing.assert_equal(back, data.drop_vars("weight"))
    assert back.intensity.attrs["units"] == "counts"
    assert back.attrs["history"] == HISTORY


def test_nxcansas_of_another_program_is_a_pattern(tmp_path):
    """The canSAS 2012 form: I_axes and uncertainties, no axes; q in 1/nm."""
    with h5py.File(tmp_path / "other.h5", "w") as file:
        entry = file.create_group("sasentry")
        entry.attrs.update({"NX_class": "NXentry", "canSAS_class": "SASentry"})
        group = entry.create_group("sasdata")
        group.attrs.update({"NX_class": "NXdata", "canSAS_class": "SASdata", "signal": "I"})
        group.attrs.update({"I_axes": "Q", "Q_indices": 0})
        for name, values, unit in (
            ("Q", [1.0, 2.0, 4.0], "1/nm"), ("I", [5.0, 3.0, 2.0], "1/cm"),
            ("Idev", [0.5, 0.3, 0.1], "1/cm"),
        ):  # fmt: skip
            group[name] = values
            group[name].attrs["units"] = unit
        group["I"].attrs["uncertainties"] = "Idev"
    data = bk.open(tmp_path / "other.h5")
    assert data.attrs["kind"] == "pattern"
    np.testing.assert_allclose(data.q, [0.1, 0.2, 0.4])
    np.testing.assert_array_equal(data.sigma, [0.5, 0.3, 0.1])
    assert data.intensity.attrs["units"] == "1/cm"


def test_nxcansas_needs_q(tmp_path):
    with pytest.raises(MetadataError, match=r"axis of the pattern is two_theta.*q_A"):
        make("two_theta", "deg").bk.save(tmp_path / "c.h5", format="nxcansas")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "axis",
    [("q", "1/angstrom"), ("two_theta", "deg"), ("radius", "mm")],
)
@pytest.mark.parametrize("suffix", [".xye", ".xy", ".chi"])
def test_text_gives_the_same_numbers_back(axis, suffix, tmp_path):
    data = make(*axis, None)
    (path,) = data.bk.save(tmp_path / f"p{suffix}")
    back = bk.open(path)
    assert back.attrs["kind"] == "pattern"
    assert "assumed" not in back.attrs
    np.testing.assert_allclose(back[axis[0]], data[axis[0]], rtol=1e-9)
    assert back[axis[0]].attrs["units"] == axis[1]
    np.testing.assert_allclose(back.intensity, data.intensity, rtol=1e-9)
    assert back.intensity.attrs["units"] == "counts"
    assert ("sigma" in back) == (suffix == ".xye")
    if suffix != ".chi":
        assert back.attrs["wavelength"] == 0.4066
        assert back.attrs["sample"] == "ceria"


@pytest.mark.parametrize(("unit", "inside", "factor"), [
    (("q", "1/nm"), "1/angstrom", 0.1), (("two_theta", "rad"), "deg", 180 / np.pi),
])  # fmt: skip
@pytest.mark.parametrize("suffix", [".xye", ".chi"])
def test_other_units_are_converted_on_reading(unit, inside, factor, suffix, tmp_path):
    data = make(*unit, None)
    (path,) = data.bk.save(tmp_path / f"p{suffix}")
    back = bk.open(path)
    assert back[unit[0]].attrs["units"] == inside
    np.testing.assert_allclose(back[unit[0]], data[unit[0]] * factor, rtol=1e-9)


def test_numpy_and_fit2d_readers_read_the_columns(tmp_path):
    data = make("two_theta", "deg", None)
    data.bk.save(tmp_path / "p.xye")
    data.bk.save(tmp_path / "p.chi")
    columns = np.loadtxt(tmp_path / "p.xye")
    expected = [data.two_theta, data.intensity, data.sigma]
    np.testing.assert_allclose(columns, np.transpose(expected), rtol=1e-9)
    lines = (tmp_path / "p.chi").read_text().splitlines()
    assert lines[0] == "run 7"
    assert lines[1] == "2-Theta Angle (Degrees)"
    assert lines[3].strip() == "5"
    np.testing.assert_allclose(np.loadtxt(lines[4:])[:, 1], data.intensity, rtol=1e-9)


def test_series_as_text_is_a_file_a_frame_and_a_gap_has_none(tmp_path):
    data = make(frames=4)
    data["intensity"] = data.intensity.where(data.intensity["angle"] != -2.75)
    written = data.bk.save(tmp_path / "s.xye")
    assert [path.name for path in written] == ["s_00001.xye", "s_00003.xye", "s_00004.xye"]
    np.testing.assert_allclose(bk.open(written[1]).intensity, data.intensity[2], rtol=1e-9)
    assert "# angle: -2.5 deg" in written[1].read_text()


def test_series_of_one_frame_keeps_its_name(tmp_path):
    assert make(frames=1).bk.save(tmp_path / "s.xye") == [tmp_path / "s.xye"]


def test_bins_without_a_value_are_left_out_of_text_and_kept_in_nexus(tmp_path):
    data = make(frames=None)
    data["intensity"] = data.intensity.where(data.q != 0.35)
    (path,) = data.bk.save(tmp_path / "p.xye")
    np.testing.assert_allclose(bk.open(path).q, [0.11, 0.23, 0.47, 0.59])
    assert "left out: 1 bins" in path.read_text()
    data.bk.save(tmp_path / "p.nxs")
    assert np.isnan(bk.open(tmp_path / "p.nxs").intensity[2])
    with pytest.raises(InvalidPixelsError, match="all is NaN"):
        (data * np.nan).bk.save(tmp_path / "none.xye")


def test_lazy_patterns_are_written_block_by_block(tmp_path):
    data = make(frames=37)
    data.chunk(frame=5).bk.save(tmp_path / "p.nxs")
    xr.testing.assert_equal(bk.open(tmp_path / "p.nxs"), data)


def test_what_cannot_be_written_says_what_to_do(tmp_path):
    with pytest.raises(ParameterError, match=r"sigma.*error_model"):
        make(sigma=False).bk.save(tmp_path / "p.xye")
    with pytest.raises(ParameterError, match=r"'.csv' says no format.*\.xye"):
        make().bk.save(tmp_path / "p.csv")
    with pytest.raises(ParameterError, match=r"xye files have the suffix \.xye"):
        make().bk.save(tmp_path / "p.nxs", format="xye")
    with pytest.raises(UnknownNameError, match="nxcansas"):
        make().bk.save(tmp_path / "p.nxs", format="cansas")
    with pytest.raises(ParameterError, match="integrate"):
        xr.Dataset(attrs={"kind": "image"}).bk.save(tmp_path / "p.nxs")
    with pytest.raises(ShapeError, match="intensity over one of q"):
        writers.pattern(make().rename(q="energy"), tmp_path / "p.xye")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["p.nxs", "p.xye"])
def test_failed_write_leaves_the_old_file_and_no_other(name, tmp_path, monkeypatch):
    (tmp_path / name).write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("beamkit.core.atomic._flush_to_disk", full)
    with pytest.raises(WriteError, match=name):
        make(frames=None).bk.save(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "old"
