"""The stream of a DECTRIS detector over ZeroMQ: SIMPLON stream interface, version 1.

A PUSH socket gives each message to one receiver: while this source listens, no other receiver of
the same detector gets these frames, unless the detector or a relay publishes them.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from types import TracebackType
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.errors import BeamkitError, ParameterError, UnreadableFileError

from ._dectris_messages import Header, Image, parse
from .frame import Array, Arrival, Label, Problem

#: Messages that wait here before the detector keeps them itself: memory is bounded.
_WAITING = 32


class DectrisSource:
    """Frames of one series as a DECTRIS detector sends them: a :class:`LiveSource`.

    Lost frames (the numbers jump) keep their place as gaps with a reason; a series that is joined
    late begins with the gaps of the frames that were sent before. Frames of other series are
    left out and counted in :attr:`ignored`.

    Parameters
    ----------
    endpoint
        Of the detector, such as ``"tcp://192.168.0.10:9999"``.
    series
        Number of the series to read; None for the first that is heard of.
    timeout
        How long the detector may be silent [s] before the source ends with an error; None for
        ever.

    Attributes
    ----------
    problems
        Messages that could not be read, as :class:`Problem` with index -1.
    ignored
        How many images of other series came.

    Raises
    ------
    ParameterError
        If ZeroMQ does not know such an endpoint, or the timeout is not above 0.
    """

    def __init__(
        self, endpoint: str, *, series: int | None = None, timeout: float | None = 30.0
    ) -> None:
        if timeout is not None and not timeout > 0:
            raise ParameterError(f"timeout is {timeout}; seconds above 0, or None, are needed.")
        self._endpoint, self._series, self._timeout = endpoint, series, timeout
        self.problems: list[Problem] = []
        self.ignored = 0
        self._header: Header | None = None
        self._waiting: deque[Arrival] = deque()
        self._next = 0
        self._first_start: float | None = None
        self._has_ended = False
        self._heard = time.monotonic()
        self._lock = threading.Lock()  # a socket of ZeroMQ belongs to one thread at a time
        self._socket = _connected(endpoint)

    def __enter__(self) -> DectrisSource:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def is_complete(self) -> bool:
        """Whether the end of the series was told, and all before it was given."""
        return self._has_ended and not self._waiting

    @property
    def series(self) -> int | None:
        """Return the number of the series; None before anything was heard."""
        return self._series

    @property
    def expected(self) -> int | None:
        """Return how many frames the series is to have; None if the header does not say."""
        return None if self._header is None else self._header.expected

    @property
    def attrs(self) -> dict[str, Any]:
        """Return the metadata of the header in the vocabulary of the house; what was told."""
        found = (self._header or Header(0)).attributes()
        return {**found, "source": self._endpoint}

    @property
    def mask(self) -> xr.DataArray | None:
        """Return the detector's mask, bits of NXdetector; None unless header detail is "all"."""
        found: NDArray[np.uint32] | None = None if self._header is None else self._header.mask
        if found is None:
            return None
        return xr.DataArray(found, dims=("detector_y", "detector_x"), name="mask")

    def wait_for_header(self, timeout: float) -> bool:
        """Listen up to ``timeout`` [s] until metadata or frames have come; say whether they have.

        No frame is lost by it.
        """
        end = time.monotonic() + timeout
        while self._header is None and not self._waiting and not self._has_ended:
            left = end - time.monotonic()
            if left <= 0:
                return False
            self._listen_for(left)
        return True

    def next_arrival(self, timeout: float) -> Arrival | None:
        """Return the next frame; None if none comes within ``timeout`` [s].

        Raises
        ------
        UnreadableFileError
            If the detector was silent for longer than the ``timeout`` of the source.
        """
        end = time.monotonic() + timeout
        while not self._waiting and not self._has_ended:
            left = max(end - time.monotonic(), 0.0)
            if not self._listen_for(left):
                self._require_patience()
                return None
        return self._waiting.popleft() if self._waiting else None

    def close(self) -> None:
        """Stop listening, from any thread; what was not read is lost."""
        self._has_ended = True
        with self._lock:
            self._socket.close(linger=0)

    def _listen_for(self, seconds: float) -> bool:
        """Take one message, if one comes; say whether one came."""
        with self._lock:
            if self._socket.closed or not self._socket.poll(int(np.ceil(seconds * 1e3))):
                return False
            parts = self._socket.recv_multipart()
        self._heard = time.monotonic()
        try:
            self._take(parse(parts))
        except BeamkitError as error:
            self.problems.append(Problem(-1, self._endpoint, str(error)))
        return True

    def _take(self, message: Header | Image | int) -> None:
        number = message if isinstance(message, int) else message.series
        if self._series is None:
            self._series = number
        if number != self._series:
            self.ignored += isinstance(message, Image)
        elif isinstance(message, Header):
            self._header = message
        elif isinstance(message, Image):
            self._arrived(message)
        else:
            self._has_ended = True

    def _arrived(self, image: Image) -> None:
        if image.number < self._next:
            self.problems.append(
                Problem(image.number, self._endpoint, "the frame came twice or too late")
            )
            return
        for number in range(self._next, image.number):
            self._waiting.append(self._lost(number, image))
        self._next = image.number + 1
        if self._first_start is None and image.start is not None:
            self._first_start = image.start
        since = None if image.start is None else image.start - (self._first_start or 0.0)
        label = Label(since, f"{self._endpoint} series {image.series}")
        self._waiting.append(
            Arrival(image.number, label, image.shape, image.dtype, image.read_into)
        )

    def _lost(self, number: int, image: Image) -> Arrival:
        """Return what stands for a frame that did not come, of the size of one that did."""

        def missing(_out: Array) -> None:
            raise UnreadableFileError(
                f"Frame {number} of series {image.series} did not come; {image.number} was the "
                "next. Another receiver got it, or it was dropped on the way."
            )

        label = Label(None, f"{self._endpoint} series {image.series}")
        return Arrival(number, label, image.shape, image.dtype, missing)

    def _require_patience(self) -> None:
        silent = time.monotonic() - self._heard
        if not self._has_ended and self._timeout is not None and silent > self._timeout:
            said = "no message" if self._series is None else f"no more of series {self._series}"
            raise UnreadableFileError(
                f"{self._endpoint}: {said} within {self._timeout:g} s; {self._next} frames came. "
                "Is the stream of the detector enabled, and is there no other receiver?"
            )


def _connected(endpoint: str) -> Any:
    import zmq

    socket: Any = zmq.Context.instance().socket(zmq.PULL)
    socket.setsockopt(zmq.RCVHWM, _WAITING)
    try:
        socket.connect(endpoint)
    except zmq.ZMQError as error:
        socket.close(linger=0)
        raise ParameterError(
            f"endpoint is {endpoint!r}: {error}. Give it as tcp://ADDRESS:PORT."
        ) from None
    return socket
