import h5py
import numpy as np
import pytest

import beamkit as bk
from beamkit.core.errors import ParameterError


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    return bk.samples.tomography(
        tmp_path_factory.mktemp("scan") / "scan.nxs", width=65, rows=11, angles=90
    )


def read(path):
    with h5py.File(path) as file:
        group = file["entry/reconstruction"]
        return group["data"][...], group["z"][...]


def test_slabs_give_the_same_volume_as_one_piece(scan, tmp_path):
    whole = bk.pipelines.reconstruct_file(scan, tmp_path / "whole.nxs", center=33.0)
    # One slice needs 4 * (6 * 90 * 65 + 2 * 65 * 65) bytes = 174 kB: slabs of 4 rows.
    seen = []
    slabs = bk.pipelines.reconstruct_file(
        scan,
        tmp_path / "slabs.nxs",
        center=33.0,
        memory=800_000,
        progress=lambda *step: seen.append(step),
    )
    assert seen == [(4, 11), (8, 11), (11, 11)]
    (one, z_one), (other, z_other) = read(whole.path), read(slabs.path)
    assert one.shape == (11, 65, 65)
    np.testing.assert_allclose(one, other, atol=1e-5 * np.ptp(one))
    np.testing.assert_array_equal(z_one, z_other)


def test_slabs_do_not_part_rows_that_are_computed_together(scan, tmp_path):
    seen = []
    bk.pipelines.reconstruct_file(
        scan,
        tmp_path / "slabs.nxs",
        center=33.0,
        rows=slice(3, 11),
        memory=800_000,
        progress=lambda *step: seen.append(step),
    )
    assert seen == [(3, 8), (7, 8), (8, 8)]  # rows 3-5, 6-9, 10


def test_chosen_rows_are_those_of_the_whole_volume(scan, tmp_path):
    whole, z = read(bk.pipelines.reconstruct_file(scan, tmp_path / "a.nxs", center=33.0).path)
    some, z_some = read(
        bk.pipelines.reconstruct_file(scan, tmp_path / "b.nxs", rows=[2, 7], center=33.0).path
    )
    np.testing.assert_allclose(some, whole[[2, 7]], atol=1e-5 * np.ptp(whole))
    np.testing.assert_allclose(z_some, z[[2, 7]])


def test_the_axis_is_found_once_and_reported(scan, tmp_path):
    result = bk.pipelines.reconstruct_file(scan, tmp_path / "a.nxs", rows=slice(3, 6))
    assert result.rotation_center == pytest.approx(scan.rotation_center, abs=0.5)
    assert result.shape == (3, 65, 65)
    assert set(result.seconds) == {"find_center", "correct", "reconstruct", "write"}


def test_the_file_opens_again_with_its_attributes_and_history(scan, tmp_path):
    result = bk.pipelines.reconstruct_file(scan, tmp_path / "a.nxs", rows=[4], center=33.0)
    volume = bk.open(result.path)["volume"]
    assert volume.attrs["rotation_center"] == 33.0
    assert volume.attrs["units"] == "1/cm"
    assert "flat_field" in [entry["name"] for entry in volume.bk.history]
    assert volume["x"].attrs["units"] == "um"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rows": [3, 11]}, "Row 11 is not on the detector, which has the rows 0 to 10"),
        ({"rows": slice(8, 3)}, "No rows are selected"),
        ({"memory": 1000}, "only 0 MB may be used"),
        ({"filter": "rampp"}, "rampp"),
    ],
)
def test_wrong_options_leave_no_file(scan, tmp_path, options, message):
    with pytest.raises(ParameterError, match=message):
        bk.pipelines.reconstruct_file(scan, tmp_path / "out.nxs", center=33.0, **options)
    assert list(tmp_path.iterdir()) == []
