"""What a viewer shows: an array of any number of dimensions, one image of it at a time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.errors import ParameterError, ShapeError, UnknownNameError
from beamkit.core.schema import main_variable
from beamkit.images import PixelClasses, classify

#: How a range along a dimension becomes one image.
How = Literal["sum", "max", "mean"]
HOWS = ("sum", "max", "mean")

#: Memory for images that were shown last [byte].
_KEEP = 256 * 2**20


@dataclass(frozen=True)
class Span:
    """A range along a dimension, ``first`` to ``last`` included, and what becomes of it."""

    how: How
    first: int
    last: int


#: Where one is along a dimension: at an index, or on a range.
Place = int | Span


class ImageSource:
    """Images of an array, for the dimensions chosen as rows and columns.

    Parameters
    ----------
    data
        Two dimensions or more, in memory or lazy. Of a Dataset, its main variable, with the
        dataset's attributes and ``mask``.
    mask
        Shape (rows, columns): 0 for a good pixel, else bits as in NXdetector.
    rows, columns
        Dimensions; None for the last two.

    Raises
    ------
    ShapeError
        If there are fewer than two dimensions, or no pixels, or the mask has another shape.
    ParameterError
        If the pixels are not real numbers.
    UnknownNameError
        If there is no such dimension.
    """

    def __init__(
        self,
        data: xr.DataArray | xr.Dataset,
        mask: xr.DataArray | None = None,
        *,
        rows: str | None = None,
        columns: str | None = None,
    ) -> None:
        #: What was given.
        self.whole = data
        self.data, found = _main(data)
        self.rows, self.columns = self._axes(rows, columns)
        mask = found if mask is None else mask
        #: NXdetector bits, shape (rows, columns); None: no mask.
        self.mask: NDArray[np.uint32] | None = None
        if mask is not None and self._is_detector():
            self.mask = self.checked_mask(mask)
        self._kept: OrderedDict[Any, xr.DataArray] = OrderedDict()

    def _axes(self, rows: str | None, columns: str | None) -> tuple[str, str]:
        dims = [str(dim) for dim in self.data.dims]
        chosen = (rows or dims[-2], columns or dims[-1])
        for name in chosen:
            if name not in dims:
                raise UnknownNameError("dimension", name, dims)
        if chosen[0] == chosen[1]:
            raise ParameterError(
                f"rows and columns are both {chosen[0]!r}; choose two of {', '.join(dims)}."
            )
        return chosen

    def _is_detector(self) -> bool:
        """Whether the images are as the mask is: not cut along another dimension."""
        return (self.rows, self.columns) == tuple(str(dim) for dim in self.data.dims[-2:])

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of an image."""
        return self.data.sizes[self.rows], self.data.sizes[self.columns]

    @property
    def others(self) -> tuple[str, ...]:
        """Dimensions along which the images lie; the last one changes fastest."""
        names = (str(dim) for dim in self.data.dims)
        return tuple(name for name in names if name not in (self.rows, self.columns))

    @property
    def main(self) -> str:
        """The dimension of the frame slider; empty for a single image."""
        return max(self.others, key=lambda name: self.data.sizes[name], default="")

    @property
    def count_cutoff(self) -> float | None:
        """Highest valid count; None if it is not known."""
        value = self.data.attrs.get("count_cutoff")
        return None if value is None else float(value)

    def checked_mask(self, mask: Any) -> NDArray[np.uint32]:
        """Return a mask as an array of NXdetector bits; ShapeError if it has another shape."""
        bits = np.asarray(mask)
        if bits.shape != self.shape:
            raise ShapeError(
                f"The mask has shape {bits.shape}, the images {self.shape}. "
                "Crop both with the same selection."
            )
        if bits.dtype == bool:
            return np.asarray(bits.astype(np.uint32) << 8)
        return bits.astype(np.uint32, copy=False)

    def classes(self) -> PixelClasses | None:
        """Return what is known of each pixel; None where nothing is."""
        if self.mask is None and self.count_cutoff is None:
            return None
        mask = np.zeros(self.shape, np.uint32) if self.mask is None else self.mask
        return classify(mask, dtype=self.data.dtype, count_cutoff=self.count_cutoff)

    def checked(self, places: Mapping[str, Place]) -> dict[str, Place]:
        """Return a place for each of the other dimensions; ParameterError if it is outside."""
        result: dict[str, Place] = {}
        for name in self.others:
            place, size = places.get(name, 0), self.data.sizes[name]
            ends = (place.first, place.last) if isinstance(place, Span) else (place, place)
            if not 0 <= ends[0] <= ends[1] < size:
                raise ParameterError(
                    f"{name} is {place}; there are {size} images along it, 0 to {size - 1}. "
                    "Choose one of them."
                )
            result[name] = place
        return result

    def image(self, places: Mapping[str, Place]) -> xr.DataArray:
        """Return one image, in memory. Shape (rows, columns)."""
        where = self.checked(places)
        key = (self.rows, self.columns, tuple(sorted(where.items(), key=lambda item: item[0])))
        if key not in self._kept:
            self._kept[key] = self._read(where)
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and sum(item.nbytes for item in self._kept.values()) > _KEEP:
            self._kept.popitem(last=False)
        return self._kept[key]

    def single(self, places: Mapping[str, Place]) -> xr.DataArray:
        """Return one image without keeping it."""
        return self._read(self.checked(places))

    def _read(self, where: Mapping[str, Place]) -> xr.DataArray:
        return self._at(where).transpose(self.rows, self.columns).compute()

    def _at(self, where: Mapping[str, Place], without: str = "") -> xr.DataArray:
        single = {name: at for name, at in where.items() if not isinstance(at, Span)}
        data = self.data.isel({name: at for name, at in single.items() if name != without})
        for name, place in where.items():
            if isinstance(place, Span) and name != without:
                first = data.transpose(name, ...)
                data = combine_frames(first, place.first, place.last, how=place.how, mask=self.mask)
        return data

    def stack(self, places: Mapping[str, Place]) -> xr.DataArray:
        """Return the images along :attr:`main`, lazy; other ranges are combined."""
        others = {name: place for name, place in places.items() if name != self.main}
        stack = self._at(self.checked({**others, self.main: 0}), without=self.main)
        return stack.transpose(self.main, self.rows, self.columns) if self.main else stack

    def forget(self) -> None:
        """Forget the images that were kept, such as after the data have changed."""
        self._kept.clear()

    def place_text(self, name: str, place: Place) -> str:
        """Return a place in words, such as ``45.5 deg`` or ``sum of 3 to 10``."""
        if isinstance(place, Span):
            return f"{place.how} of {place.first} to {place.last}"
        coordinate = self.data.coords.get(name)
        if coordinate is None or coordinate.ndim != 1:
            return ""
        value = coordinate.values[place]
        text = f"{value:.6g}" if coordinate.dtype.kind in "iuf" else str(value)
        return f"{text} {unit_of(coordinate)}".strip()


def unit_of(data: xr.DataArray) -> str:
    """Return the unit for a label; empty where there is none."""
    units = str(data.attrs.get("units", ""))
    return "" if units == "1" else units.replace("um", "µm")


def _main(data: xr.DataArray | xr.Dataset) -> tuple[xr.DataArray, xr.DataArray | None]:
    """Return the array to show and the mask that comes with it; refuse what is no image."""
    mask = None
    if isinstance(data, xr.Dataset):
        mask, main = data.get("mask"), data[main_variable(data)]
        data = main.assign_attrs({**data.attrs, **main.attrs})
    if data.ndim < 2 or 0 in data.shape:
        raise ShapeError(
            f"A viewer shows images, of two dimensions or more; this has {data.dims} of sizes "
            f"{data.shape}. A scan or a pattern is drawn by bk.figures, or .plot()."
        )
    if data.dtype.kind not in "biuf":
        raise ParameterError(
            f"A viewer shows real numbers, not {data.dtype}. Show abs(data), or convert it."
        )
    return data, mask
