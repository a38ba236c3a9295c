"""Each kind of stripe is reduced at least five times by the method meant for it, in the sinogram
and in the slice; a clean sinogram stays as it is."""

from __future__ import annotations

import numpy as np
import pytest
from tomography.phantom import DISCS, line_integrals, scaled, scan

from beamkit.tomography import reconstruct, remove_stripes

ANGLES, COLUMNS, CENTER = np.arange(360) * 0.5, 331, 168.6
CLEAN = line_integrals(scaled(DISCS, 0.62), ANGLES, COLUMNS, CENTER)
HEIGHT = 0.05 * CLEAN.max()


def thin(random):
    """Offsets of one or two columns at all angles."""
    added = np.zeros_like(CLEAN)
    for first in range(13, 320, 27):
        width = int(random.integers(1, 3))
        added[:, first : first + width] = random.normal() * HEIGHT
    return CLEAN + added


def wide(random):
    """Offsets of 9 to 13 columns."""
    added = np.zeros_like(CLEAN)
    for first, width in ((60, 9), (150, 13), (251, 11)):
        added[:, first : first + width] = random.choice([-1, 1]) * HEIGHT
    return CLEAN + added


def dead(_random):
    """Columns that always say the same."""
    result = CLEAN.copy()
    for first, width in ((80, 1), (151, 3), (240, 2)):
        result[:, first : first + width] = 0.6 * CLEAN.max()
    return result


def fluctuating(random):
    """Columns of noise."""
    result = CLEAN.copy()
    for first, width in ((81, 1), (150, 3), (243, 2)):
        result[:, first : first + width] += random.normal(size=(len(CLEAN), width)) * 4 * HEIGHT
    return result


def partial(random):
    """Offsets at half of the angles."""
    added = np.zeros_like(CLEAN)
    for first in (50, 120, 185, 260):
        start = int(random.integers(0, 180))
        added[start : start + 180, first : first + 2] = random.choice([-1, 1]) * HEIGHT
    return CLEAN + added


KINDS = (
    (thin, "steps"),
    (wide, "steps"),
    (dead, "steps"),
    (fluctuating, "dead"),
    (partial, "steps"),
)


def rms(values):
    return float(np.sqrt(np.mean(np.square(values))))


def left_over(sinogram, method):
    return remove_stripes(scan([sinogram], ANGLES), method=method).values[:, 0] - CLEAN


@pytest.mark.parametrize(("kind", "method"), KINDS)
def test_each_kind_goes_by_the_method_meant_for_it(kind, method):
    striped = kind(np.random.default_rng(7))
    assert rms(left_over(striped, method)) < rms(striped - CLEAN) / 5


@pytest.mark.parametrize(("kind", "_method"), KINDS)
def test_all_kinds_go_by_all(kind, _method):
    striped = kind(np.random.default_rng(8))
    assert rms(left_over(striped, "all")) < rms(striped - CLEAN) / 5


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "method"), KINDS)
def test_the_rings_in_the_slice_go_too(kind, method):
    striped = scan([kind(np.random.default_rng(9))], ANGLES)
    slices = [
        reconstruct(data, center=CENTER).values
        for data in (scan([CLEAN], ANGLES), striped, remove_stripes(striped, method=method))
    ]
    clean, before, after = slices
    assert rms(after - clean) < rms(before - clean) / 5


@pytest.mark.parametrize("method", ["steps", "dead", "fine", "all", "offset"])
def test_a_clean_sinogram_stays(method):
    change = left_over(CLEAN, method)
    assert rms(change) < 1e-3 * rms(CLEAN)
    assert np.abs(change).max() < 0.03 * CLEAN.max()


@pytest.mark.parametrize("height", [0.004, 0.02])
@pytest.mark.parametrize("method", ["fine", "all"])
def test_offsets_of_every_column_go_by_fine_and_by_all(method, height):
    striped = CLEAN + np.random.default_rng(12).normal(0, height * CLEAN.max(), COLUMNS)
    left = left_over(striped, method)
    # What neighbours share stays, and makes no rings: so differences of neighbours are compared.
    assert rms(np.diff(left, axis=1)) < rms(np.diff(striped - CLEAN, axis=1)) / 5
    assert rms(left) < rms(striped - CLEAN) / 2


def test_noise_is_no_stripe():
    random = np.random.default_rng(3)
    noisy = CLEAN + random.normal(0, 0.01 * CLEAN.max(), CLEAN.shape)
    change = remove_stripes(scan([noisy], ANGLES), method="steps").values[:, 0] - noisy
    assert rms(change) < 1e-3 * rms(CLEAN)
    # The mean of the noise of a column is an offset of it: nobody can tell.
    change = remove_stripes(scan([noisy], ANGLES), method="all").values[:, 0] - noisy
    assert rms(change) < 4 * 0.01 * CLEAN.max() / np.sqrt(len(ANGLES))
    striped = wide(random) + noisy - CLEAN
    left = remove_stripes(scan([striped], ANGLES), method="all").values[:, 0] - noisy
    assert rms(left) < rms(striped - noisy) / 5


def test_a_stripe_as_wide_as_the_sample_is_a_sample():
    broad = CLEAN.copy()
    broad[:, 100:200] += HEIGHT
    change = remove_stripes(scan([broad], ANGLES), method="steps", size=20).values[:, 0] - broad
    assert np.abs(change[:, 140:160]).max() < 1e-5 * CLEAN.max()


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (3, 5), (200, 4)])
@pytest.mark.parametrize("method", ["steps", "dead", "fine", "all"])
def test_small_sinograms_go_through(method, shape):
    values = np.random.default_rng(1).random(shape).astype(np.float32)
    result = remove_stripes(scan([values], np.arange(shape[0])), method=method)
    assert result.shape == (shape[0], 1, shape[1])
    assert np.isfinite(result).all()
