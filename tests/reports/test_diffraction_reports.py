"""The reports of grid scans and data collections, on simulated scans and real ones."""

import json

import numpy as np
import pytest

import beamkit as bk
from beamkit import reports

pytestmark = pytest.mark.slow


def results(run):
    assert run.state == "FINISHED", run.reason
    return {
        name: item["value"] for name, item in json.loads(run.json.read_text())["results"].items()
    }


def test_the_crystal_of_a_simulated_grid_scan_is_where_the_report_says(tmp_path):
    sample = bk.samples.grid_scan(tmp_path / "grid", shape=(4, 7), center=(1.3, 2.6), radius=0.9)
    given = {"scan": sample.path, "shape": "4,7", "snaked": "yes", "images": 2}
    run = reports.run("grid-scan", given, tmp_path / "out")
    found = results(run)
    assert abs(found["center_row"] - 1.3) < 0.5
    assert abs(found["center_column"] - 2.6) < 0.5
    assert sample.place(found["best_frame"]) == (found["best_row"], found["best_column"])
    assert json.loads(run.json.read_text())["attention"] == []
    assert (run.folder / "frames.csv").exists()


def test_a_real_row_of_a_grid_scan(data_folder, tmp_path):
    """One row of a scan of thaumatin: 11 frames, the crystal at its beginning (PROVENANCE.md)."""
    given = {"scan": data_folder / "cbf_pilatus/thaumatin_grid", "shape": "1,11", "images": 1}
    found = results(reports.run("grid-scan", given, tmp_path / "out"))
    assert found["best_column"] in (0, 1)
    assert 0 < found["center_column"] < 4
    assert found["frames"] == 11


def test_a_grid_that_is_not_known_is_asked_for_in_red(tmp_path):
    sample = bk.samples.diffraction(tmp_path / "scan", frames=2, detector="PILATUS 100K")
    run = reports.run("grid-scan", {"scan": sample.path}, tmp_path / "out")
    assert run.state == "FAILED"
    head = run.html.read_text().split("<h2>")[0]
    assert "This report failed" in head
    assert "-p shape=1,2" in head


def test_a_decay_and_an_unreadable_image_are_in_the_report(tmp_path):
    sample = bk.samples.diffraction(
        tmp_path / "scan", frames=9, detector="PILATUS 100K", angle_increment=0.5, intensity=9000
    )
    whole = sample.files[4].read_bytes()
    sample.files[4].write_bytes(whole[: len(whole) // 2])
    run = reports.run("data-collection", {"scan": sample.path, "images": 3}, tmp_path / "out")
    found = results(run)
    assert found["images"] == 9
    assert found["rotation"] == pytest.approx(4.5)
    assert found["best_image"] != 4
    assert isinstance(found["decay"], str)
    (attention,) = json.loads(run.json.read_text())["attention"]
    assert "could not be read: [4]" in attention
    assert "cut short" in attention
    lines = (run.folder / "frames.csv").read_text().splitlines()
    assert len(lines) == 10
    spots = [line.split(",")[lines[0].split(",").index("spots")] for line in lines[1:]]
    assert spots[4] == ""
    assert np.isfinite([float(each) for each in spots if each]).all()
