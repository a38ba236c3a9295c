"""Image formats that fabio reads: EDF, ADSC, d*TREK, MarIP, Oxford, Bruker, R-AXIS ..."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import fabio
import numpy as np
from numpy.typing import NDArray

from beamkit.core.errors import UnreadableFileError

from ._file_guard import reading
from ._image_file import ImageFile
from ._image_geometry import place
from ._image_pilatus_units import set_number
from ._image_stack import require_shape

# Without a handler, Python prints what it logs about a damaged file beside the error that follows.
logging.getLogger("fabio").addHandler(logging.NullHandler())

_EDF = re.compile(rb"^\s*\{.*?\b(?:Dim_1|EDF_\w+|HeaderID|DataType|ByteOrder)\s*=", re.DOTALL)

#: First bytes of the other formats; those of two bytes only where more of the header is known.
_MAGIC = (
    b"{\nHEADER_BYTES",  # ADSC and d*TREK
    b"FORMAT :",  # Bruker
    b"OD SAPPHIRE",  # Oxford Diffraction
    b"R-AXIS",  # Rigaku
    b"RAXIS",
    b"M\x00\x00\x00A\x00\x00\x00S\x00\x00\x00K\x00\x00\x00",  # Fit2D mask
    b"\\$FFF_START",  # Fit2D
    b"ESPERANTO FORMAT",
)
_MAR345 = (b"\x2d\x04", b"\xd2\x04", b"\x04\x2d", b"\x04\xd2")
_MAR345_TEXT = b"mar research"

#: Header key -> attribute, its unit, and the unit that the format gives it in.
#: EDF: Boesecke, J. Appl. Cryst. 40, s423 (2007), the keys of SAXS; ADSC: ``smv`` header.
_KEYS = {
    "WaveLength": ("wavelength", "angstrom", "m"),
    "SampleDistance": ("detector_distance", "m", "m"),
    "PSize_1": ("pixel_size_x", "m", "m"),
    "PSize_2": ("pixel_size_y", "m", "m"),
    "Center_1": ("beam_center_x", "", ""),
    "Center_2": ("beam_center_y", "", ""),
    "ExposureTime": ("exposure_time", "s", "s"),
    "WAVELENGTH": ("wavelength", "angstrom", "angstrom"),
    "DISTANCE": ("detector_distance", "m", "mm"),
    "PIXEL_SIZE": ("pixel_size_x", "m", "mm"),
    "TIME": ("exposure_time", "s", "s"),
    "OSC_START": ("start_angle", "deg", "deg"),
    "OSC_RANGE": ("angle_increment", "deg", "deg"),
    "TWOTHETA": ("detector_two_theta", "deg", "deg"),
}


def is_fabio(start: bytes) -> bool:
    """Say whether a file that begins with these bytes is one of an image format of fabio."""
    if start.startswith(_MAR345):
        return _MAR345_TEXT in start
    return start.startswith(_MAGIC) or _EDF.match(start) is not None


def describe_fabio(path: Path) -> ImageFile:
    """Return what the header of an image says, by fabio.

    Raises
    ------
    UnreadableFileError
        If fabio cannot read the file, or the file ends before its frames do.
    """
    with reading(path, "the image"), fabio.open(str(path)) as image:
        _require_complete(path, image)
        shape = tuple(int(size) for size in image.shape)  # of an EDF known without its pixels
        dtype = np.dtype(image.dtype).newbyteorder("=")
        if len(shape) != 2 or dtype.kind not in "iuf":
            raise UnreadableFileError(
                f"{path}: holds {dtype} of shape {shape}, not an image of numbers. "
                "Open it with fabio."
            )
        header = {str(key): str(value) for key, value in image.header.items()}
        attrs = _attributes(header)
        return ImageFile(path, int(image.nframes), shape, dtype, read_fabio, header, attrs)


def read_fabio(path: Path, page: int, out: NDArray[Any]) -> None:
    """Read a frame by fabio into an array of its shape."""
    with fabio.open(str(path)) as image:
        _require_complete(path, image)
        frame = image.get_frame(page) if page else image
        data = np.asarray(frame.data)
        require_shape(path, data.shape, out)
        out[...] = data


def _require_complete(path: Path, image: Any) -> None:
    """Refuse a file that ends early; fabio fills what is missing of an EDF with zeros."""
    if getattr(image, "incomplete_file", False):
        raise UnreadableFileError(
            f"{path}: cut short: it ends inside frame {image.nframes - 1}. Copy the file again, or "
            "wait until it is written."
        )


def _attributes(header: dict[str, str]) -> dict[str, Any]:
    attrs: dict[str, Any] = {}
    for key, (name, unit, default) in _KEYS.items():
        if key in header:
            set_number(attrs, name, header[key], unit, default)
    if "PIXEL_SIZE" in header and "pixel_size_x" in attrs:
        attrs["pixel_size_y"] = attrs["pixel_size_x"]
    if header.get("Title"):
        attrs["title"] = header["Title"]
    place(attrs, None)
    return attrs
