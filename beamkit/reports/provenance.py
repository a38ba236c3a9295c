"""What a report was made from and with."""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from beamkit._version import __version__
from beamkit.core.machine import cores

from .parameters import Specification, as_text

_PACKAGES = (
    "numpy",
    "scipy",
    "xarray",
    "dask",
    "h5py",
    "hdf5plugin",
    "fabio",
    "finufft",
    "astra-toolbox",
    "matplotlib",
    "papermill",
)

#: A larger file is fingerprinted from its size, its beginning and its end.
_WHOLE_UP_TO = 256 * 2**20
_PIECE = 4 * 2**20


def environment() -> dict[str, str]:
    """Return the versions of Python and of the packages that the numbers come from."""
    found = {
        "beamkit": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}, {cores()} cores",
    }
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def inputs(values: Iterable[Any]) -> list[dict[str, Any]]:
    """Return path, size, time and fingerprint of each value that is an existing file."""
    return [fingerprint(value) for value in values if isinstance(value, Path) and value.is_file()]


def fingerprint(path: Path) -> dict[str, Any]:
    """Return what identifies a file: path, size, time of change and a SHA-256.

    Up to 256 MiB the SHA-256 is that of the file; of a larger one it is that of its size, first
    and last 4 MiB, and says so: a 120 GB scan is not read twice for it.
    """
    facts = path.stat()
    digest = hashlib.sha256()
    with path.open("rb") as file:
        if facts.st_size <= _WHOLE_UP_TO:
            kind = "sha256"
            while piece := file.read(_PIECE):
                digest.update(piece)
        else:
            kind = "sha256 of size and ends"
            digest.update(str(facts.st_size).encode())
            digest.update(file.read(_PIECE))
            file.seek(-_PIECE, os.SEEK_END)
            digest.update(file.read(_PIECE))
    changed = datetime.fromtimestamp(facts.st_mtime, UTC)
    return {
        "path": str(path),
        "size": facts.st_size,
        "size_text": _size(facts.st_size),
        "modified": changed.strftime("%Y-%m-%d %H:%M:%S UTC"),
        "fingerprint": f"{kind}: {digest.hexdigest()}",
    }


def command(
    report: str, specification: Specification, values: Mapping[str, Any], folder: Path
) -> str:
    """Return the command line that makes the report again."""
    path = specification.first_path()
    words = ["beamkit", "report", "run", report]
    if path is not None and values[path.name] is not None:
        words.append(str(values[path.name]))
    words += ["-o", str(folder)]
    for parameter in specification:
        is_given = values[parameter.name] != parameter.default
        if is_given and parameter is not path:
            words += ["-p", f"{parameter.name}={as_text(values[parameter.name])}"]
    return shlex.join(words)


def _size(size: int) -> str:
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size} B"
