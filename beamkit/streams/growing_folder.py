"""A folder in which a detector writes image files, one a frame."""

from __future__ import annotations

import fnmatch
import os
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from beamkit.core.errors import BeamkitError, ParameterError, ShapeError, UnreadableFileError
from beamkit.readers._file_guard import reading

from ._arrived_file import ArrivedFile, arrived
from .frame import Array, Label, Problem

#: Number of a frame: the last one in the name, before the suffixes.
_NUMBER = re.compile(r"^(.*?)(\d+)(\.[A-Za-z]\w*(?:\.gz|\.bz2)?)$")

#: Ends of names of files that will be renamed when they are whole, and of what is no image.
_NOT_FRAMES = (".tmp", ".part", ".partial", ".log", ".txt", ".json", ".xml", ".h5", ".nxs")

#: A number farther ahead than this is not of the same series.
_LONGEST_GAP = 100_000

#: Files whose sizes are watched at a time, and how long files are taken before others have a turn
#: [s].
_AHEAD, _LONGEST_LOOK = 200, 0.25

#: Prefix and suffix of the names of a series.
_Key = tuple[str, str]


class FolderSource:
    """Frames in files that appear one by one; the folder is asked again and again (polling).

    That works on network file systems, too, where nobody tells of new files. A file is taken when
    its size rests and all of it is there. Frames are counted by the numbers in the names, from the
    lowest that is there at first: one that does not come keeps its place, and reading it raises,
    so that a stream marks it and the series never shifts.

    Parameters
    ----------
    names
        Folder, or pattern (``raw/thau_*.cbf``). In a folder with several series it is the first
        by name. The folder itself may come later, but not the one that it is in.
    frames
        How many will come; None if that is not known.
    patience
        The series is complete when nothing has come for so long [s].
    gap_patience
        How long to wait for a number that is missing although later ones are there, and for the
        rest of a file that does not grow any more [s].
    poll
        How often to look [s].

    Attributes
    ----------
    problems
        Frames that did not come, not whole, or not of the size of the first: each a
        :class:`Problem`.

    Raises
    ------
    UnreadableFileError
        If there is no folder in which to look.
    ParameterError
        If a number is not allowed.
    """

    def __init__(
        self,
        names: str | os.PathLike[str],
        *,
        frames: int | None = None,
        patience: float = 30.0,
        gap_patience: float = 2.0,
        poll: float = 0.1,
    ) -> None:
        for name, value in (
            ("patience", patience), ("gap_patience", gap_patience), ("poll", poll),
        ):  # fmt: skip
            if not value > 0:
                raise ParameterError(f"{name} is {value}; it is a time above 0 s.")
        self.folder, self._pattern = _place(names)
        self._frames, self._patience, self._poll = frames, patience, poll
        self._gap_patience = gap_patience
        self.problems: list[Problem] = []
        self._lock = threading.RLock()
        self._key: _Key | None = None
        self._first = 0
        self._taken: list[ArrivedFile | Problem] = []
        self._like: ArrivedFile | None = None
        self._sizes: dict[str, tuple[int, float]] = {}  # size of a file, and since when it has it
        self._held_up: tuple[int, float] | None = None  # number that is missing, and since when
        self._last_look = self._last_news = time.monotonic()
        self._look(is_first=True)

    @property
    def shape(self) -> tuple[int, int]:
        """Return the pixels of a frame; 0, 0 as long as none has come."""
        return (0, 0) if self._like is None else self._like.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Return the type of a pixel; that of int32 as long as no frame has come."""
        return np.dtype(np.int32) if self._like is None else self._like.dtype

    def __len__(self) -> int:
        """Return how many frames there were when it was last looked."""
        return len(self._taken)

    @property
    def is_complete(self) -> bool:
        """Whether no more frames will come."""
        with self._lock:
            if self._frames is not None and len(self._taken) >= self._frames:
                return True
            if time.monotonic() - self._last_news <= self._patience:
                return False
            known = len(self._taken)
            self._look()
            return len(self._taken) == known and not self._waits_for_more()

    def wait_for(self, index: int, timeout: float) -> bool:
        """Wait up to ``timeout`` [s] for a frame; say whether it is there, or known to be lost."""
        end = time.monotonic() + timeout
        while index >= len(self._taken):
            left = end - time.monotonic()
            self._look_again()
            if index < len(self._taken) or left <= 0:
                break
            time.sleep(min(self._poll, left))
        return index < len(self._taken)

    def read_into(self, index: int, out: Array) -> None:
        """Read a frame. Raises UnreadableFileError, or ShapeError if it has another size."""
        item = self._taken[index]
        if isinstance(item, Problem):
            raise UnreadableFileError(item.reason)
        if item.shape != out.shape or item.dtype != out.dtype:
            raise ShapeError(self._other_size(item))
        with reading(item.path, "the frame"):
            item.read_frame(item.path, 0, out)

    def label(self, index: int) -> Label:
        """Return the file of a frame; its header is not read."""
        item = self._taken[index]
        return Label(None, item.source if isinstance(item, Problem) else str(item.path))

    def close(self) -> None:
        """Do nothing: no file stays open."""

    # ---- looking

    def _look_again(self) -> None:
        with self._lock:
            if time.monotonic() - self._last_look >= self._poll:
                self._look()

    def _look(self, *, is_first: bool = False) -> None:
        """Take the files that are whole, in order, up to the first that is not."""
        with self._lock:
            self._last_look = time.monotonic()
            there = self._numbered(is_first)
            self._measure(there)
            end = self._last_look + _LONGEST_LOOK
            while self._wants_more() and (time.monotonic() < end or not self._taken):
                number = self._first + len(self._taken)
                item = self._arrival(number, there)
                if item is None:
                    return
                self._take(item)

    def _measure(self, there: dict[int, str]) -> None:
        """Begin to watch the sizes of the files that will be taken next."""
        start = self._first + len(self._taken)
        for number in range(start, start + _AHEAD):
            if number in there and there[number] not in self._sizes:
                self._rests(there[number])

    def _wants_more(self) -> bool:
        return self._frames is None or len(self._taken) < self._frames

    def _waits_for_more(self) -> bool:
        return self._held_up is not None

    def _numbered(self, is_first: bool) -> dict[int, str]:
        """Return the names of the series by number; before the first, choose the series."""
        found: dict[_Key, dict[int, str]] = {}
        for name in sorted(self._names()):
            match = _NUMBER.match(name)
            if match is not None:
                found.setdefault((match[1], match[3]), {})[int(match[2])] = name
        if self._key is None:
            for key, numbers in found.items():
                if self._begins(key, numbers, is_first):
                    break
        return found.get(self._key, {}) if self._key is not None else {}

    def _begins(self, key: _Key, numbers: dict[int, str], is_first: bool) -> bool:
        """Whether a series has an image that is whole: then it is the one."""
        for name in numbers.values():
            if (is_first and self._is_old(name)) or self._rests(name):
                try:
                    self._like = arrived(self.folder / name, None)
                except BeamkitError:
                    continue
                self._key, self._first = key, min(numbers)
                return True
        return False

    def _names(self) -> Iterator[str]:
        try:
            with os.scandir(self.folder) as entries:
                for entry in entries:
                    name = entry.name
                    if name.startswith(".") or name.lower().endswith(_NOT_FRAMES):
                        continue
                    if self._pattern is None or fnmatch.fnmatch(name, self._pattern):
                        yield name
        except OSError:  # not there yet, or the network is away for a moment
            return

    def _arrival(self, number: int, there: dict[int, str]) -> ArrivedFile | Problem | None:
        """Return the next frame: its file, what is wrong with it, or None for wait."""
        later = [other for other in there if number < other <= number + _LONGEST_GAP]
        name = there.get(number)
        if name is None:
            if not later:
                self._held_up = None
                return None
            missing = f"{self._expected(number, there[min(later)])}: there is no such file, "
            return self._lost(number, missing + f"but {there[min(later)]} is there.")
        if not self._rests(name):
            self._held_up = (number, time.monotonic())
            return None
        try:
            return arrived(self.folder / name, self._like)
        except BeamkitError as error:
            return self._lost(number, f"{error}")

    def _lost(self, number: int, reason: str) -> Problem | None:
        """Return a problem once one has waited long enough."""
        now = time.monotonic()
        if self._held_up is None or self._held_up[0] != number:
            self._held_up = (number, now)
        if now - self._held_up[1] < self._gap_patience:
            return None
        name = reason.partition(": ")[0]
        waited = f" Beamkit waited {self._gap_patience:g} s; copy it again from the detector."
        return Problem(number - self._first, name, reason + waited)

    def _take(self, item: ArrivedFile | Problem) -> None:
        if self._like is not None and isinstance(item, ArrivedFile) and not item.like(self._like):
            index = len(self._taken)
            self.problems.append(Problem(index, str(item.path), self._other_size(item)))
        elif isinstance(item, Problem):
            self.problems.append(item)
        name = item.path.name if isinstance(item, ArrivedFile) else Path(item.source).name
        self._sizes.pop(name, None)
        self._held_up = None
        self._last_news = time.monotonic()
        self._taken.append(item)

    def _rests(self, name: str) -> bool:
        """Whether a file has had its size since the last look."""
        now = time.monotonic()
        try:
            size = (self.folder / name).stat().st_size
        except OSError:
            return False
        known = self._sizes.get(name)
        if known is None or known[0] != size:
            self._sizes[name] = (size, now)
            return False
        return size > 0 and known[1] < self._last_look

    def _is_old(self, name: str) -> bool:
        try:
            return time.time() - (self.folder / name).stat().st_mtime > self._gap_patience
        except OSError:
            return False

    def _expected(self, number: int, like: str) -> Path:
        match = _NUMBER.match(like)
        width = len(match[2]) if match else 1
        prefix, suffix = self._key or ("", "")
        return self.folder / f"{prefix}{number:0{width}d}{suffix}"

    def _other_size(self, item: ArrivedFile) -> str:
        return (
            f"{item.path}: it has {item.shape} pixels of {item.dtype}, the first frame "
            f"{self.shape} of {self.dtype}; the frames of a series must be equal. Watch what comes "
            "now as a series of its own, with a pattern of its names."
        )


def _place(names: str | os.PathLike[str]) -> tuple[Path, str | None]:
    path = Path(names).absolute()
    is_pattern = any(mark in path.name for mark in "*?[")
    folder = path.parent if is_pattern else path
    if path.is_file() or not folder.parent.is_dir():
        raise UnreadableFileError(
            f"{path}: there is no folder {folder if path.is_file() else folder.parent} in which "
            "frames could come. Give a folder, or a pattern such as raw/thau_*.cbf."
        )
    return folder, path.name if is_pattern else None
