"""SPEC files: numbering, columns, choice of scan, cuts."""

from __future__ import annotations

import json

import numpy as np
import pytest
from readers.conformance import ReaderConformance

import beamkit as bk
from beamkit.core.errors import (
    BeamkitError,
    ParameterError,
    UnknownFormatError,
    UnknownNameError,
    UnreadableFileError,
)
from beamkit.core.schema import lines

FILE = """#F /data/a.spec
#E 1477696261
#D Sat Oct 29 01:11:01 2016
#O0 tth  th
#o0 tth th

#S {blank}3  ascan  th 0 1 2 0.1
#D Sat Oct 29 01:11:40 2016
#P0 149.5 141.725
#N 3
#L theta  I/I0  th
0 10 0.5
0.5 20 0.25
1 15 1e3

#S {blank}4  loopscan 2 0.1
#N 2
#L Time  det
0 1
0.1 2

#S {blank}3  ascan  th 5 6 9 0.1
#N 2
#L theta  det
5 11
6 22
"""


def write_spec(path, text=FILE, blank=""):
    path.write_text(text.replace("{blank}", blank))
    return path


class TestSpec(ReaderConformance):
    format = "spec"
    flips = 20
    is_lazy = False
    may_be_shorter = True

    @pytest.fixture
    def example(self, tmp_path):
        return write_spec(tmp_path / "a.spec", FILE[: FILE.index("#S {blank}4")])


def test_first_scan_is_the_default_and_all_are_listed(tmp_path):
    data = bk.open(write_spec(tmp_path / "a.spec"))
    np.testing.assert_array_equal(data.theta, [0, 0.5, 1])
    np.testing.assert_array_equal(data["I_I0"], [10, 20, 15])
    np.testing.assert_array_equal(data.th, [0.5, 0.25, 1e3])
    assert data.attrs["scans"] == [
        "3.1 ascan th 0 1 2 0.1",
        "4.1 loopscan 2 0.1",
        "3.2 ascan th 5 6 9 0.1",
    ]
    assert data.attrs["scan_command"] == "ascan th 0 1 2 0.1"
    assert data.attrs["start_time"] == "2016-10-29T01:11:40"
    assert not lines(data.attrs, "notes")


@pytest.mark.parametrize("blank", ["", " "])
@pytest.mark.parametrize(
    ("scan", "first"), [(3, 0), ("3", 0), ("3.1", 0), (4, 0), ("4.1", 0), ("3.2", 5), (-1, 5)]
)
def test_scan_is_chosen_by_number_or_key_however_many_blanks_stand_before_it(
    tmp_path, blank, scan, first
):
    data = bk.open(write_spec(tmp_path / "a.spec", blank=blank), scan=scan)
    name = "Time" if str(scan).startswith("4") else "theta"
    assert float(data[name][0]) == first


def test_motors_stay_in_the_header(tmp_path):
    header = json.loads(bk.open(write_spec(tmp_path / "a.spec")).attrs["header"])
    assert header["motors"] == {"tth": 149.5, "th": 141.725}
    assert header["scan"]["N"] == "3"


def test_scan_with_fewer_points_than_its_command_asks_for_says_so(tmp_path):
    data = bk.open(write_spec(tmp_path / "a.spec"), scan="3.2")
    assert any("2 of the 10 points" in note for note in data.attrs["notes"])


def test_unknown_scan_lists_those_that_are(tmp_path):
    with pytest.raises(UnknownNameError, match=r"'5'.*3\.1, 3\.2, 4\.1"):
        bk.open(write_spec(tmp_path / "a.spec"), scan=5)


def test_scan_must_be_a_number_or_a_key(tmp_path):
    with pytest.raises(ParameterError, match=r"scan=2\.5"):
        bk.open(write_spec(tmp_path / "a.spec"), scan=2.5)


def test_scan_without_points_is_an_error(tmp_path):
    text = FILE[: FILE.index("0 10 0.5")]
    with pytest.raises(UnreadableFileError, match=r"a\.spec"):
        bk.open(write_spec(tmp_path / "a.spec", text))


def test_file_without_a_scan_is_an_error(tmp_path):
    text = FILE[: FILE.index("#S")]
    with pytest.raises(UnreadableFileError, match=r"a\.spec"):
        bk.open(write_spec(tmp_path / "a.spec", text))


def test_console_log_is_no_spec_file(tmp_path):
    path = tmp_path / "log.spec"
    path.write_text("1.SPEC> ascan th 0 1 2 0.1\nScan 3 ...\n#  theta\n 0 0.5\n")
    with pytest.raises(UnknownFormatError, match="console log of SPEC"):
        bk.open(path)


def test_damaged_line_is_noted_not_dropped_in_silence(tmp_path):
    text = FILE.replace("0.5 20 0.25", "0.5 2")
    data = bk.open(write_spec(tmp_path / "a.spec", text))
    assert data.sizes["point"] == 2
    assert any("1 lines have not 3 cells, first '0.5 2'" in note for note in data.attrs["notes"])


def test_spectra_are_passed_over_and_noted(tmp_path):
    text = FILE.replace("0.5 20 0.25\n", "@A 1 2 3 \\\n 4 5 6\n0.5 20 0.25\n")
    data = bk.open(write_spec(tmp_path / "a.spec", text))
    np.testing.assert_array_equal(data.theta, [0, 0.5, 1])
    assert any("1 spectra" in note for note in data.attrs["notes"])


def test_labels_with_single_blanks_between_them_are_told_apart(tmp_path):
    text = FILE.replace("#L theta  I/I0  th", "#L theta I/I0 th")
    data = bk.open(write_spec(tmp_path / "a.spec", text))
    assert [data.theta.dims, *data.data_vars] == [("point",), "I_I0", "th"]


def test_labels_with_a_blank_inside_stay_whole(tmp_path):
    text = FILE.replace("#L theta  I/I0  th", "#L Two Theta  I/I0  th")
    assert "Two Theta" in bk.open(write_spec(tmp_path / "a.spec", text)).coords


def test_every_truncation_is_a_shorter_scan_or_an_error_that_names_the_file(tmp_path):
    text = FILE[: FILE.index("#S {blank}4") - 1]
    whole = bk.open(write_spec(tmp_path / "whole.spec", text))
    path = tmp_path / "cut.spec"
    for length in range(1, len(text)):
        write_spec(path, text[:length])
        try:
            data = bk.open(path)
        except BeamkitError as error:
            assert "cut.spec" in str(error)  # noqa: PT017 (both outcomes are allowed)
        else:
            points = data.sizes["point"]
            np.testing.assert_array_equal(data.theta, whole.theta[:points])
            np.testing.assert_array_equal(data.th, whole.th[:points])
            assert points == 3 or data.attrs["notes"]
