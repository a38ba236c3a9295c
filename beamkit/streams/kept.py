"""The newest frames of a source that gives each only once, kept so that they can be looked at."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any

import numpy as np
import xarray as xr

from beamkit.core.errors import BeamkitError, ParameterError, UnreadableFileError

from .frame import Array, Frame, Label, LiveSource, Problem
from .stream import Stream, stream

#: Memory of the frames that are kept, unless their number is given [bytes].
_MEMORY = 1 << 30

_LEAST = 8


class KeptSource:
    """A :class:`GrowingSource` over a :class:`LiveSource`: frames come by themselves, and stay.

    A thread takes every frame as it comes, so that the detector never waits. The newest are kept;
    an older one cannot be read any more and says so.

    Parameters
    ----------
    source
        Gives each frame once, as :class:`DectrisSource` does; it is closed with this one.
    keep
        How many frames are kept, at least 1; None for those that 1 GiB holds.
    **options
        Of :func:`beamkit.streams.stream`: ``workers``, ``prefetch``.

    Raises
    ------
    ParameterError
        If ``keep`` is below 1, or an option is not allowed.
    """

    def __init__(self, source: LiveSource, *, keep: int | None = None, **options: Any) -> None:
        if keep is not None and keep < 1:
            raise ParameterError(f"keep is {keep}; 1 frame or more is kept.")
        self.source = source
        self._keep = keep
        self._stream: Stream = stream(source, **options)
        self._frames: deque[Frame] = deque()
        self._like: Array = np.empty((0, 0), np.int32)
        self._total = 0
        self._error: BeamkitError | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="beamkit-kept", daemon=True)
        self._thread.start()

    @property
    def shape(self) -> tuple[int, int]:
        """Return the pixels of a frame; 0, 0 as long as none has come."""
        rows, columns = self._like.shape
        return rows, columns

    @property
    def dtype(self) -> np.dtype[Any]:
        """Return the type of a pixel; that of int32 as long as no frame has come."""
        return self._like.dtype

    @property
    def oldest(self) -> int:
        """Return the number of the oldest frame that can still be read."""
        return self._total - len(self._frames)

    @property
    def is_complete(self) -> bool:
        """Whether the series has ended, and well."""
        return not self._thread.is_alive() and self._error is None

    @property
    def problems(self) -> list[Problem]:
        """Frames that were lost or damaged, and messages that were not understood."""
        return [*self._stream.problems, *getattr(self.source, "problems", ())]

    def __len__(self) -> int:
        """Return how many frames have come."""
        return self._total

    def about(self) -> xr.Dataset:
        """Return what the source tells beside the frames: attributes, and the mask if it has it."""
        data = xr.Dataset({"frames": 0}, attrs=getattr(self.source, "attrs", {}))
        mask = getattr(self.source, "mask", None)
        return data if mask is None else data.assign(mask=mask)

    def read_into(self, index: int, out: Array) -> None:
        """Write a frame into an array. Raises UnreadableFileError if it is not kept or was lost."""
        frame = self._frame(index)
        if frame.problem is not None:
            raise UnreadableFileError(frame.problem)
        np.copyto(out, frame.data)

    def label(self, index: int) -> Label:
        """Return time and source of a frame; those of one that is not kept are not known."""
        with self._changed:
            place = index - self.oldest
            if 0 <= place < len(self._frames):
                return Label(self._frames[place].time, self._frames[place].source)
        return Label(None, str(self.about().attrs.get("source", "")))

    def wait_for(self, index: int, timeout: float) -> bool:
        """Wait up to ``timeout`` [s] for a frame; say whether it came.

        Raises
        ------
        BeamkitError
            If it never will, because the source ended with this error.
        """
        end = time.monotonic() + timeout
        with self._changed:
            while self._total <= index:
                if self._error is not None:
                    raise self._error
                left = end - time.monotonic()
                if left <= 0 or not self._thread.is_alive():
                    return False
                self._changed.wait(left)
        return True

    def close(self) -> None:
        """Stop listening; what is kept stays readable."""
        self._stream.close()
        self._thread.join()

    def _run(self) -> None:
        try:
            for frame in self._stream:
                self._put(frame)
        except BeamkitError as error:
            self._error = error
        finally:
            self._stream.close()
            with self._changed:
                self._changed.notify_all()

    def _put(self, frame: Frame) -> None:
        with self._changed:
            if self._keep is None:
                self._keep = max(_MEMORY // max(frame.data.nbytes, 1), _LEAST)
            self._like = frame.data
            self._frames.append(frame)
            self._total = frame.index + 1
            while len(self._frames) > self._keep:
                self._frames.popleft()
            self._changed.notify_all()

    def _frame(self, index: int) -> Frame:
        with self._changed:
            if self.oldest <= index < self._total:
                return self._frames[index - self.oldest]
            raise UnreadableFileError(
                f"Frame {index} is not in memory: {self.oldest} to {self._total - 1} are kept. "
                "Keep more (keep=...), or open the files that the detector writes."
            )
