"""The widget that corrects a calibration, without a browser."""

from __future__ import annotations

import os

import numpy as np
import pytest
import xarray as xr
from diffraction.powder_images import PIXEL, powder_image, tilted

from beamkit.core.errors import ParameterError
from beamkit.diffraction import calibrant
from beamkit.images import Point

if os.environ.get("BEAMKIT_REQUIRE_ALL") != "1":
    for package in ("ipywidgets", "anywidget"):
        pytest.importorskip(package, reason='needs: pip install "beamkit[lab]"')

from beamkit_widgets.calibration_viewer import CalibrationViewer

SHAPE = (307, 387)


@pytest.fixture(scope="module")
def geometry():
    return tilted(SHAPE, 0.06, (161.3, 120.7), 0.03, -0.02, wavelength=0.5)


@pytest.fixture(scope="module")
def frames(geometry):
    image = powder_image(geometry, "LaB6", seed=5)
    dims = ("frame", "detector_y", "detector_x")
    return xr.DataArray(np.stack([np.zeros_like(image), image]), dims=dims, name="frames")


@pytest.fixture
def viewer(frames):
    made = CalibrationViewer(frames, "LaB6", wavelength=0.5, detector=PIXEL, frame=1)
    yield made
    made.close()


def draw(viewer, geometry, ring, azimuths):
    angle = calibrant("LaB6").two_theta(0.5)[ring]
    x, y = geometry.pixel_of(two_theta=np.full(len(azimuths), angle), chi=np.array(azimuths))
    viewer.ring = ring
    for at in zip(x.tolist(), y.tolist(), strict=True):
        viewer.viewers[0].roi = Point(*at)


def test_points_that_are_drawn_lead_to_the_geometry(viewer, geometry):
    draw(viewer, geometry, 0, (-140, -30, 70))
    draw(viewer, geometry, 2, (-100, 20, 140))
    assert [point.ring for point in viewer.session.points] == [0, 0, 0, 2, 2, 2]
    assert viewer.message == "3 points on ring 2 (111)."
    viewer.start_from_points()
    viewer.refine()
    assert viewer.calibration.is_trusted
    assert viewer.geometry.beam_center.distance == pytest.approx(0.06, rel=1e-3)
    assert viewer.viewers[0].geometry == viewer.geometry
    assert len(viewer.viewers[0].spots["x"]) == 6
    viewer.shows_points = True
    marked = len(viewer.viewers[0].spots["x"])
    assert marked == 6 + viewer.calibration.points.sizes["point"]
    assert "rms" in viewer.message
    assert "rms" in viewer.caption


def test_a_point_that_is_moved_is_one_point(viewer):
    for x in (100.0, 103.0, 106.0):
        viewer.viewers[0].roi = Point(x, 50.0)
    assert [(p.x, p.y) for p in viewer.session.points] == [(106.0, 50.0)]
    viewer.viewers[0].roi = Point(200.0, 50.0)
    assert len(viewer.session.points) == 2


def test_fields_and_buttons_do_what_they_say(viewer, tmp_path):
    viewer.open()
    panel = viewer._panel
    panel._fields["detector_distance"].value = 61.5
    assert viewer.session.numbers["detector_distance"] == pytest.approx(0.0615)
    panel._held["rot1"].value = True
    assert viewer.session.fixed == ("rot1",)
    panel._left_out.value = (0, 4)
    assert viewer.session.left_out == (0, 4)
    panel._ring.value = 3
    assert viewer.ring == 3
    panel._wavelength.value = 0.51
    assert viewer.session.wavelength == 0.51
    panel._substance.value = "CeO2"
    assert tuple(viewer.viewers[0].rings) == ("CeO2",)
    assert viewer.session.left_out == ()
    panel._name.value = str(tmp_path / "new.poni")
    panel._save()
    assert (tmp_path / "new.poni").exists()
    assert viewer.message.startswith("Saved")
    viewer.undo()
    assert panel._substance.value == viewer.session.calibrant.name
    assert "session.set(" in panel._code.value


def test_what_cannot_be_done_is_said_and_changes_nothing(viewer):
    viewer.open()
    before = viewer.session.numbers
    panel = viewer._panel
    panel._fields["detector_distance"].value = -3
    assert viewer.message.startswith("Not done: detector_distance is -0.003")
    assert "Not done" in panel._said.value
    assert panel._fields["detector_distance"].value == pytest.approx(200)  # as it was
    assert viewer.session.numbers == before
    panel._substance.value = "unobtainium"
    assert "unobtainium" in viewer.message
    assert panel._substance.value == viewer.session.calibrant.name
    viewer.attempt(viewer.start_from_points)
    assert "At most 0 points" in viewer.message
    with pytest.raises(ParameterError, match="At most 0 points"):
        viewer.start_from_points()  # a cell gets the error


def test_it_works_again_after_it_was_closed(viewer):
    viewer.open()
    assert viewer._still()[:4] == b"\x89PNG"
    viewer.close()
    viewer.viewers[0].roi = Point(30.0, 40.0)
    assert len(viewer.session.points) == 1
    viewer.open()
    assert "1 point on ring 0" in viewer._panel._said.value
    viewer.drop_point()
    assert viewer.session.points == ()
