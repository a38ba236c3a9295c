"""Folders as a beamline leaves them."""

import pytest

from beamkit import samples


@pytest.fixture(scope="session")
def series(tmp_path_factory):
    """A rotation scan of five frames in CBF files: omega -30, -29, ... deg."""
    folder = tmp_path_factory.mktemp("raw") / "thau"
    return samples.diffraction(folder, frames=5, detector="PILATUS 100K", bad_pixels=3)


@pytest.fixture
def visit(tmp_path):
    """Folders, a series, single files, a hidden file and a broken link."""
    for number in (1, 2, 3, 10, 11):
        (tmp_path / f"DC_1_{number:05d}.cbf").write_bytes(b"x" * number)
    for name in ("notes.txt", "run10.nxs", "run9.nxs", ".hidden.cbf"):
        (tmp_path / name).write_bytes(b"12")
    (tmp_path / "sample 2").mkdir()
    (tmp_path / "Sample 10").mkdir()
    (tmp_path / "link.cbf").symlink_to("gone.cbf")
    return tmp_path
