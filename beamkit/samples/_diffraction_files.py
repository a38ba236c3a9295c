"""The files of a simulated rotation scan: a folder of miniCBF, or NXmx as EIGER detectors write it.

Sources: for CBF see `_minicbf`; NeXus definitions, applications/NXmx.nxdl.xml; DECTRIS, EIGER HDF5
file writer, as of version 1.8 (master file, external links ``data_000001`` ..., module geometry).
"""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path

from beamkit.core.errors import WriteError

from ._diffraction_truth import DiffractionSample
from ._minicbf import FrameHeader, write_cbf
from ._nxmx import data_file_names, write_nxmx
from ._pixel_detector import COUNT_CUTOFF


def _write_cbf_folder(sample: DiffractionSample) -> None:
    require_empty(sample.path)
    temporary = sample.path.with_name(f".{sample.path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        for number, file in enumerate(sample.files):
            header = frame_header(sample, number)
            write_cbf(temporary / file.name, sample.frame(number), header)
        temporary.replace(sample.path)
    except OSError as error:
        if isinstance(error, WriteError):
            raise
        raise WriteError(
            f"{sample.path} was not written: {error.strerror or error}. "
            "Choose a folder that does not exist yet."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def frame_header(sample: DiffractionSample, number: int) -> FrameHeader:
    """Return what the header says of a frame."""
    layout = sample.detector.layout
    return FrameHeader(
        detector=f"{layout.name}, S/N 00-0000, simulated",
        seconds=number * sample.exposure_period,
        pixel_size=layout.pixel_size,
        count_cutoff=COUNT_CUTOFF,
        wavelength=sample.wavelength,
        distance=sample.header_distance,
        beam_center=sample.header_beam_center,
        excluded_pixels=len(sample.detector.bad_pixels),
        exposure_time=sample.exposure_time,
        exposure_period=sample.exposure_period,
        start_angle=float(sample.omega[number]),
        angle_increment=sample.angle_increment,
        two_theta=sample.two_theta,
    )


def require_empty(folder: Path) -> None:
    """Raise WriteError if there is something: a frame left over would become part of the scan."""
    found = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    if found:
        raise WriteError(
            f"{folder} exists and is not an empty folder; the frames of a sample need a folder of "
            "their own. Remove it, or choose another one.",
        )


FORMATS = {"cbf": _write_cbf_folder, "nxmx": write_nxmx}


def write_scan(sample: DiffractionSample) -> None:
    """Write all files of a sample. Raises WriteError."""
    FORMATS[sample.format](sample)


def file_names(path: Path, format_name: str, frames: int) -> tuple[Path, ...]:
    """Return the files that a sample is made of."""
    if format_name == "nxmx":
        return (path, *data_file_names(path, frames))
    name = os.fspath(path.name) or "crystal"
    return tuple(path / f"{name}_{number:05d}.cbf" for number in range(1, frames + 1))
