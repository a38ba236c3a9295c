from __future__ import annotations

import json

import h5py
import numpy as np
import pytest
from readers.conformance import ReaderConformance

import beamkit as bk
from beamkit.core.errors import (
    MissingSourceError,
    ParameterError,
    ShapeError,
    UnreadableFileError,
)
from beamkit.core.schema import lines

#: Two darks, two flats, five projections with an invalid one among them, one flat after.
KEYS = np.array([2, 2, 1, 1, 0, 0, 3, 0, 0, 0, 1])
ANGLES = np.array([0, 0, 0, 0, 10.0, 40, 70, 100, 130, 160, 160])


def frames(shape=(3, 5)):
    """Frame n holds 100 n + its pixel number: every pixel of every frame is different."""
    pixels = np.arange(np.prod(shape)).reshape(shape)
    return (100 * np.arange(len(KEYS))[:, None, None] + pixels).astype("u2")


def nexus(group, name, nx_class):
    made = group.require_group(name)
    made.attrs["NX_class"] = nx_class
    return made


def write_scan(
    path, *, entry="entry", angles=ANGLES, units="degree", keys=KEYS, data=None, mode="w"
):
    """An NXtomo file as the definition has it."""
    with h5py.File(path, mode) as file:
        root = nexus(file, entry, "NXentry")
        root["definition"] = "NXtomo"
        root["title"] = "screw"
        instrument = nexus(root, "instrument", "NXinstrument")
        detector = nexus(instrument, "detector", "NXdetector")
        detector.create_dataset("data", data=frames() if data is None else data, chunks=(1, 3, 5))
        if keys is not None:
            detector["image_key"] = keys
        for name, value, unit in (("x_pixel_size", 6.5, "um"), ("distance", 40, "mm")):
            detector[name] = value
            detector[name].attrs["units"] = unit
        beam = nexus(instrument, "beam", "NXbeam")
        beam["incident_energy"] = 53.0
        beam["incident_energy"].attrs["units"] = "keV"
        source = nexus(instrument, "source", "NXsource")
        source["energy"] = 3.0  # of the electrons: never the photons'
        source["energy"].attrs["units"] = "GeV"
        sample = nexus(root, "sample", "NXsample")
        sample["name"] = "screw"
        sample["x_pixel_size"] = 0.65
        sample["x_pixel_size"].attrs["units"] = "µm"
        if angles is not None:
            sample["rotation_angle"] = angles
            if units:
                sample["rotation_angle"].attrs["units"] = units
    return path


class TestNxtomo(ReaderConformance):
    format = "nxtomo"

    @pytest.fixture
    def example(self, tmp_path):
        return write_scan(tmp_path / "scan.nxs")


def test_image_key_tells_projections_flats_and_darks(tmp_path):
    data = bk.open(write_scan(tmp_path / "scan.nxs"))
    assert data.projection_frame.values.tolist() == [4, 5, 7, 8, 9]
    assert data.flat_frame.values.tolist() == [2, 3, 10]
    assert data.dark_frame.values.tolist() == [0, 1]
    np.testing.assert_array_equal(data.projections, frames()[[4, 5, 7, 8, 9]])
    np.testing.assert_array_equal(data.flats, frames()[[2, 3, 10]])
    np.testing.assert_array_equal(data.angle, [10, 40, 100, 130, 160])


def test_invalid_frames_are_left_out_and_noted(tmp_path):
    data = bk.open(write_scan(tmp_path / "scan.nxs"))
    assert any("1 frames" in line and "frame 6" in line for line in lines(data.attrs, "notes"))


def test_metadata_are_those_of_photons_and_sample(tmp_path):
    attrs = bk.open(write_scan(tmp_path / "scan.nxs")).attrs
    assert attrs["energy"] == 53.0
    assert attrs["pixel_size_x"] == 6.5e-6
    assert attrs["effective_pixel_size_x"] == 0.65e-6
    assert attrs["detector_distance"] == 0.04
    assert attrs["title"], attrs["sample"] == ("screw", "screw")
    assert attrs["rotation_range"] == 150
    assert json.loads(attrs["header"])["/entry/instrument/source/energy"] == "3.0 GeV"


