"""Real files: CBF, TIFF, SRS, SPEC and text tables, against what is known about each of them.

References: PROVENANCE.md beside the files; fabio and silx on the same bytes; DIALS' geometry.
"""

from __future__ import annotations

import json
import math
import shutil
import tracemalloc

import fabio
import numpy as np
import pytest

import beamkit as bk
from beamkit.core.detector_geometry import beam_center
from beamkit.core.detectors import MASK_DEAD, MASK_GAP, MASK_OVER_RESPONDING
from beamkit.core.errors import BeamkitError, UnknownFormatError
from beamkit.core.schema import lines

#: File, shape of its frame, smallest and largest pixel.
CBF = {
    "cbf_pilatus/l-cyst_01_00001.cbf": ((1679, 1475), 252),
    "cbf_pilatus/l-cyst_01_00002.cbf": ((1679, 1475), 288),
    "cbf_pilatus/l-cyst_01_00003.cbf": ((1679, 1475), 522),
    "cbf_pilatus/DLS_I03_smargon_0001.cbf.gz": ((2527, 2463), 336),
    "cbf_pilatus/dlsnxs2cbf_therm_0001.cbf.gz": ((4362, 4148), 404),
}
GRID = [f"cbf_pilatus/thaumatin_grid/thau_3_2_{number:04d}.cbf.bz2" for number in range(9, 20)]
TEXT = [
    "srs/i16_315029/315029.dat",
    "srs/96356.dat",
    "srs/16446.dat",
    "srs/34146.dat",
    "srs/404863.dat",
    "spec/DIAMOND_I16_Lucian.spec",
    "spec/fourc_20161029_long_night_00.spec",
    "workflow/MoKedge_1_15.dat",
]
TIFF = ["powder/CeO2_Pilatus1M.tif", "srs/i16_315029/315029-pilatus100k-files/00001.tif"]


# CBF


@pytest.mark.slow
@pytest.mark.parametrize("name", CBF)
def test_cbf_has_the_pixels_that_fabio_finds(data_folder, name):
    shape, largest = CBF[name]
    frame = bk.open(data_folder / name, verify=True).frames[0].values
    assert (frame.shape, frame.dtype) == (shape, np.int32)
    assert (frame.min(), frame.max()) == (-2, largest)
    np.testing.assert_array_equal(frame, fabio.open(str(data_folder / name)).data)


@pytest.mark.slow
def test_grid_scan_has_the_pixels_that_fabio_finds(data_folder):
    data = bk.open(str(data_folder / "cbf_pilatus/thaumatin_grid/*.bz2"))
    assert data.sizes == {"frame": 11, "detector_y": 2527, "detector_x": 2463}
    for number, name in enumerate(GRID):
        expected = fabio.open(str(data_folder / name)).data
        np.testing.assert_array_equal(data.frames[number], expected)
        assert expected.min() == -2


def test_grid_scan_has_the_metadata_of_its_headers(data_folder):
    attrs = bk.open(data_folder / "cbf_pilatus/thaumatin_grid").attrs
    expected = {
        "detector": "PILATUS3 6M",
        "detector_serial": "60-0119",
        "start_time": "2019-09-11T13:20:29.175",
        "exposure_time": 0.019,
        "exposure_period": 0.020,
        "wavelength": 0.96859,
        "detector_distance": 0.351,
        "beam_center_x": 1261.61,
        "beam_center_y": 1306.96,
        "start_angle": 89.9997,
        "angle_increment": 0.0,
        "filter_transmission": 0.2547,
        "count_cutoff": 115897,
    }
    assert {name: attrs.get(name) for name in expected} == expected
    assert "flux" not in attrs, "1.396021 without a unit stays in the header"


def test_opening_a_series_takes_little_memory(data_folder):
    from beamkit.readers import cbf

    paths = [data_folder / name for name in GRID]
    cbf.read(paths[:1])
    tracemalloc.start()
    cbf.read(paths)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10e6, "headers only; the frames are 25 MB each"


