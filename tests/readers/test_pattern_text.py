"""Patterns as text."""

import numpy as np
import pytest
from readers.conformance import ReaderConformance

import beamkit as bk
from beamkit.core.errors import UnknownNameError, UnreadableFileError

ROWS = "".join(f"{0.5 + 0.25 * n:.4f} {100 + 7 * n % 31:.1f} {9 + n % 3:.2f}\n" for n in range(40))
HEAD = "# == pyFAI calibration ==\n# Distance Sample to Detector: 0.2 m\n#\n"


def write(path, text):
    path.write_text(text)
    return path


class TestPatternText(ReaderConformance):
    format = "pattern_text"
    flips = 20
    is_lazy = False
    may_be_shorter = True

    @pytest.fixture
    def example(self, tmp_path):
        return write(tmp_path / "a.xye", "# points: 40\n# 2th_deg  I  sigma\n" + ROWS)


class TestChi(TestPatternText):
    @pytest.fixture
    def example(self, tmp_path):
        head = "ceria run 7\n2-Theta Angle (Degrees)\nIntensity\n       40\n"
        return write(tmp_path / "a.chi", head + ROWS)


@pytest.mark.parametrize(
    ("line", "axis", "first", "unit"),
    [
        ("# 2th_deg\t I", "two_theta", 0.5, "deg"),
        ("# 2th_rad  I  sigma", "two_theta", np.rad2deg(0.5), "deg"),
        ("#  q_A^-1   I", "q", 0.5, "1/angstrom"),
        ("#  q_nm^-1   I   sigma", "q", 0.05, "1/angstrom"),
        ("# q(A^-1)  I(q)  dI", "q", 0.5, "1/angstrom"),
        ("# q  I  sigma", "q", 0.5, "1/angstrom"),
        ("# r_mm  I", "radius", 0.5, "mm"),
        ("# d*2_A^-2  I", "inverse_d_squared", 0.5, "1/angstrom^2"),
        ("# 2theta[deg]  intensity", "two_theta", 0.5, "deg"),
    ],
)
def test_axis_is_what_the_last_line_of_the_header_names(line, axis, first, unit, tmp_path):
    data = bk.open(write(tmp_path / "a.dat", f"{HEAD}{line}\n{ROWS}"))
    assert data.intensity.dims == (axis,)
    assert float(data[axis][0]) == pytest.approx(first)
    assert data[axis].attrs["units"] == unit
    assert "assumed" not in data.attrs


@pytest.mark.parametrize(
    ("name", "axis"), [("a.xye", "two_theta"), ("a.xy", "two_theta"), ("a.dat", "q")]
)
def test_axis_that_is_not_said_is_assumed_in_words_and_can_be_given(name, axis, tmp_path):
    path = write(tmp_path / name, ROWS)
    data = bk.open(path)
    assert data.intensity.dims == (axis,)
    assert "does not say what its first column is" in data.attrs["assumed"][0]
    given = bk.open(path, axis="q_nm^-1")
    assert float(given.q[0]) == pytest.approx(0.05)
    assert "assumed" not in given.attrs
    with pytest.raises(UnknownNameError, match="q_A"):
        bk.open(path, axis="energy")


def test_commas_and_windows_line_ends_are_read(tmp_path):
    text = "# q_A^-1 I sigma\r\n" + ROWS.replace(" ", ", ").replace("\n", "\r\n")
    data = bk.open(write(tmp_path / "a.dat", text))
    assert data.sizes["q"] == 40
    assert float(data.sigma[1]) == 10


def test_x_that_does_not_rise_is_an_error(tmp_path):
    path = write(tmp_path / "a.xy", "1.0 5.0\n3.0 6.0\n2.0 7.0\n")
    with pytest.raises(UnreadableFileError, match=r"a\.xy.*not rising"):
        bk.open(path)


def test_table_of_a_scan_stays_a_scan(tmp_path):
    path = write(tmp_path / "a.dat", "# Sample name: x\n# tth\tI0\tIt\n1.0\t2\t3\n2.0\t3\t4\n")
    assert bk.open(path).attrs["kind"] == "scan"


def test_reference_pattern_of_ceria_opens(data_folder):
    """1512 points in 2theta [deg]; first point of the file, PROVENANCE.md."""
    data = bk.open(data_folder / "powder/CeO2_Pilatus1M.xy")
    assert data.sizes["two_theta"] == 1512
    assert float(data.two_theta[0]) == pytest.approx(1.019698551e-2, rel=1e-9)
    assert float(data.intensity[0]) == pytest.approx(2.434518099, rel=1e-9)
    near = data.sel(two_theta=slice(7.3, 7.6))
    crest = float(near.two_theta[int(near.intensity.argmax("two_theta"))])
    assert crest == pytest.approx(7.4615, abs=0.0204)  # one bin


def test_reference_curve_of_silver_behenate_opens(data_folder):
    data = bk.open(data_folder / "powder/i22-363061/i22-363061_processed.nxs")
    assert data.attrs["kind"] == "pattern"
    assert data.sizes == {"q": 1797}


class TestOwnNexusPattern(ReaderConformance):
    format = "nexus"

    @pytest.fixture
    def example(self, tmp_path):
        path = write(tmp_path / "a.xye", "# points: 40\n# q_A^-1  I  sigma\n" + ROWS)
        bk.open(path).bk.save(tmp_path / "own.nxs")
        return tmp_path / "own.nxs"