def test_turning_a_lazy_scan_round_or_thinning_it_reads_the_right_frames(tmp_path):
    data = bk.open(write_scan(tmp_path / "scan.nxs"))
    kept = frames()[[4, 5, 7, 8, 9]]
    for picked in (
        slice(None, None, -1),
        slice(1, 4),
        slice(0, 5, 2),
        slice(4, 0, -2),
        slice(3, 3),
    ):
        rows = data.projections.data[picked, ::-1, 1::2]
        np.testing.assert_array_equal(rows, kept[picked, ::-1, 1::2])
    np.testing.assert_array_equal(data.projections[-2], kept[-2])


def test_angles_in_radians_become_degrees(tmp_path):
    path = write_scan(tmp_path / "scan.nxs", angles=np.deg2rad(ANGLES + 90), units="rad")
    np.testing.assert_allclose(bk.open(path).angle, [100, 130, 190, 220, 250], rtol=1e-14)


def test_angles_without_unit_are_degrees_and_said_to_be_assumed(tmp_path):
    data = bk.open(write_scan(tmp_path / "scan.nxs", units=None))
    assert data.angle.values[0] == 10
    assert any(line.startswith("angle:") for line in lines(data.attrs, "assumed"))


def test_one_angle_a_projection_is_enough(tmp_path):
    path = write_scan(tmp_path / "scan.nxs", angles=[1.0, 2, 3, 4, 5])
    assert bk.open(path).angle.values.tolist() == [1, 2, 3, 4, 5]


def test_missing_angles_are_asked_for(tmp_path):
    path = write_scan(tmp_path / "scan.nxs", angles=None)
    with pytest.raises(UnreadableFileError, match="no rotation angle for 11 frames.*angles="):
        bk.open(path)
    assert bk.open(path, angles=ANGLES).angle.values.tolist() == [10, 40, 100, 130, 160]


def test_angles_that_are_not_numbers_are_refused(tmp_path):
    angles = np.where(ANGLES == 100, np.nan, ANGLES)
    with pytest.raises(UnreadableFileError, match="1 projections is not a number.*projection 2"):
        bk.open(write_scan(tmp_path / "scan.nxs", angles=angles))


def test_several_entries_are_an_error_that_names_them(tmp_path):
    path = write_scan(tmp_path / "scan.nxs", entry="entry0000")
    write_scan(path, entry="entry0001", angles=ANGLES + 180, mode="a")
    with pytest.raises(ParameterError, match="2 tomography scans.*'entry0000'.*'entry0001'"):
        bk.open(path)
    assert bk.open(path, entry="entry0001").angle.values[0] == 190
    with h5py.File(path, "a") as file:
        file.attrs["default"] = "entry0000"
    assert bk.open(path).angle.values[0] == 10


def test_unknown_entry_is_refused_by_name(tmp_path):
    with pytest.raises(ParameterError, match="no entry 'scan'.*It has: entry"):
        bk.open(write_scan(tmp_path / "scan.nxs"), entry="scan")


@pytest.mark.parametrize(
    ("kind", "name"), [("soft", "scan.nxs"), ("external", "raw.h5"), ("virtual", "raw.h5")]
)
def test_frames_behind_links_are_found(tmp_path, kind, name):
    path = write_scan(tmp_path / "scan.nxs")
    _move_frames(path, kind)
    data = bk.open(path)
    np.testing.assert_array_equal(data.projections, frames()[[4, 5, 7, 8, 9]])
    assert data.sizes["flat"] == 3
    if kind != "soft":
        (tmp_path / name).unlink()
        with pytest.raises(MissingSourceError, match="raw.h5.*not there"):
            bk.open(path)


def _move_frames(path, kind):
    """Put the frames elsewhere, and a link or virtual dataset in their place."""
    target = "/entry/instrument/detector/data"
    with h5py.File(path, "a") as file:
        data = file[target][()]
        del file[target]
        if kind == "soft":
            file["raw/frames"] = data
            file[target] = h5py.SoftLink("/raw/frames")
            return
        with h5py.File(path.with_name("raw.h5"), "w") as raw:
            raw["a/b"] = data
        if kind == "external":
            file[target] = h5py.ExternalLink("raw.h5", "/a/b")
        else:
            layout = h5py.VirtualLayout(data.shape, data.dtype)
            layout[:] = h5py.VirtualSource("raw.h5", "/a/b", data.shape)
            file.create_virtual_dataset(target, layout)