@pytest.mark.slow
def test_mask_has_gaps_bad_pixels_and_overloads(data_folder):
    data = bk.open(data_folder / GRID[0])
    frame, mask = data.frames[0].values, data.mask.values
    np.testing.assert_array_equal((mask & MASK_DEAD) > 0, frame == -2)
    np.testing.assert_array_equal((mask & MASK_OVER_RESPONDING) > 0, frame > 115897)
    # 60 modules of 487 x 195 are 5 697 900 of 6 224 001 pixels (DECTRIS manual)
    assert np.count_nonzero(mask & MASK_GAP) == 6_224_001 - 5_697_900


def test_l_cysteine_stands_where_dials_finds_it(data_folder):
    folder = data_folder / "cbf_pilatus"
    with (folder / "l-cyst_imported_experiments.json").open() as file:
        dials = json.load(file)
    panel = dials["detector"][0]["panels"][0]
    attrs = bk.open(folder / "l-cyst_01_00001.cbf").attrs
    # DIALS has x, y, -z of the imgCIF frame in mm: the laboratory frame is (-x, y, -z).
    turn = np.array([-1, 1, -1])
    origin = np.array(panel["origin"]) * turn * 1e-3
    fast, slow = np.array(panel["fast_axis"]) * turn, np.array(panel["slow_axis"]) * turn
    np.testing.assert_allclose(attrs["detector_origin"], origin, atol=1e-8)
    np.testing.assert_allclose(attrs["detector_fast_axis"], fast, atol=1e-3)
    np.testing.assert_allclose(attrs["detector_slow_axis"], slow, atol=1e-3)
    expected = beam_center(origin, fast, slow, 172e-6, 172e-6)
    assert attrs["beam_center_x"] == pytest.approx(expected.x, abs=0.1)
    assert attrs["beam_center_y"] == pytest.approx(expected.y, abs=0.1)
    assert attrs["detector_distance"] == pytest.approx(expected.distance, rel=1e-3)


def test_beam_center_of_the_swung_detector_is_537_pixels_from_the_header(data_folder):
    attrs = bk.open(data_folder / "cbf_pilatus/l-cyst_01_00001.cbf").attrs
    t = math.radians(30)  # Detector_2theta; Beam_xy (730, 865), Detector_distance 0.16 m
    assert attrs["beam_center_x"] == pytest.approx(730 - 0.16 * math.tan(t) / 172e-6, abs=0.1)
    assert attrs["beam_center_y"] == pytest.approx(865, abs=0.1)
    assert attrs["detector_distance"] == pytest.approx(0.16 / math.cos(t), rel=1e-6)
    header = json.loads(attrs["header"])
    assert header["Beam_xy"] == "(730.00, 865.00) pixels"
    conflicts = {line.partition(":")[0] for line in lines(attrs, "conflicts")}
    assert {"beam_center_x", "detector_distance"} <= conflicts


def test_l_cysteine_sweep_is_that_of_dials(data_folder):
    data = bk.open(str(data_folder / "cbf_pilatus/l-cyst_01_*.cbf"))
    np.testing.assert_allclose(data.omega, [-145.0, -144.9, -144.8])
    assert data.source.values.tolist() == [f"l-cyst_01_0000{number}.cbf" for number in (1, 2, 3)]
    attrs = data.attrs
    assert (attrs["wavelength"], attrs["exposure_time"]) == (0.6889, 0.0964)
    assert (attrs["angle_increment"], attrs["count_cutoff"]) == (0.1, 388705)
    assert attrs["filter_transmission"] == 1.0
    assert attrs["detector_serial"] == "24-0107"
    assert attrs["sensor_thickness"] == 320e-6
    assert attrs["beamline"] == "Diamond Light Source Beamline I19-1"
    axes = {axis["name"]: axis for axis in json.loads(attrs["goniometer"])}
    # DIALS: GON_OMEGA (1, 0, 0), GON_PHI (0.5774, -0.8165, 0), imgCIF frame
    assert list(axes) == ["GON_PHI", "GON_OMEGA"]
    np.testing.assert_allclose(axes["GON_OMEGA"]["vector"], [-1, 0, 0])
    np.testing.assert_allclose(axes["GON_PHI"]["vector"], [-0.5774, -0.8165, 0])
    assert (axes["GON_OMEGA"]["setting"], axes["GON_OMEGA"]["increment"]) == (-145, 0.1)


