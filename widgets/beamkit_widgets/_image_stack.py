"""Images one after the other, and the scales beside them."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.detectors import MASK_UNUSABLE
from beamkit.core.errors import ParameterError, ShapeError
from beamkit.core.schema import main_variable
from beamkit.figures.images import contrast, units_label

#: Pixels that are enough for the quantiles of an image.
_SAMPLE = 1_000_000


class ImageStack:
    """What a viewer shows: a stack of images, of which one at a time is in memory.

    Parameters
    ----------
    data
        Shape (rows, columns) or (images, rows, columns), any names; in memory or lazy. Of a
        Dataset, its main variable, with the dataset's attributes and ``mask``.
    mask
        Shape (rows, columns): 0 for a good pixel, else bits as in NXdetector.

    Raises
    ------
    ShapeError
        If the data have another number of dimensions, or no pixels, or a mask of another shape.
    ParameterError
        If the pixels are not real numbers.
    """

    def __init__(self, data: xr.DataArray | xr.Dataset, mask: xr.DataArray | None = None) -> None:
        if isinstance(data, xr.Dataset):
            mask = data.get("mask") if mask is None else mask
            main = data[main_variable(data)]
            data = main.assign_attrs({**data.attrs, **main.attrs})
        if data.ndim not in (2, 3) or 0 in data.shape:
            raise ShapeError(
                f"A viewer shows an image or a stack of images, of 2 or 3 dimensions; this has "
                f"{data.dims} of sizes {data.shape}. Select with .isel(...)."
            )
        if data.dtype.kind not in "biuf":
            raise ParameterError(
                f"A viewer shows real numbers, not {data.dtype}. Show abs(data), or convert it."
            )
        #: What the images are numbered by, such as "angle"; empty for a single image.
        self.dim = str(data.dims[0]) if data.ndim == 3 else ""
        self.data = data if data.ndim == 3 else data.expand_dims("image")
        self.name = str(data.name or "image").replace("_", " ")
        self.label = units_label(data)
        self.rows, self.columns = (Scale(data, str(dim)) for dim in data.dims[-2:])
        self._bad = self._unusable(mask)
        self._last: tuple[int, np.ma.MaskedArray[Any, Any]] | None = None

    def __len__(self) -> int:
        return int(self.data.shape[0])

    def _unusable(self, mask: xr.DataArray | None) -> NDArray[np.bool_]:
        if mask is None:
            return np.zeros(self.data.shape[1:], bool)
        if mask.shape != self.data.shape[1:]:
            raise ShapeError(
                f"The mask has shape {mask.shape}, the images {self.data.shape[1:]}. "
                "Crop both with the same selection."
            )
        return np.asarray((mask.values.astype(np.int64) & MASK_UNUSABLE) != 0)

    def number(self, index: Any) -> int:
        """Return the number of an image; ParameterError if there is no such image."""
        try:
            number = operator.index(index)
        except TypeError:
            number = -1
        if not 0 <= number < len(self):
            raise ParameterError(
                f"index is {index!r}; the stack has the images 0 to {len(self) - 1}. "
                "Choose one of them."
            )
        return number

    def image(self, index: int) -> np.ma.MaskedArray[Any, Any]:
        """Return one image; pixels that are masked, NaN or infinite are masked."""
        if self._last is None or self._last[0] != index:
            values = np.asarray(self.data[index].values)
            self._last = index, np.ma.array(values, mask=self._bad | ~np.isfinite(values))
        return self._last[1]

    def contrast(self, index: int) -> tuple[float, float]:
        """Return the quantiles 0.005 and 0.995 of the good pixels of an image."""
        pixels = self.image(index).compressed()
        return contrast([xr.DataArray(pixels[:: pixels.size // _SAMPLE + 1])], (0.005, 0.995))

    def extremes(self, index: int) -> tuple[float, float]:
        """Return the lowest and the highest good pixel of an image."""
        pixels = self.image(index).compressed()
        return (float(pixels.min()), float(pixels.max())) if pixels.size else (0.0, 1.0)

    def floor(self, index: int) -> float:
        """Return where a logarithmic scale may begin: half a count, or 1/1000 of the image."""
        if self.data.dtype.kind in "iu":
            return 0.5
        highest = self.contrast(index)[1]
        return highest / 1000 if highest > 0 else 1e-3

    def place(self, index: int) -> str:
        """Return the place in the stack, such as ``45.5 deg``; empty for a single image."""
        if not self.dim:
            return ""
        coordinate = self.data.coords.get(self.dim)
        if coordinate is None:
            return f"no. {index}"
        value = coordinate.values[index]
        text = f"{value:.6g}" if coordinate.dtype.kind in "iuf" else str(value)
        return f"{text} {_unit(coordinate)}".strip()

    def aspect(self) -> float | None:
        """Return one unit of the rows over one of the columns, on the screen; None: any."""
        if self.rows.unit != self.columns.unit:
            return None
        height, width = (self.data.attrs.get(f"pixel_size_{axis}") for axis in "yx")
        return float(height / width) if self.rows.unit == "pixel" and height and width else 1.0

    def describe(self, index: int, x: float, y: float) -> str:
        """Return position and value at a point in units of the scales; empty outside."""
        row, column = self.rows.index(y), self.columns.index(x)
        if row is None or column is None:
            return ""
        image = self.image(index)
        value = image.data[row, column]
        text = f"{value:.6g} {_unit(self.data)}".strip() if np.isfinite(value) else "no value"
        masked = " (masked)" if self._bad[row, column] else ""
        return f"{self.columns.at(column)}, {self.rows.at(row)}: {text}{masked}"


class Scale:
    """Rows or columns: from their number to their coordinate and back."""

    def __init__(self, data: xr.DataArray, dim: str) -> None:
        self.size = data.sizes[dim]
        self.name = dim.replace("_", " ")
        self.unit, self.values = "pixel", np.arange(self.size, dtype=float)
        coordinate = data.coords.get(dim)
        if coordinate is not None and _is_even(coordinate.values):
            self.values = coordinate.values.astype(float)
            self.unit = _unit(coordinate) or self.unit
        step = (self.values[-1] - self.values[0]) / (self.size - 1) if self.size > 1 else 1.0
        #: Outer edges of the first and the last pixel.
        self.edges = float(self.values[0] - step / 2), float(self.values[-1] + step / 2)
        self.length = abs(self.edges[1] - self.edges[0])
        self.label = f"{self.name} [{self.unit}]"

    def index(self, place: float) -> int | None:
        first, last = self.edges
        number = int(np.floor((place - first) / (last - first) * self.size))
        return number if 0 <= number < self.size else None

    def at(self, index: int) -> str:
        unit = "" if self.unit == "pixel" else f" {self.unit}"
        return f"{self.name} {self.values[index]:.6g}{unit}"


def _is_even(values: NDArray[Any]) -> bool:
    """Say whether these are numbers in equal steps; an image shows no others truly."""
    if values.dtype.kind not in "iuf" or not np.isfinite(values).all():
        return False
    steps = np.diff(values.astype(float))
    return steps.size == 0 or bool(steps[0] != 0 and np.allclose(steps, steps.mean(), rtol=1e-2))


def _unit(data: xr.DataArray) -> str:
    unit = str(data.attrs.get("units", ""))
    return "" if unit == "1" else unit.replace("um", "µm")
