"""CBF files of PILATUS and EIGER detectors: miniCBF, full imgCIF, plain or in gzip or bzip2.

Layout and byte-offset compression: Ellis & Bernstein, International Tables G, ch. 5.6; header:
:mod:`._image_pilatus`; axes: :mod:`._cbf_geometry`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.errors import ChecksumError, UnreadableFileError
from beamkit.core.schema import note

from ._cbf_metadata import attributes_of, header_of
from ._cbf_section import Section, is_cbf, load, read_section
from ._image_gaps import MARK, RAISE, FillOnError, each_or_problem, require_choice, with_missing
from ._image_series import series_dataset
from ._image_stack import FrameReader, ImageStack, require_same_shape, require_shape

DESCRIPTION = "a CBF image (PILATUS, EIGER)"

_BYTE_OFFSET, _NONE = "x-cbf_byte_offset", "x-cbf_none"


def can_read(path: Path) -> bool:
    """Say whether the file starts as a CBF does, plain or compressed."""
    return is_cbf(path)


def read(paths: Sequence[Path], *, on_error: str = RAISE) -> xr.Dataset:
    """Return one CBF or a series as a dataset of kind ``diffraction``, lazily.

    Only headers are read. Frames come as blocks of about 64 MB, the mask when it is computed.

    Parameters
    ----------
    paths
        One file a frame, in order.
    on_error
        What to do with a file that is damaged, or missing in the numbers of the series:
        ``"raise"``, or ``"mark"``: its frame keeps its place, its pixels are -1 (no measurement),
        and the coordinate ``problem`` says why.

    Returns
    -------
    data
        ``frames`` int32 (frame, detector_y, detector_x) [counts] with the file's own flags (-1 in
        gaps, -2 at bad pixels), and ``mask`` uint32 (detector_y, detector_x): the NXdetector bits
        that flags, module gaps and count cutoff of the first frame give. What differs between
        the files is a coordinate over ``frame``; ``goniometer`` has the settings of the first.

    Raises
    ------
    UnreadableFileError
        If a file is damaged, cut short, or compressed in a way that beamkit does not read.
    ShapeError
        If the frames differ in size.
    """
    require_choice(on_error)
    files = [path.absolute() for path in paths]
    return _marked(files) if on_error == MARK else _dataset(files, _sections(files), read_frame)


def _sections(files: Sequence[Path]) -> list[Section]:
    return [read_section(path) for path in files]


def _marked(files: Sequence[Path]) -> xr.Dataset:
    """Return a series in which a file may be damaged or missing."""
    every, remark = with_missing(files)
    sections, problems = each_or_problem(every, read_section)
    data = _dataset(every, sections, FillOnError(read_frame), problems)
    if remark:
        note(data.attrs, "notes", f"frames: {remark}")
    return data


def _dataset(
    files: Sequence[Path],
    sections: Sequence[Section | None],
    read_into: FrameReader,
    problems: Sequence[str] = (),
) -> xr.Dataset:
    whole = [section for section in sections if section is not None]
    require_same_shape([section.path for section in whole], [section.shape for section in whole])
    stack = ImageStack(tuple(files), (0,) * len(files), whole[0].shape, _dtype(whole), read_into)
    found = iter(attributes_of(whole))
    return series_dataset(
        stack,
        [None if section is None else next(found) for section in sections],
        kind="diffraction",
        header=header_of(whole[0]),
        file_format="cbf",
        has_flags=True,
        problems=problems,
    )


def verify(paths: Sequence[Path]) -> None:
    """Check the Content-MD5 of every frame, and decode those that have none.

    Raises
    ------
    ChecksumError
        If the bytes of a frame are not those that were written; names file and frame.
    UnreadableFileError
        If a file is damaged so far that it has no frame.
    """
    with ThreadPoolExecutor() as pool:  # hashing and decoding release the GIL
        for _ in pool.map(_verify_frame, paths, range(len(paths))):
            pass


def read_frame(path: Path, _page: int, out: NDArray[Any]) -> None:
    """Decode the frame of a CBF into an array of its shape and type.

    Raises
    ------
    UnreadableFileError
        If the file is damaged.
    """
    section, data = load(path)
    require_shape(path, section.shape, out)
    if _conversion(section) == _NONE:
        out[...] = _uncompressed(section, data)
    elif out.dtype.itemsize == 4:
        _decode(section, data, out)
    else:  # the files of the series differ in type, and their frames share a wider one
        frame = np.empty(out.shape, _decoded_type(section))
        _decode(section, data, frame)
        out[...] = frame


def _verify_frame(path: Path, number: int) -> None:
    section, data = load(path)
    if section.md5:
        found = base64.b64encode(hashlib.md5(data.data, usedforsecurity=False).digest()).decode()
        if found != section.md5:
            raise ChecksumError(
                f"{path}: frame {number} is not what was written: its Content-MD5 is "
                f"{section.md5}, but its bytes give {found}. Copy the file again."
            )
    else:
        read_frame(path, 0, np.empty(section.shape, _dtype([section])))


def _conversion(section: Section) -> str:
    name = section.conversion.lower()
    if name not in (_BYTE_OFFSET, _NONE):
        raise UnreadableFileError(
            f"{section.path}: its pixels are compressed as {section.conversion!r}; beamkit reads "
            "x-CBF_BYTE_OFFSET and x-CBF_NONE. Convert it with CBFlib: cif2cbf -c b IN OUT."
        )
    return name


def _dtype(sections: Sequence[Section]) -> np.dtype[Any]:
    """Return the type of the frames: that of the file if stored as it is, else 32 bits."""
    found = {
        section.dtype if _conversion(section) == _NONE else _decoded_type(section)
        for section in sections
    }
    return np.result_type(*found)


def _decoded_type(section: Section) -> np.dtype[Any]:
    return np.dtype(np.uint32 if section.dtype == np.uint32 else np.int32)


def _uncompressed(section: Section, data: NDArray[np.uint8]) -> NDArray[Any]:
    expected = section.shape[0] * section.shape[1] * section.dtype.itemsize
    if data.size != expected:
        raise UnreadableFileError(
            f"{section.path}: its binary section has {data.size} bytes; {section.shape} pixels of "
            f"{section.dtype} need {expected}. The header is damaged; copy the file again."
        )
    return data.view(section.dtype.newbyteorder(section.byte_order)).reshape(section.shape)


def _decode(section: Section, data: NDArray[np.uint8], out: NDArray[Any]) -> None:
    from ._cbf_byte_offset import decode  # numba takes a second to load; opening does not need it

    used = decode(data, out.reshape(-1).view(np.int32))
    if used != data.size:
        raise UnreadableFileError(
            f"{section.path}: the {data.size} compressed bytes do not make the {out.size} pixels "
            f"of the frame ({'they end early' if used < 0 else f'{data.size - used} are left'}). "
            "The file is damaged; copy it again from where it was written."
        )
