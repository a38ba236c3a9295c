"""PILATUS frames as DECTRIS writes them: miniCBF, or TIFF with the same header as its description.

Source: DECTRIS, PILATUS CBF header specification, version 1.4; Ellis & Bernstein, International
Tables G, ch. 5.6 (binary sections of CBF).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from beamkit.core.atomic import atomic_path
from beamkit.core.units import energy_from_wavelength

from ._byte_offset import encode
from ._sample import START_TIME

_PADDING = 4095
#: Marks the first byte of the binary section.
_MAGIC = b"\x0c\x1a\x04\xd5"


@dataclass(frozen=True, kw_only=True)
class FrameHeader:
    """What a PILATUS header says of one frame; units as in the file.

    Attributes
    ----------
    detector
        Model and serial number.
    seconds
        Since the start of the measurement [s].
    pixel_size, sensor_thickness, distance
        [m].
    exposure_time, exposure_period
        [s].
    count_cutoff
        Highest valid count.
    wavelength
        [angstrom].
    beam_center
        x, y from the outer corner, with the arm at 0 [pixel].
    start_angle, angle_increment, two_theta
        [deg].
    polarization
        (I_h - I_v)/(I_h + I_v).
    excluded_pixels
        Number of bad pixels.
    """

    detector: str
    seconds: float
    pixel_size: float
    count_cutoff: int
    wavelength: float
    distance: float
    beam_center: tuple[float, float]
    excluded_pixels: int
    exposure_time: float
    exposure_period: float
    start_angle: float = 0.0
    angle_increment: float = 0.0
    two_theta: float = 0.0
    polarization: float = 0.99
    sensor_thickness: float = 0.00045

    def time(self) -> datetime:
        """Return when the exposure began."""
        return datetime.fromisoformat(START_TIME).replace(tzinfo=None) + timedelta(
            seconds=self.seconds
        )

    def lines(self) -> list[str]:
        """Return the lines that follow the detector and the time."""
        pixel = f"{round(self.pixel_size * 1e6)}e-6 m"
        energy = energy_from_wavelength(self.wavelength) * 1e3
        x, y = (_decimal(value, 2) for value in self.beam_center)
        start, increment = _decimal(self.start_angle, 4), _decimal(self.angle_increment, 4)
        return [
            f"Pixel_size {pixel} x {pixel}",
            f"Silicon sensor, thickness {self.sensor_thickness:.6f} m",
            f"Exposure_time {_decimal(self.exposure_time, 7)} s",
            f"Exposure_period {_decimal(self.exposure_period, 7)} s",
            "Tau = 124.0e-09 s",
            f"Count_cutoff {self.count_cutoff} counts",
            f"Threshold_setting: {round(energy / 2)} eV",
            "Gain_setting: mid gain (vrf = -0.200)",
            f"N_excluded_pixels = {self.excluded_pixels}",
            "Excluded_pixels: badpix_mask.tif",
            "Flat_field: (nil)",
            "Trim_file: (nil)",
            "Image_path: /ramdisk/simulation/",
            f"Wavelength {_decimal(self.wavelength, 5)} A",
            "Energy_range (0, 0) eV",
            f"Detector_distance {_decimal(self.distance, 5)} m",
            "Detector_Voffset 0.00000 m",
            f"Beam_xy ({x}, {y}) pixels",
            "Flux 0.000000",
            "Filter_transmission 1.0000",
            f"Start_angle {start} deg.",
            f"Angle_increment {increment} deg.",
            f"Detector_2theta {_decimal(self.two_theta, 4)} deg.",
            f"Polarization {_decimal(self.polarization, 3)}",
            "Alpha 0.0000 deg.",
            "Kappa 0.0000 deg.",
            "Phi 0.0000 deg.",
            "Phi_increment 0.0000 deg.",
            f"Omega {start} deg.",
            f"Omega_increment {increment} deg.",
            "Chi 0.0000 deg.",
            "Chi_increment 0.0000 deg.",
            "Oscillation_axis OMEGA",
            "N_oscillations 1",
        ]


def write_cbf(path: Path, image: NDArray[np.int32], header: FrameHeader) -> None:
    """Write one frame as miniCBF, whole or not at all. Raises WriteError."""
    write_encoded(path, encode(image), image.shape, header)


def write_encoded(path: Path, data: bytes, shape: Sequence[int], header: FrameHeader) -> None:
    """Write one frame of which the pixels are compressed already. Raises WriteError."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(_cbf(path.stem, data, shape, header))


def write_tiff(path: Path, image: NDArray[np.int32], header: FrameHeader) -> None:
    """Write one frame as PILATUS TIFF, whole or not at all. Raises WriteError."""
    import tifffile

    with atomic_path(path) as temporary:
        tifffile.imwrite(
            temporary,
            image,
            description="\r\n".join(f"# {line}" for line in header.lines()),
            software="TVX TIFF v 1.3",
            datetime=header.time(),
            metadata=None,
            extratags=[(272, "s", 0, header.detector, True)],
        )


def _cbf(name: str, data: bytes, shape: Sequence[int], header: FrameHeader) -> bytes:
    time = header.time().isoformat(timespec="milliseconds")
    text = [
        "###CBF: VERSION 1.5, CBFlib v0.7.8 - PILATUS detectors",
        "",
        f"data_{name}",
        "",
        '_array_data.header_convention "PILATUS_1.2"',
        "_array_data.header_contents",
        ";",
        *(f"# {line}" for line in (f"Detector: {header.detector}", time, *header.lines())),
        ";",
        "",
        "_array_data.data",
        ";",
        *_binary_header(data, shape),
        "",
        "",
    ]
    end = b"\r\n--CIF-BINARY-FORMAT-SECTION----\r\n;\r\n\r\n"
    return "\r\n".join(text).encode("ascii") + _MAGIC + data + bytes(_PADDING) + end


def _binary_header(data: bytes, shape: Sequence[int]) -> list[str]:
    digest = hashlib.md5(data, usedforsecurity=False).digest()
    return [
        "--CIF-BINARY-FORMAT-SECTION--",
        "Content-Type: application/octet-stream;",
        '     conversions="x-CBF_BYTE_OFFSET"',
        "Content-Transfer-Encoding: BINARY",
        f"X-Binary-Size: {len(data)}",
        "X-Binary-ID: 1",
        'X-Binary-Element-Type: "signed 32-bit integer"',
        "X-Binary-Element-Byte-Order: LITTLE_ENDIAN",
        f"Content-MD5: {base64.b64encode(digest).decode('ascii')}",
        f"X-Binary-Number-of-Elements: {shape[0] * shape[1]}",
        f"X-Binary-Size-Fastest-Dimension: {shape[1]}",
        f"X-Binary-Size-Second-Dimension: {shape[0]}",
        f"X-Binary-Size-Padding: {_PADDING}",
    ]


def _decimal(value: float, places: int) -> str:
    """Return a number with the usual number of decimals, or with all where these lose some."""
    text = f"{value:.{places}f}"
    return text if float(text) == value else repr(float(value))
