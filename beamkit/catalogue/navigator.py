"""Where one is in a tree of folders: what is there, in what order, and what a choice opens as."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from beamkit.core.errors import ParameterError, UnreadableFileError
from beamkit.core.schema import main_variable
from beamkit.readers import open_dataset

from ._names import guess_format
from .filters import NAMES, Filter, ordered, parse_filter
from .listing import Entry, list_folder
from .metadata import Attributes, attributes, attributes_of, known_attributes

#: Between a file and what is meant in it: a frame, ``scan.h5::12``, or a node, ``scan.h5::/a/b``.
INSIDE = "::"

#: Headers that are read at a time, so that other work has its turn.
_BATCH = 32


class Navigator:
    """A place below a root, and the listing of what is there.

    A place is a folder, a series of frames (its files are listed), or a file of several frames
    (they are listed as ``file::number``).

    Parameters
    ----------
    folder
        Where to begin.
    root
        The folder that is never left; None for ``folder``.

    Attributes
    ----------
    root, place
        Absolute paths.
    entries
        What is there, as listed.

    Raises
    ------
    UnreadableFileError
        If the folder is not there, or may not be read.
    ParameterError
        If the folder is not below the root.
    """

    def __init__(
        self, folder: str | os.PathLike[str], *, root: str | os.PathLike[str] | None = None
    ) -> None:
        self.root = absolute(folder if root is None else root)
        self.place = self.root
        self.entries: list[Entry] = []
        self._places: dict[str, int] = {}
        self.go(folder)

    def go(self, place: str | os.PathLike[str]) -> None:
        """Go to a folder, into a series, or into a file of several frames, and list it.

        Raises
        ------
        ParameterError
            If it is not below the root.
        UnreadableFileError
            If it cannot be listed.
        """
        there = absolute(place)
        if not _is_below(there, self.root):
            raise ParameterError(
                f"{there} is outside {self.root}, which this explorer does not leave. "
                "Explore it by itself, or give a root above both: "
                f"root={os.path.commonpath([there, self.root])!r}"
            )
        entries = self._listed(there)
        self.place, self.entries = there, entries
        self._places = {entry.path: number for number, entry in enumerate(entries)}

    def _listed(self, there: str) -> list[Entry]:
        if Path(there).is_dir():
            return list_folder(there)
        if Path(there).is_file():
            return _frames_of(there)
        parent = list_folder(Path(there).parent)
        series = next((e for e in parent if e.path == there and e.kind == "series"), None)
        if series is None:
            raise UnreadableFileError(f"{there} is not there. Check the name; was it moved?")
        inside = set(series.files)
        return [entry for entry in parent if entry.path in inside and entry.kind == "file"]

    def refresh(self) -> None:
        """List the place again."""
        self.go(self.place)

    @property
    def crumbs(self) -> list[tuple[str, str]]:
        """Name and path of the root, of the folders on the way, and of the place."""
        root, way = Path(self.root), Path(self.place).relative_to(self.root).parts
        paths = [root.joinpath(*way[:depth]) for depth in range(len(way) + 1)]
        return [(path.name or str(path), str(path)) for path in paths]

    def entry(self, path: str) -> Entry | None:
        """Return the entry of a path at this place, or None."""
        number = self._places.get(path)
        return None if number is None else self.entries[number]

    # ---- order and filter

    def condition(self, text: str) -> Filter:
        """Return :func:`~beamkit.catalogue.parse_filter`, which knows the names in headers read."""
        return parse_filter(text, self.header_names())

    def header_names(self) -> list[str]:
        """Return the names that entries can be sorted by: of the vocabulary, and in headers."""
        found = dict.fromkeys(NAMES)
        for entry in self.entries:
            found.update(dict.fromkeys(header_of(entry) or ()))
        return [name for name in found if name not in ("unreadable", "source")]

    def visible(
        self, condition: Filter, by: str = "name", *, descending: bool = False
    ) -> list[int]:
        """Return the places in ``entries`` of those that pass, in order.

        Those whose header must be read before one can say are left out until it is. Folders
        always pass a comparison with the header, as they have none.
        """
        passing = [
            number
            for number, entry in enumerate(self.entries)
            if condition(entry, header_of(entry))
        ]
        chosen = [self.entries[number] for number in passing]
        places = ordered(chosen, by, headers=header_of, descending=descending)
        return [passing[place] for place in places]

    def without_header(self) -> list[Entry]:
        """Return the entries whose header has not been read."""
        return [
            entry
            for entry in self.entries
            if entry.files and known_attributes(entry.files[0]) is None
        ]


def read_headers(entries: Sequence[Entry]) -> int:
    """Read the headers of the first entries of a list; return of how many.

    A series has the header of its first file. Frames of one series are read together.
    """
    first = entries[0]
    alike = 1
    if first.format and first.kind == "file":
        while alike < min(len(entries), _BATCH) and _is_alike(first, entries[alike]):
            alike += 1
    attributes_of([entry.files[0] for entry in entries[:alike]])
    return alike


def _is_alike(first: Entry, other: Entry) -> bool:
    return (other.kind, other.format) == ("file", first.format) and first.format in ("CBF", "TIFF")


def header_of(entry: Entry) -> Attributes | None:
    """Return what is known from the header of an entry: nothing yet (None), or a dictionary."""
    if not entry.files:
        return {}  # folders have no header, and need not be waited for
    return known_attributes(entry.files[0])


def _frames_of(path: str) -> list[Entry]:
    header = attributes(path)
    if "unreadable" in header:
        raise UnreadableFileError(str(header["unreadable"]))
    number = int(header.get("frames", 1))
    found = Path(path).stat()
    size = found.st_size // number
    return [
        Entry(f"frame {k}", f"{path}{INSIDE}{k}", "frame", size, found.st_mtime)
        for k in range(number)
    ]


def absolute(path: str | os.PathLike[str]) -> str:
    """Return the absolute path without ``..``; links in it stay as they are."""
    return os.path.abspath(os.path.expanduser(os.fspath(path)))  # noqa: PTH100, PTH111


def _is_below(path: str, root: str) -> bool:
    return path == root or Path(root) in Path(path).parents


def files_of(paths: Iterable[str], listed: Iterable[Entry] = ()) -> list[str]:
    """Return the files that are meant by paths of entries: a series stands for its files."""
    series = {entry.path: entry.files for entry in listed if entry.kind == "series"}
    return [file for path in paths for file in series.get(path, (path,))]


def open_choice(paths: Sequence[str], listed: Iterable[Entry] = ()) -> xr.Dataset:
    """Open what was chosen as one dataset.

    Parameters
    ----------
    paths
        Files, series (with ``listed``, where they come from), frames of a file
        (``scan.h5::12``), or one array in a file (``scan.h5::/entry/data``).
    listed
        Entries of the place.

    Returns
    -------
    data
        As :func:`beamkit.open` opens it; of frames of a file only these, in the order of the file.

    Raises
    ------
    ParameterError
        If nothing is chosen, or what is chosen makes no dataset together.
    UnreadableFileError
        If a file cannot be read.
    """
    if not paths:
        raise ParameterError(
            "Nothing is selected. Click a file, or set explorer.selection = ['scan.nxs']."
        )
    inside = [path for path in paths if INSIDE in path]
    if not inside:
        files = files_of(paths, listed)
        _require_one_format(files)
        return open_dataset(files[0] if len(files) == 1 else files)
    file, _, _ = inside[0].partition(INSIDE)
    parts = [path.partition(INSIDE)[2] for path in inside]
    if len(inside) != len(paths) or any(path.partition(INSIDE)[0] != file for path in inside):
        raise ParameterError(
            f"{len(paths)} things are selected, in and beside {file}. Frames of one file make a "
            "dataset, and files do; select one kind."
        )
    return _opened_inside(file, parts)


def _require_one_format(files: Sequence[str]) -> None:
    found = {guess_format(os.path.basename(file)) or "unknown": file for file in files}  # noqa: PTH119
    if len(found) > 1:
        raise ParameterError(
            f"Files of {len(found)} formats are selected ({', '.join(found)}), which make no "
            "dataset together. Select files of one format, or compare two of them."
        )


def _opened_inside(file: str, parts: Sequence[str]) -> xr.Dataset:
    frames = [int(part) for part in parts if part.isdigit()]
    if len(frames) == len(parts):
        data = open_dataset(file)
        dim = data[main_variable(data)].dims[0]
        return data.isel({dim: sorted(frames)})
    if len(parts) > 1:
        raise ParameterError(
            f"{len(parts)} arrays of {file} are selected: {', '.join(parts)}. Open one of them."
        )
    options: dict[str, Any] = {"data": parts[0]}
    return open_dataset(file, **options)
