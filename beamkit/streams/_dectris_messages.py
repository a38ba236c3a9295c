"""The messages of a DECTRIS detector's stream, version 1: parts of bytes to what they say.

Source: DECTRIS, SIMPLON API reference manual, chapter "Stream": each message is a ZeroMQ multipart
message whose parts are JSON, but for the compressed pixels.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beamkit.core.errors import UnreadableFileError

from ._decoders import bitshuffle_lz4, lz4_block, plain
from .frame import Array

HEADER, IMAGE, END = "dheader-1.0", "dimage-1.0", "dseries_end-1.0"

_TYPES = ("uint8", "uint16", "uint32", "int8", "int16", "int32", "float32")

#: Attribute of the vocabulary, key of the detector's configuration, factor to the unit of ours.
_NUMBERS = (
    ("energy", "photon_energy", 1e-3),
    ("wavelength", "wavelength", 1.0),
    ("detector_distance", "detector_distance", 1.0),
    ("pixel_size_x", "x_pixel_size", 1.0),
    ("pixel_size_y", "y_pixel_size", 1.0),
    ("beam_center_x", "beam_center_x", 1.0),
    ("beam_center_y", "beam_center_y", 1.0),
    ("exposure_time", "count_time", 1.0),
    ("exposure_period", "frame_time", 1.0),
    ("threshold_energy", "threshold_energy", 1e-3),
    ("count_cutoff", "countrate_correction_count_cutoff", 1.0),
    ("sensor_thickness", "sensor_thickness", 1.0),
    ("start_angle", "omega_start", 1.0),
    ("angle_increment", "omega_increment", 1.0),
    ("detector_two_theta", "two_theta_start", 1.0),
)
_TEXTS = (
    ("detector", "description"),
    ("detector_serial", "detector_number"),
    ("sensor_material", "sensor_material"),
)
#: What the detector writes where nothing was set; 0 means "not known" for these only.
_UNSET_AT_ZERO = ("wavelength", "energy", "detector_distance", "beam_center_x", "beam_center_y")


@dataclass(frozen=True, eq=False)
class Header:
    """What the detector says before a series.

    Attributes
    ----------
    series
        Number of the series.
    config
        The detector's configuration as it is; empty at the header detail "none".
    mask
        Shape (detector_y, detector_x), bits of NXdetector; None unless the detail is "all".
    """

    series: int
    config: Mapping[str, Any] = field(default_factory=dict)
    mask: NDArray[np.uint32] | None = None

    @property
    def expected(self) -> int | None:
        """Return how many frames the series will have, if it is said."""
        images, triggers = self.config.get("nimages"), self.config.get("ntrigger", 1)
        if not isinstance(images, int) or not isinstance(triggers, int):
            return None
        return images * triggers

    def attributes(self) -> dict[str, Any]:
        """Return the configuration in the words and units of :mod:`beamkit.core.schema`."""
        found: dict[str, Any] = {"kind": "diffraction", "format": "dectris stream"}
        for name, key, factor in _NUMBERS:
            value = self.config.get(key)
            if not isinstance(value, (int, float)) or isinstance(value, bool):
                continue
            if np.isfinite(value) and (value or name not in _UNSET_AT_ZERO):
                found[name] = float(value) * factor
        for name, key in _TEXTS:
            if self.config.get(key):
                found[name] = str(self.config[key])
        return found


@dataclass(frozen=True, eq=False)
class Image:
    """One frame as it came.

    Attributes
    ----------
    series, number
        Of the series, and of the frame in it, from 0.
    shape, dtype, encoding
        Of the pixels: (detector_y, detector_x), type, and how they are packed.
    pixels
        The packed pixels.
    start
        Start of the exposure, since that of the series [s]; None if it is not said.
    """

    series: int
    number: int
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    encoding: str
    pixels: bytes
    start: float | None

    def read_into(self, out: Array) -> None:
        """Decode the pixels. Raises UnreadableFileError if they are damaged."""
        data = np.frombuffer(self.pixels, np.uint8)
        try:
            _decoder(self.encoding, self.dtype)(data, out)
        except ValueError as error:
            raise UnreadableFileError(
                f"Frame {self.number} of series {self.series}, {self.encoding}, is damaged: "
                f"{error}. It was changed on its way; look at the network."
            ) from None
        if self.encoding.endswith(">") and self.dtype.itemsize > 1:
            out.byteswap(inplace=True)


def parse(parts: Sequence[bytes]) -> Header | Image | int:
    """Return what a message says: a header, an image, or the series that has ended.

    Raises
    ------
    UnreadableFileError
        If it is not a message of this kind.
    """
    first = _json(parts, 0)
    kind = first.get("htype")
    try:
        if kind == HEADER:
            return _header(first, parts)
        if kind == IMAGE:
            return _image(first, parts)
        if kind == END:
            return int(first["series"])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise UnreadableFileError(
            f"A message of the kind {kind} is not whole: {type(error).__name__} {error}. "
            "beamkit reads version 1 of the stream interface."
        ) from None
    raise UnreadableFileError(
        f"A message is of the kind {kind!r}; {HEADER}, {IMAGE} and {END} are known. "
        "Set the detector's stream to version 1 ('legacy')."
    )


def _json(parts: Sequence[bytes], number: int) -> dict[str, Any]:
    try:
        found = json.loads(bytes(parts[number]))
    except (IndexError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise UnreadableFileError(
            f"Part {number} of a message of {len(parts)} is not JSON. Is this the stream of a "
            "DECTRIS detector, version 1 ('legacy')? Version 2 (CBOR) is not read."
        )
    return found


def _header(first: Mapping[str, Any], parts: Sequence[bytes]) -> Header:
    series, detail = int(first["series"]), first.get("header_detail", "none")
    if detail == "none":
        return Header(series)
    config, mask = _json(parts, 1), None
    for number in range(2, len(parts) - 1):
        kind = parts[number][:200]
        if b"dpixelmask-1.0" in kind:
            said = _json(parts, number)
            columns, rows = said["shape"]
            dtype = np.dtype(str(said["type"])).newbyteorder("<")
            blob = np.frombuffer(parts[number + 1], dtype)
            mask = blob.reshape(rows, columns).astype(np.uint32)
    return Header(series, config, mask)


def _image(first: Mapping[str, Any], parts: Sequence[bytes]) -> Image:
    said, times = _json(parts, 1), _json(parts, 3)
    if said["type"] not in _TYPES:
        raise ValueError(f"type {said['type']!r} of the pixels is none of {_TYPES}")
    columns, rows = (int(size) for size in said["shape"][:2])
    start = times.get("start_time")
    return Image(
        series=int(first["series"]),
        number=int(first["frame"]),
        shape=(rows, columns),
        dtype=np.dtype(said["type"]),
        encoding=str(said["encoding"]),
        pixels=bytes(parts[2]),
        start=None if start is None else float(start) * 1e-9,
    )


def _decoder(encoding: str, dtype: np.dtype[Any]) -> Any:
    """Return what decodes an encoding ``[bs<BIT>][[-]lz4][<|>]``."""
    packed = encoding.rstrip("<>")
    decoders = {
        "": plain,
        "lz4": lz4_block,
        f"bs{8 * dtype.itemsize}-lz4": bitshuffle_lz4,
    }
    if packed not in decoders:
        raise ValueError(f"{sorted(decoders)} can be decoded for pixels of {dtype}")
    return decoders[packed]
