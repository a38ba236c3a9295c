"""Reference lines against closed forms, certified calibrants and structure factors by hand."""

from __future__ import annotations

import numpy as np
import pytest

from beamkit.core.errors import ParameterError, UnreadableFileError
from beamkit.diffraction import calibrant, reference_lines


@pytest.fixture(autouse=True)
def _gemmi(require):
    require("gemmi", "diffraction")


CERIA = """data_ceria
_cell_length_a 5.4116
_cell_length_b 5.4116
_cell_length_c 5.4116
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'F m -3 m'
_space_group_IT_number 225
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_U_iso_or_equiv
Ce Ce 0 0 0 0
O O 0.25 0.25 0.25 0
"""


@pytest.mark.parametrize(("name", "group"), [("CeO2", "F m -3 m"), ("Si 640c", "F d -3 m:1")])
def test_a_cubic_cell_has_the_lines_of_its_calibrant(name, group):
    known = calibrant(name, shortest=0.9)
    a = known.spacings[0] * np.sqrt(3)
    lines = reference_lines(a, 0.4, space_group=group, shortest=0.9)
    # Silicon's 222 and 442 are forbidden by the place of its atoms alone, not by the group.
    spacings = [d for d in lines.d.values if np.isclose(known.spacings, d, rtol=1e-6).any()]
    np.testing.assert_allclose(spacings, known.spacings, rtol=1e-9)
    np.testing.assert_allclose(lines.two_theta, 2 * np.rad2deg(np.arcsin(0.2 / lines.d)))


def test_multiplicities_are_those_of_the_cubic_class():
    lines = reference_lines(5.4116, space_group="F m -3 m", shortest=1.03)
    found = dict(zip(lines.hkl.values.tolist(), lines.multiplicity.values.tolist(), strict=True))
    assert found["111"] == 8
    assert found["200"] == 6
    assert found["311"] == 24
    both = next(key for key in found if "511" in key)
    assert ("333" in both, found[both]) == (True, 32)


def test_a_triclinic_cell_has_the_spacing_of_its_metric():
    cell = (4.1, 5.3, 6.7, 81.0, 97.0, 104.0)
    a, b, c, *angles = cell
    ca, cb, cg = np.cos(np.deg2rad(angles))
    metric = np.array(
        [[a * a, a * b * cg, a * c * cb], [a * b * cg, b * b, b * c * ca],
         [a * c * cb, b * c * ca, c * c]]
    )  # fmt: skip
    lines = reference_lines(cell, shortest=2.0)
    reciprocal = np.linalg.inv(metric)
    for hkl, d in zip(lines.hkl.values, lines.d.values, strict=True):
        index = [int(n) for n in (hkl.split() if " " in hkl else list(hkl))]
        assert d == pytest.approx(1 / np.sqrt(index @ reciprocal @ index), rel=1e-9)
    assert set(lines.multiplicity.values) == {2}


def test_intensities_of_ceria_are_its_structure_factors(tmp_path):
    import gemmi

    path = tmp_path / "ceria.cif"
    path.write_text(CERIA)
    lines = reference_lines(path, 0.4, shortest=1.0).set_index(line="hkl")
    # International Tables: 111 sees cerium alone, 200 cerium less two oxygens, 220 all of them.
    factors = {"111": (1, 0), "200": (1, -2), "220": (1, 2)}
    expected = {}
    for hkl, (cerium, oxygen) in factors.items():
        line = lines.sel(line=hkl)
        stol2 = 1 / (4 * float(line.d) ** 2)
        f = {name: gemmi.Element(name).it92.calculate_sf(stol2) for name in ("Ce", "O")}
        theta = np.deg2rad(float(line.two_theta)) / 2
        square = (cerium * f["Ce"] + oxygen * f["O"]) ** 2
        lorentz = 1 / (np.sin(theta) * np.sin(2 * theta))
        expected[hkl] = square * lorentz * int(line.multiplicity)
    for hkl in ("200", "220"):
        ratio = float(lines.intensity.sel(line=hkl) / lines.intensity.sel(line="111"))
        assert ratio == pytest.approx(expected[hkl] / expected["111"], rel=1e-3)
    assert float(lines.intensity.max()) == 100


def test_no_line_beyond_backscattering():
    lines = reference_lines(5.4116, 3.0, space_group=225, shortest=0.5)
    assert float(lines.d.min()) > 1.5
    assert np.isfinite(lines.two_theta).all()


def test_errors_say_what_to_do(tmp_path):
    with pytest.raises(ParameterError, match="cell .* is impossible"):
        reference_lines((5.0, 4.0))
    with pytest.raises(ParameterError, match="space group 'F x' is not known"):
        reference_lines(5.0, space_group="F x")
    with pytest.raises(ParameterError, match="shortest=0"):
        reference_lines(5.0, shortest=0)
    broken = tmp_path / "broken.cif"
    broken.write_text("no CIF at all {")
    with pytest.raises(UnreadableFileError, match="cannot be read as a CIF"):
        reference_lines(broken)
    with pytest.raises(UnreadableFileError, match="cannot be read"):
        reference_lines(tmp_path / "absent.cif")
