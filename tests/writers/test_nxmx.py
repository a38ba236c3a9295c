"""NXmx files as other programs read them: the nxmx package of DIALS, h5py with hdf5plugin."""

from __future__ import annotations

from functools import reduce

import h5py
import numpy as np
import pytest
import xarray as xr

import beamkit as bk
from beamkit.core.errors import ParameterError, UnknownNameError, WriteError


@pytest.fixture
def swung(tmp_path):
    """A rotation scan on a detector on an arm, off centre."""
    sample = bk.samples.diffraction(
        tmp_path / "scan", frames=3, detector="PILATUS 100K", two_theta=20.0, distance=0.2
    )
    return bk.open(sample.path)


def matrix(axis):
    """Return the 4 x 4 matrix of an axis at its first setting [m], by pint and scipy."""
    from scipy.spatial.transform import Rotation

    vector, result = np.asarray(axis.vector, float), np.eye(4)
    if axis.transformation_type == "rotation":
        angle = axis[()][0].to("radian").magnitude
        result[:3, :3] = Rotation.from_rotvec(angle * vector).as_matrix()
    else:
        result[:3, 3] = vector * axis[()][0].to("m").magnitude
    result[:3, 3] += axis.offset.to("m").magnitude
    return result


def test_the_nxmx_package_finds_the_detector_where_the_source_has_it(swung, tmp_path, require):
    nxmx = require("nxmx", "test")
    path = bk.writers.nxmx(swung, tmp_path / "out.nxs")
    with h5py.File(path) as file:
        (entry,) = nxmx.NXmx(file).entries
        detector = entry.instruments[0].detectors[0]
        (module,) = detector.modules
        fast, slow = module.fast_pixel_direction, module.slow_pixel_direction
        chain = nxmx.get_dependency_chain(module.module_offset)
        assert [axis.path.rpartition("/")[2] for axis in chain] == ["module_offset", "det_z"]
        assert {str(axis.units) for axis in (*chain, fast, slow)} == {"meter"}
        for axis in (*chain, fast, slow):
            np.testing.assert_allclose(np.linalg.norm(axis.vector), 1.0, atol=1e-12)
        assert fast.depends_on.path == module.module_offset.path
        place = reduce(np.matmul, [matrix(axis) for axis in reversed(chain)])
        np.testing.assert_allclose(place[:3, 3], swung.attrs["detector_origin"], atol=1e-9)
        np.testing.assert_allclose(fast.vector, swung.attrs["detector_fast_axis"], atol=1e-9)
        np.testing.assert_allclose(slow.vector, swung.attrs["detector_slow_axis"], atol=1e-9)
        assert fast[()][0].to("m").magnitude == swung.attrs["pixel_size_x"]
        assert detector.depends_on.path.endswith("det_z")
        assert list(module.data_size) == [195, 487]


def test_the_nxmx_package_reads_beam_detector_and_angles(swung, tmp_path, require):
    nxmx = require("nxmx", "test")
    path = bk.writers.nxmx(swung, tmp_path / "out.nxs")
    with h5py.File(path) as file:
        (entry,) = nxmx.NXmx(file).entries
        instrument = entry.instruments[0]
        (beam,), (detector,) = instrument.beams, instrument.detectors
        assert beam.incident_wavelength.to("angstrom").magnitude == swung.attrs["wavelength"]
        assert detector.sensor_material == "Si"
        assert detector.count_time.to("s").magnitude == swung.attrs["exposure_time"]
        assert detector.saturation_value == int(swung.attrs["count_cutoff"])
        np.testing.assert_array_equal(detector.pixel_mask, swung.mask)
        axis = entry.samples[0].depends_on
        np.testing.assert_allclose(axis[()].to("degree").magnitude, swung["start_angle"].values)
        assert axis.transformation_type == "rotation"
        np.testing.assert_allclose(np.abs(axis.vector), [1, 0, 0], atol=1e-9)


def test_h5py_reads_what_was_written_one_frame_a_chunk(swung, tmp_path):
    import hdf5plugin  # noqa: F401

    path = bk.writers.nxmx(swung, tmp_path / "out.nxs")
    with h5py.File(path) as file:
        data = file["/entry/data/data"]
        assert data.chunks == (1, *swung.frames.shape[1:])
        assert data.id.get_create_plist().get_filter(0)[0] == 32008
        np.testing.assert_array_equal(data[()], swung.frames)
        assert file["/entry/definition"].asstr()[()] == "NXmx"


def test_crop_keeps_its_pixel_numbers_when_opened_again(swung, tmp_path):
    part = swung.isel(detector_y=slice(20, 90), detector_x=slice(100, 333))
    again = bk.open(bk.writers.nxmx(part, tmp_path / "out.nxs"))
    xr.testing.assert_equal(again.compute(), part.compute())


def test_compression_that_nobody_knows_is_refused(swung, tmp_path):
    with pytest.raises(UnknownNameError, match="bslz4"):
        bk.writers.nxmx(swung, tmp_path / "out.nxs", compression="bslz")
    assert not (tmp_path / "out.nxs").exists()


def test_what_is_no_series_of_frames_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="kind 'volume'"):
        bk.writers.nxmx(xr.Dataset(attrs={"kind": "volume"}), tmp_path / "out.nxs")


def test_folder_that_cannot_be_made_is_named(swung, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError, match="was not written"):
        bk.writers.nxmx(swung, tmp_path / "file" / "out.nxs")
