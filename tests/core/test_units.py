import pytest

from beamkit.core import units
from beamkit.core.errors import MetadataError


@pytest.mark.parametrize(
    ("value", "unit", "to", "expected"),
    [
        (172, "um", "m", 172e-6),
        (1.2, "mm", "m", 1.2e-3),
        (12400, "eV", "keV", 12.4),
        (180, "Degrees", "deg", 180),
        (3.141592653589793, "rad", "deg", 180),
        (250, "ms", "s", 0.25),
        (0.1, "nm", "angstrom", 1.0),
    ],
)
def test_units_of_files_become_those_of_the_vocabulary(value, unit, to, expected):
    assert units.convert(value, unit, to) == pytest.approx(expected, rel=1e-14)


def test_an_unknown_unit_and_a_wrong_one_are_refused():
    with pytest.raises(MetadataError, match="'furlong' is not known"):
        units.convert(1, "furlong", "m")
    with pytest.raises(MetadataError, match="different things"):
        units.convert(1, "eV", "m")


def test_energy_and_wavelength_are_inverse():
    # CODATA: h c = 12.398419843 keV angstrom.
    assert units.energy_from_wavelength(1.0) == pytest.approx(12.398419843, rel=1e-9)
    assert units.wavelength_from_energy(12.398419843) == pytest.approx(1.0, rel=1e-9)


@pytest.mark.parametrize("bad", [0, -1, float("nan")])
def test_impossible_energies_and_wavelengths_are_refused(bad):
    with pytest.raises(MetadataError, match="above 0"):
        units.wavelength_from_energy(bad)
    with pytest.raises(MetadataError, match="above 0"):
        units.energy_from_wavelength(bad)
