"""The newest frames in memory, for several readers at once."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from beamkit.core.errors import BeamkitError, ParameterError, ShapeError

from .frame import Frame
from .stream import Stream, stream


class RingBuffer:
    """The newest frames of a series; a new one takes the place of the oldest. Thread-safe.

    Parameters
    ----------
    capacity
        Frames that are kept, at least 1.
    shape, dtype
        Of a frame.

    Raises
    ------
    ParameterError
        If ``capacity`` is below 1.

    Examples
    --------
    >>> ring = RingBuffer(2, (1, 3), np.uint16)
    >>> reader = ring.reader()
    >>> for number in range(5):
    ...     ring.put(Frame(number, np.full((1, 3), number, np.uint16)))
    >>> ring.close()
    >>> [frame.index for frame in reader], reader.skipped
    ([3, 4], 3)
    """

    def __init__(self, capacity: int, shape: tuple[int, int], dtype: Any) -> None:
        if capacity < 1:
            raise ParameterError(f"capacity is {capacity}; a ring keeps 1 frame or more.")
        self.shape, self.dtype = tuple(shape), np.dtype(dtype)
        self._frames: deque[Frame] = deque(maxlen=capacity)
        self._put = 0
        self._is_closed = False
        self._changed = threading.Condition()

    @property
    def capacity(self) -> int:
        """Return how many frames are kept at most."""
        return self._frames.maxlen or 0

    @property
    def is_closed(self) -> bool:
        """Whether no more frames will be put in."""
        return self._is_closed

    @property
    def total(self) -> int:
        """Return how many frames were put in."""
        return self._put

    def __len__(self) -> int:
        """Return how many frames are kept."""
        return len(self._frames)

    def put(self, frame: Frame) -> None:
        """Add a frame; the oldest makes room. It is copied if its array can be written to.

        Raises
        ------
        ShapeError
            If the frame has another shape or type than the ring.
        ParameterError
            If the ring is closed.
        """
        if frame.data.shape != self.shape or frame.data.dtype != self.dtype:
            raise ShapeError(
                f"Frame {frame.index} has {frame.data.shape} pixels of {frame.data.dtype}, the "
                f"ring holds {self.shape} of {self.dtype}. Make a ring for these frames."
            )
        if frame.data.flags.writeable:
            copied = frame.data.copy()
            copied.flags.writeable = False
            frame = replace(frame, data=copied)
        with self._changed:
            if self._is_closed:
                raise ParameterError("The ring is closed, it takes no more frames. Make a new one.")
            self._frames.append(frame)
            self._put += 1
            self._changed.notify_all()

    def newest(self, timeout: float | None = 0) -> Frame | None:
        """Return the newest frame, waiting for the first up to ``timeout`` [s], None for ever.

        None if there is none by then, or if the ring was closed without any.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._frames or self._is_closed, timeout)
            return self._frames[-1] if self._frames else None

    def latest(self, count: int) -> list[Frame]:
        """Return the newest frames, oldest first; fewer if there are not so many."""
        with self._changed:
            return list(self._frames)[max(len(self._frames) - count, 0) :]

    def reader(self) -> RingReader:
        """Return a reader that begins with the oldest frame in memory."""
        with self._changed:
            return RingReader(self, self._put - len(self._frames))

    def close(self) -> None:
        """Say that no more frames come; readers get what is left, then end."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _after(self, place: int, timeout: float | None) -> tuple[Frame | None, int]:
        """Return the frame that was put in at a place, or the oldest after it, and its place."""
        with self._changed:
            self._changed.wait_for(lambda: self._put > place or self._is_closed, timeout)
            if self._put <= place:
                return None, place
            oldest = self._put - len(self._frames)
            found = max(place, oldest)
            return self._frames[found - oldest], found


class RingReader(Iterator[Frame]):
    """The frames of a ring in order, each once; made by :meth:`RingBuffer.reader`.

    A loop over it waits for frames and ends when the ring is closed.

    Attributes
    ----------
    skipped
        Frames that were gone before this reader came to them.
    """

    def __init__(self, ring: RingBuffer, place: int) -> None:
        self.skipped = 0
        self._ring = ring
        self._place = place

    def __iter__(self) -> RingReader:
        return self

    def __next__(self) -> Frame:
        frame = self.next_frame(None)
        if frame is None:
            raise StopIteration
        return frame

    def next_frame(self, timeout: float | None = None) -> Frame | None:
        """Return the next frame; None if none comes within ``timeout`` [s], or none ever will."""
        frame, found = self._ring._after(self._place, timeout)
        if frame is not None:
            self.skipped += found - self._place
            self._place = found + 1
        return frame


class Feed:
    """A thread that puts the frames of a source into a ring; made by :func:`feed`.

    Attributes
    ----------
    stream
        What it reads; ``stream.problems`` lists the frames that could not be read.
    error
        Why it ended early; None if it did not.
    """

    def __init__(self, frames: Stream, ring: RingBuffer, rate: float | None) -> None:
        self.stream = frames
        self.error: BeamkitError | None = None
        self._ring = ring
        self._period = 0.0 if rate is None else 1 / rate
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="beamkit-feed", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether frames may still come."""
        return self._thread.is_alive()

    def __enter__(self) -> Feed:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def join(self, timeout: float | None = None) -> bool:
        """Wait up to ``timeout`` [s] for the end; say whether it came."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def stop(self) -> None:
        """End it now, and close source and ring."""
        self._stop.set()
        self.stream.close()
        self._thread.join()

    def _run(self) -> None:
        due = time.monotonic()
        try:
            for frame in self.stream:
                self._ring.put(frame)
                due += self._period
                if self._stop.wait(max(due - time.monotonic(), 0) if self._period else 0):
                    return
        except BeamkitError as error:
            self.error = None if self._stop.is_set() else error
        finally:
            self.stream.close()
            self._ring.close()


def feed(source: Any, ring: RingBuffer, *, rate: float | None = None, **options: Any) -> Feed:
    """Put the frames of a source into a ring, in a thread of its own.

    Parameters
    ----------
    source, **options
        As :func:`beamkit.streams.stream` takes them.
    ring
        It is closed when the source ends.
    rate
        Frames a second, to play a series as if it came from a detector; None as they come.

    Returns
    -------
    feed
        To wait for, or to stop; a context manager that stops.

    Raises
    ------
    ParameterError
        If ``rate`` or an option is not allowed.
    """
    if rate is not None and not rate > 0:
        raise ParameterError(f"rate is {rate}; it is in frames a second, above 0.")
    return Feed(stream(source, **options), ring, rate)
