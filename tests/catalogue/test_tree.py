"""The tree of an HDF5 file is told level by level, whatever is broken in it."""

import h5py
import numpy as np
import pytest

from beamkit.catalogue import hdf5_tree
from beamkit.core.errors import UnreadableFileError


@pytest.fixture
def scan(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["there"] = np.zeros((4, 3, 2), np.float32)
    with h5py.File(tmp_path / "scan.nxs", "w", track_order=True) as file:
        entry = file.create_group("entry", track_order=True)
        entry.attrs["NX_class"] = "NXentry"
        entry["data"] = np.zeros((7, 5, 3), np.uint16)
        entry["data"].attrs["units"] = "counts"
        entry["energy"] = 12.5
        entry["energy"].attrs["units"] = "keV"
        entry["title"] = "lysozyme"
        entry["soft"] = h5py.SoftLink("/entry/data")
        entry["external"] = h5py.ExternalLink("other.h5", "/there")
        entry["lost"] = h5py.SoftLink("/entry/nothing")
        entry["gone"] = h5py.ExternalLink("gone.h5", "/data")
        entry.create_dataset("empty", data=h5py.Empty("f4"))
        entry.create_group("deeper").create_group("still")
    return tmp_path / "scan.nxs"


def nodes(path, node="/"):
    return {each.name: each for each in hdf5_tree(path, node)}


def test_one_level_at_a_time(scan):
    (entry,) = hdf5_tree(scan)
    assert (entry.name, entry.path, entry.kind) == ("entry", "/entry", "group")
    assert (entry.nx_class, entry.members) == ("NXentry", 9)


def test_a_dataset_has_shape_type_and_unit(scan):
    data = nodes(scan, "/entry")["data"]
    assert (data.path, data.kind, data.shape) == ("/entry/data", "dataset", (7, 5, 3))
    assert (data.dtype, data.units, data.target) == ("uint16", "counts", "")


@pytest.mark.parametrize(("name", "value"), [("energy", "12.5"), ("title", "lysozyme")])
def test_a_single_value_is_told(scan, name, value):
    assert nodes(scan, "/entry")[name].value == value


def test_text_is_called_text(scan):
    assert nodes(scan, "/entry")["title"].dtype == "text"


@pytest.mark.parametrize(
    ("name", "target", "shape"),
    [("soft", "/entry/data", (7, 5, 3)), ("external", "other.h5::/there", (4, 3, 2))],
)
def test_a_link_is_followed_and_says_where_it_leads(scan, name, target, shape):
    link = nodes(scan, "/entry")[name]
    assert (link.kind, link.target, link.shape) == ("dataset", target, shape)


@pytest.mark.parametrize(("name", "reason"), [("lost", "/entry/nothing"), ("gone", "gone.h5")])
def test_a_broken_link_says_what_is_missing(scan, name, reason):
    link = nodes(scan, "/entry")[name]
    assert link.kind == "broken"
    assert reason in link.reason


def test_an_empty_dataset_has_no_shape(scan):
    assert nodes(scan, "/entry")["empty"].shape is None


def test_paths_below_an_external_link_are_those_of_the_link(scan):
    with h5py.File(scan.parent / "top.h5", "w") as file:
        file["linked"] = h5py.ExternalLink("scan.nxs", "/entry")
    assert nodes(scan.parent / "top.h5", "/linked")["deeper"].path == "/linked/deeper"


@pytest.mark.parametrize(
    ("node", "message"), [("/entry/data", "is a dataset"), ("/entry/none", "there is no")]
)
def test_what_is_no_group_is_refused(scan, node, message):
    with pytest.raises(UnreadableFileError, match=message):
        hdf5_tree(scan, node)


@pytest.mark.parametrize("kept", [0, 100, 700, 2000])
def test_a_file_cut_short_is_an_error_in_words(scan, tmp_path, kept):
    short = tmp_path / "short.nxs"
    short.write_bytes(scan.read_bytes()[:kept])
    with pytest.raises(UnreadableFileError, match=r"short\.nxs"):
        [hdf5_tree(short, node) for node in ("/", "/entry")]


def test_real_files_with_many_broken_links_are_listed(data_folder):
    entry = nodes(data_folder / "tomography/k11_diad/k11-18014.nxs", "/entry/EtherCAT")
    assert any(node.kind == "broken" for node in entry.values())
    assert all(node.reason for node in entry.values() if node.kind == "broken")
