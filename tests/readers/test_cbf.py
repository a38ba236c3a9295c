"""miniCBF and imgCIF files: pixels, header, geometry, series, damage."""

from __future__ import annotations

import bz2
import gzip
import json
import math

import dask.array as da
import numpy as np
import pytest
from readers.cbf_files import byte_offset, cbf_bytes, example_frame, mini_header, write_cbf
from readers.conformance import ReaderConformance

import beamkit as bk
from beamkit.core.detectors import MASK_DEAD, MASK_GAP, MASK_OVER_RESPONDING
from beamkit.core.errors import BeamkitError, ChecksumError, ShapeError, UnreadableFileError
from beamkit.core.schema import lines
from beamkit.readers import cbf


class TestCbf(ReaderConformance):
    format = "cbf"
    flips = 20

    @pytest.fixture
    def example(self, tmp_path):
        return write_cbf(tmp_path / "frame_1.cbf")


@pytest.mark.slow
class TestCbfInBzip2(ReaderConformance):
    format = "cbf"
    flips = 20

    @pytest.fixture
    def example(self, tmp_path):
        path = tmp_path / "frame_1.cbf.bz2"
        path.write_bytes(bz2.compress(cbf_bytes(example_frame())))
        return path


@pytest.fixture
def series(tmp_path):
    """Three frames that turn, the middle one written last."""
    for number in (1, 10, 2):
        mini = mini_header(angle=10 + number / 2, seconds=number / 4)
        write_cbf(tmp_path / f"scan_{number}.cbf", example_frame() + number, mini)
    return tmp_path / "scan_*.cbf"


# Pixels


def test_every_escape_of_the_code_gives_its_pixel(tmp_path):
    data = bk.open(write_cbf(tmp_path / "a.cbf"))
    np.testing.assert_array_equal(data.frames[0], example_frame())
    assert data.frames.dtype == np.int32


def test_steps_of_more_than_31_bits_are_read(tmp_path):
    frame = example_frame()
    frame[4, 4:7] = (-(2**31), 2**31 - 1, -5)
    np.testing.assert_array_equal(bk.open(write_cbf(tmp_path / "a.cbf", frame)).frames[0], frame)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_packed_files_hold_the_same_pixels(tmp_path, pack):
    path = tmp_path / "a.cbf.packed"
    path.write_bytes(pack(cbf_bytes(example_frame())))
    np.testing.assert_array_equal(bk.open(path).frames[0], example_frame())


def test_uncompressed_pixels_are_read(tmp_path):
    frame = example_frame().astype("<u2")
    path = write_cbf(
        tmp_path / "a.cbf",
        frame,
        conversion="x-CBF_NONE",
        element="unsigned 16-bit integer",
        data=frame.tobytes(),
    )
    np.testing.assert_array_equal(bk.open(path).frames[0], frame)


def test_unsigned_pixels_above_31_bits_stay_positive(tmp_path):
    frame = example_frame().astype(np.int64)
    frame[3, 3] = 2**32 - 1
    path = write_cbf(tmp_path / "a.cbf", frame, element="unsigned 32-bit integer")
    assert int(bk.open(path).frames[0, 3, 3]) == 2**32 - 1


def test_unknown_compression_is_refused_by_its_name(tmp_path):
    path = write_cbf(tmp_path / "a.cbf", conversion="x-CBF_PACKED")
    with pytest.raises(UnreadableFileError, match=r"a\.cbf.*'x-CBF_PACKED'.*cif2cbf"):
        bk.open(path)


def test_pixels_equal_those_of_fabio(tmp_path):
    import fabio

    frame = np.random.default_rng(4).poisson(60, (31, 45)).astype(np.int32) * 37
    path = write_cbf(tmp_path / "a.cbf", frame)
    np.testing.assert_array_equal(bk.open(path).frames[0], fabio.open(str(path)).data)


