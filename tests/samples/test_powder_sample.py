"""The simulated powder frame is what its truth says, computed here in another way."""

from __future__ import annotations

import fabio
import numpy as np
import pytest
import tifffile

from beamkit.core.errors import ParameterError, UnknownNameError
from beamkit.samples import powder
from beamkit.samples._calibrants import rings

# d spacings [angstrom] of the certificates (NIST SRM 674b, 660c, 640c; Huang 1993).
SPACINGS = {
    "CeO2": [3.124418, 2.705826, 1.913308, 1.631674, 1.562209, 1.352913],
    "LaB6": [4.156826, 2.939320, 2.399945, 2.078413, 1.858989, 1.697017, 1.469660, 1.385609],
    "Si": [3.135702, 1.920217, 1.637567, 1.357799, 1.246001, 1.108638, 1.045234, 0.960109],
    "AgBeh": [58.380, 29.190, 19.460, 14.595, 11.676, 9.730],
}
CLEAN = {"noise": False, "bad_pixels": 0, "hot_pixels": 0}


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return powder(tmp_path_factory.mktemp("powder") / "ceo2.tif")


def pyfai_coordinates(sample, x, y):
    """Return t1, t2, t3 of positions [pixel] by the formulas of pyFAI's documentation, rot3 = 0."""
    p1, p2 = y * 172e-6 - sample.poni1, x * 172e-6 - sample.poni2
    c1, s1 = np.cos(sample.rot1), np.sin(sample.rot1)
    c2, s2 = np.cos(sample.rot2), np.sin(sample.rot2)
    t1 = p1 * c2 + p2 * s1 * s2 - sample.dist * c1 * s2
    t2 = p2 * c1 + sample.dist * s1
    t3 = p1 * s2 - p2 * c2 * s1 + sample.dist * c1 * c2
    return t1, t2, t3


@pytest.mark.parametrize(
    ("calibrant", "wavelength", "count"),
    [("CeO2", 0.40663, 6), ("LaB6", 0.40663, 8), ("Si", 0.40663, 8), ("AgBeh", 1.0, 6)],
)
def test_spacings_are_those_of_the_certificate(calibrant, wavelength, count):
    found = rings(calibrant, wavelength, 30.0)
    spacings = np.array([ring.spacing for ring in found])
    np.testing.assert_allclose(spacings[:count], SPACINGS[calibrant], atol=1e-6)
    angles = np.deg2rad([ring.two_theta for ring in found])
    np.testing.assert_allclose(2 * spacings * np.sin(angles / 2), wavelength)
    assert max(ring.two_theta for ring in found) <= 30
    assert max(ring.intensity for ring in found) == 1


def test_ceo2_lines_are_where_a_beamline_calibrated_them(sample):
    # Dioptas, test_CalibrationModel, at this wavelength (0.406626 angstrom).
    expected = [7.4615, 8.6179, 12.199, 14.3148, 14.9549, 17.285, 18.8494, 19.3437]
    found = [ring.two_theta for ring in sample.rings][:8]
    np.testing.assert_allclose(found, expected, atol=0.003)


def test_poni_gives_the_same_angles_as_the_three_vectors(sample):
    rows, columns = sample.detector.shape
    t1, t2, t3 = pyfai_coordinates(
        sample, np.arange(columns)[None, :] + 0.5, np.arange(rows)[:, None] + 0.5
    )
    two_theta = np.rad2deg(np.arctan2(np.hypot(t1, t2), t3))
    np.testing.assert_allclose(sample.two_theta(), two_theta, atol=1e-6)
    np.testing.assert_allclose(sample.chi(), np.rad2deg(np.arctan2(t1, t2)), atol=1e-5)


def test_direct_beam_meets_the_detector_where_the_header_says(sample):
    assert sample.beam_center == pytest.approx((461.07, 573.65), abs=1e-4)
    t1, t2, t3 = pyfai_coordinates(sample, *sample.beam_center)
    assert (t1, t2, t3) == pytest.approx((0, 0, sample.detector_distance), abs=1e-9)
    # The foot of the perpendicular is another point: 0.02 rad of 0.21 m is 24 pixels.
    assert abs(sample.poni2 / 172e-6 - sample.beam_center[0]) == pytest.approx(24.4, abs=0.5)


