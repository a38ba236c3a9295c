"""Limits, histograms and scales."""

import math
from itertools import pairwise

import numpy as np
import pytest

from beamkit.core.errors import ParameterError, ShapeError
from beamkit.images import SCALES, default_quantiles, histogram, limits


@pytest.fixture
def random():
    return np.random.default_rng(3)


def test_limits_are_the_quantiles_of_the_good_pixels():
    values = np.arange(1001.0).reshape(77, 13)
    classes = np.zeros(values.shape, np.uint8)
    values[3, 4], values[5, 6], classes[5, 6] = np.nan, 1e9, 1
    good = values[(classes == 0) & np.isfinite(values)]
    assert limits(values, classes, quantiles=(0.1, 0.9)) == pytest.approx(
        tuple(np.quantile(good, (0.1, 0.9)))
    )


def test_limits_of_a_large_image_come_from_a_sample_that_is_fair(random):
    values = random.gamma(3, 20, (1531, 1207))
    exact = np.quantile(values, (0.01, 0.999))
    assert limits(values) == pytest.approx(tuple(exact), rel=0.05)


def test_flags_and_saturated_pixels_do_not_pull_the_limits(random):
    values = random.poisson(5, (211, 193)).astype(np.int64)
    classes = np.zeros(values.shape, np.uint8)
    values[::3], classes[::3] = -2, 2
    values[1, ::2], classes[1, ::2] = 2**32 - 1, 3
    low, high = limits(values, classes)
    assert low >= 0
    assert high < 20


def test_nearly_empty_frames_take_the_upper_limit_from_their_counts(random):
    values = np.zeros((1200, 1300), np.int32)
    places = random.choice(values.size, 900, replace=False)
    values.flat[places] = np.arange(1, 901)
    low, high = limits(values)
    assert low == 0
    assert high == pytest.approx(np.quantile(np.arange(1, 901), 0.999))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.zeros((5, 4), np.int32), (0, 1)),
        (np.full((5, 4), 7, np.uint16), (7, 8)),
        (np.full((5, 4), np.nan), (0, 1)),
        (np.zeros((0, 4)), (0, 1)),
        (np.zeros((5, 4)), (-0.5, 0.5)),
    ],
)
def test_limits_of_an_image_of_one_value_differ(values, expected):
    assert limits(values) == expected


def test_limits_are_never_equal(random):
    for value in (2.5, -1e-30, 1e30, -4e7):
        low, high = limits(np.full((9, 8), value))
        assert low < value < high
    dark = np.full((50, 60), 9.0)
    dark[3, 3] = 2.0
    assert limits(dark) == (2.0, 9.0)


def test_asking_again_saturates_more(random):
    values = random.normal(size=(401, 307))
    widths = [np.subtract(*limits(values, tightness=n)[::-1]) for n in range(6)]
    assert all(later < earlier for earlier, later in pairwise(widths[:5]))
    assert widths[5] > 0
    full = limits(values, quantiles=(0, 1), tightness=1)
    assert full[1] < values.max()


def test_diffraction_and_radiographs_have_quantiles_of_their_own():
    assert default_quantiles("diffraction") == (0.01, 0.999)
    assert default_quantiles("tomography") == (0.005, 0.995)


def test_scales_are_the_formulas_that_the_browser_has():
    # By hand at u = 0.25: 1/2; log(250.75)/log(1000); asinh(12.5)/asinh(50).
    expected = {
        "linear": 0.25,
        "sqrt": 0.5,
        "log": math.log(250.75) / math.log(1000),
        "asinh": math.asinh(12.5) / math.asinh(50),
    }
    for name, value in expected.items():
        assert SCALES[name](3.0, 2.0, 6.0) == pytest.approx(value, rel=1e-12)
        np.testing.assert_array_equal(SCALES[name]([-9, 2, 6, 99], 2, 6), [0, 0, 1, 1])
    assert set(SCALES) == set(expected)


@pytest.mark.parametrize("name", list(SCALES))
def test_scales_go_back(name):
    u = np.linspace(0, 1, 101)
    np.testing.assert_allclose(SCALES[name].inverse(SCALES[name].forward(u)), u, atol=1e-12)


@pytest.mark.parametrize("name", list(SCALES))
def test_histogram_counts_every_good_pixel_once(name, random):
    values = random.gamma(2, 9, (83, 71))
    classes = np.zeros(values.shape, np.uint8)
    classes[::5], values[1, 1] = 2, np.nan
    good = values[(classes == 0) & np.isfinite(values)]
    found = histogram(values, classes, bins=37, scale=name)
    assert found.counts.sum() == good.size
    assert (found.edges[0], found.edges[-1]) == (good.min(), good.max())
    expected, _ = np.histogram(good, found.edges)
    # A pixel on an edge may fall to either side by rounding.
    assert np.abs(found.counts - expected).sum() <= 4
    even = np.diff(SCALES[name].forward((found.edges - good.min()) / np.ptp(good)))
    np.testing.assert_allclose(even, 1 / 37, rtol=1e-6)


def test_histogram_of_nothing_and_of_one_value():
    assert histogram(np.full((3, 4), np.nan)).counts.sum() == 0
    one = histogram(np.full((3, 4), 5), bins=3)
    assert one.counts.sum() == 12
    assert one.edges[0] < 5 < one.edges[-1]


def test_wrong_options_are_refused():
    values = np.zeros((3, 4))
    with pytest.raises(ParameterError, match="increasing numbers"):
        limits(values, quantiles=(0.9, 0.1))
    with pytest.raises(ParameterError, match="tightness is -1"):
        limits(values, tightness=-1)
    with pytest.raises(ParameterError, match="Did you mean 'sqrt'"):
        histogram(values, scale="sqr")
    with pytest.raises(ParameterError, match="at least 1"):
        histogram(values, bins=0)
    with pytest.raises(ShapeError, match="same image"):
        limits(values, np.zeros((4, 3), np.uint8))
