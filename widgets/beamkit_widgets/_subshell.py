"""Messages from the browser are heard while a cell runs, whoever spoke last."""

from __future__ import annotations

from typing import Any


def hear_while_busy(widget: Any) -> None:
    """Let the messages of a widget come on the subshell that the browser asks for, always.

    ipykernel 7.4 sends what the browser says to where the kernel spoke last on the same comm: once
    a cell has set a trait, the browser's messages wait until that cell ends. A viewer has a lock
    and threads of its own, and does not mind which thread hears. Kernels that do not do so are
    left as they are.

    Parameters
    ----------
    widget
        A widget that is open.
    """
    if hasattr(widget.comm, "_reply_subshell_for"):
        widget.comm._reply_subshell_for = _as_asked


def _as_asked(_data: Any, asked: str | None) -> str | None:
    return asked