def test_file_written_by_fabio_is_read(tmp_path):
    import fabio.cbfimage

    path = tmp_path / "a.cbf"
    fabio.cbfimage.CbfImage(data=example_frame()).write(str(path))
    np.testing.assert_array_equal(bk.open(path, verify=True).frames[0], example_frame())


# Mask


def test_mask_has_the_bits_of_flags_and_cutoff(tmp_path):
    mask = bk.open(write_cbf(tmp_path / "a.cbf")).mask.values
    assert mask[7, 1] == MASK_GAP
    assert mask[7, 2] == MASK_DEAD
    assert mask[2, 3] == MASK_OVER_RESPONDING
    assert np.count_nonzero(mask) == 4  # and the largest number of all, in the last pixel


def test_mask_has_the_gaps_between_modules_even_where_the_file_has_zeros(tmp_path):
    frame = np.zeros((407, 487), np.int32)  # PILATUS 200K: rows 195 to 211 are a gap
    mask = bk.open(write_cbf(tmp_path / "a.cbf", frame)).mask.values
    assert np.flatnonzero(mask[:, 5]).tolist() == list(range(195, 212))


def test_opening_reads_no_pixels(tmp_path, monkeypatch):
    path = write_cbf(tmp_path / "a.cbf")
    monkeypatch.setattr(cbf, "load", lambda path: pytest.fail("pixels were read"))
    data = bk.open(path)
    assert isinstance(data.mask.data, da.Array)


# Header


def test_header_is_named_and_converted(tmp_path):
    attrs = bk.open(write_cbf(tmp_path / "a.cbf")).attrs
    expected = {
        "detector": "PILATUS 100K",
        "detector_serial": "1-0102",
        "start_time": "2012-03-01T12:00:01.500",
        "pixel_size_x": 172e-6,
        "pixel_size_y": 175e-6,
        "sensor_material": "Si",
        "sensor_thickness": 320e-6,
        "exposure_time": 0.097,
        "exposure_period": 0.1,
        "dead_time": 124e-9,
        "count_cutoff": 250_000,
        "threshold_energy": 6.35,
        "gain_setting": "low gain (vrf = -0.300)",
        "wavelength": 0.9795,
        "detector_distance": 0.25,
        "beam_center_x": 9.5,
        "beam_center_y": 4.25,
        "flux": 22487563295,
        "filter_transmission": 0.25,
        "start_angle": 10,
        "angle_increment": 0.5,
        "detector_two_theta": 0,
        "phi": 12,
        "chi": -54.7,
        "omega": 10,
        "kappa": 0,
        "alpha": 0,
    }
    assert {name: attrs.get(name) for name in expected} == expected
    assert attrs["polarization"] == pytest.approx(2 * 0.99 - 1)
    assert attrs["energy"] == pytest.approx(12.398419843320026 / 0.9795)  # CODATA 2018


SLS = """\
# Detector: PILATUS 6M SN: 60-0001
# 2007/Jun/17 15:12:36.928
# Pixel_size = 172e-6 m x 172e-6 m
# CdTe sensor, thickness 1e-3 m
# Exposure_time: 990 ms
# Tau = 0 s
# Count_cutoff = 1048575 counts
# Threshold_setting 5300 eV
# Wavelength: 0.10000 nm
# Detector_distance, 199.99 mm
# Beam_xy = (9.50, 4.25) pixels
# Flux 0.000000
# Filter_transmission: 30.0376
# Start_angle = 13.0000 deg.
# Polarization
"""


@pytest.mark.parametrize("convention", ["SLS_1.0", "?", ""])
def test_older_conventions_and_other_separators_and_units_are_understood(tmp_path, convention):
    attrs = bk.open(write_cbf(tmp_path / "a.cbf", mini=SLS, convention=convention)).attrs
    assert (attrs["detector"], attrs["detector_serial"]) == ("PILATUS 6M", "60-0001")
    assert attrs["start_time"] == "2007-06-17T15:12:36.928"
    assert attrs["sensor_material"] == "CdTe"
    assert attrs["exposure_time"] == 0.99
    assert attrs["count_cutoff"] == 1048575
    assert attrs["threshold_energy"] == 5.3
    assert attrs["wavelength"] == 1.0
    assert attrs["detector_distance"] == 0.19999
    assert attrs["start_angle"] == 13
    assert attrs["filter_transmission"] == 0.300376
    assert any(line.startswith("filter_transmission:") for line in lines(attrs, "assumed"))
    assert "flux" not in attrs, "a number without a unit stays in the header"
    assert "polarization" not in attrs
    assert json.loads(attrs["header"])["Flux"] == "0.000000"