def test_rings_crest_at_their_angle_all_around(tmp_path):
    sample = powder(tmp_path / "ceo2.tif", **CLEAN, background=0.0)
    image = tifffile.imread(sample).astype(float)
    two_theta, chi = sample.two_theta(), sample.chi()
    for ring in sample.rings[:3]:
        for start in (-170, -60, -10, 40, 110):  # between gaps
            near = np.abs(two_theta - ring.two_theta) < 1.5 * sample.ring_width
            near &= (chi > start) & (chi < start + 25) & (image >= 0)
            middle = (image * two_theta)[near].sum() / image[near].sum()
            # Fewer pixels on the inside of a ring, gaps through it: a tenth of a pixel (0.005 deg).
            assert middle == pytest.approx(ring.two_theta, abs=0.005)


def test_solid_angle_and_polarization_are_those_that_pyfai_corrects(tmp_path):
    sample = powder(
        tmp_path / "flat.tif", **CLEAN, detector="PILATUS 300K", intensity=0.0, background=10000.0
    )
    rows, columns = sample.detector.shape
    x, y = np.arange(columns)[None, :] + 0.5, np.arange(rows)[:, None] + 0.5
    t1, t2, t3 = pyfai_coordinates(sample, x, y)
    cosine = t3 / np.sqrt(t1**2 + t2**2 + t3**2)
    # pyFAI: Geometry.polarization and Geometry.solidAngleArray.
    chi = np.arctan2(t1, t2)
    factor = (1 + cosine**2 - 0.99 * np.cos(2 * chi) * (1 - cosine**2)) / 2
    away = np.hypot(x * 172e-6 - sample.poni2, y * 172e-6 - sample.poni1)
    factor *= np.cos(np.arctan(away / sample.dist)) ** 3
    np.testing.assert_allclose(sample.expected() / 10000, factor, rtol=1e-6)


def test_frame_has_noise_gaps_bad_and_hot_pixels(sample):
    image = fabio.open(str(sample.path)).data
    np.testing.assert_array_equal(image, sample.frame())
    np.testing.assert_array_equal(image == -1, sample.detector.layout.gaps())
    assert sorted(map(tuple, np.argwhere(image == -2))) == list(sample.detector.bad_pixels)
    assert sorted(map(tuple, np.argwhere(image > 2**20 - 1))) == list(sample.detector.hot_pixels)
    good = (image >= 0) & (image < 2**20)
    expected = sample.expected()[good]
    assert ((image[good] - expected) ** 2 / expected).mean() == pytest.approx(1, abs=0.01)


def test_tiff_has_the_tags_of_a_pilatus(sample):
    with tifffile.TiffFile(sample) as file:
        tags = file.pages[0].tags
        assert tags["Model"].value == "PILATUS 1M, S/N 00-0000, simulated"
        assert tags["DateTime"].value == "2026:01:15 09:30:00"
        lines = tags["ImageDescription"].value.split("\r\n")
    assert lines[0] == "# Pixel_size 172e-6 m x 172e-6 m"
    assert "# Detector_distance 0.21000 m" in lines
    assert "# Beam_xy (461.07, 573.65) pixels" in lines
    assert "# Wavelength 0.40663 A" in lines
    assert "# Polarization 0.990" in lines


def test_cbf_holds_the_same_frame(tmp_path):
    cbf = powder(tmp_path / "ceo2.cbf", detector="PILATUS 100K", format="cbf")
    np.testing.assert_array_equal(fabio.open(str(cbf.path)).data, cbf.frame())


def test_same_call_gives_the_same_bytes(tmp_path):
    options = {"detector": "PILATUS 100K"}
    first, second = (powder(tmp_path / name, **options) for name in ("a.tif", "b.tif"))
    other = powder(tmp_path / "c.tif", **options, seed=2)
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.path.read_bytes() != other.path.read_bytes()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"calibrant": "Lab6"}, UnknownNameError, "Did you mean 'LaB6'"),
        ({"format": "edf"}, UnknownNameError, "Known: cbf, tiff"),
        ({"detector": "PILATUS 1"}, UnknownNameError, "Did you mean 'PILATUS 1M'"),
        ({"wavelength": -1.0}, ParameterError, r"wavelength=-1\.0: a number above 0"),
        ({"intensity": -1.0}, ParameterError, r"intensity=-1\.0: 0 is the lowest"),
        ({"ring_width": 0.0}, ParameterError, r"ring_width=0\.0: a number above 0"),
    ],
)
def test_impossible_frame_is_refused(tmp_path, options, error, message):
    with pytest.raises(error, match=message):
        powder(tmp_path / "rings.tif", **options)
    assert not list(tmp_path.iterdir())
