"""Rings on flat, tilted and swung detectors, against closed forms and the geometry itself."""

import time

import numpy as np
import pytest

import beamkit as bk
from beamkit.core.detector_geometry import DetectorPlane, origin_from_beam_center, swing
from beamkit.core.errors import MetadataError, ParameterError
from beamkit.diffraction.calibrants import Calibrant, calibrant
from beamkit.diffraction.geometry import Geometry
from beamkit.diffraction.rings import rings

SHAPE = (407, 487)
PIXEL = 172e-6


def geometry(center=(201.3, 130.9), distance=0.2, *, tilt=(0.0, 0.0), arm=0.0, **more):
    """Return a detector tilted about x and y [deg], then swung by an arm [deg]."""
    plane = DetectorPlane((0.0, 0.0, 0.0), (-1.0, 0.0, 0.0), (0.0, -1.0, 0.0))
    plane = swing(swing(plane, tilt[0]), tilt[1], axis=(0, 1, 0))
    origin = origin_from_beam_center(
        *center, distance, PIXEL, PIXEL, fast=plane.fast, slow=plane.slow
    )
    plane = swing(DetectorPlane(origin, plane.fast, plane.slow), arm, axis=(1, 0.2, 0))
    options = {"pixel_size_x": PIXEL, "pixel_size_y": PIXEL, "shape": SHAPE, "wavelength": 1.1}
    return Geometry(*plane, **{**options, **more})


PLACES = {
    "square": geometry(),
    "tilted": geometry(tilt=(17.0, -29.0)),
    "swung": geometry(arm=35.0),
    "swung and tilted": geometry(arm=-58.0, tilt=(5.0, 8.0), distance=0.05),
    "swung beyond the beam": geometry(arm=115.0, distance=0.1),
    "grazing": geometry(tilt=(0.0, 84.0), center=(240.0, 200.0), distance=0.02),
    "not square pixels": geometry(tilt=(8.0, 3.0), pixel_size_y=93e-6),
}
ANGLES = np.arange(0.7, 179.5, 1.3)


def inside(x, y, margin=0.0):
    return (
        (x >= margin) & (x <= SHAPE[1] - margin) & (y >= margin) & (y <= SHAPE[0] - margin)
    )  # fmt: skip


def test_rings_of_a_square_detector_are_circles():
    at = geometry(shape=(2000, 2100), center=(951.2, 1020.7))
    angles = [1.5, 7.0, 13.9, 45.0]
    found = rings(at, two_theta=angles)
    assert [ring.closed for ring in found] == [True, True, True, False]
    for ring, angle in zip(found, angles, strict=True):
        x, y = ring.points[np.isfinite(ring.points[:, 0])].T
        radius = 0.2 * np.tan(np.deg2rad(angle)) / PIXEL
        np.testing.assert_allclose(np.hypot(x - 951.2, y - 1020.7), radius, rtol=1e-11)


