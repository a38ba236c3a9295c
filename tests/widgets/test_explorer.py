"""What an explorer says and does, without a browser: messages go in, and are caught on their way out."""

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from beamkit import samples
from beamkit.core.errors import ParameterError, UnknownNameError, UnreadableFileError

pytest.importorskip("anywidget", reason='needs: pip install "beamkit[lab]"')

from beamkit_widgets._explorer_details import branch, details_of
from beamkit_widgets.explorer import Explorer


@pytest.fixture(scope="session")
def raw(tmp_path_factory):
    """Five frames, a scan, an HDF5 file, a damaged frame, and a folder."""
    folder = tmp_path_factory.mktemp("visit")
    sample = samples.diffraction(folder / "thau", frames=5, detector="PILATUS 100K")
    for file in sample.files:
        shutil.move(file, folder)
    samples.scan(folder / "77.dat")
    with h5py.File(folder / "map.h5", "w") as file:
        file["entry/data"] = np.arange(60, dtype=np.uint16).reshape(3, 4, 5)
        file["entry/lost"] = h5py.SoftLink("/nowhere")
    (folder / "bad.cbf").write_bytes((folder / "thau_00001.cbf").read_bytes()[:30_000])
    return folder


class Sent:
    """What a panel sends instead of a browser, and messages as a browser sends them."""

    def __init__(self, explorer):
        self.explorer, self.found = explorer, []
        explorer.open()
        explorer.panel.send = lambda content, buffers=None: self.found.append(
            (content, buffers or [])
        )

    def __call__(self, kind):
        """Return the last message of a kind, when all is done."""
        assert self.explorer.talk.worker.wait(20)
        return [found for found in self.found if found[0]["type"] == kind][-1]

    def hear(self, **content):
        self.explorer.talk.hear({"client": "a", **content})


@pytest.fixture
def explorer(raw):
    explorer = Explorer(raw)
    yield explorer
    explorer.close()


@pytest.fixture
def sent(explorer):
    sent = Sent(explorer)
    sent.hear(type="ready")
    return sent


def entries(sent):
    return sent("listing")[0]["names"]


def select(explorer, *names):
    explorer.selection = [str(Path(explorer.folder) / name) for name in names]


def test_a_browser_that_is_ready_gets_the_listing(sent, raw):
    listing, _ = sent("listing")
    assert listing["crumbs"] == [(raw.name, str(raw))]
    assert listing["names"][:2] == ["thau", "thau_[00001-00005].cbf"]
    assert listing["counts"][1] == 5
    order, _ = sent("order")
    assert [listing["names"][k] for k in order["order"]][2:4] == ["77.dat", "bad.cbf"]


def test_pixels_travel_as_buffers_not_as_state(sent):
    number = entries(sent).index("thau_00003.cbf")
    sent.hear(type="wanted", version=sent("listing")[0]["version"], entries=[number], size=128)
    content, (buffer,) = sent("thumbnails")
    (made,) = content["made"]
    assert (made["entry"], made["kind"], made["pixels"]) == (number, "diffraction", [49, 122])
    codes = np.frombuffer(buffer, np.uint8)
    assert codes.size == 49 * 122
    assert np.unique(codes).size > 10
    state = sent.explorer.panel.get_state()
    assert max(len(str(value)) for name, value in state.items() if name[0] != "_") < 1000


def test_what_is_asked_for_last_replaces_what_was_asked_for(sent, monkeypatch):
    version, names = sent("listing")[0]["version"], entries(sent)
    frames = [names.index(f"thau_0000{k}.cbf") for k in range(1, 6)]
    with sent.explorer.lock:  # so that the worker cannot begin
        sent.hear(type="wanted", version=version, entries=frames, size=96)
        sent.hear(type="wanted", version=version, entries=frames[3:4], size=96)
    assert sent.explorer.talk.worker.wait(20)
    made = [one["entry"] for content, _ in sent.found if content["type"] == "thumbnails"
            for one in content["made"]]  # fmt: skip
    assert made == frames[3:4]


