"""A calibration step by step: what a button does, a script can do, and each step can be undone."""

from __future__ import annotations

import numpy as np
import pytest
from diffraction.powder_images import PIXEL, powder_image, tilted

import beamkit as bk
from beamkit.core.errors import MetadataError, ParameterError, UnknownNameError
from beamkit.diffraction import CalibrationSession, Geometry, calibrant

SHAPE, WAVELENGTH = (407, 487), 0.5
TRUTH = {"detector_distance": 0.08, "beam_center_x": 201.3, "beam_center_y": 170.7}


@pytest.fixture(scope="module")
def geometry():
    return tilted(SHAPE, 0.08, (201.3, 170.7), 0.06, -0.04, wavelength=WAVELENGTH)


@pytest.fixture(scope="module")
def image(geometry):
    return powder_image(geometry, "LaB6", seed=3)


@pytest.fixture
def session(image):
    return CalibrationSession(image, "LaB6", wavelength=WAVELENGTH, detector=PIXEL)


def on_ring(geometry, ring, chi):
    """Positions where a ring of the truth meets the detector."""
    angle = calibrant("LaB6").two_theta(WAVELENGTH)[ring]
    x, y = geometry.pixel_of(two_theta=np.full(len(chi), angle), chi=np.array(chi))
    return zip(x.tolist(), y.tolist(), strict=True)


def is_true(session, parts=2e-3, pixels=0.6):
    numbers = session.numbers
    assert numbers["detector_distance"] == pytest.approx(0.08, rel=parts)
    assert numbers["beam_center_x"] == pytest.approx(201.3, abs=pixels)
    assert numbers["beam_center_y"] == pytest.approx(170.7, abs=pixels)
    return True


def test_nothing_known_begins_in_the_middle(session):
    assert session.numbers == pytest.approx(
        {
            "detector_distance": 0.2,
            "beam_center_x": 243.5,
            "beam_center_y": 203.5,
            "rot1": 0.0,
            "rot2": 0.0,
        }
    )
    assert session.result is None
    assert not session.can_undo


def test_points_of_rings_give_a_start_that_a_refinement_completes(session, geometry):
    for ring, chi in ((0, (-150, -60, 35, 120)), (2, (-100, 10, 80))):
        for x, y in on_ring(geometry, ring, chi):
            session.pick(x, y, ring)
    assert session.residuals()["number"].values.tolist() == [4, 3]
    session.start_from_points()
    assert is_true(session, parts=0.02, pixels=3)
    found = session.refine()
    assert found.is_trusted
    assert is_true(session, parts=2e-4, pixels=0.1)
    assert session.numbers["rot1"] == pytest.approx(np.rad2deg(0.06), abs=0.1)
    assert session.residuals()["rms"].max() < 0.3


def test_residuals_of_picked_points_are_distances_from_their_rings(session, geometry):
    session.set(detector_distance=0.08, beam_center_x=201.3, beam_center_y=170.7)
    session.set(rot1=np.rad2deg(0.06), rot2=np.rad2deg(-0.04))
    (x, y), (u, v) = on_ring(geometry, 1, (0, 90))  # to the right, and down
    session.pick(x + 1.5, y, 1)
    session.pick(u, v - 0.5, 1)
    rings = session.residuals()
    assert float(rings["residual"][0]) == pytest.approx(0.5, abs=0.05)
    assert float(rings["rms"][0]) == pytest.approx(np.sqrt((1.5**2 + 0.5**2) / 2), rel=0.05)


def test_the_automatic_start_finds_the_geometry(session):
    session.start()
    assert is_true(session, parts=5e-4, pixels=0.2)


def test_what_is_held_stays_and_rings_can_be_left_out(session, geometry):
    session.set(**TRUTH, rot1=np.rad2deg(0.06) + 0.05, rot2=np.rad2deg(-0.04))
    session.hold("rot1")
    session.leave_out(0, 3)
    found = session.refine()
    assert session.numbers["rot1"] == pytest.approx(np.rad2deg(0.06) + 0.05, abs=1e-9)
    assert "rot1" not in found.refined
    assert not {0, 3} & set(found.rings["ring"].values.tolist())


def test_every_step_can_be_undone(session):
    before = session.numbers
    session.pick(10, 20, 0)
    session.set(detector_distance=0.09)
    session.use("CeO2")
    assert session.points == ()
    for _ in range(3):
        session.undo()
    assert session.calibrant.name == calibrant("LaB6").name
    assert session.numbers == before
    assert session.points == ()
    with pytest.raises(ParameterError, match="no step"):
        session.undo()


def test_points_can_be_thrown_out(session):
    for number in range(3):
        session.pick(number, 5, 0)
    session.drop(1)
    assert [point.x for point in session.points] == [0, 2]
    session.drop()
    assert [point.x for point in session.points] == [0]
    with pytest.raises(ParameterError, match="1 are picked"):
        session.drop(4)


def test_a_failed_step_changes_nothing(session, geometry):
    before = session.numbers
    session.pick(100, 100, 0)
    with pytest.raises(ParameterError, match="At most 1 points"):
        session.start_from_points()
    with pytest.raises(ParameterError, match="above 0"):
        session.set(detector_distance=-1)
    with pytest.raises(ParameterError, match="finite"):
        session.set(rot1=float("nan"))
    with pytest.raises(UnknownNameError, match="rot2"):
        session.set(rot9=1)
    with pytest.raises(UnknownNameError, match="beam_center_x"):
        session.hold("center")
    with pytest.raises(ParameterError, match="Ring 999"):
        session.pick(1, 1, 999)
    assert session.numbers == before
    session.undo()
    assert not session.can_undo


def test_a_geometry_is_saved_once_and_replaced_only_when_asked(session, tmp_path):
    session.set(**TRUTH)
    path = session.save(tmp_path / "here.poni")
    saved = Geometry.from_poni(path, shape=SHAPE)
    assert saved.beam_center.x == pytest.approx(201.3)
    with pytest.raises(ParameterError, match="already"):
        session.save(path)
    session.save(path, overwrite=True)
    assert session.save(tmp_path / "here.nxs").exists()
    with pytest.raises(ParameterError, match="suffix"):
        session.save(tmp_path / "here.txt")


def test_the_code_makes_the_same_geometry(session, image, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    session.hold("rot2")
    session.set(**TRUTH, rot1=3.0)
    names = {"data": image}
    exec(session.code(), names)
    assert names["session"].numbers == pytest.approx(session.numbers)
    assert (tmp_path / "geometry.poni").exists()


def test_wavelength_and_pixels_must_be_known(image):
    with pytest.raises(MetadataError):
        CalibrationSession(image, "LaB6", detector=PIXEL)
    with pytest.raises(MetadataError):
        CalibrationSession(image, "LaB6", wavelength=0.5)


def test_another_wavelength_moves_the_rings_and_can_be_undone(session):
    session.set_wavelength(0.4)
    assert session.wavelength == session.geometry.wavelength == 0.4
    session.undo()
    assert session.wavelength == WAVELENGTH
    with pytest.raises(ParameterError, match="above 0"):
        session.set_wavelength(0)


def test_the_header_is_where_a_session_begins(tmp_path):
    sample = bk.samples.powder(tmp_path / "powder.tif")
    data = bk.open(sample.path)
    numbers = CalibrationSession(data, "CeO2").numbers
    assert numbers["detector_distance"] == pytest.approx(data.attrs["detector_distance"])
    assert numbers["beam_center_x"] == pytest.approx(data.attrs["beam_center_x"])
