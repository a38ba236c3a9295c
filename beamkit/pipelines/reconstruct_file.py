"""A whole scan to a volume file, slab by slab."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit import readers, tomography, writers
from beamkit.core import machine
from beamkit.core.errors import ParameterError
from beamkit.tomography import CenterEstimate

#: Called after each slab with (slices done, slices in all).
Progress = Callable[[int, int], None]

#: Arrays of the size of the projections of a slab that live at once, in float32.
_PROJECTION_COPIES = 6

#: Share of the available memory that the slabs may take.
_SHARE = 0.5


@dataclass(frozen=True)
class FileReconstruction:
    """What was written, and how.

    Attributes
    ----------
    path
        The volume file.
    shape
        Slices, rows, columns.
    rotation_center
        Index of the axis [pixel].
    engine, device
        What computed it.
    seconds
        Time spent in each part [s]: ``find_center``, ``correct``, ``reconstruct``, ``write``.
    """

    path: Path
    shape: tuple[int, int, int]
    rotation_center: float
    engine: str
    device: str
    seconds: dict[str, float]


def reconstruct_file(
    scan: str | os.PathLike[str] | xr.Dataset,
    path: str | os.PathLike[str],
    *,
    rows: Sequence[int] | slice | None = None,
    center: float | str | CenterEstimate = "auto",
    corrections: str | Sequence[str] = "standard",
    memory: int | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> FileReconstruction:
    """Reconstruct a scan into one NeXus file.

    Parameters
    ----------
    scan
        Raw scan: a path, or a dataset of kind tomography.
    path
        Of the volume; it appears when it is complete.
    rows
        Which detector rows, counted from 0 in the dataset; None takes all.
    center
        As in :func:`beamkit.tomography.reconstruct`; ``"auto"`` is found once, for all slabs.
    corrections
        As in :func:`beamkit.tomography.correct`.
    memory
        Most memory for the slabs [bytes]; None takes half of what is available.
    progress
        Called with (slices done, slices in all).
    options
        Of :func:`beamkit.tomography.reconstruct`: ``filter``, ``engine``, ``device``, ``size`` ...

    Raises
    ------
    ParameterError
        If the volume would replace the scan, its suffix is not one of NeXus, a row is not on the
        detector, or the memory does not hold one slice.
    BeamkitError
        Whatever reading, correcting, reconstructing and writing can raise.
    """
    data = scan if isinstance(scan, xr.Dataset) else readers.open_dataset(scan)
    _check_target(Path(path), data)
    clock = _Clock()
    with clock("find_center"):
        if center == "auto":
            center = tomography.find_center(data)
    selected = _select_rows(data, rows)
    size = options.get("size") or data.sizes["detector_x"]
    shape = (selected.size, size, size)
    with writers.VolumeFile(path, shape) as file:
        axes: list[xr.DataArray] = []
        for block in _slabs(data, selected, size, memory):
            with clock("correct"):
                lines = tomography.correct(_take(data, selected[block]), corrections).compute()
            with clock("reconstruct"):
                slab = tomography.reconstruct(lines, center=center, **options)
            with clock("write"):
                file.write(block.start, slab.values)
            axes.append(slab["z"])
            if progress is not None:
                progress(block.stop, selected.size)
        z = xr.concat(axes, "z").assign_attrs(slab["z"].attrs)
        file.describe(slab.attrs, {"z": z, "y": slab["y"], "x": slab["x"]})
    return FileReconstruction(
        Path(path),
        shape,
        float(slab.attrs["rotation_center"]),
        str(slab.attrs["engine"]),
        str(slab.attrs["device"]),
        dict(clock.seconds),
    )


def _check_target(path: Path, data: xr.Dataset) -> None:
    """Raise ParameterError if the volume would replace the scan, or has an odd suffix."""
    if path.suffix not in writers.NEXUS_SUFFIXES:
        raise ParameterError(
            f"{path}: volumes are written as NeXus, with one of the suffixes "
            f"{', '.join(writers.NEXUS_SUFFIXES)}, not {path.suffix!r}. Give the file one of these."
        )
    source = Path(str(data.attrs.get("source", "")))
    if path.exists() and source.is_file() and path.samefile(source):
        raise ParameterError(
            f"{path} is the scan itself; the volume would replace the raw data. "
            "Give the volume another name."
        )


def _select_rows(data: xr.Dataset, rows: Sequence[int] | slice | None) -> NDArray[np.int64]:
    everything = np.arange(data.sizes["detector_y"])
    if rows is None:
        return everything
    if isinstance(rows, slice):
        selected = everything[rows]
    else:
        selected = np.asarray(rows, int)
        outside = selected[(selected < 0) | (selected >= everything.size)]
        if outside.size:
            raise ParameterError(
                f"Row {outside[0]} is not on the detector, which has the rows 0 to "
                f"{everything.size - 1}. Choose rows in that range."
            )
    if selected.size == 0:
        raise ParameterError(
            f"No rows are selected: {rows} of {everything.size}. Choose at least one."
        )
    return selected


def _take(data: xr.Dataset, rows: NDArray[np.int64]) -> xr.Dataset:
    """Select rows; neighbours with a slice, which reaches the file, where a list reads it all."""
    if (np.diff(rows) == 1).all():
        return data.isel(detector_y=slice(int(rows[0]), int(rows[-1]) + 1))
    return data.isel(detector_y=rows)


def _slabs(
    data: xr.Dataset, rows: NDArray[np.int64], size: int, memory: int | None
) -> Iterator[slice]:
    """Return slices over the rows, as many at once as the memory holds."""
    budget = memory if memory is not None else int(machine.available_memory() * _SHARE)
    row = data.sizes["angle"] * data.sizes["detector_x"]
    per_row = 4 * (_PROJECTION_COPIES * row + 2 * size * size)
    height = budget // per_row
    if height < 1:
        raise ParameterError(
            f"One slice needs {per_row / 1e6:.0f} MB, but only {budget / 1e6:.0f} MB may be used. "
            "Give more memory, or choose a smaller size."
        )
    # Rows 2k and 2k + 1 of the detector are computed together: a slab should not part them.
    height = max(height // 2 * 2, 1)
    start, stop = 0, height - int(rows[0]) % 2 or height
    while start < rows.size:
        yield slice(start, min(stop, rows.size))
        start, stop = stop, stop + height


class _Clock:
    """Adds up the seconds spent in each part."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[part] += time.perf_counter() - start
