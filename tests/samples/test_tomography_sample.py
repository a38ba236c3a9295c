"""The simulated scan is what its truth says, computed here in another way."""

from __future__ import annotations

import os
import tracemalloc

import h5py
import numpy as np
import pytest

from beamkit.core.errors import ParameterError, UnknownNameError, WriteError
from beamkit.samples import Ellipsoid, tomography
from beamkit.samples import _tomography_files as files

CLEAN = {"noise": False, "dead_pixels": 0, "hot_pixels": 0, "rings": 0}
SMALL = {"width": 33, "rows": 7, "angles": 12}


def attenuation(ellipsoids, points):
    """Sum what each ellipsoid adds at points (..., 3) [um], through its rotation matrix."""
    total = np.zeros(points.shape[:-1])
    for e in ellipsoids:
        turn = np.deg2rad(e.angle)
        own = np.array(
            [[np.cos(turn), np.sin(turn), 0], [-np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
        )
        inside = (((points - e.center) @ own.T / e.semi_axes) ** 2).sum(axis=-1) <= 1
        total[inside] += e.value
    return total


def ray_sum(sample, angle, row, column, step=0.05):
    """Integrate along one ray in small steps [1]."""
    um = sample.effective_pixel_size * 1e6
    a = np.deg2rad(angle)
    t = np.arange(-sample.width, sample.width, step)[:, None] * um
    s = (column - sample.rotation_center) * um
    points = s * np.array([np.cos(a), np.sin(a), 0]) + t * np.array([-np.sin(a), np.cos(a), 0])
    points[:, 2] = row * um
    return attenuation(sample.ellipsoids, points).sum() * step * um * 1e-4


@pytest.mark.parametrize("angle", [0.0, 33.0, 90.0, 151.5, 270.0])
def test_line_integrals_equal_sums_along_the_rays(tmp_path, angle):
    sample = tomography(tmp_path / "scan.nxs", width=65, rows=11, angles=1, **CLEAN)
    found = sample.line_integrals(angle, rows=[4])[0, 0]
    for column in (9, 20, 31, 42, 50):
        # Each of a dozen surfaces may be half a step off: 12 * 0.5 * 0.05 px * 2 um... ~ 0.01
        assert found[column] == pytest.approx(ray_sum(sample, angle, 4, column), abs=0.01)


def test_line_integral_through_the_middle_of_a_ball_is_its_diameter(tmp_path):
    ball = Ellipsoid((20.0, -10.0, 13.0), (15.0, 15.0, 15.0), 0.0, 50.0)
    sample = tomography(
        tmp_path / "scan.nxs", **SMALL, ellipsoids=[ball], rotation_center=16, **CLEAN
    )
    # At 0 the ball's middle, x = 20 um, is seen at column 16 + 20 / 3.25, row 13 / 3.25 = 4.
    column = 16 + 20 / 3.25
    profile = sample.line_integrals(0.0, rows=[4])[0, 0]
    expected = 2 * 50e-4 * np.sqrt(15**2 - ((22 - column) * 3.25) ** 2)
    assert profile[22] == pytest.approx(expected, rel=1e-12)
    # At 90 degrees x cos + y sin = y = -10 um.
    assert np.argmax(sample.line_integrals(90.0, rows=[4])[0, 0]) == round(16 - 10 / 3.25)


def test_rotation_sense_turns_the_stage_the_other_way(tmp_path):
    one = tomography(tmp_path / "one.nxs", **SMALL, **CLEAN)
    other = tomography(tmp_path / "other.nxs", **SMALL, **CLEAN, rotation_sense=-1)
    np.testing.assert_array_equal(one.line_integrals(40.0), other.line_integrals(-40.0))
    assert not np.allclose(one.line_integrals(40.0), other.line_integrals(40.0))


def test_volume_holds_the_attenuation_at_its_pixels(tmp_path):
    sample = tomography(tmp_path / "scan.nxs", width=65, rows=11, angles=1, **CLEAN)
    volume = sample.volume(oversample=1)
    index = np.random.default_rng(3).integers(0, (11, 65, 65), size=(4000, 3))
    z, y, x = (index - (0, 32, 32)).T * 3.25
    expected = attenuation(sample.ellipsoids, np.stack([x, y, z], axis=-1))
    np.testing.assert_allclose(volume[tuple(index.T)], expected, atol=1e-4)


def test_edge_pixels_of_the_volume_give_the_exact_area(tmp_path):
    ellipsoid = Ellipsoid((11.0, -7.0, 9.0), (31.0, 17.0, 12.0), 25.0, 8.0)
    sample = tomography(tmp_path / "scan.nxs", **SMALL, ellipsoids=[ellipsoid], **CLEAN)
    plane = sample.volume(rows=[4], oversample=20)[0]
    cut = 1 - ((4 * 3.25 - 9) / 12) ** 2
    assert plane.sum() * 3.25**2 == pytest.approx(8 * np.pi * 31 * 17 * cut, rel=1e-3)


@pytest.mark.parametrize(("angle", "axis"), [(0.0, -2), (90.0, -1)])
def test_volume_summed_along_the_beam_gives_the_projection(tmp_path, angle, axis):
    # At 0 the rays run along y and columns are x; at 90 degrees they run along x, columns are y.
    sample = tomography(
        tmp_path / "scan.nxs", width=129, rows=5, angles=1, rotation_center=64, **CLEAN
    )
    summed = sample.volume(oversample=9).sum(axis=axis) * 3.25e-4
    # A pixel of the volume averages over its width, a ray does not: coarse only at steep edges.
    difference = np.abs(summed - sample.line_integrals(angle)[0])
    assert np.median(difference) < 2e-3
    assert difference.max() < 0.15


def test_balls_of_the_default_object_form_a_right_handed_screw(tmp_path):
    sample = tomography(tmp_path / "scan.nxs", **SMALL)
    x, y, z = np.array([e.center for e in sample.ellipsoids[-7:]]).T
    turn = np.diff(np.unwrap(np.arctan2(y, x)))
    assert (turn * np.diff(z) > 0).all()


def test_default_object_differs_from_every_mirror_image_and_turn(tmp_path):
    volume = tomography(tmp_path / "scan.nxs", width=65, rows=21, angles=1).volume()
    turned = [np.rot90(volume, k, axes=(1, 2)) for k in (1, 2, 3)]
    flipped = [np.flip(volume, axis) for axis in (0, 1, 2, (0, 1), (0, 2), (0, 1, 2))]
    scale = np.abs(volume).mean()
    assert all(np.abs(other - volume).mean() > 0.1 * scale for other in turned + flipped)


@pytest.mark.parametrize("size", [{}, {"width": 640, "rows": 9, "angles": 4}, SMALL])
def test_beam_comes_through_the_default_object(tmp_path, size):
    sample = tomography(tmp_path / "scan.nxs", **{"width": 320, "rows": 40, "angles": 5, **size})
    transmission = np.exp(-sample.line_integrals())
    assert 0.2 < transmission.min() < 0.35
    # Nothing reaches the sides: the scan is not truncated.
    assert transmission[:, :, [0, -1]].min() == 1


def test_flat_field_and_logarithm_of_a_noiseless_scan_give_the_line_integrals(tmp_path):
    sample = tomography(tmp_path / "scan.nxs", width=65, rows=9, angles=20, **CLEAN)
    with h5py.File(sample) as file:
        frames = file["entry/data/data"][:].astype(float)
    key, number = sample.image_key, np.arange(sample.image_key.size)
    dark = frames[key == 2].mean(axis=0)
    before, after = (key == 1) & (number < 30), (key == 1) & (number > 30)
    time = (number[key == 0] - number[before].mean()) / (
        number[after].mean() - number[before].mean()
    )
    first, last = frames[before].mean(axis=0) - dark, frames[after].mean(axis=0) - dark
    beam = first + time[:, None, None] * (last - first)
    # Half a count of rounding in at least 4000.
    expected = sample.line_integrals()
    np.testing.assert_allclose(-np.log((frames[key == 0] - dark) / beam), expected, atol=3e-4)


def test_beam_drifts_by_a_few_percent_and_its_profile_is_not_symmetric(tmp_path):
    sample = tomography(tmp_path / "scan.nxs", width=65, rows=9, angles=20, **CLEAN)
    fresh, used = sample.camera.beam(0.0), sample.camera.beam(1.0)
    assert 0.92 < (used / fresh).min() < (used / fresh).max() < 0.99
    assert np.abs(fresh - fresh[::-1]).max() > 0.05
    assert np.abs(fresh - fresh[:, ::-1]).max() > 0.05
    assert 0.9 < fresh.max() <= 1


def test_noise_is_that_of_photons(tmp_path):
    sample = tomography(
        tmp_path / "scan.nxs", **SMALL, flats=400, photons=500, dead_pixels=0, hot_pixels=0
    )
    flats = np.stack([sample.frame(i) for i in np.flatnonzero(sample.image_key == 1)[:200]])
    beam = sample.camera.beam(0.2)  # the middle of the first flats, to a few percent
    gain = 45000 / 500
    assert (flats.var(axis=0) / (beam * 500 * gain**2)).mean() == pytest.approx(1, abs=0.03)
    assert (flats.mean(axis=0) - 100).sum() == pytest.approx((beam * 45000).sum(), rel=0.01)


def test_darks_have_an_offset_and_their_own_noise(tmp_path):
    sample = tomography(tmp_path / "scan.nxs", width=65, rows=21, angles=1, darks=30)
    darks = np.stack([sample.frame(number) for number in range(30)]).astype(float)
    good = np.ones((21, 65), bool)
    for row, column in sample.dead_pixels + sample.hot_pixels:
        good[row, column] = False
    assert 95 < darks[:, good].mean() < 105
    assert 1.8 < darks[:, good].std(axis=0).mean() < 2.2


def test_dead_and_hot_pixels_are_so_in_every_frame_and_no_others(tmp_path):
    sample = tomography(tmp_path / "scan.nxs", **SMALL, dead_pixels=3, hot_pixels=2)
    with h5py.File(sample) as file:
        frames = file["entry/data/data"][:]
    assert sorted(map(tuple, np.argwhere((frames == 0).all(axis=0)))) == list(sample.dead_pixels)
    assert sorted(map(tuple, np.argwhere((frames == 65535).all(axis=0)))) == list(sample.hot_pixels)
    assert (len(sample.dead_pixels), len(sample.hot_pixels)) == (3, 2)


def test_ring_columns_stand_out_from_projections_but_not_from_flats(tmp_path):
    options = {"noise": False, "dead_pixels": 0, "hot_pixels": 0, **SMALL}
    with_rings = tomography(tmp_path / "with.nxs", rings=2, **options)
    without = tomography(tmp_path / "without.nxs", rings=0, **options)
    projection, flat = 25, 12
    differs = (with_rings.frame(projection) != without.frame(projection)).all(axis=0)
    assert tuple(np.flatnonzero(differs)) == with_rings.ring_columns
    assert len(with_rings.ring_columns) == 2
    np.testing.assert_array_equal(with_rings.frame(flat), without.frame(flat))


def test_axis_is_7_pixels_off_the_middle_of_the_default_camera(tmp_path):
    sample = tomography(tmp_path / "scan.nxs", rows=1, angles=1)
    assert sample.rotation_center == pytest.approx(159.5 + 7.3)


def test_angles_start_and_end_where_asked(tmp_path):
    options = {"width": 33, "rows": 1, "angles": 4, "start_angle": 15.0, "rotation_range": 360.0}
    whole = tomography(tmp_path / "a.nxs", **options)
    short = tomography(tmp_path / "b.nxs", **options, endpoint=False)
    np.testing.assert_allclose(whole.angles, [15, 135, 255, 375])
    np.testing.assert_allclose(short.angles, [15, 105, 195, 285])


def test_nxtomo_file_has_the_fields_of_its_definition(tmp_path):
    sample = tomography(tmp_path / "scan.nxs", **SMALL, energy=31.5, rotation_sense=-1)
    with h5py.File(sample) as file:
        entry = file["entry"]
        assert entry["definition"].asstr()[()] == "NXtomo"
        assert entry["start_time"].asstr()[()] == "2026-01-15T09:30:00+00:00"
        detector, stage = entry["instrument/detector"], entry["sample"]
        assert detector["data"].shape == (42, 7, 33)
        assert detector["data"].chunks == (1, 7, 33)
        assert detector["image_key"][:].tolist() == [2] * 10 + [1] * 10 + [0] * 12 + [1] * 10
        for name, unit, value in (("x_pixel_size", "m", 6.5e-6), ("distance", "m", 0.05)):
            assert (detector[name][()], detector[name].attrs["units"]) == (value, unit)
        angle = stage["rotation_angle"]
        np.testing.assert_array_equal(angle[20:32], sample.angles)
        assert angle.attrs["units"] == "deg"
        assert angle.attrs["vector"].tolist() == [0, -1, 0]
        assert stage["x_pixel_size"][()] == 3.25e-6
        assert entry["instrument/beam/incident_energy"][()] == 31.5
        assert entry["data/data"] == detector["data"]
        assert entry["data"].attrs["signal"] == "data"


def test_dxchange_file_has_the_same_frames_in_its_three_stacks(tmp_path):
    nexus = tomography(tmp_path / "scan.nxs", **SMALL)
    exchange = tomography(tmp_path / "scan.h5", **SMALL, format="dxchange")
    with h5py.File(nexus) as one, h5py.File(exchange) as other:
        frames = one["entry/data/data"][:]
        for key, name in enumerate(("data", "data_white", "data_dark")):
            np.testing.assert_array_equal(frames[nexus.image_key == key], other[f"exchange/{name}"])
        np.testing.assert_array_equal(other["exchange/theta"], exchange.angles)
        assert other["exchange/theta"].attrs["units"] == "deg"
        assert other["implements"].asstr()[()] == "exchange:measurement"
        assert other["measurement/instrument/monochromator/energy"][()] == 25.0


@pytest.mark.parametrize("compression", ["gzip", "bslz4"])
def test_compressed_frames_are_the_same(tmp_path, compression):
    import hdf5plugin  # noqa: F401

    plain = tomography(tmp_path / "plain.nxs", **SMALL)
    packed = tomography(tmp_path / "packed.nxs", **SMALL, compression=compression)
    with h5py.File(plain) as one, h5py.File(packed) as other:
        data = other["entry/data/data"]
        assert data.id.get_create_plist().get_nfilters() == 1
        np.testing.assert_array_equal(one["entry/data/data"], data)


def test_same_call_gives_the_same_bytes_whatever_the_blocks(tmp_path, monkeypatch):
    first = tomography(tmp_path / "first.nxs", **SMALL)
    monkeypatch.setattr(files, "_BLOCK_BYTES", 1500)
    second = tomography(tmp_path / "second.nxs", **SMALL)
    other = tomography(tmp_path / "other.nxs", **SMALL, seed=2)
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.path.read_bytes() != other.path.read_bytes()


def test_a_scan_is_written_in_little_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_BLOCK_BYTES", 5e5)
    monkeypatch.setattr(files, "_WORK_BYTES", 2e6)
    tracemalloc.start()
    sample = tomography(tmp_path / "scan.nxs", width=128, rows=48, angles=400, **CLEAN)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sample.path.stat().st_size > 4.8e6
    # A block twice, and the frames being made.
    assert peak < 3.2e6


def test_sample_is_a_path(tmp_path):
    sample = tomography(str(tmp_path / "folder" / "scan.nxs"), **SMALL)
    assert os.fspath(sample) == str(tmp_path / "folder" / "scan.nxs")
    assert [file.name for file in (tmp_path / "folder").iterdir()] == ["scan.nxs"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 7}, "width=7: 8 is the lowest"),
        ({"rows": 0, "angles": 0}, "rows=0, angles=0: 1 is the lowest"),
        ({"photons": float("nan")}, "photons=nan"),
        ({"flats": -1}, "flats=-1: 0 is the lowest"),
        ({"energy": 0.0}, "energy=0.0: a number above 0"),
        ({"rotation_sense": 2}, "rotation_sense is 2; allowed are 1"),
        ({"rings": 400}, "do not fit on a camera of 160 x 320 pixels"),
    ],
)
def test_impossible_scan_is_refused(tmp_path, options, message):
    with pytest.raises(ParameterError, match=message):
        tomography(tmp_path / "scan.nxs", **options)
    assert not list(tmp_path.iterdir())


def test_unknown_format_is_refused_with_a_suggestion(tmp_path):
    with pytest.raises(UnknownNameError, match="Did you mean 'nxtomo'"):
        tomography(tmp_path / "scan.nxs", format="nxtom")
    with pytest.raises(UnknownNameError, match=r"no compression 'lzma'.* Known: bslz4, gzip"):
        tomography(tmp_path / "scan.nxs", compression="lzma")


def test_folder_that_is_a_file_is_an_error_of_ours(tmp_path):
    (tmp_path / "file").write_text("here")
    with pytest.raises(WriteError, match=r"scan\.nxs was not written"):
        tomography(tmp_path / "file" / "scan.nxs", **SMALL)
