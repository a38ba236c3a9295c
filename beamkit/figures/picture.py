"""A figure that shows itself in a notebook, with a caption, without pyplot."""

from __future__ import annotations

import os
from base64 import b64encode
from io import BytesIO
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from beamkit.core.atomic import atomic_path

#: One look for every picture.
STYLE: dict[str, Any] = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.4,
    "legend.frameon": False,
    "image.interpolation": "nearest",
    "image.cmap": "gray",
}

#: Pixels per inch: twice what a screen has, so that lines stay sharp when zoomed.
_DPI = 160


class Picture(Figure):
    """A matplotlib Figure with a caption; as the last expression of a cell it is shown.

    Parameters
    ----------
    width, height
        Size [inch].
    caption
        What is seen; also the alternative text.
    """

    def __init__(self, width: float, height: float, *, caption: str) -> None:
        super().__init__(figsize=(width, height), dpi=_DPI, layout="constrained")
        FigureCanvasAgg(self)
        self.caption = caption

    def panels(self, rows: int, columns: int, **options: Any) -> list[Axes]:
        """Return the axes of a grid, in reading order, in the style of beamkit."""
        with rc_context(STYLE):
            grid = self.subplots(rows, columns, squeeze=False, **options)
        return [axes for row in grid for axes in row]

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture as PNG, SVG or PDF, by the suffix. Raises WriteError."""
        with rc_context(STYLE), atomic_path(path) as temporary:
            self.savefig(temporary)
        return Path(path)

    def _repr_mimebundle_(self, **_options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        buffer = BytesIO()
        with rc_context(STYLE):
            self.savefig(buffer, format="png")
        image = b64encode(buffer.getvalue()).decode("ascii")
        metadata = {
            "caption": self.caption,
            "alt": self.caption,
            "width": round(self.get_figwidth() * _DPI / 1.6),
        }
        data = {"image/png": image, "text/plain": self.caption}
        return data, {"image/png": metadata}
