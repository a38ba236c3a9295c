"""Calibration with real images: the references are other programs' (PROVENANCE.md)."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

import beamkit as bk
from beamkit.diffraction import calibrate, radial_profile
from beamkit.diffraction.poni import Poni, place

#: CeO2_Pilatus1M.poni, by Dioptas, which turns the image upside down first.
CERIA = Poni(
    0.208651380603, 0.0872948482846, 0.0799601126306, -0.0184422457059, 0.00413760084465, 0
)
WAVELENGTH = 0.4066


@pytest.fixture
def ceria(data_folder):
    return bk.open(data_folder / "powder" / "CeO2_Pilatus1M.tif")


def assert_is_reference(found):
    reference = place(CERIA, (172e-6, 172e-6), shape=(1043, 981)).beam_center
    here = found.geometry.beam_center
    assert here.distance == pytest.approx(reference.distance, rel=1e-3)
    assert np.hypot(here.x - reference.x, here.y - (1043 - reference.y)) < 0.5
    assert found.is_trusted


def test_ceria_from_its_header_gives_the_reference(ceria):
    assert_is_reference(calibrate(ceria, "CeO2", wavelength=WAVELENGTH))


@pytest.mark.parametrize("start", ["header", pytest.param("image", marks=pytest.mark.slow)])
def test_ceria_taken_for_silicon_is_not_trusted(ceria, start):
    # The rings of silicon are a part of those of ceria, but for 0.4 % in the spacing.
    wrong = calibrate(ceria, "Si", wavelength=WAVELENGTH, detector="PILATUS 1M", start=start)
    assert not wrong.is_trusted
    assert any("rings that the calibrant has not" in text for text in wrong.warnings)


@pytest.mark.slow
def test_ceria_from_image_calibrant_wavelength_and_detector_alone(ceria):
    image = ceria["image"].values[0]
    alone = calibrate(image, "CeO2", wavelength=WAVELENGTH, detector="PILATUS 1M")
    assert alone.start_from == "the image alone"
    assert_is_reference(alone)


@pytest.mark.slow
def test_silver_behenate_gives_the_curve_of_dawn(data_folder):
    folder = data_folder / "powder" / "i22-363061"
    data = bk.open(folder / "i22-363061.nxs")
    with h5py.File(folder / "i22-363061_mask.nxs") as file:
        mask = file["entry/mask/mask"][()].astype(bool)
    with h5py.File(folder / "i22-363061_processed.nxs") as file:
        q, curve = file["entry/result/q"][()], file["entry/result/data"][0, 0]
    # The header is 7 % off in distance.
    found = calibrate(data, "AgBeh", mask=mask, start="header")
    assert any("too few rings" in text for text in found.warnings)  # two are on the detector
    step = float(q[1] - q[0])
    image = data["frames"][0].load()
    ours = radial_profile(image, found.geometry, axis="q", step=step, mask=mask)
    intensity = np.interp(q, ours["q"], ours["intensity"])
    for low, high in ((0.095, 0.12), (0.205, 0.225)):
        near = (q > low) & (q < high)
        theirs, mine = (_middle(q[near], part[near]) for part in (curve, intensity))
        assert mine == pytest.approx(theirs, abs=0.5 * step)
    both = (curve > 0) & np.isfinite(intensity)
    assert np.corrcoef(curve[both], intensity[both])[0, 1] > 0.99999


def _middle(q, intensity):
    """Centre of gravity of what is above half height."""
    above = np.clip(intensity - (intensity.max() + intensity.min()) / 2, 0, None)
    return float((q * above).sum() / above.sum())


@pytest.mark.slow
def test_silver_behenate_with_the_beam_off_the_detector(data_folder):
    # The header's centre is unusable; PROVENANCE.md: 14.768 mm down and -0.932 mm across.
    data = bk.open(data_folder / "powder" / "AgBehenate_228.hdf5")
    found = calibrate(data, "AgBeh")
    here = found.geometry.beam_center
    assert (here.x, here.y) == pytest.approx((-0.93224 / 0.172, 14.76792 / 0.172), abs=1.0)
    assert here.distance == pytest.approx(0.5138, rel=0.01)
    assert found.is_trusted
