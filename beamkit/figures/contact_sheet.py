"""Many small pictures on one sheet, with their names."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from beamkit.core.errors import ParameterError, ShapeError

from .picture import STYLE, Picture

#: Width and height of a cell, its margin, and the side of the picture in it [inch].
_WIDTH, _HEIGHT, _MARGIN = 1.3, 1.5, 0.06
_SIDE = _WIDTH - 2 * _MARGIN


@dataclass(frozen=True)
class Cell:
    """One picture of a contact sheet.

    Attributes
    ----------
    name
        Written below it; shortened in its middle if it is long.
    image
        Shape (rows, columns, 3), uint8: red, green and blue, row 0 at the top; or None.
    curve
        Shape (2, points): x and y from 0 to 1, y upwards; or None.
    text
        Written in its place where there is neither image nor curve.
    """

    name: str
    image: ArrayLike | None = None
    curve: ArrayLike | None = None
    text: str = field(default="")


def contact_sheet(cells: Sequence[Cell], *, caption: str, columns: int = 6) -> Picture:
    """Show many small pictures with their names.

    Parameters
    ----------
    cells
        In reading order.
    caption
        What is seen.
    columns
        Pictures in a row, at least 1.

    Raises
    ------
    ParameterError
        If there is nothing to show, or no column to show it in.
    ShapeError
        If an image is not one of three colours, or a curve not one of x and y.
    """
    if not cells or columns < 1:
        raise ParameterError(
            f"There are {len(cells)} pictures for {columns} columns. Give at least one of each."
        )
    columns = min(columns, len(cells))
    rows = math.ceil(len(cells) / columns)
    picture = Picture(_WIDTH * columns, _HEIGHT * rows, caption=caption)
    # One axes for all, in inches: a dozen of their own take a second to lay out.
    picture.set_layout_engine("none")
    axes = picture.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    with rc_context(STYLE):
        for number, cell in enumerate(cells):
            row, column = divmod(number, columns)
            _draw(axes, cell, (column * _WIDTH + _MARGIN, (rows - row) * _HEIGHT - _MARGIN))
    axes.set(xlim=(0, columns * _WIDTH), ylim=(0, rows * _HEIGHT), aspect="auto")
    return picture


def _draw(axes: Axes, cell: Cell, corner: tuple[float, float]) -> None:
    """Draw a cell below and right of its upper left corner [inch]."""
    left, top = corner
    middle = left + _SIDE / 2, top - _SIDE / 2
    if cell.image is not None:
        image = _checked(cell, np.asarray(cell.image), 3)
        width, height = _fitted(*image.shape[:2])
        (x, y), (half_width, half_height) = middle, (width / 2, height / 2)
        extent = x - half_width, x + half_width, y - half_height, y + half_height
        axes.imshow(image, extent=extent, origin="upper", aspect="auto", zorder=1)
    elif cell.curve is not None:
        x, y = _checked(cell, np.asarray(cell.curve, float), 2)
        axes.plot(left + _SIDE * (0.08 + 0.84 * x), top - _SIDE * (0.92 - 0.84 * y), linewidth=1)
    else:
        words = "\n".join(textwrap.wrap(cell.text, 16)[:4])
        axes.text(*middle, words, ha="center", va="center", fontsize=7, color="#777777")
    frame = Rectangle((left, top - _SIDE), _SIDE, _SIDE, fill=False, color="#cccccc", linewidth=0.6)
    axes.add_patch(frame)
    axes.text(
        middle[0], top - _SIDE - 0.12, _short(cell.name), ha="center", va="center", fontsize=7
    )


def _fitted(rows: int, columns: int) -> tuple[float, float]:
    """Return width and height [inch]; what would be a line is stretched: better seen than true."""
    longest = max(rows, columns)
    width, height = _SIDE * columns / longest, _SIDE * rows / longest
    return max(width, _SIDE * 0.4), max(height, _SIDE * 0.4)


def _checked(cell: Cell, values: NDArray[Any], number: int) -> NDArray[Any]:
    found = values.shape[-1 if number == 3 else 0] if values.ndim == number else 0
    if found != number:
        raise ShapeError(
            f"The picture of {cell.name!r} has shape {values.shape}. An image has (rows, columns, "
            "3 colours), a curve (2, points)."
        )
    return values


def _short(name: str, width: int = 22) -> str:
    """Return a name of at most so many letters; what differs is at its ends.

    >>> _short("thaumatin_grid_scan_3_2_0009.cbf")
    'thaumatin…2_0009.cbf'
    """
    if len(name) <= width:
        return name
    return f"{name[: width // 2 - 2]}…{name[-(width // 2 - 1) :]}"
