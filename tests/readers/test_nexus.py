from __future__ import annotations

import json

import h5py
import numpy as np
import pytest
import xarray as xr
from readers.conformance import ReaderConformance

import beamkit as bk
from beamkit.core import history
from beamkit.core.errors import MissingSourceError, ParameterError, UnreadableFileError
from beamkit.core.schema import lines

COUNTS = np.arange(4 * 3 * 5).reshape(4, 3, 5).astype("i4") ** 2 % 251


def group(parent, name, nx_class, **attrs):
    made = parent.require_group(name)
    made.attrs["NX_class"] = nx_class
    for key, value in attrs.items():
        made.attrs[key] = value
    return made


def field(parent, name, value, units="", **attrs):
    parent[name] = value
    if units:
        parent[name].attrs["units"] = units
    for key, text in attrs.items():
        parent[name].attrs[key] = text
    return parent[name]


def write_scan(path, *, points=6):
    """A step scan as GDA writes it: two detectors' columns over one motor."""
    with h5py.File(path, "w") as file:
        entry = group(file, "entry", "NXentry", default="roi")
        field(entry, "scan_command", "scan eta 1 6 1 roi")
        roi = group(entry, "roi", "NXdata", signal="total", axes=["eta"], eta_indices=0)
        field(roi, "total", np.arange(points) * 10)
        field(roi, "eta", 1.0 + np.arange(points), "deg")
        field(roi, "monitor", 100.0 - np.arange(points), "counts")
        peak = group(entry, "roi_max", "NXdata", signal="max", axes=["eta"])
        field(peak, "max", np.arange(points) ** 2)
        peak["eta"] = roi["eta"]
        mono = group(group(entry, "instrument", "NXinstrument"), "mono", "NXmonochromator")
        field(mono, "energy", 8047.8, "eV")
    return path


def write_images(path, *, data=COUNTS, axis=4, distance=True, detector="pilatus"):
    """Frames of a small detector, square to the beam."""
    with h5py.File(path, "w") as file:
        entry = group(file, "entry", "NXentry", default="data")
        plot = group(entry, "data", "NXdata", signal="data", axes=["phi", ".", "."])
        field(plot, "data", data)
        field(plot, "phi", 10 + 0.5 * np.arange(axis), "deg")
        instrument = group(entry, "instrument", "NXinstrument")
        box = group(instrument, detector, "NXdetector")
        box["data"] = plot["data"]
        field(box, "x_pixel_size", 172.0, "um")
        field(box, "y_pixel_size", 0.000172, "m")
        if distance:
            field(box, "distance", 160.0, "mm")
            field(box, "beam_center_x", 3.25, "pixel")
            field(box, "beam_center_y", 0.000172, "m")
        field(group(instrument, "beam", "NXbeam"), "incident_wavelength", 0.1, "nm")
    return path


class TestScan(ReaderConformance):
    format = "nexus"
    is_lazy = False

    @pytest.fixture
    def example(self, tmp_path):
        return write_scan(tmp_path / "scan.nxs")


class TestImages(ReaderConformance):
    format = "nexus"

    @pytest.fixture
    def example(self, tmp_path):
        return write_images(tmp_path / "images.nxs")


def test_columns_of_all_detectors_are_one_scan(tmp_path):
    data = bk.open(write_scan(tmp_path / "scan.nxs"))
    assert data.attrs["kind"] == "scan"
    assert list(data.data_vars) == ["total", "monitor", "max"]
    assert data.total.dims == ("point",)
    np.testing.assert_array_equal(data.eta, 1.0 + np.arange(6))
    assert data.eta.attrs["units"] == "deg"
    assert data.attrs["energy"] == 8.0478
    assert data.attrs["scan_command"] == "scan eta 1 6 1 roi"


def test_column_of_another_length_is_cut_or_left_out_and_noted(tmp_path):
    path = write_scan(tmp_path / "scan.nxs")
    with h5py.File(path, "a") as file:
        file["entry/roi/long"] = np.arange(9.0)
        file["entry/roi/short"] = np.arange(3.0)
    data = bk.open(path)
    np.testing.assert_array_equal(data.long, np.arange(6.0))
    assert "short" not in data
    assert sum("for 6 points" in line for line in lines(data.attrs, "notes")) == 2


def test_scan_whose_frames_are_missing_keeps_its_columns_and_names_the_file(tmp_path):
    path = write_scan(tmp_path / "scan.nxs")
    with h5py.File(path, "a") as file:
        lost = group(file["entry"], "camera", "NXdata", signal="data")
        lost["data"] = h5py.ExternalLink("camera.h5", "/data")
        file["entry"].attrs["default"] = "camera"
    data = bk.open(path)
    assert data.attrs["kind"] == "scan"
    assert any("camera.h5" in line for line in lines(data.attrs, "notes"))


def test_file_whose_only_data_are_missing_is_an_error(tmp_path):
    path = tmp_path / "lost.nxs"
    with h5py.File(path, "w") as file:
        lost = group(group(file, "entry", "NXentry"), "camera", "NXdata", signal="data")
        lost["data"] = h5py.ExternalLink("camera.h5", "/data")
    with pytest.raises(MissingSourceError, match="camera.h5.*not there"):
        bk.open(path)


