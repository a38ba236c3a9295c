"""The envelope of a CBF: the text header, then one binary section.

Layout (Hammersley, Bernstein & Westbrook, International Tables G, ch. 5.6; CBFlib manual)::

    ###CBF: VERSION 1.5 ...          text: miniCBF header lines, imgCIF loops
    --CIF-BINARY-FORMAT-SECTION--    MIME header: conversion, size, dimensions, Content-MD5
    0C 1A 04 D5                      then X-Binary-Size bytes, padding,
    --CIF-BINARY-FORMAT-SECTION----

Files compressed as a whole (``.cbf.gz``, ``.cbf.bz2``) are told by their first bytes.
"""

from __future__ import annotations

import bz2
import gzip
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, cast

import numpy as np
from numpy.typing import NDArray

from beamkit.core.errors import UnreadableFileError

from ._file_guard import reading

_BOUNDARY = b"--CIF-BINARY-FORMAT-SECTION--"
_START = b"\x0c\x1a\x04\xd5"
_GZIP, _BZIP2 = b"\x1f\x8b", b"BZh"

#: Read at once when looking for the binary section, and where the search ends [bytes].
_FIRST_READ = 1 << 14
_LONGEST_HEADER = 1 << 22

_MIME_FIELD = re.compile(r'^\s*([\w-]+)\s*[:=]\s*"?([^";\n]*)"?', re.MULTILINE)

_TYPES = {
    "signed 32-bit integer": np.int32,
    "unsigned 32-bit integer": np.uint32,
    "signed 16-bit integer": np.int16,
    "unsigned 16-bit integer": np.uint16,
    "signed 8-bit integer": np.int8,
    "unsigned 8-bit integer": np.uint8,
}


@dataclass(frozen=True)
class Section:
    """What the text and the MIME header of a CBF say about its binary section.

    Attributes
    ----------
    path
        The file.
    text
        Everything before the binary section, with plain line ends.
    start, size
        Where the binary data start in the (uncompressed) file, and how long they are [bytes].
    shape
        Pixels of the frame (rows, columns).
    dtype
        Type of a pixel, in native byte order.
    conversion
        How the pixels are compressed: ``"x-CBF_BYTE_OFFSET"``, ``"x-CBF_NONE"`` ...
    byte_order
        ``"<"`` or ``">"``.
    md5
        The file's ``Content-MD5`` (base64), or an empty text.
    """

    path: Path
    text: str
    start: int
    size: int
    shape: tuple[int, int]
    dtype: np.dtype[np.generic]
    conversion: str
    byte_order: Literal["<", ">"]
    md5: str


def is_cbf(path: Path) -> bool:
    """Say whether the file starts as a CBF does, plain or compressed; never raises."""
    try:
        with _opened(path) as stream:
            start = stream.read(_FIRST_READ)
    except Exception:  # damaged compression raises anything; then it is none of ours
        return False
    return start.lstrip().startswith(b"###CBF") or (
        start.lstrip().startswith(b"data_") and b"_array_data." in start
    )


def read_section(path: Path) -> Section:
    """Return what the headers of a CBF say, without reading its pixels.

    Raises
    ------
    UnreadableFileError
        If the file is not a CBF, ends too early, or its headers make no sense.
    """
    with reading(path, "its header"), _opened(path) as stream:
        start = stream.read(_FIRST_READ)
        while _START not in start and len(start) < _LONGEST_HEADER:
            more = stream.read(len(start))
            if not more:
                break
            start += more
        section = _parsed(path, start)
        if not isinstance(stream, (gzip.GzipFile, bz2.BZ2File)):  # seeking there means reading
            _require_complete(section, stream)
    return section


def load(path: Path) -> tuple[Section, NDArray[np.uint8]]:
    """Return the headers of a CBF and the bytes of its binary section.

    Raises
    ------
    UnreadableFileError
        If the file is damaged or ends too early.
    """
    with reading(path, "its binary section"):
        data = np.fromfile(path, np.uint8)
        start = data[:4].tobytes()
        if start.startswith(_GZIP):
            data = np.frombuffer(gzip.decompress(data.tobytes()), np.uint8)
        elif start.startswith(_BZIP2):
            data = np.frombuffer(bz2.decompress(data.tobytes()), np.uint8)
    head = data[:_FIRST_READ].tobytes()
    if _START not in head:
        head = data[:_LONGEST_HEADER].tobytes()
    section = _parsed(path, head)
    _require_closed(section, data[section.start + section.size :].tobytes())
    return section, data[section.start : section.start + section.size]


