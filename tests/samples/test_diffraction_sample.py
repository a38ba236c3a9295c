"""The simulated rotation scan is what its truth says, computed here in another way."""

from __future__ import annotations

import base64
import hashlib
import re

import fabio
import h5py
import numpy as np
import pytest
from fabio.compression import decByteOffset

from beamkit.core.detectors import LAYOUTS
from beamkit.core.errors import ParameterError, UnknownNameError, WriteError
from beamkit.core.transformations import Axis, chain_matrix
from beamkit.samples import diffraction
from beamkit.samples._byte_offset import encode

SMALL = {"detector": "PILATUS 100K", "frames": 3}


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return diffraction(tmp_path_factory.mktemp("scan") / "crystal")


def turn(sample, omega):
    """Turn by omega about -x of the laboratory, written out."""
    cosine, sine = np.cos(np.deg2rad(-omega)), np.sin(np.deg2rad(-omega))
    return np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])


def test_some_tens_of_spots_are_seen(sample):
    assert 40 < sample.spots.size < 400
    assert len(np.unique(sample.spots["frame"])) == sample.frames
    assert len(np.unique(sample.spots[["h", "k", "l"]])) > 0.9 * sample.spots.size


def test_every_spot_lies_on_the_ewald_sphere_and_its_ray_hits_the_detector_there(sample):
    origin, fast, slow = (np.array(vector) for vector in sample.detector.plane)
    size = sample.detector.layout.pixel_size
    k_in = np.array([0, 0, 1 / sample.wavelength])
    for spot in sample.spots:
        s = turn(sample, spot["omega"]) @ sample.ub @ [spot["h"], spot["k"], spot["l"]]
        k_out = k_in + s
        assert np.linalg.norm(k_out) == pytest.approx(1 / sample.wavelength, rel=1e-12)
        point = origin + size * (spot["x"] * fast + spot["y"] * slow)
        unit = point / np.linalg.norm(point)
        np.testing.assert_allclose(unit, k_out * sample.wavelength, atol=1e-12)


def test_spots_obey_braggs_law_with_the_metric_of_the_cell(sample):
    a, b, c, alpha, beta, gamma = sample.cell
    cosines = np.cos(np.deg2rad([alpha, beta, gamma]))
    metric = np.array(
        [
            [a * a, a * b * cosines[2], a * c * cosines[1]],
            [a * b * cosines[2], b * b, b * c * cosines[0]],
            [a * c * cosines[1], b * c * cosines[0], c * c],
        ]
    )
    hkl = np.stack([sample.spots[name] for name in "hkl"], axis=1)
    spacing = 1 / np.sqrt(np.einsum("ni,ij,nj->n", hkl, np.linalg.inv(metric), hkl))
    x, y = ((sample.spots["xy"[i]] - sample.beam_center[i]) * 172e-6 for i in (0, 1))
    theta = np.arctan2(np.hypot(x, y), sample.detector_distance) / 2
    np.testing.assert_allclose(2 * spacing * np.sin(theta), sample.wavelength, rtol=1e-10)


