"""Panel of the mask: drawing, taking back, files, and how many pixels are masked and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from beamkit.core.detectors import MASK_UNUSABLE, MASK_USER
from beamkit.core.errors import ParameterError
from beamkit.diffraction import Threshold
from beamkit.diffraction.mask import as_mask, counts, is_bad

if TYPE_CHECKING:
    from beamkit_widgets._panels import Answer, Question
    from beamkit_widgets.viewer import ImageViewer

#: What a button does, beside drawing.
_STEPS: dict[str, Callable[[ImageViewer], None]] = {
    "undo": lambda viewer: viewer.undo_mask(),
    "redo": lambda viewer: viewer.redo_mask(),
    "invert": lambda viewer: viewer.invert_mask(),
    "reset": lambda viewer: viewer.reset_mask(),
}


def answer(viewer: ImageViewer, question: Question) -> Answer:
    """Change the mask, and return how many pixels are masked and why.

    A question has one of ``region`` (a dictionary), ``pixels`` (list of column, row) and
    ``threshold`` (low, high; either may be null), all three with ``value``; or ``step`` (undo,
    redo, invert, reset), ``save`` or ``load`` (a file name); or none of them.
    """
    done = ""
    if "region" in question:
        viewer.draw_mask(question["region"], value=bool(question["value"]))
    elif "pixels" in question:
        _draw_pixels(viewer, question["pixels"], value=bool(question["value"]))
    elif "threshold" in question:
        _draw_threshold(viewer, question["threshold"], value=bool(question["value"]))
    elif "step" in question:
        _STEPS[question["step"]](viewer)
    elif "save" in question:
        done = f"Saved as {viewer.save_mask(_file_name(question['save'])).resolve()}"
    elif "load" in question:
        viewer.load_mask(_file_name(question["load"]))
        done = "Loaded, and added to the mask."
    return {**_told(viewer), "done": done}, {}


def _file_name(text: str) -> str:
    if not text.strip():
        raise ParameterError(
            "The name of the file is empty. Type one, such as mask.nxs (keeps the reasons), or "
            "mask.edf, .npy, .tif, .msk."
        )
    return text.strip()


def _draw_pixels(viewer: ImageViewer, pixels: list[list[int]], *, value: bool) -> None:
    """Draw single pixels; the first one says which way where it is as it should be already."""
    flags: NDArray[np.bool_] = np.zeros(viewer.source.shape, bool)
    columns, rows = np.asarray(pixels, int).reshape(-1, 2).T
    flags[rows, columns] = True
    if viewer.mask is not None:
        was = bool(viewer.mask.values[rows[0], columns[0]] & MASK_USER)
        value = not value if was == value else value
    viewer.draw_mask(flags, value=value)


def _draw_threshold(viewer: ImageViewer, limits: list[float | None], *, value: bool) -> None:
    low, high = limits
    if low is None and high is None:
        raise ParameterError("There is no threshold. Type the lowest or the highest good value.")
    covered = Threshold(viewer.image.values, low, high).covers(viewer.source.shape)
    if value and viewer.mask is not None:  # gaps hold flags, which are below and above anything
        covered &= ~is_bad(as_mask(viewer.mask.values)).values
    viewer.draw_mask(covered, value=value)


def _told(viewer: ImageViewer) -> dict[str, Any]:
    history = viewer._mask_history
    told = {"canUndo": history.can_undo, "canRedo": history.can_redo}
    size = viewer.source.shape[0] * viewer.source.shape[1]
    if viewer.mask is None:
        return {**told, "counts": {}, "bad": 0, "total": size}
    bits = viewer.mask.values
    bad = int(np.count_nonzero(bits & np.uint32(MASK_UNUSABLE)))
    return {**told, "counts": counts(as_mask(bits)), "bad": bad, "total": size}
