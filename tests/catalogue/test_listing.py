"""What a folder holds is told without opening a file."""

import os
import time
from pathlib import Path

import pytest

from beamkit.catalogue import list_folder
from beamkit.catalogue.listing import without_members
from beamkit.core.errors import UnreadableFileError


def by_kind(entries, kind):
    return [entry.name for entry in entries if entry.kind == kind]


def test_folders_come_first_then_series_then_files_in_natural_order(visit):
    entries = list_folder(visit)
    assert [entry.name for entry in entries] == [
        "sample 2",
        "Sample 10",
        "DC_1_[00001-00011].cbf",
        "DC_1_00001.cbf",
        "DC_1_00002.cbf",
        "DC_1_00003.cbf",
        "DC_1_00010.cbf",
        "DC_1_00011.cbf",
        "link.cbf",
        "notes.txt",
        "run9.nxs",
        "run10.nxs",
    ]


def test_a_series_has_the_files_and_the_sum_of_their_sizes(visit):
    series = next(entry for entry in list_folder(visit) if entry.kind == "series")
    assert [Path(file).name for file in series.files] == [
        f"DC_1_{number:05d}.cbf" for number in (1, 2, 3, 10, 11)
    ]
    assert series.size == 1 + 2 + 3 + 10 + 11
    assert series.format == "CBF"


def test_series_alone_stand_for_their_frames(visit):
    names = [entry.name for entry in without_members(list_folder(visit))]
    assert "DC_1_[00001-00011].cbf" in names
    assert "DC_1_00001.cbf" not in names
    assert "run9.nxs" in names


def test_series_of_other_width_or_prefix_are_other_series(tmp_path):
    for name in ("a_01.cbf", "a_02.cbf", "b_01.cbf", "b_02.cbf", "a_001.cbf", "a_002.cbf"):
        (tmp_path / name).touch()
    found = by_kind(list_folder(tmp_path), "series")
    assert found == ["a_[001-002].cbf", "a_[01-02].cbf", "b_[01-02].cbf"]


@pytest.mark.parametrize(
    ("names", "series"),
    [
        (["7.tif", "8.tif", "12.tif"], "[7-12].tif"),
        (["f007.tif", "f100.tif", "f1000.tif"], "f[007-100].tif"),
        (["x_1_dark.edf", "x_2_dark.edf"], "x_[1-2]_dark.edf"),
        (["t_3_0009.cbf.bz2", "t_3_0010.cbf.bz2"], "t_3_[0009-0010].cbf.bz2"),
    ],
)
def test_numbers_with_and_without_zeros_in_any_place(tmp_path, names, series):
    for name in names:
        (tmp_path / name).touch()
    assert by_kind(list_folder(tmp_path), "series") == [series]


def test_files_that_are_datasets_by_themselves_are_no_series(tmp_path):
    for name in ("i12-1.nxs", "i12-2.nxs", "1.dat", "2.dat", "alone_1.cbf"):
        (tmp_path / name).touch()
    assert by_kind(list_folder(tmp_path), "series") == []


def test_hidden_files_are_left_out(visit):
    assert not any(entry.name.startswith(".") for entry in list_folder(visit))


def test_a_broken_link_is_an_entry_that_says_so(visit):
    link = next(entry for entry in list_folder(visit) if entry.name == "link.cbf")
    assert link.kind == "unreadable"
    assert "gone.cbf" in link.reason


def test_a_link_in_a_circle_is_an_entry_that_says_so(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert by_kind(list_folder(tmp_path), "unreadable") == ["a", "b"]


def test_a_pipe_is_never_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.cbf")
    (entry,) = list_folder(tmp_path)
    assert (entry.kind, entry.reason) == ("unreadable", "neither a file nor a folder")


def test_what_may_not_be_read_says_so(visit, monkeypatch):
    real = os.access
    monkeypatch.setattr(os, "access", lambda p, mode: "notes" not in str(p) and real(p, mode))
    notes = next(entry for entry in list_folder(visit) if entry.name == "notes.txt")
    assert notes.kind == "unreadable"
    assert "permission" in notes.reason


def test_a_name_that_is_not_text_is_listed(tmp_path):
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9_1.cbf")).touch()
    (entry,) = list_folder(tmp_path)
    assert os.fsencode(entry.path).endswith(b"caf\xe9_1.cbf")


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UnreadableFileError, match="nowhere is not there"):
        list_folder(tmp_path / "nowhere")


def test_a_file_is_refused_with_the_folder_that_it_is_in(visit):
    with pytest.raises(UnreadableFileError, match=r"not a folder\. Give the folder"):
        list_folder(visit / "notes.txt")


def test_five_thousand_files_are_listed_at_once(tmp_path):
    for number in range(5000):
        (tmp_path / f"DC_1_{number:05d}.cbf").touch()
    list_folder(tmp_path)
    took = []
    for _ in range(3):
        start = time.perf_counter()
        assert len(list_folder(tmp_path)) == 5001
        took.append(time.perf_counter() - start)
    assert min(took) < 0.6, "0.1 s on an idle machine; three times as much is for busy ones"