def test_nonsense_in_the_header_is_noted_and_left_out(tmp_path):
    mini = "# Wavelength none\n# Exposure_time 1e999 s\n# Beam_xy 7\n# Word\n# Detector_distance -1 m\n"
    attrs = bk.open(write_cbf(tmp_path / "a.cbf", mini=mini)).attrs
    assert not {"wavelength", "exposure_time", "beam_center_x", "detector_distance"} & set(attrs)
    noted = {line.partition(":")[0] for line in lines(attrs, "notes")}
    assert noted == {"wavelength", "exposure_time", "beam_center_x"}


def test_unparsed_header_stays(tmp_path):
    header = json.loads(bk.open(write_cbf(tmp_path / "a.cbf")).attrs["header"])
    assert header["header_convention"] == "PILATUS_1.2"
    assert header["Excluded_pixels"] == "badpix_mask.tif"
    assert header["Energy_range"] == "(0, 0) eV"


# Geometry


def test_square_detector_has_its_corner_up_and_to_the_left(tmp_path):
    attrs = bk.open(write_cbf(tmp_path / "a.cbf")).attrs
    # 9.5 columns of 172 um to the left (+x), 4.25 rows of 175 um above the beam
    assert attrs["detector_origin"] == pytest.approx([9.5 * 172e-6, 4.25 * 175e-6, 0.25])
    assert attrs["detector_fast_axis"] == [-1, 0, 0]
    assert attrs["detector_slow_axis"] == [0, -1, 0]
    assert any(line.startswith("detector_fast_axis:") for line in lines(attrs, "assumed"))


def test_swung_detector_has_its_beam_center_where_the_beam_meets_it(tmp_path):
    mini = mini_header(two_theta=20)
    attrs = bk.open(write_cbf(tmp_path / "a.cbf", mini=mini)).attrs
    t = math.radians(20)
    assert attrs["detector_distance"] == pytest.approx(0.25 / math.cos(t))
    assert attrs["beam_center_y"] == pytest.approx(4.25 + 0.25 * math.tan(t) / 175e-6)
    assert attrs["beam_center_x"] == pytest.approx(9.5)
    changed = {line.partition(":")[0] for line in lines(attrs, "conflicts")}
    assert changed == {"beam_center_y", "detector_distance"}


def test_a_distance_given_on_opening_does_not_take_the_detector_off_its_arm(tmp_path):
    lines_ = mini_header(two_theta=30).splitlines()
    mini = "\n".join(line for line in lines_ if "Detector_distance" not in line)
    path = write_cbf(tmp_path / "a.cbf", mini=mini)
    attrs = bk.open(path, detector_distance=0.4, beam_center=(3.5, 20.25)).attrs
    # Swung up about the horizontal axis: columns run down and away from the sample.
    slow = [0, -math.cos(math.radians(30)), 0.5]
    size_x, size_y = attrs["pixel_size_x"], attrs["pixel_size_y"]
    corner = np.array([3.5 * size_x, 0, 0.4]) - 20.25 * size_y * np.array(slow)
    np.testing.assert_allclose(attrs["detector_slow_axis"], slow, atol=1e-11)
    np.testing.assert_allclose(attrs["detector_origin"], corner, atol=1e-11)


def test_detector_beside_the_beam_has_no_beam_center(tmp_path):
    attrs = bk.open(write_cbf(tmp_path / "a.cbf", mini=mini_header(two_theta=100))).attrs
    assert "beam_center_x" not in attrs
    assert "detector_origin" in attrs
    assert any("no beam centre" in line for line in lines(attrs, "notes"))