def test_l_cysteine_gaps_are_those_of_dials(data_folder):
    folder = data_folder / "cbf_pilatus"
    with (folder / "l-cyst_imported_experiments.json").open() as file:
        rectangles = json.load(file)["detector"][0]["panels"][0]["mask"]
    gaps = np.zeros((1679, 1475), bool)
    for left, top, right, bottom in rectangles:
        gaps[top:bottom, left:right] = True
    mask = bk.open(folder / "l-cyst_01_00001.cbf").mask.values
    np.testing.assert_array_equal((mask & MASK_GAP) > 0, gaps)


def test_smargon_frame_is_square_to_the_beam(data_folder):
    attrs = bk.open(data_folder / "cbf_pilatus/DLS_I03_smargon_0001.cbf.gz").attrs
    assert attrs["detector_fast_axis"] == [-1, 0, 0]
    assert attrs["detector_slow_axis"] == [0, -1, 0]
    assert attrs["beam_center_x"] == pytest.approx(1229.30, abs=0.1)
    assert attrs["beam_center_y"] == pytest.approx(1200.48, abs=0.1)
    assert (attrs["wavelength"], attrs["detector_distance"]) == (0.97625, 0.29147)
    assert attrs["filter_transmission"] == 0.300376  # 30.0376 percent in the header
    assert [axis["name"] for axis in json.loads(attrs["goniometer"])] == [
        "GON_PHI",
        "GON_CHI",
        "GON_OMEGA",
    ]


def test_eiger_frame_that_calls_itself_a_pilatus(data_folder):
    attrs = bk.open(data_folder / "cbf_pilatus/dlsnxs2cbf_therm_0001.cbf.gz").attrs
    assert (attrs["detector"], attrs["detector_serial"]) == ("EIGER 16M XR4i", "160-0001")
    assert (attrs["beam_center_x"], attrs["beam_center_y"]) == (2216.06, 2300.41)
    assert (attrs["wavelength"], attrs["detector_distance"]) == (0.98027, 0.21396)
    assert attrs["pixel_size_x"] == 75e-6


# Images


def test_ceria_tiff_of_a_pilatus(data_folder):
    data = bk.open(data_folder / "powder/CeO2_Pilatus1M.tif")
    image = data.image[0].values
    assert (image.shape, image.dtype, image.min(), image.max()) == (
        (1043, 981),
        np.int32,
        -2,
        621698,
    )
    np.testing.assert_array_equal(
        image, fabio.open(str(data_folder / "powder/CeO2_Pilatus1M.tif")).data
    )
    attrs = data.attrs
    assert (attrs["pixel_size_x"], attrs["detector_distance"]) == (172e-6, 0.21143)
    assert (attrs["beam_center_x"], attrs["beam_center_y"]) == (498.18, 515.77)
    assert attrs["detector"] == "PILATUS 1M-F"
    assert json.loads(attrs["header"])["Image_path"] == "/ramdisk/Data/2014-3/Ross/"


# SRS


def test_scan_agrees_with_its_images(data_folder):
    data = bk.open(data_folder / "srs/i16_315029/315029.dat", images=True)
    assert data.sizes == {"point": 41, "detector_y": 195, "detector_x": 487}
    frames = data.frames.values
    np.testing.assert_array_equal(frames.sum(axis=(1, 2)), data["sum"])
    np.testing.assert_array_equal(frames.max(axis=(1, 2)), data.maxval)
    x, y = data.maxx.values.astype(int), data.maxy.values.astype(int)
    np.testing.assert_array_equal(frames[np.arange(41), y, x], data.maxval)
    assert [int(data["sum"][0]), int(data["sum"][40])] == [324555, 427594]
    assert [int(data.maxval[0]), int(data.maxval[40])] == [24, 129]
    assert data.attrs["energy"] == 8.95
    assert json.loads(data.attrs["header"])["UB11"] == "-0.02671"


def test_scan_with_a_word_among_its_numbers(data_folder):
    data = bk.open(data_folder / "srs/96356.dat")
    names = ["eta", "ExposureTime", "FileNum", "max", "sum", "IC1", "rc"]
    assert sorted(map(str, data.variables)) == sorted(names)
    assert math.isnan(float(data.rc[1]))
    assert np.count_nonzero(np.isnan(data.rc)) == 1
    assert float(data.eta[1]) == 0.1
    assert json.loads(data.attrs["header"])["testdata"] == "letagetabitarockin"


