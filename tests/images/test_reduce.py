"""Reduction to screen size, against a loop over the blocks in plain Python."""

import sys

import numpy as np
import pytest

from beamkit.core.detectors import MASK_DEAD, MASK_GAP
from beamkit.core.errors import ParameterError, ShapeError
from beamkit.images import PixelClasses, classify, reduce, reduce_around

SHAPE = (23, 31)
TYPES = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"]


@pytest.fixture
def random():
    return np.random.default_rng(7)


def image_of(dtype, random):
    low = 0 if np.dtype(dtype).kind == "u" else -20
    return random.integers(low, 100, SHAPE).astype(dtype)


def by_hand(image, codes, factor, how, cutoff=None):
    """Blocks one after the other, as the docstring of reduce says."""
    size = [-(-n // k) for n, k in zip(image.shape, factor, strict=True)]
    values, classes = np.zeros(size), np.zeros(size, int)
    for row in range(size[0]):
        for column in range(size[1]):
            place = tuple(
                slice(i * k, (i + 1) * k) for i, k in zip((row, column), factor, strict=True)
            )
            pixels, known = image[place], codes[place]
            good = ((known == 0) | (known == 3)) & np.isfinite(pixels)
            if not good.any():
                classes[row, column] = 2 if (known == 2).all() else 1
                values[row, column] = np.nan
                continue
            values[row, column] = getattr(pixels[good].astype(float), how)()
            over = (known[good] == 3).any() or (
                cutoff is not None and (pixels[good] > cutoff).any()
            )
            classes[row, column] = 3 if over else 0
    return values, classes


def same(got, expected):
    values, classes = got
    np.testing.assert_array_equal(classes, expected[1])
    missing = np.nan if values.dtype.kind == "f" else 0
    wanted = np.where(np.isnan(expected[0]), missing, expected[0])
    np.testing.assert_allclose(values.astype(float), wanted, rtol=1e-12)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("factor", [(1, 1), (2, 3), (4, 4), (5, 1), (40, 50)])
@pytest.mark.parametrize("how", ["max", "min", "mean", "sum"])
def test_a_block_is_the_reduction_of_its_good_pixels(dtype, factor, how, random):
    image = image_of(dtype, random)
    codes = random.choice([0, 0, 0, 1, 2, 3], SHAPE)
    codes[8:13, 4:20] = 2
    expected = by_hand(image, codes, factor, how, cutoff=90)
    same(
        reduce(image, factor, classes=PixelClasses(codes, count_cutoff=90), how=how),
        expected,
    )


@pytest.mark.parametrize("how", ["max", "min", "mean", "sum"])
def test_without_classes_every_pixel_counts(how, random):
    image = image_of("i4", random)
    same(reduce(image, (3, 4), how=how), by_hand(image, np.zeros(SHAPE), (3, 4), how))


@pytest.mark.parametrize("how", ["max", "min", "mean", "sum"])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_nan_and_infinite_pixels_count_as_masked(how, dtype, random):
    image = image_of(dtype, random)
    image[3, 4], image[10, 7], image[11, 8] = np.nan, np.inf, -np.inf
    image[12:16, 12:18] = np.nan
    codes = random.choice([0, 0, 0, 1], SHAPE)
    for classes in (codes, np.zeros(SHAPE, int)):
        expected = by_hand(image, classes, (2, 3), how)
        same(reduce(image, (2, 3), classes=classes, how=how), expected)
    same(reduce(image, (2, 3), how=how), by_hand(image, np.zeros(SHAPE), (2, 3), how))


def test_bool_images_reduce_to_any_and_all(random):
    image = random.random(SHAPE) > 0.8
    assert reduce(image, (2, 2))[0].dtype == bool
    np.testing.assert_array_equal(
        reduce(image[:22, :30], (2, 2))[0], image[:22, :30].reshape(11, 2, 15, 2).any((1, 3))
    )


def test_flags_and_overflow_values_of_masked_pixels_never_show():
    # An EIGER frame marks masked pixels with the highest number of its type.
    image = np.full((6, 9), 3, np.uint32)
    image[1, 2] = image[3:6, 3:6] = 2**32 - 1
    mask = np.where(image > 3, MASK_DEAD, 0).astype(np.uint32)
    values, classes = reduce(image, (3, 3), classes=classify(mask))
    np.testing.assert_array_equal(values, [[3, 3, 3], [3, 0, 3]])
    np.testing.assert_array_equal(classes, [[0, 0, 0], [0, 1, 0]])


def test_a_spot_of_one_pixel_survives_every_factor(random):
    image = np.zeros((127, 203), np.int32)
    image[71, 152] = 50
    for factor in range(1, 40):
        values, _ = reduce(image, (factor, factor + 1))
        assert values[71 // factor, 152 // (factor + 1)] == 50
        assert (values > 0).sum() == 1


def test_a_crop_reduces_from_its_own_corner(random):
    image, codes = image_of("i4", random), random.choice([0, 0, 1], SHAPE)
    part = np.s_[5:20, 3:30]
    same(
        reduce(image, (4, 4), classes=codes, rows=part[0], columns=part[1]),
        by_hand(image[part], codes[part], (4, 4), "max"),
    )


def test_any_order_in_memory_gives_the_same(random):
    wide = image_of("i4", random)
    codes = random.choice([0, 0, 1], SHAPE)
    expected = by_hand(wide, codes, (2, 3), "max")
    same(reduce(np.asfortranarray(wide), (2, 3), classes=codes), expected)
    same(reduce(wide.astype(">i4"), (2, 3), classes=codes), expected)
    same(reduce(np.repeat(wide, 2, axis=1)[:, ::2], (2, 3), classes=codes), expected)


def test_the_image_is_left_as_it_was(random):
    image = image_of("i4", random)
    before = image.copy()
    values, _ = reduce(image, (1, 1), classes=random.choice([0, 1], SHAPE))
    values[:] = 7
    reduce(image, (1, 1))[0][:] = 7
    np.testing.assert_array_equal(image, before)


def test_what_was_worked_out_once_is_remembered_but_not_handed_out(random):
    known = classify(random.random(SHAPE) > 0.7)
    image = image_of("i4", random)
    first = reduce(image, (2, 2), classes=known)
    first[1][:] = 9
    assert reduce(image, (2, 2), classes=known)[1].max() < 9
    window = (0, SHAPE[0], 0, SHAPE[1])
    assert known.blocks((2, 2), window) is known.blocks((2, 2), window)
    for factor in range(1, 30):
        known.blocks((factor, factor), window)
    assert len(known._blocks) <= 8


def test_mask_bits_become_classes():
    mask = np.array([[0, MASK_GAP, MASK_DEAD], [MASK_DEAD | MASK_GAP, 1 << 31, 1 << 8]], np.uint32)
    np.testing.assert_array_equal(classify(mask).codes, [[0, 2, 1], [2, 0, 1]])
    np.testing.assert_array_equal(classify(mask != 0).codes, [[0, 1, 1], [1, 1, 1]])
    assert classify(mask, dtype="u2", count_cutoff=65535).count_cutoff is None
    assert classify(mask, dtype="u4", count_cutoff=65535).count_cutoff == 65535


def test_classes_of_an_image_name_saturated_and_missing_pixels():
    known = PixelClasses([[0, 1, 2], [0, 0, 3]], count_cutoff=10)
    image = np.array([[11, 99, 99], [np.nan, 10, 0.0]])
    np.testing.assert_array_equal(known.of(image), [[3, 1, 2], [1, 0, 3]])
    np.testing.assert_array_equal(known.good, [[True, False, False], [True, True, True]])


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"factor": (0, 2)}, ParameterError, "at least one row"),
        ({"how": "median"}, ParameterError, "no reduction 'median'"),
        ({"rows": slice(0, 9, 2)}, ParameterError, "steps of 1"),
        ({"columns": slice(40, 50)}, ParameterError, "at least\none|at least one"),
        ({"classes": np.zeros((2, 2), int)}, ShapeError, "Crop both"),
        ({"classes": np.full(SHAPE, 4)}, ParameterError, "3 saturated"),
    ],
)
def test_wrong_options_are_refused_by_name(options, error, match):
    with pytest.raises(error, match=match):
        reduce(np.zeros(SHAPE), options.pop("factor", (2, 2)), **options)


