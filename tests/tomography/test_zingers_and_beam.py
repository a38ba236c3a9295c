"""Single bright pixels go, and the beam's decay goes; nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy.ndimage import median_filter

from beamkit.core.errors import InvalidPixelsError, MetadataError, ParameterError
from beamkit.tomography import minus_log, remove_zingers, scale_beam

DIMS = ("angle", "detector_y", "detector_x")


def transmission(noise=0.01):
    """A disc's shadow with noise, off the centre, three angles."""
    y, x = np.mgrid[:61, :83]
    chord = 2 * np.sqrt(np.clip(22.0**2 - (x - 35.3) ** 2, 0, None)) * (y > 8)
    random = np.random.default_rng(3)
    image = np.exp(-0.02 * chord) + random.normal(0, noise, (3, 61, 83))
    return xr.DataArray(
        image.astype(np.float32), dims=DIMS, attrs={"quantity": "transmission", "units": "1"}
    )


def test_zingers_go_and_all_else_stays_bit_for_bit():
    clean = transmission()
    places = ((0, 3, 4), (1, 30, 35), (1, 31, 60), (2, 60, 82), (2, 20, 45))
    broken = clean.copy()
    for place in places:
        broken[place] += 0.5
    result = remove_zingers(broken, threshold=0.25)
    for place in places:
        assert abs(float(result[place] - clean[place])) < 0.12
        broken[place] = result[place]
    np.testing.assert_array_equal(result, broken)
    assert result.attrs["quantity"] == "transmission"


def test_the_usual_threshold_is_above_the_noise_and_below_a_zinger():
    clean = transmission()
    assert (remove_zingers(clean) != clean).mean() < 1e-3
    broken = clean.copy()
    broken[1, 20, 30] = 3.0
    expected = median_filter(broken[1].values, 3, mode="reflect")[20, 30]
    assert float(remove_zingers(broken)[1, 20, 30]) == expected


def test_in_line_integrals_they_are_too_low():
    clean = minus_log(transmission())
    broken = clean.copy()
    broken[0, 40, 40], broken[0, 10, 10] = -1.0, 5.0
    result = remove_zingers(broken, threshold=0.5)
    assert float(result[0, 40, 40]) == pytest.approx(float(clean[0, 40, 40]), abs=0.1)
    assert float(result[0, 10, 10]) == 5.0


def test_integers_stay_integers_and_lazy_stays_lazy():
    counts = (transmission() * 1000).astype(np.uint16)
    counts[2, 5, 5] = 60000
    lazy = remove_zingers(counts.chunk({"angle": 1, "detector_y": 30}))
    assert lazy.chunks is not None
    assert lazy.dtype == np.uint16
    np.testing.assert_array_equal(lazy, remove_zingers(counts))
    assert int(lazy[2, 5, 5]) < 1100


def test_the_decay_of_the_beam_goes():
    frames = xr.DataArray(
        np.full((4, 3, 5), 7.0, np.float32)
        * np.array([1, 0.5, 0.25, 0], np.float32)[:, None, None],
        dims=DIMS,
        coords={"beam_current": ("angle", [300.0, 150.0, 75.0, 0.0])},
        attrs={"units": "counts"},
    )
    result = scale_beam(frames)
    np.testing.assert_allclose(result[:3], 7.0)
    assert np.isnan(result[3]).all()
    assert result.dtype == np.float32
    np.testing.assert_allclose(scale_beam(frames, [2, 1, 0.5, 1])[:3], 7.0)
    lazy = scale_beam(frames.chunk({"angle": 1}))
    assert lazy.chunks is not None
    np.testing.assert_array_equal(lazy, result)


def test_what_cannot_be_is_refused():
    data = transmission()
    with pytest.raises(ParameterError, match="odd"):
        remove_zingers(data, size=4)
    with pytest.raises(ParameterError, match="threshold"):
        remove_zingers(data, threshold=-1)
    data[0, 0, 0] = np.nan
    with pytest.raises(InvalidPixelsError, match="repair_pixels"):
        remove_zingers(data)
    with pytest.raises(MetadataError, match="beam_current"):
        scale_beam(data)
    with pytest.raises(ParameterError, match="one value for each"):
        scale_beam(data, [1, 2])
    with pytest.raises(ParameterError, match="above 0"):
        scale_beam(data, [0, 0, 0])
