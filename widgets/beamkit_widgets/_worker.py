"""One thread beside the kernel's, which does the newest of each kind of work and drops the rest."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextvars import Context, copy_context

_LOG = logging.getLogger(__name__)

#: An idle thread ends after this time [s]; the next work starts another.
_PATIENCE = 10.0

Work = Callable[[], None]


class NewestFirst:
    """Do work in a thread of its own; of two pieces under the same name only the newer is done.

    A slider that is dragged asks for more pictures than can be made: those that nobody waits for
    any more are dropped, and the last is always done.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._waiting: dict[str, tuple[Context, Work]] = {}
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None
        self._busy = False
        self._closed = False

    def submit(self, name: str, work: Work) -> None:
        """Do ``work`` soon, in place of what waits under the same ``name``; names keep turns."""
        with self._change:
            if self._closed:
                return
            # What the kernel knows of the message that it answers is kept in context variables.
            self._waiting[name] = copy_context(), work
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
            return self._change.wait_for(lambda: not (self._waiting or self._busy), seconds)

    def close(self) -> None:
        """Drop what waits, and end the thread once it has done what it does."""
        with self._change:
            self._closed = True
            self._waiting.clear()
            self._change.notify_all()

    def _next(self) -> tuple[Context, Work] | None:
        with self._change:
            self._busy = False
            self._change.notify_all()
            self._change.wait_for(lambda: self._waiting or self._closed, _PATIENCE)
            if not self._waiting:
                self._thread = None
                return None
            self._busy = True
            return self._waiting.pop(next(iter(self._waiting)))

    def _run(self) -> None:
        while (found := self._next()) is not None:
            context, work = found
            try:
                context.run(work)
            except Exception:
                # Work tells its own errors; what comes here is a defect, and the thread lives on.
                _LOG.exception("The viewer could not finish its work.")
            del context, work, found  # the last picture is not kept while waiting
