"""Points without noise give the peak back, and the fit says so."""

from __future__ import annotations

import numpy as np
import pytest

from beamkit.peaks import fit_peak
from beamkit.peaks.shapes import pseudo_voigt


@pytest.mark.parametrize(
    ("model", "fraction"), [("gaussian", 0.0), ("lorentzian", 1.0), ("pseudo_voigt", 0.37)]
)
@pytest.mark.parametrize("background", ["linear", "constant", None])
@pytest.mark.parametrize(("start", "step"), [(0.0, 1.0), (1000.0, 1.0), (8.0, 0.01)])
def test_exact_points_give_the_peak_back(require, model, fraction, background, start, step):
    require("lmfit", "diffraction")
    random = np.random.default_rng(5)
    for points in (17, 36, 51, 76):
        x = start + step * np.linspace(0, 10, points)
        fwhm = step * random.uniform(20 / points, 4)
        position = start + step * random.uniform(3, 7)
        level = 0.0 if background is None else 3.0
        y = level + pseudo_voigt(x, position, 100 * step, fwhm, fraction)
        fit = fit_peak((x, y), model=model, background=background)
        assert fit.success, fit.reason
        assert fit.position.value == pytest.approx(position, abs=1e-6 * fwhm)
        assert fit.area.value == pytest.approx(100 * step, rel=1e-6)
        assert fit.fwhm.value == pytest.approx(fwhm, rel=1e-6)
