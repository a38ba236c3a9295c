"""The same points give the geometry that pyFAI's own refinement finds."""

from __future__ import annotations

import numpy as np
import pytest

import beamkit as bk
from beamkit.diffraction import calibrate
from beamkit.diffraction.poni import Poni, place

pytest.importorskip("pyFAI", reason='needs: pip install "beamkit[diffraction]"')


@pytest.mark.parametrize("rot", [(0.04, -0.025), (-0.2, 0.11)])
def test_points_refined_by_pyfai_agree(tmp_path, rot):
    from pyFAI.calibrant import Calibrant
    from pyFAI.geometryRefinement import GeometryRefinement

    sample = bk.samples.powder(
        tmp_path / "powder.tif", detector="PILATUS 300K", rot1=rot[0], rot2=rot[1], distance=0.12
    )
    data = bk.open(sample.path)
    found = calibrate(data, "CeO2", start="image")
    assert found.is_trusted
    begin, wavelength = found.start.poni, found.geometry.wavelength
    points = found.points
    # pyFAI counts from the middle of the first pixel: row, column, number of the ring.
    rows = np.column_stack([points["y"] - 0.5, points["x"] - 0.5, points["ring"]])
    theirs = GeometryRefinement(
        rows,
        dist=begin.distance,
        **{name: getattr(begin, name) for name in ("poni1", "poni2", "rot1", "rot2", "rot3")},
        pixel1=172e-6,
        pixel2=172e-6,
        wavelength=wavelength * 1e-10,
        calibrant=Calibrant(dspacing=list(found.calibrant.spacings), wavelength=wavelength * 1e-10),
    )
    for _ in range(3):
        theirs.refine3(fix=["wavelength", "rot3"])
    numbers = Poni(*(theirs.dist, theirs.poni1, theirs.poni2, theirs.rot1, theirs.rot2), begin.rot3)
    center = place(numbers, (172e-6, 172e-6), shape=found.geometry.shape).beam_center
    spread = found.uncertainties
    # pyFAI weighs an angle alike everywhere, beamkit a pixel: they agree within the noise.
    assert center.distance == pytest.approx(
        found.values["detector_distance"], abs=2 * spread["detector_distance"]
    )
    assert center.x == pytest.approx(found.values["beam_center_x"], abs=2 * spread["beam_center_x"])
    assert center.y == pytest.approx(found.values["beam_center_y"], abs=2 * spread["beam_center_y"])
    for name, angle in (("rot1", theirs.rot1), ("rot2", theirs.rot2)):
        assert np.rad2deg(angle) == pytest.approx(found.values[name], abs=2 * spread[name])
