import errno
import json
import subprocess
import sys

import h5py
import numpy as np
import pytest
import xarray as xr

from beamkit import writers
from beamkit.core.errors import ShapeError, WriteError


@pytest.fixture
def volume():
    data = np.arange(2 * 3 * 5, dtype="f4").reshape(2, 3, 5)
    history = json.dumps(
        [{"name": "fbp", "version": "0", "parameters": {"filter": "ramp"}, "time": "t"}]
    )
    return xr.DataArray(
        data,
        dims=("z", "y", "x"),
        coords={
            "z": ("z", [0.0, 6.5], {"units": "um"}),
            "x": ("x", np.arange(5.0), {"units": "um"}),
        },
        attrs={
            "units": "1/cm",
            "history": history,
            "assumed": ["one", "two"],
            "rotation_center": 12.25,
        },
    )


def test_any_hdf5_viewer_finds_the_volume_its_axes_and_units(volume, tmp_path):
    path = writers.nexus(volume, tmp_path / "volume.nxs")
    with h5py.File(path) as file:
        group = file["entry"][file["entry"].attrs["default"]]
        assert group.attrs["NX_class"] == "NXdata"
        signal = group[group.attrs["signal"]]
        np.testing.assert_array_equal(signal[1, 2], [25, 26, 27, 28, 29])
        assert signal.attrs["units"] == "1/cm"
        assert list(group["z"]) == [0.0, 6.5]
        assert group["z"].attrs["units"] == "um"


def test_history_becomes_nxprocess_groups(volume, tmp_path):
    with h5py.File(writers.nexus(volume, tmp_path / "volume.nxs")) as file:
        process = file["entry/process_1"]
        assert process.attrs["NX_class"] == "NXprocess"
        assert json.loads(process["configuration/data"][()]) == {"filter": "ramp"}


def test_a_slab_that_is_never_written_reads_as_nan(tmp_path):
    with writers.VolumeFile(tmp_path / "v.nxs", (2, 3, 5)) as file:
        file.write(1, np.ones((1, 3, 5), "f4"))
    with h5py.File(tmp_path / "v.nxs") as file:
        assert np.isnan(file["entry/reconstruction/data"][0]).all()


def test_a_failure_leaves_the_old_file_and_nothing_half_written(volume, tmp_path):
    path = writers.nexus(volume, tmp_path / "v.nxs")
    before = path.read_bytes()
    with (
        pytest.raises(ShapeError, match="does not fit"),
        writers.VolumeFile(path, (2, 3, 5)) as file,
    ):
        file.write(0, np.ones((1, 4, 5), "f4"))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["v.nxs"]


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path):
    with (
        pytest.raises(WriteError, match="MB are free"),
        writers.VolumeFile(tmp_path / "v.nxs", (1, 3, 5)),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_the_wrong_dimensions_are_refused(volume, tmp_path):
    with pytest.raises(ShapeError, match=r"transpose"):
        writers.nexus(volume.transpose("y", "x", "z"), tmp_path / "v.nxs")


def test_a_disk_that_fills_while_writing_is_said(tmp_path):
    """A limit on the size of files of this process stands in for the disk."""
    code = (
        "import resource, signal, numpy as np\nfrom beamkit import writers\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        f"with writers.VolumeFile({str(tmp_path / 'v.nxs')!r}, (4, 200, 200)) as file:\n"
        "    file.write(0, np.ones((4, 200, 200), 'f4'))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "WriteError: " in done.stderr, done.stderr  # HDF5 may tell of its own in several lines
    assert "v.nxs was not written" in done.stderr
    assert list(tmp_path.iterdir()) == []
