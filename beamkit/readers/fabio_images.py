"""Detector images: TIFF (PILATUS, MarCCD, with many pages), EDF and what else fabio reads."""

from __future__ import annotations

import bz2
import gzip
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from beamkit.core.errors import ShapeError, UnreadableFileError
from beamkit.core.schema import note

from ._image_fabio import describe_fabio, is_fabio
from ._image_file import ImageFile
from ._image_gaps import MARK, RAISE, FillOnError, each_or_problem, require_choice, with_missing
from ._image_series import series_dataset
from ._image_stack import ImageStack, require_same_shape
from ._image_tiff import describe_tiff, is_tiff

DESCRIPTION = "a detector image (TIFF, EDF, MarCCD and others)"

_START = 4096

#: Files that fabio unpacks.
_PACKED = (".gz", ".bz2")


def can_read(path: Path) -> bool:
    """Say whether the file starts as an image does, plain or compressed."""
    start = _start_of(path)
    return is_tiff(start) or is_fabio(start)


def read(paths: Sequence[Path], *, kind: str | None = None, on_error: str = RAISE) -> xr.Dataset:
    """Return an image, or a series of them, lazily.

    Parameters
    ----------
    paths
        Files with one frame or several, in order.
    kind
        ``"image"`` or ``"diffraction"``; None takes ``"diffraction"`` where the header gives
        wavelength and distance of the detector.
    on_error
        What to do with a file that is damaged, or missing in the numbers of the series:
        ``"raise"``, or ``"mark"``: its frame keeps its place, its pixels hold no measurement, and
        the coordinate ``problem`` says why. Only for files of one frame each.

    Returns
    -------
    data
        ``image`` or ``frames`` (frame, detector_y, detector_x) [counts], and ``mask`` where the
        frames have the flags of a PILATUS. What differs between the files is a coordinate over
        ``frame``.

    Raises
    ------
    UnreadableFileError
        If a file is damaged or cut short.
    ShapeError
        If the frames differ in size; names two files.
    """
    require_choice(on_error)
    if on_error == MARK:
        return _marked(paths, kind)
    files = describe(paths)
    headers = [file.attrs for file in files for _ in range(file.frames)]
    return _dataset(stack_of(files), headers, files[0], kind)


def _marked(paths: Sequence[Path], kind: str | None) -> xr.Dataset:
    """Return a series in which a file may be damaged or missing."""
    every, remark = with_missing([path.absolute() for path in paths])
    found, problems = each_or_problem(every, _described)
    whole = [file for file in found if file is not None]
    require_same_shape([file.path for file in whole], [file.shape for file in whole])
    if any(file.frames > 1 for file in whole):
        return read(paths, kind=kind)  # how many frames a damaged file had is not known
    stack = stack_of(whole)
    stack = replace(
        stack,
        files=tuple(every),
        pages=(0,) * len(every),
        read_into=FillOnError(stack.read_into),
    )
    headers = [None if file is None else file.attrs for file in found]
    data = _dataset(stack, headers, whole[0], kind, problems)
    if remark:
        note(data.attrs, "notes", f"frames: {remark}")
    return data


def _dataset(
    stack: ImageStack,
    headers: Sequence[Mapping[str, Any] | None],
    first: ImageFile,
    kind: str | None,
    problems: Sequence[str] = (),
) -> xr.Dataset:
    has_geometry = {"wavelength", "detector_distance"} <= first.attrs.keys()
    return series_dataset(
        stack,
        headers,
        kind=kind or ("diffraction" if has_geometry else "image"),
        header=first.header,
        file_format="fabio_images",
        has_flags=first.has_flags,
        problems=problems,
    )


def describe(paths: Sequence[Path]) -> list[ImageFile]:
    """Return what each file says about itself.

    Raises
    ------
    UnreadableFileError
        If a file is damaged or cut short.
    ShapeError
        If the frames differ in size.
    """
    files = [_described(path.absolute()) for path in paths]
    require_same_shape([file.path for file in files], [file.shape for file in files])
    return files


def stack_of(files: Sequence[ImageFile]) -> ImageStack:
    """Return the frames of all files, one after the other."""
    readers = {file.read_into for file in files}
    if len(readers) > 1:
        other = next(file for file in files if file.read_into is not files[0].read_into)
        raise ShapeError(
            f"{files[0].path} and {other.path} are of different formats; the files of a series "
            "must be equal. Open them apart, with a narrower glob."
        )
    return ImageStack(
        files=tuple(file.path for file in files for _ in range(file.frames)),
        pages=tuple(page for file in files for page in range(file.frames)),
        frame_shape=files[0].shape,
        dtype=np.result_type(*{file.dtype for file in files}),
        read_into=files[0].read_into,
    )


def _described(path: Path) -> ImageFile:
    start = _start_of(path)
    if is_tiff(start) and path.suffix not in _PACKED:
        return describe_tiff(path)
    if is_tiff(start) or is_fabio(start):
        return describe_fabio(path)
    raise UnreadableFileError(
        f"{path} is {DESCRIPTION} no more: it begins with {start[:8].hex(' ') or 'nothing'}. "
        "The file is damaged, or does not belong to the series."
    )


def _start_of(path: Path) -> bytes:
    """Return the first bytes of a file, of what is in it if fabio unpacks it; never raises."""
    try:
        with path.open("rb") as stream:
            start = stream.read(_START)
        if path.suffix == ".gz":
            with gzip.open(path) as unpacked:
                start = unpacked.read(_START)
        elif path.suffix == ".bz2":
            with bz2.open(path) as unpacked:
                start = unpacked.read(_START)
        return start
    except Exception:  # damaged compression raises anything; then it is no image of ours
        return b""
