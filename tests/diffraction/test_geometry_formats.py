"""Geometry written in one language and read in another."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest
from diffraction.detectors import PIXEL, SHAPE, random_detectors, same, square, turned

from beamkit.core.errors import (
    MetadataError,
    ParameterError,
    UnknownNameError,
    UnreadableFileError,
    WriteError,
)
from beamkit.diffraction import Geometry

DETECTORS = random_detectors(10)


def through_poni(geometry, folder, orientation=3):
    geometry.to_poni(folder / "a.poni", orientation=orientation)
    return Geometry.from_poni(folder / "a.poni")


def through_dials(geometry, folder):
    geometry.to_dials(folder / "a.expt")
    return Geometry.from_dials(folder / "a.expt")


def through_nexus(geometry, folder):
    geometry.to_nexus(folder / "a.nxs")
    return Geometry.from_nexus(folder / "a.nxs")


def through_xds(geometry, folder):
    geometry.to_xds(folder / "XDS.INP")
    return Geometry.from_xds(folder / "XDS.INP")


@pytest.mark.parametrize("geometry", DETECTORS, ids=lambda g: f"{g.tilt:.0f}deg")
@pytest.mark.parametrize("through", [through_poni, through_dials, through_nexus, through_xds])
def test_round_trip_keeps_the_detector_in_its_place(geometry, through, tmp_path):
    again = through(geometry, tmp_path)
    assert same(geometry, again)
    assert again.shape == SHAPE


@pytest.mark.parametrize("geometry", DETECTORS[:4], ids=lambda g: f"{g.tilt:.0f}deg")
@pytest.mark.parametrize("orientation", [1, 2, 4])
def test_round_trip_through_every_orientation(geometry, orientation, tmp_path):
    assert same(geometry, through_poni(geometry, tmp_path, orientation))


@pytest.mark.parametrize("geometry", DETECTORS, ids=lambda g: f"{g.tilt:.0f}deg")
def test_a_detector_handed_round_comes_home(geometry, tmp_path):
    again = geometry
    for through in (through_poni, through_nexus, through_dials, through_xds):
        again = through(again, tmp_path)
    attrs = square().to_attrs() | again.to_attrs()
    assert same(
        geometry,
        Geometry(
            *(attrs[f"detector_{n}"] for n in ("origin", "fast_axis", "slow_axis")),
            *PIXEL,
            SHAPE,
            attrs["wavelength"],
        ),
    )


def test_a_mirrored_detector_passes_where_the_format_has_vectors(tmp_path):
    mirrored = turned((1, 2, -0.5), 25, shape=SHAPE)
    mirrored = Geometry(**{**vars(mirrored), "fast": tuple(-np.array(mirrored.fast))})
    for through in (through_dials, through_nexus, through_xds):
        assert same(mirrored, through(mirrored, tmp_path))
    with pytest.raises(MetadataError, match="in a mirror"):
        mirrored.to_poni(tmp_path / "no.poni")
    assert not (tmp_path / "no.poni").exists()


class TestPoni:
    BODY = "Distance: 0.1\nPoni1: 0.02\nPoni2: 0.03\nRot1: 0.1\nRot2: -0.2\nRot3: 0.3\n"

    def write(self, folder, text):
        path = folder / "made.poni"
        path.write_text(text)
        return path

    def test_version_1_has_pixel_sizes_by_name(self, tmp_path):
        head = "# old\nPixelSize1: 0.0003\nPixelSize2: 0.0001\n"
        geometry = Geometry.from_poni(
            self.write(tmp_path, head + self.BODY + "Wavelength: 4e-11\n")
        )
        assert (geometry.pixel_size_x, geometry.pixel_size_y) == (1e-4, 3e-4)
        assert geometry.wavelength == pytest.approx(0.4)
        assert tuple(geometry.poni) == pytest.approx((0.1, 0.02, 0.03, 0.1, -0.2, 0.3))

    def test_last_calibration_of_a_file_counts(self, tmp_path):
        head = "PixelSize1: 0.0003\nPixelSize2: 0.0001\n"
        path = self.write(
            tmp_path, head + self.BODY + head + self.BODY.replace("0.1\n", "0.25\n", 1)
        )
        assert Geometry.from_poni(path).poni.distance == pytest.approx(0.25)

    @pytest.mark.parametrize(
        ("name", "shape", "pixel"),
        [("Pilatus1M", (1043, 981), 172e-6), ("Eiger2CdTe_4M", (2162, 2068), 75e-6)],
    )
    def test_detectors_are_known_by_their_name_in_pyfai(self, tmp_path, name, shape, pixel):
        head = f'poni_version: 2.1\nDetector: {name}\nDetector_config: {{"orientation": 2}}\n'
        geometry = Geometry.from_poni(self.write(tmp_path, head + self.BODY))
        assert (geometry.shape, geometry.pixel_size_x) == (shape, pixel)
        assert geometry.assumed == ()

    def test_what_is_not_applied_is_listed(self, tmp_path):
        head = "poni_version: 3\nDetector: Pilatus1M\nParallax: True\nsplinefile: a.spline\n"
        assumed = Geometry.from_poni(self.write(tmp_path, head + self.BODY)).assumed
        assert [line.split(":")[0] for line in assumed] == [
            "detector_fast_axis", "parallax", "distortion",
        ]  # fmt: skip

    def test_unknown_detector_asks_for_its_pixels(self, tmp_path):
        path = self.write(tmp_path, "poni_version: 2\nDetector: Odd\n" + self.BODY)
        with pytest.raises(MetadataError, match="pixel_size="):
            Geometry.from_poni(path)
        geometry = Geometry.from_poni(path, pixel_size=PIXEL, shape=SHAPE)
        assert (geometry.pixel_size_x, geometry.shape) == (PIXEL[0], SHAPE)

    def test_orientation_without_shape_asks_for_it(self, tmp_path):
        text = 'Detector_config: {"pixel1": 1e-4, "pixel2": 1e-4, "orientation": 1}\n' + self.BODY
        with pytest.raises(MetadataError, match=r"shape=\(rows, columns\)"):
            Geometry.from_poni(self.write(tmp_path, text))

    @pytest.mark.parametrize(
        ("text", "match"),
        [
            ("hello: there\n", "Distance"),
            (BODY.replace("0.02", "low"), "Poni1 is low"),
            ("Detector_config: {\n" + BODY, "not JSON"),
            ("PixelSize1: wide\n" + BODY, "Pixelsize1 is wide"),
        ],
    )
    def test_what_is_no_poni_file_is_said(self, tmp_path, text, match):
        head = "PixelSize1: 0.0003\nPixelSize2: 0.0001\n"
        with pytest.raises(UnreadableFileError, match=match):
            Geometry.from_poni(self.write(tmp_path, head + text))

    def test_missing_file_and_unknown_orientation_are_named(self, tmp_path):
        with pytest.raises(UnreadableFileError, match=r"gone\.poni"):
            Geometry.from_poni(tmp_path / "gone.poni")
        with pytest.raises(ParameterError, match="orientation=5"):
            square().to_poni(tmp_path / "a.poni", orientation=5)

    def test_detector_along_the_beam_has_finite_numbers(self, tmp_path):
        # rot2 = 90 deg: rot1 and rot3 turn about the same axis, and rot1 is taken as 0.
        geometry = turned((-1, 0, 0), 90)
        assert same(geometry, through_poni(geometry, tmp_path))


class TestFit2D:
    def test_round_trip_where_rot3_is_0(self, tmp_path):
        generator = np.random.default_rng(7)
        for tilt, turn in zip(
            generator.uniform(0.001, 60, 10), generator.uniform(-179, 179, 10), strict=True
        ):
            numbers = {
                "center_x": 31.5, "center_y": 12.25, "distance": 150.0, "tilt": tilt,
                "tilt_plane_rotation": turn, "pixel_x": 172.0, "pixel_y": 230.0, "wavelength": 0.7,
            }  # fmt: skip
            geometry = Geometry.from_fit2d(**numbers)
            assert geometry.to_fit2d() == pytest.approx(numbers, rel=1e-9)
            assert same(geometry, Geometry.from_fit2d(**geometry.to_fit2d()))

    def test_untilted_detector_has_its_center_in_pixels(self):
        numbers = square().to_fit2d()
        assert (numbers["center_x"], numbers["center_y"]) == pytest.approx((23.7, 51.2))
        assert (numbers["tilt"], numbers["tilt_plane_rotation"]) == (0, 0)
        assert numbers["distance"] == pytest.approx(21)

    def test_turn_about_the_beam_is_refused(self):
        with pytest.raises(MetadataError, match="Fit2D cannot hold rot3"):
            turned((0, 0, 1), 3).to_fit2d()


class TestDials:
    @pytest.fixture
    def two_panels(self):
        """Two panels on a group that stands 100 mm off and is turned by 90 deg about z."""
        held = square().to_dials()
        panel = {**held["detector"][0]["panels"][0], "fast_axis": [1.0, 0.0, 0.0]}
        panel.update(slow_axis=[0.0, 1.0, 0.0], origin=[3.0, 0.0, 0.0], name="left")
        right = {**panel, "origin": [-4.0, 0.0, 0.0], "name": "right", "raw_image_offset": [10, 20]}
        group = {"fast_axis": [0.0, 1.0, 0.0], "slow_axis": [-1.0, 0.0, 0.0]}
        group.update(origin=[0.0, 0.0, -100.0], children=[{"panel": 0}, {"panel": 1}])
        root = {**held["detector"][0]["hierarchy"], "children": [group]}
        held["detector"] = [{"panels": [panel, right], "hierarchy": root}]
        return held

    def test_panel_stands_on_its_group(self, two_panels):
        # imgCIF: origin (0, 3, -100) mm, fast +y, slow -x; beamkit: x and z the other way.
        left = Geometry.from_dials(two_panels, panel="left")
        assert left.origin == pytest.approx((0, 3e-3, 0.1))
        assert (left.fast, left.slow) == (pytest.approx((0, 1, 0)), pytest.approx((1, 0, 0)))

    def test_positions_count_on_the_whole_image(self, two_panels):
        right = Geometry.from_dials(two_panels, panel=1)
        assert right.position(10, 20) == pytest.approx((0, -4e-3, 0.1))
        assert right.shape == (SHAPE[0] + 20, SHAPE[1] + 10)

    def test_several_panels_ask_for_one(self, two_panels):
        with pytest.raises(ParameterError, match="2 panels, left, right"):
            Geometry.from_dials(two_panels)
        with pytest.raises(ParameterError, match="panel='up' is none of"):
            Geometry.from_dials(two_panels, panel="up")

    def test_beam_off_the_axis_becomes_the_axis(self):
        held = square().to_dials()
        held["beam"][0]["direction"] = [0.02, -0.01, 0.9997]
        geometry = Geometry.from_dials(held)
        # What DIALS says, in its own frame: where the ray -direction meets the panel.
        panel = held["detector"][0]["panels"][0]
        columns = np.column_stack([panel["fast_axis"], panel["slow_axis"], [0.02, -0.01, 0.9997]])
        x, y, _ = np.linalg.solve(columns, -np.array(panel["origin"]))
        assert geometry.beam_center[:2] == pytest.approx((x * 1e-3 / PIXEL[0], y * 1e-3 / PIXEL[1]))

    def test_several_experiments_are_counted(self):
        with pytest.raises(ParameterError, match="no experiment 1"):
            Geometry.from_dials(square().to_dials(), experiment=1)

    @pytest.mark.parametrize(
        ("place", "error", "match"),
        [
            ("wavelength", UnreadableFileError, "experiment list"),
            ("direction", MetadataError, "beam direction is 'x'"),
        ],
    )
    def test_numbers_that_are_none_are_said(self, place, error, match):
        held = square().to_dials()
        held["beam"][0][place] = "x"
        with pytest.raises(error, match=match):
            Geometry.from_dials(held)

    def test_beam_the_other_way_is_turned_about_y(self):
        held = square().to_dials()
        held["beam"][0]["direction"] = [0.0, 0.0, -1.0]
        geometry = Geometry.from_dials(held)
        assert geometry.origin[2] == pytest.approx(-square().origin[2])

    @pytest.mark.parametrize("text", ["{", "[]", '{"experiment": [{"beam": 0, "detector": 0}]}'])
    def test_what_is_no_experiment_list_is_said(self, tmp_path, text):
        (tmp_path / "a.expt").write_text(text)
        with pytest.raises(UnreadableFileError, match="dials.import"):
            Geometry.from_dials(tmp_path / "a.expt")

    def test_unknown_wavelength_and_shape_cannot_be_written(self):
        with pytest.raises(MetadataError, match="wavelength and the shape"):
            square(wavelength=None, shape=None).to_dials()

    def test_what_is_written_is_json(self, tmp_path):
        square().to_dials(tmp_path / "a.expt")
        assert json.loads((tmp_path / "a.expt").read_text())["__id__"] == "ExperimentList"


class TestXds:
    #: A usual file; the beam meets the detector at ORG - 0.5, counted from the corner.
    TEXT = """\
