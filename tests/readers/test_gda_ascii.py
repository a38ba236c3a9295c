"""Text tables with ``# key: value`` lines."""

from __future__ import annotations

import json

import numpy as np
import pytest
from readers.conformance import ReaderConformance

import beamkit as bk
from beamkit.core.errors import BeamkitError, UnreadableFileError
from beamkit.readers import gda_ascii

TEXT = (
    "# DIAMOND LIGHT SOURCE\r\n"
    "# Instrument: I20-XAS Date: Mon, 19 Jul 2010 13:54:16 BST\r\n"
    "# Ring energy: 3.0 GeV\r\n"
    "#\r\n"
    "# Sample name: iron foil\r\n"
    "# Energy      \tI0     \tln(I0/It)  \tIntegration Time \r\n"
    "6912.0000     \t134878.0\t-2.716     \t0.5\r\n"
    "6917.0000     \t111091.0\t-2.717     \t0.5\r\n"
    "6922.0000     \t108474.0\t-2.718     \t0.75\r\n"
)
FOOT = "# Instrument: I20-XAS Date: Mon, 19 Jul 2010 14:00:27 BST\r\n# Final ring current: 92.9\r\n"


def write_table(path, text=TEXT + FOOT):
    path.write_bytes(text.encode())
    return path


class TestGdaAscii(ReaderConformance):
    format = "gda_ascii"
    flips = 20
    is_lazy = False
    may_be_shorter = True

    @pytest.fixture
    def example(self, tmp_path):
        return write_table(tmp_path / "a.dat", TEXT)


def test_columns_have_the_names_of_the_line_above_them(tmp_path):
    data = bk.open(write_table(tmp_path / "a.dat"))
    np.testing.assert_array_equal(data.Energy, [6912, 6917, 6922])
    assert list(data.data_vars) == ["I0", "ln(I0_It)", "Integration Time"]
    np.testing.assert_array_equal(data["Integration Time"], [0.5, 0.5, 0.75])


def test_header_is_converted(tmp_path):
    attrs = bk.open(write_table(tmp_path / "a.dat")).attrs
    assert (attrs["beamline"], attrs["sample"]) == ("I20-XAS", "iron foil")
    assert attrs["start_time"] == "2010-07-19T13:54:16"
    assert json.loads(attrs["header"])["Ring energy"] == "3.0 GeV"
    assert "energy" not in attrs


def test_header_alone_is_an_error(tmp_path):
    text = TEXT[: TEXT.index("6912")]
    with pytest.raises(BeamkitError, match=r"a\.dat"):
        bk.open(write_table(tmp_path / "a.dat", text))
    with pytest.raises(UnreadableFileError, match="ends inside its header"):
        gda_ascii.read([tmp_path / "a.dat"])


def test_other_text_is_not_taken(tmp_path):
    for text in ("# a note\nsome words\n", "# a\n1\n2\n", "a b\n1 2\n"):
        assert not gda_ascii.can_read(write_table(tmp_path / "a.dat", text))
