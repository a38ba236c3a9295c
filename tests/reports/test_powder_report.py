"""The powder report: a geometry that is right, and one that is not."""

import json

import pytest

import beamkit as bk
from beamkit import reports

pytest.importorskip("lmfit", reason='needs: pip install "beamkit[diffraction]"')
pytest.importorskip("pyFAI", reason='needs: pip install "beamkit[diffraction]"')


def test_table_has_units_and_rounds():
    import xarray as xr

    table = reports.Table(
        xr.Dataset(
            {
                "position": ("peak", [1.23456789, float("nan")], {"units": "1/angstrom"}),
                "label": ("peak", ["111", "<b>"], {"units": "1"}),
            }
        )
    )
    html = table._repr_html_()
    assert "position [1/Å]" in html
    assert "1.2346" in html
    assert "not known" in html
    assert "&lt;b&gt;" in html


@pytest.mark.slow
def test_series_with_the_right_geometry_is_good_and_saved(tmp_path):
    folder = tmp_path / "raw"
    for number in (1, 2):
        bk.samples.powder(
            folder / f"p_{number:04d}.tif", rot1=0, rot2=0, intensity=1500 * number, seed=number
        )
    given = {"files": folder, "calibrant": "CeO2", "text": "xye", "npt": 1200}
    run = reports.run("powder", given, tmp_path / "out")
    assert run.state == "FINISHED", run.reason
    facts = json.loads(run.json.read_text())
    assert facts["results"]["geometry_good"]["value"] is True
    assert facts["results"]["rings_off"]["value"] == pytest.approx(0, abs=0.01)
    assert facts["results"]["patterns"]["value"] == 2
    assert facts["attention"] == []
    assert bk.open(run.folder / "patterns.nxs").sizes == {"frame": 2, "q": 1200}
    assert bk.open(run.folder / "pattern_00002.xye").attrs["kind"] == "pattern"
    assert len(facts["figures"]) >= 5


@pytest.mark.slow
def test_wrong_geometry_is_said_before_the_first_section(tmp_path):
    bk.samples.powder(tmp_path / "p.tif", rot1=0, rot2=0)
    wrong = bk.diffraction.Geometry.from_dataset(
        bk.open(tmp_path / "p.tif", detector_distance=0.2121)
    )
    wrong.to_poni(tmp_path / "wrong.poni")
    given = {"files": tmp_path / "p.tif", "poni": tmp_path / "wrong.poni", "calibrant": "CeO2"}
    run = reports.run("powder", given, tmp_path / "out")
    assert run.state == "FINISHED", run.reason
    facts = json.loads(run.json.read_text())
    assert facts["results"]["geometry_good"]["value"] is False
    assert facts["results"]["rings_off"]["value"] == pytest.approx(-1, abs=0.15)
    assert "does not fit CeO2" in run.html.read_text().split("<h2>")[0]
