"""How much memory there is to work with."""

from __future__ import annotations

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


def available() -> int:
    """Return the memory that can still be used [bytes], within the control group's limit.

    A batch job or a container is killed at its group's limit, however much the machine has.
    """
    free = int(psutil.virtual_memory().available)
    for limit_file, used_file in _CGROUP:
        limit, used = _number(limit_file), _number(used_file)
        if limit is not None and used is not None:
            return max(min(free, limit - used), 0)
    return free


def _number(path: str) -> int | None:
    try:
        return int(Path(path).read_text(encoding="ascii"))
    except (OSError, ValueError):  # not there, or "max"
        return None
