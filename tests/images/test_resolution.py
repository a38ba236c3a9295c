import numpy as np
import pytest
import xarray as xr

from beamkit import images
from beamkit.core.errors import InvalidPixelsError, ShapeError

SHAPE = (201, 257)  # odd, not square


@pytest.fixture
def halves():
    """A signal whose spectrum ends at 0.2 per pixel, and noise that is independent."""
    rng = np.random.default_rng(4)
    spectrum = np.fft.fft2(rng.normal(size=SHAPE))
    fy, fx = np.fft.fftfreq(SHAPE[0]), np.fft.fftfreq(SHAPE[1])
    spectrum[np.hypot(fy[:, None], fx[None, :]) > 0.2] = 0
    signal = np.fft.ifft2(spectrum).real
    return [
        xr.DataArray(signal + rng.normal(scale=0.3, size=SHAPE), dims=("y", "x")) for _ in range(2)
    ]


def test_resolution_is_where_the_signal_ends(halves):
    # The signal ends at 0.2 per pixel; the main lobe of the taper spreads it by up to 2 rings of
    # 1/201 per pixel, so the period is between 1 / (0.2 + 2/201) = 4.76 and 5 pixels.
    assert 4.76 < images.ring_correlation(*halves).resolution <= 5.0


def test_identical_images_reach_the_limit_of_sampling(halves):
    result = images.ring_correlation(halves[0], halves[0])
    assert result.resolution == 2.0
    np.testing.assert_allclose(result.correlation[1:], 1.0, atol=1e-9)


def test_noise_alone_has_no_resolution():
    rng = np.random.default_rng(1)
    a, b = (xr.DataArray(rng.normal(size=SHAPE), dims=("y", "x")) for _ in range(2))
    result = images.ring_correlation(a, b)
    assert result.resolution is None or result.resolution > 30
    assert abs(result.correlation[20:]).max() < 0.3


def test_threshold_is_the_half_bit_curve(halves):
    # Many pixels in a ring: 0.2071 / 1.2071 = 0.17157 (van Heel & Schatz 2005).
    assert 0.1716 < float(images.ring_correlation(*halves).threshold[-1]) < 0.25


def test_noise_of_halves_is_that_of_their_mean(halves):
    # Each half has 0.3; the mean of two has 0.3 / sqrt(2).
    assert images.noise_of_halves(*halves) == pytest.approx(0.3 / 2**0.5, rel=0.02)


def test_different_shapes_and_nan_are_refused(halves):
    with pytest.raises(ShapeError, match="same shape"):
        images.ring_correlation(halves[0], halves[1][1:])
    with pytest.raises(ShapeError, match="same way"):
        images.noise_of_halves(halves[0], halves[1][1:])
    with pytest.raises(InvalidPixelsError, match="NaN"):
        images.ring_correlation(halves[0], halves[1].where(halves[1] < 1))