def test_scan_with_blanks_around_its_columns(data_folder):
    data = bk.open(data_folder / "srs/16446.dat")
    assert list(data.coords) == ["DCMFPitch"]
    assert list(data.data_vars) == ["Time", "BPM1IN", "Topup"]
    assert (data.attrs["beamline"], data.attrs["visit"]) == ("i24", "cm2075-3")
    assert float(data.Topup[2]) == 187.97


def test_scan_whose_header_closes_on_the_line_of_its_command(data_folder):
    data = bk.open(data_folder / "srs/34146.dat")
    np.testing.assert_array_equal(data.x, np.arange(1, 11))
    assert list(data.data_vars) == ["ai5"]
    header = json.loads(data.attrs["header"])
    assert len(header) == 11
    assert header["SRSTIM"] == "95827"
    assert data.attrs["scan_command"] == "scan x 1 10 1 ai5 1"
    assert "notes" not in data.attrs


def test_scan_with_java_exponents(data_folder):
    data = bk.open(data_folder / "srs/404863.dat")
    np.testing.assert_allclose(data.qdcd_, np.linspace(0, 1, 101), atol=1e-12)
    assert len(data.variables) == 7
    assert float(data.adc2[99]) == 7.8459527e7
    assert data.attrs["energy"] == 12.5
    assert "notes" not in data.attrs


# SPEC


def test_scans_whose_number_stands_behind_two_blanks(data_folder):
    path = data_folder / "spec/DIAMOND_I16_Lucian.spec"
    scans = bk.open(path).attrs["scans"]
    assert [line.split()[0] for line in scans] == [f"{number}.1" for number in range(1, 15)]
    columns = sum(len(bk.open(path, scan=number).variables) for number in range(1, 15))
    assert columns == 84
    first, eleventh = bk.open(path, scan=1), bk.open(path, scan=11)
    assert (len(first.variables), first.sizes["point"]) == (6, 11)
    assert float(first.mu[-1]) == 30.83387
    assert (len(eleventh.variables), eleventh.sizes["point"]) == (6, 11)
    assert float(eleventh["path"][-1]) == 3539658.0


@pytest.mark.slow
def test_spec_file_of_a_long_night(data_folder):
    path = data_folder / "spec/fourc_20161029_long_night_00.spec"
    scans = bk.open(path).attrs["scans"]
    assert len(scans) == 36
    first, last = bk.open(path, scan=1), bk.open(path, scan=36)
    assert (len(first.variables), first.sizes["point"]) == (60, 61)
    assert float(first.xpos[10]) == -10294.5
    assert (len(last.variables), last.sizes["point"]) == (57, 90)
    assert float(last.diode_r[-1]) == 281881.0
    assert "gcell2" in first
    assert "gcell2" in last
    assert sum(len(bk.open(path, scan=line.split()[0]).variables) for line in scans) == 2079
    motors = json.loads(first.attrs["header"])["motors"]
    assert (motors["tth"], motors["th"]) == (149.5, 141.725)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in TEXT if name.startswith("spec/")])
def test_spec_columns_are_those_of_silx(data_folder, name, require):
    specfile = require("silx.io.specfile", "diffraction")
    expected = specfile.SpecFile(str(data_folder / name))
    scans = bk.open(data_folder / name).attrs["scans"]
    assert len(scans) == len(expected)
    for place, line in enumerate(scans):
        data = bk.open(data_folder / name, scan=line.split()[0])
        found = [*data.coords, *data.data_vars]
        for column, label, values in zip(
            found, expected[place].labels, expected[place].data, strict=True
        ):
            assert str(column).startswith(label)
            np.testing.assert_array_equal(data[column], values)
        named = zip(expected[place].motor_names, expected[place].motor_positions, strict=True)
        motors = {name: position for name, position in named if name}
        assert json.loads(data.attrs["header"])["motors"] == motors


def test_console_log_is_refused(data_folder):
    with pytest.raises(UnknownFormatError, match="not a SPEC data file"):
        bk.open(data_folder / "spec/spec_scans.spec")


# Text table


