"""Images one after the other, analysed by several threads, in order."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import xarray as xr

from beamkit.core.errors import BeamkitError, ParameterError, ShapeError
from beamkit.core.schema import FRAMES, KINDS, main_variable
from beamkit.images import PixelClasses, classify

from ._spot_image import Mask
from .geometry import Geometry
from .image_statistics import ImageAnalyser, ImageStatistics
from .spots import SpotSettings

#: Images that are read ahead, for each thread.
_AHEAD = 2


@dataclass(frozen=True, eq=False)
class Item:
    """An image of a series: number, and the image or why there is none."""

    index: int
    image: Any
    problem: str = ""

    @classmethod
    def of(cls, number: int, given: Any) -> Item:
        """Return an image, or a frame of a stream with ``index``, ``data`` and ``problem``."""
        if not hasattr(given, "problem"):
            return cls(number, given)
        return cls(int(given.index), given.data, given.problem or "")

    def read(self) -> Any:
        """Return the pixels. Raises BeamkitError if they cannot be read."""
        if isinstance(self.image, xr.DataArray):  # this thread is one of several: none below it
            return self.image.compute(scheduler="synchronous")
        return self.image


@dataclass(frozen=True)
class Row:
    """The numbers of an image; None with a problem."""

    index: int
    numbers: ImageStatistics | None
    problem: str


@dataclass(frozen=True, eq=False)
class Series:
    """Images and what is known of them.

    Attributes
    ----------
    images
        In order.
    dim
        What they are counted along.
    size
        How many; None if that is not known.
    mask
        Of the data; None if they tell none.
    coords, attrs
        Coordinates along ``dim``, and attributes.
    """

    images: Iterator[Item]
    dim: str = FRAMES[0]
    size: int | None = None
    mask: Any = None
    coords: dict[str, Any] = field(default_factory=dict)
    attrs: dict[str, Any] = field(default_factory=dict)


def series_of(data: Any, frames: Sequence[int] | slice | None) -> Series:
    """Return the images of a dataset, an array or an iterable.

    Raises
    ------
    ShapeError
        If they are no series of images.
    ParameterError
        If frames are asked of what cannot be indexed.
    """
    if isinstance(data, np.ndarray):
        data = xr.DataArray(data, dims=FRAMES[-data.ndim :] if data.ndim in (2, 3) else None)
    if isinstance(data, (xr.Dataset, xr.DataArray)):
        return _of_dataset(data, frames)
    if frames is not None:
        raise ParameterError(
            "frames are asked for by number, but the images come one after the other. Leave out "
            "frames=, or give a dataset."
        )
    return Series(Item.of(number, given) for number, given in enumerate(data))


def _of_dataset(data: xr.Dataset | xr.DataArray, frames: Sequence[int] | slice | None) -> Series:
    stack = data[_main(data)] if isinstance(data, xr.Dataset) else data
    if stack.ndim == 2:
        stack = stack.expand_dims(FRAMES[0])
    if stack.ndim != 3 or 0 in stack.shape:
        raise ShapeError(
            f"A series of images has three dimensions, none empty; this has {stack.dims} of "
            f"sizes {stack.shape}. Select with .isel(...), or .stack(frame=[...])."
        )
    dim = str(stack.dims[0])
    chosen = np.arange(stack.sizes[dim])[slice(None) if frames is None else _indices(frames)]
    if "count_cutoff" in data.attrs:
        stack = stack.assign_attrs({"count_cutoff": data.attrs["count_cutoff"], **stack.attrs})
    along = stack[dim] if dim in stack.coords else np.arange(stack.sizes[dim])
    coords = {str(name): each[chosen] for name, each in stack.coords.items() if each.dims == (dim,)}
    coords.setdefault(dim, (dim, np.asarray(along)[chosen]))
    # A frame that its reader marked is a gap: no image without spots.
    told = coords.get("problem", np.full(chosen.size, ""))
    return Series(
        (
            Item(int(number), stack.isel({dim: int(number)}), str(problem))
            for number, problem in zip(chosen, np.asarray(told), strict=True)
        ),
        dim,
        chosen.size,
        data["mask"] if isinstance(data, xr.Dataset) and "mask" in data else None,
        coords,
        dict(data.attrs),
    )


def _main(data: xr.Dataset) -> str:
    if data.attrs.get("kind") in KINDS:
        return main_variable(data)
    stacks = [str(name) for name, each in data.data_vars.items() if each.ndim == 3]
    if not stacks:
        raise ShapeError(
            f"The dataset has no variable with three dimensions, but {list(data.data_vars)}. "
            "Give the variable with the images."
        )
    return stacks[0]


def _indices(frames: Sequence[int] | slice) -> Any:
    return frames if isinstance(frames, slice) else np.asarray(frames, np.int64)


class Work:
    """Analyses images, in each thread with memory of its own."""

    def __init__(
        self,
        mask: Mask | None,
        geometry: Geometry | None,
        settings: SpotSettings | None,
        count_cutoff: float | None,
    ) -> None:
        self._mask = mask if mask is None or isinstance(mask, PixelClasses) else classify(mask)
        self._geometry, self._settings, self._cutoff = geometry, settings, count_cutoff
        self._own = threading.local()
        self._lock = threading.Lock()
        self._shape: tuple[int, ...] | None = None

    def __call__(self, item: Item) -> Row:
        """Return the numbers of an image, or why there are none.

        Raises
        ------
        ShapeError
            If the mask does not fit the first image.
        """
        if item.problem:
            return Row(item.index, None, item.problem)
        try:
            image = item.read()
            shape = np.shape(image)
            self._require_same(shape)
        except BeamkitError as error:
            return Row(item.index, None, str(error))
        numbers = self._analyser(shape).analyse(image, count_cutoff=self._cutoff)
        return Row(item.index, numbers, "")

    def _require_same(self, shape: tuple[int, ...]) -> None:
        with self._lock:
            self._shape = self._shape or shape
        if shape != self._shape:
            raise ShapeError(
                f"The image has {shape} pixels, those before {self._shape}; the images of a "
                "series must be equal. Take the parts one by one."
            )

    def _analyser(self, shape: tuple[int, ...]) -> ImageAnalyser:
        if not hasattr(self._own, "analyser"):
            self._own.analyser = ImageAnalyser(
                shape, self._mask, self._geometry, settings=self._settings
            )
        found: ImageAnalyser = self._own.analyser
        return found


def in_order(images: Iterable[Item], work: Work, workers: int) -> Iterator[Row]:
    """Give the rows of images in order, a few of them worked on at a time."""
    waiting = iter(images)
    first = next(waiting, None)
    if first is None:
        return
    yield work(first)  # alone: it settles the shape, and compiles
    with ThreadPoolExecutor(workers, thread_name_prefix="beamkit-statistics") as pool:
        pending: deque[Future[Row]] = deque()
        for item in islice(waiting, _AHEAD * workers):
            pending.append(pool.submit(work, item))
        while pending:
            row = pending.popleft().result()
            pending.extend(pool.submit(work, item) for item in islice(waiting, 1))
            yield row
