"""A grid scan over a crystal that is smaller than the grid."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beamkit.core.errors import BeamkitError, ParameterError, WriteError

from ._byte_offset import encode
from ._crystal import Floats
from ._diffraction_files import frame_header, require_empty
from ._diffraction_truth import DiffractionSample
from ._minicbf import write_encoded
from ._sample import Sample, require_at_least, require_positive
from .diffraction import diffraction

#: A protein, as grid scans are made of: many spots in a still, none of them strong.
_PROTEIN = {"cell": (37.2, 41.9, 52.3, 90.0, 97.3, 90.0), "intensity": 3000.0}


@dataclass(frozen=True, eq=False, kw_only=True)
class GridSample(Sample):
    """A grid scan, and where the crystal is.

    Attributes
    ----------
    crystal
        The crystal and the detector; its only frame is that in the middle of the crystal.
    shape
        Rows and columns.
    snaked
        Whether every second row was scanned backwards.
    center
        Row and column of the middle of the crystal, between the nodes.
    radius
        Standard deviation of the crystal, a Gaussian [steps].
    files
        In the order of the scan.
    """

    crystal: DiffractionSample
    shape: tuple[int, int]
    snaked: bool
    center: tuple[float, float]
    radius: float
    files: tuple[Path, ...]

    def place(self, number: int) -> tuple[int, int]:
        """Return row and column of a frame."""
        row, column = divmod(number, self.shape[1])
        backwards = self.snaked and row % 2 == 1
        return row, self.shape[1] - 1 - column if backwards else column

    def share(self, number: int) -> float:
        """Return which part of the crystal a frame saw, 0 to 1."""
        away = np.subtract(self.place(number), self.center)
        return float(np.exp(-(away @ away) / (2 * self.radius**2)))

    def frame(self, number: int) -> NDArray[np.int32]:
        """Return a frame as the detector gives it, shape (detector_y, detector_x) [counts]."""
        background, whole = self._expected
        expected = background + self.share(number) * (whole - background)
        random = np.random.default_rng([self.crystal.seed, number]) if self.crystal.noise else None
        return self.crystal.detector.count(expected, random)

    @cached_property
    def _expected(self) -> tuple[Floats, Floats]:
        return self.crystal.background(), self.crystal.expected(0)


def grid_scan(
    path: str | os.PathLike[str],
    *,
    shape: tuple[int, int] = (7, 11),
    snaked: bool = True,
    center: tuple[float, float] | None = None,
    radius: float = 1.5,
    **crystal: Any,
) -> GridSample:
    """Write a grid scan, a still of every place, as a folder of miniCBF files.

    Their headers do not tell the places, as is usual: give shape and ``snaked``.

    Parameters
    ----------
    path
        Folder to make (it may exist if it is empty).
    shape
        Rows and columns, each at least 1. The rows are horizontal, and scanned one by one.
    snaked
        Whether every second row is scanned backwards.
    center
        Row and column of the middle of the crystal, on the grid; None: above and right of its
        middle, between the nodes.
    radius
        Standard deviation of the crystal, a Gaussian, above 0 [steps].
    **crystal
        Other options of :func:`diffraction`, such as ``detector`` and ``seed``; ``cell`` and
        ``intensity`` are those of a protein, and a still holds what reflects within
        ``angle_increment``.

    Raises
    ------
    ParameterError
        If a number is too small, or the centre is off the grid.
    UnknownNameError
        If the detector is not known.
    WriteError
        If a file cannot be written, or something is there.

    Examples
    --------
    >>> sample = grid_scan(getfixture("tmp_path") / "grid", shape=(2, 3), detector="PILATUS 100K")
    >>> [sample.place(number) for number in range(6)]
    [(0, 0), (0, 1), (0, 2), (1, 2), (1, 1), (1, 0)]
    """
    require_at_least(1, rows=shape[0], columns=shape[1])
    require_positive(radius=radius)
    rows, columns = int(shape[0]), int(shape[1])
    at = (0.39 * (rows - 1), 0.64 * (columns - 1)) if center is None else center
    if not (0 <= at[0] <= rows - 1 and 0 <= at[1] <= columns - 1):
        raise ParameterError(
            f"The centre {at} is off a grid of {rows} rows x {columns} columns; allowed are rows "
            f"0 to {rows - 1} and columns 0 to {columns - 1}. Leave it out for one on the grid."
        )
    folder = Path(path)
    sample = GridSample(
        path=folder,
        crystal=_still(crystal),
        shape=(rows, columns),
        snaked=snaked,
        center=(float(at[0]), float(at[1])),
        radius=radius,
        files=tuple(folder / f"{folder.name}_{n + 1:05d}.cbf" for n in range(rows * columns)),
    )
    _write(sample)
    return sample


def _still(options: dict[str, Any]) -> DiffractionSample:
    """Return one frame of a crystal without its file."""
    options = {**_PROTEIN, **options}
    with tempfile.TemporaryDirectory() as folder:
        return diffraction(Path(folder) / "crystal", frames=1, **options)


def _write(sample: GridSample) -> None:
    require_empty(sample.path)
    still = replace(sample.crystal, frames=len(sample.files), angle_increment=0.0)
    try:
        sample.path.mkdir(parents=True, exist_ok=True)
        for number, file in enumerate(sample.files):
            counts = sample.frame(number)
            write_encoded(file, encode(counts), counts.shape, frame_header(still, number))
    except OSError as error:
        if isinstance(error, BeamkitError):
            raise
        raise WriteError(
            f"{sample.path} was not written: {error.strerror or error}. Choose another folder."
        ) from error
