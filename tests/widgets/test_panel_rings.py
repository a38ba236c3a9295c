"""Rings and the place of the detector, without a browser."""

import os

import numpy as np
import pytest

from beamkit.core.errors import MetadataError, ParameterError, UnknownNameError
from beamkit.diffraction import Geometry, calibrant

if os.environ.get("BEAMKIT_REQUIRE_ALL") != "1":
    for package in ("ipywidgets", "anywidget"):
        pytest.importorskip(package, reason='needs: pip install "beamkit[lab]"')

from beamkit_widgets._rings import ring_message
from beamkit_widgets.viewer import ImageViewer
from widgets.panels import BEAM, ask, diffraction


@pytest.fixture
def viewer():
    return ImageViewer(diffraction())


def message(viewer):
    return ring_message(viewer.rings, viewer.geometry, viewer.source)


class TestRings:
    def test_the_menu_has_every_calibrant(self, viewer):
        content, _ = ask(viewer, "rings")
        assert {"AgBeh", "LaB6 660c", "CeO2"} <= set(content["calibrants"])

    def test_choosing_rings_is_state(self, viewer):
        ask(viewer, "rings", rings=["ice", "Si 640c", 3.5])
        assert viewer.rings == ("ice", "Si 640c", 3.5)

    def test_curves_lie_at_their_angle_on_the_crop(self, viewer):
        viewer.rings = (20.0,)
        content, arrays = message(viewer)
        (curve,) = content["curves"]
        assert curve["q"] == pytest.approx(2 * np.pi / 20)
        seen = np.isfinite(arrays["x0"])
        d = viewer.geometry.d(arrays["x0"][seen] + 120, arrays["y0"][seen] + 100)
        np.testing.assert_allclose(d, 20, rtol=1e-6)

    def test_rings_off_the_detector_are_told(self, viewer):
        viewer.rings = ("CeO2", 15.0, 0.4)
        content, _ = message(viewer)
        off = {ring["name"]: ring for ring in content["off"]}
        assert off["CeO2 111"]["d"] == pytest.approx(calibrant("CeO2").spacings[0])
        assert off["CeO2 111"]["why"] == "off the detector"
        assert off["0.4 Å"]["why"] == "d < λ/2"
        assert off["0.4 Å"]["twoTheta"] is None
        assert [ring["name"] for ring in content["curves"]] == ["15 Å"]

    def test_round_spacings_replace_spacings_and_keep_names(self, viewer):
        ask(viewer, "rings", rings=["ice", 1.234])
        ask(viewer, "rings", resolution=True)
        assert viewer.rings[0] == "ice"
        assert 1.234 not in viewer.rings
        assert len(viewer.rings) >= 4

    def test_an_unknown_calibrant_is_refused(self, viewer):
        with pytest.raises(UnknownNameError, match="calibrant"):
            ask(viewer, "rings", rings=["unobtainium"])


class TestPlace:
    def test_moving_the_beam_in_the_browser_moves_geometry_and_rings(self, viewer):
        viewer.rings = (20.0,)
        viewer._beam = [10.25, 33.5]  # on the array, which starts at column 120 and row 100
        assert viewer.beam_center == (130.25, 133.5)
        assert viewer.geometry.beam_center == pytest.approx((130.25, 133.5, 0.2227))
        assert message(viewer)[0]["beam"] == pytest.approx([10.25, 33.5])

    def test_a_cell_moves_the_beam_in_the_browser(self, viewer):
        viewer.beam_center = (160.5, 111.25)
        assert viewer._beam == pytest.approx([40.5, 11.25])
        assert viewer.beam_center == (160.5, 111.25)

    def test_wavelength_energy_and_distance(self, viewer):
        ask(viewer, "rings", wavelength=1.2)
        assert viewer.geometry.wavelength == 1.2
        ask(viewer, "rings", energy=12.398419843320026, distance=0.3)
        assert viewer.geometry.wavelength == pytest.approx(1.0)
        assert viewer.geometry.beam_center == pytest.approx((*BEAM, 0.3))
        assert viewer._info["geometry"]["energy"] == pytest.approx(12.398419843320026)
        assert viewer._info["geometry"]["distance"] == pytest.approx(0.3)

    def test_reset(self, viewer):
        ask(viewer, "rings", wavelength=1.2, beam=[3.0, 4.0])
        assert viewer.beam_center == (3.0, 4.0)
        ask(viewer, "rings", reset=True)
        assert viewer.geometry == Geometry.from_dataset(diffraction())
        assert viewer.beam_center == pytest.approx(BEAM)

    def test_another_geometry_is_taken_from_a_cell(self, viewer):
        viewer.geometry = Geometry.from_fit2d(
            center_x=170, center_y=140, distance=99, pixel_x=172, pixel_y=172, wavelength=0.5
        )
        assert viewer.beam_center == pytest.approx((170, 140))
        assert viewer._beam == pytest.approx([50, 40])
        assert viewer._info["geometry"]["wavelength"] == 0.5

    @pytest.mark.parametrize(("name", "value"), [("wavelength", -1), ("distance", 0)])
    def test_impossible_numbers_are_refused_and_change_nothing(self, viewer, name, value):
        before = viewer.geometry
        with pytest.raises((ParameterError, MetadataError), match="above 0"):
            ask(viewer, "rings", **{name: value})
        assert viewer.geometry == before

    def test_no_geometry_but_words(self, viewer):
        with pytest.raises(ParameterError, match=r"Geometry\.from_poni"):
            viewer.geometry = "L2.poni"


class TestUnknown:
    def test_without_wavelength_the_note_names_the_attribute(self):
        viewer = ImageViewer(diffraction(wavelength=None))
        viewer.rings = ("ice",)
        content, arrays = message(viewer)
        assert arrays == {}
        assert "wavelength" in content["notes"][0]

    def test_an_assumed_beam_is_listed_until_it_is_set(self):
        viewer = ImageViewer(diffraction(beam_center_x=None, beam_center_y=None))
        assert viewer._info["assumesBeam"]
        assert any("beam_center" in line for line in viewer._info["assumed"])
        viewer.beam_center = (140.0, 130.0)
        assert not viewer._info["assumesBeam"]

    def test_without_geometry_nothing_can_be_changed(self):
        viewer = ImageViewer(diffraction(wavelength=None, detector_distance=None))
        assert viewer.geometry is None
        assert viewer._info["noGeometry"]
        with pytest.raises(ParameterError, match="no geometry"):
            ask(viewer, "rings", wavelength=1.0)
        with pytest.raises(ParameterError, match="no beam centre"):
            viewer.beam_center = (1.0, 2.0)
        assert message(viewer)[0]["curves"] == []
