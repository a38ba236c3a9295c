"""A source that can be read in any order, as one whose frames come one after the other."""

from __future__ import annotations

from functools import partial

from .frame import Arrival, FrameSource, GrowingSource


class Series:
    """Frames ``start, start + step, ...`` of a source, as they are asked for.

    Parameters
    ----------
    source
        It is closed with the series.
    start, stop, step
        As in a slice with whole numbers from 0; ``stop`` None goes to the end, wherever it is.
    """

    def __init__(self, source: FrameSource, start: int, stop: int | None, step: int) -> None:
        self._source = source
        self._growing = source if isinstance(source, GrowingSource) else None
        self._next, self._stop, self._step = start, stop, step

    @property
    def is_complete(self) -> bool:
        """Whether the last frame has been given."""
        if self._stop is not None and self._next >= self._stop:
            return True
        if self._growing is not None and not self._growing.is_complete:
            return False
        return self._next >= len(self._source)

    def next_arrival(self, timeout: float) -> Arrival | None:
        """Return the next frame; None if there is none yet, or no more."""
        if self.is_complete:
            return None
        if self._growing is not None and not self._growing.wait_for(self._next, timeout):
            return None
        index = self._next
        self._next += self._step
        source = self._source
        return Arrival(
            index, source.label(index), source.shape, source.dtype, partial(source.read_into, index)
        )

    def close(self) -> None:
        """Close the source."""
        self._source.close()
