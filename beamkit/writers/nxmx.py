"""Frames of a detector as one NXmx file, as the package nxmx and any HDF5 viewer read it.

Layout: application definition NXmx; Bernstein et al., IUCrJ 7, 784 (2020). ``/entry/data/data``
holds the frames, one a chunk. ``/entry/beamkit`` (NXcollection) keeps attributes, coordinates and
headers as they were, so that reading gives them back.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit._version import __version__
from beamkit.core import schema
from beamkit.core.atomic import atomic_path
from beamkit.core.errors import ParameterError
from beamkit.core.history import entries

from . import _nxmx_codecs as codecs
from ._nxmx_fields import group, number
from ._nxmx_geometry import detector_chain, sample_chain
from ._nxmx_kept import keep
from ._nxmx_metadata import describe
from .nexus import _hdf5_errors_named, _write_process

#: Kinds of datasets that NXmx can hold.
KINDS = ("diffraction", "image")

#: Names under which frames can be compressed, the default first.
COMPRESSIONS = codecs.names()


def nxmx(data: xr.Dataset, path: str | os.PathLike[str], *, compression: str = "bslz4") -> Path:
    """Write the frames of a dataset, with all that is known about them; return the path.

    One frame is in memory at a time. For long series, in threads and so that a killed run goes
    on, use :func:`beamkit.pipelines.convert`.

    Parameters
    ----------
    data
        Of kind diffraction or image: ``frames`` or ``image`` (frame, detector_y, detector_x).
    path
        Of the file to write; an existing one is replaced only when the new one is complete.
    compression
        ``"bslz4"``, ``"gzip"`` or ``"none"``.

    Raises
    ------
    ParameterError
        If the dataset holds no frames, or the compression is not known.
    WriteError
        If the file cannot be written; nothing appears at ``path`` then.
    """
    frames = frames_of(data)
    shape, dtype = frames.shape, frames.dtype
    with (
        atomic_path(path) as temporary,
        NxmxFile(temporary, (shape[0], shape[1], shape[2]), dtype, compression) as file,
    ):
        for index in range(shape[0]):
            file.write(index, file.encode(frames[index].values))
        file.describe(data)
    return Path(path)


def frames_of(data: xr.Dataset) -> xr.DataArray:
    """Return the frames of a dataset that NXmx can hold.

    Raises
    ------
    ParameterError
        If it is of another kind, has no frames, or they are not numbers.
    """
    kind = data.attrs.get("kind")
    if kind not in KINDS:
        raise ParameterError(
            f"The dataset is of kind {kind!r}; NXmx holds frames of a detector, kinds "
            f"{', '.join(KINDS)}. Open the frames with bk.open(..., kind='diffraction')."
        )
    frames = data[schema.main_variable(data)]
    schema.require_dims(frames, schema.FRAMES, what="The frames")
    if not frames.size or frames.dtype.kind not in "iuf":
        raise ParameterError(
            f"The frames have the shape {frames.shape} and type {frames.dtype}; numbers, at least "
            "one frame of one pixel, are needed. Select others."
        )
    return frames


def fill_value(dtype: np.dtype[Any]) -> Any:
    """Return what a pixel holds that was not measured: NaN, -1, or the largest unsigned number."""
    if dtype.kind == "f":
        return dtype.type(np.nan)
    return dtype.type(-1) if dtype.kind == "i" else np.iinfo(dtype).max


class NxmxFile:
    """An NXmx file that is written frame by frame, each as a chunk that is compressed already.

    Use as a context manager; the file is not whole before the block ends.

    Parameters
    ----------
    path
        Of the file.
    shape
        (frame, detector_y, detector_x).
    dtype
        Of the frames.
    compression
        One of :data:`COMPRESSIONS`.
    """

    def __init__(
        self, path: Path, shape: tuple[int, int, int], dtype: np.dtype[Any], compression: str
    ) -> None:
        self._codec = codecs.codec(compression)
        self._dtype = dtype.newbyteorder("<")
        self._shape = shape
        self._path = path
        with _hdf5_errors_named(path):
            self._file = h5py.File(path, "w")
            self._data = self._skeleton()

    def __enter__(self) -> NxmxFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            with _hdf5_errors_named(self._path):
                self._file.close()
        else:  # the error that stopped the writing is the one to tell
            with suppress(OSError, RuntimeError, ValueError):
                self._file.close()

    def encode(self, frame: NDArray[Any]) -> bytes:
        """Return the bytes of the chunk of a frame; may be called in any thread."""
        return self._codec.encode(np.asarray(frame, self._dtype))

    def write(self, index: int, chunk: bytes) -> None:
        """Write the chunk of a frame, as :meth:`encode` gave it. Raises WriteError."""
        with _hdf5_errors_named(self._path):
            self._data.id.write_direct_chunk((index, 0, 0), chunk)

    def write_gap(self, index: int) -> None:
        """Write a frame without measurement. Raises WriteError."""
        self.write(index, self.encode(np.full(self._shape[1:], fill_value(self._dtype))))

    def describe(
        self,
        data: xr.Dataset,
        *,
        headers: Iterable[str] = (),
        problems: dict[int, str] | None = None,
    ) -> list[str]:
        """Write all that is not a frame.

        Parameters
        ----------
        data
            The dataset that the frames are of.
        headers
            Unparsed header of each frame.
        problems
            Frames that could not be read, and why; they hold :func:`fill_value`.

        Returns
        -------
        assumed
            What NXmx needs and the dataset does not say.

        Raises
        ------
        WriteError
            If the disk is full.
        """
        with _hdf5_errors_named(self._path):
            return self._describe(data, headers, problems or {})

    def _describe(
        self, data: xr.Dataset, headers: Iterable[str], problems: dict[int, str]
    ) -> list[str]:
        entry, attrs, frames = self._file["entry"], data.attrs, self._shape[0]
        describe(entry, attrs, self._dtype, frames)
        detector, sample = entry["instrument/detector"], entry["sample"]
        coords = {
            str(name): np.asarray(item.values)
            for name, item in data.coords.items()
            if item.dims == ("frame",) and item.dtype.kind in "iuf"
        }
        assumed = detector_chain(detector, attrs, self._shape[1:])
        assumed += sample_chain(sample, attrs, coords)
        if "mask" in data:
            self._mask(detector, data["mask"])
        detector["data"] = h5py.SoftLink(self._data.name)
        self._columns(entry["data"], problems)
        keep(entry, data, headers)
        for place, item in enumerate(entries(attrs), start=1):
            _write_process(entry, place, item)
        return assumed

    def _skeleton(self) -> h5py.Dataset:
        self._file.attrs["NX_class"] = "NXroot"
        self._file.attrs["default"] = "entry"
        self._file.attrs["creator"] = f"beamkit {__version__}"
        entry = group(self._file, "entry", "NXentry")
        entry.attrs["default"] = "data"
        plot = group(entry, "data", "NXdata")
        plot.attrs["signal"] = "data"
        data = plot.create_dataset(
            "data",
            self._shape,
            self._dtype,
            chunks=(1, *self._shape[1:]),
            fillvalue=fill_value(self._dtype),
            **self._codec.filters,
        )
        data.attrs["units"] = "counts"
        return data

    def _mask(self, detector: h5py.Group, mask: xr.DataArray) -> None:
        detector.create_dataset(
            "pixel_mask", data=mask.values.astype(np.uint32), compression="gzip", shuffle=True
        )
        number(detector, "pixel_mask_applied", False)

    def _columns(self, plot: h5py.Group, problems: dict[int, str]) -> None:
        numbers = np.arange(1, self._shape[0] + 1)
        number(plot, "image_nr", numbers)
        if problems:
            flags = np.isin(numbers - 1, list(problems)).astype(np.uint8)
            item = number(plot, "frame_problem", flags)
            item.attrs["long_name"] = "1: the frame could not be read and holds the fill value"