def test_what_was_asked_for_a_folder_that_was_left_is_not_made(sent):
    version = sent("listing")[0]["version"]
    sent.hear(type="go", path=str(Path(sent.explorer.folder) / "thau"))
    sent("listing")
    sent.hear(type="wanted", version=version, entries=[3], size=96)
    sent.explorer.talk.worker.wait(20)
    assert not any(content["type"] == "thumbnails" for content, _ in sent.found)


def test_a_scan_is_sent_as_a_curve(sent):
    number = entries(sent).index("77.dat")
    sent.hear(type="wanted", version=sent("listing")[0]["version"], entries=[number], size=128)
    content, (buffer,) = sent("thumbnails")
    assert content["made"][0]["curve"] == [2, 81]
    assert np.frombuffer(buffer, "<f4").max() == 1


def test_a_damaged_file_says_why(sent):
    number = entries(sent).index("bad.cbf")
    sent.hear(type="wanted", version=sent("listing")[0]["version"], entries=[number], size=128)
    content, buffers = sent("thumbnails")
    assert (content["made"][0]["kind"], buffers) == ("unreadable", [])
    assert "bad.cbf" in content["made"][0]["reason"]


def test_the_header_of_the_current_file_is_sent(sent, explorer):
    explorer.current = str(Path(explorer.folder) / "thau_00002.cbf")
    content, buffers = sent("details")
    rows = {name: (value, unit) for name, value, unit, _ in content["rows"]}
    assert rows["wavelength"] == ("0.9795", "angstrom")
    assert dict(content["header"])["Detector"].startswith("PILATUS")
    assert len(buffers[0]) == np.prod(content["made"][0]["pixels"])


def test_a_filter_by_the_header_reads_the_headers_and_then_knows(sent, explorer):
    explorer.filter = "omega > -28.5"
    order, _ = sent("order")
    assert order["waiting"] == 0
    names = entries(sent)
    assert [names[k] for k in order["order"]] == [f"thau_0000{k}.cbf" for k in (3, 4, 5)]


def test_shown_gives_the_paths_in_order(explorer):
    explorer.filter, explorer.descending = "thau_ 0000 not [", True
    assert [Path(path).name for path in explorer.shown()][:2] == [
        "thau_00005.cbf",
        "thau_00004.cbf",
    ]


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("filter", "expsure_time > 1", UnknownNameError),
        ("sort", "expsure_time", UnknownNameError),
        ("size", 5000, ParameterError),
        ("cmap", "grey-ish", UnknownNameError),
        ("folder", "/", ParameterError),
        ("folder", "nowhere", ParameterError),
    ],
)
def test_state_that_is_not_allowed_is_refused_and_not_taken(explorer, name, value, error):
    before = getattr(explorer, name)
    with pytest.raises(error):
        setattr(explorer, name, value)
    assert getattr(explorer, name) == before


def test_a_filter_that_is_not_allowed_is_said_in_the_browser(sent, explorer):
    explorer.panel.filter = "expsure_time > 1"
    message, _ = sent("message")
    assert message["isError"]
    assert "exposure_time" in message["text"]
    assert explorer.filter == ""


def test_what_the_browser_selects_a_cell_can_read_and_the_reverse(sent, explorer):
    paths = [str(Path(explorer.folder) / f"thau_0000{k}.cbf") for k in (2, 4)]
    explorer.panel.selection = paths
    assert explorer.selection == paths
    explorer.selection = paths[:1]
    assert explorer.panel.selection == paths[:1]


def test_selected_frames_are_one_dataset_in_the_next_cell(explorer):
    select(explorer, "thau_00004.cbf", "thau_00002.cbf")
    assert explorer.dataset["frames"].sizes["frame"] == 2
    assert explorer.dataset["omega"].values.tolist() == [-29.0, -27.0]
    assert explorer.dataset is explorer.dataset


def test_nothing_selected_is_refused_in_words(explorer):
    with pytest.raises(ParameterError, match=r"Nothing is selected"):
        explorer.dataset  # noqa: B018


