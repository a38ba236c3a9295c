"""What a user may give to name files: a path, a glob, a folder, or several of these."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from glob import glob, has_magic
from pathlib import Path
from typing import Any

from beamkit.core.errors import ParameterError, UnreadableFileError

PathLike = str | os.PathLike[str]


def natural_key(path: PathLike) -> list[tuple[int, str]]:
    """Return a sort key that puts ``2`` before ``10``.

    >>> sorted(["f10.cbf", "f2.cbf"], key=natural_key)
    ['f2.cbf', 'f10.cbf']
    """
    parts = re.split(r"([0-9]+)", os.fspath(path))
    return [(int(part), "") if i % 2 else (0, part) for i, part in enumerate(parts)]


def expand(path: PathLike | Sequence[PathLike]) -> list[Path]:
    """Return the files and folders that were named, in natural order, each once.

    Raises
    ------
    UnreadableFileError
        If one is not there, or a glob matches nothing.
    ParameterError
        If nothing was named, or not with a path.
    """
    named: Any = path  # whatever a user gives: a number is to be refused in words
    one_path = isinstance(named, (str, os.PathLike)) or not isinstance(named, Iterable)
    given: list[Any] = [named] if one_path else list(named)
    wrong = [one for one in given if not isinstance(one, (str, os.PathLike))]
    if wrong or not given:
        raise ParameterError(
            f"{(wrong or [path])[0]!r} does not name a file. Give a path, a glob such as "
            "'raw/*.cbf', a folder, or a list of paths."
        )
    found = {found for one in given for found in _matches(os.path.expanduser(os.fspath(one)))}  # noqa: PTH111
    return sorted(found, key=natural_key)


def _matches(name: str) -> list[Path]:
    path = Path(name)
    if path.exists():
        return [path]
    if has_magic(name):
        found = [Path(match) for match in glob(name, recursive=True)]  # noqa: PTH207
        if found:
            return found
        raise UnreadableFileError(f"No file matches {name}. {_what_is_in(path.parent)}")
    raise UnreadableFileError(_missing(path))


def _missing(path: Path) -> str:
    names = _names(path.parent)
    near = get_close_matches(path.name, names, n=1)
    hint = f" Did you mean {path.parent / near[0]}?" if near else f" {_what_is_in(path.parent)}"
    return f"{path} is not there.{hint}"


def _what_is_in(folder: Path) -> str:
    if has_magic(str(folder)):
        return "Check the folder and the pattern."
    if not folder.is_dir():
        return f"The folder {folder} is not there either."
    names = _names(folder)
    listing = ", ".join(names[:8]) + (" ..." if len(names) > 8 else "")
    return f"{folder} holds: {listing or 'nothing'}."


def _names(folder: Path) -> list[str]:
    try:
        return sorted((each.name for each in folder.iterdir()), key=natural_key)
    except OSError:
        return []


def files_in(folder: Path) -> list[Path]:
    """Return the files of a folder that are not hidden, in natural order."""
    found = [each for each in folder.iterdir() if each.is_file() and each.name[0] != "."]
    return sorted(found, key=natural_key)


def one_file(paths: Sequence[Path], description: str) -> Path:
    """Return the only path, for a format of which one file is one dataset.

    Raises
    ------
    ParameterError
        If there are several.
    """
    if len(paths) != 1:
        raise ParameterError(
            f"{len(paths)} files were named, but each is {description}, a dataset by itself: "
            f"{', '.join(path.name for path in paths[:5])}. Open one of them."
        )
    return paths[0]
