"""SRS text scans: the header's traps, columns, images, cuts."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile
from readers.conformance import ReaderConformance

import beamkit as bk
from beamkit.core.errors import (
    BeamkitError,
    MissingSourceError,
    ParameterError,
    UnknownNameError,
    UnreadableFileError,
)
from beamkit.core.schema import lines

HEADER = """ &SRS
 SRSRUN=34146,SRSDAT=2011513,SRSTIM=95827,
 SRSSTN='BASE',SRSPRJ='GDA, BASE',SRSEXP='Emulator',
<MetaDataAtStart>
date='Wed Oct 10 11:59:39 2012'

visit=cm1-2
h=4.1
Energy=8.9500
h=4.2
lattice=[3.9, 3.9, 4.1]
Transmission=25.0
cmd='scan eta 1 2 0.5 t 1'</MetaDataAtStart>
 &END
"""
ROWS = "t\teta \tsum  \n0.1\t 1.0\t7.8E7\n0.2\t 1.5\tcrap\n0.3\t 2.0\t    9\n"


def write_srs(path, text=HEADER + ROWS):
    path.write_text(text)
    return path


class TestSrs(ReaderConformance):
    format = "srs"
    flips = 20
    is_lazy = False
    may_be_shorter = True

    @pytest.fixture
    def example(self, tmp_path):
        return write_srs(tmp_path / "12.dat")


@pytest.fixture
def scan(tmp_path):
    return bk.open(write_srs(tmp_path / "12.dat"))


def test_columns_are_variables_and_the_scanned_one_is_a_coordinate(scan):
    assert list(scan.data_vars) == ["t", "sum"]
    np.testing.assert_array_equal(scan.eta, [1, 1.5, 2])
    np.testing.assert_array_equal(scan.t, [0.1, 0.2, 0.3])
    assert scan.t.attrs["units"] == ""


def test_cell_that_is_a_word_is_nan_and_noted(scan):
    np.testing.assert_array_equal(scan["sum"], [7.8e7, np.nan, 9])
    assert any("1 of 3 cells are no numbers, first 'crap'" in note for note in scan.attrs["notes"])


def test_header_is_converted(scan):
    attrs = scan.attrs
    assert (attrs["energy"], attrs["visit"]) == (8.95, "cm1-2")
    assert attrs["wavelength"] == pytest.approx(12.398419843320026 / 8.95)  # CODATA 2018
    assert attrs["start_time"] == "2012-10-10T11:59:39"
    assert attrs["scan_command"] == "scan eta 1 2 0.5 t 1"
    assert attrs["filter_transmission"] == 0.25
    assumed = {line.partition(":")[0] for line in lines(attrs, "assumed")}
    assert assumed == {"energy", "filter_transmission"}


def test_unparsed_header_keeps_every_value(scan):
    header = json.loads(scan.attrs["header"])
    assert header["SRSTIM"] == "95827"
    assert header["SRSPRJ"] == "GDA, BASE"
    assert header["lattice"] == "[3.9, 3.9, 4.1]"
    assert header["h"] == ["4.1", "4.2"]
    assert any("h: given as 4.1 and 4.2" in line for line in lines(scan.attrs, "conflicts"))


def test_energy_in_ev_is_recognised_by_its_size(tmp_path):
    text = (HEADER + ROWS).replace("Energy=8.9500", "Energy=8950")
    assert bk.open(write_srs(tmp_path / "a.dat", text)).attrs["energy"] == pytest.approx(8.95)


def test_columns_of_one_name_are_kept_apart(tmp_path):
    text = HEADER + "a\ta\tb/c\n1\t2\t3\n"
    data = bk.open(write_srs(tmp_path / "a.dat", text))
    assert [float(data[name][0]) for name in ("a", "a2", "b_c")] == [1, 2, 3]


def test_column_of_words_stays_text(tmp_path):
    text = HEADER + "eta file\n1 a.tif\n2 b.tif\n"
    assert bk.open(write_srs(tmp_path / "a.dat", text)).file.values.tolist() == ["a.tif", "b.tif"]


def test_missing_end_of_header_is_found_by_the_first_numbers(tmp_path):
    text = (HEADER + ROWS).replace(" &END\n", "")
    np.testing.assert_array_equal(bk.open(write_srs(tmp_path / "a.dat", text)).eta, [1, 1.5, 2])


def test_scan_cut_after_a_row_is_shorter_and_says_so(tmp_path):
    text = HEADER + "".join(ROWS.splitlines(keepends=True)[:3])
    data = bk.open(write_srs(tmp_path / "a.dat", text))
    assert data.sizes["point"] == 2
    assert any("2 of the 3 points" in note for note in data.attrs["notes"])


def test_last_line_that_may_be_cut_is_left_out_and_noted(tmp_path):
    data = bk.open(write_srs(tmp_path / "a.dat", HEADER + ROWS.rstrip("\n")))
    assert data.sizes["point"] == 2
    assert any("no line end" in note for note in data.attrs["notes"])


def test_every_truncation_is_a_shorter_scan_or_an_error_that_names_the_file(tmp_path):
    text = HEADER + ROWS
    whole = bk.open(write_srs(tmp_path / "whole.dat", text))
    path = tmp_path / "cut.dat"
    for length in range(1, len(text)):
        write_srs(path, text[:length])
        try:
            data = bk.open(path)
        except BeamkitError as error:
            assert "cut.dat" in str(error)  # noqa: PT017 (both outcomes are allowed)
        else:
            points = data.sizes["point"]
            np.testing.assert_array_equal(data.eta, whole.eta[:points])
            np.testing.assert_array_equal(data["sum"], whole["sum"][:points])
            assert points == 3 or data.attrs["notes"]


def test_cut_inside_the_header_is_an_error(tmp_path):
    with pytest.raises(UnreadableFileError, match=r"a\.dat: ends inside its header.*&END"):
        bk.open(write_srs(tmp_path / "a.dat", HEADER[:200]))


def test_header_without_a_point_is_an_error(tmp_path):
    with pytest.raises(UnreadableFileError, match=r"a\.dat: holds no points"):
        bk.open(write_srs(tmp_path / "a.dat", HEADER + "eta t\n"))


def test_several_files_are_refused(tmp_path):
    for name in ("1.dat", "2.dat"):
        write_srs(tmp_path / name)
    with pytest.raises(ParameterError, match="2 files were named"):
        bk.open(tmp_path)


@pytest.fixture
def with_images(tmp_path):
    """A scan of two points and the image of each."""
    (tmp_path / "files").mkdir()
    for number in (7, 8):
        image = np.arange(15, dtype=np.int32).reshape(3, 5) * number
        tifffile.imwrite(tmp_path / f"files/{number:05d}.tif", image)
    text = HEADER.replace("h=4.2", "pilatus100k_path_template='files/%05d.tif'")
    return write_srs(tmp_path / "9.dat", text + "eta\tpath\n1\t7\n1.5\t8\n")


def test_images_of_a_scan_open_with_it_lazily(with_images):
    data = bk.open(with_images, images=True)
    assert data.attrs["image_template"] == "files/%05d.tif"
    assert data.frames.dims == ("point", "detector_y", "detector_x")
    assert data.frames.chunks is not None
    np.testing.assert_array_equal(data.frames[:, 2, 4], [14 * 7, 14 * 8])
    assert data.frames.attrs["units"] == "counts"


def test_missing_image_is_named(with_images):
    (with_images.parent / "files/00008.tif").unlink()
    assert bk.open(with_images).sizes["point"] == 2
    with pytest.raises(MissingSourceError, match=r"1 of its 2 images.*00008\.tif"):
        bk.open(with_images, images=True)


def test_scan_without_images_says_so(tmp_path):
    with pytest.raises(ParameterError, match=r"12\.dat: names no images"):
        bk.open(write_srs(tmp_path / "12.dat"), images=True)


def test_template_that_takes_no_number_is_refused(with_images):
    text = with_images.read_text().replace("%05d", "%s%s")
    with pytest.raises(ParameterError, match="does not take a number"):
        bk.open(write_srs(with_images, text), images=True)


def test_option_of_another_format_is_refused(tmp_path):
    with pytest.raises(UnknownNameError, match="'scan'.*images"):
        bk.open(write_srs(tmp_path / "12.dat"), scan=3)