IMGCIF = """
loop_
_diffrn_scan_frame_axis.frame_id
_diffrn_scan_frame_axis.axis_id
_diffrn_scan_frame_axis.angle
_diffrn_scan_frame_axis.displacement
F1 OMEGA 30.0 0.0
F1 SWING {swing} 0.0
F1 DISTANCE 0.0 {distance}
loop_
_axis.id _axis.type _axis.equipment _axis.depends_on
_axis.vector[1] _axis.vector[2] _axis.vector[3]
_axis.offset[1] _axis.offset[2] _axis.offset[3]
OMEGA rotation goniometer . 1 0 0 . . .
SOURCE general source . 0 0 1 . . .
GRAVITY general gravity . {gravity} . . .
SWING rotation detector . 0 1 0 . . .
DISTANCE translation detector SWING 0 0 -1 0 0 0
FAST translation detector DISTANCE 0 1 0 -2 -3 0
SLOW translation detector FAST 1 0 0 0 0 0
loop_
_array_structure_list.array_id
_array_structure_list.index
_array_structure_list.dimension
_array_structure_list.precedence
_array_structure_list.direction
_array_structure_list.axis_set_id
A1 1 17 1 increasing FAST
A1 2 13 2 increasing SLOW
loop_
_array_structure_list_axis.axis_set_id
_array_structure_list_axis.axis_id
_array_structure_list_axis.displacement
_array_structure_list_axis.displacement_increment
FAST FAST 0.0 0.172
SLOW SLOW 0.0 {slow_step}
"""


def imgcif(*, swing=0.0, distance=250.0, gravity="0 -1 0", slow_step=0.175):
    return IMGCIF.format(swing=swing, distance=distance, gravity=gravity, slow_step=slow_step)


def test_imgcif_axes_win_over_the_header(tmp_path):
    attrs = bk.open(write_cbf(tmp_path / "a.cbf", imgcif=imgcif())).attrs
    # imgCIF (x, y, z) [mm] is (-x, y, -z): offset (-2, -3, 0) and 250 mm downstream
    assert attrs["detector_origin"] == pytest.approx([0.002, -0.003, 0.25])
    assert attrs["detector_fast_axis"] == [0, 1, 0]
    assert attrs["detector_slow_axis"] == [-1, 0, 0]
    assert attrs["beam_center_x"] == pytest.approx(3e-3 / 172e-6)
    assert any(line.startswith("beam_center_x:") for line in lines(attrs, "conflicts"))
    axes = json.loads(attrs["goniometer"])
    assert [axis["name"] for axis in axes] == ["OMEGA"]
    assert (axes[0]["vector"], axes[0]["setting"]) == ([-1, 0, 0], 30)


def test_imgcif_swing_about_the_vertical_moves_the_detector_sideways(tmp_path):
    attrs = bk.open(write_cbf(tmp_path / "a.cbf", imgcif=imgcif(swing=30))).attrs
    # About +y (imgCIF and laboratory) by 30 deg: (0, 0, z) goes to (z sin, 0, z cos).
    x, z = 0.002, 0.25
    c, s = math.cos(math.radians(30)), math.sin(math.radians(30))
    assert attrs["detector_origin"] == pytest.approx([x * c + z * s, -0.003, -x * s + z * c])


def test_gravity_in_the_header_says_where_up_is(tmp_path):
    attrs = bk.open(write_cbf(tmp_path / "a.cbf", imgcif=imgcif(gravity="-1 0 0"))).attrs
    # Up is the imgCIF +x, along which the slow axis runs.
    assert attrs["detector_slow_axis"] == pytest.approx([0, 1, 0])
    assert attrs["detector_fast_axis"] == pytest.approx([1, 0, 0])