def test_what_is_no_image_is_refused():
    with pytest.raises(ShapeError, match="Select one image"):
        reduce(np.zeros((2, 3, 4)), (1, 1))
    with pytest.raises(ParameterError, match="real numbers"):
        reduce(np.zeros((2, 3), complex), (1, 1))
    with pytest.raises(ShapeError, match="two dimensions"):
        PixelClasses(np.zeros(3, int))
    with pytest.raises(ParameterError, match="A mask holds bits"):
        classify(np.zeros((2, 2)))


def test_every_spot_of_a_real_frame_survives_zooming_out(data_folder):
    import beamkit as bk

    data = bk.open(data_folder / "cbf_pilatus" / "l-cyst_01_00001.cbf")
    frame, mask = data.frames[0].values, data.mask.values
    values, classes = reduce(frame, (3, 4), classes=classify(mask))
    rows, columns = np.nonzero((frame > 30) & (mask == 0))
    assert rows.size > 10
    assert (values[rows // 3, columns // 4] >= frame[rows, columns]).all()
    assert values[classes == 0].min() >= 0


@pytest.mark.parametrize("size", [1, 300, 1000])
def test_a_few_rows_at_a_time_or_all_at_once_is_the_same(size, random, monkeypatch):
    monkeypatch.setattr(sys.modules["beamkit.images.reduce"], "_CACHE", size)
    image, codes = image_of("i4", random), random.choice([0, 0, 1, 2], SHAPE)
    same(reduce(image, (3, 4), classes=codes), by_hand(image, codes, (3, 4), "max"))


def test_a_difference_keeps_what_is_farthest_from_its_middle_on_either_side():
    image = np.array([[1.0, 5, 0.9, 1, 1], [1, -3.1, 1.2, np.nan, 7], [1, 1, 0.2, 1, 1]])
    values, classes = reduce_around(image, (2, 2), 1.0, classes=(image == 7).astype(np.uint8))
    # Farthest from 1: 5 (4 away) or -3.1 (4.1 away); 0.9 or 1.2; 1, as 7 is masked.
    np.testing.assert_array_equal(values, [[-3.1, 1.2, 1], [1, 0.2, 1]])
    assert not classes.any()
