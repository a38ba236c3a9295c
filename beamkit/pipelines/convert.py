"""A series of images to one NXmx file, checked count by count, taken up again after a stop."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from beamkit import readers, writers
from beamkit.core import machine
from beamkit.core.errors import BeamkitError, ParameterError
from beamkit.core.schema import lines
from beamkit.readers._image_gaps import MARK, RAISE, require_choice
from beamkit.writers._nxmx_codecs import codec
from beamkit.writers.nxmx import frames_of

from ._convert_job import Job, Progress, to_be_continued
from ._convert_source import FrameFiles
from ._convert_state import workspace
from .convert_report import ConversionReport

Source = str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | xr.Dataset


def convert(
    source: Source,
    out: str | os.PathLike[str],
    *,
    jobs: int | None = None,
    overwrite: bool = False,
    check: bool = True,
    compression: str = "bslz4",
    progress: Progress | None = None,
    on_error: str = "mark",
    **options: Any,
) -> ConversionReport:
    """Write a series of images into one NXmx file.

    Type and numbers of the frames stay as they are. A run that is stopped, even killed, leaves
    ``OUT.parts`` beside the file; the same call again continues, and ``OUT`` appears when it is
    whole and checked.

    Parameters
    ----------
    source
        Files as :func:`beamkit.open` takes them, or a dataset of kind diffraction or image.
    out
        Of the file to write: .nxs, .h5, .hdf5 or .nx.
    jobs
        Threads that read and compress; None for one a core.
    overwrite
        Whether to replace a file that is there.
    check
        Whether to read back every count and compare it with the source.
    compression
        ``"bslz4"`` (bitshuffle and LZ4, as DECTRIS writes), ``"gzip"`` or ``"none"``.
    progress
        Called after each frame.
    on_error
        ``"mark"``: a damaged or missing frame keeps its place without measurement (-1, the largest
        unsigned number or NaN) and is listed; ``"raise"``: it stops the conversion.
    **options
        Of :func:`beamkit.open`: attributes that the files do not say, such as ``wavelength=0.98``.

    Returns
    -------
    report
        What was saved, what was assumed, and which frames have problems.

    Raises
    ------
    ParameterError
        If the file is there already, an option has no meaning, or the source holds no frames.
    UnreadableFileError
        If the source cannot be read; with ``on_error="raise"``, if one frame cannot.
    ShapeError
        If the frames differ in size; names two files.
    WriteError
        If the disk is full, another conversion works on the same file, or what was read back is
        not what was written. ``OUT`` does not appear then.
    """
    target, threads = Path(out), _threads(jobs)
    require_choice(on_error)
    codec(compression)
    data = _opened(source, on_error, options)
    files = FrameFiles.of(frames_of(data))
    _require_target(target, data, files, overwrite=overwrite)
    signature = {"frames": files.signature, "compression": compression, "layout": 1}
    seconds: dict[str, float] = {}
    with workspace(target, signature) as work:
        marks = on_error == MARK
        job = Job(data, files, work, compression, threads, marks, check, progress)
        start = time.perf_counter()
        with to_be_continued(work, target), work.journal() as journal:
            resumed, assumed = job.write(journal)
        seconds["convert"] = time.perf_counter() - start
        if check:
            job.compare()
            seconds["check"] = time.perf_counter() - start - seconds["convert"]
        with to_be_continued(work, target):
            work.publish(target)
    return ConversionReport(
        path=target,
        shape=job.shape,
        dtype=str(files.frames.dtype),
        compression=compression,
        bytes_in=files.bytes,
        bytes_out=target.stat().st_size,
        resumed=resumed,
        checked=check,
        seconds=seconds,
        problems=dict(sorted(job.problems.items())),
        assumed=(*lines(data.attrs, "assumed"), *assumed),
        conflicts=tuple(lines(data.attrs, "conflicts")),
        notes=tuple(lines(data.attrs, "notes")),
    )


def _threads(jobs: int | None) -> int:
    if jobs is None:
        return machine.cores()
    if isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 1:
        raise ParameterError(f"jobs={jobs!r} is not allowed. Give a whole number above 0, or None.")
    return jobs


def _opened(source: Source, on_error: str, options: dict[str, Any]) -> xr.Dataset:
    if isinstance(source, xr.Dataset):
        if options:
            raise ParameterError(
                f"A dataset takes no options of opening, but {', '.join(sorted(options))} was "
                "given. Give them to bk.open, or name the files here."
            )
        return source
    if on_error == RAISE:
        return readers.open_dataset(source, **options)
    try:
        return readers.open_dataset(source, on_error=on_error, **options)
    except BeamkitError:  # a format that has no series of files; what else is wrong is told now
        return readers.open_dataset(source, **options)


def _require_target(target: Path, data: xr.Dataset, source: FrameFiles, *, overwrite: bool) -> None:
    if target.suffix not in writers.NEXUS_SUFFIXES:
        raise ParameterError(
            f"{target}: NXmx files have one of the suffixes {', '.join(writers.NEXUS_SUFFIXES)}, "
            f"not {target.suffix!r}. Give the file one of these."
        )
    if not target.exists():
        return
    originals = {Path(str(data.attrs.get("source", ""))), *source.files}
    if any(path.is_file() and path.samefile(target) for path in originals):
        raise ParameterError(
            f"{target} is one of the files to convert; originals are never replaced. "
            "Choose another name."
        )
    if not overwrite:
        raise ParameterError(
            f"{target} is there already. Choose another name, or give overwrite=True."
        )
