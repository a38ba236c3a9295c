"""The calibration report: the geometry that was simulated, a real one, and the wrong calibrant."""

import json

import pytest

import beamkit as bk
from beamkit import reports

pytest.importorskip("pyFAI", reason='needs: pip install "beamkit[diffraction]"')

pytestmark = pytest.mark.slow


def facts_of(run):
    assert run.state == "FINISHED", run.reason
    return json.loads(run.json.read_text())


def test_the_simulated_geometry_is_found_and_saved_twice(tmp_path):
    sample = bk.samples.powder(tmp_path / "lab6.tif", calibrant="LaB6", distance=0.231, rot1=0.03)
    run = reports.run("calibration", {"image": sample.path, "calibrant": "LaB6"}, tmp_path / "out")
    facts = facts_of(run)
    found = {name: item["value"] for name, item in facts["results"].items()}
    assert found["trusted"] is True
    assert found["geometry_good"] is True
    assert found["detector_distance"] == pytest.approx(0.231, rel=2e-4)
    assert facts["attention"] == []
    assert len(facts["figures"]) >= 4
    for name in ("geometry.poni", "geometry.nxs"):
        assert (run.folder / name).exists()
    saved = bk.diffraction.Geometry.from_poni(run.folder / "geometry.poni")
    assert saved.beam_center.distance == pytest.approx(found["detector_distance"], rel=1e-6)


def test_ceria_taken_for_silicon_is_said_before_the_first_section(data_folder, tmp_path):
    given = {
        "image": data_folder / "powder" / "CeO2_Pilatus1M.tif",
        "calibrant": "Si",
        "wavelength": 0.4066,
        "start": "header",
    }
    run = reports.run("calibration", given, tmp_path / "out")
    assert facts_of(run)["results"]["trusted"]["value"] is False
    assert "rings that the calibrant has not" in run.html.read_text().split("<h2>")[0]


def test_an_image_without_rings_fails_in_words(tmp_path):
    sample = bk.samples.powder(tmp_path / "flat.tif", intensity=0)
    run = reports.run("calibration", {"image": sample.path}, tmp_path / "out")
    assert run.state == "FAILED"
    assert "No rings of CeO2 were found" in run.html.read_text().split("<h2>")[0]
