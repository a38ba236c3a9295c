"""``ds.bk`` and ``da.bk``: what one does with a dataset, where one looks for it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xarray as xr

from beamkit.accessor import compare, view
from beamkit.accessor._stream import stream
from beamkit.accessor.metadata import MetadataTable
from beamkit.core.errors import ParameterError
from beamkit.core.history import entries
from beamkit.core.schema import main_variable

if TYPE_CHECKING:
    from beamkit.streams import Stream
    from beamkit.tomography import CenterEstimate


class _Common:
    """What Dataset and DataArray share."""

    def __init__(self, data: Any) -> None:
        self._data = data

    @property
    def metadata(self) -> MetadataTable:
        """Table of name, value, unit, meaning, and what was assumed."""
        return MetadataTable(self._data.attrs)

    @property
    def history(self) -> list[dict[str, Any]]:
        """What was done to the data, oldest first: name, version, parameters, time."""
        return entries(self._data.attrs)

    def view(self, **options: Any) -> Any:
        """Show the data in a notebook: :func:`beamkit.view`."""
        return view(self._data, **options)

    def compare(self, other: Any, **options: Any) -> Any:
        """Show the data beside others: :func:`beamkit.compare`."""
        return compare(self._data, other, **options)

    def integrate(self, npt: int | tuple[int, int] = 1000, **options: Any) -> xr.Dataset:
        """Integrate images over rings: :func:`beamkit.diffraction.integrate`."""
        from beamkit import diffraction

        return diffraction.integrate(self._data, npt, **options)

    def stream(self, **options: Any) -> Stream:
        """Give the frames one after the other, read ahead: :func:`beamkit.streams.stream`."""
        return stream(self._data, **options)

    def find_center(self, **options: Any) -> CenterEstimate:
        """Find the rotation axis: :func:`beamkit.tomography.find_center`."""
        from beamkit import tomography

        return tomography.find_center(self._data, **options)

    def reconstruct(self, **options: Any) -> xr.DataArray:
        """Reconstruct slices: :func:`beamkit.tomography.reconstruct`."""
        from beamkit import tomography

        return tomography.reconstruct(self._data, **options)


@xr.register_dataset_accessor("bk")
class DatasetAccessor(_Common):
    """beamkit on a Dataset."""

    @property
    def main(self) -> xr.DataArray:
        """The variable that the dataset is about, such as ``projections``."""
        data: xr.DataArray = self._data[main_variable(self._data)]
        return data

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        format: str | None = None,  # noqa: A002, the word for it
    ) -> list[Path]:
        """Write patterns, ``pattern.bk.save("x.xye")``: :func:`beamkit.writers.pattern`.

        Parameters
        ----------
        path
            Of the file; a series as text becomes one file a pattern, ``x_00001.xye`` ...
        format
            ``"nxdata"``, ``"nxcansas"``, ``"xye"``, ``"xy"`` or ``"chi"``; None: by the suffix.

        Returns
        -------
        files
            That were written.

        Raises
        ------
        ParameterError
            If the dataset holds no patterns, or the suffix says no format.
        ShapeError, MetadataError, InvalidPixelsError
            If the format cannot hold these patterns.
        WriteError
            If a file cannot be written.
        """
        from beamkit import writers

        if "intensity" not in self._data:
            raise ParameterError(
                f"{path}: save writes patterns, but this is a dataset of kind "
                f"{self._data.attrs.get('kind', 'unknown')!r}. Integrate it first with "
                ".bk.integrate(...); a volume is saved as data['volume'].bk.save(...), frames with "
                "beamkit.pipelines.convert."
            )
        return writers.pattern(self._data, path, format=format)


@xr.register_dataarray_accessor("bk")
class DataArrayAccessor(_Common):
    """beamkit on a DataArray."""

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write a volume (z, y, x) as NeXus; the suffix must be .nxs, .h5 or .hdf5.

        Raises
        ------
        ParameterError
            If the suffix is another one.
        WriteError
            If the file cannot be written.
        """
        from beamkit import writers

        if Path(path).suffix not in writers.NEXUS_SUFFIXES:
            raise ParameterError(
                f"{path}: volumes are written as NeXus, with one of the suffixes "
                f"{', '.join(writers.NEXUS_SUFFIXES)}, not {Path(path).suffix!r}. "
                "Give the file one of these."
            )
        return writers.nexus(self._data, path)
