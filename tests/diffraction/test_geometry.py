"""What a pixel means, and where the numbers come from."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr
from diffraction.detectors import PIXEL, SHAPE, random_detectors, square, turned

import beamkit as bk
from beamkit.core.errors import MetadataError, ParameterError, ShapeError, UnknownNameError
from beamkit.core.history import entries
from beamkit.diffraction import Geometry


def frames(shape=SHAPE, **attrs) -> xr.Dataset:
    """A dataset without geometry of record."""
    image = xr.DataArray(
        np.zeros((2, *shape), np.int32),
        dims=("frame", "detector_y", "detector_x"),
        coords={"detector_y": np.arange(shape[0]), "detector_x": np.arange(shape[1])},
    )
    return xr.Dataset({"frames": image}, attrs={"kind": "diffraction", **attrs})


NUMBERS = {
    "pixel_size_x": PIXEL[0],
    "pixel_size_y": PIXEL[1],
    "detector_distance": 0.021,
    "beam_center_x": 23.7,
    "beam_center_y": 51.2,
    "wavelength": 0.9173,
}


@pytest.fixture
def seed() -> xr.Dataset:
    """The header of the slide of 2012: a PILATUS 2M."""
    return frames(
        shape=(1679, 1475),
        wavelength=0.91730,
        detector_distance=0.22270,
        pixel_size_x=172e-6,
        pixel_size_y=172e-6,
        beam_center_x=733.749,
        beam_center_y=839.740,
    )


def test_the_row_of_the_slide_comes_out(seed):
    row = Geometry.from_dataset(seed).at(680.5729, 738.2269)
    expected = {"q_x": 0.2802, "q_y": 0.5349, "q_z": -0.0267, "two_theta": 5.058, "d": 10.39}
    assert {name: row[name] for name in expected} == pytest.approx(expected, abs=5e-3)
    # Four digits of the slide, where it has them.
    assert [row[n] for n in ("q_x", "q_y", "q_z")] == pytest.approx(
        [0.2802, 0.5349, -0.0267], abs=6e-5
    )
    assert row["q"] == pytest.approx(np.sqrt(0.2802**2 + 0.5349**2 + 0.0267**2), abs=1e-4)
    assert list(row) == ["q_x", "q_y", "q_z", "q", "two_theta", "chi", "d"]


def test_l_cysteine_has_its_direct_beam_where_dials_puts_it(data_folder):
    folder = data_folder / "cbf_pilatus"
    held = json.loads((folder / "l-cyst_imported_experiments.json").read_text())
    panel = held["detector"][0]["panels"][0]
    # The beam is (0, 0, -1) in DIALS' frame: solve origin + x fast + y slow + d z = 0 [mm].
    columns = np.column_stack([panel["fast_axis"], panel["slow_axis"], [0, 0, 1]])
    x, y, distance = np.linalg.solve(columns, -np.array(panel["origin"]))
    ds = bk.open(folder / "l-cyst_01_00001.cbf")
    for geometry in (
        Geometry.from_dataset(ds),
        Geometry.from_dataset(ds.frames),
        Geometry.from_dials(folder / "l-cyst_imported_experiments.json"),
    ):
        beam = geometry.beam_center
        assert (beam.x, beam.y) == pytest.approx((x / 0.172, y / 0.172), abs=0.1)
        assert beam.distance == pytest.approx(distance * 1e-3, rel=1e-6)
        assert geometry.two_theta(beam.x, beam.y) == pytest.approx(0, abs=1e-6)
        assert geometry.wavelength == pytest.approx(0.6889)
    assert beam.x == pytest.approx(730 - 537, abs=1)


def test_chi_runs_from_detector_x_to_detector_y_on_a_square_detector():
    geometry = square()
    x, y = geometry.beam_center[:2]
    around = [(x + 5, y), (x, y + 5), (x - 5, y), (x, y - 5)]
    assert [float(geometry.chi(*p)) for p in around] == pytest.approx([0, 90, 180, -90], abs=1e-9)


def test_chi_of_a_column_through_the_beam_is_never_minus_180():
    geometry = square(origin=(0.01, 0.0, 0.1))
    assert geometry.chi(0, 0) == 180


def test_q_vector_is_along_the_laboratory_axes():
    geometry = square()
    x, y = geometry.beam_center[:2]
    # Seen from the sample, columns run to the right (-x) and rows down (-y).
    right, down = geometry.q_vector(x + 9, y), geometry.q_vector(x, y + 9)
    assert right[0] < 0 < -down[1]
    assert right[1] == pytest.approx(0, abs=1e-9)
    assert max(right[2], down[2]) < 0


def test_q_vector_is_the_difference_of_two_vectors_of_length_k():
    geometry = turned((1, 2, -0.5), 55)
    q = geometry.q_vector(np.arange(61.0), np.arange(61.0)[::-1])
    k = 2 * np.pi / geometry.wavelength
    np.testing.assert_allclose(np.linalg.norm(q + np.array([0, 0, k]), axis=-1), k, rtol=1e-13)
    np.testing.assert_allclose(
        np.linalg.norm(q, axis=-1), geometry.q(np.arange(61.0), np.arange(61.0)[::-1]), rtol=1e-12
    )


def test_bragg_law_holds_for_d():
    geometry = turned((1, 0, 0), 30)
    d, angle = geometry.d(4, 70), np.radians(geometry.two_theta(4, 70))
    assert 2 * d * np.sin(angle / 2) == pytest.approx(geometry.wavelength, rel=1e-12)


def test_q_near_the_beam_keeps_its_digits():
    # A millionth of a pixel from the beam: q = k tan(2theta), and 1 - cos(2theta) is 6e-25.
    geometry = square(origin=(0.0, 0.0, 0.2))
    expected = 2 * np.pi / 0.9173 * (1e-6 * PIXEL[0] / 0.2)
    assert geometry.q(1e-6, 0) == pytest.approx(expected, rel=1e-12)
    assert geometry.q_vector(1e-6, 0)[2] == pytest.approx(
        -(expected**2) / (4 * np.pi / 0.9173), rel=1e-6
    )
    assert geometry.d(0, 0) == np.inf


def test_back_scattering_keeps_its_digits():
    # A ray at 180 deg has q = 2k exactly; a detector behind the sample sees it.
    geometry = square(origin=(0.0, 0.0, -0.1))
    assert geometry.q(0, 0) == pytest.approx(4 * np.pi / 0.9173, rel=1e-14)
    assert geometry.two_theta(0, 0) == 180


def test_float32_map_is_right_to_its_last_digit():
    geometry = turned((1, 2, -0.5), 25)
    exact = geometry.map_of("q")
    single = geometry.map_of("q", dtype=np.float32)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, exact, rtol=6.1e-8)  # half a unit in the last place


@pytest.mark.parametrize("geometry", random_detectors(12), ids=lambda g: f"{g.tilt:.0f}deg")
def test_pixel_of_undoes_the_angles_on_a_tilted_detector(geometry):
    x, y = np.meshgrid(np.linspace(-3, 70, 9), np.linspace(-5, 90, 7))
    again = geometry.pixel_of(two_theta=geometry.two_theta(x, y), chi=geometry.chi(x, y))
    np.testing.assert_allclose(again, (x, y), atol=1e-8)
    np.testing.assert_allclose(geometry.pixel_of_q(geometry.q_vector(x, y)), (x, y), atol=1e-8)


def test_a_ray_away_from_the_detector_meets_it_nowhere():
    x, y = square().pixel_of(two_theta=[30, 90, 150], chi=10)
    assert np.isfinite([x[0], y[0]]).all()
    assert np.isnan([*x[1:], *y[1:]]).all()


def test_q_of_two_numbers_is_refused():
    with pytest.raises(ShapeError, match="x, y and z"):
        square().pixel_of_q([0.1, 0.2])


def test_moved_beam_center_is_where_it_was_asked_for():
    before = turned((1, 2, -0.5), 25)
    after = before.with_beam_center(12.5, 99.25)
    assert after.beam_center == pytest.approx((12.5, 99.25, before.beam_center.distance))
    assert (after.fast, after.slow) == (before.fast, before.slow)


class TestDataset:
    def test_numbers_of_a_header_place_a_square_detector(self):
        geometry = Geometry.from_dataset(frames(**NUMBERS))
        assert geometry.beam_center == pytest.approx((23.7, 51.2, 0.021))
        assert geometry.tilt == 0
        assert geometry.shape == SHAPE

    def test_geometry_of_record_counts_before_the_beam_center(self):
        tilted = turned((1, 2, -0.5), 25)
        ds = frames(**{**tilted.to_attrs(), "beam_center_x": 1.0})
        geometry = Geometry.from_dataset(ds)
        assert geometry.beam_center == pytest.approx(tilted.beam_center)
        (line,) = geometry.assumed
        assert line.startswith("beam_center_x: stated as 1, but")

    def test_attributes_of_the_variable_count_before_those_of_the_dataset(self):
        ds = frames(**NUMBERS)
        ds.frames.attrs["wavelength"] = 0.5
        assert Geometry.from_dataset(ds).wavelength == 0.5
        assert Geometry.from_dataset(ds.frames.assign_attrs(NUMBERS)).wavelength == 0.9173

    def test_missing_beam_center_is_the_middle_and_says_so(self):
        known = {k: v for k, v in NUMBERS.items() if not k.startswith("beam")}
        geometry = Geometry.from_dataset(frames(**known))
        assert geometry.beam_center[:2] == pytest.approx((SHAPE[1] / 2, SHAPE[0] / 2))
        assert [line.split(":")[0] for line in geometry.assumed][:2] == [
            "beam_center_x",
            "beam_center_y",
        ]
        assert "middle of the detector, 30.5 pixel" in repr(geometry)
        assert not any("beam_center" in line for line in geometry.with_beam_center(1, 2).assumed)

    def test_middle_is_that_of_the_detector_and_not_of_the_crop(self):
        known = {k: v for k, v in NUMBERS.items() if not k.startswith("beam")}
        whole = frames(shape=(619, 487), **known, detector="PILATUS 300K")
        crop = whole.isel(detector_x=slice(100, 201), detector_y=slice(7, 90))
        assert Geometry.from_dataset(crop).beam_center[:2] == pytest.approx((243.5, 309.5))

    def test_missing_numbers_are_named_all_at_once(self):
        with pytest.raises(
            MetadataError, match=r"pixel_size_x, pixel_size_y, detector_distance\. Set"
        ):
            Geometry.from_dataset(frames(wavelength=1.0))

    def test_a_number_that_moves_asks_for_a_frame(self):
        known = {k: v for k, v in NUMBERS.items() if k != "detector_distance"}
        ds = frames(**known).assign_coords(detector_distance=("frame", [0.02, 0.03]))
        with pytest.raises(MetadataError, match="differs from frame to frame"):
            Geometry.from_dataset(ds)
        assert Geometry.from_dataset(ds.isel(frame=1)).beam_center.distance == pytest.approx(0.03)
        assert Geometry.from_dataset(ds.isel(frame=[0])).beam_center.distance == pytest.approx(0.02)

    def test_q_without_wavelength_says_which_attribute_to_set(self):
        known = {k: v for k, v in NUMBERS.items() if k != "wavelength"}
        geometry = Geometry.from_dataset(frames(**known))
        assert geometry.two_theta(3, 4) > 0
        for ask in (geometry.q, geometry.d, geometry.q_vector, geometry.at):
            with pytest.raises(MetadataError, match=r"attrs\['wavelength'\]"):
                ask(3, 4)
        assert geometry.with_wavelength(0.9173).q(3, 4) > 0

    def test_energy_stands_in_for_the_wavelength(self):
        known = {k: v for k, v in NUMBERS.items() if k != "wavelength"}
        geometry = Geometry.from_dataset(frames(**known, energy=12.398419843320026))
        assert geometry.wavelength == pytest.approx(1.0, rel=1e-12)

    def test_swung_arm_keeps_the_beam_center_where_it_is_and_tilts(self):
        geometry = Geometry.from_dataset(frames(**NUMBERS, detector_two_theta=20.0))
        assert geometry.beam_center == pytest.approx((23.7, 51.2, 0.021))
        assert geometry.tilt == pytest.approx(20)
        # Swung up, the rows above the beam (smaller detector_y) come closer to the sample's back.
        assert geometry.position(23.7, 0)[2] < geometry.position(23.7, 51.2)[2]
        assert any("detector_two_theta = 20 deg" in line for line in geometry.assumed)

    def test_swung_arm_without_beam_center_swings_the_middle(self):
        known = {k: v for k, v in NUMBERS.items() if not k.startswith("beam")}
        geometry = Geometry.from_dataset(frames(**known, detector_two_theta=20.0))
        assert geometry.two_theta(SHAPE[1] / 2, SHAPE[0] / 2) == pytest.approx(20)
        assert geometry.position(SHAPE[1] / 2, SHAPE[0] / 2)[1] > 0

    def test_attributes_give_the_same_detector_back(self):
        for geometry in random_detectors(8):
            assert Geometry.from_dataset(frames(**geometry.to_attrs())) == geometry

    def test_assigned_geometry_replaces_the_old_one_and_is_recorded(self):
        ds = frames(
            **NUMBERS,
            assumed=["beam_center_x: guessed", "flux: guessed"],
            conflicts=["energy: two"],
        )
        ds.frames.attrs["beam_center_x"] = 3.0
        ds = ds.assign_coords(detector_distance=("frame", [0.02, 0.03]))
        tilted = turned((1, 2, -0.5), 25)
        result = tilted.assign_to(ds)
        assert Geometry.from_dataset(result) == Geometry.from_dataset(result.frames) == tilted
        assert result.attrs["assumed"] == ["flux: guessed"]
        assert "conflicts" not in result.attrs
        assert "detector_distance" not in result.coords
        assert entries(result.attrs)[-1]["name"] == "assign_geometry"
        assert (ds.attrs["beam_center_x"], ds.frames.attrs["beam_center_x"]) == (23.7, 3.0)

    def test_assigned_geometry_without_wavelength_keeps_that_of_the_data(self):
        result = square(wavelength=None).assign_to(frames(**NUMBERS))
        assert Geometry.from_dataset(result).wavelength == 0.9173


class TestMaps:
    def test_map_holds_the_centres_of_the_pixels(self):
        geometry = turned((1, 2, -0.5), 25)
        found = geometry.map_of("two_theta")
        assert found.dims == ("detector_y", "detector_x")
        assert found.shape == SHAPE
        assert found.attrs["units"] == "deg"
        assert found[70, 3] == pytest.approx(float(geometry.two_theta(3.5, 70.5)), rel=1e-14)

    def test_map_of_a_crop_and_of_bins_is_that_of_their_pixels(self):
        geometry = square()
        ds = frames(**NUMBERS)
        crop = ds.isel(detector_x=slice(11, 30), detector_y=slice(5, 80, 3))
        np.testing.assert_array_equal(
            geometry.map_like(crop, "d"), geometry.map_of("d")[5:80:3, 11:30]
        )
        binned = ds.frames.coarsen(detector_x=2, detector_y=2, boundary="trim").sum()
        found = geometry.map_like(binned, "chi")
        assert found.shape == (41, 30)
        assert found[4, 6] == pytest.approx(float(geometry.chi(13, 9)), rel=1e-12)
        xr.align(binned, found, join="exact")

    def test_unknown_map_is_refused_by_name(self):
        with pytest.raises(UnknownNameError, match="two_theta"):
            square().map_of("tth")

    def test_map_without_shape_asks_for_it(self):
        with pytest.raises(ShapeError, match="shape="):
            square(shape=None).map_of("q")
        assert square(shape=None).map_of("q", shape=(3, 5)).shape == (3, 5)


class TestText:
    def test_repr_says_what_a_user_asks(self):
        text = repr(turned((-1, 0, 0), 30))
        for part in (
            "beam centre",
            "mm along the beam",
            "30.000 deg",
            "0.9173 angstrom",
            "172 x 230 um",
        ):
            assert part in text

    def test_table_is_escaped_html(self):
        assert "<table" in square(assumed=("a <b>: c",))._repr_html_()
        assert "<b>" not in square(assumed=("a <b>: c",))._repr_html_()

    def test_detector_without_beam_or_wavelength_still_has_words(self):
        text = repr(turned((-1, 0, 0), 120, wavelength=None))
        assert "does not meet" in text
        assert "not known" in text

    def test_mirrored_detector_is_named(self):
        assert "mirrored" in repr(square(fast=(1, 0, 0)))


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"origin": (0, 1)}, MetadataError, "three finite numbers"),
        ({"fast": (0, 0, 0)}, MetadataError, "must have a length"),
        ({"slow": (-1, -1, 0)}, MetadataError, "right angles"),
        ({"pixel_size_y": 0.0}, MetadataError, "pixel_size_y"),
        ({"wavelength": -1.0}, MetadataError, "wavelength"),
        ({"shape": (3,)}, ParameterError, "rows, columns"),
        ({"shape": "ab"}, ParameterError, "rows, columns"),
    ],
)
def test_impossible_numbers_are_named(change, error, match):
    with pytest.raises(error, match=match):
        square(**change)
