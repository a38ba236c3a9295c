"""Spots are found where they are, and nowhere else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import xarray as xr
from diffraction.spot_images import matched, spot_image, strong_by_scipy

import beamkit as bk
from beamkit.core.errors import ParameterError, ShapeError
from beamkit.diffraction.spots import SpotFinder, SpotSettings, find_spots


@pytest.fixture
def random():
    return np.random.default_rng(20)


@pytest.mark.parametrize("background", [0.02, 0.9, 7.0])
@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_strong_pixels_are_those_of_the_formula(random, background, kernel):
    image, *_ = spot_image(random, (211, 307), background, random.exponential(200, 90))
    masked = random.random(image.shape) < 0.03
    masked[60:77], masked[:, 130:137] = True, True
    image[masked] = random.choice([-1, -2, 50_000], masked.sum())
    finder = SpotFinder(image.shape, masked, settings=SpotSettings(kernel=kernel))
    found = finder.strong_pixels(image)
    expected = strong_by_scipy(image, ~masked, kernel)
    assert expected.sum() > 50
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(finder.strong_pixels(image), expected)  # no rest of the first


def test_settings_are_those_of_the_formula(random):
    image, *_ = spot_image(random, (120, 95), 3.0, random.exponential(300, 15))
    good = np.ones(image.shape, bool)
    settings = SpotSettings(gain=1.7, n_sigma_background=3.5, n_sigma_strong=2.2, min_count=40)
    found = SpotFinder(image.shape, settings=settings).strong_pixels(image)
    np.testing.assert_array_equal(found, strong_by_scipy(image, good, 3, 1.7, 3.5, 2.2, 40))
    assert not found[:2].any()  # 35 pixels in a window there, 28 in the first row


@pytest.mark.parametrize("dtype", ["uint16", "uint32", "float32", "float64"])
def test_the_type_of_the_counts_makes_no_difference(random, dtype):
    image, *_ = spot_image(random, (90, 140), 2.0, random.exponential(400, 15))
    expected = SpotFinder(image.shape).strong_pixels(image)
    given = image.astype(dtype)
    if given.dtype.kind == "f":
        given[50:53, 70:72] = np.nan
    else:
        given[50:53, 70:72] = np.iinfo(given.dtype).max
    image[50:53, 70:72] = -1
    expected = SpotFinder(image.shape).strong_pixels(image)
    np.testing.assert_array_equal(SpotFinder(image.shape).strong_pixels(given), expected)


def test_a_bright_pixel_leaves_no_trace_in_the_sums(random):
    image = random.poisson(0.4, (60, 81)).astype(np.int32)
    quiet = SpotFinder(image.shape).strong_pixels(image)
    image[7, 9] = 2**31 - 1
    loud = SpotFinder(image.shape).strong_pixels(image)
    away = np.ones(image.shape, bool)
    away[:18, :20] = False
    np.testing.assert_array_equal(loud[away], quiet[away])
    real = image.astype(np.float64)
    np.testing.assert_array_equal(SpotFinder(image.shape).strong_pixels(real)[away], quiet[away])


def test_a_spot_on_paper():
    image = np.zeros((31, 44), np.int32)
    image[10:13, 20:22] = [[4, 8], [10, 30], [4, 8]]
    (spot,) = find_spots(image).to_dataframe().to_dict("records")
    # 64 counts in 49 pixels: strong is above 64/49 + 3 sqrt(64/49), which is 4.7.
    assert spot["x"] == pytest.approx((10 * 20.5 + 46 * 21.5) / 56)
    assert spot["y"] == pytest.approx((8 * 10.5 + 40 * 11.5 + 8 * 12.5) / 56)
    assert (spot["intensity"], spot["peak"], spot["pixels"]) == (56, 30, 4)
    assert spot["background"] == 0
    assert (spot["x_min"], spot["x_max"], spot["y_min"], spot["y_max"]) == (20, 22, 10, 13)


def test_intensity_is_above_the_background_around(random):
    image, _x, _y, counts = spot_image(random, (400, 500), 5.0, np.full(200, 3000.0), width=0.7)
    spots = find_spots(image)
    assert len(spots) == 200
    # Of a Gaussian of 0.7 pixels, the pixels that are not strong hold up to a seventh.
    assert spots.background.mean() == pytest.approx(5.0, abs=0.1)
    assert 0.86 * 3000 < spots.intensity.mean() < 3000
    shot_noise = np.sqrt(spots.intensity + 5 * spots.pixels)
    np.testing.assert_allclose(spots.sigma, shot_noise, rtol=0.03)
    assert counts.size == 200


def test_positions_are_true_to_a_tenth_of_a_pixel(random):
    image, x, y, _ = spot_image(random, (300, 410), 1.0, np.full(100, 1500.0))
    spots = find_spots(image)
    apart = np.abs(spots.x[:, None] - x) + np.abs(spots.y[:, None] - y)
    nearest = apart.argmin(axis=0)
    assert np.abs(np.mean(spots.x[nearest] - x)) < 0.02
    assert np.abs(np.mean(spots.y[nearest] - y)) < 0.02
    assert np.std(spots.x[nearest] - x) < 0.1
    assert np.std(spots.y[nearest] - y) < 0.1


@pytest.mark.parametrize(("connectivity", "number"), [(8, 1), (4, 2)])
def test_pixels_that_share_a_corner(connectivity, number):
    image = np.zeros((30, 33), np.int32)
    image[10, 10:12] = image[11, 12:14] = 25
    assert len(find_spots(image, connectivity=connectivity)) == number


def test_a_horseshoe_is_one_spot():
    image = np.zeros((40, 37), np.int32)
    image[10:14, 10], image[10:14, 13], image[14, 10:14] = 25, 25, 25
    spots = find_spots(image, kernel=5)
    assert spots.pixels.tolist() == [12]


def test_single_pixels_and_large_patches_are_no_spots():
    image = np.zeros((60, 61), np.int32)
    image[10, 10], image[30:33, 40:43] = 90, 90
    assert find_spots(image).pixels.tolist() == [9]
    assert find_spots(image, min_pixels=1).pixels.tolist() == [1, 9]
    assert find_spots(image, max_pixels=8).pixels.tolist() == []
    assert find_spots(image, min_i_over_sigma=29).pixels.tolist() == []
    assert len(find_spots(image, global_threshold=90)) == 0


def test_overloads_do_not_count(random):
    image = random.poisson(1.0, (50, 47)).astype(np.int32)
    image[20:22, 20:22] = 100_000
    data = xr.DataArray(image, dims=("detector_y", "detector_x"), attrs={"count_cutoff": 99_999})
    assert len(find_spots(data)) == 0
    assert find_spots(image, count_cutoff=200_000).peak.tolist() == [100_000]


def test_crops_and_bins_have_positions_on_the_full_detector():
    image = np.zeros((40, 52), np.int32)
    image[10:12, 20:22] = 30
    for step in (1, 2):
        data = xr.DataArray(
            image,
            dims=("detector_y", "detector_x"),
            coords={
                "detector_y": 300 + (step - 1) / 2 + step * np.arange(40),
                "detector_x": 100 + (step - 1) / 2 + step * np.arange(52),
            },
        )
        spots = find_spots(data)
        assert (spots.x[0], spots.y[0]) == (100 + 21 * step, 300 + 11 * step)
        assert (spots.x_min[0], spots.y_max[0]) == (100 + 20 * step, 300 + 12 * step)


def test_spots_beside_gaps_have_background_from_good_pixels(random):
    image = random.poisson(4.0, (70, 80)).astype(np.int32)
    mask = np.zeros(image.shape, bool)
    mask[:, 33:40] = True
    image[mask] = -1
    image[30:33, 31:33] += 200
    (background,) = find_spots(image, mask).background
    assert background == pytest.approx(4, abs=1)
    mask[:] = True
    mask[30:33, 31:33] = False
    alone = find_spots(image, mask, n_sigma_background=0, n_sigma_strong=0)
    assert np.isnan(alone.i_over_sigma).all()
    assert np.isfinite(alone.x).all()


def test_nothing_is_found_in_nothing(random):
    for image in (np.zeros((20, 30), np.int32), np.full((20, 30), np.nan)):
        spots = find_spots(image)
        assert len(spots) == 0
        assert spots.to_dataset().sizes["spot"] == 0
    assert len(find_spots(image, np.ones(image.shape, bool))) == 0


def test_more_strong_pixels_than_there_is_room_for(monkeypatch, random):
    monkeypatch.setattr("beamkit.diffraction.spots._ROOM", 4)
    image, *_ = spot_image(random, (100, 90), 1.0, np.full(9, 500.0))
    assert len(find_spots(image)) == 9


def test_simulated_spots_with_i_over_sigma_of_12_are_found_and_few_others(random):
    # I/sigma of a spot over the 13 pixels that hold 95 % of it.
    true = found = false = total = 0
    for background in (0.05, 0.5, 3.0, 20.0):
        least = 72 + np.sqrt(72**2 + 144 * 13 * background)  # I/sqrt(I + 13 b) is 12
        counts = random.uniform(1.0, 6.0, 700) * least
        image, x, y, _ = spot_image(random, (700, 800), background, counts)
        spots = find_spots(image)
        is_found, is_true = matched(spots, x, y)
        assert (spots.pixels >= 2).all()
        true, found = true + x.size, found + is_found.sum()
        total, false = total + len(spots), false + (~is_true).sum()
    assert true > 2500
    assert found / true >= 0.99
    assert false / total <= 0.01


def test_spots_of_a_rotating_crystal_are_found(tmp_path):
    sample = bk.samples.diffraction(tmp_path / "crystal", frames=3)
    data = bk.open(sample)
    seen = wanted = false = total = 0
    gaps = np.asarray(data.mask) != 0
    for number in range(sample.frames):
        spots = find_spots(data.frames[number].load(), data.mask)
        signal = sample.expected(number) - sample.background()
        true = sample.spots
        x, y = true["x"], true["y"]
        _, is_true = matched(spots, x, y, within=2.5)
        # Some hot pixels count above the cutoff; a spot of the frame before may still shine.
        total, false = total + len(spots), false + (~is_true).sum()
        for spot in true:
            row, column = int(spot["y"]), int(spot["x"])
            box = np.s_[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3]
            photons = signal[box].sum()
            strength = photons / np.sqrt(photons + 13 * sample.background()[box].mean() + 1e-9)
            if strength >= 12 and not gaps[box].any() and spot["frame"] == number:
                wanted += 1
                seen += np.hypot(spots.x - spot["x"], spots.y - spot["y"]).min() < 1.5
    assert wanted > 20
    assert seen >= 0.99 * wanted
    assert false <= 0.01 * total


def test_each_thread_with_a_finder_gives_the_same(random):
    images = [spot_image(random, (200, 180), 2.0, random.exponential(300, 40))[0] for _ in range(8)]
    alone = [find_spots(image).x for image in images]
    with ThreadPoolExecutor(4) as pool:
        several = list(pool.map(lambda image: SpotFinder(image.shape).find(image).x, images))
    for one, other in zip(alone, several, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gain": 0}, r"gain is 0; allowed is above 0\. Leave it out for 1\.0"),
        ({"kernel": 11}, r"kernel is 11; allowed is 1 to 10"),
        ({"min_pixels": 5, "max_pixels": 4}, r"max_pixels is 4"),
        ({"connectivity": 6}, r"connectivity is 6; allowed is 4 and 8"),
    ],
)
def test_impossible_settings_are_refused(options, message):
    with pytest.raises(ParameterError, match=message):
        find_spots(np.zeros((20, 20), np.int32), **options)


def test_what_is_no_image_is_refused():
    with pytest.raises(ShapeError, match=r"one image of \(rows, columns\), got shape \(2, 3, 4\)"):
        find_spots(np.zeros((2, 3, 4), np.int32))
    with pytest.raises(ShapeError, match=r"mask has shape \(4, 3\), the image \(3, 4\)"):
        find_spots(np.zeros((3, 4), np.int32), np.zeros((4, 3), bool))
    with pytest.raises(ParameterError, match="not complex128"):
        find_spots(np.zeros((3, 4), complex))
    with pytest.raises(ShapeError, match="this finder is for"):
        SpotFinder((3, 4)).find(np.zeros((4, 4), np.int32))
