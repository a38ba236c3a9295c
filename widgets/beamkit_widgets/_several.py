"""What viewers that are made of image viewers share."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO
from secrets import token_hex
from typing import Any

import ipywidgets as ipw
import traitlets
from PIL import Image

from ._shown import Shown
from .viewer import ImageViewer

#: Between two pictures [pixel].
_GAP = 8


class Several(Shown):
    """Mixin of viewers made of image viewers, to be named before the widget.

    A viewer makes its ``viewers`` and what else it needs, and calls ``_link()`` at the end of its
    ``__init__``.
    """

    #: Of the widget, which is named after this class.
    children: Any

    #: The image viewers, in the order in which they are read.
    viewers: tuple[ImageViewer, ...] = ()
    _stage: Any = None
    _ties: tuple[traitlets.link, ...] = ()

    def _group(
        self, shares: Sequence[str], *, viewers: Sequence[ImageViewer] | None = None
    ) -> None:
        """Let image viewers follow each other in the browser."""
        group = token_hex(8)
        for viewer in self.viewers if viewers is None else viewers:
            viewer._group, viewer._shares = group, list(shares)

    def _tie(self, names: Sequence[str], viewers: Sequence[ImageViewer]) -> None:
        """Let traits of the others be those of the first, for ever."""
        first, *others = viewers
        ties = (traitlets.link((first, name), (other, name)) for other in others for name in names)
        self._ties = (*self._ties, *ties)

    def _untie(self) -> None:
        for tie in self._ties:
            with suppress(ValueError):  # was taken away when one of them was closed
                tie.unlink()
        self._ties = ()

    def _link(self) -> None:
        """Link the viewers; called again after they were closed."""
        raise NotImplementedError

    def _make_stage(self, name: str, parts: Sequence[Any]) -> Any:
        """Return a box of the viewers that the style sheet lays out."""
        self._stage = ipw.Box(tuple(parts))
        self._stage.add_class(name)
        return self._stage

    def close(self) -> None:
        """Take the viewer away from the notebook, and free what it took there."""
        if self.comm is None:
            return
        for viewer in self.viewers:
            viewer.close()
        if self._stage is not None:  # they are closed, and more thoroughly than a box would
            rest = (part for part in self._stage.children if not isinstance(part, ImageViewer))
            self._stage.children = tuple(rest)
        super().close()

    def _disconnected(self) -> None:
        self.children, self._stage = (), None
        self._untie()
        self._link()


def montage(pictures: Sequence[bytes], columns: int) -> bytes:
    """Return pictures (PNG) side by side, row after row, as one PNG on white."""
    images = [Image.open(BytesIO(picture)).convert("RGB") for picture in pictures]
    rows = [images[start : start + columns] for start in range(0, len(images), columns)]
    widths = [max(row[k].width for row in rows if k < len(row)) for k in range(len(rows[0]))]
    heights = [max(image.height for image in row) for row in rows]
    size = sum(widths) + _GAP * (len(widths) - 1), sum(heights) + _GAP * (len(heights) - 1)
    sheet = Image.new("RGB", size, "white")
    for j, row in enumerate(rows):
        for k, image in enumerate(row):
            left, top = sum(widths[:k]) + _GAP * k, sum(heights[:j]) + _GAP * j
            sheet.paste(image, (left, top))
    buffer = BytesIO()
    few = sheet.quantize(96, dither=Image.Dither.NONE)
    few.save(buffer, format="png", optimize=True)
    return buffer.getvalue()