def test_negative_increment_turns_an_image_axis_round(tmp_path):
    attrs = bk.open(write_cbf(tmp_path / "a.cbf", imgcif=imgcif(slow_step=-0.175))).attrs
    assert attrs["detector_slow_axis"] == [1, 0, 0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("FAST translation detector DISTANCE", "FAST translation detector SLOW"),  # a circle
        ("SWING rotation detector . 0 1 0", "SWING rotation detector . 0 0 0"),
        ("SLOW translation detector FAST", "SLOW translation detector DISTANCE"),
        ("F1 SWING 0.0", "F1 SWING x"),
    ],
)
def test_senseless_axes_are_noted_and_the_header_is_used(tmp_path, old, new):
    text = imgcif()
    assert old in text
    attrs = bk.open(write_cbf(tmp_path / "a.cbf", imgcif=text.replace(old, new))).attrs
    assert attrs["beam_center_x"] == 9.5
    assert any("imgCIF axes are not used" in line for line in lines(attrs, "notes"))


def test_imgcif_alone_gives_what_it_has(tmp_path):
    text = imgcif() + (
        "_diffrn_source.type 'Diamond Light Source Beamline I03'\n"
        "loop_\n_diffrn_radiation_wavelength.id _diffrn_radiation_wavelength.wavelength\nW1 0.95\n"
        "loop_\n_array_element_size.array_id _array_element_size.index _array_element_size.size\n"
        "A1 1 172e-6\nA1 2 175e-6\n"
    )
    attrs = bk.open(write_cbf(tmp_path / "a.cbf", mini="", imgcif=text)).attrs
    assert attrs["wavelength"] == 0.95
    assert attrs["beamline"] == "Diamond Light Source Beamline I03"
    assert attrs["beam_center_x"] == pytest.approx(3e-3 / 172e-6)
    assert attrs["beam_center_y"] == pytest.approx(2e-3 / 175e-6)


# Series


def test_series_is_one_dataset_in_natural_order(series):
    data = bk.open(str(series))
    assert data.source.values.tolist() == ["scan_1.cbf", "scan_2.cbf", "scan_10.cbf"]
    np.testing.assert_array_equal(data.frames[:, 0, 0], [1, 2, 10])


def test_what_differs_is_a_coordinate_over_frame(series):
    data = bk.open(str(series))
    np.testing.assert_allclose(data.omega, [10.5, 11, 15])
    np.testing.assert_allclose(data.start_angle, [10.5, 11, 15])
    np.testing.assert_allclose(data.time, [0, 0.25, 2.25])
    assert data.omega.attrs["units"] == "deg"
    assert "omega" not in data.attrs
    assert data.attrs["start_time"] == "2012-03-01T12:00:00.250"
    assert data.attrs["phi"] == 12


def test_detector_that_moves_in_a_series_has_a_distance_for_each_frame(tmp_path):
    for number, distance in enumerate((250.0, 300.0)):
        write_cbf(tmp_path / f"{number}.cbf", imgcif=imgcif(distance=distance))
    data = bk.open(tmp_path)
    np.testing.assert_allclose(data.detector_distance, [0.25, 0.3])
    assert "detector_origin" not in data.attrs
    assert any(line.startswith("detector_origin:") for line in lines(data.attrs, "notes"))


def test_one_frame_of_a_series_reads_one_file(series, monkeypatch):
    data, loaded, load = bk.open(str(series)), [], cbf.load
    monkeypatch.setattr(cbf, "load", lambda path: loaded.append(path.name) or load(path))
    assert int(data.frames[1, 0, 0]) == 2
    assert loaded == ["scan_2.cbf"]


def test_parts_of_frames_equal_the_parts_of_the_whole(series):
    frames = bk.open(str(series)).frames
    whole = frames.values
    np.testing.assert_array_equal(frames[:, 3, 2:9], whole[:, 3, 2:9])
    np.testing.assert_array_equal(frames[::-1, ::-2], whole[::-1, ::-2])
    np.testing.assert_array_equal(frames.isel(frame=[2, 0], detector_x=5), whole[[2, 0], :, 5])
    assert frames[:0].values.shape == (0, 13, 17)


