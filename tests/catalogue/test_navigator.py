"""One moves below a root, and opens what one has chosen."""

from pathlib import Path

import pytest

from beamkit import samples
from beamkit.catalogue import metadata
from beamkit.catalogue.navigator import Navigator, open_choice, read_headers
from beamkit.core.errors import ParameterError, UnreadableFileError


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """An EIGER master of four frames, in a folder of its own."""
    folder = tmp_path_factory.mktemp("eiger")
    return Path(samples.diffraction(folder / "x_master.h5", format="nxmx", frames=4).path)


def names(navigator, places=None):
    chosen = range(len(navigator.entries)) if places is None else places
    return [navigator.entries[place].name for place in chosen]


def test_it_begins_at_the_root(visit):
    navigator = Navigator(visit)
    assert navigator.crumbs == [(visit.name, str(visit))]
    assert "sample 2" in names(navigator)


def test_crumbs_lead_back(visit):
    (visit / "sample 2" / "grid").mkdir()
    navigator = Navigator(visit)
    navigator.go(visit / "sample 2" / "grid")
    assert [name for name, _ in navigator.crumbs] == [visit.name, "sample 2", "grid"]
    navigator.go(navigator.crumbs[1][1])
    assert names(navigator) == ["grid"]


@pytest.mark.parametrize("where", ["..", "sample 2/../..", "/"])
def test_the_root_is_not_left(visit, where):
    navigator = Navigator(visit)
    with pytest.raises(ParameterError, match="does not leave"):
        navigator.go(visit / where)
    assert navigator.place == str(visit)


def test_a_folder_whose_name_begins_like_the_root_is_outside(visit):
    (visit / "a").mkdir()
    (visit / "a2").mkdir()
    with pytest.raises(ParameterError, match="outside"):
        Navigator(visit / "a").go(visit / "a2")


def test_it_begins_below_a_root_that_is_given(visit):
    navigator = Navigator(visit / "sample 2", root=visit)
    navigator.go(visit)
    assert len(navigator.crumbs) == 1


def test_a_place_that_is_not_there_is_refused_and_one_stays(visit):
    navigator = Navigator(visit)
    with pytest.raises(UnreadableFileError, match="nowhere is not there"):
        navigator.go(visit / "nowhere")
    assert names(navigator)


def test_a_series_is_entered_like_a_folder(visit):
    navigator = Navigator(visit)
    navigator.go(visit / "DC_1_[00001-00011].cbf")
    assert names(navigator)[-1] == "DC_1_00011.cbf"
    assert len(navigator.entries) == 5


def test_a_file_of_several_frames_is_entered_like_a_folder(stack):
    navigator = Navigator(stack.parent)
    navigator.go(stack)
    assert names(navigator) == ["frame 0", "frame 1", "frame 2", "frame 3"]
    assert navigator.entries[2].path == f"{stack}::2"


def test_a_file_without_frames_is_not_entered(visit):
    navigator = Navigator(visit)
    with pytest.raises(UnreadableFileError, match=r"notes\.txt"):
        navigator.go(visit / "notes.txt")


def test_filter_and_order_by_the_listing(visit):
    navigator = Navigator(visit)
    found = navigator.visible(navigator.condition("nxs or txt"), "name", descending=True)
    assert names(navigator, found) == ["run10.nxs", "run9.nxs", "notes.txt"]


def test_what_needs_a_header_waits_for_it(series, monkeypatch):
    monkeypatch.setattr(metadata, "_CACHE", metadata.HeaderCache())
    navigator = Navigator(series.path)
    condition = navigator.condition("omega > -28.5")
    assert len(navigator.without_header()) == 6  # five frames and their series
    assert navigator.visible(condition) == []
    while waiting := navigator.without_header():
        assert read_headers(waiting) >= 1
    found = navigator.visible(condition, "omega", descending=True)
    assert names(navigator, found) == [
        "thau_00005.cbf",
        "thau_00004.cbf",
        "thau_00003.cbf",
    ]


def test_one_file_opens(series):
    data = open_choice([str(series.files[2])])
    assert data["frames"].shape == (1, 195, 487)


def test_several_files_open_as_one_dataset(series):
    data = open_choice([str(series.files[3]), str(series.files[1])])
    assert data["frames"].sizes["frame"] == 2
    assert data["omega"].values.tolist() == [-29.0, -27.0]


def test_a_series_opens_as_one_dataset(series):
    navigator = Navigator(series.path)
    (path,) = [entry.path for entry in navigator.entries if entry.kind == "series"]
    assert open_choice([path], navigator.entries)["frames"].sizes["frame"] == 5


def test_frames_of_a_file_open_in_the_order_of_the_file(stack):
    data = open_choice([f"{stack}::3", f"{stack}::1"])
    whole = open_choice([str(stack)])
    assert data["frames"].sizes["frame"] == 2
    assert (data["frames"][0].values == whole["frames"][1].values).all()


def test_an_array_in_a_file_opens(stack):
    assert open_choice([f"{stack}::/entry/data/data_000001"]).sizes["frame"] == 4


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        ([], "Nothing is selected"),
        (["a.h5::1", "b.h5::1"], "one kind"),
        (["a.h5::1", "b.cbf"], "one kind"),
        (["a.h5::/x", "a.h5::/y"], "Open one of them"),
        (["a.tif", "b.xy"], r"2 formats are selected \(TIFF, text\)"),
    ],
)
def test_what_makes_no_dataset_is_refused(paths, message):
    with pytest.raises(ParameterError, match=message):
        open_choice(paths)
