"""The number behind one pixel, and what is to be known about it."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from beamkit.core.detectors import (
    MASK_DEAD,
    MASK_GAP,
    MASK_NOISY,
    MASK_OVER_RESPONDING,
    MASK_UNDER_RESPONDING,
    MASK_USER,
)

from ._source import ImageSource

_REASONS = {
    MASK_GAP: "gap",
    MASK_DEAD: "dead",
    MASK_UNDER_RESPONDING: "under-responding",
    MASK_OVER_RESPONDING: "over-responding",
    MASK_NOISY: "noisy",
    MASK_USER: "masked",
}


def value_text(source: ImageSource, image: xr.DataArray, row: int, column: int) -> str:
    """Return the value of a pixel as text, with why it should not be used; empty outside."""
    if not (0 <= row < image.shape[0] and 0 <= column < image.shape[1]):
        return ""
    value: Any = image.values[row, column]
    text = str(value) if image.dtype.kind in "biu" else f"{value:.6g}"
    if image.dtype.kind == "f" and not np.isfinite(value):
        text = "no value"
    reasons = reasons_of(source, row, column)
    if source.count_cutoff is not None and value > source.count_cutoff and not reasons:
        reasons = ["saturated"]
    return f"{text} {', '.join(reasons)}".strip()


def reasons_of(source: ImageSource, row: int, column: int) -> list[str]:
    """Return why a pixel is masked; empty if it is good."""
    if source.mask is None:
        return []
    bits = int(source.mask[row, column])
    known = [reason for bit, reason in _REASONS.items() if bits & bit]
    return known or (["masked"] if bits & 0xFFFF else [])
