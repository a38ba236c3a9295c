"""What the panels beside the image ask of the kernel: one file for each panel.

A panel's question is a dictionary from the browser; its answer is a dictionary for the browser and
named arrays. Only the newest question of a panel is answered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from . import bragg, color, frames, inspect, mask, metadata, peak, profile, rings, spot

if TYPE_CHECKING:
    from beamkit_widgets.viewer import ImageViewer

Question = Mapping[str, Any]
Answer = tuple[dict[str, Any], dict[str, NDArray[Any]]]

#: The panels that ask the kernel; those that do not are in JavaScript only.
PANELS: dict[str, Callable[[ImageViewer, Question], Answer]] = {
    "bragg": bragg.answer,
    "color": color.answer,
    "profile": profile.answer,
    "frames": frames.answer,
    "inspect": inspect.answer,
    "mask": mask.answer,
    "metadata": metadata.answer,
    "peak": peak.answer,
    "rings": rings.answer,
    "spot": spot.answer,
}
