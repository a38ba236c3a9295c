"""The same numbers as pyFAI, over whole tilted detectors, in every orientation."""

from __future__ import annotations

import numpy as np
import pytest
from diffraction.detectors import PIXEL, SHAPE

from beamkit.diffraction import Geometry

#: rot1, rot2, rot3 [rad]: small, large, and a detector that does not see the direct beam.
TILTS = [
    (0.0, 0.0, 0.0),
    (-0.0184, 0.0041, -2.8e-8),
    (0.31, -0.22, 0.7),
    (-0.6, 0.45, -2.9),
    (1.9, 0.2, 0.4),
]


@pytest.fixture
def peer(require):
    """Make pyFAI's geometry with its own detector."""
    detectors = require("pyFAI.detectors", "diffraction")
    geometry = require("pyFAI.geometry", "diffraction")

    def _peer(rots, orientation):
        detector = detectors.Detector(
            pixel1=PIXEL[1], pixel2=PIXEL[0], max_shape=SHAPE, orientation=orientation
        )
        return geometry.Geometry(
            0.041, 0.0113, 0.0027, *rots, detector=detector, wavelength=0.9173e-10
        )

    return _peer


def converted(chi, orientation):
    """pyFAI's chi [rad] counted from increasing detector_x to increasing detector_y [deg]."""
    up, across = {1: (-1, -1), 2: (-1, 1), 3: (1, 1), 4: (1, -1)}[orientation]
    return np.degrees(np.arctan2(up * np.sin(chi), across * np.cos(chi)))


def around(difference):
    """An angle [deg] without whole turns, in radians."""
    return np.radians((difference + 180) % 360 - 180)


@pytest.mark.parametrize("orientation", [1, 2, 3, 4])
@pytest.mark.parametrize("rots", TILTS, ids=str)
def test_every_pixel_has_the_q_and_the_angles_of_pyfai(peer, tmp_path, rots, orientation):
    theirs = peer(rots, orientation)
    theirs.save(str(tmp_path / "their.poni"))
    ours = Geometry.from_poni(tmp_path / "their.poni")
    assert ours.shape == SHAPE
    q = theirs.center_array(SHAPE, unit="q_nm^-1") / 10
    seen = q > 1e-3
    assert seen.mean() > 0.999
    np.testing.assert_allclose(ours.map_of("q").values[seen], q[seen], rtol=1e-9)
    two_theta = theirs.center_array(SHAPE, unit="2th_rad")
    np.testing.assert_allclose(np.radians(ours.map_of("two_theta")), two_theta, rtol=0, atol=1e-9)
    y, x = np.indices(SHAPE)
    chi = converted(theirs.chi(y, x), orientation)
    np.testing.assert_allclose(around(ours.map_of("chi").values - chi), 0, atol=1e-9)


@pytest.mark.parametrize("orientation", [1, 2, 3, 4])
@pytest.mark.parametrize("rots", TILTS, ids=str)
def test_pyfai_reads_what_we_write(peer, require, tmp_path, rots, orientation):
    peer(rots, 3).save(str(tmp_path / "start.poni"))
    ours = Geometry.from_poni(tmp_path / "start.poni")
    ours.to_poni(tmp_path / "ours.poni", orientation=orientation)
    theirs = require("pyFAI", "diffraction").load(str(tmp_path / "ours.poni"))
    assert int(theirs.detector.orientation) == orientation
    two_theta = theirs.center_array(SHAPE, unit="2th_rad")
    np.testing.assert_allclose(np.radians(ours.map_of("two_theta")), two_theta, rtol=0, atol=1e-9)
    y, x = np.indices(SHAPE)
    chi = converted(theirs.chi(y, x), orientation)
    np.testing.assert_allclose(around(ours.map_of("chi").values - chi), 0, atol=1e-9)


