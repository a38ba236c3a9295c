"""Numbers of a part of an image, with the coordinates of its rows and columns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.errors import ParameterError
from beamkit.images import PixelClasses, Rectangle, Region

if TYPE_CHECKING:
    from beamkit_widgets.viewer import ImageViewer

#: Cells beyond which a table is for a file: the clipboard and a spreadsheet hold no more.
_MOST_CELLS = 2_000_000

#: What a cell is, beside its number; 0 to 3 as in beamkit.images.pixel_classes.
GOOD, MASKED, OUTSIDE = 0, 1, 4

#: Integers above it are not whole in a browser.
_EXACT = 2**53


@dataclass(frozen=True)
class Table:
    """A part of an image.

    Attributes
    ----------
    part
        Shape (rows, columns), with its coordinates.
    flags
        Same shape: 0 good, 1 masked, 2 gap, 3 saturated, 4 outside the region.
    row, column
        Of the first cell, in the image.
    """

    part: xr.DataArray
    flags: NDArray[np.uint8]
    row: int
    column: int

    @classmethod
    def of(cls, viewer: ImageViewer, region: Region) -> Table:
        """Return what a viewer shows in a region; ParameterError if there is no pixel."""
        image = viewer.image
        rows, columns = region.bounds((image.shape[0], image.shape[1]))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            raise ParameterError(
                f"{region} covers no pixel of an image of {image.shape[0]} rows and "
                f"{image.shape[1]} columns. Draw it inside the image."
            )
        part = image[rows, columns]
        flags = _flags(viewer, part, rows, columns)
        flags[~region.covers_in(rows, columns)] = OUTSIDE
        return cls(part, flags, rows.start, columns.start)

    def limited(self, rows: int, columns: int) -> Table:
        """Return the first rows and columns."""
        flags = self.flags[:rows, :columns]
        return Table(self.part[:rows, :columns], flags, self.row, self.column)

    def headers(self) -> tuple[list[str], list[str]]:
        """Return the coordinates of rows and columns, as text; their numbers where there is none.

        A coordinate has six digits, or as many as tell neighbours apart.
        """
        rows, columns = (str(dim) for dim in self.part.dims)
        return _header(self.part, rows, self.row), _header(self.part, columns, self.column)

    def texts(self) -> list[list[str]] | None:
        """Return the numbers as text where a browser would round them, else None."""
        values = self.part.values
        if values.dtype.kind not in "iu" or values.dtype.itemsize < 8:
            return None
        if not values.size or max(abs(int(values.min())), abs(int(values.max()))) <= _EXACT:
            return None
        return [[str(value) for value in line] for line in values.tolist()]

    def csv(self) -> str:
        """Return the table as text: coordinates above and on the left; bad pixels are empty.

        Raises
        ------
        ParameterError
            If it is too large for a clipboard.
        """
        if self.part.size > _MOST_CELLS:
            raise ParameterError(
                f"The table has {self.part.size} cells; at most {_MOST_CELLS} are copied. Draw a "
                "smaller region, or save it: viewer.selection.to_pandas().to_csv('table.csv')."
            )
        rows, columns = self.headers()
        names = "\\".join(_title(self.part, str(dim)) for dim in self.part.dims)
        lines = [",".join(map(_quoted, (names, *columns)))]
        for header, values, flags in zip(rows, self.part.values.tolist(), self.flags, strict=True):
            pairs = zip(values, flags, strict=True)
            cells = ("" if _is_bad(value, flag) else repr(value) for value, flag in pairs)
            lines.append(",".join((_quoted(header), *cells)))
        return "\n".join(lines) + "\n"


def around(position: tuple[float, float], shape: tuple[int, int], size: tuple[int, int]) -> Region:
    """Return a rectangle of ``size`` (rows, columns) around a position, inside the image."""
    x, y = position
    rows, columns = min(size[0], shape[0]), min(size[1], shape[1])
    x0 = min(max(int(np.floor(x)) - columns // 2, 0), shape[1] - columns)
    y0 = min(max(int(np.floor(y)) - rows // 2, 0), shape[0] - rows)
    return Rectangle(x0, y0, x0 + columns, y0 + rows)


def _flags(
    viewer: ImageViewer, part: xr.DataArray, rows: slice, columns: slice
) -> NDArray[np.uint8]:
    """Return what is known of each pixel of a part."""
    known = viewer.classes
    codes = np.zeros(part.shape, np.uint8) if known is None else known.codes[rows, columns]
    cutoff = None if known is None else known.count_cutoff
    flags = PixelClasses(codes, count_cutoff=cutoff).of(part.values)
    if part.dtype.kind == "i" and part.attrs.get("units") == "counts":
        flags[(part.values < 0) & (flags == GOOD)] = MASKED
    return flags


def _header(part: xr.DataArray, dim: str, first: int) -> list[str]:
    coordinate = part.coords.get(dim)
    if coordinate is None:
        return [str(first + number) for number in range(part.sizes[dim])]
    values = coordinate.values
    if values.dtype.kind not in "fc":
        return [str(value) for value in values.tolist()]
    for digits in (6, 9, 12):
        texts = [f"{value:.{digits}g}" for value in values.tolist()]
        if len(set(texts)) == len(set(values.tolist())):
            break
    return texts


def _title(part: xr.DataArray, dim: str) -> str:
    units = part.coords[dim].attrs.get("units", "") if dim in part.coords else ""
    return f"{dim} [{units}]" if units else dim


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\n') else text


def _is_bad(value: float, flag: int) -> bool:
    return flag in (1, 2, OUTSIDE) or math.isnan(value)