def test_frames_of_different_size_name_two_files(tmp_path):
    write_cbf(tmp_path / "1.cbf")
    write_cbf(tmp_path / "2.cbf", example_frame(rows=15))
    with pytest.raises(ShapeError, match=r"2\.cbf.*\(15, 17\).*1\.cbf.*\(13, 17\)"):
        bk.open(tmp_path)


def test_file_that_vanished_after_opening_is_named(tmp_path):
    path = write_cbf(tmp_path / "gone.cbf")
    data = bk.open(path)
    path.unlink()
    with pytest.raises(UnreadableFileError, match=r"gone\.cbf.*no such file"):
        data.frames.load()


def test_file_that_changed_size_after_opening_is_named(tmp_path):
    path = write_cbf(tmp_path / "other.cbf")
    data = bk.open(path)
    write_cbf(path, example_frame(rows=15))
    with pytest.raises(UnreadableFileError, match=r"other\.cbf.*Open the files again"):
        data.frames.load()


# Damage


def test_every_truncation_is_an_error_that_names_the_file(tmp_path):
    content = cbf_bytes(example_frame())
    path = tmp_path / "cut.cbf"
    boundary = content.rindex(b"--CIF-BINARY-FORMAT-SECTION--") + 29
    for length in range(1, boundary, 11):
        path.write_bytes(content[:length])
        with pytest.raises(UnreadableFileError, match=r"cut\.cbf"):
            bk.open(path).frames.load()


def test_verify_catches_flips_all_over_the_pixels(tmp_path):
    content = cbf_bytes(example_frame())
    start = content.index(b"\x0c\x1a\x04\xd5") + 4
    path = tmp_path / "flip.cbf"
    for place in range(start, start + len(byte_offset(example_frame())), 3):
        copy = bytearray(content)
        copy[place] ^= 1 << place % 8
        path.write_bytes(copy)
        with pytest.raises(ChecksumError, match=r"flip\.cbf: frame 0"):
            bk.open(path, verify=True)


def test_verify_names_the_frame_of_a_series(series):
    second = series.parent / "scan_2.cbf"
    content = bytearray(second.read_bytes())
    content[content.index(b"\x0c\x1a\x04\xd5") + 20] ^= 4
    second.write_bytes(content)
    bk.open(str(series))
    with pytest.raises(ChecksumError, match=r"scan_2\.cbf: frame 1"):
        bk.open(str(series), verify=True)


def test_verify_decodes_what_has_no_checksum(tmp_path):
    frame = example_frame()
    broken = byte_offset(frame)[:-3] + b"\x01" * 9
    path = write_cbf(tmp_path / "a.cbf", frame, md5=False, data=broken)
    with pytest.raises(UnreadableFileError, match=r"a\.cbf.*do not make"):
        bk.open(path, verify=True)


def test_random_bytes_never_read_outside_the_data():
    from beamkit.readers._cbf_byte_offset import TOO_SHORT, decode

    random = np.random.default_rng(7)
    for size in range(1, 200):
        data = random.choice(np.array([0, 1, 0x80, 0xFF], np.uint8), size)
        out = np.zeros(40, np.int32)
        used = decode(data, out)
        assert used == TOO_SHORT or 40 <= used <= size


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"X-Binary-Size: ", b"X-Binary-Size: 9"),
        (b"X-Binary-Size: ", b"X-Binary-Size: -"),
        (b"Fastest-Dimension: 17", b"Fastest-Dimension: 99999999"),
        (b"Second-Dimension: 13", b"Second-Dimension: 0"),
        (b"Number-of-Elements: 221", b"Number-of-Elements: 220"),
        (b"signed 32-bit integer", b"signed 64-bit real IEEE"),
    ],
)
def test_impossible_section_header_is_refused(tmp_path, old, new):
    content = cbf_bytes(example_frame())
    assert old in content
    path = tmp_path / "a.cbf"
    path.write_bytes(content.replace(old, new))
    with pytest.raises(BeamkitError, match=r"a\.cbf"):
        bk.open(path)
