"""Calibrants against pyFAI's files and the numbers of the certificates."""

import numpy as np
import pytest

from beamkit.core.errors import (
    MetadataError,
    ParameterError,
    UnknownNameError,
    UnreadableFileError,
)
from beamkit.diffraction.calibrants import ALIASES, CALIBRANTS, Calibrant, calibrant, planes
from beamkit.diffraction.ice import ice_rings

# First spacings [angstrom] of the certificates, and of Huang et al. (1993) for silver behenate.
FIRST = {
    "AgBeh": [58.380, 29.190, 19.460, 14.595, 11.676, 9.730],
    "LaB6": [4.156826, 2.939320, 2.399945, 2.078413, 1.858989, 1.697017, 1.469660, 1.385609],
    "LaB6_SRM660a": [4.1569162],
    "LaB6_SRM660b": [4.15689],
    "Si": [3.135702, 1.920217, 1.637567, 1.357799, 1.246001, 1.108638, 1.045234, 0.960109],
    "Si 640d": [3.135722],
    "Si 640e": [3.135693],
    "CeO2": [3.124418, 2.705826, 1.913308, 1.631674, 1.562209, 1.352913],
    "Al2O3": [3.480294, 2.551139, 2.379678, 2.165385, 2.085568],
    "Ni": [2.034507, 1.761935],
    "Au": [2.354550, 2.039100],
}

#: Names in pyFAI of those that are wholly the same.
PEERS = [
    "LaB6", "LaB6_SRM660a", "LaB6_SRM660b", "LaB6_SRM660c", "Si", "Si_SRM640", "Si_SRM640a",
    "Si_SRM640b", "Si_SRM640c", "Si_SRM640d", "Si_SRM640e", "CeO2", "Ni", "Au", "Al", "Pt", "NaCl",
    "alpha_Al2O3_SRM676", "alpha_Al2O3_SRM676a_2008", "alpha_Al2O3_SRM676a_2015",
]  # fmt: skip


def peer_spacings(name, require) -> np.ndarray:
    """Return d of pyFAI's calibrant, descending, closest to 1e-8 angstrom."""
    found = require("pyFAI.calibrant", "diffraction").get_calibrant(name)
    return np.sort(np.asarray(found.dspacing, float))[::-1]


@pytest.mark.parametrize("name", FIRST)
def test_first_spacings_are_those_of_the_certificate(name):
    found = calibrant(name).spacings[: len(FIRST[name])]
    np.testing.assert_allclose(found, FIRST[name], rtol=0, atol=6e-7)


@pytest.mark.parametrize("name", PEERS)
def test_every_ring_is_that_of_pyfai(name, require):
    expected = peer_spacings(name, require)
    expected = expected[expected > 0.3]
    found = calibrant(name, shortest=expected[-1] - 1e-5).spacings
    # Half a unit of the eighth decimal that pyFAI's files have.
    np.testing.assert_allclose(found, expected, rtol=0, atol=6e-9)


def test_silver_behenate_has_25_orders(require):
    found = calibrant("AgBh")
    assert len(found) == 25
    np.testing.assert_allclose(found.spacings, peer_spacings("AgBh", require)[:25], atol=6e-9)
    assert found.labels[0] == "001"
    assert found.labels[9] == "0 0 10"


def test_eskolaite_has_the_rings_of_pyfai_and_the_weak_ones(require):
    expected = peer_spacings("Cr2O3", require)
    found = np.array(calibrant("Cr2O3", shortest=0.8).spacings)
    far = [d for d in expected if d > 0.8 and np.abs(found - d).min() > 1e-7 * d]
    # pyFAI's file lists one that no plane has: 0.93964441 (h h -2h l) with l odd.
    np.testing.assert_allclose(far, [0.93964441])


def test_multiplicities_count_every_plane():
    # Cubic: 100, 110, 111, 200, 210, 211, 220, and 300 together with 221.
    found = [plane.multiplicity for plane in planes("LaB6", 1.38)]
    assert found == [6, 12, 8, 6, 24, 24, 12, 30]
    # Corundum: 012, 104, 110, 006, 113 (International Tables, point group -3m).
    assert [plane.multiplicity for plane in planes("Al2O3", 2.08)] == [6, 6, 6, 2, 12]


def test_labels_are_the_indices_in_use():
    assert calibrant("Al2O3").labels[:8] == ("012", "104", "110", "006", "113", "202", "024", "116")
    assert calibrant("CeO2").labels[:5] == ("111", "200", "220", "311", "222")
    assert calibrant("Si").labels[:4] == ("111", "220", "311", "400")


def test_every_name_and_alias_is_known_in_any_spelling():
    for name in (*CALIBRANTS, *ALIASES):
        assert calibrant(name) == calibrant(name.upper().replace(" ", "_"))
    assert calibrant("LaB6 SRM 660c") == calibrant("lab6")
    with pytest.raises(UnknownNameError, match="no calibrant 'LaB7'.*Did you mean 'LaB6'"):
        calibrant("LaB7")