def test_going_elsewhere_forgets_the_selection(explorer):
    select(explorer, "thau_00002.cbf")
    explorer.folder = str(Path(explorer.folder) / "thau")
    assert (explorer.selection, explorer.current) == ([], "")


def test_the_root_is_not_left_from_the_browser(sent, explorer):
    before = explorer.folder
    sent.hear(type="go", path=str(Path(before).parent))
    assert sent("message")[0]["isError"]
    assert explorer.folder == before


def test_on_open_gets_the_dataset(sent, explorer):
    opened = []
    explorer.on_open = opened.append
    select(explorer, "thau_00001.cbf")
    sent.hear(type="view")
    sent("message")
    assert opened[0]["frames"].shape == (1, 195, 487)


def test_compare_wants_two(explorer):
    select(explorer, "thau_00001.cbf")
    with pytest.raises(ParameterError, match="two can be compared"):
        explorer.compare()


def test_compare_opens_both(explorer, monkeypatch):
    seen = []
    monkeypatch.setattr("beamkit.core.views.view", lambda kind, *data: seen.append((kind, data)))
    select(explorer, "thau_00001.cbf", "thau_00003.cbf")
    explorer.compare()
    ((kind, (first, second)),) = seen
    assert kind == "compare"
    assert (first.attrs["omega"], second.attrs["omega"]) == (-30.0, -28.0)


def test_new_frames_are_seen_after_refresh(raw, tmp_path):
    shutil.copy(raw / "thau_00001.cbf", tmp_path)
    explorer = Explorer(tmp_path)
    shutil.copy(raw / "thau_00002.cbf", tmp_path)
    explorer.refresh()
    assert len(explorer.shown()) == 3  # two frames, and now a series
    explorer.close()


def test_the_tree_of_a_folder_holds_folders_series_and_hdf5_files(raw):
    found = [(node["name"], node["kind"]) for node in branch(str(raw), str(raw))]
    assert found == [("thau", "folder"), ("thau_[00001-00005].cbf", "series"), ("map.h5", "hdf5")]


def test_the_tree_goes_on_inside_a_file(raw):
    (entry,) = branch(str(raw / "map.h5"), str(raw))
    assert (entry["path"], entry["opens"]) == (f"{raw / 'map.h5'}::/entry", True)
    data, lost = branch(entry["path"], str(raw))
    assert (data["kind"], data["note"]) == ("dataset", "3 x 4 x 5 uint16")
    assert lost["kind"] == "broken"


def test_the_tree_does_not_leave_the_root(raw):
    with pytest.raises(ParameterError, match="outside"):
        branch(str(raw.parent), str(raw))


def test_a_dataset_in_the_tree_has_a_picture(raw):
    told, picture = details_of(f"{raw / 'map.h5'}::/entry/data", None)
    assert picture.pixels.shape == (4, 5)
    assert told["title"].startswith("data")


def test_the_details_of_a_damaged_file_are_its_error(raw):
    explorer = Explorer(raw)
    path = str(raw / "bad.cbf")
    told, picture = details_of(path, explorer.navigator.entry(path))
    assert picture.pixels is None
    assert "bad.cbf" in (told.get("error") or picture.reason)


def test_a_still_is_left_for_readers_without_a_kernel(explorer):
    bundle = explorer._repr_mimebundle_()
    assert len(bundle["image/png"]) > 3000
    assert bundle["text/plain"].startswith(explorer.folder)


def test_an_unknown_option_is_refused(raw):
    with pytest.raises(UnknownNameError, match="Did you mean 'filter'"):
        Explorer(raw, fliter="x")


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UnreadableFileError, match="nowhere"):
        Explorer(tmp_path / "nowhere")


def test_an_explorer_that_was_closed_can_be_shown_again(explorer, sent):
    explorer.close()
    again = Sent(explorer)
    again.hear(type="ready")
    assert "77.dat" in entries(again)
    explorer.sort = "size"
    assert again("order")[0]["order"]


def test_closing_ends_the_thread(explorer, sent):
    sent("listing")
    explorer.close()
    assert explorer.talk.worker.is_closed
    assert explorer.panel is None
