"""16-bit codes: what comes back, and how exactly."""

import math
import zlib

import numpy as np
import pytest

from beamkit.core.errors import ParameterError
from beamkit.images import Coding, choose_coding, compress, decompress, encode

SHAPE = (61, 47)
GOOD = np.zeros(SHAPE, np.uint8)


@pytest.fixture
def random():
    return np.random.default_rng(11)


def back(values, classes=GOOD):
    coding = choose_coding(values, classes)
    return coding, coding.decode(encode(values, classes, coding))


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"])
def test_whole_numbers_come_back_exactly(dtype, random):
    limits = np.iinfo(dtype) if dtype[0] != "f" else np.iinfo("i2")
    low = max(int(limits.min), -30000)
    values = random.integers(low, min(int(limits.max), low + 65532), SHAPE, endpoint=True)
    values.flat[:2] = low, min(int(limits.max), low + 65532)
    coding, found = back(values.astype(dtype))
    assert coding.kind == "exact"
    np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize("dtype", ["i8", "u8"])
def test_large_whole_numbers_of_a_short_range_are_exact(dtype):
    values = np.full(SHAPE, 2**40, dtype)
    values[3, 5] += 65532
    coding, found = back(values)
    assert coding.kind == "exact"
    np.testing.assert_array_equal(found, values)


def test_bool_images_come_back(random):
    values = random.random(SHAPE) > 0.5
    np.testing.assert_array_equal(back(values)[1], values)


def test_reserved_codes_are_those_that_the_browser_knows():
    values = np.arange(SHAPE[0] * SHAPE[1]).reshape(SHAPE)
    classes = GOOD.copy()
    classes[2, 3:6] = 1, 2, 3
    codes = encode(values, classes, choose_coding(values, classes))
    np.testing.assert_array_equal(codes[2, 3:6], [1, 0, 65535])
    others = np.delete(codes.ravel(), np.arange(3, 6) + 2 * SHAPE[1])
    assert others.min() == 2
    assert others.max() < 65535


def test_values_of_pixels_without_data_do_not_choose_the_coding():
    values = np.zeros(SHAPE, np.uint32)
    values[4, 4] = 2**32 - 1
    classes = GOOD.copy()
    classes[4, 4] = 3
    assert choose_coding(values, classes) == Coding("exact", offset=0)
    classes[:] = 2
    assert (encode(values, classes, choose_coding(values, classes)) == 0).all()


@pytest.mark.parametrize("shift", [0.0, -7.3, 1e6])
@pytest.mark.parametrize("outlier", [0.0, 1e3, -1e9, 1e15])
def test_real_numbers_come_back_within_the_promised_error(random, shift, outlier):
    values = random.gamma(2.0, 3.0, SHAPE) + shift
    values[7, 9] += outlier
    coding, found = back(values)
    error, away = np.abs(found - values), np.abs(values - coding.center)
    spread = np.subtract(*np.quantile(values, (0.999, 0.001)))
    assert coding.kind == "asinh"
    rounding = 1e-9 * np.abs(values) + 1e-6 * away
    assert (error <= np.maximum(1e-3 * away, spread / 20000) + rounding).all()
    near = away < spread / 32
    assert near.sum() > 100
    assert error[near].max() <= spread / 20000
    assert found.min() == pytest.approx(values.min(), abs=1e-3 * away.max())


def test_counts_of_a_long_range_are_told_apart_where_they_are_few(random):
    values = random.poisson(3, SHAPE)
    values[8, 8], values[9, 9] = 2_000_000, 5000
    _, found = back(values)
    few = values <= 1000
    np.testing.assert_array_equal(np.rint(found[few]), values[few])
    assert found[8, 8] == pytest.approx(2_000_000, rel=1e-3)
    assert found[9, 9] == pytest.approx(5000, rel=1e-3)


@pytest.mark.parametrize("top", [65533, 10**6, 2**31 - 1, 2**62])
def test_the_ends_of_any_range_of_whole_numbers_have_codes(top, random):
    values = random.integers(0, 50, SHAPE)
    values[5, 5] = top
    coding, found = back(values)
    assert found[5, 5] == pytest.approx(top, rel=1e-3)
    assert encode(values, GOOD, coding).max() <= 65534
    np.testing.assert_array_equal(np.rint(found[values < 50]), values[values < 50])


def test_radiographs_of_many_counts_are_fine_around_the_median(random):
    values = random.integers(100_000, 400_000, SHAPE)
    _, found = back(values)
    assert np.abs(found - values).max() < 300_000 / 20000


