"""One thread beside the kernel's, which does the newest of each kind of work and drops the rest."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextvars import Context, copy_context

_LOG = logging.getLogger(__name__)

#: An idle thread ends after this time [s]; the next work starts another.
_PATIENCE = 10.0

#: What is not urgent waits for a pause of this length: the picture has to get to the screen [s].
_PAUSE = 0.12

Work = Callable[[], None]


class NewestFirst:
    """Do work in a thread of its own; of two pieces under the same name only the newer is done.

    A slider that is dragged asks for more pictures than can be made: those that nobody waits for
    any more are dropped, and the last is always done.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._waiting: dict[str, tuple[Context, Work]] = {}
        self._less_urgent: dict[str, tuple[Context, Work]] = {}
        self._last_urgent, self._was_urgent = 0.0, False
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None
        self._busy = False
        self._closed = False

    def submit(self, name: str, work: Work, *, is_urgent: bool = True) -> None:
        """Do ``work`` soon, in place of what waits under the same ``name``; names keep turns.

        What is not urgent is done in a pause.
        """
        with self._change:
            if self._closed:
                return
            # What the kernel knows of the message that it answers is kept in context variables.
            queue = self._waiting if is_urgent else self._less_urgent
            queue[name] = copy_context(), work
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            self._change.notify_all()

    @property
    def is_closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._closed

    def wait(self, seconds: float = 30.0) -> bool:
        """Wait until nothing is left to do; return whether that is so."""
        with self._change:
            return self._change.wait_for(
                lambda: not (self._waiting or self._less_urgent or self._busy), seconds
            )

    def close(self) -> None:
        """Drop what waits, and end the thread once it has done what it does."""
        with self._change:
            self._closed = True
            self._waiting.clear()
            self._less_urgent.clear()
            self._change.notify_all()

    def _next(self) -> tuple[Context, Work] | None:
        with self._change:
            self._busy = False
            self._change.notify_all()
            queue = self._queue()
            if queue is None:
                self._thread = None
                return None
            self._busy, self._was_urgent = True, queue is self._waiting
            return queue.pop(next(iter(queue)))

    def _queue(self) -> dict[str, tuple[Context, Work]] | None:
        """Wait for work; return the queue that has some, or None when there is no more."""
        while not (self._waiting or self._closed):
            pause = self._last_urgent + _PAUSE - time.monotonic()
            if self._less_urgent and pause <= 0:
                return self._less_urgent
            has_come = self._change.wait(pause if self._less_urgent else _PATIENCE)
            if not (has_come or self._less_urgent):
                return None
        return self._waiting or None

    def _run(self) -> None:
        while (found := self._next()) is not None:
            context, work = found
            try:
                context.run(work)
            except Exception:
                # Work tells its own errors; what comes here is a defect, and the thread lives on.
                _LOG.exception("The viewer could not finish its work.")
            if self._was_urgent:
                self._last_urgent = time.monotonic()
            del context, work, found  # the last picture is not kept while waiting
