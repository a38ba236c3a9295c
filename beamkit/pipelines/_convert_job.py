"""The work of a conversion: frames read and compressed in threads, written in order, compared."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import h5py
import hdf5plugin  # noqa: F401 - registers the filters that reading back needs
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.errors import UnreadableFileError, WriteError
from beamkit.core.history import extend
from beamkit.writers.nxmx import NxmxFile, fill_value

from ._convert_source import FrameFiles
from ._convert_state import Journal, Workspace

Array = NDArray[Any]
T = TypeVar("T")

#: Called with (steps done, steps in all); a frame written is a step, one checked another.
Progress = Callable[[int, int], None]

#: Frames under way for each thread: memory stays bounded.
_AHEAD = 2


@dataclass
class Job:
    """One conversion.

    Attributes
    ----------
    data, source
        What is converted; its frames.
    work
        Where.
    compression, threads
        How.
    marks
        Whether a frame that cannot be read is a gap, not an error.
    check
        Whether the frames are compared afterwards.
    progress
        Called after each frame.
    problems
        Frames that could not be read, and why.
    """

    data: xr.Dataset
    source: FrameFiles
    work: Workspace
    compression: str
    threads: int
    marks: bool
    check: bool
    progress: Progress | None
    problems: dict[int, str] = field(default_factory=dict)
    _steps: int = 0

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return (frame, detector_y, detector_x)."""
        frames, rows, columns = self.source.frames.shape
        return frames, rows, columns

    def write(self, journal: Journal) -> tuple[int, tuple[str, ...]]:
        """Write all frames and what is known about them.

        Returns
        -------
        resumed, assumed
            Frames taken over from an earlier run; what the dataset does not say.
        """
        dtype = self.source.frames.dtype
        with NxmxFile(self.work.file, self.shape, dtype, self.compression) as file:
            done = self._take_over(file, journal)
            left = [frame for frame in range(self.shape[0]) if frame not in done]
            for frame, chunk in self._in_threads(left, lambda frame: self._encoded(file, frame)):
                self._store(file, journal, frame, chunk)
            assumed = file.describe(
                self._described(), headers=self.source.headers(), problems=self.problems
            )
        return len(done), tuple(assumed)

    def _store(self, file: NxmxFile, journal: Journal, frame: int, chunk: bytes | str) -> None:
        if isinstance(chunk, str):
            self.problems[frame] = chunk
            file.write_gap(frame)
        else:
            file.write(frame, chunk)
            journal.note(frame, chunk)
        self._step()

    def _take_over(self, file: NxmxFile, journal: Journal) -> set[int]:
        """Copy the frames that an earlier run finished, as they are on the disk."""
        taken: set[int] = set()
        for frame, chunk in sorted(self.work.done.items()):
            found = chunk.read()
            if found is not None:
                file.write(frame, found)
                journal.note(frame, found)
                taken.add(frame)
                self._step()
        self.work.forget_others()
        return taken

    def _encoded(self, file: NxmxFile, frame: int) -> bytes | str:
        """Return the chunk of a frame, or why there is none."""
        try:
            return file.encode(self.source.read(frame))
        except UnreadableFileError as error:
            if not self.marks:
                raise
            return self.source.problem(frame, error)

    def _described(self) -> xr.Dataset:
        """Return the dataset with this step in its history, and with the problems of its frames."""
        parameters = {"source": self.data.attrs.get("source"), "compression": self.compression}
        history = extend(self.data.attrs, "convert", parameters)
        result = self.data.assign_attrs(history=history)
        if not self.problems:
            return result
        texts = [self.problems.get(frame, "") for frame in range(self.shape[0])]
        return result.assign_coords(problem=("frame", np.array(texts, str), {"units": ""}))

    def compare(self) -> None:
        """Read back every count, as any other program would, and compare it with the source.

        Raises
        ------
        WriteError
            If one differs; the working state is removed then.
        """
        with h5py.File(self.work.file, "r", locking=False) as file:
            written: h5py.Dataset = file["/entry/data/data"]
            frames = range(self.shape[0])
            for frame, wrong in self._in_threads(frames, lambda n: self._differing(written, n)):
                if wrong:
                    self.work.remove()
                    raise WriteError(
                        f"{self.source.name(frame)}: {wrong} pixels that were read back differ "
                        "from the source. Nothing was kept; check disk and memory of this "
                        "machine, and convert again."
                    )
                self._step()

    def _differing(self, written: h5py.Dataset, frame: int) -> int:
        found = np.empty(self.shape[1:], written.dtype)
        written.read_direct(found, np.s_[frame])
        if frame in self.problems:
            expected: Array = np.full_like(found, fill_value(found.dtype))
        else:
            expected = np.asarray(self.source.read(frame), found.dtype)  # in its byte order
        bits = f"u{found.itemsize}"  # so that NaN equals NaN
        return int(np.count_nonzero(found.view(bits) != expected.view(bits)))

    def _in_threads(
        self, frames: Iterable[int], work: Callable[[int], T]
    ) -> Iterator[tuple[int, T]]:
        """Give the results in order, only so many ahead of what was taken."""
        waiting: deque[tuple[int, Future[T]]] = deque()
        pool = ThreadPoolExecutor(self.threads, thread_name_prefix="convert")
        try:
            for frame in frames:
                waiting.append((frame, pool.submit(work, frame)))
                if len(waiting) >= _AHEAD * self.threads:
                    first, result = waiting.popleft()
                    yield first, result.result()
            for last, result in waiting:
                yield last, result.result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _step(self) -> None:
        self._steps += 1
        if self.progress is not None:
            self.progress(self._steps, self.shape[0] * (2 if self.check else 1))


@contextmanager
def to_be_continued(work: Workspace, target: Path) -> Iterator[None]:
    """Say of a failed conversion where its work is and how to go on."""
    try:
        yield
    except WriteError as error:
        raise WriteError(
            f"{target}: {error} The frames that are done stay in {work.folder.name}; the same "
            "command again goes on with them, or remove that folder."
        ) from error