def test_no_reflection_of_the_scan_is_missing(sample):
    # Step through the scan finely and see which lattice points change sides of the sphere.
    hkl = np.stack(np.meshgrid(*[np.arange(-6, 7)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    hkl = hkl[np.any(hkl != 0, axis=1)]
    points = hkl @ sample.ub.T
    edges = np.arange(sample.start_angle, sample.start_angle + 8.0001, 0.005)
    sides = []
    for omega in edges:
        k_out = points @ turn(sample, omega).T + [0, 0, 1 / sample.wavelength]
        sides.append(np.linalg.norm(k_out, axis=1) > 1 / sample.wavelength)
    crossings = np.argwhere(np.diff(np.array(sides), axis=0))
    expected = set()
    for step, index in crossings:
        ray = points[index] @ turn(sample, edges[step]).T + [0, 0, 1 / sample.wavelength]
        if ray[2] > 0:
            x = sample.beam_center[0] - ray[0] / ray[2] * sample.detector_distance / 172e-6
            y = sample.beam_center[1] - ray[1] / ray[2] * sample.detector_distance / 172e-6
            if 1 < x < 486 and 1 < y < 618:
                expected.add((*hkl[index].tolist(), round(edges[step], 2)))
    low = np.abs([sample.spots[name] for name in "hkl"]).max(axis=0) <= 6
    found = {(s["h"], s["k"], s["l"]) for s in sample.spots[low]}
    assert {spot[:3] for spot in expected} <= found
    assert len(expected) > 20


def test_a_spot_is_where_the_table_says_in_the_frames(tmp_path):
    options = {"background": 0.0, "noise": False, "bad_pixels": 0, "hot_pixels": 0}
    sample = diffraction(tmp_path / "crystal", frames=8, mosaic_spread=0.1, **options)
    total = sum(fabio.open(str(file)).data.clip(0).astype(float) for file in sample.files)
    checked = 0
    for spot in sample.spots:
        others = np.hypot(sample.spots["x"] - spot["x"], sample.spots["y"] - spot["y"])
        column, row = int(spot["x"]), int(spot["y"])
        box = (slice(row - 6, row + 7), slice(column - 6, column + 7))
        whole = -29.6 < spot["omega"] < -22.4
        alone = np.sort(others)[1] > 20 and not sample.detector.layout.gaps()[box].any()
        if not (alone and whole and 6 < row < 612 and 6 < column < 480 and spot["intensity"] > 4e3):
            continue
        image = total[box]
        y, x = np.mgrid[row - 6 : row + 7, column - 6 : column + 7] + 0.5
        # The tails that fall below half a photon are rounded away: some 0.3 % of 4000.
        assert image.sum() == pytest.approx(spot["intensity"], rel=0.01)
        assert (image * x).sum() / image.sum() == pytest.approx(spot["x"], abs=0.02)
        assert (image * y).sum() / image.sum() == pytest.approx(spot["y"], abs=0.02)
        checked += 1
    assert checked > 10


def test_a_spot_is_brightest_in_the_frame_that_holds_its_middle(sample):
    expected = np.stack([sample.expected(number) for number in range(8)])
    for spot in sample.spots[sample.spots["intensity"] > 5e3]:
        middle = sample.start_angle + (spot["frame"] + 0.5) * sample.angle_increment
        assert abs(spot["omega"] - middle) <= sample.angle_increment / 2 + 1e-9
        assert np.argmax(expected[:, int(spot["y"]), int(spot["x"])]) == spot["frame"]


def test_frames_hold_flags_where_the_truth_has_them(sample):
    frame = fabio.open(str(sample.files[3])).data
    layout = sample.detector.layout
    bad = np.zeros(layout.shape, bool)
    for row, column in sample.detector.bad_pixels:
        bad[row, column] = True
    assert bad.sum() == 12
    np.testing.assert_array_equal(frame == -2, bad)
    np.testing.assert_array_equal(frame == -1, layout.gaps())
    hot = np.argwhere(frame > 2**20 - 1)
    assert sorted(map(tuple, hot)) == list(sample.detector.hot_pixels)
    assert np.count_nonzero(sample.detector.mask()) == layout.gaps().sum() + 12


def test_background_has_the_noise_of_photons(tmp_path):
    sample = diffraction(tmp_path / "crystal", **SMALL, intensity=0.0, background=30.0)
    frames = np.stack([sample.frame(number) for number in range(3)]).astype(float)
    good = (frames[0] >= 0) & (frames[0] < 1e6)
    expected = sample.background()[good]
    assert frames[:, good].mean() == pytest.approx(expected.mean(), rel=0.01)
    assert ((frames[:, good] - expected) ** 2 / expected).mean() == pytest.approx(1, abs=0.02)


def test_cbf_is_read_by_fabio_and_its_checksum_holds(sample):
    for number in (0, 7):
        image = fabio.open(str(sample.files[number]))
        np.testing.assert_array_equal(image.data, sample.frame(number))
    raw = sample.files[0].read_bytes()
    size = int(re.search(rb"X-Binary-Size: (\d+)", raw)[1])
    start = raw.index(b"\x0c\x1a\x04\xd5") + 4
    digest = base64.b64encode(hashlib.md5(raw[start : start + size]).digest())
    assert re.search(rb"Content-MD5: (\S+)", raw)[1] == digest
    assert raw[start + size :].endswith(b"\r\n--CIF-BINARY-FORMAT-SECTION----\r\n;\r\n\r\n")


def test_cbf_header_says_what_the_truth_says(sample):
    header = fabio.open(str(sample.files[2])).header["_array_data.header_contents"]
    for line in (
        "# Detector: PILATUS 300K, S/N 00-0000, simulated",
        "# 2026-01-15T09:30:00.200",
        "# Pixel_size 172e-6 m x 172e-6 m",
        "# Wavelength 0.97950 A",
        "# Detector_distance 0.16000 m",
        "# Beam_xy (209.41, 346.64) pixels",
        "# Start_angle -28.0000 deg.",
        "# Angle_increment 1.0000 deg.",
        "# Count_cutoff 1048575 counts",
        "# N_excluded_pixels = 12",
    ):
        assert line in header
    assert sample.beam_center == pytest.approx((209.41, 346.64), abs=1e-6)
    assert sample.detector_distance == pytest.approx(0.16)


def test_header_keeps_every_decimal_of_an_odd_number(tmp_path):
    sample = diffraction(tmp_path / "crystal", **SMALL, wavelength=0.97625731)
    header = fabio.open(str(sample.files[0])).header["_array_data.header_contents"]
    assert "# Wavelength 0.97625731 A" in header


def test_swung_detector_sees_higher_angles_and_moves_the_beam_center(tmp_path):
    straight = diffraction(tmp_path / "straight", **SMALL, noise=False)
    swung = diffraction(tmp_path / "swung", **SMALL, noise=False, two_theta=20.0)
    header = fabio.open(str(swung.files[0])).header["_array_data.header_contents"]
    assert "# Detector_2theta 20.0000 deg." in header
    assert "# Beam_xy (209.41, 109.2) pixels" in header.replace("109.20", "109.2")
    # The arm goes up, so the beam falls below: 0.16 m tan(20 deg) further down, along the plane.
    below = swung.beam_center[1] - straight.beam_center[1]
    assert below == pytest.approx(0.16 * np.tan(np.deg2rad(20)) / 172e-6, rel=1e-9)
    middle = swung.detector.positions()[109, 209]
    assert np.rad2deg(np.arctan2(middle[1], middle[2])) == pytest.approx(20, abs=0.05)
    s = swung.spots[0]
    point = swung.detector.where(
        swung._directions(np.array([[s["h"], s["k"], s["l"]]]), [s["omega"]])
    )
    np.testing.assert_allclose(point[0], (s["x"], s["y"]))


def test_byte_offset_handles_every_width():
    values = np.array([[0, 127, -1, -128, 127], [32767, -1, 2**20, -(2**31), 2**31 - 1]], np.int32)
    # 2**31 - 1 after -2**31 differs by more than fits in four bytes: written out by hand.
    assert encode(values)[-15:] == b"\x80\x00\x80\x00\x00\x00\x80" + (2**32 - 1).to_bytes(
        8, "little"
    )
    plain = values[:, :4]
    decoded = np.asarray(decByteOffset(encode(plain), size=plain.size))
    np.testing.assert_array_equal(decoded.astype(np.int32), plain.ravel())
    assert encode(np.zeros((0, 3), np.int32)) == b""


@pytest.mark.parametrize("layout", [x for x in LAYOUTS if x.shape[0] * x.shape[1] < 2e6])
def test_every_small_detector_can_be_simulated(tmp_path, layout):
    sample = diffraction(tmp_path / "crystal", frames=1, detector=layout.name)
    frame = fabio.open(str(sample.files[0])).data
    assert frame.shape == layout.shape
    np.testing.assert_array_equal(frame == -1, layout.gaps())


def test_nxmx_frames_are_those_of_the_cbf_with_masked_pixels_at_the_top(tmp_path):
    import hdf5plugin  # noqa: F401

    options = {"detector": "PILATUS 100K", "frames": 7}
    cbf = diffraction(tmp_path / "crystal", **options)
    master = diffraction(tmp_path / "crystal_master.h5", **options, format="nxmx")
    assert [file.name for file in master.files] == [
        "crystal_master.h5",
        "crystal_data_000001.h5",
        "crystal_data_000002.h5",
    ]
    with h5py.File(master) as file:
        data = file["entry/data"]
        frames = np.concatenate([data[f"data_{n:06d}"][:] for n in (1, 2)])
        mask = file["entry/instrument/detector/pixel_mask"][:]
        assert data["data_000002"].attrs["image_nr_low"] == 6
    for number, frame in enumerate(frames):
        expected = fabio.open(str(cbf.files[number])).data
        np.testing.assert_array_equal(
            np.where(frame == 2**32 - 1, -1, frame.astype(int)),
            np.where(expected < 0, -1, expected),
        )
    np.testing.assert_array_equal(mask != 0, frames[0] == 2**32 - 1)
    np.testing.assert_array_equal(mask, master.detector.mask())


def test_chain_of_nxmx_axes_leads_to_the_corner_of_the_detector(tmp_path):
    master = diffraction(tmp_path / "a_master.h5", **SMALL, format="nxmx", two_theta=12.0)
    with h5py.File(master) as file:
        path, axes = "/entry/instrument/detector/module/module_offset", []
        while path != ".":
            axis = file[path]
            kind, vector = axis.attrs["transformation_type"], axis.attrs["vector"]
            axes.append(Axis(path, kind, vector, axis[()], axis.attrs["offset"]))
            path = axis.attrs["depends_on"]
        fast = file["/entry/instrument/detector/module/fast_pixel_direction"]
        matrix = chain_matrix(axes)
        np.testing.assert_allclose(matrix[:3, 3], master.detector.plane.origin, atol=1e-9)
        np.testing.assert_allclose(
            matrix[:3, :3] @ fast.attrs["vector"], master.detector.plane.fast, atol=1e-9
        )
        omega = file["/entry/sample/transformations/omega"]
        np.testing.assert_array_equal(omega, master.omega)
        assert omega.attrs["vector"].tolist() == list(master.omega_axis)


def test_same_call_gives_the_same_bytes(tmp_path):
    first, second = (diffraction(tmp_path / name / "crystal", **SMALL) for name in "ab")
    other = diffraction(tmp_path / "c" / "crystal", **SMALL, seed=2)
    for one, two in zip(first.files, second.files, strict=True):
        assert one.read_bytes() == two.read_bytes()
    assert first.files[0].read_bytes() != other.files[0].read_bytes()


def test_folder_that_holds_something_is_not_written_to(tmp_path):
    (tmp_path / "other_00009.cbf").write_text("precious")
    with pytest.raises(WriteError, match="exists and is not an empty folder"):
        diffraction(tmp_path, **SMALL)
    assert [file.name for file in tmp_path.iterdir()] == ["other_00009.cbf"]


def test_frames_fill_an_empty_folder(tmp_path):
    folder = tmp_path / "empty"
    folder.mkdir()
    sample = diffraction(folder, **SMALL)
    assert sorted(folder.iterdir()) == list(sample.files)
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"frames": 0}, ParameterError, "frames=0: 1 is the lowest"),
        ({"angle_increment": 0.0}, ParameterError, "angle_increment=0.0: a number above 0"),
        ({"cell": (5, 6, 7, 40, 40, 120)}, ParameterError, r"cell \[5, 6, 7.*impossible"),
        ({"cell": (5, 6, 7)}, ParameterError, "impossible"),
        ({"bad_pixels": 10**6}, ParameterError, "do not fit on a PILATUS 300K"),
        ({"detector": "PILATUS 300k"}, UnknownNameError, "Did you mean 'PILATUS 300K'"),
        ({"format": "cfb"}, UnknownNameError, "Did you mean 'cbf'"),
    ],
)
def test_impossible_scan_is_refused(tmp_path, options, error, message):
    with pytest.raises(error, match=message):
        diffraction(tmp_path / "crystal", **options)
    assert not list(tmp_path.iterdir())
