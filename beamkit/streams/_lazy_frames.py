"""The files behind a lazy array, where it is still what a reader gave, or a slice along frame.

Reading the files directly then skips the schedule, the blocks and the copies of dask. An array
that was computed with in any way is not taken apart: :class:`._blocks.BlockSource` computes it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dask.array as da
import numpy as np
from dask.array import chunk as da_chunk
from dask.array import core as da_core

from beamkit.readers._file_guard import reading
from beamkit.readers._hdf5_lazy import Hdf5Array
from beamkit.readers._image_stack import ImageStack

from ._hdf5_frames import Hdf5Frames
from .frame import Array, Label

_TAKES_A_PART = {
    operator.getitem,
    da_chunk.getitem,
    da_core.getter,
    da_core.getter_inline,
    da_core.getter_nofancy,
}

#: What a frame is read from, and its number there.
Place = tuple[ImageStack | Hdf5Array, int]


class LazySource:
    """Frames that are each read from their file when they are asked for.

    Parameters
    ----------
    places
        Of each frame.
    shape, dtype
        Of a frame.
    label
        Gives time and file of a frame.
    """

    def __init__(
        self,
        places: Sequence[Place],
        shape: tuple[int, int],
        dtype: np.dtype[Any],
        label: Callable[[int], Label],
    ) -> None:
        self.shape, self.dtype, self.label = shape, dtype, label
        self._places = places
        self._readers: dict[int, Callable[[int, Array], None]] = {}
        self._files: list[Hdf5Frames] = []
        for lazy in {id(place[0]): place[0] for place in places}.values():
            self._readers[id(lazy)] = self._reader(lazy)

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self._places)

    def read_into(self, index: int, out: Array) -> None:
        """Read a frame from its file. Raises UnreadableFileError."""
        lazy, number = self._places[index]
        self._readers[id(lazy)](number, out)

    def close(self) -> None:
        """Close the HDF5 files."""
        for file in self._files:
            file.close()

    def _reader(self, lazy: ImageStack | Hdf5Array) -> Callable[[int, Array], None]:
        if isinstance(lazy, ImageStack):
            return lambda number, out: _read_image(lazy, number, out)
        file = Hdf5Frames(lazy.path, lazy.name)
        self._files.append(file)
        numbers = np.concatenate([np.arange(*run) for run in lazy.runs])
        return lambda number, out: file.read_into(int(numbers[number]), out)


def _read_image(stack: ImageStack, number: int, out: Array) -> None:
    path, page = stack.files[number], stack.pages[number]
    with reading(path, f"frame {page}"):
        stack.read_into(path, page, out)


def frames_behind(array: da.Array) -> list[Place] | None:
    """Return where each frame of an array is read from; None if it was computed with.

    Parameters
    ----------
    array
        Shape (frame, detector_y, detector_x).
    """
    if array.numblocks[1:] != (1, 1):
        return None
    graph = dict(array.__dask_graph__())
    found: list[Place] = []
    for block in range(array.numblocks[0]):
        part = _part(graph, (array.name, block, 0, 0))
        if part is None:
            return None
        lazy, numbers = part
        found += [(lazy, int(number)) for number in numbers]
    return found if len(found) == len(array) else None


def _part(graph: Mapping[Any, Any], key: Any) -> tuple[ImageStack | Hdf5Array, Array] | None:
    """Return the lazy array that a task reads, and which of its frames it gives."""
    task = _value(graph, key)
    if isinstance(task, (ImageStack, Hdf5Array)):
        return (task, np.arange(task.shape[0])) if len(task.shape) == 3 else None
    other = task if _is_key(graph, task) else getattr(task, "target", None)
    if other is not None:  # another name of it
        return _part(graph, other)
    function, arguments = _call(task)
    if function not in _TAKES_A_PART or len(arguments) < 2:
        return None
    taken_from = _part(graph, arguments[0])
    index = _value(graph, arguments[1])
    if taken_from is None or not isinstance(index, tuple):
        return None
    lazy, numbers = taken_from
    first = index[0] if index else slice(None)
    if not isinstance(first, slice) or not _is_whole(index[1:], lazy.shape[1:]):
        return None
    return lazy, numbers[first]


def _value(graph: Mapping[Any, Any], item: Any) -> Any:
    """Return what an argument of a task stands for: a key, a reference, or a value."""
    if type(item).__name__ == "TaskRef":
        item = item.key
    item = _unwrapped(item)
    try:
        return _unwrapped(graph.get(item, item))
    except TypeError:  # not hashable, so no key
        return item


def _is_key(graph: Mapping[Any, Any], item: Any) -> bool:
    try:
        return item in graph
    except TypeError:
        return False


def _unwrapped(item: Any) -> Any:
    while type(item).__name__ == "DataNode":
        item = item.value
    return item


def _call(task: Any) -> tuple[Any, Sequence[Any]]:
    """Return function and arguments of a task, of dask before and after 2024.12."""
    if isinstance(task, tuple) and task and callable(task[0]):
        return task[0], task[1:]
    return getattr(task, "func", None), getattr(task, "args", ())


def _is_whole(index: Sequence[Any], shape: Sequence[int]) -> bool:
    return all(
        isinstance(part, slice) and range(size)[part] == range(size)
        for part, size in zip(index, shape, strict=False)
    )
