"""The report that comes with beamkit, with its defaults and on real scans."""

import json
import re

import pytest

from beamkit import reports

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("out")


@pytest.mark.parametrize("name", reports.available())
def test_report_runs_with_its_defaults(name, out):
    run = reports.run(name, {}, out / name)
    assert run.state == "FINISHED", run.reason


def test_the_axis_of_the_simulated_scan_is_found_in_the_report(tmp_path):
    import beamkit as bk

    sample = bk.samples.tomography(tmp_path / "scan.nxs", width=129, rows=9, angles=181, seed=3)
    run = reports.run("tomography", {"scan": sample.path, "slices": None}, tmp_path / "out")
    assert run.state == "FINISHED", run.reason
    results = json.loads(run.json.read_text())["results"]
    assert results["rotation_center"]["value"] == pytest.approx(sample.rotation_center, abs=0.2)
    assert results["slices"]["value"] == 9
    volume = bk.open(run.folder / "reconstruction.nxs")["volume"]
    assert volume.shape == (9, 129, 129)


def test_report_of_the_tooth(data_folder, out):
    """Axis of tooth.h5: 295.86 (0/180 correlation, PROVENANCE.md)."""
    run = reports.run("tomography", {"scan": data_folder / "tomography/tooth.h5"}, out / "tooth")
    assert run.state == "FINISHED", run.reason
    facts = json.loads(run.json.read_text())
    assert facts["results"]["rotation_center"]["value"] == pytest.approx(295.86, abs=0.25)
    assert facts["results"]["rotation_center_trusted"]["value"] is True
    assert facts["results"]["projections"]["value"] == 181
    html = run.html.read_text()
    assert len(re.findall(r"<figcaption>", html)) == len(facts["figures"]) >= 7
    assert "beamkit report run tomography" in html
    assert facts["inputs"][0]["fingerprint"].startswith("sha256: ab1d9bd073b7fb1b")  # PROVENANCE.md


def test_report_of_a_detector_too_narrow_says_that_its_axis_is_not_to_be_trusted(data_folder, out):
    scan = data_folder / "tomography/k11_diad/k11-18014.nxs"
    run = reports.run("tomography", {"scan": scan}, out / "diad")
    assert run.state == "FINISHED", run.reason
    facts = json.loads(run.json.read_text())
    assert facts["results"]["projections"]["value"] == 3001
    assert facts["results"]["rotation_center_trusted"]["value"] is False
    assert "not to be trusted" in facts["attention"][0]
    before_the_first_section = run.html.read_text().split("<h2>")[0]
    assert "not to be trusted" in before_the_first_section
