"""The working state of a conversion: what a killed run leaves, and the next one takes over.

Beside ``OUT`` stands the folder ``OUT.parts`` with the file under work, and a journal: for each
frame that is in it, where its chunk lies and the checksum of it. HDF5 keeps what a file holds in
memory until it is closed, so the file of a killed run cannot be opened; its chunks are on the disk
all the same, and the journal says where.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from beamkit.core.atomic import write_text
from beamkit.core.errors import WriteError

#: Frame, place and length of its chunk [bytes], checksum of the chunk, checksum of the record.
_RECORD = struct.Struct("<qqqII")
_SIGNED = struct.Struct("<qqqI")


@dataclass(frozen=True)
class Chunk:
    """A frame that is in the file of a run that was stopped."""

    frame: int
    file: Path
    offset: int
    size: int
    checksum: int

    def read(self) -> bytes | None:
        """Return its bytes; None if they are not those that were written."""
        with self.file.open("rb") as stream:
            stream.seek(self.offset)
            found = stream.read(self.size)
        return found if zlib.crc32(found) == self.checksum and len(found) == self.size else None


class Workspace:
    """The folder ``OUT.parts``.

    Parameters
    ----------
    folder
        The folder.
    generation
        How many runs have written into it before.
    done
        The frames that they finished.
    """

    def __init__(self, folder: Path, generation: int, done: dict[int, Chunk]) -> None:
        self.folder = folder
        self.done = done
        self._generation = generation
        self.file = folder / f"frames_{generation}.h5"

    @contextmanager
    def journal(self) -> Iterator[Journal]:
        """Give the journal of this run."""
        with self.file.with_suffix(".journal").open("ab", buffering=0) as stream:
            yield Journal(self.file, stream)

    def forget_others(self) -> None:
        """Remove what earlier runs left, after it was taken over."""
        for path in self.folder.glob("frames_*"):
            if path.stem != self.file.stem:
                path.unlink()
        self.done = {}

    def publish(self, out: Path) -> None:
        """Give the file of this run its final name, when all of it is on the disk."""
        with self.file.open("rb") as stream:
            os.fsync(stream.fileno())
        self.file.replace(out)
        self.remove()

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


class Journal:
    """Says for each frame, as soon as it is on its way to the disk, where it lies."""

    def __init__(self, file: Path, stream: BinaryIO) -> None:
        self._file = file
        self._stream = stream

    def note(self, frame: int, chunk: bytes) -> None:
        """Note the frame that was written last: new chunks lie at the end of a file."""
        offset = self._file.stat().st_size - len(chunk)
        record = _SIGNED.pack(frame, offset, len(chunk), zlib.crc32(chunk))
        self._stream.write(record + struct.pack("<I", zlib.crc32(record)))


@contextmanager
def workspace(out: Path, signature: dict[str, object]) -> Iterator[Workspace]:
    """Give the working folder of a conversion, alone in it.

    Parameters
    ----------
    out
        The file that is to be made.
    signature
        What the frames depend on; the work of an earlier run with another one is thrown away.

    Raises
    ------
    WriteError
        If another process works in it, or it cannot be made.
    """
    folder = out.with_name(out.name + ".parts")
    text = json.dumps(signature, sort_keys=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:
            _lock(lock.fileno(), folder)
            state = folder / "state.json"
            if not state.exists() or state.read_text(encoding="utf-8") != text:
                _clear(folder)
                write_text(state, text)
            yield _found(folder)
    except PermissionError as error:
        raise WriteError(
            f"{folder} cannot be made: {os.strerror(error.errno or 0)}. "
            "Choose a folder that you may write to."
        ) from error


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise WriteError(
            f"{folder} is in use: another conversion into the same file runs. "
            "Wait for it, or choose another name."
        ) from None


def _clear(folder: Path) -> None:
    for path in folder.glob("frames_*"):
        path.unlink()


def _found(folder: Path) -> Workspace:
    done: dict[int, Chunk] = {}
    last = 0
    for journal in sorted(folder.glob("frames_*.journal"), key=_generation):
        last = max(last, _generation(journal))
        done.update(_records(journal))
    return Workspace(folder, last + 1, done)


def _generation(path: Path) -> int:
    return int(path.stem.rpartition("_")[2])


def _records(journal: Path) -> dict[int, Chunk]:
    """Return what a journal says; its last record may be cut."""
    file = journal.with_suffix(".h5")
    found: dict[int, Chunk] = {}
    data = journal.read_bytes() if file.exists() else b""
    for start in range(0, len(data) - _RECORD.size + 1, _RECORD.size):
        frame, offset, size, checksum, own = _RECORD.unpack_from(data, start)
        if zlib.crc32(data[start : start + _SIGNED.size]) == own:
            found[frame] = Chunk(frame, file, offset, size, checksum)
    return found
