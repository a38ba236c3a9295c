"""What the machine lets this process use: memory and cores."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

#: Limit and use of the control group: version 2, then version 1.
_CGROUP = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)


def available_memory() -> int:
    """Return the memory that can still be used [bytes], within the control group's limit.

    A batch job or a container is killed at its group's limit, however much the machine has.
    """
    free = int(psutil.virtual_memory().available)
    for limit_file, used_file in _CGROUP:
        limit, used = _number(limit_file), _number(used_file)
        if limit is not None and used is not None:
            return max(min(free, limit - used), 0)
    return free


def cores() -> int:
    """Return the cores that this process may run on: a batch job has fewer than the machine."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _number(path: str) -> int | None:
    try:
        return int(Path(path).read_text(encoding="ascii"))
    except (OSError, ValueError):  # not there, or "max"
        return None
