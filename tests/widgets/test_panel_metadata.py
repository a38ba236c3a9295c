"""Metadata of frame, data and header, without a browser."""

import os

import pytest

if os.environ.get("BEAMKIT_REQUIRE_ALL") != "1":
    for package in ("ipywidgets", "anywidget"):
        pytest.importorskip(package, reason='needs: pip install "beamkit[lab]"')

from beamkit_widgets.viewer import ImageViewer
from widgets.panels import ask, diffraction


@pytest.fixture
def viewer():
    return ImageViewer(diffraction())


def told(rows, name):
    return next(row for row in rows if row[0] == name)


def test_the_coordinates_are_those_of_the_shown_frame(viewer):
    viewer.frame = 2
    content, _ = ask(viewer, "metadata")
    assert told(content["frame"], "frame")[1] == "2"
    assert told(content["frame"], "omega")[1:3] == ["11", "deg"]
    assert "rows" not in content


def test_a_range_of_frames_has_two_ends(viewer):
    viewer.span = ("sum", 0, 2)
    content, _ = ask(viewer, "metadata")
    assert told(content["frame"], "frame")[1] == "sum of 0 to 2"
    assert told(content["frame"], "omega")[1] == "10 to 11"


def test_value_unit_meaning_and_what_was_assumed(viewer):
    content, _ = ask(viewer, "metadata", all=True)
    name, value, unit, meaning, is_assumed = told(content["rows"], "wavelength")
    assert (name, value, unit, is_assumed) == ("wavelength", "0.9173", "angstrom", False)
    assert "photons" in meaning
    assert told(content["rows"], "exposure_time")[4] is True
    assert "assumed: exposure_time: as in the first frame" in content["remarks"]


def test_the_raw_header_is_flat(viewer):
    content, _ = ask(viewer, "metadata", all=True)
    assert content["header"] == [["Tau", "124.0e-09 s"], ["imgCIF _diffrn.id", "I19"]]


def test_a_header_that_is_no_json_comes_by_lines():
    viewer = ImageViewer(diffraction(header="first line\nsecond"))
    content, _ = ask(viewer, "metadata", all=True)
    assert content["header"] == [["1", "first line"], ["2", "second"]]


def test_data_that_tell_nothing(stack):
    viewer = ImageViewer(stack.drop_attrs())
    content, _ = ask(viewer, "metadata", all=True)
    assert (content["rows"], content["header"], content["remarks"]) == ([], [], [])


def test_a_real_header(data_folder):
    import beamkit as bk

    viewer = ImageViewer(bk.open(data_folder / "cbf_pilatus" / "l-cyst_01_00001.cbf"))
    content, _ = ask(viewer, "metadata", all=True)
    assert ["Detector_distance", "0.16000 m"] in content["header"]
    assert told(content["rows"], "wavelength")[1] == "0.6889"