@pytest.mark.parametrize("place", PLACES)
class TestAnyDetector:
    def test_every_point_scatters_at_the_angle_of_its_ring(self, place):
        for ring in rings(PLACES[place], two_theta=ANGLES):
            for arc in ring.arcs:
                x, y = arc.T
                # Rounding of positions of 1e3 pixel; 1e-6 pixel for the edges, whose crossings are rounded.
                found = PLACES[place].two_theta(x, y)
                np.testing.assert_allclose(found, ring.two_theta, rtol=0, atol=1e-9)
                assert inside(x, y, margin=-1e-6).all()

    def test_chords_leave_the_curve_by_less_than_a_tenth_of_a_pixel(self, place):
        at = PLACES[place]
        for ring in rings(at, two_theta=ANGLES):
            for arc in ring.arcs:
                middle = (arc[1:] + arc[:-1]) / 2
                x, y = middle.T
                off = np.abs(at.two_theta(x, y) - ring.two_theta)
                step = 1e-3
                slope = np.hypot(
                    at.two_theta(x + step, y) - at.two_theta(x - step, y),
                    at.two_theta(x, y + step) - at.two_theta(x, y - step),
                ) / (2 * step)
                # Beside the curve by off/slope to first order; the curve is flat within 0.1 pixel.
                assert (off / slope).max() < 0.1

    def test_nothing_that_is_visible_is_missing(self, place):
        # The cone walked in small steps; each place inside is near a chord of the ring.
        at = PLACES[place]
        chi = np.linspace(-180, 180, 2881)
        drawn = {round(ring.two_theta, 6): ring for ring in rings(at, two_theta=ANGLES)}
        for angle in ANGLES:
            x, y = at.pixel_of(two_theta=angle, chi=chi)
            seen = inside(x, y, margin=0.01)
            assert seen.any() <= (round(angle, 6) in drawn)
            if seen.any():
                assert distance(drawn[round(angle, 6)].arcs, x[seen], y[seen]).max() < 0.1

    def test_labels_are_on_their_ring_and_inside(self, place):
        for ring in rings(PLACES[place], two_theta=ANGLES):
            assert inside(*ring.label_position)
            assert PLACES[place].two_theta(*ring.label_position) == pytest.approx(ring.two_theta)

    def test_closed_rings_end_where_they_begin_and_open_ones_at_an_edge(self, place):
        for ring in rings(PLACES[place], two_theta=ANGLES):
            if ring.closed:
                (arc,) = ring.arcs
                np.testing.assert_allclose(arc[0], arc[-1], atol=1e-7)
                continue
            for arc in ring.arcs:
                ends = arc[[0, -1]]
                gap = np.minimum(np.abs(ends), np.abs(ends - [SHAPE[1], SHAPE[0]]))
                assert (gap.min(axis=1) < 1e-6).all()


def distance(arcs, x, y):
    """Return how far places are from the nearest chord [pixel]."""
    start = np.concatenate([arc[:-1] for arc in arcs])
    along = np.concatenate([np.diff(arc, axis=0) for arc in arcs])
    place = np.stack([x, y], axis=-1)[:, None] - start
    part = np.clip((place * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-30), 0, 1)
    return np.linalg.norm(place - part[..., None] * along, axis=-1).min(axis=1)


def test_a_ring_cut_by_all_four_edges_has_four_arcs():
    # Radius between half the diagonal and half the longer side, about the middle.
    at = geometry(shape=(400, 440), center=(220.0, 200.0))
    angle = np.rad2deg(np.arctan(260 * PIXEL / 0.2))
    (ring,) = rings(at, two_theta=[angle])
    assert len(ring.arcs) == 4
    assert not ring.closed
    assert np.isnan(ring.points).any(axis=1).sum() == 3


def test_what_is_not_drawn_is_told():
    at = geometry(wavelength=1.1)
    # d [angstrom]: on the detector (14.3 deg), off it (66.7 deg), under half the wavelength.
    found = rings(at, [4.4, 1.0, 0.5])
    assert [ring.label for ring in found] == ["4.4 Å"]
    assert found.off_detector == ("1 Å",)
    assert found.unreachable == ("0.5 Å",)
    assert found.left_out == 2
    assert found.note == (
        "1 of 3 rings are off the detector; 1 of 3 rings have d under half the wavelength"
    )
    none = rings(at, [1.0])
    assert len(none) == 0
    assert none.note == "1 of 1 rings are off the detector"


def test_rings_by_d_q_angle_and_calibrant_are_the_same():
    at = geometry()
    d = 4.156826
    angle = np.rad2deg(2 * np.arcsin(1.1 / (2 * d)))
    by_d = rings(at, [d])[0]
    for other in (
        rings(at, two_theta=angle)[0],
        rings(at, q=2 * np.pi / d)[0],
        rings(at, calibrant("LaB6"))[0],
    ):
        np.testing.assert_allclose(other.points, by_d.points, atol=1e-8)
        assert other.d == pytest.approx(d)
    assert rings(at, calibrant("LaB6"))[0].label == "100"
    assert rings(at, Calibrant.from_spacings([d]), labels=["first"])[0].label == "first"


