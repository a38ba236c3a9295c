"""The door to HDF5: files open without locks, and h5py's errors leave as beamkit's.

Compressed files of every beamline work because hdf5plugin registers its filters on import.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin  # noqa: F401  (registers bitshuffle, LZ4, Blosc, Zstandard ...)
import numpy as np

from beamkit.core.errors import BeamkitError, UnreadableFileError

from ._hdf5_heap import require_sound_heaps

#: What h5py and numpy raise on damaged files: which one depends on the byte that is wrong.
DAMAGE = (
    OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError, MemoryError, SystemError,
)  # fmt: skip

#: Types that are read: on a damaged type of another class (a sequence of variable length, which a
#: string becomes by one bit) HDF5 does not raise an error but crashes.
_PLAIN = (h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.STRING, h5py.h5t.ENUM)

_SIGNATURE = b"\x89HDF\r\n\x1a\n"


@contextmanager
def readable(path: str | Path, name: str = "") -> Iterator[None]:
    """Turn what h5py raises inside the block into UnreadableFileError naming file and dataset."""
    try:
        yield
    except BeamkitError:
        raise
    except DAMAGE as error:
        place = f"{path}: {name}" if name else str(path)
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UnreadableFileError(
            f"{place} cannot be read as HDF5: {reason}. The file is cut short, damaged or still "
            "being written; copy it again from where it was written (h5dump -H lists what is left)."
        ) from error


@contextmanager
def open_file(path: str | Path) -> Iterator[h5py.File]:
    """Open an HDF5 file for reading, without locks; errors inside the block become ours.

    Raises
    ------
    UnreadableFileError
        If the file, or what the block reads of it, is damaged.
    """
    require_sound_heaps(Path(path))
    with readable(path), h5py.File(path, "r", locking=False) as file:
        yield file


def is_hdf5(path: Path) -> bool:
    """Say whether the file has the HDF5 signature, at the start or behind a user block."""
    try:
        with path.open("rb") as stream:
            if stream.read(8) == _SIGNATURE:
                return True
        return bool(h5py.is_hdf5(path))
    except (OSError, ValueError):
        return False


def text(value: Any) -> str:
    """Return an HDF5 string, of whichever kind it was stored, as text.

    Files hold fixed and variable length strings, arrays of one string, and strings that are
    Latin-1 although they claim to be UTF-8.
    """
    if isinstance(value, np.ndarray):
        return text(value.reshape(-1)[0]) if value.size else ""
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogateescape")
    if not isinstance(value, bytes):
        return str(value)
    try:
        decoded = value.decode("utf-8")
    except UnicodeDecodeError:
        decoded = value.decode("latin-1")
    return decoded.partition("\x00")[0].strip()


def attribute(item: h5py.Group | h5py.Dataset, name: str) -> Any:
    """Return an attribute as h5py gives it, or None if it is absent or damaged."""
    try:
        # Asked first: that a name is absent costs HDF5 much less than the error that says so.
        if not h5py.h5a.exists(item.id, name.encode()):
            return None
        kind = h5py.h5a.open(item.id, name.encode()).get_type().get_class()
        return item.attrs[name] if kind in _PLAIN else None
    except DAMAGE:
        return None


def text_attribute(item: h5py.Group | h5py.Dataset, name: str) -> str:
    """Return an attribute as text, ``""`` if it is absent or damaged."""
    value = attribute(item, name)
    return "" if value is None or isinstance(value, h5py.Empty) else text(value)


def list_attribute(item: h5py.Group | h5py.Dataset, name: str) -> list[str]:
    """Return an attribute that lists names: an array of strings, or one with ``:`` or ``,``."""
    value = attribute(item, name)
    if value is None or isinstance(value, h5py.Empty):
        return []
    if isinstance(value, np.ndarray) and value.size > 1:
        return [text(one) for one in value.reshape(-1)]
    joined = text(value).strip("[]")
    separator = ":" if ":" in joined else ","
    return [part.strip() for part in joined.split(separator) if part.strip()]


def member(group: h5py.Group, path: str) -> h5py.Group | h5py.Dataset | None:
    """Return what a path inside a file leads to, or None if it leads nowhere."""
    try:
        found = group.get(path)
    except DAMAGE:
        return None
    return found if isinstance(found, (h5py.Group, h5py.Dataset)) else None


def dataset(group: h5py.Group, path: str) -> h5py.Dataset | None:
    """Return the dataset at a path, or None if there is none."""
    found = member(group, path)
    return found if isinstance(found, h5py.Dataset) else None


def items(group: h5py.Group) -> Iterator[tuple[str, h5py.Group | h5py.Dataset]]:
    """Give the members of a group that can be reached; broken links are passed over."""
    try:
        names = list(group)
    except DAMAGE:
        return
    for name in names:
        found = member(group, name)
        if found is not None:
            yield name, found


def number(item: h5py.Group | h5py.Dataset | None) -> float | None:
    """Return a dataset of one number, or None if it is something else or damaged."""
    if not isinstance(item, h5py.Dataset):
        return None
    try:
        if item.size != 1 or item.dtype.kind not in "iufb":
            return None
        value = float(np.asarray(item[()]).reshape(-1)[0])
    except DAMAGE:
        return None
    return value if np.isfinite(value) else None


def string(item: h5py.Group | h5py.Dataset | None) -> str:
    """Return a dataset of one string, ``""`` if it is something else or damaged."""
    if not isinstance(item, h5py.Dataset):
        return ""
    try:
        if item.size != 1 or item.id.get_type().get_class() != h5py.h5t.STRING:
            return ""
        return text(item[()])
    except DAMAGE:
        return ""
