"""Many small pictures on one sheet, with their names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from beamkit.core.errors import ParameterError, ShapeError

from .picture import STYLE, Picture

#: Width and height of a picture with its name [inch].
_WIDTH, _HEIGHT = 1.3, 1.55


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
    panels = picture.panels(rows, columns)
    with rc_context(STYLE):
        for axes, cell in zip(panels, cells, strict=False):
            _draw(axes, cell)
        for axes in panels[len(cells) :]:
            axes.set_axis_off()
    return picture


def _draw(axes: Axes, cell: Cell) -> None:
    axes.set(xticks=[], yticks=[])
    axes.set_xlabel(_short(cell.name), fontsize=6.5, labelpad=3)
    for spine in axes.spines.values():
        spine.set(visible=True, color="#bbbbbb")
    if cell.image is not None:
        image = _checked(cell, np.asarray(cell.image), 3)
        rows, columns = image.shape[:2]
        # A sinogram of two rows is stretched: better seen than true.
        is_thin = max(rows, columns) > 4 * min(rows, columns)
        axes.imshow(image, aspect="auto" if is_thin else "equal")
    elif cell.curve is not None:
        x, y = _checked(cell, np.asarray(cell.curve, float), 2)
        axes.plot(x, y, linewidth=1)
        axes.set(xlim=(-0.08, 1.08), ylim=(-0.08, 1.08))
    else:
        axes.text(
            0.5, 0.5, cell.text, transform=axes.transAxes, ha="center", va="center", fontsize=7,
            color="#777777", wrap=True,
        )  # fmt: skip


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
