"""Sources of frames: arrays, datasets, files."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr

from beamkit.core.errors import ParameterError, ShapeError
from beamkit.core.schema import main_variable

from ._blocks import BlockSource
from ._files import file_source
from ._lazy_frames import LazySource, frames_behind
from .frame import Array, FrameSource, Label, LiveSource

_NOT_A_SOURCE = (
    "Give a dataset from bk.open, names of files, an array (frame, detector_y, detector_x), or a "
    "FrameSource."
)


class ArraySource:
    """Frames of an array in memory.

    Parameters
    ----------
    array
        Shape (frame, detector_y, detector_x).
    label
        Gives time and file of a frame.
    """

    def __init__(self, array: Array, label: Callable[[int], Label] | None = None) -> None:
        _require_frames(array)
        self._array = array
        self._label = label or _no_label

    @property
    def shape(self) -> tuple[int, int]:
        """Return the pixels of a frame."""
        rows, columns = self._array.shape[1:]
        return int(rows), int(columns)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Return the type of a pixel, in native byte order."""
        return self._array.dtype.newbyteorder("=")

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self._array)

    def read_into(self, index: int, out: Array) -> None:
        """Copy a frame."""
        np.copyto(out, self._array[index])

    def label(self, index: int) -> Label:
        """Return time and file of a frame."""
        return self._label(index)

    def close(self) -> None:
        """Do nothing: memory needs no closing."""


def source_of(source: Any) -> FrameSource | LiveSource:
    """Return what gives the frames of a dataset, an array, or files.

    Parameters
    ----------
    source
        See :func:`beamkit.streams.stream`; a source is returned as it is.

    Raises
    ------
    ParameterError
        If it is none of these.
    ShapeError
        If it has no frames of two dimensions.
    UnreadableFileError
        If no file of that name can be read.
    """
    if isinstance(source, (FrameSource, LiveSource)):
        return source
    if isinstance(source, xr.Dataset):
        name = main_variable(source)
        return _of_variable(source[name])
    if isinstance(source, xr.DataArray):
        return _of_variable(source)
    if isinstance(source, (np.ndarray, da.Array)):
        return _of_array(source, _no_label)
    if _is_names(source):
        found = file_source(source)
        return found if isinstance(found, FrameSource) else source_of(found)
    raise ParameterError(f"{type(source).__name__} gives no frames. {_NOT_A_SOURCE}")


def _is_names(source: Any) -> bool:
    if isinstance(source, (str, os.PathLike)):
        return True
    return (
        isinstance(source, Sequence)
        and len(source) > 0
        and all(isinstance(each, (str, os.PathLike)) for each in source)
    )


def _of_variable(data: xr.DataArray) -> FrameSource:
    stack = data if data.ndim == 3 else data.expand_dims("frame") if data.ndim == 2 else data
    return _of_array(stack.data, _labels(stack))


def _of_array(array: Any, label: Callable[[int], Label]) -> FrameSource:
    _require_frames(array)
    if not isinstance(array, da.Array):
        return ArraySource(np.asarray(array), label)
    frames = frames_behind(array)
    if frames is None:
        return BlockSource(array, label)
    shape = (int(array.shape[1]), int(array.shape[2]))
    return LazySource(frames, shape, array.dtype.newbyteorder("="), label)


def _labels(data: xr.DataArray) -> Callable[[int], Label]:
    """Return time [s] and file of each frame: coordinates, else exposure period and source."""
    first = str(data.dims[0])
    along = {
        name: data.coords[name].values
        for name in ("time", "source")
        if name in data.coords and data.coords[name].dims == (first,)
    }
    times = along.get("time")
    numbers = times if times is not None and times.dtype.kind in "iuf" else None
    names = along.get("source")
    whole = str(data.attrs.get("source", ""))

    def label(index: int) -> Label:
        time = None if numbers is None else float(numbers[index])
        return Label(time, whole if names is None else str(names[index]))

    return label


def _no_label(_index: int) -> Label:
    return Label(None, "")


def _require_frames(array: Any) -> None:
    if array.ndim != 3 or array.dtype.kind not in "biuf":
        raise ShapeError(
            f"Frames have the dimensions (frame, detector_y, detector_x) and are numbers, not "
            f"{array.dtype} of the shape {tuple(array.shape)}. Select or reshape them first."
        )
