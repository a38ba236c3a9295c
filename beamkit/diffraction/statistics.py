"""The numbers of every image of a series, and which are the best."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from beamkit.core.errors import MetadataError, ParameterError, UnknownNameError
from beamkit.core.machine import cores
from beamkit.core.schema import note

from ._spot_image import Mask
from ._spot_series import Row, Series, Work, in_order, series_of
from .geometry import Geometry
from .image_statistics import ImageStatistics
from .spots import SpotSettings

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]

#: Told how many images are done, and of how many if that is known.
Progress = Callable[[int, int | None], object]

NAMES = tuple(field.name for field in fields(ImageStatistics))

_UNITS = {
    "resolution": "angstrom", "ice_ring": "angstrom", "intensity": "counts", "total": "counts",
    "background": "counts", "max": "counts",
}  # fmt: skip

#: Attributes that images have and their statistics have not.
_OF_IMAGES = ("kind", "units", "quantity", "header")

#: Of these, the lowest is the best.
_LOW_IS_GOOD = ("resolution", "background", "overloads", "ice_score", "masked")


def statistics(
    data: xr.Dataset | xr.DataArray | Iterable[Any],
    mask: Mask | None = None,
    geometry: Geometry | None = None,
    *,
    frames: Sequence[int] | slice | None = None,
    settings: SpotSettings | None = None,
    count_cutoff: float | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return the statistics of every image of a series.

    Parameters
    ----------
    data
        A dataset or array (frame, detector_y, detector_x), in memory or lazy; or anything that
        gives one image after the other: arrays, or the frames of :func:`beamkit.streams.stream`.
        Images must not change after they are given.
    mask, geometry, count_cutoff
        As for :func:`image_statistics`; None: those of ``data``, if it tells.
    frames
        Which images, by number from 0; None: all. Of a dataset or array only.
    settings
        What a spot is.
    workers
        Threads, at least 1; None: one for each core.
    progress
        Called after each image with how many are done, and of how many (None: not known).

    Returns
    -------
    statistics
        The numbers of :class:`ImageStatistics` as variables over ``frame`` (or the first
        dimension of ``data``), with the coordinates that ``data`` has along it, and the
        coordinate ``problem``: why an image could not be read, whose numbers are NaN; else empty.
        ``.to_dataframe()`` is a table of them. ``attrs["notes"]`` says if geometry was missing.

    Raises
    ------
    ShapeError
        If the data are no series of images, or the mask has another shape.
    ParameterError
        If ``workers`` is below 1, or ``frames`` are asked of what cannot be indexed.
    """
    if workers is not None and workers < 1:
        raise ParameterError(f"workers is {workers}; allowed are 1 and more. Leave it out.")
    series = series_of(data, frames)
    notes: dict[str, Any] = {}
    geometry = geometry or _geometry_of(data, notes)
    work = Work(series.mask if mask is None else mask, geometry, settings, count_cutoff)
    rows = []
    for row in in_order(series.images, work, workers or cores()):
        rows.append(row)
        if progress is not None:
            progress(len(rows), series.size)
    return _table(rows, series, notes)


def rank(
    table: xr.Dataset | pd.DataFrame, by: str = "score", *, number: int | None = None
) -> pd.DataFrame:
    """Return the images of a series, the best first.

    Parameters
    ----------
    table
        From :func:`statistics`.
    by
        Column; the highest is the best, but for ``resolution``, ``background``, ``overloads``,
        ``ice_score`` and ``masked`` the lowest.
    number
        How many rows; None: all.

    Returns
    -------
    ranked
        A row for each image, those without a number last.

    Raises
    ------
    UnknownNameError
        If there is no such column.
    """
    frame = table.to_dataframe() if isinstance(table, xr.Dataset) else table
    if by not in frame.columns:
        raise UnknownNameError("column of the statistics", by, map(str, frame.columns))
    ranked = frame.sort_values(by, ascending=by in _LOW_IS_GOOD, na_position="last", kind="stable")
    return ranked if number is None else ranked.head(number)


def _kept(attrs: dict[str, Any]) -> dict[str, Any]:
    """Return what is true of the numbers as it was of the images."""
    return {name: value for name, value in attrs.items() if name not in _OF_IMAGES}


def _geometry_of(data: Any, notes: dict[str, Any]) -> Geometry | None:
    try:
        if not isinstance(data, (xr.Dataset, xr.DataArray)):
            raise MetadataError("Bare images tell none; give geometry=.")
        found = Geometry.from_dataset(data)
        if found.wavelength is None:
            raise MetadataError("The wavelength is not known; set attrs['wavelength'] [angstrom].")
    except MetadataError as error:
        note(notes, "notes", f"resolution and ice are not told, as geometry is missing: {error}")
        return None
    return found


def _table(rows: list[Row], series: Series, notes: dict[str, Any]) -> xr.Dataset:
    dim = series.dim
    coords = dict(series.coords)
    coords.setdefault(dim, (dim, np.array([row.index for row in rows], np.int64)))
    coords["problem"] = (dim, np.array([row.problem for row in rows], dtype=str))
    known = [{} if row.numbers is None else row.numbers.to_dict() for row in rows]
    return xr.Dataset(
        {
            name: (
                dim,
                np.array([numbers.get(name, np.nan) for numbers in known], float),
                {"units": _UNITS.get(name, "1")},
            )
            for name in NAMES
        },
        coords=coords,
        attrs={**_kept(series.attrs), **notes},
    )
