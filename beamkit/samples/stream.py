"""A detector that writes frames at a rate: to try what watches a measurement."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from beamkit.core.errors import BeamkitError, UnknownNameError, WriteError

from ._byte_offset import encode
from ._diffraction_files import frame_header, require_empty
from ._diffraction_truth import DiffractionSample
from ._minicbf import write_encoded
from ._nxmx import describe, unsigned
from ._sample import Sample, require_at_least, require_positive
from .diffraction import diffraction

#: Writes the frame of a number.
Writer = Callable[[int], None]


@dataclass(frozen=True, eq=False, kw_only=True)
class StreamSample(Sample):
    """Frames that were written at a rate, and their truth.

    Attributes
    ----------
    crystal
        The scan whose frames were written, over and over.
    frames
        How many were written.
    rate
        Frames a second that were asked for.
    late
        How much later than asked the last frame was written; 0 if it was in time [s].
    """

    crystal: DiffractionSample
    frames: int
    rate: float
    late: float

    def frame(self, number: int) -> NDArray[np.int32]:
        """Return the counts of a frame; flags are negative."""
        return self.crystal.frame(number % self.crystal.frames)


def stream(
    path: str | os.PathLike[str],
    *,
    rate: float = 25.0,
    frames: int = 500,
    format: str = "cbf",  # noqa: A002, the word for it
    distinct: int = 16,
    told: Callable[[int], None] | None = None,
    **crystal: Any,
) -> StreamSample:
    """Write the frames of a crystal at the rate of a detector; returns after the last one.

    Parameters
    ----------
    path
        Folder to make, for CBF (it may exist if it is empty); file, for SWMR.
    rate
        Frames a second, above 0. A disk that is too slow makes it lower: see ``late``.
    frames
        Number of frames, at least 1.
    format
        ``"cbf"``: one miniCBF file a frame, each whole when it appears; ``"swmr"``: one NXmx file,
        which others can read while it grows (single writer, multiple readers, of HDF5).
    distinct
        Number of different pictures; they are simulated before the first frame is written, and
        repeat after the last one, while times and angles go on.
    told
        Called with the number of frames written, after each.
    **crystal
        Other options of :func:`diffraction`, such as ``detector`` and ``seed``.

    Raises
    ------
    UnknownNameError
        If ``format`` or the detector is not known.
    ParameterError
        If a number is too small.
    WriteError
        If a file cannot be written, or something is there.

    Examples
    --------
    >>> sample = stream(getfixture("tmp_path") / "live", rate=100, frames=3, distinct=2,
    ...                 detector="PILATUS 100K")
    >>> sorted(file.name for file in sample.path.iterdir())
    ['live_00001.cbf', 'live_00002.cbf', 'live_00003.cbf']
    """
    if format not in _FORMATS:
        raise UnknownNameError("format of a stream", format, _FORMATS)
    require_positive(rate=rate)
    require_at_least(1, frames=frames, distinct=distinct)
    source = simulated(min(distinct, frames), 1 / rate, crystal)
    late = play(_FORMATS[format](Path(path), source, frames), rate, told)
    return StreamSample(path=Path(path), crystal=source, frames=frames, rate=rate, late=late)


def play(
    frames: Iterable[tuple[int, Writer]], rate: float, told: Callable[[int], None] | None
) -> float:
    """Write frames at a rate [1/s]; return how late the last was [s]."""
    late = start = 0.0
    for number, write in frames:
        if number == 0:
            start = time.monotonic()
        late = time.monotonic() - (start + number / rate)
        if late < 0:
            time.sleep(-late)
        write(number)
        if told is not None:
            told(number + 1)
    return max(late, 0.0)


def simulated(frames: int, period: float, options: dict[str, Any]) -> DiffractionSample:
    """Return a scan without its files."""
    with tempfile.TemporaryDirectory() as folder:
        sample = diffraction(Path(folder) / "crystal", frames=frames, **options)
    return replace(sample, exposure_period=period, exposure_time=0.95 * period)


def _cbf(path: Path, source: DiffractionSample, frames: int) -> Iterator[tuple[int, Writer]]:
    require_empty(path)
    pictures = [encode(source.frame(number)) for number in range(source.frames)]
    scan = replace(source, path=path, frames=frames)
    name = path.name or "live"

    def write(number: int) -> None:
        write_encoded(
            path / f"{name}_{number + 1:05d}.cbf",
            pictures[number % len(pictures)],
            source.detector.shape,
            frame_header(scan, number),
        )

    for number in range(frames):
        yield number, write


def _swmr(path: Path, source: DiffractionSample, frames: int) -> Iterator[tuple[int, Writer]]:
    if path.exists():
        raise WriteError(f"{path} is there already. Choose another name, or remove it.")
    pictures = _chunks(source)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with h5py.File(path, "w", libver="latest") as file:
            group = describe(file, replace(source, path=path, frames=frames))
            data = _growing(group, source.detector.shape)
            file.swmr_mode = True

            def write(number: int) -> None:
                data.resize(number + 1, axis=0)
                mask, chunk = pictures[number % len(pictures)]
                data.id.write_direct_chunk((number, 0, 0), chunk, filter_mask=mask)
                data.flush()

            for number in range(frames):
                yield number, write
    except (OSError, RuntimeError) as error:
        if isinstance(error, BeamkitError):
            raise
        raise WriteError(
            f"{path} was not written to its end: {error}. See if the disk is full, or choose "
            "another folder."
        ) from error


def _chunks(source: DiffractionSample) -> list[tuple[int, bytes]]:
    """Return the compressed frames, as HDF5 would write them."""
    found = []
    with h5py.File("chunks", "w", driver="core", backing_store=False) as file:
        data = _growing(file, source.detector.shape)
        data.resize(source.frames, axis=0)
        for number in range(source.frames):
            data[number] = unsigned(source.frame(number))
            data.flush()
            found.append(data.id.read_direct_chunk((number, 0, 0)))
    return found


def _growing(group: h5py.Group, shape: tuple[int, int]) -> h5py.Dataset:
    import hdf5plugin

    return group.create_dataset(
        "data",
        (0, *shape),
        np.uint32,
        maxshape=(None, *shape),
        chunks=(1, *shape),
        **hdf5plugin.Bitshuffle(cname="lz4"),
    )


_FORMATS = {"cbf": _cbf, "swmr": _swmr}
