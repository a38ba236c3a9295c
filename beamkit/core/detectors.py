"""Pixel-array detectors: what their flag values and the bits of a mask mean.

How their modules lie: :mod:`beamkit.core.detector_layouts`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .detector_layouts import (
    CDTE_LAYOUTS,
    EXCALIBUR,
    EXCALIBUR_RAW,
    LAYOUTS,
    NAMED_LAYOUTS,
    ModuleLayout,
    layout_named,
    layout_of,
)

__all__ = [
    "CDTE_LAYOUTS",
    "EXCALIBUR",
    "EXCALIBUR_RAW",
    "LAYOUTS",
    "MASK_CLUSTER",
    "MASK_DEAD",
    "MASK_GAP",
    "MASK_MEANINGS",
    "MASK_NOISY",
    "MASK_OVER_RESPONDING",
    "MASK_UNDER_RESPONDING",
    "MASK_UNUSABLE",
    "MASK_USER",
    "MASK_VIRTUAL",
    "NAMED_LAYOUTS",
    "PILATUS_BAD",
    "PILATUS_GAP",
    "ModuleLayout",
    "flag_values",
    "layout_named",
    "layout_of",
    "mask_from_flags",
]

#: Bits of a NXdetector ``pixel_mask`` (NeXus definition NXdetector, field pixel_mask).
MASK_GAP = 1 << 0
MASK_DEAD = 1 << 1
MASK_UNDER_RESPONDING = 1 << 2
MASK_OVER_RESPONDING = 1 << 3
MASK_NOISY = 1 << 4
MASK_CLUSTER = 1 << 6
MASK_USER = 1 << 8
MASK_VIRTUAL = 1 << 31

#: Bits that make a pixel unusable; those above only inform (bit 31: virtual pixel).
MASK_UNUSABLE = 0xFFFF

#: What each bit says of a pixel, in the words of a sentence.
MASK_MEANINGS = {
    MASK_GAP: "in gaps",
    MASK_DEAD: "dead",
    MASK_UNDER_RESPONDING: "counting too little",
    MASK_OVER_RESPONDING: "counting too much",
    MASK_NOISY: "noisy",
    MASK_CLUSTER: "in clusters of bad pixels",
    MASK_USER: "masked by the user",
    MASK_VIRTUAL: "interpolated by the detector",
}

#: Flags in PILATUS frames: a gap between modules, and a pixel known to be bad.
PILATUS_GAP = -1
PILATUS_BAD = -2


def mask_from_flags(
    frame: NDArray[np.integer],
    *,
    count_cutoff: float | None = None,
    detector: str = "",
    sensor_material: str = "",
) -> NDArray[np.uint32]:
    """Return the NXdetector mask of a frame with PILATUS flags.

    Parameters
    ----------
    frame
        Shape (detector_y, detector_x) [counts]; -1 in gaps, -2 at bad pixels.
    count_cutoff
        Highest valid count [counts]; None if it is not known.
    detector, sensor_material
        What the file says of the detector: those with CdTe sensors lack more columns.

    Returns
    -------
    mask
        Same shape, uint32: 0 good, else bits of NXdetector ``pixel_mask``.
    """
    mask = np.zeros(frame.shape, np.uint32)
    mask[frame == PILATUS_GAP] |= MASK_GAP
    mask[frame <= PILATUS_BAD] |= MASK_DEAD
    shape = (frame.shape[0], frame.shape[1])
    layout = layout_of(shape, detector=detector, sensor_material=sensor_material)
    if layout is not None:
        mask[layout.gaps()] |= MASK_GAP
    if count_cutoff is not None:
        mask[frame > count_cutoff] |= MASK_OVER_RESPONDING
    return mask


def flag_values(dtype: DTypeLike, detector: str = "") -> dict[int, int]:
    """Return the values that are flags, not counts, and the mask bits that each stands for.

    ======================== ======================= =========================================
    frames                   value                   meaning
    ======================== ======================= =========================================
    signed (PILATUS)         -1                      gap between modules
    signed (PILATUS)         -2                      bad pixel
    unsigned (EIGER)         the largest of the type gap, bad or saturated beyond counting:
                                                     only the file's mask tells them apart
    unsigned, EXCALIBUR      none                    gaps hold a fill value of the writer
    8 bits, floating point   none                    bad pixels of floats are NaN
    ======================== ======================= =========================================

    Sources: PILATUS and EIGER user manuals (DECTRIS).

    Parameters
    ----------
    dtype
        Of the frames.
    detector
        Its name, as far as it is known.
    """
    kind = np.dtype(dtype)
    if kind.kind not in "iu" or kind.itemsize < 2 or "excalibur" in detector.lower():
        return {}
    if kind.kind == "i":
        return {PILATUS_GAP: MASK_GAP, PILATUS_BAD: MASK_DEAD}
    return {int(np.iinfo(kind).max): MASK_DEAD}
