"""TIFF images, with one page or many, and the headers that detectors hide in them.

PILATUS writes its header into ImageDescription, the detector into Model and the time into DateTime.
MarCCD puts a block of 3072 bytes at 1024 (its ``frame.h``, as in fabio's marccdimage.py).
"""

from __future__ import annotations

import logging
import math
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from beamkit.core.detectors import layout_of
from beamkit.core.errors import UnreadableFileError

from ._file_guard import reading
from ._image_file import ImageFile
from ._image_geometry import place
from ._image_pilatus import TIMESTAMP, iso_time, parse
from ._image_pilatus_units import convert_header
from ._image_stack import require_shape

# Without a handler, Python prints what it logs about a damaged file beside the error that follows.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

_MAGIC = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")

#: No compression makes more of a byte than this (deflate: 1032); a larger size is damage.
_MOST_EXPANSION = 1100

#: A longer text in a tag is no description but a block of data [characters].
_LONGEST_TEXT = 100_000

_MARCCD_AT, _MARCCD_SIZE = 1024, 3072


@dataclass(frozen=True)
class _Layout:
    """Where the frames of a TIFF are.

    Attributes
    ----------
    frames, shape, dtype
        How many, and of what; the dtype has the byte order of the file.
    offsets
        Place of each frame [bytes]; empty if they are compressed or in pieces.
    header
        Texts and numbers in the tags of the first page.
    """

    frames: int
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    offsets: tuple[int, ...]
    header: dict[str, Any]


def is_tiff(start: bytes) -> bool:
    """Say whether a file that begins with these bytes is a TIFF."""
    return start.startswith(_MAGIC)


def describe_tiff(path: Path) -> ImageFile:
    """Return what the tags of a TIFF say.

    Raises
    ------
    UnreadableFileError
        If the file is damaged, cut short, or a colour picture.
    """
    with reading(path, "the TIFF"):
        layout = _layout(path)
        header, attrs = dict(layout.header), _attributes(path, layout.header)
    is_pilatus = "Pixel_size" in header or layout_of(layout.shape) is not None
    return ImageFile(
        path,
        layout.frames,
        layout.shape,
        layout.dtype.newbyteorder("="),
        read_tiff,
        header,
        attrs,
        has_flags=is_pilatus and layout.dtype.kind == "i",
    )


def read_tiff(path: Path, page: int, out: NDArray[Any]) -> None:
    """Read a page of a TIFF into an array of its shape."""
    layout = _layout(path)
    require_shape(path, layout.shape, out)
    if layout.offsets:
        with path.open("rb") as stream:
            stream.seek(layout.offsets[page])
            count = math.prod(layout.shape)
            out[...] = np.fromfile(stream, layout.dtype, count).reshape(layout.shape)
    else:
        with tifffile.TiffFile(path, is_ome=False) as file:
            out[...] = file.asarray(key=page, series=0)


def _layout(path: Path) -> _Layout:
    state = path.stat()
    return _cached_layout(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=10_000)
def _cached_layout(path: Path, _written: int, size: int) -> _Layout:
    """Return the layout of a file as it was at a time; walking the pages is the slow part."""
    with tifffile.TiffFile(path, is_ome=False) as file:  # OME may lead to other files
        _require_whole_chain(path, file, size)
        series = file.series[0]
        page = series.keyframe
        shape = _gray_shape(path, series, page)
        frames = math.prod(series.shape[:-2])
        dtype = np.dtype(series.dtype).newbyteorder(file.byteorder)
        bytes_of_frame = math.prod(shape) * dtype.itemsize
        if not frames or not 0 < bytes_of_frame * frames <= size * _MOST_EXPANSION:
            raise UnreadableFileError(
                f"{path}: says {frames} frames of {shape} pixels, which {size} bytes cannot hold. "
                "The file is damaged or cut short; copy it again from where it was written."
            )
        _require_codec(path, page)
        _require_all_segments(path, file, size)
        offsets = _offsets(series, frames, bytes_of_frame)
        return _Layout(frames, shape, dtype, offsets, _texts(page))


