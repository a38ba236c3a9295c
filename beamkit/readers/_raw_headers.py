"""The header of an image file as it stands there."""

from __future__ import annotations

from pathlib import Path

from beamkit.core.schema import header_text

from . import fabio_images
from ._cbf_section import is_cbf, read_section


def raw_header(path: Path) -> str:
    """Return the text of a CBF before its pixels; of other images their fields as JSON.

    Raises
    ------
    UnreadableFileError
        If the file is damaged.
    """
    if is_cbf(path):
        return read_section(path).text
    return header_text(fabio_images.describe([path])[0].header)
