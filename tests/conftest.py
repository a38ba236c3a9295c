"""Fixtures that every room uses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Folder with the real files; skips where it is absent."""
    folder = Path(os.environ.get("BEAMKIT_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "PROVENANCE.md").exists():
        pytest.skip(f"real data are not there: {folder} (set BEAMKIT_DATA to their folder)")
    return folder


@pytest.fixture
def require():
    """Import an optional package or skip; with BEAMKIT_REQUIRE_ALL=1 a missing one is a failure."""

    def _require(package: str, extra: str):
        if os.environ.get("BEAMKIT_REQUIRE_ALL") == "1":
            return __import__(package, fromlist=["_"])
        return pytest.importorskip(package, reason=f'needs: pip install "beamkit[{extra}]"')

    return _require
