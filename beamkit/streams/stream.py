"""Frames in order, read ahead by threads, in bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any

import numpy as np

from beamkit.core.errors import BeamkitError, ParameterError, ShapeError, UnknownNameError
from beamkit.core.machine import cores

from ._bitshuffle import one_core
from ._pool import BufferPool
from ._series import Series
from .frame import Arrival, Frame, LiveSource, Problem, fill_value
from .sources import source_of

_ON_ERROR = ("mark", "raise")

#: How long to wait for a frame before looking whether the stream was closed [s].
_PATIENCE = 0.1


class Stream(Iterator[Frame]):
    """Frames of a source one after the other; made by :func:`stream`.

    It closes itself at the end, on an error, at the end of a ``with`` block, and when nothing
    refers to it any more; no thread is left behind.

    Attributes
    ----------
    problems
        The frames that could not be read so far, each a :class:`Problem`.
    """

    def __init__(self, frames: LiveSource, workers: int, prefetch: int, on_error: str) -> None:
        self.problems: list[Problem] = []
        self._frames = frames
        self._prefetch = prefetch
        self._raises = on_error == "raise"
        self._pool: BufferPool | None = None
        self._pending: deque[Future[Frame]] = deque()
        self._is_closed = False
        # several threads take the cores; one alone leaves them to the decoder
        self._threads = ThreadPoolExecutor(
            workers, "beamkit-stream", initializer=one_core if workers > 1 else None
        )

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> Frame:
        self._read_ahead()
        if not self._pending:
            self.close()
            raise StopIteration
        try:
            frame = self._pending.popleft().result()
        except BaseException:
            self.close()
            raise
        if frame.problem is not None:
            self.problems.append(Problem(frame.index, frame.source, frame.problem))
        return frame

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_threads"):  # else its making failed
            self.close()

    def close(self) -> None:
        """End the stream, from any thread: what is being read is finished, and threads end."""
        if self._is_closed:
            return
        self._is_closed = True
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._pending.clear()
        self._frames.close()

    def _read_ahead(self) -> None:
        """Keep the threads busy; wait only while there is nothing to give."""
        while len(self._pending) < self._prefetch and not self._is_closed:
            arrival = self._frames.next_arrival(0 if self._pending else _PATIENCE)
            if arrival is not None:
                self._submit(arrival)
            elif self._pending or self._frames.is_complete:
                return

    def _submit(self, arrival: Arrival) -> None:
        if self._pool is None:
            self._pool = BufferPool(arrival.shape, arrival.dtype, self._prefetch + 2)
        try:
            task = self._threads.submit(_decoded, arrival, self._pool, self._raises)
        except RuntimeError:
            if self._is_closed:  # by another thread, just now
                return
            raise
        self._pending.append(task)


def _decoded(arrival: Arrival, pool: BufferPool, raises: bool) -> Frame:
    buffer = pool.take()
    problem = None
    try:
        _require_same(arrival, pool)
        arrival.read_into(buffer)
    except BeamkitError as error:
        if raises:
            raise
        buffer.fill(fill_value(pool.dtype))
        problem = str(error)
    return Frame(
        arrival.index, pool.lend(buffer), arrival.label.time, arrival.label.source, problem
    )


def _require_same(arrival: Arrival, pool: BufferPool) -> None:
    if (arrival.shape, arrival.dtype) != (pool.shape, pool.dtype):
        raise ShapeError(
            f"{arrival.label.source}: frame {arrival.index} has {arrival.shape} pixels of "
            f"{arrival.dtype}, those before {pool.shape} of {pool.dtype}; the frames of a series "
            "must be equal. Stream the parts one by one."
        )


def stream(
    source: Any,
    *,
    start: int = 0,
    stop: int | None = None,
    step: int = 1,
    workers: int | None = None,
    prefetch: int | None = None,
    on_error: str = "mark",
) -> Stream:
    """Give the frames of a source in order, read ahead by threads in bounded memory.

    The frames are those that fabio and h5py give, to the last count. A frame that cannot be read
    (missing, cut short, of another size) keeps its place: the series never shifts.

    Parameters
    ----------
    source
        A dataset or array from :func:`beamkit.open`; names of files, as :func:`beamkit.open` takes
        them; an array (frame, detector_y, detector_x) of numpy or dask; or a
        :class:`FrameSource`, :class:`GrowingSource` or :class:`LiveSource`.
    start, stop, step
        Which frames, as in a slice; ``start`` at least 0, ``step`` at least 1. A live source
        gives them all.
    workers
        Threads that read; None for as many as there are cores.
    prefetch
        Frames that are read ahead, at least 1; None for one more than workers. So many frames
        are in memory, and those that the caller keeps.
    on_error
        ``"mark"``: a frame that cannot be read is filled (:class:`Frame`), says why in
        ``problem``, and is listed in ``stream.problems``; ``"raise"``: it raises.

    Returns
    -------
    frames
        An iterator of :class:`Frame`; a context manager, too.

    Raises
    ------
    ParameterError
        If an option has a value that is not allowed, or nothing in ``source`` is a frame.
    UnreadableFileError
        With ``on_error="raise"``, if a frame cannot be read; if the first file cannot be.
    ShapeError
        If the source has no frames of two dimensions.

    Examples
    --------
    >>> import numpy as np
    >>> counts = np.arange(3 * 4 * 5).reshape(3, 4, 5)
    >>> [(frame.index, int(frame.data[3, 4])) for frame in stream(counts, start=1)]
    [(1, 39), (2, 59)]
    """
    workers = cores() if workers is None else workers
    prefetch = workers + 1 if prefetch is None else prefetch
    for name, value, least in (
        ("start", start, 0), ("stop", stop, 0), ("step", step, 1), ("workers", workers, 1),
        ("prefetch", prefetch, 1),
    ):  # fmt: skip
        _require_whole(name, value, least)
    if on_error not in _ON_ERROR:
        raise UnknownNameError("way to handle errors (on_error)", str(on_error), _ON_ERROR)
    found = source_of(source)
    frames = found if isinstance(found, LiveSource) else Series(found, start, stop, step)
    return Stream(frames, workers, prefetch, on_error)


def _require_whole(name: str, value: Any, least: int) -> None:
    if value is None and name == "stop":
        return
    if not isinstance(value, (int, np.integer)) or value < least:
        raise ParameterError(
            f"{name} is {value!r}; a whole number of {least} or more is needed. "
            "Frames are counted from the first, 0."
        )
