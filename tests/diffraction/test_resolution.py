"""Rings at round spacings, a detector at another distance, and masks taken back."""

import numpy as np
import pytest

from beamkit.core.errors import MetadataError, ParameterError
from beamkit.diffraction import Geometry
from beamkit.diffraction.distance import with_distance
from beamkit.diffraction.mask_history import MaskHistory
from beamkit.diffraction.resolution import resolution_rings


@pytest.fixture
def geometry():
    """A tilted detector, beam off the centre, wavelength 0.9 angstrom."""
    return Geometry.from_fit2d(
        center_x=310.25,
        center_y=120.5,
        distance=180,
        pixel_x=172,
        pixel_y=172,
        wavelength=0.9,
        tilt=12,
        tilt_plane_rotation=35,
    )


class TestResolutionRings:
    def test_rings_fill_the_detector_evenly(self, geometry):
        shape = (701, 503)
        found = resolution_rings(geometry, shape=shape)
        angles = 2 * np.rad2deg(np.arcsin(0.9 / (2 * np.array(found))))
        corners = geometry.two_theta([0, 503, 0, 503], [0, 0, 701, 701]).max()
        assert len(found) == 5
        # A round number is within 10 % of any other.
        np.testing.assert_allclose(angles, corners * np.arange(1, 6) / 6, rtol=0.11)

    @pytest.mark.parametrize("distance", [20, 200, 4000])
    def test_spacings_are_round(self, distance):
        here = Geometry.from_fit2d(
            center_x=240, center_y=260, distance=distance, pixel_x=172, pixel_y=172, wavelength=1.5
        )
        for spacing in resolution_rings(here, shape=(487, 619)):
            assert float(f"{spacing:.2g}") == spacing

    def test_a_swung_detector_gets_rings_where_it_is(self):
        # 500 pixels of 0.2 mm, 100 mm away, its near edge 100 mm beside the beam.
        here = Geometry.from_fit2d(
            center_x=-500, center_y=250, distance=100, pixel_x=200, pixel_y=200, wavelength=1
        )
        longest = max(resolution_rings(here, shape=(500, 500)))
        assert longest < 1 / (2 * np.sin(np.deg2rad(45) / 2))

    def test_without_wavelength_the_attribute_is_named(self, geometry):
        blind = Geometry(**{**vars(geometry), "wavelength": None})
        with pytest.raises(MetadataError, match=r"attrs\['wavelength'\]"):
            resolution_rings(blind, shape=(5, 7))

    def test_a_shape_is_needed(self, geometry):
        with pytest.raises(ParameterError, match="shape"):
            resolution_rings(geometry)


class TestDistance:
    def test_beam_centre_and_tilt_stay(self, geometry):
        moved = with_distance(geometry, 0.2525)
        assert moved.beam_center == pytest.approx((310.25, 120.5, 0.2525), abs=1e-9)
        assert moved.tilt == pytest.approx(geometry.tilt, abs=1e-12)

    def test_an_assumed_distance_is_known_then(self, geometry):
        guessed = Geometry(**{**vars(geometry), "assumed": ("detector_distance: 0.1 m", "x: y")})
        assert with_distance(guessed, 0.3).assumed == ("x: y",)

    @pytest.mark.parametrize("distance", [0.0, -1.0, np.nan, np.inf])
    def test_impossible_distances_are_refused(self, geometry, distance):
        with pytest.raises(ParameterError, match="above 0"):
            with_distance(geometry, distance)


class TestMaskHistory:
    def test_steps_are_taken_back_and_done_again(self):
        history, masks = MaskHistory(), [np.zeros((3, 5), np.uint32)]
        for row, bit in ((0, 256), (2, 1), (0, 0)):
            masks.append(masks[-1].copy())
            masks[-1][row, 1:3] = bit
            history.note(masks[-2], masks[-1])
        now = masks[-1]
        for before in masks[-2::-1]:
            now = history.undo(now)
            np.testing.assert_array_equal(now, before)
        assert not history.can_undo
        for after in masks[1:]:
            now = history.redo(now)
            np.testing.assert_array_equal(now, after)
        assert not history.can_redo

    def test_a_new_step_forgets_what_was_taken_back(self):
        history, empty = MaskHistory(), np.zeros((2, 3), np.uint32)
        history.note(empty, empty + 1)
        history.undo(empty + 1)
        history.note(empty, empty + 4)
        assert not history.can_redo

    def test_nothing_changed_is_no_step(self):
        history, empty = MaskHistory(), np.zeros((2, 3), np.uint32)
        assert not history.note(empty, empty.copy())
        assert not history.can_undo
        assert history.undo(empty) is empty
        assert history.redo(empty) is empty
