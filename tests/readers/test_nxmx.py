from __future__ import annotations

import json

import h5py
import hdf5plugin
import numpy as np
import pytest
from readers.conformance import ReaderConformance
from readers.test_nexus import field, group

import beamkit as bk
from beamkit.core.errors import MissingSourceError, ShapeError
from beamkit.core.schema import lines
from beamkit.core.transformations import rotation_matrix

PIXEL = 75e-6
SHAPE = (6, 9)
MASKED = 2**32 - 1


def frame(number):
    counts = np.arange(np.prod(SHAPE), dtype="u4").reshape(SHAPE) + 1000 * number
    counts[2, 7] = MASKED
    return counts


def write_data(path, numbers, shape=SHAPE):
    with h5py.File(path, "w") as file:
        plot = group(group(file, "entry", "NXentry"), "data", "NXdata")
        data = plot.create_dataset(
            "data", (len(numbers), *shape), "u4", chunks=(1, *shape),
            **hdf5plugin.Bitshuffle(cname="lz4"),
        )  # fmt: skip
        for place, number in enumerate(numbers):
            data[place] = frame(number)
        data.attrs["image_nr_low"], data.attrs["image_nr_high"] = numbers[0] + 1, numbers[-1] + 1
    return path


def write_master(folder, *, mask=True, chained=False):
    """A master file that links to two data files of 3 and 2 frames."""
    write_data(folder / "s_data_000001.h5", [0, 1, 2])
    write_data(folder / "s_data_000002.h5", [3, 4])
    path = folder / "s_master.h5"
    with h5py.File(path, "w") as file:
        entry = group(file, "entry", "NXentry")
        field(entry, "definition", "NXmx")
        data = group(entry, "data", "NXdata")
        for number in (2, 1):
            name = f"s_data_{number:06d}.h5"
            data[f"data_{number:06d}"] = h5py.ExternalLink(name, "/entry/data/data")
        instrument = group(entry, "instrument", "NXinstrument")
        field(group(instrument, "beam", "NXbeam"), "incident_wavelength", 0.9801, "angstrom")
        box = group(instrument, "detector", "NXdetector")
        for name, value, units in (
            ("x_pixel_size", PIXEL, "m"), ("y_pixel_size", PIXEL, "m"), ("count_time", 0.02, "s"),
            ("detector_distance", 0.2, "m"), ("beam_center_x", 4.5, "pixel"),
            ("beam_center_y", 2.25, "pixel"), ("threshold_energy", 6325.0, "eV"),
        ):  # fmt: skip
            field(box, name, value, units)
        field(box, "detector_number", "E-18-0102")
        field(box, "description", "Dectris Eiger")
        if mask:
            field(box, "detectorSpecific/pixel_mask", np.eye(*SHAPE, dtype="u4") * 8)
        sample = group(entry, "sample", "NXsample")
        field(sample, "goniometer/omega", 90 + 0.1 * np.arange(5), "degree")
        if chained:
            _write_chain(box)
    return path


def _write_chain(box, swing=30.0):
    """An arm that swings the detector up by ``swing``, about the horizontal axis -x."""
    base = "/entry/instrument/detector"
    field(box, "depends_on", f"{base}/transformations/det_z")
    axes = group(box, "transformations", "NXtransformations")
    _axis(axes, "two_theta", swing, "deg", (-1.0, 0, 0), ".")
    _axis(axes, "det_z", 200.0, "mm", (0, 0, 1.0), "two_theta")
    module = group(box, "module", "NXdetector_module")
    field(module, "data_origin", [0, 0])
    corner = (4.5 * PIXEL, 2.25 * PIXEL, 0.0)  # not of length 1: the translation itself
    _axis(module, "module_offset", 1.0, "m", corner, f"{base}/transformations/det_z")
    for name, vector in (("fast", (-1.0, 0, 0)), ("slow", (0, -1.0, 0))):
        _axis(module, f"{name}_pixel_direction", PIXEL, "m", vector, "module_offset")


def _axis(parent, name, value, units, vector, depends_on):
    kind = "rotation" if units == "deg" else "translation"
    field(
        parent, name, value, units, transformation_type=kind, vector=vector, depends_on=depends_on
    )


class TestMaster(ReaderConformance):
    format = "nxmx"

    @pytest.fixture
    def example(self, tmp_path):
        return write_master(tmp_path)


class TestDataFile(ReaderConformance):
    format = "nxmx"

    @pytest.fixture
    def example(self, tmp_path):
        return write_data(tmp_path / "s_data_000001.h5", [0, 1, 2])


def test_frames_of_all_data_files_are_in_order(tmp_path):
    data = bk.open(write_master(tmp_path))
    assert data.attrs["kind"] == "diffraction"
    np.testing.assert_array_equal(data.frames, np.stack([frame(n) for n in range(5)]))
    assert data.frames.dtype == np.uint32
    np.testing.assert_allclose(data.omega, [90, 90.1, 90.2, 90.3, 90.4])
    assert data.attrs["start_angle"] == 90
    assert data.attrs["angle_increment"] == pytest.approx(0.1)


def test_metadata_are_those_of_the_master(tmp_path):
    attrs = bk.open(write_master(tmp_path)).attrs
    assert attrs["wavelength"] == 0.9801
    assert attrs["threshold_energy"] == 6.325
    assert attrs["detector_serial"] == "E-18-0102"
    np.testing.assert_allclose(attrs["detector_origin"], [4.5 * PIXEL, 2.25 * PIXEL, 0.2])


