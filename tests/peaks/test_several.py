"""Several peaks: found, and fitted together."""

import numpy as np
import pytest
import xarray as xr

from beamkit.core.errors import ParameterError, ShapeError
from beamkit.peaks import find_peaks, fit_peaks, pseudo_voigt

X = np.linspace(0, 10, 203)
PEAKS = [(2.1, 9.0, 0.8), (6.0, 12.0, 1.1), (7.2, 5.0, 0.9)]


def truth(peaks=PEAKS, fraction=0.0):
    return 4 + 0.3 * X + sum(pseudo_voigt(X, *peak, fraction) for peak in peaks)


def profile(y):
    return xr.DataArray(
        y, dims="q", coords={"q": ("q", X, {"units": "1/angstrom"})}, attrs={"units": "counts"}
    )


class TestFit:
    @pytest.fixture(autouse=True)
    def _lmfit(self, require):
        require("lmfit", "diffraction")

    @pytest.mark.parametrize("peaks", [3, [7.3, 2.0, 6.1]])
    def test_overlapping_peaks_are_taken_apart(self, peaks):
        fits = fit_peaks(profile(truth()), peaks)
        found = [[float(f.position), float(f.area), float(f.fwhm)] for f in fits]
        np.testing.assert_allclose(found, PEAKS, rtol=1e-4)
        assert fits.success
        assert fits.reason == "converged"

    def test_errors_allow_for_the_overlap(self):
        random = np.random.default_rng(5)
        pulls = []
        for _ in range(40):
            y = truth() + 0.2 * random.standard_normal(X.size)
            fits = fit_peaks(profile(y), [2.1, 6.0, 7.2], sigma=0.2)
            pulls.append(
                [(f.area.value - t[1]) / f.area.error for f, t in zip(fits, PEAKS, strict=True)]
            )
        assert np.abs(np.mean(pulls, axis=0)).max() < 4 / np.sqrt(40)
        assert np.abs(np.std(pulls, axis=0) - 1).max() < 4 / np.sqrt(80)

    def test_a_table_has_a_row_for_each_peak(self):
        fits = fit_peaks(profile(truth()), 3)
        table = fits.to_dataset()
        assert table.sizes == {"peak": 3}
        assert table["position"].attrs["units"] == "1/angstrom"
        np.testing.assert_allclose(fits.curve(X), truth(), rtol=1e-5)
        assert np.abs(fits.residuals).max() < 1e-3

    def test_a_peak_too_many_is_named(self):
        random = np.random.default_rng(1)
        y = truth(PEAKS[:1]) + 0.2 * random.standard_normal(X.size)
        fits = fit_peaks(profile(y), [2.1, 8.0], sigma=0.2)
        assert fits[0].success
        assert not fits.success

    def test_nothing_to_fit_is_refused(self):
        for wrong in (0, [], -2):
            with pytest.raises(ParameterError, match="1 or more"):
                fit_peaks(profile(truth()), wrong)
        with pytest.raises(ParameterError, match="outside the points"):
            fit_peaks(profile(truth()), [2.0, 11.0])

    def test_a_constant_has_no_peaks(self):
        fits = fit_peaks(profile(np.ones(X.size)), 2)
        assert len(fits) == 2
        assert "no peak" in fits.reason


class TestFind:
    def test_peaks_are_where_they_are_and_as_wide(self):
        random = np.random.default_rng(3)
        apart = [*PEAKS[:2], (8.3, 5.0, 0.9)]  # nearer, it would be a shoulder and no peak
        y = truth(apart) + 0.1 * random.standard_normal(X.size)
        found = find_peaks(profile(y))
        np.testing.assert_allclose(found["position"], [2.1, 6.0, 8.3], atol=0.1)
        assert float(found["width"][0]) == pytest.approx(0.8, abs=0.1)
        # height of a Gaussian: 0.9394 area / width
        assert float(found["height"][0]) == pytest.approx(4.63 + 0.9394 * 9 / 0.8, abs=0.6)
        assert found["position"].attrs["units"] == "1/angstrom"

    def test_dips_are_found_when_asked_for(self):
        y = 50 - pseudo_voigt(X, 3.3, 9.0, 0.8, 0.0)
        assert find_peaks((X, y)).sizes["peak"] == 0
        found = find_peaks((X, y), dips=True)
        assert found["position"].values == pytest.approx([3.3], abs=0.01)
        assert float(found["height"][0]) == pytest.approx(50 - 0.9394 * 9 / 0.8, abs=0.3)

    def test_noise_alone_has_none(self):
        random = np.random.default_rng(1)
        for _ in range(50):
            assert find_peaks((X, random.standard_normal(X.size))).sizes["peak"] == 0
            assert find_peaks(profile(random.poisson(4, X.size))).sizes["peak"] == 0
        assert find_peaks((X, np.ones(X.size))).sizes["peak"] == 0

    def test_uneven_steps_and_gaps_keep_their_place(self):
        x = X**1.3
        y = 3 + pseudo_voigt(x, 7.77, 9.0, 1.2, 0.0)
        y[[20, 21, 50]] = np.nan
        found = find_peaks((x, y), smoothing=0)
        assert found["position"].values == pytest.approx([7.77], abs=0.003)
        assert found["width"].values == pytest.approx([1.2], rel=0.01)

    def test_what_cannot_be_is_refused(self):
        with pytest.raises(ParameterError, match="prominence"):
            find_peaks((X, X), prominence=-1)
        with pytest.raises(ShapeError, match="Too few points"):
            find_peaks(([1, 2, 3], [1, 2, 1]))