def test_bragg_angles_and_q():
    ceria = calibrant("CeO2", shortest=1.35)
    # Dioptas, test_CalibrationModel, at 0.406626 angstrom.
    expected = [7.4615, 8.6179, 12.199, 14.3148, 14.9549, 17.285]
    np.testing.assert_allclose(ceria.two_theta(0.406626), expected, atol=0.003)
    np.testing.assert_allclose(ceria.q() * np.asarray(ceria.spacings), 2 * np.pi)
    assert ceria.two_theta(5.0)[0] == pytest.approx(np.rad2deg(2 * np.arcsin(5 / 2 / 3.124418)))
    assert np.isnan(ceria.two_theta(6.0)[1:]).all()  # 6/2 is above 2.706
    with pytest.raises(MetadataError, match="wavelength is 0"):
        ceria.two_theta(0.0)


def test_shortest_and_within_limit_the_rings():
    assert min(calibrant("LaB6", shortest=1.0).spacings) >= 1.0
    assert calibrant("LaB6").within(2.0, 3.0).labels == ("110", "111", "200")
    assert len(calibrant("LaB6").within(9.0)) == 0
    assert len(calibrant("Ni", shortest=5.0)) == 0
    with pytest.raises(ParameterError, match="must be above 0"):
        calibrant("LaB6", shortest=0.0)


class TestOwnSpacings:
    def test_are_sorted_and_counted_once(self):
        own = Calibrant.from_spacings([2.0, 3.5, 2.0], labels=["b", "a", "c"], name="mine")
        assert own.spacings == (3.5, 2.0)
        assert own.labels == ("a", "b")
        assert Calibrant.from_spacings([2.0, 3.5]).labels == ("3.500", "2.000")

    @pytest.mark.parametrize("spacings", [[], [1.0, -2.0], [np.nan], [0.0], [np.inf]])
    def test_impossible_ones_are_refused(self, spacings):
        with pytest.raises(ParameterError, match="each above 0 angstrom"):
            Calibrant.from_spacings(spacings)

    def test_labels_must_be_as_many(self):
        with pytest.raises(ParameterError, match="2 spacings but 1 labels"):
            Calibrant.from_spacings([1.0, 2.0], labels=["a"])
        with pytest.raises(ParameterError, match="1 spacings but 0 labels"):
            Calibrant("x", (1.0,), (), "")

    def test_are_read_from_a_file(self, tmp_path):
        path = tmp_path / "mine.D"
        path.write_text("# a comment\n\n 3.25 # (1 1 1) 8 100.0\n 1.5e0 # (2 -1 10)\n2.25 4\n")
        own = Calibrant.from_file(path)
        assert own == Calibrant("mine", (3.25, 2.25, 1.5), ("111", "2.250", "2 -1 10"), "mine.D")

    def test_files_of_pyfai_are_read(self, require):
        pyfai = require("pyFAI", "diffraction")
        from pathlib import Path

        files = sorted(Path(pyfai.__file__).parent.glob("resources/calibration/*.D"))
        assert len(files) > 30
        for file in files:
            expected = np.unique(peer_spacings(file.stem, require))[::-1]
            np.testing.assert_allclose(Calibrant.from_file(file).spacings, expected, rtol=1e-12)

    def test_files_without_spacings_are_refused(self, tmp_path):
        path = tmp_path / "bad.D"
        path.write_text("# nothing\n")
        with pytest.raises(UnreadableFileError, match="holds no d spacing among its 1 lines"):
            Calibrant.from_file(path)
        path.write_text("3.1\nhkl 2.0\n")
        with pytest.raises(UnreadableFileError, match="line 2 is 'hkl 2.0'"):
            Calibrant.from_file(path)
        path.write_text("3.1\n-2.0\n")
        with pytest.raises(UnreadableFileError, match="line 2"):
            Calibrant.from_file(path)
        with pytest.raises(UnreadableFileError, match=r"gone.D cannot be read: No such file"):
            Calibrant.from_file(tmp_path / "gone.D")


def test_ice_rings_are_those_that_crystallographers_exclude():
    # The list in use at MX beamlines [angstrom] (Garman & Schneider, J. Appl. Cryst. 30, 211
    # (1997)), of ice a little warmer or colder than the cell here.
    published = [3.897, 3.669, 3.441, 2.671, 2.249, 2.072, 1.948, 1.918, 1.883, 1.721]
    found = ice_rings(shortest=1.70)
    np.testing.assert_allclose(found.spacings, published, atol=0.002)
    assert found.labels[0] == "ice 100"
    # What DIALS computes for 112 of this cell: 1/d^2 = 4/a^2 + 4/c^2.
    assert found.spacings[7] == pytest.approx((4 / 4.498**2 + 4 / 7.338**2) ** -0.5)
