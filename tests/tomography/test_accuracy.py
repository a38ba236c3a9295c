"""Slices against closed-form discs, in every engine (the numbers of the project's promise)."""

from __future__ import annotations

import numpy as np
import pytest
from tomography.phantom import DISCS, Disc, image, line_integrals, scaled, scan

from beamkit.tomography import available_engines, find_center, reconstruct

ENGINES = [
    pytest.param(("nufft", "cpu"), id="nufft"),
    pytest.param(("astra", "cpu"), id="astra", marks=pytest.mark.slow),
    pytest.param(("astra", "gpu"), id="astra-gpu", marks=pytest.mark.gpu),
]

COLUMNS, ANGLES = 513, np.arange(720) * 0.25
CENTER = 256 + 7.3


@pytest.fixture(params=ENGINES)
def engine(request, require):
    """Options that choose an engine; skips where it is not there."""
    name, device = request.param
    if name == "astra":
        require("astra", "astra")
    if available_engines()[name][device] != "available":
        pytest.skip(f"{name} on the {device}: {available_engines()[name][device]}")
    return {"engine": name, "device": device}


@pytest.fixture(scope="module")
def sinogram():
    return scan([line_integrals(DISCS, ANGLES, COLUMNS, CENTER)], ANGLES)


def off_axis(values):
    """Return the distance of each pixel from the axis."""
    place = np.arange(len(values)) - (len(values) - 1) / 2
    return np.hypot(place[:, None], place)


def own_pixels(disc, size, margin):
    place = np.arange(size) - (size - 1) / 2
    return np.hypot(place[:, None] - disc.y, place - disc.x) < disc.radius - margin


def test_every_engine_is_as_accurate_as_promised(sinogram, engine):
    slice_ = reconstruct(sinogram, center=CENTER, **engine).values[0]
    truth, edge = image(DISCS, COLUMNS)
    flat = edge > 3
    for disc in DISCS:
        inside = flat & own_pixels(disc, COLUMNS, 3)
        assert slice_[inside].mean() == pytest.approx(truth[inside].mean(), abs=1e-3)
    error = (slice_ - truth)[flat]
    assert np.sqrt(np.mean(error**2)) < 0.01 * truth.max()


def centroid(slice_, disc):
    """Return the place of a disc that touches no other; around it noise sums to nothing."""
    place = np.arange(len(slice_)) - (len(slice_) - 1) / 2
    weight = slice_.astype(float) * own_pixels(disc, len(slice_), -4)
    return weight.sum(axis=0) @ place / weight.sum(), weight.sum(axis=1) @ place / weight.sum()


ALONE = (DISCS[1], DISCS[3], DISCS[4])


def test_discs_lie_where_they_are(sinogram, engine):
    slice_ = reconstruct(sinogram, center=CENTER, **engine).values[0]
    for disc in ALONE:
        assert centroid(slice_, disc) == pytest.approx((disc.x, disc.y), abs=0.05)


def test_axis_is_found_to_a_fifth_of_a_pixel(sinogram):
    assert find_center(sinogram).value == pytest.approx(CENTER, abs=0.2)


def test_slice_of_an_axis_that_was_looked_for_is_as_accurate(sinogram):
    found = reconstruct(sinogram)
    truth, edge = image(DISCS, COLUMNS)
    error = (found.values[0] - truth)[edge > 3]
    assert np.sqrt(np.mean(error**2)) < 0.01 * truth.max()
    assert found.attrs["rotation_center"] == pytest.approx(CENTER, abs=0.2)


@pytest.mark.parametrize(("columns", "size"), [(200, 200), (200, 151), (201, 150), (201, 230)])
def test_sizes_even_and_odd_put_the_axis_in_the_middle(columns, size, engine):
    discs = scaled(ALONE, 0.4)
    angles, center = np.arange(200) * 0.9, (columns - 1) / 2 - 3.4
    data = scan([line_integrals(discs, angles, columns, center)], angles)
    volume = reconstruct(data, center=center, size=size, **engine)
    for disc in discs:
        assert centroid(volume.values[0], disc) == pytest.approx((disc.x, disc.y), abs=0.07)
    assert volume.x.values[0] == -(size - 1) / 2


def test_engines_agree(sinogram, require):
    require("astra", "astra")
    options = {"center": CENTER, "size": 201, "filter": "hann"}
    one, other = (
        reconstruct(sinogram, engine=name, device="cpu", **options).values
        for name in ("nufft", "astra")
    )
    # ASTRA interpolates between columns, which smooths; the mean shows scale and place.
    assert other.mean() == pytest.approx(one.mean(), rel=1e-3)
    assert np.sqrt(np.mean((one - other) ** 2)) < 5e-3 * np.ptp(one)


