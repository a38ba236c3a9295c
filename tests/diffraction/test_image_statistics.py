"""The numbers of images: what they are of, and that a series keeps its places."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from diffraction.spot_images import spot_image

import beamkit as bk
from beamkit.core.errors import ParameterError, ShapeError, UnknownNameError
from beamkit.diffraction import Geometry
from beamkit.diffraction.ice_score import is_ice
from beamkit.diffraction.image_statistics import image_statistics, resolution_of
from beamkit.diffraction.statistics import rank, statistics

SHAPE = (619, 487)


@pytest.fixture
def random():
    return np.random.default_rng(7)


@pytest.fixture
def geometry():
    # Ice from 3.9 to 2.07 angstrom lies 226 to 450 pixels from a beam off the middle.
    return Geometry.from_fit2d(
        center_x=201.3, center_y=320.7, distance=150, pixel_x=172, pixel_y=172, wavelength=1.0,
        shape=SHAPE,
    )  # fmt: skip


def test_totals_by_hand():
    image = np.full((50, 61), 2, np.int32)
    image[20:22, 30:32] = 50
    image[40, 7], image[3] = 90_000, -1
    mask = np.zeros(image.shape, bool)
    mask[:, 5] = True
    found = image_statistics(image, mask, count_cutoff=80_000)
    valid = 49 * 60 - 1
    assert found.total == 2 * valid + 4 * 48
    assert found.background == pytest.approx(2.0)
    assert (found.max, found.overloads, found.spots) == (50, 1, 1)
    assert found.masked == pytest.approx(1 - valid / image.size)
    assert found.intensity == pytest.approx(192)
    assert np.isnan(found.resolution)
    assert np.isnan(found.ice_score)


def test_an_image_without_good_pixels_has_no_background():
    found = image_statistics(np.full((20, 30), -1, np.int32))
    assert (found.total, found.masked, found.spots) == (0, 1, 0)
    assert np.isnan([found.max, found.background]).all()


@pytest.mark.parametrize("strength", [0.0, 0.4])
@pytest.mark.parametrize("spacing", [3.895, 3.669, 2.671])
def test_a_ring_of_ice_is_seen_and_named(random, geometry, strength, spacing):
    d = geometry.map_of("d").values
    expected = 4 * np.exp(-(((1 / d - 0.2) / 0.25) ** 2))
    expected *= 1 + strength * np.exp(-((np.log(d / spacing) / 0.004) ** 2) / 2)
    found = image_statistics(random.poisson(expected).astype(np.int32), geometry=geometry)
    if strength == 0:
        assert found.ice_score < 0.03
    else:
        # Mean of a Gaussian of 0.4 % over +-0.9 %: sqrt(2 pi) 0.4 erf(1.6)/1.8 of its height
        assert found.ice_score == pytest.approx(strength * 0.544, abs=0.06)
        assert found.ice_ring == pytest.approx(spacing, abs=0.002)


def test_spots_on_ice_rings_are_told_apart(random, geometry):
    image, x, y, _ = spot_image(random, SHAPE, 0.5, np.full(500, 400.0))
    found = image_statistics(image, geometry=geometry)
    outside = ~is_ice(geometry.d(x, y))
    assert found.spots == pytest.approx(x.size, abs=2)
    assert found.spots_outside_ice == pytest.approx(outside.sum(), abs=6)
    assert (~outside).sum() > 20


def test_ice_is_where_its_rings_are():
    np.testing.assert_array_equal(is_ice([3.67, 3.9, 3.78, 2.25, 5.0, 1.5]), [1, 1, 0, 1, 0, 0])


def test_resolution_is_where_the_spots_end(random, geometry):
    image, *_ = spot_image(random, SHAPE, 0.5, np.full(500, 400.0))
    d = geometry.map_of("d").values
    beyond = d < 2.9
    image[beyond] = random.poisson(0.5, beyond.sum())
    found = image_statistics(image, geometry=geometry)
    assert found.resolution == pytest.approx(2.9, rel=0.05)
    assert found.resolution > 2.9
    assert np.isnan(resolution_of([2.0] * 7))


def test_geometry_of_a_crop_counts_on_the_full_detector(random, geometry):
    image, *_ = spot_image(random, SHAPE, 0.5, np.full(400, 400.0))
    full = xr.DataArray(
        image,
        dims=("detector_y", "detector_x"),
        coords={"detector_y": np.arange(619), "detector_x": np.arange(487)},
    )
    crop = full[400:, 250:]
    from_crop = image_statistics(crop, geometry=geometry)
    alone = image.copy()
    alone[:400], alone[:, :250] = -1, -1
    from_full = image_statistics(alone, geometry=geometry)
    assert from_crop.resolution == pytest.approx(from_full.resolution, rel=1e-6)
    assert from_crop.ice_score == pytest.approx(from_full.ice_score)


@pytest.fixture
def series(random, geometry):
    frames = [
        spot_image(random, SHAPE, 0.5, np.full(number, 400.0))[0] for number in (3, 40, 0, 90, 12)
    ]
    data = xr.Dataset(
        {"frames": (("frame", "detector_y", "detector_x"), np.stack(frames), {"units": "counts"})},
        coords={
            "frame": [10, 11, 12, 13, 14],
            "omega": ("frame", [0.0, 0.1, 0.2, 0.3, 0.4]),
            "detector_y": np.arange(619),
            "detector_x": np.arange(487),
        },
        attrs={"kind": "diffraction"},
    )
    return geometry.assign_to(data)


def test_a_series_is_the_images_one_by_one(series, geometry):
    told = []
    found = statistics(series, workers=3, progress=lambda done, of: told.append((done, of)))
    assert told == [(n, 5) for n in range(1, 6)]
    assert found.spots.values == pytest.approx([3, 40, 0, 90, 12], abs=1)
    assert found.omega.values.tolist() == [0.0, 0.1, 0.2, 0.3, 0.4]
    alone = image_statistics(series.frames[3], geometry=geometry)
    for name, value in alone.to_dict().items():
        np.testing.assert_equal(found[name].values[3], value)
    lazy = statistics(series.chunk({"frame": 2}), frames=slice(1, 4))
    xr.testing.assert_equal(lazy, found.isel(frame=slice(1, 4)))
    picked = statistics(series, frames=[4, 0])
    assert picked.frame.values.tolist() == [14, 10]


def test_the_best_images_come_first(series):
    table = rank(statistics(series))
    assert table.index.tolist() == [13, 11, 14, 10, 12]
    assert rank(statistics(series), "resolution", number=2).index.tolist()[0] in (11, 13, 14)
    with pytest.raises(UnknownNameError, match="Did you mean 'score'"):
        rank(table, "scores")


def test_anything_that_gives_images_can_be_analysed(series):
    expected = statistics(series)
    found = statistics(iter(series.frames.values), geometry=Geometry.from_dataset(series))
    np.testing.assert_array_equal(found.score, expected.score)
    bare = statistics(series.frames.values)
    np.testing.assert_array_equal(bare.spots, expected.spots)
    assert "geometry" in bare.attrs["notes"][0]
    assert np.isnan(bare.resolution).all()


def test_frames_of_a_stream_keep_their_places(series):
    from beamkit.streams import stream

    found = statistics(stream(series, start=1), geometry=Geometry.from_dataset(series))
    assert found.frame.values.tolist() == [1, 2, 3, 4]
    np.testing.assert_array_equal(found.spots, statistics(series).spots[1:])


def test_an_image_that_cannot_be_read_is_marked_and_the_rest_stays(tmp_path):
    sample = bk.samples.diffraction(tmp_path / "scan", frames=4, detector="PILATUS 100K")
    data = bk.open(sample)
    file = sample.files[2]
    file.write_bytes(file.read_bytes()[:3000])
    found = statistics(data, workers=2)
    assert np.isnan(found.spots.values).tolist() == [False, False, True, False]
    assert [bool(text) for text in found.problem.values] == [False, False, True, False]
    assert file.name in str(found.problem.values[2])
    assert rank(found).index[-1] == 2


def test_an_image_of_another_size_is_marked():
    images = [np.ones((20, 30), np.int32), np.ones((20, 31), np.int32), np.ones((20, 30), np.int32)]
    found = statistics(iter(images))
    np.testing.assert_array_equal(np.isnan(found.total), [False, True, False])
    assert "(20, 31) pixels, those before (20, 30)" in str(found.problem.values[1])


def test_statistics_survive_a_file(series, tmp_path):
    found = statistics(series)
    found.to_netcdf(tmp_path / "statistics.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "statistics.nc", engine="h5netcdf") as back:
        xr.testing.assert_equal(back.load(), found)


def test_what_cannot_be_analysed_is_refused(series):
    with pytest.raises(ParameterError, match="workers is 0"):
        statistics(series, workers=0)
    with pytest.raises(ParameterError, match="come one after the other"):
        statistics(iter([]), frames=[1])
    with pytest.raises(ShapeError, match="three dimensions"):
        statistics(xr.DataArray(np.zeros(4), dims="x"))
    with pytest.raises(ShapeError, match="mask has shape"):
        statistics(series, np.zeros((3, 4), bool))


@pytest.mark.slow
def test_real_grid_scan_leaves_the_crystal(data_folder):
    # Eleven frames of a row, from the crystal to beside it.
    found = statistics(bk.open(data_folder / "cbf_pilatus" / "thaumatin_grid" / "*.bz2"))
    assert found.sizes["frame"] == 11
    assert (found.spots[:5] > 500).all()
    assert (found.spots[7:] < 5).all()
    assert (found.resolution[:5] < 2.5).all()
    assert found.total.values[0] > 2 * found.total.values[-1]
    assert (found.problem == "").all()
