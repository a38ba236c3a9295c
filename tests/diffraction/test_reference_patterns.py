"""Real images give the patterns that other programs made of them (PROVENANCE.md)."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import beamkit as bk
from beamkit.cli import main
from beamkit.diffraction import Geometry, integrate

pytest.importorskip("pyFAI", reason='needs: pip install "beamkit[diffraction]"')


def test_ceria_as_it_is_gives_the_pattern_of_the_image_upside_down(data_folder):
    folder = data_folder / "powder"
    image = bk.open(folder / "CeO2_Pilatus1M.tif")["image"][0].values.astype(np.float32)
    reference = np.loadtxt(folder / "CeO2_Pilatus1M.xy")
    geometry = Geometry.from_poni(folder / "CeO2_Pilatus1M.poni", shape=image.shape, orientation=2)
    values = xr.DataArray(image, dims=("detector_y", "detector_x"))  # flags counted, as there
    found = integrate(
        values, 1512, unit="2th_deg", polarization=0.99, geometry=geometry, error_model=None
    )
    np.testing.assert_allclose(found.two_theta, reference[:, 0], atol=2e-6)
    np.testing.assert_allclose(found.intensity, reference[:, 1], rtol=1e-3)


@pytest.mark.slow
def test_a_terminal_and_a_report_take_that_file_too(data_folder, tmp_path):
    from click.testing import CliRunner

    folder = data_folder / "powder"
    given = [str(folder / "CeO2_Pilatus1M.tif"), "-o", str(tmp_path / "p.nxs")]
    given += ["--poni", str(folder / "CeO2_Pilatus1M.poni"), "--wavelength", "0.4066"]
    for orientation, is_good in (("2", 1), ("3", 0)):
        done = CliRunner().invoke(
            main, ["integrate", *given, "--overwrite", "--orientation", orientation]
        )
        assert done.exit_code == 0, done.output
        pattern = bk.diffraction.mean_pattern(bk.open(tmp_path / "p.nxs"))
        check = bk.diffraction.calibrant_check(pattern, "CeO2")
        assert check.attrs["is_good"] == is_good


def test_silver_behenate_of_aps_has_its_rings_where_the_reference_says(data_folder):
    data = bk.open(
        data_folder / "powder" / "AgBehenate_228.hdf5",
        beam_center=(-0.93224 / 0.172, 14.76792 / 0.172),
    )
    pattern = bk.diffraction.mean_pattern(integrate(data, 300, radial=(0.05, 0.6)).compute())
    step = float(pattern.q[1] - pattern.q[0])
    for place in (0.1082, 0.2183, 0.3253, 0.4322, 0.5423):
        near = pattern["intensity"].sel(q=slice(place - 0.02, place + 0.02))
        line = np.polyfit(near.q[[0, -1]], near[[0, -1]], 1)
        above = np.clip(near - np.polyval(line, near.q), 0, None)
        top = above.where(above > 0.4 * above.max(), 0)
        assert float((top * top.q).sum() / top.sum()) == pytest.approx(place, abs=0.5 * step + 5e-4)