def test_old_style_axes_and_arrays_of_one_string_are_understood(tmp_path):
    path = tmp_path / "old.nxs"
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry1")
        entry.attrs.create("NX_class", np.array([b"NXentry"]))
        plot = entry.create_group("detector")
        plot.attrs.create("NX_class", np.array([b"NXdata"]))
        field(plot, "counts", np.arange(7), signal=np.array([1]))
        field(
            plot, "eta\n\t", np.linspace(1, 2, 7), axis=np.array([b"1"]), primary=np.array([b"1"])
        )
        field(plot, "time", np.arange(7.0), axis=np.array([b"1"]))
    data = bk.open(path)
    assert list(data.data_vars) == ["counts", "time"]
    assert list(data.coords) == ["eta"]


def test_images_with_a_detector_are_diffraction_with_a_place(tmp_path):
    data = bk.open(write_images(tmp_path / "images.nxs"))
    assert data.attrs["kind"] == "diffraction"
    assert data.frames.dims == ("frame", "detector_y", "detector_x")
    np.testing.assert_array_equal(data.frames, COUNTS)
    np.testing.assert_array_equal(data.phi, [10, 10.5, 11, 11.5])
    assert data.attrs["beam_center_y"] == pytest.approx(1.0)
    assert data.attrs["wavelength"] == pytest.approx(1.0)
    # Columns run along -x, rows along -y from the corner (beam_center * pixel, distance).
    np.testing.assert_allclose(data.attrs["detector_origin"], [3.25 * 172e-6, 172e-6, 0.16])
    assert data.attrs["detector_fast_axis"] == [-1, 0, 0]
    assert any(line.startswith("detector_fast_axis") for line in lines(data.attrs, "assumed"))


def test_energy_and_wavelength_that_contradict_each_other_are_listed(tmp_path):
    path = write_images(tmp_path / "images.nxs")
    with h5py.File(path, "a") as file:
        beam = file["entry/instrument/beam"]
        # hc / 1 angstrom = 12.39842 keV (CODATA 2018)
        field(beam, "incident_energy", 12.4, "keV")
    attrs = bk.open(path).attrs
    assert (attrs["energy"], attrs["wavelength"]) == (12.4, pytest.approx(1.0))
    assert not any(line.startswith("wavelength") for line in lines(attrs, "conflicts"))
    with h5py.File(path, "a") as file:
        file["entry/instrument/beam/incident_energy"][()] = 8.0
    attrs = bk.open(path).attrs
    assert (attrs["energy"], attrs["wavelength"]) == (8.0, pytest.approx(12.39842 / 8))
    assert any(line.startswith("wavelength") for line in lines(attrs, "conflicts"))


def test_axis_longer_than_the_frames_is_cut_and_noted(tmp_path):
    data = bk.open(write_images(tmp_path / "images.nxs", axis=1208))
    assert data.sizes["frame"] == 4
    np.testing.assert_array_equal(data.phi, [10, 10.5, 11, 11.5])
    assert any("1208 values for 4" in line for line in lines(data.attrs, "notes"))


def test_axes_of_a_grid_of_frames_are_one_coordinate_value_a_frame(tmp_path):
    path = tmp_path / "grid.nxs"
    with h5py.File(path, "w") as file:
        plot = group(
            group(file, "entry", "NXentry"), "data", "NXdata", signal="data",
            axes=["y", "x", ".", "."],
        )  # fmt: skip
        field(plot, "data", np.arange(2 * 3 * 4 * 5, dtype="u2").reshape(2, 3, 4, 5))
        field(plot, "y", [1.0, 2.0], "mm")
        field(plot, "x", [10.0, 20.0, 30.0], "mm")
    data = bk.open(path)
    assert data.attrs["kind"] == "image"
    assert data.image.shape == (6, 4, 5)
    assert int(data.image[4, 0, 0]) == (1 * 3 + 1) * 20
    assert data.x.values.tolist() == [10, 20, 30, 10, 20, 30]
    assert data.y.values.tolist() == [1, 1, 1, 2, 2, 2]


def test_lengths_without_unit_are_assumed_and_a_center_that_may_be_mm_is_not_used(tmp_path):
    path = write_images(tmp_path / "images.nxs")
    with h5py.File(path, "a") as file:
        box = file["entry/instrument/pilatus"]
        for name, value in (
            ("x_pixel_size", 0.172), ("y_pixel_size", 0.172), ("distance", 513.8),
            ("beam_center_x", 14.8), ("beam_center_y", -0.9),
        ):  # fmt: skip
            del box[name]
            box[name] = value
    attrs = bk.open(path).attrs
    assert (attrs["pixel_size_x"], attrs["detector_distance"]) == (0.000172, 0.5138)
    assert len([line for line in lines(attrs, "assumed") if line.endswith("taken as mm")]) == 3
    assert "beam_center_x" not in attrs
    assert any(line.startswith("beam_center_x") for line in lines(attrs, "conflicts"))
    given = bk.open(path, beam_center=(-5.4, 85.9)).attrs
    assert given["detector_origin"] == pytest.approx([-5.4 * 172e-6, 85.9 * 172e-6, 0.5138])
    assert not any(line.startswith("beam_center") for line in lines(given, "conflicts"))


