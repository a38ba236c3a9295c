from __future__ import annotations

import numpy as np
import pytest
from tomography.phantom import DISCS, image, line_integrals, scaled, scan

from beamkit.tomography import reconstruct

ANGLES = np.arange(180) * 1.0


@pytest.mark.parametrize("columns", [129, 130])
def test_slice_agrees_with_the_discs(columns):
    discs = scaled(DISCS, 0.25)
    center = (columns - 1) / 2 + 2.3
    rows = [line_integrals(discs, ANGLES, columns, center)]
    result = reconstruct(scan(rows, ANGLES), engine="nufft", center=center)
    value, edge = image(discs, columns)
    error = (result.values[0] - value)[edge > 3]
    assert np.sqrt(np.mean(error**2)) < 0.03 * value.max()
    assert abs(error.mean()) < 2e-3
