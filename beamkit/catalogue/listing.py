"""What is in a folder: folders, files, and series of frames, without opening a file."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from beamkit.core.errors import UnreadableFileError

from ._names import families, guess_format, natural, series_name


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a listing.

    Attributes
    ----------
    name
        As it is shown; ``DC_[00001-01800].cbf`` for a series.
    path
        Where it is. For a series, the folder and the name that it is shown under, which is not a
        file: its files are ``files``.
    kind
        ``"folder"``, ``"series"`` (frames in files that differ by a number), ``"file"``,
        ``"unreadable"``, or ``"frame"``: one image of a file of several.
    size
        [byte]; of a series, of all its files; 0 for a folder.
    mtime
        Time of the last change, seconds since 1970; of a series, of its last changed file.
    format
        What the name promises: ``"CBF"``, ``"HDF5"`` ... or ``""``.
    files
        The files of a series, in the order of their numbers; the file itself for a file.
    reason
        Why it is unreadable, in words.
    """

    name: str
    path: str
    kind: str
    size: int = 0
    mtime: float = 0.0
    format: str = ""
    files: tuple[str, ...] = ()
    reason: str = ""


def list_folder(folder: str | os.PathLike[str]) -> list[Entry]:
    """Return what is in a folder: folders, series of frames, then every file, in natural order.

    A series stands beside its files: ``DC_00001.cbf`` to ``DC_01800.cbf`` are 1800 files and one
    series. Hidden files (of which the name begins with a dot) are left out. No file is opened.

    Parameters
    ----------
    folder
        The folder.

    Returns
    -------
    entries
        A broken link, or what may not be read, is an entry that says so.

    Raises
    ------
    UnreadableFileError
        If the folder is not there, is none, or may not be read.
    """
    place = Path(folder).expanduser()
    files: list[Entry] = []
    folders: list[Entry] = []
    for item in _scanned(place):
        if item.name[0] != ".":
            entry = _entry(item)
            (folders if entry.kind == "folder" else files).append(entry)
    files.sort(key=lambda entry: natural(entry.name))
    folders.sort(key=lambda entry: natural(entry.name))
    return [*folders, *_series(place, files), *files]


def _scanned(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except FileNotFoundError:
        raise UnreadableFileError(
            f"{folder} is not there. Check the name; was the folder moved?"
        ) from None
    except NotADirectoryError:
        raise UnreadableFileError(
            f"{folder} is a file, not a folder. Give the folder that it is in: {folder.parent}"
        ) from None
    except OSError as error:
        raise UnreadableFileError(
            f"{folder} cannot be listed: {error.strerror}. Check its permissions."
        ) from None


def _entry(item: os.DirEntry[str]) -> Entry:
    name, path = item.name, item.path  # text, not Path: thousands of them take their time
    try:
        found = item.stat()
    except OSError as error:
        return Entry(name, path, "unreadable", reason=_why(path, error))
    is_folder = stat.S_ISDIR(found.st_mode)
    reason = _obstacle(path, found.st_mode)
    kind = "unreadable" if reason else "folder" if is_folder else "file"
    size = 0 if is_folder else found.st_size
    file_format = "" if is_folder else guess_format(name)
    files = (path,) if kind == "file" else ()
    return Entry(name, path, kind, size, found.st_mtime, file_format, files, reason)


def _why(path: str, error: OSError) -> str:
    if Path(path).is_symlink():
        return f"a link to {Path(path).readlink()}, which leads nowhere"
    return f"it cannot be looked at: {error.strerror}"


def _obstacle(path: str, mode: int) -> str:
    """Say what stands in the way of opening it, ``""`` if nothing does."""
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        return "neither a file nor a folder"  # opening a pipe would wait for ever
    wanted = os.R_OK | os.X_OK if stat.S_ISDIR(mode) else os.R_OK
    return "" if os.access(path, wanted) else "you have no permission to read it"


def _series(folder: Path, files: list[Entry]) -> list[Entry]:
    readable = [entry for entry in files if entry.kind == "file"]
    groups = families([(entry.name, entry.format) for entry in readable])
    found = []
    for group in groups:
        members = [readable[place] for place, _ in group]
        name = series_name(group[0][1], group[-1][1])
        found.append(
            Entry(
                name,
                str(folder / name),
                "series",
                sum(member.size for member in members),
                max(member.mtime for member in members),
                members[0].format,
                tuple(member.path for member in members),
            )
        )
    return sorted(found, key=lambda entry: natural(entry.name))


def without_members(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries without the files that belong to a series."""
    entries = list(entries)
    inside = {path for entry in entries if entry.kind == "series" for path in entry.files}
    return [entry for entry in entries if entry.kind == "series" or entry.path not in inside]