def test_mask_of_the_file_is_used(tmp_path):
    path = write_images(tmp_path / "images.nxs")
    with h5py.File(path, "a") as file:
        file["entry/instrument/pilatus/pixel_mask"] = np.eye(3, 5, dtype="u4")[None]
    np.testing.assert_array_equal(bk.open(path).mask, np.eye(3, 5))


def test_flags_of_the_first_frame_are_the_mask_where_the_file_has_none(tmp_path):
    counts = COUNTS.copy()
    counts[:, 1, 2], counts[0, 2, 4] = -1, -2
    data = bk.open(write_images(tmp_path / "images.nxs", data=counts))
    assert np.argwhere(data.mask.values).tolist() == [[1, 2], [2, 4]]
    assert data.mask.values[2, 4] == 2  # bit 1 of pixel_mask: dead
    assert any(line.startswith("mask:") for line in lines(data.attrs, "notes"))


def test_pattern_has_q_in_inverse_angstrom_and_its_uncertainty(tmp_path):
    path = tmp_path / "pattern.nxs"
    with h5py.File(path, "w") as file:
        plot = group(
            group(file, "entry", "NXentry"), "result", "NXdata", signal="data",
            axes=[".", ".", "q"], q_indices=2, data_uncertainty="errors",
        )  # fmt: skip
        field(plot, "data", np.arange(5.0)[None, None])
        field(plot, "errors", np.sqrt(np.arange(5.0))[None, None])
        field(plot, "q", [1.0, 2, 3, 4, 5], "1/nm")
    data = bk.open(path)
    assert data.attrs["kind"] == "pattern"
    np.testing.assert_allclose(data.q, [0.1, 0.2, 0.3, 0.4, 0.5])
    assert data.q.attrs["units"] == "1/angstrom"
    np.testing.assert_array_equal(data.intensity, np.arange(5.0))
    np.testing.assert_array_equal(data.sigma, np.sqrt(np.arange(5.0)))


def test_scan_over_a_grid_keeps_its_axes(tmp_path):
    path = tmp_path / "map.nxs"
    with h5py.File(path, "w") as file:
        plot = group(
            group(file, "entry", "NXentry"), "map", "NXdata", signal="total", axes=["y", "x"]
        )
        field(plot, "total", np.arange(6.0).reshape(2, 3))
        field(plot, "monitor", 7 - np.arange(6.0).reshape(2, 3))
        field(plot, "y", [1.0, 2.0], "mm")
        field(plot, "x", [10.0, 20.0, 30.0], "mm")
    data = bk.open(path)
    assert data.attrs["kind"] == "scan"
    assert data.total.dims == ("y", "x")
    assert float(data.monitor.sel(y=2, x=30)) == 2


def test_data_can_be_chosen(tmp_path):
    path = write_scan(tmp_path / "scan.nxs")
    assert next(iter(bk.open(path, data="/entry/roi_max").data_vars)) == "max"
    assert next(iter(bk.open(path, data="/entry/roi/monitor").data_vars)) == "monitor"
    with pytest.raises(UnreadableFileError, match="no /entry/nothing.*holds: /entry/roi"):
        bk.open(path, data="/entry/nothing")
    with pytest.raises(ParameterError, match="no entry 'scan'.*It has: entry"):
        bk.open(path, entry="scan")


def test_kind_scan_takes_the_columns_of_a_file_with_images(tmp_path):
    path = write_images(tmp_path / "images.nxs")
    with h5py.File(path, "a") as file:
        file["entry/data/monitor"] = np.arange(4.0)
    data = bk.open(path, kind="scan")
    assert list(data.data_vars) == ["monitor"]
    np.testing.assert_array_equal(data.phi, [10, 10.5, 11, 11.5])


def test_volume_written_by_beamkit_comes_back_with_every_attribute(tmp_path):
    attrs = {
        "quantity": "attenuation", "units": "1/cm", "rotation_center": 12.25, "rotation_sense": -1,
        "source": "/raw/scan.nxs", "detector_origin": [0.1, 0.2, 0.3], "assumed": ["one: only"],
        "history": history.extend({}, "flat_field", {"floor": 1e-6}), "title": "Zähne µm",
    }  # fmt: skip
    volume = xr.DataArray(
        np.arange(2 * 3 * 4, dtype="f4").reshape(2, 3, 4),
        dims=("z", "y", "x"),
        coords={
            name: (name, np.arange(n) * 1.3, {"units": "um"})
            for name, n in zip("zyx", (2, 3, 4), strict=True)
        },
        attrs=attrs,
    )
    data = bk.open(bk.writers.nexus(volume, tmp_path / "volume.nxs"))
    assert data.attrs["kind"] == "volume"
    xr.testing.assert_identical(data.volume, volume.rename("volume"))
    assert json.loads(data.attrs["history"])[0]["name"] == "flat_field"
    assert data.attrs["assumed"] == ["one: only"]
    assert data.attrs["source"].endswith("volume.nxs")
