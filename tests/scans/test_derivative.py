"""Derivatives and statistics against closed forms and scipy."""

import math

import numpy as np
import pytest
import xarray as xr
from scipy.signal import savgol_filter

from beamkit.core.errors import ParameterError, ShapeError
from beamkit.scans import center_of_mass, derivative, statistics

X = np.array([0.0, 0.1, 0.3, 0.35, 0.7, 1.1, 1.2, 1.9, 2.0, 2.6])


def curve(y, x=X):
    axis = ("point", x, {"units": "mm"})
    return xr.DataArray(
        y, dims="point", coords={"eta": axis}, name="sum", attrs={"units": "counts"}
    )


class TestDerivative:
    def test_a_parabola_is_exact_in_uneven_steps(self):
        found = derivative(curve(3 * X**2 - X + 5))
        # Second order in uneven steps: exact inside, first order at both ends.
        np.testing.assert_allclose(found[1:-1], 6 * X[1:-1] - 1)
        assert found.attrs["units"] == "counts/mm"
        assert found.name == "d sum / d eta"
        np.testing.assert_array_equal(found["eta"], X)

    def test_smoothing_uses_the_true_axis(self):
        found = derivative(curve(3 * X**2 - X + 5), window=5)
        np.testing.assert_allclose(found, 6 * X - 1)

    def test_in_even_steps_it_is_savitzky_and_golay(self):
        x = np.linspace(4, 6, 41)
        y = np.random.default_rng(1).standard_normal(41)
        expected = savgol_filter(y, 7, 2, deriv=1, delta=x[1] - x[0])
        found = derivative(curve(y, x), window=7, order=2).values
        np.testing.assert_allclose(found[3:-3], expected[3:-3], rtol=1e-9)

    def test_a_scan_downwards_has_the_same_slope(self):
        turned = derivative(curve((3 * X**2)[::-1], X[::-1]))
        np.testing.assert_allclose(turned[1:-1], (6 * X)[::-1][1:-1])

    def test_nan_stays_nan_and_is_left_out(self):
        y = 2 * X + 1
        y[4] = np.nan
        found = derivative(curve(y))
        assert np.isnan(found[4])
        np.testing.assert_allclose(np.delete(found.values, 4), 2)

    def test_an_axis_that_stands_still_has_no_slope_there(self):
        x = np.array([0.0, 1, 1, 1, 2, 3])
        found = derivative(curve(np.arange(6.0), x))
        assert np.isnan(found[2])
        assert found[5] == 1
        assert np.isnan(derivative(curve(np.arange(6.0), np.ones(6)), window=3)).all()

    def test_what_cannot_be_is_refused(self):
        with pytest.raises(ParameterError, match="odd"):
            derivative(curve(X), window=4)
        with pytest.raises(ParameterError, match="1 to 4"):
            derivative(curve(X), window=5, order=5)
        with pytest.raises(ShapeError, match="needs 11 points, 10"):
            derivative(curve(X), window=11)
        with pytest.raises(ShapeError, match="isel"):
            derivative(xr.DataArray(np.eye(3)))
        with pytest.raises(ParameterError, match="real numbers"):
            derivative(xr.DataArray(np.array(["a", "b"])))


class TestStatistics:
    def test_a_triangle_has_the_numbers_of_a_triangle(self):
        # From (1, 2) up to (4, 12) and down to (5, 2): half is 7, at 2.5 and 4.5.
        x = np.array([5.0, 0.0, 1.0, 2.2, 4.0, 6.0])
        y = np.interp(x, [1, 4, 5], [2, 12, 2])
        found = statistics(curve(y, x))
        assert (found.maximum, found.maximum_at, found.minimum) == (12, 4, 2)
        assert found.fwhm == pytest.approx(2.0)
        assert found.center == pytest.approx(3.5)
        assert found.half_height == 7
        assert found.integral == pytest.approx(6 * 2 + 10 * 4 / 2)
        assert "12 counts at 4 mm" in str(found)
        assert found.to_dict()["points"] == 6

    def test_a_side_that_does_not_fall_has_no_width(self):
        found = statistics(curve(X))
        assert math.isnan(found.fwhm)
        assert found.maximum_at == 2.6

    def test_the_width_of_a_gaussian_is_found_between_the_points(self):
        x = np.linspace(0, 4, 81)
        y = 3 + 8 * np.exp(-4 * np.log(2) * ((x - 1.73) / 0.6) ** 2)
        y[3] = np.nan
        found = statistics(curve(y, x))
        assert found.fwhm == pytest.approx(0.6, abs=0.005)
        assert found.center == pytest.approx(1.73, abs=0.005)
        assert found.center_of_mass == pytest.approx(1.73, abs=1e-4)

    def test_dense_points_do_not_pull_the_centre_of_mass(self):
        x = np.concatenate([np.linspace(0, 1, 101), np.linspace(1.1, 2, 10)])
        assert center_of_mass(curve(np.ones(111), x), baseline=0.0) == pytest.approx(1.0)
        assert center_of_mass(curve([5.0], np.array([3.0]))) == 3.0
        assert math.isnan(center_of_mass(curve(np.ones(111), x)))

    def test_nothing_to_count_is_refused(self):
        with pytest.raises(ShapeError, match="nothing to count"):
            statistics(curve(np.full(10, np.nan)))
        with pytest.raises(ParameterError, match="real numbers"):
            statistics(xr.DataArray(np.array(["a"])))