def test_angles_do_without_a_wavelength_and_spacings_do_not():
    at = geometry(wavelength=None)
    (ring,) = rings(at, two_theta=8.0)
    assert np.isnan(ring.d)
    with pytest.raises(MetadataError, match=r"need the wavelength.*attrs\['wavelength'\]"):
        rings(at, [4.0])


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ([], {}, ParameterError, "exactly one of spacings, two_theta and q; got none"),
        ([[3.0]], {"q": [1.0]}, ParameterError, "exactly one"),
        ([[3.0, -2.0]], {}, ParameterError, "spacings holds -2; each must be above 0"),
        ([], {"two_theta": [10.0, 180.0]}, ParameterError, "above 0 and under 180"),
        ([], {"q": [np.nan]}, ParameterError, "q holds nan"),
        ([[3.0, 2.0]], {"labels": ["a"]}, ParameterError, "2 rings but 1 labels"),
    ],
)
def test_impossible_rings_are_refused(arguments, options, error, message):
    with pytest.raises(error, match=message):
        rings(geometry(), *arguments, **options)


def test_detector_without_size_or_through_the_sample_is_refused():
    with pytest.raises(ParameterError, match=r"Give shape=\(rows, columns\)"):
        rings(geometry(shape=None), [4.0])
    assert len(rings(geometry(shape=None), [4.0], shape=SHAPE)) == 1
    at = Geometry((0, 0.1, 0), (1, 0, 0), (0, -1, 0), PIXEL, PIXEL, SHAPE, 1.1)
    with pytest.raises(MetadataError, match="runs through the sample"):
        rings(at, [4.0])


def test_25_rings_are_fast_enough_to_follow_the_mouse():
    at = geometry(shape=(1679, 1475), center=(733.7, 839.7), distance=0.4, wavelength=0.9)
    orders = calibrant("AgBeh")
    assert len(rings(at, orders)) == 25
    times = []
    for _ in range(20):
        start = time.perf_counter()
        rings(at, orders)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.005  # the fastest of some, as others may use the machine


def test_rings_of_ceria_run_along_the_crests_of_a_real_frame(data_folder):
    # Calibrated with Dioptas, whose rows run upwards; its PONI file is for the frame turned over.
    folder = data_folder / "powder"
    image = np.flipud(bk.open(folder / "CeO2_Pilatus1M.tif")["image"][0].values).astype(float)
    at = Geometry.from_poni(folder / "CeO2_Pilatus1M.poni", shape=image.shape)
    found = rings(at, calibrant("CeO2").within(1.2))
    assert len(found) >= 8
    pixel = np.rad2deg(PIXEL / 0.2087)  # two_theta of a pixel near the beam [deg]
    steps = np.arange(-4.0, 4.01, 0.25)
    for ring in found[:8]:
        chi = np.arange(-180, 180, 0.2)[:, None]
        x, y = at.pixel_of(two_theta=ring.two_theta + steps * pixel, chi=chi)
        on = inside_frame(x, y, image.shape).all(axis=1)
        values = image[np.floor(y[on]).astype(int), np.floor(x[on]).astype(int)]
        profile = np.mean(values[(values > 0).all(axis=1)], axis=0)
        profile -= profile.min()
        # The reference's own lines are up to 0.006 deg (0.12 pixel) off those of the cell.
        assert abs((profile * steps).sum() / profile.sum()) < 0.3
        drawn_x, drawn_y = ring.points[np.isfinite(ring.points[:, 0])].T
        np.testing.assert_allclose(at.two_theta(drawn_x, drawn_y), ring.two_theta, atol=1e-9)


def inside_frame(x, y, shape):
    return (x >= 0) & (x < shape[1]) & (y >= 0) & (y < shape[0])
