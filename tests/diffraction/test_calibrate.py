"""Calibration by powder rings: truth of simulated images found again, and what is said of doubt."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from diffraction.powder_images import PIXEL, powder_image, tilted

import beamkit as bk
from beamkit.core.errors import (
    MetadataError,
    ParameterError,
    QuantityError,
    ShapeError,
    UnknownNameError,
)
from beamkit.diffraction import Geometry, calibrant, calibrate, rings

SHAPE = (407, 487)
TRUTH = tilted(SHAPE, 0.0913, (262.3, 171.8), 0.11, -0.06, wavelength=0.4366)


@pytest.fixture(scope="module")
def image():
    return powder_image(TRUTH, "CeO2", seed=3)


@pytest.fixture(scope="module")
def dataset(image):
    """With a header as they are: nothing of the tilt, distance and centre a little off."""
    nominal = tilted(SHAPE, 0.0935, (259.0, 175.5), wavelength=TRUTH.wavelength)
    frames = xr.DataArray(image[None], dims=("frame", "detector_y", "detector_x"))
    data = xr.Dataset({"frames": frames}, attrs={"kind": "diffraction"})
    return nominal.assign_to(data)


@pytest.fixture(scope="module")
def found(dataset):
    return calibrate(dataset, "CeO2", start="header")


def assert_same(geometry, truth, *, distance=2e-4, center=0.1, tilt=0.05):
    """Parts of the distance; pixels; degrees between the normals."""
    here, there = geometry.beam_center, truth.beam_center
    assert here.distance == pytest.approx(there.distance, rel=distance)
    assert np.hypot(here.x - there.x, here.y - there.y) < center
    turn = np.degrees(np.arccos(min(1.0, float(np.dot(geometry.normal, truth.normal)))))
    assert turn < tilt


def exact_points(geometry, name, numbers):
    """Points exactly on rings: x, y, number of the ring."""
    picked = []
    for n in numbers:
        curve = rings(geometry, [calibrant(name).spacings[n]])[0]
        picked += [(x, y, n) for x, y in curve.points[::5] if np.isfinite(x)]
    return picked


def test_a_header_without_tilt_is_enough_to_find_all_five_numbers(found):
    assert_same(found.geometry, TRUTH)
    assert found.is_trusted
    assert found.warnings == ()
    assert found.start_from == "the header, moved onto the rings"


@pytest.mark.slow
def test_the_image_alone_with_calibrant_wavelength_and_detector_is_enough(image):
    alone = calibrate(image, "CeO2", wavelength=TRUTH.wavelength, detector="PILATUS 200K")
    assert_same(alone.geometry, TRUTH)
    assert alone.is_trusted
    assert alone.start_from == "the image alone"


def test_the_truth_is_within_a_few_uncertainties(found):
    place = TRUTH.beam_center
    truth = {
        "detector_distance": place.distance, "beam_center_x": place.x, "beam_center_y": place.y,
        "rot1": np.rad2deg(TRUTH.poni.rot1), "rot2": np.rad2deg(TRUTH.poni.rot2),
    }  # fmt: skip
    for name, value in truth.items():
        assert abs(found.values[name] - value) < 5 * found.uncertainties[name], name


def test_points_exactly_on_the_rings_give_the_geometry_to_the_last_digits():
    picked = exact_points(TRUTH, "CeO2", [0, 1, 2, 4])
    image = np.ones(SHAPE)
    exact = calibrate(
        image, "CeO2", points=picked, detector=PIXEL, wavelength=TRUTH.wavelength, max_iterations=0
    )
    assert_same(exact.geometry, TRUTH, distance=1e-8, center=1e-5, tilt=1e-4)
    assert exact.rms_pixel < 1e-6


def test_a_few_picked_points_lead_to_the_rings_of_the_image(image):
    # Clicked to whole pixels, on two rings only: a start, not a result.
    picked = [(round(x), round(y), n) for x, y, n in exact_points(TRUTH, "CeO2", [0, 2])[::6]]
    led = calibrate(image, "CeO2", points=picked, detector=PIXEL, wavelength=TRUTH.wavelength)
    assert_same(led.geometry, TRUTH)
    assert led.start_from == f"{len(picked)} picked points"


def test_what_is_fixed_stays_and_has_no_uncertainty(dataset):
    start = TRUTH.with_beam_center(263.0, 171.0)
    held = calibrate(dataset, "CeO2", start=start, refine=("distance", "tilt"))
    assert held.geometry.beam_center[:2] == pytest.approx((263.0, 171.0), abs=1e-6)
    assert held.uncertainties["beam_center_x"] == 0
    assert held.refined == ("detector_distance", "rot1", "rot2")


def test_one_number_can_be_fixed(dataset):
    held = calibrate(dataset, "CeO2", start=TRUTH, fix="rot1")
    assert held.values["rot1"] == pytest.approx(np.rad2deg(0.11), abs=1e-9)
    assert held.uncertainties["rot2"] > 0 == held.uncertainties["rot1"]


def test_a_turn_about_the_beam_and_the_mount_are_kept(image):
    # Rings do not tell which edge is up: the start does.
    c, s = np.cos(0.4), np.sin(0.4)

    def about_beam(v):
        return (c * v[0] - s * v[1], s * v[0] + c * v[1], v[2])

    turned = replace(
        TRUTH, **{name: about_beam(getattr(TRUTH, name)) for name in ("origin", "fast", "slow")}
    )
    kept = calibrate(image, "CeO2", start=turned)
    assert kept.geometry.poni.rot3 == pytest.approx(turned.poni.rot3, abs=1e-6)
    assert_same(kept.geometry, turned)


def test_a_crop_gives_the_geometry_of_the_full_detector(dataset):
    crop = dataset.assign_coords(
        detector_y=np.arange(SHAPE[0]), detector_x=np.arange(SHAPE[1])
    ).isel(detector_y=slice(31, None), detector_x=slice(17, 470))
    assert_same(calibrate(crop, "CeO2", start="header").geometry, TRUTH)


def test_masked_pixels_are_left_out(dataset):
    spoiled = dataset.copy(deep=True)
    spoiled["frames"][:, 100:200, 300:400] = 100000
    mask = np.zeros(SHAPE, bool)
    mask[100:200, 300:400] = True
    masked = calibrate(spoiled, "CeO2", start="header", mask=mask)
    assert_same(masked.geometry, TRUTH)
    x, y = masked.points["x"].values, masked.points["y"].values
    assert not ((x > 302) & (x < 398) & (y > 102) & (y < 198)).any()


def test_lattice_spacings_and_a_choice_of_rings_will_do(dataset):
    spacings = calibrant("CeO2").spacings[:6]
    some = calibrate(dataset, spacings, start="header", rings=[0, 2, 3, 5])
    assert_same(some.geometry, TRUTH)
    assert set(some.points["ring"].values) == {0, 2, 3, 5}


def test_points_and_rings_are_told_with_their_residuals(found):
    points, table = found.points, found.rings
    angle = found.geometry.two_theta(points["x"].values, points["y"].values)
    theory = calibrant("CeO2").two_theta(TRUTH.wavelength)[points["ring"].values]
    np.testing.assert_allclose(points["residual_two_theta"], angle - theory, atol=1e-9)
    np.testing.assert_allclose(
        points["chi"], found.geometry.chi(points["x"].values, points["y"].values), atol=1e-6
    )
    assert int(table["number"].sum()) == points.sizes["point"]
    assert found.rms_pixel == pytest.approx(np.sqrt(np.mean(points["residual"].values ** 2)))
    assert str(table["label"].sel(ring=2).item()) == "220"


def test_apply_writes_geometry_and_history(found, dataset):
    after = found.apply(dataset)
    assert_same(Geometry.from_dataset(after), found.geometry, distance=1e-9, center=1e-6)
    last = json.loads(after.attrs["history"])[-1]
    assert last["name"] == "calibrate"
    assert last["parameters"]["calibrant"] == "CeO2"
    assert last["parameters"]["detector_distance"] == found.values["detector_distance"]
    assert dataset.attrs["detector_distance"] == pytest.approx(0.0935)


def test_to_dataset_holds_points_rings_and_geometry(found):
    whole = found.to_dataset()
    assert whole.sizes["point"] == found.points.sizes["point"]
    assert whole.attrs["detector_distance"] == found.geometry.beam_center.distance
    assert whole["ring_residual"].attrs["units"] == "pixel"


def test_it_is_saved_for_pyfai_and_as_nexus(found, tmp_path):
    again = Geometry.from_poni(found.save(tmp_path / "ceo2.poni"))
    assert_same(again, found.geometry, distance=1e-9, center=1e-6)
    again = Geometry.from_nexus(found.save(tmp_path / "ceo2.nxs"))
    assert_same(again, found.geometry, distance=1e-9, center=1e-6)
    with pytest.raises(ParameterError, match=r"'\.txt' is none of a geometry"):
        found.save(tmp_path / "ceo2.txt")


def test_the_text_tells_numbers_with_uncertainties_and_start(found):
    text = repr(found)
    assert "CeO2" in text
    assert "detector_distance  0.0912" in text or "detector_distance  0.0913" in text
    assert "±" in text
    assert "start: the header" in text


@pytest.mark.slow
def test_far_away_the_tilt_is_held_and_that_is_said():
    far = tilted(SHAPE, 2.1, (231.0, 60.5), wavelength=1.0)
    image = powder_image(far, "AgBeh", seed=5, width=12)
    nominal = tilted(SHAPE, 2.17, (236.0, 57.0), wavelength=1.0)
    held = calibrate(image, "AgBeh", start=nominal)
    assert any("tilt not determined" in text for text in held.warnings)
    assert held.refined == ("detector_distance", "beam_center_x", "beam_center_y")
    assert_same(held.geometry, far, distance=1e-3, center=0.5)


@pytest.mark.slow
def test_the_wrong_calibrant_is_not_trusted(image):
    wrong = calibrate(image, "LaB6", wavelength=TRUTH.wavelength, detector=PIXEL)
    assert not wrong.is_trusted
    assert wrong.warnings
    assert "NOT TRUSTED" in repr(wrong)


@pytest.mark.slow
def test_noise_without_rings_is_refused_or_not_trusted():
    noise = np.random.default_rng(2).poisson(30, SHAPE)
    try:
        result = calibrate(noise, "CeO2", wavelength=0.5, detector=PIXEL)
    except QuantityError as error:
        assert "No rings of CeO2" in str(error)  # noqa: PT017 - either is right
    else:
        assert not result.is_trusted


def test_what_is_missing_or_wrong_is_said(image, dataset):
    with pytest.raises(MetadataError, match="wavelength="):
        calibrate(image, "CeO2", detector=PIXEL)
    with pytest.raises(MetadataError, match="how large a pixel"):
        calibrate(image, "CeO2", wavelength=0.5)
    with pytest.raises(MetadataError, match="no geometry to start from"):
        calibrate(image, "CeO2", wavelength=0.5, detector=PIXEL, start="header")
    with pytest.raises(UnknownNameError, match="PILATUS"):
        calibrate(image, "CeO2", wavelength=0.5, detector="PILATUS 3000K")
    with pytest.raises(UnknownNameError, match="calibrant"):
        calibrate(dataset, "CeO3")
    with pytest.raises(UnknownNameError, match="group to refine"):
        calibrate(dataset, refine=("distance", "wavelength"))
    with pytest.raises(UnknownNameError, match="number to fix"):
        calibrate(dataset, fix=("rot3",))
    with pytest.raises(UnknownNameError, match="start of a calibration"):
        calibrate(dataset, start="guess")
    with pytest.raises(ParameterError, match="nothing to refine"):
        calibrate(dataset, refine="distance", fix="detector_distance")
    with pytest.raises(ParameterError, match="neither can be held"):
        calibrate(dataset, start="image", refine="tilt")
    with pytest.raises(ParameterError, match="rings="):
        calibrate(dataset, rings=[400])
    with pytest.raises(ParameterError, match="names ring 9999"):
        calibrate(dataset, points=[(1, 2, 9999)])
    with pytest.raises(ParameterError, match="do not tell where the beam is"):
        calibrate(image, wavelength=0.5, detector=PIXEL, points=[(1, 2, 0), (5, 9, 1)])
    with pytest.raises(ShapeError, match="one image"):
        calibrate(np.zeros((3, 20, 30)), wavelength=0.5, detector=PIXEL)
    with pytest.raises(ShapeError, match="mask"):
        calibrate(image, wavelength=0.5, detector=PIXEL, mask=np.zeros((3, 4), bool))


@pytest.mark.slow
def test_table_of_a_calibration_tells_what_was_held(tmp_path):
    sample = bk.samples.powder(tmp_path / "powder.tif")
    found = calibrate(bk.open(sample.path), "CeO2", fix="rot1")
    table = found.table().to_dataframe().set_index("name")
    assert not table.loc["rot1", "refined"]
    assert np.isnan(table.loc["rot1", "uncertainty"])
    assert table.loc["rot1", "value"] == pytest.approx(table.loc["rot1", "start"], abs=1e-9)
    assert table.loc["detector_distance", "unit"] == "m"
    assert table.loc["detector_distance", "uncertainty"] > 0
    assert table.loc["beam_center_y", "value"] == found.values["beam_center_y"]


def test_a_cake_is_drawn_with_straight_rings_and_only_from_a_cake(tmp_path):
    data = bk.open(bk.samples.powder(tmp_path / "powder.tif").path)
    cake = data.bk.integrate((300, 40)).isel(frame=0).compute()
    picture = bk.figures.cake(cake, caption="Rings over the azimuth.")
    assert picture.save(tmp_path / "cake.png").stat().st_size > 5000
    with pytest.raises(ShapeError, match="of one cake"):
        bk.figures.cake(cake.isel(chi=0), caption="")
