"""How the modules of pixel-array detectors lie: gaps, dead columns, pixels of unusual width.

Sources: DECTRIS user manuals, as in pyFAI's ``detectors/_dectris.py``; for EXCALIBUR the virtual
datasets of Diamond Light Source (``vds-gen``) and Marchal et al., J. Phys. Conf. Ser. 425, 062003
(2013). The gaps follow from the size of the frame, so most detectors are recognised by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .errors import UnknownNameError

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class ModuleLayout:
    """How the modules of a detector lie.

    Attributes
    ----------
    name
        Name of the model, such as ``"PILATUS 2M"``.
    shape
        Pixels of the frame (rows, columns).
    module
        Pixels of one module (rows, columns).
    gap
        Pixels between modules (rows, columns).
    pixel_size
        Pixel [m]; square.
    middle_columns
        Columns without pixels in the middle of each module, where two sensors of CdTe meet.
    row_starts, column_starts
        First row and column of each module, where the gaps differ; empty where they do not.
    virtual_rows, virtual_columns
        Lines of a module that the detector interpolates between chips, counted from its start.
    wide_edge
        Width of the pixels beside the smallest gaps, over that of the others [1].
    """

    name: str
    shape: tuple[int, int]
    module: tuple[int, int]
    gap: tuple[int, int]
    pixel_size: float
    middle_columns: int = 0
    row_starts: tuple[int, ...] = ()
    column_starts: tuple[int, ...] = ()
    virtual_rows: tuple[int, ...] = ()
    virtual_columns: tuple[int, ...] = ()
    wide_edge: float = 1.0

    @property
    def starts(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """First rows and first columns of the modules."""
        steps = [m + g for m, g in zip(self.module, self.gap, strict=True)]
        rows = self.row_starts or tuple(range(0, self.shape[0], steps[0]))
        columns = self.column_starts or tuple(range(0, self.shape[1], steps[1]))
        return rows, columns

    def gaps(self) -> Flags:
        """Return True where there is no pixel. Shape (rows, columns)."""
        rows, columns = self.starts
        middle = (self.module[1] - self.middle_columns) // 2
        missing = [range(at + middle, at + middle + self.middle_columns) for at in columns]
        no_row = ~_lines(self.shape[0], rows, range(self.module[0]))
        no_column = ~_lines(self.shape[1], columns, range(self.module[1]))
        no_column |= _lines(self.shape[1], (0,), [at for some in missing for at in some])
        return _either(no_row, no_column)

    def virtual_pixels(self) -> Flags:
        """Return True where the detector interpolates between chips. Shape (rows, columns)."""
        rows, columns = self.starts
        return ~self.gaps() & _either(
            _lines(self.shape[0], rows, self.virtual_rows),
            _lines(self.shape[1], columns, self.virtual_columns),
        )

    def wide_pixels(self) -> Flags:
        """Return True for pixels that reach into a narrow gap. Shape (rows, columns).

        They count for a larger area: :attr:`wide_edge` times in each direction.
        """
        rows, columns = self.wide_lines()
        return ~self.gaps() & _either(rows, columns)

    def wide_lines(self) -> tuple[Flags, Flags]:
        """Return True for the rows, and for the columns, of pixels that reach into a narrow gap.

        Shapes (rows,) and (columns,). A pixel in both counts for :attr:`wide_edge` squared.
        """
        if self.wide_edge == 1:
            return np.zeros(self.shape[0], bool), np.zeros(self.shape[1], bool)
        rows, columns = (
            _beside(starts, module, gap, size)
            for starts, module, gap, size in zip(
                self.starts, self.module, self.gap, self.shape, strict=True
            )
        )
        return rows, columns

    def module_numbers(self) -> NDArray[np.int32]:
        """Return the number of the module that each pixel is on, -1 in gaps.

        Shape (rows, columns). Modules count along the rows, the first of the next row following
        the last of the one before.
        """
        rows, columns = (
            _numbers(starts, size) for starts, size in zip(self.starts, self.shape, strict=True)
        )
        numbers = rows[:, None] * len(self.starts[1]) + columns[None, :]
        return np.where(self.gaps(), -1, numbers).astype(np.int32)


def _lines(size: int, starts: tuple[int, ...], offsets: Iterable[int]) -> Flags:
    """Return True at each offset from each start. Shape (size,)."""
    result = np.zeros(size, bool)
    at = np.asarray([start + offset for offset in offsets for start in starts], int)
    result[at[at < size]] = True
    return result


def _either(rows: Flags, columns: Flags) -> Flags:
    return np.asarray(rows[:, None] | columns[None, :])


def _numbers(starts: tuple[int, ...], size: int) -> NDArray[np.int32]:
    """Return the number of the module that each line is on; of the one before, in a gap."""
    return np.asarray(np.searchsorted(starts, np.arange(size), side="right") - 1, np.int32)


def _beside(starts: tuple[int, ...], module: int, gap: int, size: int) -> Flags:
    """Return True for the last line before, and the first after, each gap of that width."""
    result = np.zeros(size, bool)
    for before, after in pairwise(starts):
        if after - before - module == gap:
            result[[before + module - 1, after]] = True
    return result


def _pilatus(name: str, rows: int, columns: int, *, middle: int = 0) -> ModuleLayout:
    shape = (rows * 212 - 17, columns * 494 - 7)
    return ModuleLayout(f"PILATUS {name}", shape, (195, 487), (17, 7), 172e-6, middle)


def _pilatus4(name: str, rows: int, columns: int, *, middle: int = 0) -> ModuleLayout:
    shape = (rows * 275 - 20, columns * 520 - 7)
    return ModuleLayout(f"PILATUS4 {name}", shape, (255, 513), (20, 7), 150e-6, middle)


def _eiger(name: str, rows: int, columns: int) -> ModuleLayout:
    # Chips of 256 x 256; two lines are interpolated where they meet.
    return ModuleLayout(
        f"EIGER {name}",
        (rows * 551 - 37, columns * 1040 - 10),
        (514, 1030),
        (37, 10),
        75e-6,
        virtual_rows=(256, 257),
        virtual_columns=(256, 257, 514, 515, 772, 773),
    )


def _eiger2(name: str, rows: int, columns: int, *, middle: int = 0) -> ModuleLayout:
    # As EIGER, without the outermost line of pixels on each side.
    return ModuleLayout(
        f"EIGER2 {name}",
        (rows * 550 - 38, columns * 1040 - 12),
        (512, 1028),
        (38, 12),
        75e-6,
        middle,
        virtual_rows=(255, 256),
        virtual_columns=(255, 256, 513, 514, 771, 772),
    )


#: Three modules of 2 x 8 Medipix3 chips, 256 x 256 pixels each. Chips of a module share a sensor;
#: 3 pixels lie between them, which the two pixels at their edges reach over: (1 + 3/2) pixels each
#: if they share it equally. 123 pixels lie between modules.
EXCALIBUR = ModuleLayout(
    "EXCALIBUR",
    (1791, 2069),
    (256, 256),
    (3, 3),
    55e-6,
    row_starts=(0, 259, 638, 897, 1276, 1535),
    wide_edge=2.5,
)

#: The same as the chips send it: no space between them, none of the frame is missing.
EXCALIBUR_RAW = ModuleLayout("EXCALIBUR raw", (1536, 2048), (256, 256), (0, 0), 55e-6)

#: Every layout that the shape of a frame tells; the shapes differ.
LAYOUTS = (
    _pilatus("100K", 1, 1),
    _pilatus("200K", 2, 1),
    _pilatus("300K", 3, 1),
    _pilatus("300K-W", 1, 3),
    _pilatus("900K", 3, 3),
    _pilatus("1M", 5, 2),
    _pilatus("2M", 8, 3),
    _pilatus("6M", 12, 5),
    _pilatus4("260K", 2, 1),
    _pilatus4("260K-W", 1, 2),
    _pilatus4("1M", 4, 2),
    _pilatus4("2M", 6, 3),
    _pilatus4("4M", 8, 4),
    _eiger("1M", 2, 1),
    _eiger("4M", 4, 2),
    _eiger("9M", 6, 3),
    _eiger("16M", 8, 4),
    _eiger2("1M", 2, 1),
    _eiger2("1M-W", 1, 2),
    _eiger2("2M-W", 1, 4),
    _eiger2("4M", 4, 2),
    _eiger2("9M", 6, 3),
    _eiger2("16M", 8, 4),
    EXCALIBUR,
)

#: Layouts that only a name tells: single modules without gaps, whose shape a camera may have too.
NAMED_LAYOUTS = (
    _eiger("500K", 1, 1),
    _eiger2("500K", 1, 1),
    EXCALIBUR_RAW,
)

#: Those with CdTe sensors, which have the shape of the ones with silicon but lack columns.
CDTE_LAYOUTS = (
    _pilatus("CdTe 300K", 3, 1, middle=3),
    _pilatus("CdTe 300K-W", 1, 3, middle=3),
    _pilatus("CdTe 900K-W", 1, 9, middle=3),
    _pilatus("CdTe 1M", 5, 2, middle=3),
    _pilatus("CdTe 2M", 8, 3, middle=3),
    _pilatus4("CdTe 260K", 2, 1, middle=1),
    _pilatus4("CdTe 260K-W", 1, 2, middle=1),
    _pilatus4("CdTe 1M", 4, 2, middle=1),
    _pilatus4("CdTe 2M", 6, 3, middle=1),
    _pilatus4("CdTe 4M", 8, 4, middle=1),
    _eiger2("CdTe 500K", 1, 1, middle=2),
    _eiger2("CdTe 1M", 2, 1, middle=2),
    _eiger2("CdTe 1M-W", 1, 2, middle=2),
    _eiger2("CdTe 2M-W", 1, 4, middle=2),
    _eiger2("CdTe 4M", 4, 2, middle=2),
    _eiger2("CdTe 9M", 6, 3, middle=2),
    _eiger2("CdTe 16M", 8, 4, middle=2),
)


def layout_of(
    shape: tuple[int, int], *, detector: str = "", sensor_material: str = ""
) -> ModuleLayout | None:
    """Return the layout of the detector whose frames have this shape (rows, columns), or None.

    Parameters
    ----------
    shape
        Pixels of the frame (rows, columns).
    detector, sensor_material
        What the file says of the detector; ``"CdTe"`` in either means a sensor of CdTe.
    """
    has_cdte = "cdte" in f"{detector} {sensor_material}".lower()
    by_shape = {layout.shape: layout for layout in LAYOUTS}
    of_cdte = {layout.shape: layout for layout in CDTE_LAYOUTS}
    size = (int(shape[0]), int(shape[1]))
    found = of_cdte.get(size) if has_cdte else None
    return found or by_shape.get(size)


def layout_named(layout: str | ModuleLayout) -> ModuleLayout:
    """Return the layout of that name; capitals do not matter. A layout is returned as it is.

    Raises
    ------
    UnknownNameError
        If there is none; it lists those that there are.
    """
    if isinstance(layout, ModuleLayout):
        return layout
    by_name = {each.name.lower(): each for each in (*LAYOUTS, *NAMED_LAYOUTS, *CDTE_LAYOUTS)}
    found = by_name.get(str(layout).lower())
    if found is None:
        raise UnknownNameError("layout", str(layout), [each.name for each in by_name.values()])
    return found