def _require_whole_chain(path: Path, file: tifffile.TiffFile, size: int) -> None:
    """Refuse a file whose pages do not follow each other to the end.

    tifffile logs that and gives the pages before: a scan cut short would have fewer frames and
    not say so.
    """
    form, stream = file.tiff, file.filehandle
    stream.seek(form.offsetsize)  # the first offset stands at byte 4, in BigTIFF at byte 8
    for _ in range(size // form.tagsize):
        (offset,) = struct.unpack(form.offsetformat, stream.read(form.offsetsize))
        if offset == 0:
            return
        if offset >= size:
            break
        stream.seek(offset)
        (tags,) = struct.unpack(form.tagnoformat, stream.read(form.tagnosize))
        stream.seek(tags * form.tagsize, 1)
    raise UnreadableFileError(
        f"{path}: cut short or damaged: its pages do not follow each other to the end of its "
        f"{size} bytes. Copy the file again, or wait until it is written."
    )


def _gray_shape(path: Path, series: Any, page: Any) -> tuple[int, int]:
    if page.samplesperpixel != 1 or len(series.shape) < 2 or series.dtype.kind not in "iuf":
        raise UnreadableFileError(
            f"{path}: a picture of {page.samplesperpixel} colours with pixels of type "
            f"{series.dtype}, not a detector image. Convert it to one number a pixel."
        )
    rows, columns = series.shape[-2:]
    return int(rows), int(columns)


def _require_codec(path: Path, page: Any) -> None:
    """Refuse a compression that tifffile leaves to another package, naming both."""
    tables = tifffile.TIFF
    for known, number in (
        (tables.DECOMPRESSORS, page.compression),
        (tables.UNPREDICTORS, page.predictor),
    ):
        if number not in known:
            name = getattr(number, "name", number)
            raise UnreadableFileError(
                f"{path}: its pixels are compressed with {name}; without another package, tifffile "
                "reads those that are not compressed, or with deflate. Install it: pip install "
                "imagecodecs"
            )


def _require_all_segments(path: Path, file: tifffile.TiffFile, size: int) -> None:
    """Refuse a file that ends before its pixels do; tifffile would give zeros for some of them."""
    for page in file.pages:
        ends = map(sum, zip(page.dataoffsets, page.databytecounts, strict=True))
        if max(ends, default=size + 1) > size or 0 in page.databytecounts:
            raise UnreadableFileError(
                f"{path}: cut short: pixels of page {page.index} lie outside its {size} bytes. "
                "Copy the file again, or wait until it is written."
            )


def _offsets(series: Any, frames: int, bytes_of_frame: int) -> tuple[int, ...]:
    if series.dataoffset is not None:  # all frames one after the other
        return tuple(series.dataoffset + number * bytes_of_frame for number in range(frames))
    places = [
        page.dataoffsets[0] for page in series.pages if page is not None and page.is_contiguous
    ]
    is_plain = series.keyframe.compression == 1 and series.keyframe.fillorder == 1
    return tuple(places) if is_plain and len(places) == frames else ()


def _texts(page: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for tag in page.tags.values():
        value = tag.value
        if isinstance(value, str) and len(value) <= _LONGEST_TEXT and value.strip("\x00 "):
            found[tag.name] = value.strip("\x00 ")
    description = found.get("ImageDescription", "")
    if "# Pixel_size" in description:
        found.pop("ImageDescription")
        found.update(parse(description))
    return found


def _attributes(path: Path, header: dict[str, Any]) -> dict[str, Any]:
    lines = {key: value for key, value in header.items() if isinstance(value, str)}
    if "Pixel_size" in lines and "Model" in lines:
        lines.setdefault("Detector", lines["Model"])
    if iso_time(lines.get("DateTime", "")):
        lines.setdefault(TIMESTAMP, lines["DateTime"])
    attrs = convert_header(lines)
    attrs.update(_marccd(path))
    place(attrs, None)
    return attrs


#: Fields of the MarCCD header: name there, attribute, and what one unit of it is worth.
_MARCCD = (
    ("xtal_to_detector", "detector_distance", 1e-6),
    ("beam_x", "beam_center_x", 1e-3),
    ("beam_y", "beam_center_y", 1e-3),
    ("exposure_time", "exposure_time", 1e-3),
    ("pixelsize_x", "pixel_size_x", 1e-9),
    ("pixelsize_y", "pixel_size_y", 1e-9),
    ("source_wavelength", "wavelength", 1e-5),
    ("saturated_value", "count_cutoff", 1.0),
    ("start_phi", "phi", 1e-3),
    ("start_omega", "omega", 1e-3),
    ("start_kappa", "kappa", 1e-3),
    ("start_chi", "chi", 1e-3),
    ("start_twotheta", "detector_two_theta", 1e-3),
)


def _marccd(path: Path) -> dict[str, Any]:
    """Return what the header of a MarCCD says; nothing if the file is from another camera."""
    with path.open("rb") as stream:
        stream.seek(_MARCCD_AT)
        block = stream.read(_MARCCD_SIZE)
    if len(block) < _MARCCD_SIZE or block[4:7] != b"MMX":
        return {}
    from fabio.marccdimage import HEADER_FORMAT, HEADER_NAMES, interpret_header

    fields = interpret_header(block, HEADER_FORMAT, HEADER_NAMES)
    attrs = {
        name: float(f"{fields[field] * factor:.15g}")
        for field, name, factor in _MARCCD
        if fields[field] > 0 or name in ("phi", "omega", "kappa", "chi")
    }
    return {**attrs, "detector": "MarCCD"}