def test_missing_data_file_is_an_error_that_names_it(tmp_path):
    path = write_master(tmp_path)
    (tmp_path / "s_data_000002.h5").unlink()
    with pytest.raises(MissingSourceError, match="s_data_000002.h5.*not there"):
        bk.open(path)


def test_mask_is_that_of_the_master(tmp_path):
    data = bk.open(write_master(tmp_path))
    np.testing.assert_array_equal(data.mask, np.eye(*SHAPE) * 8)


def test_largest_number_is_masked_where_there_is_no_mask(tmp_path):
    data = bk.open(write_master(tmp_path, mask=False))
    assert np.argwhere(data.mask.values).tolist() == [[2, 7]]
    assert any("first frame" in line for line in lines(data.attrs, "notes"))


def test_depends_on_chain_wins_over_the_nominal_beam_center(tmp_path):
    attrs = bk.open(write_master(tmp_path, chained=True)).attrs
    turn = rotation_matrix((-1, 0, 0), 30)
    np.testing.assert_allclose(attrs["detector_fast_axis"], turn @ [-1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(attrs["detector_slow_axis"], turn @ [0, -1, 0], atol=1e-12)
    corner = turn @ [4.5 * PIXEL, 2.25 * PIXEL, 0.2]
    np.testing.assert_allclose(attrs["detector_origin"], corner, atol=1e-12)
    # The plane, 0.2 m away and turned by 30 deg, is met at 0.2 / cos(30 deg) along the beam,
    # 0.2 tan(30 deg) below the foot of the perpendicular.
    assert attrs["detector_distance"] == pytest.approx(0.2 / np.cos(np.pi / 6), rel=1e-9)
    assert attrs["beam_center_x"] == pytest.approx(4.5)
    assert attrs["beam_center_y"] == pytest.approx(2.25 + 0.2 * np.tan(np.pi / 6) / PIXEL)
    conflicts = [line.partition(":")[0] for line in lines(attrs, "conflicts")]
    assert conflicts == ["beam_center_y", "detector_distance"]


def test_broken_chain_is_listed_and_not_used(tmp_path):
    path = write_master(tmp_path, chained=True)
    with h5py.File(path, "a") as file:
        del file["entry/instrument/detector/transformations/two_theta"]
    attrs = bk.open(path).attrs
    assert attrs["beam_center_y"] == 2.25
    assert any("two_theta, which is not there" in line for line in lines(attrs, "conflicts"))


def test_chain_that_goes_in_a_circle_is_listed_and_not_used(tmp_path):
    path = write_master(tmp_path, chained=True)
    with h5py.File(path, "a") as file:
        axis = file["entry/instrument/detector/transformations/two_theta"]
        axis.attrs["depends_on"] = "det_z"
    assert any("circle" in line for line in lines(bk.open(path).attrs, "conflicts"))


def test_goniometer_is_kept_as_a_chain(tmp_path):
    path = write_master(tmp_path)
    with h5py.File(path, "a") as file:
        sample = file["entry/sample"]
        field(sample, "depends_on", "/entry/sample/transformations/phi")
        axes = group(sample, "transformations", "NXtransformations")
        _axis(axes, "phi", 12.0, "deg", (0, 1.0, 0), "omega")
        _axis(axes, "omega", 5 + 0.2 * np.arange(5), "deg", (-1.0, 0, 0), ".")
    data = bk.open(path)
    chain = json.loads(data.attrs["goniometer"])
    assert [axis["name"] for axis in chain] == ["phi", "omega"]
    assert [axis["setting"] for axis in chain] == [12, 5]
    assert chain[1]["increment"] == pytest.approx(0.2)
    assert chain[1]["vector"] == [-1, 0, 0]


def test_data_files_alone_are_one_series(tmp_path):
    write_master(tmp_path)
    data = bk.open(tmp_path / "s_data_*.h5")
    assert data.sizes["frame"] == 5
    given = bk.open(
        tmp_path / "s_data_000002.h5", pixel_size=PIXEL, beam_center=(4, 2), detector_distance=0.1
    )
    np.testing.assert_allclose(given.attrs["detector_origin"], [4 * PIXEL, 2 * PIXEL, 0.1])


def test_folder_of_an_eiger_series_opens_its_master(tmp_path):
    path = write_master(tmp_path)
    assert bk.open(tmp_path).attrs["source"] == str(path)


def test_data_files_of_different_sizes_are_refused(tmp_path):
    write_data(tmp_path / "a_data_000001.h5", [0])
    with h5py.File(tmp_path / "a_data_000002.h5", "w") as file:
        plot = group(group(file, "entry", "NXentry"), "data", "NXdata")
        field(plot, "data", np.zeros((1, 4, 4), "u4"), image_nr_low=2)
    with pytest.raises(ShapeError, match=r"\(4, 4\), \(6, 9\)"):
        bk.open(tmp_path / "a_data_*.h5")


def test_simulated_crystal_opens_with_its_truth(tmp_path):
    sample = bk.samples.diffraction(
        tmp_path / "crystal_master.h5", format="nxmx", frames=6, two_theta=20.0
    )
    data = bk.open(sample)
    attrs = data.attrs
    assert (attrs["format"], data.sizes["frame"]) == ("nxmx", 6)
    np.testing.assert_array_equal(data.omega, sample.omega)
    assert attrs["wavelength"] == sample.wavelength
    assert (attrs["beam_center_x"], attrs["beam_center_y"]) == pytest.approx(sample.beam_center)
    assert attrs["detector_distance"] == pytest.approx(sample.detector_distance)
    np.testing.assert_array_equal(data.mask, sample.detector.mask())