def _opened(path: Path) -> IO[bytes]:
    with path.open("rb") as stream:
        start = stream.read(4)
    if start.startswith(_GZIP):
        return cast(IO[bytes], gzip.open(path, "rb"))
    if start.startswith(_BZIP2):
        return bz2.open(path, "rb")
    return path.open("rb")


def _parsed(path: Path, start: bytes) -> Section:
    text, boundary, rest = start.partition(_BOUNDARY)
    mime, magic, _ = rest.partition(_START)
    if not (boundary and magic):
        raise UnreadableFileError(
            f"{path}: ends, or is damaged, inside its header: no binary section was found in the "
            f"first {len(start)} bytes. Copy the file again from where it was written."
        )
    fields = {
        key.lower(): value.strip()
        for key, value in _MIME_FIELD.findall(mime.decode("latin-1").replace("\r", ""))
    }
    size = _whole(path, fields, "x-binary-size")
    shape = (
        _whole(path, fields, "x-binary-size-second-dimension", default=1),
        _whole(path, fields, "x-binary-size-fastest-dimension"),
    )
    _require_possible(path, fields, size, shape)
    return Section(
        path=path,
        text=text.decode("utf-8", "replace").replace("\r\n", "\n"),
        start=len(text) + len(boundary) + len(mime) + len(magic),
        size=size,
        shape=shape,
        dtype=_dtype(path, fields),
        conversion=fields.get("conversions", "x-CBF_NONE"),
        byte_order=">" if "big" in fields.get("x-binary-element-byte-order", "").lower() else "<",
        md5=fields.get("content-md5", ""),
    )


def _whole(path: Path, fields: Mapping[str, str], key: str, default: int = 0) -> int:
    text = fields.get(key, str(default))
    if not text.isdecimal() or int(text) < 1:
        raise UnreadableFileError(
            f"{path}: its binary section says {key} = {text!r}; a number above 0 is needed. "
            "The header is damaged; copy the file again from where it was written."
        )
    return int(text)


def _dtype(path: Path, fields: Mapping[str, str]) -> np.dtype[np.generic]:
    name = fields.get("x-binary-element-type", "signed 32-bit integer").lower()
    if name not in _TYPES:
        raise UnreadableFileError(
            f"{path}: its pixels are {name!r}; beamkit reads {', '.join(_TYPES)}. "
            "Convert the file with CBFlib's cif2cbf."
        )
    return np.dtype(_TYPES[name])


def _require_possible(
    path: Path, fields: Mapping[str, str], size: int, shape: tuple[int, int]
) -> None:
    """Refuse dimensions that the section has no room for, before memory is taken for them."""
    pixels = shape[0] * shape[1]
    stated = _whole(path, fields, "x-binary-number-of-elements", default=pixels)
    third = _whole(path, fields, "x-binary-size-third-dimension", default=1)
    if pixels != stated or third != 1 or pixels > size:
        raise UnreadableFileError(
            f"{path}: its binary section of {size} bytes says {shape[0]} x {shape[1]} x {third} "
            f"pixels and {stated} elements; one frame of one byte or more a pixel is expected. "
            "The header is damaged; copy the file again from where it was written."
        )


def _require_complete(section: Section, stream: IO[bytes]) -> None:
    """Refuse a plain file that was cut short, when it is opened and not only when it is read."""
    stream.seek(section.start + section.size)
    _require_closed(section, stream.read(_FIRST_READ))


def _require_closed(section: Section, rest: bytes) -> None:
    if _BOUNDARY not in rest:
        raise UnreadableFileError(
            f"{section.path}: cut short: the binary section of {section.size} bytes is not closed "
            "by its boundary line. Copy the file again, or wait until it is written."
        )
