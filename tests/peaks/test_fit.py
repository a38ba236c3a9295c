"""Fits of one peak: against the truth, against scipy, and what is said when there is none."""

import math

import numpy as np
import pytest
import xarray as xr
from scipy.optimize import curve_fit

from beamkit.core.errors import ParameterError, ShapeError, UnknownNameError
from beamkit.peaks import fit_peak, pseudo_voigt
from beamkit.peaks.shapes import height


@pytest.fixture(autouse=True)
def _lmfit(require):
    require("lmfit", "diffraction")


#: Uneven, and the peak off the middle.
X = np.sort(np.concatenate([np.linspace(2, 3, 61), np.linspace(2.3, 2.6, 20) + 0.003]))
TRUE = {"position": 2.437, "area": 200.0, "fwhm": 0.18, "background": 27.0, "slope": 20.0}


def curve(x, position, area, fwhm, fraction, background, slope):
    return pseudo_voigt(x, position, area, fwhm, fraction) + background + slope * (x - position)


def truth(fraction=0.0, x=X, **other):
    return curve(x, fraction=fraction, **{**TRUE, **other})


def profile(y, x=X, unit="counts"):
    axis = ("point", x, {"units": "mm"})
    return xr.DataArray(
        y, dims="point", coords={"SLYCENTRE": axis}, name="qbpm1", attrs={"units": unit}
    )


class TestTruth:
    @pytest.mark.parametrize(
        ("model", "fraction"), [("gaussian", 0.0), ("lorentzian", 1.0), ("pseudo_voigt", 0.35)]
    )
    def test_exact_points_give_the_truth_back(self, model, fraction):
        fit = fit_peak(profile(truth(fraction)), model=model)
        assert fit.success
        for name, value in {**TRUE, "fraction": fraction}.items():
            assert getattr(fit, name).value == pytest.approx(value, rel=1e-6, abs=1e-9), name
        assert fit.height.value == pytest.approx(height(200.0, 0.18, fraction), rel=1e-6)

    def test_a_dip_has_a_negative_height(self):
        fit = fit_peak(profile(truth(area=-30.0, background=900.0)))
        assert fit.success
        assert fit.area.value == pytest.approx(-30.0, rel=1e-6)
        assert fit.height.value == pytest.approx(height(-30.0, 0.18, 0.0), rel=1e-6)
        assert fit.fwhm.value == pytest.approx(0.18, rel=1e-6)

    @pytest.mark.parametrize("background", ["linear", "constant", None])
    def test_each_background_is_fitted_as_asked(self, background):
        true = {
            "linear": {},
            "constant": {"slope": 0.0},
            None: {"slope": 0.0, "background": 0.0},
        }[background]
        fit = fit_peak(profile(truth(**true)), background=background)
        assert fit.area.value == pytest.approx(200.0, rel=1e-6)
        assert fit.background.value == pytest.approx(true.get("background", 27.0), abs=1e-6)
        assert (fit.slope.error == 0) == (background != "linear")

    def test_photon_energies_far_from_0_lose_no_digits(self):
        x = 20000 + np.linspace(-0.3, 0.5, 81)
        fit = fit_peak((x, 3 + pseudo_voigt(x, 20000.0371, 2.0, 0.05, 0.0)))
        assert fit.position.value - 20000 == pytest.approx(0.0371, abs=1e-8)
        assert fit.fwhm.value == pytest.approx(0.05, rel=1e-5)

    def test_masked_points_take_no_part(self):
        y = truth()
        y[[3, 40, 41]] = np.nan
        y[60] = np.inf
        fit = fit_peak(profile(y))
        assert fit.area.value == pytest.approx(200.0, rel=1e-6)
        assert fit.residuals.sizes == {"SLYCENTRE": X.size - 4}

    def test_the_order_of_the_points_does_not_matter(self):
        turned = fit_peak(profile(truth()[::-1], X[::-1]))
        assert turned.position.value == pytest.approx(2.437, rel=1e-7)

    def test_only_the_range_takes_part(self):
        y = truth() + pseudo_voigt(X, 2.85, 300.0, 0.05, 0.0)
        fit = fit_peak(profile(y), range=(2.7, 2.1))
        assert fit.position.value == pytest.approx(2.437, rel=1e-5)
        assert 2.1 <= fit.points.x[0] < fit.points.x[-1] <= 2.7


