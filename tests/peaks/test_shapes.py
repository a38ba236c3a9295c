"""Shapes of peaks against their closed forms."""

import math

import numpy as np
import pytest
from scipy.integrate import quad

from beamkit.peaks import Measured, pseudo_voigt
from beamkit.peaks.shapes import height


@pytest.mark.parametrize("fraction", [0.0, 0.35, 1.0])
def test_the_area_is_the_integral(fraction):
    total, _ = quad(pseudo_voigt, -np.inf, np.inf, args=(0.0, 7.0, 0.4, fraction))
    assert total == pytest.approx(7.0, rel=1e-7)


@pytest.mark.parametrize(
    ("fraction", "area"),
    # Gaussian of height h and full width w: h w sqrt(pi / (4 ln 2)); Lorentzian: h w pi / 2.
    [(0.0, math.sqrt(math.pi / (4 * math.log(2)))), (1.0, math.pi / 2)],
)
def test_height_and_area_go_together(fraction, area):
    assert height(3.0 * 0.4 * area, 0.4, fraction) == pytest.approx(3.0)
    assert pseudo_voigt(5.0, 5.0, 3.0 * 0.4 * area, 0.4, fraction) == pytest.approx(3.0)


@pytest.mark.parametrize("fraction", [0.0, 0.35, 1.0])
def test_half_the_height_is_half_the_width_away(fraction):
    middle, left, right = pseudo_voigt([2.0, 1.85, 2.15], 2.0, -5.0, 0.3, fraction)
    assert left == right == pytest.approx(middle / 2)
    assert middle < 0


@pytest.mark.parametrize(
    ("measured", "text"),
    [
        (Measured(2.437041, 0.000213, "mm"), "2.43704 ± 0.00021 mm"),
        (Measured(50123.4, 131.0), "50120 ± 130"),
        (Measured(1.5, 0.0996), "1.50 ± 0.10"),
        (Measured(3.1e-9, 4.4e-11, "A"), "(3.100 ± 0.044)e-9 A"),
        (Measured(0.0, 0.0), "0 (fixed)"),
        (Measured(1.25, math.nan, "mm"), "1.25 mm (error unknown)"),
        (Measured(math.nan, math.nan, "mm"), "nan mm"),
    ],
)
def test_a_number_is_told_to_two_digits_of_its_error(measured, text):
    assert str(measured) == text
    assert float(measured) == measured.value or math.isnan(measured.value)
