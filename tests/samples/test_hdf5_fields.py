"""A file that cannot be written is told in our words and leaves nothing behind."""

from __future__ import annotations

import errno

import pytest

from beamkit.core.errors import ParameterError, WriteError
from beamkit.samples._hdf5_fields import hdf5_file


@pytest.mark.parametrize(
    ("cause", "error", "message"),
    [
        # What h5py raises where the disk is full, depending on where HDF5 notices.
        (OSError("Can't synchronously write data"), WriteError, "scan.h5 was not written: Can't"),
        (RuntimeError("Unable to flush file"), WriteError, "scan.h5 was not written: Unable"),
        (OSError(errno.ENOSPC, "No space left"), WriteError, "MB are free there"),
        (ParameterError("Our own"), ParameterError, "Our own"),
    ],
)
def test_failure_while_writing_leaves_no_file(tmp_path, cause, error, message):
    with pytest.raises(error, match=message), hdf5_file(tmp_path / "scan.h5"):
        raise cause
    assert not list(tmp_path.iterdir())


def test_file_from_before_stays_when_writing_fails(tmp_path):
    (tmp_path / "scan.h5").write_text("from before")
    with pytest.raises(WriteError), hdf5_file(tmp_path / "scan.h5"):
        raise OSError("Can't write")
    assert (tmp_path / "scan.h5").read_text() == "from before"