class TestErrors:
    """A standard error is right when (value - truth) / error has mean 0 and spread 1."""

    def pulls(self, make, true, number, **options):
        rows = []
        for _ in range(number):
            fit = fit_peak(make(), **options)
            assert fit.success, fit.reason
            found = [getattr(fit, name) for name in true]
            rows.append(
                [(m.value - t) / m.error for m, t in zip(found, true.values(), strict=True)]
            )
        return np.array(rows)

    def check(self, pulls):
        number = len(pulls)
        # Four standard errors of a mean and of a spread; the second for nearly normal pulls.
        assert np.abs(pulls.mean(axis=0)).max() < 4 / math.sqrt(number)
        assert np.abs(pulls.std(axis=0, ddof=1) - 1).max() < 4 / math.sqrt(2 * number)

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("model", "fraction"), [("gaussian", 0.0), ("lorentzian", 1.0), ("pseudo_voigt", 0.4)]
    )
    def test_pulls_of_counts_are_standard_normal(self, model, fraction):
        random = np.random.default_rng(7)
        expected = truth(fraction)
        true = {**TRUE, "height": height(200.0, 0.18, fraction)}
        if model == "pseudo_voigt":
            true["fraction"] = fraction
        self.check(self.pulls(lambda: profile(random.poisson(expected)), true, 400, model=model))

    @pytest.mark.slow
    def test_pulls_with_given_errors_are_standard_normal(self):
        random = np.random.default_rng(8)
        sigma = 20 + 30 * (X > 2.5)
        make = lambda: profile(truth() + sigma * random.standard_normal(X.size), unit="")  # noqa: E731
        self.check(self.pulls(make, TRUE, 400, sigma=sigma))

    @pytest.mark.slow
    def test_pulls_with_errors_from_the_scatter_are_standard_normal(self):
        random = np.random.default_rng(9)
        make = lambda: profile(truth() + 25 * random.standard_normal(X.size), unit="")  # noqa: E731
        self.check(self.pulls(make, TRUE, 400))

    def test_few_counts_are_not_pulled_down(self):
        # Weights from the counts themselves would lower the area by about one count a point.
        random = np.random.default_rng(3)
        x = np.linspace(0, 10, 101)
        expected = 2 + pseudo_voigt(x, 4.3, 30.0, 1.5, 0.0)
        fits = [
            fit_peak((x, random.poisson(expected)), sigma="poisson", background="constant")
            for _ in range(60)
        ]
        pulls = [(fit.area.value - 30) / fit.area.error for fit in fits]
        assert abs(np.mean(pulls)) < 4 / math.sqrt(60)

    @pytest.mark.parametrize("known", [True, False])
    def test_values_and_errors_are_those_of_curve_fit(self, known):
        random = np.random.default_rng(5)
        sigma = 15 + 10 * (X - 2)
        y = truth(0.4) + sigma * random.standard_normal(X.size)
        weights = sigma if known else None
        fit = fit_peak(profile(y, unit=""), model="pseudo_voigt", sigma=weights)
        start = [2.4, 180.0, 0.2, 0.5, 25.0, 0.0]
        values, covariance = curve_fit(curve, X, y, start, weights, absolute_sigma=known)
        names = ("position", "area", "fwhm", "fraction", "background", "slope")
        errors = np.sqrt(np.diag(covariance))
        for name, value, error in zip(names, values, errors, strict=True):
            found = getattr(fit, name)
            assert found.value == pytest.approx(value, abs=2e-3 * error), name
            assert found.error == pytest.approx(error, rel=5e-3), name

    def test_reduced_chi_square_is_one_of_right_errors_and_unknown_without(self):
        random = np.random.default_rng(6)
        sigma = np.full(X.size, 12.0)
        y = truth() + sigma * random.standard_normal(X.size)
        fit = fit_peak(profile(y, unit=""), sigma=sigma)
        # Spread of a reduced chi square: sqrt(2 / freedom).
        assert fit.freedom == X.size - 5
        assert fit.reduced_chi2 == pytest.approx(1, abs=4 * math.sqrt(2 / fit.freedom))
        assert (fit.residuals**2).sum() / 144 == pytest.approx(fit.reduced_chi2 * fit.freedom)
        assert math.isnan(fit_peak(profile(y, unit="")).reduced_chi2)

    def test_only_whole_counts_are_taken_as_counts(self):
        y = np.random.default_rng(1).poisson(truth())
        assert fit_peak(profile(y)).errors == "counts"
        assert fit_peak(profile(y / 7)).errors == "scatter"
        assert fit_peak(profile(y, unit="")).errors == "scatter"
        assert fit_peak(profile(y, unit=""), sigma="poisson").errors == "counts"
        assert fit_peak(profile(y), sigma=3.0).errors == "sigma"