def test_external_link_with_an_absolute_path_of_another_machine_is_found_beside(tmp_path):
    path = write_scan(tmp_path / "scan.nxs")
    _move_frames(path, "external")
    with h5py.File(path, "a") as file:
        del file["/entry/instrument/detector/data"]
        file["/entry/instrument/detector/data"] = h5py.ExternalLink("/dls/i99/data/raw.h5", "a/b")
    np.testing.assert_array_equal(bk.open(path).darks, frames()[:2])


def test_virtual_source_that_is_too_short_is_an_error_not_zeros(tmp_path):
    path = write_scan(tmp_path / "scan.nxs")
    _move_frames(path, "virtual")
    with h5py.File(tmp_path / "raw.h5", "w") as raw:
        raw["a/b"] = frames()[:6]
    with pytest.raises(MissingSourceError, match=r"raw.h5 that are not there.*\(6, 3, 5\)"):
        bk.open(path)


def test_source_that_vanishes_after_opening_is_an_error_that_names_it(tmp_path):
    path = write_scan(tmp_path / "scan.nxs")
    _move_frames(path, "external")
    data = bk.open(path)
    (tmp_path / "raw.h5").unlink()
    with pytest.raises(UnreadableFileError, match="raw.h5"):
        data.projections.load()


def test_flats_and_darks_can_be_in_other_files(tmp_path):
    path = write_scan(tmp_path / "scan.nxs", keys=np.zeros(11, int))
    write_scan(tmp_path / "flats.nxs", keys=np.zeros(11, int))
    with h5py.File(tmp_path / "darks.h5", "w") as file:
        file["a/stack"] = frames()[:2]
        file["a/other"] = frames()
    data = bk.open(path, flats=tmp_path / "flats.nxs", darks="darks.h5::/a/stack")
    assert data.sizes["flat"], data.sizes["dark"] == (11, 2)
    np.testing.assert_array_equal(data.darks, frames()[:2])
    with pytest.raises(UnreadableFileError, match="2 stacks.*/a/other"):
        bk.open(path, darks=tmp_path / "darks.h5")


def test_one_flat_as_an_array_becomes_a_stack_of_one(tmp_path):
    data = bk.open(write_scan(tmp_path / "scan.nxs"), flats=np.full((3, 5), 7.0))
    assert data.flats.shape == (1, 3, 5)


def test_flats_of_another_size_are_refused(tmp_path):
    with pytest.raises(
        ShapeError, match=r"flats have detector size \(4, 5\), projections \(3, 5\)"
    ):
        bk.open(write_scan(tmp_path / "scan.nxs"), flats=np.ones((2, 4, 5)))


def test_scan_without_darks_and_flats_opens_and_says_so(tmp_path):
    data = bk.open(write_scan(tmp_path / "scan.nxs", keys=np.zeros(11, int)))
    assert set(data.data_vars) == {"projections"}
    assert any(line.startswith("darks:") for line in lines(data.attrs, "notes"))


def test_image_key_can_be_given(tmp_path):
    path = write_scan(tmp_path / "scan.nxs", keys=None)
    assert bk.open(path).sizes["angle"] == 11
    data = bk.open(path, image_key=KEYS)
    assert data.projection_frame.values.tolist() == [4, 5, 7, 8, 9]


def test_interrupted_scan_has_the_frames_that_are_there(tmp_path):
    data = bk.open(write_scan(tmp_path / "scan.nxs", data=frames()[:8]))
    assert data.projection_frame.values.tolist() == [4, 5, 7]
    assert any("11 frames are announced" in line for line in lines(data.attrs, "notes"))


def test_axis_of_rotation_in_the_file_tells_the_sense(tmp_path):
    path = write_scan(tmp_path / "scan.nxs")
    for vector, sense in (([0.0, -1, 0], -1), ([0.0, 1, 0], 1)):
        with h5py.File(path, "a") as file:
            file["entry/sample/rotation_angle"].attrs["vector"] = vector
        data = bk.open(path)
        assert data.attrs["rotation_sense"] == sense
        assert "assumed" not in data.attrs


def test_blocks_of_rows_can_be_asked_for(tmp_path):
    data = bk.open(write_scan(tmp_path / "scan.nxs"), blocks={"detector_y": 2})
    assert data.projections.data.chunks == ((5,), (2, 1), (5,))
    np.testing.assert_array_equal(data.projections[:, 1:], frames()[[4, 5, 7, 8, 9], 1:])


