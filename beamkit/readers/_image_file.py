"""What a file of images says about itself before its pixels are read."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ._image_stack import FrameReader


@dataclass(frozen=True)
class ImageFile:
    """A file with one frame or several.

    Attributes
    ----------
    path
        The file.
    frames
        Number of frames.
    shape, dtype
        Of one frame.
    read_into
        Reads one of them.
    header
        Unparsed.
    attrs
        What the header says, names of :data:`beamkit.core.schema.ATTRIBUTES`.
    has_flags
        Whether -1 and -2 are the flags of a PILATUS.
    """

    path: Path
    frames: int
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    read_into: FrameReader
    header: dict[str, Any] = field(default_factory=dict)
    attrs: dict[str, Any] = field(default_factory=dict)
    has_flags: bool = False
