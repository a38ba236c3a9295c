"""Frames of a series that cannot be read: marked, not dropped, so that no other moves.

A marked frame holds -1 (PILATUS: no measurement), the largest number of an unsigned type, or NaN.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import dask.array as da
import numpy as np
from dask.base import tokenize
from numpy.typing import NDArray

from beamkit.core.errors import ParameterError, UnreadableFileError

from ._image_stack import BLOCK_BYTES, FrameReader, ImageStack

T = TypeVar("T")

#: What ``on_error`` may be.
RAISE, MARK = "raise", "mark"

#: The last number of a name, before its endings: 0009 in thau_3_2_0009.cbf.bz2.
_NUMBER = re.compile(r"(\d+)(?=\D*?(?:\.[A-Za-z]\w*)*$)")


def require_choice(on_error: str) -> None:
    """Raise ParameterError unless ``on_error`` is ``"raise"`` or ``"mark"``."""
    if on_error not in (RAISE, MARK):
        raise ParameterError(
            f"on_error={on_error!r} is not allowed. Give 'raise' to refuse a series with a damaged "
            "file, 'mark' to keep its place with pixels that hold no measurement."
        )


@dataclass(frozen=True)
class FillOnError:
    """Reads a frame, or fills it where its file is damaged or missing."""

    read_into: FrameReader

    def __call__(self, path: Path, page: int, out: NDArray[Any]) -> None:
        """Fill the array with the frame, or with what marks a frame that is none."""
        try:
            self.read_into(path, page, out)
        except (UnreadableFileError, OSError):
            out[...] = unmeasured(out.dtype)


def unmeasured(dtype: np.dtype[Any]) -> Any:
    """Return what the pixels of a marked frame hold."""
    if dtype.kind == "f":
        return np.nan
    return -1 if dtype.kind == "i" else np.iinfo(dtype).max


def strict(stack: ImageStack) -> ImageStack:
    """Return a stack that raises where a file is damaged, whatever it did before."""
    reader = stack.read_into
    return replace(stack, read_into=reader.read_into) if isinstance(reader, FillOnError) else stack


def lazy_with_gaps(stack: ImageStack) -> da.Array:
    """Return a stack, of which files may be missing, as a dask array of whole frames."""
    bytes_of_frame = math.prod(stack.frame_shape) * stack.dtype.itemsize
    block = max(1, int(BLOCK_BYTES // max(bytes_of_frame, 1)))
    states = [_state(path) for path in dict.fromkeys(stack.files)]
    token = tokenize(states, stack.pages, stack.frame_shape, str(stack.dtype), "gaps")
    return da.from_array(
        stack,
        chunks=(min(block, max(len(stack.files), 1)), *stack.frame_shape),
        name=f"images-{token}",
        lock=False,
        fancy=True,
        meta=np.empty((0, 0, 0), stack.dtype),
    )


def _state(path: Path) -> tuple[str, int, int]:
    try:
        found = path.stat()
    except OSError:
        return str(path), 0, -1
    return str(path), found.st_mtime_ns, found.st_size


def with_missing(paths: Sequence[Path]) -> tuple[list[Path], str]:
    """Return the files of a numbered series with those that are not there, in order.

    Numbers may go up in steps: of 1, 3, 5, 9 the missing one is 7. Names that differ in more than
    their last number are no series, and one with more gaps than files is taken as it is.

    Returns
    -------
    paths, note
        The note says why a series was taken as it is; empty if there is nothing to say.
    """
    matches = [_NUMBER.search(path.name) for path in paths]
    numbers = [int(match[1]) for match in matches if match is not None]
    patterns = {
        (path.parent, path.name[: match.start()], path.name[match.end() :])
        for path, match in zip(paths, matches, strict=True)
        if match is not None
    }
    steps = np.diff(numbers)
    if len(numbers) != len(paths) or len(patterns) != 1 or not len(steps) or (steps <= 0).any():
        return list(paths), ""
    step = reduce(math.gcd, steps.tolist())
    every = range(numbers[0], numbers[-1] + 1, step)
    if len(every) > 2 * len(paths):
        return list(paths), (
            f"the names of the files go from {numbers[0]} to {numbers[-1]} with more gaps than "
            "files; they are taken as they are"
        )
    folder, before, after = patterns.pop()
    width = len(matches[0][1]) if matches[0] is not None else 0
    return [folder / f"{before}{number:0{width}d}{after}" for number in every], ""


def problem_of(path: Path, error: Exception | None = None) -> str:
    """Say in one line why a frame is marked."""
    if not path.exists():
        return f"{path.name}: there is no such file"
    return str(error).replace(str(path), path.name)


def each_or_problem(
    paths: Sequence[Path], read: Callable[[Path], T]
) -> tuple[list[T | None], list[str]]:
    """Return what ``read`` gives for each file, None where it cannot, and why.

    Raises
    ------
    UnreadableFileError
        If not one file can be read.
    """
    found: list[T | None] = []
    problems: list[str] = []
    for path in paths:
        try:
            found.append(read(path))
            problems.append("")
        except UnreadableFileError as error:
            found.append(None)
            problems.append(problem_of(path, error))
    if all(one is None for one in found):
        raise UnreadableFileError(
            f"None of the {len(paths)} files can be read. {problems[0]} Copy them again."
        )
    return found, problems