! a comment with ORGX= 1
 DETECTOR=PILATUS MINIMUM_VALID_PIXEL_VALUE=0  OVERLOAD=1048575 !cut
 NX=61 NY=83 QX=0.172  QY=0.230
 ORGX= 24.2 ORGY= 51.7
 DETECTOR_DISTANCE= 21.0
 DIRECTION_OF_DETECTOR_X-AXIS= 1.0 0.0 0.0
 DIRECTION_OF_DETECTOR_Y-AXIS= 0.0 1.0 0.0
 INCIDENT_BEAM_DIRECTION=0.0 0.0 1.0
 X-RAY_WAVELENGTH= 0.9173
 UNIT_CELL_CONSTANTS= 1 2 3 90 90 90
"""

    def test_usual_file_is_a_square_detector(self, tmp_path):
        (tmp_path / "XDS.INP").write_text(self.TEXT)
        geometry = Geometry.from_xds(tmp_path / "XDS.INP")
        assert same(geometry, square())
        assert geometry.shape == SHAPE

    def test_refined_file_is_known_by_its_first_line(self, tmp_path):
        rows = [
            " XPARM.XDS    VERSION Jan 10, 2022  BUILT=20220220",
            "     1   0.0000  0.1000  0.999995 -0.002 -0.001",
            "  0.917300   0.000000  0.000000  1.090156",
            "   197  60.0 60.0 60.0 90.0 90.0 90.0",
            *["  1.0 0.0 0.0"] * 3,
            "   1   61   83   0.172000   0.230000",
            "   24.2   51.7   21.0",
            "   1.0 0.0 0.0",
            "   0.0 1.0 0.0",
            "   0.0 0.0 1.0",
        ]
        (tmp_path / "GXPARM.XDS").write_text("\n".join(rows))
        assert same(Geometry.from_xds(tmp_path / "GXPARM.XDS"), square())

    @pytest.mark.parametrize("beam", [(0.03, -0.02, 1.0), (0.03, -0.02, -1.0), (0.9, 0.1, 0.2)])
    def test_two_theta_does_not_depend_on_the_frame(self, beam):
        direction = np.array(beam) / np.linalg.norm(beam)
        fast, slow, distance, org = (
            np.array([0.6, 0, 0.8]),
            np.array([0.0, 1, 0]),
            -40.0,
            (9.5, 7.5),
        )
        geometry = Geometry.from_xds({
            "ORGX": org[0], "ORGY": org[1], "QX": 0.1, "QY": 0.2, "DETECTOR_DISTANCE": distance,
            "DIRECTION_OF_DETECTOR_X-AXIS": fast, "DIRECTION_OF_DETECTOR_Y-AXIS": slow,
            "INCIDENT_BEAM_DIRECTION": beam,
        })  # fmt: skip
        # Kabsch's own formula, pixel (30, 40) counted from 1 at the centres.
        ray = (
            (30 - org[0]) * 0.1 * fast
            + (40 - org[1]) * 0.2 * slow
            + distance * np.cross(fast, slow)
        )
        cosine = ray @ direction / np.linalg.norm(ray)
        assert np.cos(np.radians(geometry.two_theta(29.5, 39.5))) == pytest.approx(
            cosine, abs=1e-12
        )

    def test_everything_wrong_is_said_at_once(self):
        with pytest.raises(MetadataError, match=r"ORGX and ORGY and .* missing; QX= wide"):
            Geometry.from_xds({"QX": "wide", "QY": 0.1})

    def test_segments_are_refused(self, tmp_path):
        (tmp_path / "XDS.INP").write_text(self.TEXT + "SEGMENT= 1 10 1 20\n")
        with pytest.raises(MetadataError, match="several segments"):
            Geometry.from_xds(tmp_path / "XDS.INP")

    def test_damaged_refined_file_is_said(self, tmp_path):
        (tmp_path / "XPARM.XDS").write_text("XPARM.XDS\n 1 2 3\n")
        with pytest.raises(UnreadableFileError, match=r"Give XDS\.INP"):
            Geometry.from_xds(tmp_path / "XPARM.XDS")


class TestNexus:
    def test_detector_is_written_into_an_open_group(self, tmp_path):
        geometry = turned((1, 2, -0.5), 25)
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file.create_group("entry").attrs["NX_class"] = "NXentry"
            geometry.to_nexus(file.create_group("entry/pilatus"))
            assert file["entry/pilatus"].attrs["NX_class"] == "NXdetector"
            with pytest.raises(WriteError, match="Give an empty group"):
                geometry.to_nexus(file["entry/pilatus"])
        again = Geometry.from_nexus(tmp_path / "a.h5", detector="pilatus")
        assert same(geometry.with_wavelength(1), again.with_wavelength(1))
        assert again.wavelength is None

    def test_fields_are_those_of_nexus(self, tmp_path):
        square().to_nexus(tmp_path / "a.nxs")
        with h5py.File(tmp_path / "a.nxs") as file:
            detector = file["entry/instrument/detector"]
            assert detector["beam_center_x"][()] == pytest.approx(23.7)
            assert detector["distance"].attrs["units"] == "m"
            fast = detector["module/fast_pixel_direction"]
            assert fast[()] == PIXEL[0]
            np.testing.assert_array_equal(fast.attrs["vector"], (-1, 0, 0))
            assert file[fast.attrs["depends_on"]].attrs["depends_on"] in file
            assert file["entry/instrument/beam/incident_wavelength"][()] == 0.9173

    def test_several_detectors_ask_for_one(self, tmp_path):
        with h5py.File(tmp_path / "a.h5", "w") as file:
            for name in ("one", "two"):
                square().to_nexus(file.create_group(f"entry/{name}"))
        with pytest.raises(ParameterError, match="entry/one, /entry/two. Choose one"):
            Geometry.from_nexus(tmp_path / "a.h5")
        with pytest.raises(UnknownNameError, match="/entry/two"):
            Geometry.from_nexus(tmp_path / "a.h5", detector="tow")

    def test_counters_are_no_choice(self, tmp_path):
        square().to_nexus(tmp_path / "a.nxs")
        with h5py.File(tmp_path / "a.nxs", "a") as file:
            file.create_group("entry/instrument/counter").attrs["NX_class"] = "NXdetector"
        assert same(Geometry.from_nexus(tmp_path / "a.nxs"), square())

    def test_detector_without_place_says_what_is_missing(self, tmp_path):
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file.create_group("entry/bare").attrs["NX_class"] = "NXdetector"
        with pytest.raises(MetadataError, match="detector_origin, .* missing"):
            Geometry.from_nexus(tmp_path / "a.h5")

    def test_detector_beyond_90_deg_is_kept_without_beam_center(self, tmp_path):
        geometry = turned((-1, 0, 0), 120)
        assert same(geometry, through_nexus(geometry, tmp_path))

    def test_damaged_file_is_our_error(self, tmp_path):
        (tmp_path / "a.nxs").write_bytes(b"\x89HDF\r\n\x1a\nrubbish")
        with pytest.raises(UnreadableFileError, match=r"a\.nxs"):
            Geometry.from_nexus(tmp_path / "a.nxs")