def test_diamond_paths_are_found(tmp_path):
    path = tmp_path / "scan.nxs"
    with h5py.File(path, "w") as file:
        tomo = nexus(nexus(file, "entry1", "NXentry"), "tomo_entry", "NXsubentry")
        tomo["data/data"] = frames()
        tomo["data/rotation_angle"] = ANGLES
        tomo["instrument/detector/image_key"] = KEYS
    data = bk.open(path)
    assert data.projection_frame.values.tolist() == [4, 5, 7, 8, 9]
    np.testing.assert_array_equal(data.projections, frames()[[4, 5, 7, 8, 9]])


def test_alignment_frames_of_the_esrf_are_not_projections(tmp_path):
    path = write_scan(tmp_path / "scan.nxs")
    with h5py.File(path, "a") as file:
        file["entry/instrument/detector/image_key_control"] = np.where(
            np.arange(len(KEYS)) == 9, -1, KEYS
        )
    data = bk.open(path)
    assert data.projection_frame.values.tolist() == [4, 5, 7, 8]
    assert any("image_key -1, 3" in line for line in lines(data.attrs, "notes"))


@pytest.mark.parametrize("given", ["flats/*.tif", "flats", ["flats/f2.tif", "flats/f10.tif"]])
def test_flats_can_be_images_in_a_folder(tmp_path, given):
    import tifffile

    (tmp_path / "flats").mkdir()
    for number in (2, 10):
        tifffile.imwrite(tmp_path / "flats" / f"f{number}.tif", np.full((3, 5), number, "u2"))
    data = bk.open(write_scan(tmp_path / "scan.nxs"), flats=given)
    assert data.flats[:, 0, 0].values.tolist() == [2, 10]


def test_virtual_dataset_over_numbered_files_needs_them_all(tmp_path):
    path = write_scan(tmp_path / "scan.nxs")
    shape = (3, 5)
    for number in range(3):
        with h5py.File(tmp_path / f"raw-{number}.h5", "w") as raw:
            raw["d"] = frames()[4 * number : 4 * number + 4]
    layout = h5py.VirtualLayout((11, *shape), "u2")
    for number in range(3):
        rows = min(4, 11 - 4 * number)
        source = h5py.VirtualSource(f"raw-{number}.h5", "/d", (rows, *shape))
        layout[4 * number : 4 * number + rows] = source
    with h5py.File(path, "a") as file:
        del file["entry/instrument/detector/data"]
        file["entry/instrument/detector"].create_virtual_dataset("data", layout)
    np.testing.assert_array_equal(bk.open(path).projections, frames()[[4, 5, 7, 8, 9]])
    (tmp_path / "raw-1.h5").unlink()
    with pytest.raises(MissingSourceError, match="raw-1.h5.*not there.*zeros"):
        bk.open(path)


def test_gap_in_the_numbered_files_of_a_growing_scan_is_an_error(tmp_path):
    for number in (0, 1, 2):
        with h5py.File(tmp_path / f"raw-{number}.h5", "w") as raw:
            raw["d"] = np.full((4, 3, 5), number + 1, "u2")
    endless = h5py.h5s.UNLIMITED
    space = h5py.h5s.create_simple((12, 3, 5), (endless, 3, 5))
    space.select_hyperslab((0, 0, 0), (endless, 1, 1), stride=(4, 3, 5), block=(4, 3, 5))
    made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    made.set_virtual(space, b"raw-%b.h5", b"/d", h5py.h5s.create_simple((4, 3, 5)))
    with h5py.File(tmp_path / "top.h5", "w") as file:
        whole = h5py.h5s.create_simple((12, 3, 5), (endless, 3, 5))
        h5py.h5d.create(file.id, b"data", h5py.h5t.NATIVE_UINT16, whole, dcpl=made)
    assert (
        bk.open(tmp_path / "top.h5").image[:, 0, 0].values.tolist() == [1] * 4 + [2] * 4 + [3] * 4
    )
    (tmp_path / "raw-1.h5").unlink()
    with pytest.raises(MissingSourceError, match="raw-1.h5.*not there"):
        bk.open(tmp_path / "top.h5")