def test_our_six_numbers_are_those_of_pyfai(peer, tmp_path):
    theirs = peer((0.31, -0.22, 0.7), 3)
    theirs.save(str(tmp_path / "their.poni"))
    expected = [theirs.dist, theirs.poni1, theirs.poni2, theirs.rot1, theirs.rot2, theirs.rot3]
    assert list(Geometry.from_poni(tmp_path / "their.poni").poni) == pytest.approx(
        expected, rel=1e-12
    )


@pytest.mark.parametrize("rots", [(0.0, 0.0, 0.0), (-0.0184, 0.0041, 0.0), (0.31, -0.22, 0.0)])
def test_fit2d_has_the_numbers_of_pyfai(peer, tmp_path, rots):
    theirs = peer(rots, 3)
    theirs.save(str(tmp_path / "their.poni"))
    ours = Geometry.from_poni(tmp_path / "their.poni").to_fit2d()
    f2d = theirs.getFit2D()
    pairs = {
        "center_x": "centerX", "center_y": "centerY", "distance": "directDist", "tilt": "tilt",
        "pixel_x": "pixelX", "pixel_y": "pixelY", "wavelength": "wavelength",
    }  # fmt: skip
    assert ours == pytest.approx(
        {
            **{k: f2d[v] for k, v in pairs.items()},
            "tilt_plane_rotation": ours["tilt_plane_rotation"],
        }
    )
    if rots[0]:  # an untilted detector has no direction of tilt
        assert ours["tilt_plane_rotation"] == pytest.approx(f2d["tiltPlanRotation"])


def test_fit2d_gives_the_two_theta_of_pyfai(require):
    geometry = require("pyFAI.geometry", "diffraction").Geometry()
    geometry.setFit2D(150.0, 31.5, 12.25, 17.0, 40.0, 172.0, 230.0)
    ours = Geometry.from_fit2d(
        center_x=31.5, center_y=12.25, distance=150.0, tilt=17.0, tilt_plane_rotation=40.0,
        pixel_x=172.0, pixel_y=230.0, shape=SHAPE,
    )  # fmt: skip
    two_theta = geometry.center_array(SHAPE, unit="2th_rad")
    np.testing.assert_allclose(np.radians(ours.map_of("two_theta")), two_theta, rtol=0, atol=1e-9)


def test_calibration_of_cerium_oxide_gives_the_two_theta_of_pyfai(require, data_folder):
    path = data_folder / "powder" / "CeO2_Pilatus1M.poni"
    shape = (1043, 981)
    ours = Geometry.from_poni(path, shape=shape)
    theirs = require("pyFAI", "diffraction").load(str(path))
    two_theta = theirs.center_array(shape, unit="2th_rad")
    np.testing.assert_allclose(np.radians(ours.map_of("two_theta")), two_theta, rtol=0, atol=1e-9)
    assert ours.wavelength == pytest.approx(0.4066)


def test_rings_of_cerium_oxide_are_where_the_calibration_puts_them(require, data_folder):
    fabio = require("fabio", "diffraction")
    # The calibration is that of the image upside down (its file says so only by its numbers).
    image = np.flipud(fabio.open(str(data_folder / "powder" / "CeO2_Pilatus1M.tif")).data)
    geometry = Geometry.from_poni(data_folder / "powder" / "CeO2_Pilatus1M.poni", shape=image.shape)
    angles = geometry.map_of("two_theta").values.ravel()
    bins = np.arange(7.0, 9.2, 0.01)
    good = image.ravel() >= 0
    counts, _ = np.histogram(angles[good], bins, weights=image.ravel()[good])
    pixels, _ = np.histogram(angles[good], bins)
    profile = counts / pixels
    centre = (bins[1:] + bins[:-1]) / 2
    for expected in (7.4615, 8.6179):  # CeO2 111 and 200 at 0.4066 angstrom
        near = abs(centre - expected) < 0.1
        assert centre[near][profile[near].argmax()] == pytest.approx(expected, abs=0.02)