def test_absorption_scan_has_the_columns_of_its_header(data_folder):
    data = bk.open(data_folder / "workflow/MoKedge_1_15.dat")
    assert data.sizes["point"] == 489
    assert list(data.coords) == ["Energy"]
    assert list(data.data_vars)[:5] == ["I0", "It", "Iref", "ln(I0_It)", "ln(It_Iref)"]
    np.testing.assert_allclose(data["ln(I0_It)"], np.log(data.I0 / data.It), atol=1e-3)
    assert float(data["ln(I0_It)"][0]) == -2.716


# Damage


@pytest.mark.slow
@pytest.mark.parametrize("name", [*CBF, GRID[0], *TIFF])
def test_cut_copy_of_an_image_is_an_error_that_names_it(data_folder, tmp_path, name):
    content = (data_folder / name).read_bytes()
    cut = tmp_path / f"cut_{name.rpartition('/')[2]}"
    for length in (1, 100, len(content) // 4, len(content) * 3 // 4, len(content) - 1000):
        cut.write_bytes(content[:length])
        with pytest.raises(BeamkitError, match=cut.name):
            bk.open(cut).compute()


@pytest.mark.slow
@pytest.mark.parametrize("name", TEXT)
def test_cut_copy_of_a_scan_is_shorter_or_an_error_that_names_it(data_folder, tmp_path, name):
    content = (data_folder / name).read_bytes()
    whole = bk.open(data_folder / name)
    cut = tmp_path / f"cut_{name.rpartition('/')[2]}"
    random = np.random.default_rng(5)
    for length in random.integers(1, len(content), 20):
        cut.write_bytes(content[:length])
        try:
            data = bk.open(cut)
        except BeamkitError as error:
            assert cut.name in str(error)  # noqa: PT017 (both outcomes are allowed)
        else:
            points = data.sizes["point"]
            for column in data.variables:
                np.testing.assert_array_equal(data[column], whole[column][:points])


@pytest.mark.slow
@pytest.mark.parametrize("name", [*CBF, GRID[0], *TIFF, *TEXT])
def test_flipped_copy_is_right_or_an_error_that_names_it(data_folder, tmp_path, name):
    content = (data_folder / name).read_bytes()
    copy = tmp_path / f"flip_{name.rpartition('/')[2]}"
    random = np.random.default_rng(6)
    places = [*random.integers(0, min(9000, len(content)), 6), *random.integers(0, len(content), 2)]
    for place in places:
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(random.integers(8))
        copy.write_bytes(damaged)
        try:
            bk.open(copy).compute()
        except BeamkitError as error:
            assert copy.name in str(error)  # noqa: PT017 (both outcomes are allowed)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CBF if "therm" not in name])
def test_verify_catches_flips_in_the_pixels(data_folder, tmp_path, name):
    content = (data_folder / name).read_bytes()
    copy = tmp_path / f"flip_{name.rpartition('/')[2]}"
    random = np.random.default_rng(8)
    # Plain: past the header, before the padding. In gzip all bytes are protected by its CRC.
    for place in random.integers(8000, len(content) - 6000, 8):
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(random.integers(8))
        copy.write_bytes(damaged)
        with pytest.raises(BeamkitError, match=copy.name):
            bk.open(copy, verify=True)


@pytest.mark.slow
def test_verify_accepts_every_real_frame(data_folder):
    bk.open(str(data_folder / "cbf_pilatus/l-cyst_01_*.cbf"), verify=True)
    for name in list(CBF)[3:]:
        bk.open(data_folder / name, verify=True)


@pytest.mark.parametrize("name", ["cbf_pilatus/l-cyst_01_00001.cbf", *TIFF, *TEXT])
def test_empty_copy_is_an_error_that_names_it(data_folder, tmp_path, name):
    empty = tmp_path / name.rpartition("/")[2]
    empty.touch()
    with pytest.raises(BeamkitError, match=empty.name):
        bk.open(empty)


def test_series_with_a_cut_frame_names_it(data_folder, tmp_path):
    for number in (1, 2):
        shutil.copy(data_folder / f"cbf_pilatus/l-cyst_01_0000{number}.cbf", tmp_path)
    last = tmp_path / "l-cyst_01_00002.cbf"
    last.chmod(0o644)
    last.write_bytes(last.read_bytes()[:1_000_000])
    with pytest.raises(BeamkitError, match="l-cyst_01_00002"):
        bk.open(tmp_path)
