"""Pixel-array detectors: how their modules lie, and what their flag values mean.

Source of the layouts: DECTRIS user manuals, as in pyFAI's ``detectors/_dectris.py``. The gaps
follow from the size of the frame, so a detector is recognised by its shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Bits of a NXdetector ``pixel_mask`` (NeXus definition NXdetector, field pixel_mask).
MASK_GAP = 1 << 0
MASK_DEAD = 1 << 1
MASK_UNDER_RESPONDING = 1 << 2
MASK_OVER_RESPONDING = 1 << 3
MASK_NOISY = 1 << 4
MASK_USER = 1 << 8

#: Bits that make a pixel unusable; those above only inform (bit 31: virtual pixel).
MASK_UNUSABLE = 0xFFFF

#: Flags in PILATUS frames: a gap between modules, and a pixel known to be bad.
PILATUS_GAP = -1
PILATUS_BAD = -2


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
    """

    name: str
    shape: tuple[int, int]
    module: tuple[int, int]
    gap: tuple[int, int]
    pixel_size: float

    def gaps(self) -> NDArray[np.bool_]:
        """Return True in the gaps between modules. Shape (rows, columns)."""
        in_gap = [
            np.arange(size) % (module + gap) >= module
            for size, module, gap in zip(self.shape, self.module, self.gap, strict=True)
        ]
        return np.asarray(in_gap[0][:, None] | in_gap[1][None, :])


def _pilatus(name: str, rows: int, columns: int) -> ModuleLayout:
    shape = (rows * 212 - 17, columns * 494 - 7)
    return ModuleLayout(f"PILATUS {name}", shape, (195, 487), (17, 7), 172e-6)


def _eiger(name: str, shape: tuple[int, int]) -> ModuleLayout:
    return ModuleLayout(f"EIGER {name}", shape, (514, 1030), (37, 10), 75e-6)


def _eiger2(name: str, shape: tuple[int, int]) -> ModuleLayout:
    return ModuleLayout(f"EIGER2 {name}", shape, (512, 1028), (38, 12), 75e-6)


#: Every known layout; the shapes differ, so a shape names a detector.
LAYOUTS = (
    _pilatus("100K", 1, 1),
    _pilatus("200K", 2, 1),
    _pilatus("300K", 3, 1),
    _pilatus("300K-W", 1, 3),
    _pilatus("900K", 3, 3),
    _pilatus("1M", 5, 2),
    _pilatus("2M", 8, 3),
    _pilatus("6M", 12, 5),
    _eiger("1M", (1065, 1030)),
    _eiger("4M", (2167, 2070)),
    _eiger("9M", (3269, 3110)),
    _eiger("16M", (4371, 4150)),
    _eiger2("1M", (1062, 1028)),
    _eiger2("4M", (2162, 2068)),
    _eiger2("9M", (3262, 3108)),
    _eiger2("16M", (4362, 4148)),
)


def layout_of(shape: tuple[int, int]) -> ModuleLayout | None:
    """Return the layout of the detector whose frames have this shape (rows, columns), or None."""
    return next((layout for layout in LAYOUTS if layout.shape == tuple(shape)), None)


def mask_from_flags(
    frame: NDArray[np.integer], *, count_cutoff: float | None = None
) -> NDArray[np.uint32]:
    """Return the NXdetector mask of a frame with PILATUS flags.

    Parameters
    ----------
    frame
        Shape (detector_y, detector_x) [counts]; -1 in gaps, -2 at bad pixels.
    count_cutoff
        Highest valid count [counts]; None if it is not known.

    Returns
    -------
    mask
        Same shape, uint32: 0 good, else bits of NXdetector ``pixel_mask``.
    """
    mask = np.zeros(frame.shape, np.uint32)
    mask[frame == PILATUS_GAP] |= MASK_GAP
    mask[frame <= PILATUS_BAD] |= MASK_DEAD
    layout = layout_of((frame.shape[0], frame.shape[1]))
    if layout is not None:
        mask[layout.gaps()] |= MASK_GAP
    if count_cutoff is not None:
        mask[frame > count_cutoff] |= MASK_OVER_RESPONDING
    return mask