def test_a_sparse_float_image_keeps_its_weak_pixels():
    values = np.zeros(SHAPE)
    values[3, 4], values[10, 20], values[30, 7] = 0.25, 1.5, 4e4
    _, found = back(values)
    np.testing.assert_allclose(found[values > 0], values[values > 0], rtol=1e-3)
    np.testing.assert_array_equal(found[values == 0], 0)


@pytest.mark.parametrize("value", [0.5, -3.25e20, 0.0])
def test_a_constant_image_comes_back(value):
    np.testing.assert_array_equal(back(np.full(SHAPE, value))[1], value)


def test_missing_numbers_are_masked_in_both_codings():
    values = np.zeros(SHAPE)
    values[1, 2], values[3, 4], values[5, 6] = np.nan, np.inf, -np.inf
    for coding in (Coding("exact"), Coding("asinh")):
        codes = encode(values, GOOD, coding)
        np.testing.assert_array_equal(codes[[1, 3, 5], [2, 4, 6]], 1)
        assert (codes == 1).sum() == 3


@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "u8", "f4"])
def test_values_outside_the_coding_get_its_ends(dtype):
    values = np.array([[0, 100], [101, 120]], dtype)
    good = np.zeros((2, 2), np.uint8)
    codes = encode(values, good, Coding("exact", offset=100))
    np.testing.assert_array_equal(codes, [[2, 2], [3, 22]])
    low = encode(values, good, Coding("exact", offset=-65500))
    np.testing.assert_array_equal(low, [[65502, 65534], [65534, 65534]])
    far = encode(values.astype(float) * 1e300, good, Coding("asinh"))
    np.testing.assert_array_equal(far, [[32768, 65534], [65534, 65534]])


def test_decoding_is_the_formula_that_the_browser_has():
    codes = np.array([0, 1, 2, 32768, 40000, 65534, 65535], np.uint16)
    exact = Coding("exact", offset=-5).decode(codes)
    np.testing.assert_array_equal(exact, [np.nan, np.nan, -5, 32761, 39993, 65527, np.nan])
    curved = Coding("asinh", center=3.0, scale=2.0, step=1e-4).decode(codes)
    expected = [3 + 2 * math.sinh((code - 2 - 32766) * 1e-4) for code in (2, 32768, 40000, 65534)]
    np.testing.assert_allclose(curved[2:6], expected, rtol=1e-12)


def test_a_coding_survives_json():
    import json

    coding = Coding("asinh", center=3.5, scale=0.1, step=2e-4)
    assert Coding.from_dict(json.loads(json.dumps(coding.to_dict()))) == coding
    whole = choose_coding(np.arange(9, dtype=np.int32).reshape(3, 3), np.zeros((3, 3), np.uint8))
    assert Coding.from_dict(json.loads(json.dumps(whole.to_dict()))) == whole


def test_impossible_codings_are_refused():
    with pytest.raises(ParameterError, match="allowed are 'exact' and 'asinh'"):
        Coding("log")
    with pytest.raises(ParameterError, match="above 0"):
        Coding("asinh", scale=0)


def test_compressed_codes_are_two_byte_planes_that_any_zlib_inflates(random):
    codes = random.integers(0, 65536, SHAPE).astype(np.uint16)
    planes = np.frombuffer(zlib.decompress(compress(codes)), np.uint8).reshape(2, *SHAPE)
    np.testing.assert_array_equal(planes[0], codes & 255)
    np.testing.assert_array_equal(planes[1], codes >> 8)
    np.testing.assert_array_equal(decompress(compress(codes), SHAPE), codes)
    np.testing.assert_array_equal(decompress(compress(codes.T), codes.T.shape), codes.T)


def test_bytes_of_something_else_are_refused():
    with pytest.raises(ParameterError, match="no compressed codes"):
        decompress(b"nothing", SHAPE)
    with pytest.raises(ParameterError, match="Give the shape"):
        decompress(compress(np.zeros((3, 4), np.uint16)), (4, 5))


def test_a_real_frame_takes_less_than_400_kilobytes_at_screen_size(data_folder):
    import beamkit as bk
    from beamkit.images import classify, reduce

    folder = data_folder / "cbf_pilatus"
    for path in (
        folder / "DLS_I03_smargon_0001.cbf.gz",
        folder / "thaumatin_grid" / "thau_3_2_0012.cbf.bz2",
    ):
        data = bk.open(path)
        values, classes = reduce(data.frames[0].values, (4, 4), classes=classify(data.mask.values))
        coding = choose_coding(values, classes)
        codes = encode(values, classes, coding)
        assert len(compress(codes)) < 400_000
        few = (classes == 0) & (values < 1000)
        np.testing.assert_array_equal(np.rint(coding.decode(codes)[few]), values[few])