def helix(row, turns=0.75, rows=33):
    """Return the ball of a right-handed screw along z that crosses a row."""
    turn = 2 * np.pi * turns * row / rows
    return Disc(20 * np.cos(turn), 20 * np.sin(turn), 5, 1.0)


def test_right_handed_screw_stays_right_handed(engine):
    # x to y is the sense of z in a right-handed frame: the angle of the ball grows with z.
    angles, rows = np.arange(60) * 3.0, np.arange(0, 33, 4)
    data = scan([line_integrals([helix(row)], angles, 65, 33.2) for row in rows], angles)
    data = data.assign_coords(detector_y=rows)
    volume = reconstruct(data, center=33.2, **engine)
    peak = volume.stack(place=("y", "x")).argmax("place").values
    y, x = peak // 65 - 32, peak % 65 - 32
    assert np.hypot(x, y) == pytest.approx(20, abs=5.5)
    turned = np.unwrap(np.arctan2(y, x))
    assert turned[-1] - turned[0] == pytest.approx(2 * np.pi * 0.75 * 32 / 33, abs=0.5)
    assert volume.z.values.tolist() == rows.tolist()


def test_sense_of_rotation_negates_the_angles(engine):
    discs = scaled(DISCS, 0.12)
    angles = np.arange(90) * 2.0
    lines = line_integrals(discs, -angles, 65, 30.8)
    mirrored = reconstruct(scan([lines], angles, rotation_sense=-1), center=30.8, **engine)
    direct = reconstruct(scan([lines], -angles), center=30.8, **engine)
    np.testing.assert_allclose(mirrored, direct, atol=1e-4)


@pytest.mark.parametrize(
    "angles",
    [
        pytest.param(np.arange(240)[::-1] * 0.75, id="falling"),
        pytest.param(90 + np.arange(240) * 0.75, id="from 90"),
        pytest.param(np.arange(241) * 0.75, id="0 and 180 both"),
        pytest.param(np.arange(480) * 0.75, id="360"),
        pytest.param(np.arange(481) * 0.75, id="0 and 360 both"),
        pytest.param(np.arange(300) * 0.75, id="225"),
        pytest.param(np.mod(np.arange(240) * 111.246, 180), id="golden angle"),
        pytest.param(np.repeat(np.arange(240) * 0.75, 2), id="each twice"),
        pytest.param(180 * (np.arange(300) / 300) ** 1.3, id="uneven"),
    ],
)
def test_values_are_right_for_any_list_of_angles(angles):
    discs = scaled(DISCS, 0.25)
    data = scan([line_integrals(discs, angles, 129, 66.3)], angles)
    slice_ = reconstruct(data, center=66.3, engine="nufft").values[0]
    truth, edge = image(discs, 129)
    for disc in discs:
        inside = (edge > 2) & own_pixels(disc, 129, 2)
        # Small discs: the sampling of their edges leaves half a per cent.
        assert slice_[inside].mean() == pytest.approx(truth[inside].mean(), abs=6e-3)


@pytest.mark.parametrize("center", [9.4, 20.0, 118.7])
def test_full_turn_about_an_axis_near_the_edge(center, engine):
    # The sample reaches 105 px from the axis, the detector of 129 columns less on one side.
    discs, angles = scaled(DISCS, 0.65), np.arange(720) * 0.5
    data = scan([line_integrals(discs, angles, 129, center)], angles)
    slice_ = reconstruct(data, center=center, size=181, **engine).values[0]
    reach = max(center, 128 - center) - 2
    truth, edge = image(discs, 181)
    for disc in discs:
        inside = (edge > 3) & own_pixels(disc, 181, 3) & (off_axis(truth) < reach)
        assert slice_[inside].mean() == pytest.approx(truth[inside].mean(), abs=8e-3)


def test_crop_of_the_detector_changes_nothing(sinogram):
    whole = reconstruct(sinogram, center=CENTER, size=301)
    part = reconstruct(sinogram.isel(detector_x=slice(20, 505)), center=CENTER, size=301)
    # Nothing was cut off but air; what is left is the padding to another length.
    np.testing.assert_allclose(part, whole, atol=2e-3)
    np.testing.assert_array_equal(part.x, whole.x)
