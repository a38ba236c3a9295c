"""The grid of a scan is read from the positions of its motors."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
import xarray as xr

import beamkit as bk
from beamkit.core.errors import MetadataError
from beamkit.diffraction import center_of_mass, grid_layout, grid_map, statistics


def scan(rows=3, columns=5, *, snaked=True, fast="horizontal", done=None):
    """Positions of a scan, with the noise of encoders, by time."""
    number = np.arange(rows * columns)[:done]
    length = columns if fast == "horizontal" else rows
    line, along = np.divmod(number, length)
    if snaked:
        along = np.where(line % 2 == 1, length - 1 - along, along)
    row, column = (line, along) if fast == "horizontal" else (along, line)
    noise = np.random.default_rng(1).normal(0, 1e-5, (2, number.size))
    places = {
        "sam_y": ("frame", -2.0 + 0.02 * row + noise[0], {"units": "mm"}),
        "sam_x": ("frame", 7.0 + 0.03 * column + noise[1], {"units": "mm"}),
        "time": ("frame", 0.02 * number),
        "monitor": ("frame", 1e5 + np.sin(number)),
        "omega": ("frame", np.full(number.size, 90.0)),
    }
    return xr.Dataset({"spots": ("frame", 10.0 * row + column)}, coords=places)


@pytest.mark.parametrize("snaked", [True, False])
@pytest.mark.parametrize("fast", ["horizontal", "vertical"])
def test_shape_direction_and_steps_are_found(snaked, fast):
    found = grid_layout(scan(snaked=snaked, fast=fast))
    assert found.coords == ("sam_y", "sam_x")
    assert (found.shape, found.snaked, found.fast) == ((3, 5), snaked, fast)
    np.testing.assert_allclose(found.step, (0.02, 0.03), atol=1e-4)


@pytest.mark.parametrize("done", [15, 12, 9])
def test_a_map_needs_no_shape_where_the_motors_tell(done):
    data = scan(done=done)
    found = grid_map(data["spots"])
    expected = np.add.outer([0, 10, 20], np.arange(5.0))[: found.shape[0]]
    held = found["frame"].values >= 0
    np.testing.assert_array_equal(found.values[held], expected[held])
    assert held.sum() == done
    assert found["column"].attrs["units"] == "mm"


def test_names_that_do_not_tell_leave_it_to_the_order():
    data = scan().rename(sam_y="stage_2", sam_x="stage_1")
    assert grid_layout(data).coords == ("stage_2", "stage_1")


@pytest.mark.parametrize(
    "data",
    [
        scan().drop_vars("sam_x"),
        scan().drop_vars(["sam_x", "sam_y", "monitor"]),
        xr.concat([scan(), scan()], "frame").drop_vars("monitor"),
    ],
)
def test_what_is_no_grid_is_asked_for(data):
    with pytest.raises(MetadataError, match=r"grid_map\(values, \(rows, columns\)"):
        grid_layout(data)


def test_positions_beside_the_frames_of_a_nexus_file_make_the_grid(tmp_path):
    """As files of raster scans hold them: one number a frame for each motor, in the NXdata."""
    path = tmp_path / "raster.nxs"
    places = scan(2, 4)
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry")
        entry.attrs["NX_class"] = "NXentry"
        entry["definition"] = "NXmx"
        data = entry.create_group("data")
        data.attrs.update(NX_class="NXdata", signal="data")
        data["data"] = np.arange(8 * 6 * 7, dtype=np.int32).reshape(8, 6, 7)
        for name in ("sam_x", "sam_y"):
            data[name] = places[name].values
            data[name].attrs["units"] = "mm"
    found = grid_layout(bk.open(path))
    assert (found.coords, found.shape, found.snaked) == (("sam_y", "sam_x"), (2, 4), True)


def test_the_crystal_of_the_simulated_scan_is_found_within_half_a_step(tmp_path):
    sample = bk.samples.grid_scan(tmp_path / "grid", shape=(5, 8), center=(1.8, 4.3), radius=0.9)
    data = bk.open(sample)
    assert data.sizes["frame"] == 40
    np.testing.assert_array_equal(data["frames"][13], sample.frame(13))
    with pytest.raises(MetadataError, match="no motor that moved"):
        grid_layout(data)
    table = statistics(data, workers=1)
    for name in ("spots", "score", "total"):
        center = center_of_mass(grid_map(table[name], sample.shape, snaked=True))
        assert abs(center.row - 1.8) < 0.5, name
        assert abs(center.column - 4.3) < 0.5, name


def test_a_crystal_off_the_grid_is_refused(tmp_path):
    with pytest.raises(bk.core.errors.ParameterError, match="columns 0 to 10"):
        bk.samples.grid_scan(tmp_path / "grid", center=(1.0, 11.0))
