"""A series of image files, one frame each, that need not all be there or sound.

:func:`beamkit.open` wants a whole series; this takes what there is and keeps the place of the rest.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from beamkit.core.errors import BeamkitError, UnreadableFileError
from beamkit.readers import cbf, fabio_images, open_dataset
from beamkit.readers._file_guard import reading
from beamkit.readers._image_stack import FrameReader
from beamkit.readers._paths import expand, files_in

from .frame import Array, Label

Names = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]

#: The last number in a name, before the suffixes.
_NUMBER = re.compile(r"^(.*?)(\d+)(\D*)$")

#: More frames than these are not missing; the files are of several series.
_LONGEST_GAP = 100_000


class FileSource:
    """Frames in files, one each.

    Parameters
    ----------
    files
        One a frame, in order; those that are not there are marked when they are read.
    read_frame
        Reads one.
    shape, dtype
        Of a frame.
    """

    def __init__(
        self,
        files: Sequence[Path],
        read_frame: FrameReader,
        shape: tuple[int, int],
        dtype: np.dtype[Any],
    ) -> None:
        self.shape, self.dtype = shape, dtype
        self._files = tuple(files)
        self._read_frame = read_frame

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self._files)

    def read_into(self, index: int, out: Array) -> None:
        """Read a file. Raises UnreadableFileError."""
        path = self._files[index]
        with reading(path, "the frame"):
            self._read_frame(path, 0, out)

    def label(self, index: int) -> Label:
        """Return the name of a file; its header is not read."""
        return Label(None, str(self._files[index]))

    def close(self) -> None:
        """Do nothing: no file stays open."""


def file_source(names: Names) -> FileSource | xr.Dataset:
    """Return the frames in image files, or the dataset where other files are named.

    Numbers that are missing in the names (``a_1.cbf, a_2.cbf, a_4.cbf``) are frames that are
    missing in the series: they keep their place.

    Raises
    ------
    UnreadableFileError
        If no file can be read.
    """
    files = _expanded(names)
    if len(files) == 1 or not any(map(_is_image, files)):
        return open_dataset(files)
    found = _described(files)
    if found is None:  # many frames in a file
        return open_dataset(files)
    read_frame, shape, dtype = found
    return FileSource(with_missing(files), read_frame, shape, dtype)


def _expanded(names: Names) -> list[Path]:
    if isinstance(names, (str, os.PathLike)):
        found = expand(names)
    else:
        found = [path for name in names for path in _one_of_many(name)]
    whole = [path for each in found for path in (files_in(each) if each.is_dir() else [each])]
    return [path.absolute() for path in whole]


def _one_of_many(name: str | os.PathLike[str]) -> list[Path]:
    """Return what a name in a list stands for; one that is not there stays in its place."""
    try:
        return expand(name)
    except UnreadableFileError:
        return [Path(name)]


def _is_image(path: Path) -> bool:
    return cbf.can_read(path) or fabio_images.can_read(path)


def _described(files: Sequence[Path]) -> tuple[FrameReader, tuple[int, int], np.dtype[Any]] | None:
    """Return how to read the frames, and what they are, by the first file that is sound."""
    reason = ""
    for path in filter(_is_image, files):
        try:
            return _of_file(path)
        except BeamkitError as error:
            reason = str(error)
    raise UnreadableFileError(f"None of the {len(files)} files can be read. {reason}")


def _of_file(path: Path) -> tuple[FrameReader, tuple[int, int], np.dtype[Any]] | None:
    if cbf.can_read(path):
        frame = cbf.read([path])["frames"]
        return cbf.read_frame, (int(frame.shape[1]), int(frame.shape[2])), frame.dtype
    image = fabio_images.describe([path])[0]
    return None if image.frames > 1 else (image.read_into, image.shape, image.dtype)


def with_missing(files: Sequence[Path]) -> list[Path]:
    """Return files with those between them that their numbers say are missing.

    Names of several series, or without numbers, are returned as they are.

    >>> [path.name for path in with_missing([Path("a_08.cbf"), Path("a_11.cbf")])]
    ['a_08.cbf', 'a_09.cbf', 'a_10.cbf', 'a_11.cbf']
    """
    matches = [_NUMBER.match(_stem(path)) for path in files]
    series = {(path.parent, m and m[1], m and m[3]) for path, m in zip(files, matches, strict=True)}
    numbers = [int(m[2]) for m in matches if m]
    if len(series) != 1 or len(numbers) < len(files) or numbers != sorted(set(numbers)):
        return list(files)
    if numbers[-1] - numbers[0] - len(numbers) > _LONGEST_GAP:
        return list(files)
    there = dict(zip(numbers, files, strict=True))
    return [
        there.get(number, _sibling(files[0], number))
        for number in range(numbers[0], numbers[-1] + 1)
    ]


def _stem(path: Path) -> str:
    packed = path.suffix in (".gz", ".bz2")
    return Path(path.stem).stem if packed else path.stem


def _sibling(path: Path, number: int) -> Path:
    match = _NUMBER.match(_stem(path))
    if match is None:
        return path
    rest = path.name[len(_stem(path)) :]
    return path.with_name(f"{match[1]}{number:0{len(match[2])}d}{match[3]}{rest}")
