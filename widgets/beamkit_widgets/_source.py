"""What a viewer shows: an array of any number of dimensions, one image of it at a time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.detectors import MASK_OVER_RESPONDING, MASK_UNUSABLE
from beamkit.core.errors import ParameterError, ShapeError, UnknownNameError
from beamkit.core.schema import main_variable
from beamkit.images import PixelClasses, classify

from ._ranges import HOWS, Span, combined, combined_stack

__all__ = ["HOWS", "ImageSource", "Place", "Span", "as_place", "unit_of"]

#: Coordinates of a frame that are told beside its number.
_TOLD = 3

#: Memory for images that were shown last [byte].
_KEEP = 256 * 2**20


def as_place(value: Any) -> int | Span:
    """Return a place: an index, or a range given as (how, first, last)."""
    if isinstance(value, Span | int):
        return value
    if isinstance(value, tuple | list) and len(value) == 3 and value[0] in HOWS:
        return Span(value[0], int(value[1]), int(value[2]))
    raise ParameterError(
        f"A place is an index or (how, first, last) with how one of {', '.join(HOWS)}; got "
        f"{value!r}. Give, for example, 3 or ('sum', 0, 9)."
    )


#: Attributes that speak of the last two dimensions.
_SIZES = ("pixel_size_x", "pixel_size_y", "effective_pixel_size_x", "effective_pixel_size_y")

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
        #: The mask as it was given, shape of the last two dimensions of the data.
        self.given_mask = mask
        if mask is not None and self.is_detector:
            bits = np.asarray(mask)
            self.mask = self.checked_mask(bits.T if self._is_turned() else bits)
        #: The mask that came with the data, whatever is drawn later.
        self.own_mask = self.mask
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

    @property
    def axes(self) -> tuple[str, str]:
        """Dimensions of rows and columns."""
        return self.rows, self.columns

    @property
    def is_detector(self) -> bool:
        """Whether the images are as the mask is: not cut along another dimension."""
        return {self.rows, self.columns} == {str(dim) for dim in self.data.dims[-2:]}

    def _is_turned(self) -> bool:
        """Whether the last dimension of the data is that of the rows."""
        return self.rows == str(self.data.dims[-1])

    @property
    def oriented(self) -> xr.DataArray:
        """The data with rows and columns last, and only attributes that are true of them."""
        data = self.data.transpose(..., self.rows, self.columns)
        sizes = {name: data.attrs.get(name) for name in _SIZES if name in data.attrs}
        attrs = {name: value for name, value in data.attrs.items() if name not in _SIZES}
        if self.is_detector:
            turn = {"x": "y", "y": "x"} if self._is_turned() else {"x": "x", "y": "y"}
            attrs |= {name[:-1] + turn[name[-1]]: value for name, value in sizes.items()}
        return _with_attrs(data, attrs)

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

    def classes(self, *, only: int = 0xFFFFFFFF) -> PixelClasses | None:
        """Return what is known of each pixel, from some bits of the mask; None if nothing is."""
        if self.mask is None and self.count_cutoff is None:
            return None
        mask = np.zeros(self.shape, np.uint32) if self.mask is None else self.mask & only
        if self.count_cutoff is not None:
            # Readers mark what is above the cutoff in the first frame; each frame has its own.
            mask = np.where((mask & MASK_UNUSABLE) == MASK_OVER_RESPONDING, 0, mask)
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
        spans = {name: at for name, at in where.items() if isinstance(at, Span)}
        data = self.data.isel({name: at for name, at in single.items() if name != without})
        data = data.transpose(..., self.rows, self.columns)
        if not spans:
            return data
        if without:
            return combined_stack(data, without, spans, mask=self.mask)
        return combined(data, spans, mask=self.mask)

    def stack(self, places: Mapping[str, Place]) -> xr.DataArray:
        """Return the images along :attr:`main`, lazy; other ranges are combined."""
        others = {name: place for name, place in places.items() if name != self.main}
        stack = self._at(self.checked({**others, self.main: 0}), without=self.main)
        return stack.transpose(self.main, self.rows, self.columns) if self.main else stack

    def forget_ranges(self) -> None:
        """Forget the images that several were combined to."""
        for key in [key for key in self._kept if any(isinstance(at, Span) for _, at in key[-1])]:
            del self._kept[key]

    def forget(self) -> None:
        """Forget the images that were kept, such as after the data have changed."""
        self._kept.clear()

    def place_text(self, name: str, place: Place) -> str:
        """Return a place in words, such as ``45.5 deg`` or ``sum of 3 to 10``."""
        if isinstance(place, Span):
            return f"{place.how} of {place.first} to {place.last}"
        along = (item for item in self.data.coords.values() if item.dims == (name,))
        texts = [_at(item, place) for item in along]
        return ", ".join([text for text in texts if text][:_TOLD])


def _at(coordinate: xr.DataArray, index: int) -> str:
    """Return the value of a coordinate in words; empty where it is but the index."""
    value = coordinate.values[index]
    if coordinate.dtype.kind not in "iuf":
        return Path(str(value)).name
    if coordinate.dtype.kind in "iu" and value == index:
        return ""
    name = "" if coordinate.name in coordinate.dims else f"{coordinate.name} "
    return f"{name}{value:.6g} {unit_of(coordinate)}".strip()


def _with_attrs(data: xr.DataArray, attrs: dict[str, Any]) -> xr.DataArray:
    data = data.copy(deep=False)
    data.attrs = attrs
    return data


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
    if not isinstance(data, xr.DataArray):
        raise ParameterError(
            f"A viewer shows xarray's arrays and datasets, not {type(data).__name__}. Give "
            "xr.DataArray(array, dims=('y', 'x')), or what bk.open returns."
        )
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
