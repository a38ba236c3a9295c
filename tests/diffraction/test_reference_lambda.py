"""Three files of a LAMBDA detector give the pattern that Dioptas integrated from them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from beamkit.readers import assemble_modules


@pytest.mark.slow
def test_assembled_modules_integrate_to_the_pattern_of_dioptas(
    data_folder: Path, require: Callable[[str, str], Any]
) -> None:
    require("pyFAI", "diffraction")
    from pyFAI import load

    folder = data_folder / "multimodule"
    paths = sorted(folder.glob("testasapo1_1009_00002_m?_part00000.nxs"))
    data = assemble_modules(paths, layout="file")
    name = next(name for name in ("frames", "image") if name in data)
    with h5py.File(folder / "testasapo1_1009_00002_proc.nxs") as file:
        expected = file["processed/result/data"][4]  # its row k + 1 is frame k
    # Dioptas counts the flags, too: 0 between modules, -1 and 4095 as they are. Its geometry is
    # that of the image turned upside down.
    between = np.ones(data[name].shape[1:], bool)
    for row, column in ((0, 2), (660, 0), (1317, 0)):
        between[row : row + 516, column : column + 1554] = False
    frame = np.flipud(np.where(between, 0, data[name][3].values))
    pattern = load(str(folder / "L2.poni")).integrate1d(
        frame,
        len(expected),
        unit="2th_deg",
        polarization_factor=0.99,
        method=("bbox", "csr", "cython"),
    )
    strong = expected > 0.01 * expected.max()
    assert np.count_nonzero(strong) > 50
    assert np.corrcoef(expected[strong], pattern.intensity[strong])[0, 1] > 0.9999
    ratio = np.median(pattern.intensity[strong] / expected[strong])
    assert ratio == pytest.approx(1, abs=0.015)  # the solid angle of another version
