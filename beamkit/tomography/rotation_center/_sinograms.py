"""The rows of a scan on which the axis is looked for, as half turns with even steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.errors import InvalidPixelsError, MetadataError, ShapeError
from beamkit.core.schema import (
    ANGLE,
    DETECTOR_X,
    DETECTOR_Y,
    PROJECTIONS,
    require_dims,
    require_quantity,
)
from beamkit.tomography._angles import angles_of, require_angles
from beamkit.tomography._volume import require_even_columns
from beamkit.tomography.corrections import correct

#: Rows used if nobody says which, and blocks of columns in which their contrast is measured.
_ROWS, _BLOCKS = 8, 32

#: Rows on which the slow methods work.
_FEW_ROWS = 2

Sinograms = NDArray[np.float32]


@dataclass(frozen=True)
class HalfTurn:
    """Sinograms over 180 degrees in even steps.

    Attributes
    ----------
    values
        Line integrals, shape (row, angle, column).
    angles
        Shape (angle,) [rad], rising in even steps of pi / (number of angles).
    coverage
        Part of the half circle that was measured; the rest repeats the nearest projection.
    """

    values: Sinograms
    angles: NDArray[np.float64]
    coverage: float


@dataclass(frozen=True)
class Scan:
    """Sinograms of some rows, as the methods take them.

    Attributes
    ----------
    values
        Line integrals, shape (row, angle, column).
    angles
        Shape (angle,) [rad], rising.
    halves
        One half turn of them, or two.
    """

    values: Sinograms
    angles: NDArray[np.float64]
    halves: list[HalfTurn]

    @classmethod
    def of(cls, lines: xr.DataArray) -> Scan:
        """Sort the projections of line integrals (angle, detector_y, detector_x) by angle."""
        angles = angles_of(lines)
        order = np.argsort(angles, kind="stable")
        values = np.ascontiguousarray(lines.values[order].transpose(1, 0, 2))
        return cls(values, angles[order], half_turns(values, angles[order]))

    @property
    def is_truncated(self) -> bool:
        """Whether the sample reaches over the edge of the detector."""
        profile = np.abs(self.values.mean(axis=(0, 1)))
        edge = max(1, profile.size // 100)
        return bool(max(profile[:edge].mean(), profile[-edge:].mean()) > 0.05 * profile.max())

    @property
    def sinograms(self) -> list[Sinograms]:
        """Half turns of every row, each of shape (angle, column)."""
        return [sinogram for half in self.halves for sinogram in half.values]

    @property
    def few_sinograms(self) -> list[Sinograms]:
        """The first half turn of the rows with the most contrast."""
        values = self.halves[0].values
        order = np.argsort(-values.std(axis=(1, 2)), kind="stable")
        return [values[row] for row in sorted(order[:_FEW_ROWS])]


def half_turns(values: Sinograms, angles: NDArray[np.float64]) -> list[HalfTurn]:
    """Split sinograms into half turns: one from 180 degrees, two from 360 degrees.

    Parameters
    ----------
    values
        Shape (row, angle, column).
    angles
        Shape (angle,) [rad], rising.
    """
    count = max(2, round(np.pi / usual_step(angles)))
    starts = [angles[0]]
    if angles[-1] - angles[0] > 2 * np.pi - 3 * np.pi / count:
        starts.append(angles[0] + np.pi)
    return [_half_turn(values, angles, start, count) for start in starts]


def usual_step(angles: NDArray[np.float64]) -> float:
    """Return the median step of rising angles, not counting repeated ones [rad]."""
    steps = np.diff(angles)
    return float(np.median(steps[steps > 0]))


def _half_turn(
    values: Sinograms, angles: NDArray[np.float64], start: float, count: int
) -> HalfTurn:
    even = (start + np.pi / count * np.arange(count)).astype(np.float64)
    after = np.clip(np.searchsorted(angles, even), 1, len(angles) - 1)
    before = after - 1
    gap = angles[after] - angles[before]
    part = np.clip((even - angles[before]) / np.where(gap > 0, gap, 1), 0, 1)
    # Angles that are even but for an encoder's jitter are taken as they are: not blurred.
    part = np.where(np.abs(part - np.round(part)) < 0.3, np.round(part), part).astype(np.float32)
    mixed = values[:, before] * (1 - part[:, None]) + values[:, after] * part[:, None]
    measured = np.mean((even < angles[-1] + np.pi / count) & (even > angles[0] - np.pi / count))
    return HalfTurn(np.ascontiguousarray(mixed, np.float32), even, float(measured))


def line_integrals(data: xr.Dataset | xr.DataArray, rows: Sequence[float] | None) -> xr.DataArray:
    """Return the rows to look at, as line integrals in memory.

    Parameters
    ----------
    data
        A raw dataset, or line integrals of shape (angle, detector_y, detector_x).
    rows
        Values of ``detector_y``; None takes the 8 next to each other with the most contrast.

    Raises
    ------
    ShapeError, QuantityError, MetadataError, InvalidPixelsError
        If the data are not line integrals over angle, without NaN.
    """
    chosen = data.isel({DETECTOR_Y: _places(data, rows)})
    if isinstance(chosen, xr.Dataset):
        names = [name for name in ("projections", "flats", "darks") if name in chosen]
        chosen = correct(chosen[names].compute(), "basic")
    require_dims(chosen, PROJECTIONS, what="line integrals")
    require_quantity(
        chosen,
        "line integral",
        to="find the centre",
        cure="Give the raw dataset, or apply flat_field and minus_log first.",
    )
    if 0 in chosen.shape or chosen.sizes[ANGLE] < 3 or chosen.sizes[DETECTOR_X] < 4:
        raise ShapeError(
            f"Sinograms of shape {chosen.shape} are too small to find a centre; at least 3 "
            "angles, 1 row and 4 columns are needed. Give center=... by hand."
        )
    require_angles(chosen)
    if np.ptp(chosen[ANGLE].values) == 0:
        raise MetadataError(
            f"All {chosen.sizes[ANGLE]} projections are at {chosen[ANGLE].values[0]} deg; angles "
            "that differ are needed to find the centre. Give center=... by hand."
        )
    require_even_columns(chosen)
    chosen = chosen.astype(np.float32, copy=False).compute()
    if not np.isfinite(chosen.values).all():
        raise InvalidPixelsError(
            f"{int((~np.isfinite(chosen.values)).sum())} values are NaN or infinite; to find the "
            "centre all must be numbers. Run repair_pixels first."
        )
    return chosen


def _first_of_best_rows(projections: xr.DataArray) -> int:
    """Return the first of the rows that change most in a quarter turn or so, from two frames."""
    if projections.sizes[DETECTOR_Y] <= _ROWS or ANGLE not in projections.dims:
        return 0
    frames = [projections.isel({ANGLE: place}) for place in (0, projections.sizes[ANGLE] // 2)]
    one, other = (
        np.nan_to_num(frame.transpose(DETECTOR_Y, DETECTOR_X).values.astype(np.float32))
        for frame in frames
    )
    blocks = np.array_split(one - other, min(_BLOCKS, one.shape[1]), axis=1)
    change = np.mean([np.abs(block.mean(axis=1)) for block in blocks], axis=0)
    return int(np.argmax(np.convolve(change, np.ones(_ROWS), mode="valid")))


def _places(data: xr.Dataset | xr.DataArray, rows: Sequence[float] | None) -> NDArray[np.intp]:
    if DETECTOR_Y not in data.dims:
        raise ShapeError(
            f"The data must have the dimension {DETECTOR_Y!r}; they have {tuple(data.dims)}. "
            "One row is kept as a dimension by isel(detector_y=slice(3, 4))."
        )
    if rows is None:
        projections = data if isinstance(data, xr.DataArray) else data.get("projections")
        first = 0 if projections is None else _first_of_best_rows(projections)
        return np.arange(first, min(data.sizes[DETECTOR_Y], first + _ROWS))
    known = data[DETECTOR_Y].values
    places = [np.flatnonzero(known == row) for row in rows]
    missing = [row for row, place in zip(rows, places, strict=True) if not place.size]
    if missing or not places:
        raise ShapeError(
            f"Rows {missing} are not in the data, whose detector_y goes from {known[0]} to "
            f"{known[-1]}. Name rows by their values of detector_y."
        )
    return np.array([place[0] for place in places])
