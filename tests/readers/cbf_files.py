"""CBF files written by the tests, byte by byte, from the text of their header."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import numpy as np

MINI = """\
# Detector: PILATUS 100K, S/N 1-0102, Diamond
# 2012-03-01T12:00:{seconds:06.3f}
# Pixel_size 172e-6 m x 175e-6 m
# Silicon sensor, thickness 0.000320 m
# Exposure_time 0.0970000 s
# Exposure_period 0.1000000 s
# Tau = 124.0e-09 s
# Count_cutoff 250000 counts
# Threshold_setting: 6350 eV
# Gain_setting: low gain (vrf = -0.300)
# N_excluded_pixels = 6
# Excluded_pixels: badpix_mask.tif
# Flat_field: (nil)
# Image_path: /ramdisk/
# Wavelength 0.97950 A
# Energy_range (0, 0) eV
# Detector_distance 0.25000 m
# Detector_Voffset 0.00000 m
# Beam_xy (9.50, 4.25) pixels
# Flux 22487563295 ph/s
# Filter_transmission 0.2500
# Start_angle {angle:.4f} deg.
# Angle_increment 0.5000 deg.
# Detector_2theta {two_theta:.4f} deg.
# Polarization 0.990
# Alpha 0.0000 deg.
# Kappa 0.0000 deg.
# Phi 12.0000 deg.
# Omega {angle:.4f} deg.
# Chi -54.7000 deg.
# Oscillation_axis OMEGA
# N_oscillations 1
"""


def mini_header(*, angle: float = 10.0, seconds: float = 1.5, two_theta: float = 0.0) -> str:
    return MINI.format(angle=angle, seconds=seconds, two_theta=two_theta)


def example_frame(rows: int = 13, columns: int = 17) -> np.ndarray:
    """Return a frame that needs every escape of the byte-offset code, with flags and no symmetry."""
    y, x = np.mgrid[:rows, :columns]
    frame = (3 * y + 7 * x % 5).astype(np.int32)
    frame[2, 3] = 300_000  # 4 bytes up, and above the count cutoff
    frame[5, 11] = 1_000  # 2 bytes
    frame[7, 1] = -1
    frame[7, 2] = -2
    frame[-1, -1] = 2**31 - 1
    return frame


def byte_offset(frame: np.ndarray) -> bytes:
    """Return the byte-offset code of a frame, written from its definition."""
    parts, last = [], 0
    for value in frame.ravel().tolist():
        delta, last = value - last, value
        if -127 <= delta <= 127:
            parts.append(delta.to_bytes(1, "little", signed=True))
        elif -32767 <= delta <= 32767:
            parts.append(b"\x80" + delta.to_bytes(2, "little", signed=True))
        elif -(2**31) < delta < 2**31:
            parts.append(b"\x80\x00\x80" + delta.to_bytes(4, "little", signed=True))
        else:
            parts.append(b"\x80\x00\x80\x00\x00\x00\x80" + delta.to_bytes(8, "little", signed=True))
    return b"".join(parts)


def cbf_bytes(
    frame: np.ndarray,
    mini: str | None = None,
    *,
    convention: str = "PILATUS_1.2",
    imgcif: str = "",
    md5: bool = True,
    conversion: str = "x-CBF_BYTE_OFFSET",
    element: str = "signed 32-bit integer",
    data: bytes | None = None,
) -> bytes:
    """Return a CBF file."""
    data = byte_offset(frame) if data is None else data
    digest = base64.b64encode(hashlib.md5(data).digest()).decode()
    header = f"""###CBF: VERSION 1.5, CBFlib v0.7.8 - PILATUS detectors

data_example

_array_data.header_convention "{convention}"
_array_data.header_contents
;
{mini_header() if mini is None else mini};

{imgcif}
_array_data.data
;
--CIF-BINARY-FORMAT-SECTION--
Content-Type: application/octet-stream;
     conversions="{conversion}"
Content-Transfer-Encoding: BINARY
X-Binary-Size: {len(data)}
X-Binary-ID: 1
X-Binary-Element-Type: "{element}"
X-Binary-Element-Byte-Order: LITTLE_ENDIAN
{f"Content-MD5: {digest}" if md5 else ""}
X-Binary-Number-of-Elements: {frame.size}
X-Binary-Size-Fastest-Dimension: {frame.shape[1]}
X-Binary-Size-Second-Dimension: {frame.shape[0]}
X-Binary-Size-Padding: 64

"""
    end = b"\r\n--CIF-BINARY-FORMAT-SECTION----\r\n;\r\n\r\n"
    head = header.replace("\n", "\r\n").encode()
    return head + b"\x0c\x1a\x04\xd5" + data + bytes(64) + end


def write_cbf(
    path: Path, frame: np.ndarray | None = None, mini: str | None = None, **options
) -> Path:
    path.write_bytes(cbf_bytes(example_frame() if frame is None else frame, mini, **options))
    return path
