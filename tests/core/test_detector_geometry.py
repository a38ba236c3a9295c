"""Where the direct beam meets a detector, square or swung."""

from __future__ import annotations

import math

import pytest

from beamkit.core.detector_geometry import (
    DetectorPlane,
    beam_center,
    origin_from_beam_center,
    swing,
)
from beamkit.core.errors import MetadataError

SQUARE = ((-1, 0, 0), (0, -1, 0))


def test_square_detector_has_its_beam_center_where_the_corner_says():
    # Corner 0.02 m left of and 0.03 m above the beam, pixels of 100 and 200 um.
    assert beam_center((0.02, 0.03, 0.5), *SQUARE, 100e-6, 200e-6) == pytest.approx((200, 150, 0.5))


def test_origin_undoes_beam_center_on_a_detector_turned_in_every_direction():
    origin, fast, slow = swing(DetectorPlane((0.11, -0.07, 0.4), *SQUARE), 23, axis=(1, 2, 0.5))
    x, y, distance = beam_center(origin, fast, slow, 172e-6, 75e-6)
    again = origin_from_beam_center(x, y, distance, 172e-6, 75e-6, fast=fast, slow=slow)
    assert again == pytest.approx(origin, abs=1e-12)


def test_swung_arm_moves_the_beam_center_by_distance_times_tangent():
    # An arm of length L swung up by t: the beam meets the plane L / cos(t) from the sample and
    # L tan(t) below the point where it met the square detector: +y in pixels.
    length, pixel, angle = 0.16, 172e-6, 30.0
    square = DetectorPlane(origin_from_beam_center(730, 865, length, pixel, pixel), *SQUARE)
    x, y, distance = beam_center(*swing(square, angle), pixel, pixel)
    t = math.radians(angle)
    assert (x, distance) == pytest.approx((730, length / math.cos(t)))
    assert y == pytest.approx(865 + length * math.tan(t) / pixel)


def test_positive_swing_goes_up():
    assert swing(DetectorPlane((0, 0, 1), *SQUARE), 90).origin == pytest.approx((0, 1, 0))


def test_l_cysteine_geometry_of_dials():
    # DIALS' import of the l_cysteine images (imgCIF frame, mm), as NeXus vectors [m].
    origin = (0.14878, -0.028738149699174144, 0.2013440646055102)
    x, y, distance = beam_center(origin, (0, math.sqrt(0.75), -0.5), (-1, 0, 0), 172e-6, 172e-6)
    assert distance == pytest.approx(0.16 / math.cos(math.pi / 6), rel=1e-6)
    assert y == pytest.approx(865, abs=1e-3)
    assert x == pytest.approx(730 - 0.16 * math.tan(math.pi / 6) / 172e-6, abs=1e-2)


def test_beam_along_the_plane_is_refused():
    with pytest.raises(MetadataError, match="runs along the detector plane"):
        beam_center((0.1, 0.1, 0.1), (0, 0, 1), (0, -1, 0), 1e-4, 1e-4)


def test_detector_behind_the_sample_has_no_beam_center():
    with pytest.raises(MetadataError, match="before it"):
        beam_center((0.1, 0.1, -0.1), *SQUARE, 1e-4, 1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"origin": (0, 0)}, "origin"),
        ({"origin": (0, math.nan, 1)}, "origin"),
        ({"fast": (0, 0, 0)}, "fast axis"),
        ({"pixel_size_y": 0.0}, "pixel_size_y"),
        ({"pixel_size_x": math.nan}, "pixel_size_x"),
    ],
)
def test_impossible_geometry_is_named(change, message):
    good = {
        "origin": (0, 0, 1),
        "fast": (-1, 0, 0),
        "slow": (0, -1, 0),
        "pixel_size_x": 1e-4,
        "pixel_size_y": 1e-4,
    }
    with pytest.raises(MetadataError, match=message):
        beam_center(**{**good, **change})