class TestVerdict:
    def test_a_constant_has_no_peak(self):
        fit = fit_peak(profile(np.full(X.size, 4.0)))
        assert not fit.success
        assert "no peak" in fit.reason
        assert math.isnan(fit.position.value)
        assert np.isnan(fit.curve().values).all()

    def test_a_straight_line_has_no_peak(self):
        fit = fit_peak(profile(3 + 5 * X, unit=""))
        assert not fit.success
        assert "no peak" in fit.reason

    @pytest.mark.parametrize("counts", [True, False])
    def test_noise_alone_has_no_peak(self, counts):
        random = np.random.default_rng(4)
        for _ in range(12):
            y = random.poisson(3, X.size) if counts else random.standard_normal(X.size)
            fit = fit_peak(profile(y))
            assert not fit.success, fit.reason
            assert "no peak" in fit.reason

    def test_a_peak_cut_by_the_edge_is_fitted_and_said_to_be_cut(self):
        random = np.random.default_rng(2)
        y = truth(position=2.05) + random.standard_normal(X.size)
        fit = fit_peak(profile(y, unit=""))
        assert fit.success
        assert "edge of the range, 2 mm" in fit.reason
        assert fit.position.value == pytest.approx(2.05, abs=5 * fit.position.error)

    def test_a_peak_outside_the_range_says_so(self):
        fit = fit_peak(profile(truth(position=1.93)))
        assert not fit.success
        assert "outside the range" in fit.reason

    def test_a_single_high_point_has_no_width(self):
        y = truth(area=0.0)
        y[30] += 1000
        fit = fit_peak(profile(y))
        assert not fit.success
        assert "narrower" in fit.reason

    def test_too_few_points_are_refused(self):
        with pytest.raises(ShapeError, match=r"4 that are no NaN.*5 parameters; at least 6"):
            fit_peak(([1, 2, 3, 4], [0, 3, 2, 0]))
        with pytest.raises(ShapeError, match=r"from 2.4 to 2.41"):
            fit_peak(profile(truth()), range=(2.4, 2.41))

    def test_what_cannot_be_is_refused(self):
        good = profile(truth())
        with pytest.raises(UnknownNameError, match="Did you mean 'gaussian'"):
            fit_peak(good, model="gausian")
        with pytest.raises(UnknownNameError, match="linear"):
            fit_peak(good, background="lineal")
        with pytest.raises(ParameterError, match="lowest and the highest"):
            fit_peak(good, range=(1.0, math.nan))
        with pytest.raises(ParameterError, match="above 0"):
            fit_peak(good, sigma=np.zeros(X.size))
        with pytest.raises(ShapeError, match="sigma has shape"):
            fit_peak(good, sigma=np.ones(3))
        with pytest.raises(ParameterError, match="poisson"):
            fit_peak(good, sigma="gauss")
        with pytest.raises(ParameterError, match="negative"):
            fit_peak(profile(truth() - 500), sigma="poisson")
        with pytest.raises(ShapeError, match="one dimension"):
            fit_peak(xr.DataArray(np.ones((3, 4))))
        with pytest.raises(ParameterError, match="pair"):
            fit_peak(np.ones(30))
        with pytest.raises(ShapeError, match="as long"):
            fit_peak((X, X[:-1]))
        with pytest.raises(ParameterError, match="not real numbers"):
            fit_peak((X, X.astype(str)))


class TestResult:
    @pytest.fixture
    def fit(self):
        return fit_peak(profile(np.random.default_rng(11).poisson(truth())))

    def test_units_follow_from_the_axes(self, fit):
        units = {name: getattr(fit, name).unit for name in ("position", "fwhm", "height", "area")}
        assert units == {"position": "mm", "fwhm": "mm", "height": "counts", "area": "counts mm"}
        assert fit.slope.unit == "counts/mm"

    def test_curves_are_where_they_were_asked_for(self, fit):
        where = [2.2, 2.437]
        total, ground, peak = fit.curve(where), fit.background_curve(where), fit.peak_curve(where)
        np.testing.assert_allclose(total, peak)
        expected = fit.background.value + fit.slope.value * (np.array(where) - fit.position.value)
        np.testing.assert_allclose(ground, expected)
        assert total["SLYCENTRE"].attrs["units"] == "mm"
        assert fit.curve().sizes["SLYCENTRE"] == 501
        assert fit.curve(2.437) == pytest.approx(float(total[1]))

    def test_points_are_curve_and_residuals(self, fit):
        table = fit.to_dataset()
        np.testing.assert_allclose(table["curve"] + table["residuals"], table["data"])
        assert table["position"].attrs["units"] == "mm"
        assert table.attrs["success"] == 1
        assert float(table["area_error"]) == fit.area.error

    def test_it_is_told_in_words_and_in_plain_numbers(self, fit):
        assert "position   2.43" in str(fit)
        assert "fraction" not in str(fit)
        plain = fit.to_dict()
        assert plain["fwhm"] == fit.fwhm.value
        assert plain["fraction_error"] == 0
        assert plain["reason"] == "converged"
