"""Files that are either whole or not there.

A result is written under a temporary name in its own folder, flushed to the disk, and renamed.
A reader, a killed process or a full disk never sees half a file under the final name.
"""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import WriteError


@contextmanager
def atomic_path(final: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path; when the block ends well, it becomes ``final``.

    The temporary name keeps the suffix, as some libraries look at it. If the block raises, the
    temporary file is removed and what was at ``final`` before stays as it was.

    Raises
    ------
    WriteError
        If the folder cannot be made, the disk is full, or the rename fails.
    """
    target = Path(final)
    temporary = target.with_name(f".{target.stem}.{uuid.uuid4().hex[:8]}.part{target.suffix}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _flush_to_disk(temporary)
        temporary.replace(target)
        _flush_to_disk(target.parent)
    except OSError as error:
        if isinstance(error, WriteError) or error.errno is None:
            raise
        raise WriteError(_explain(error, target)) from error
    finally:
        with suppress(OSError):  # the error that stopped the writing is the one to tell
            temporary.unlink(missing_ok=True)


def write_text(final: str | os.PathLike[str], text: str) -> None:
    """Write a text file in UTF-8, whole or not at all. Raises WriteError."""
    with atomic_path(final) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _flush_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _explain(error: OSError, target: Path) -> str:
    # Not error.strerror: HDF5 puts a page of its own there.
    message = f"{target} was not written: {os.strerror(error.errno or 0)}."
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        free = shutil.disk_usage(existing_parent(target)).free
        message += (
            f" {free / 1e6:.0f} MB are free there. Free some space, or choose another folder."
        )
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        message += " Choose a folder that you may write to."
    return message


def existing_parent(path: Path) -> Path:
    """Return the nearest folder above a path that exists."""
    return next(parent for parent in path.absolute().parents if parent.exists())
