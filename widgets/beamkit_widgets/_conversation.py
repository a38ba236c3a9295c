"""What a viewer and the browsers that show it tell each other."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from beamkit.core.errors import BeamkitError

from ._panels import PANELS
from ._source import ImageSource, Place, Span
from ._tiles import Tiler
from ._value import value_text
from ._worker import NewestFirst

if TYPE_CHECKING:
    from .viewer import ImageViewer

_LOG = logging.getLogger(__name__)

#: Size of a canvas before a browser has told its own, and of a thumbnail [pixel].
_CANVAS, _THUMBNAIL = (800, 800), (60, 48)

#: Windows that show the same viewer at a time; the ones that were silent longest are forgotten.
_CLIENTS = 6


class Conversation:
    """Answers browsers in a thread of its own, so that no cell and no message waits for pixels.

    Parameters
    ----------
    viewer
        Whose state is shown.
    """

    def __init__(self, viewer: ImageViewer) -> None:
        self._viewer = viewer
        self._clients: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._version = 0
        self._tiler: Tiler | None = None
        self.worker = NewestFirst("beamkit viewer")
        #: Set once a browser has drawn a picture.
        self.is_seen = threading.Event()

    @property
    def version(self) -> int:
        """Number of the picture that the viewer stands at."""
        return self._version

    def close(self) -> None:
        """End the thread."""
        self.worker.close()
        self._tiler = None

    # ---- from the browser

    def hear(self, content: Mapping[str, Any]) -> None:
        """Take a message; nothing is computed here."""
        client, kind = str(content.get("client", "")), str(content.get("type", ""))
        answers: dict[str, Callable[[str, Mapping[str, Any]], None]] = {
            "ready": self._ready,
            "seen": self._seen,
            "view": self._view,
            "value": self._value,
            "thumbnails": self._thumbnails,
            "panel": self._panel,
        }
        if kind in answers:
            answers[kind](client, content)

    def _ready(self, client: str, _content: Mapping[str, Any]) -> None:
        self._clients[client] = {}
        while len(self._clients) > _CLIENTS:
            self._clients.popitem(last=False)
        self.show(is_new=False)
        self._viewer.show_rings()

    def _seen(self, _client: str, _content: Mapping[str, Any]) -> None:
        self.is_seen.set()

    def _view(self, client: str, content: Mapping[str, Any]) -> None:
        self._clients[client] = dict(content)
        self._clients.move_to_end(client)
        self._do(f"view {client}", lambda: self._send_visible(client))

    def _value(self, client: str, content: Mapping[str, Any]) -> None:
        row, column = int(content["row"]), int(content["column"])

        def answer() -> None:
            viewer = self._viewer
            with viewer.lock:
                version, source, places = self._version, viewer.source, dict(viewer.places)
            text = value_text(source, source.image(places), row, column)
            told = {"row": row, "column": column, "text": text, "version": version}
            self._send({"type": "value", **told}, client=client)

        self._do(f"value {client}", answer)

    def _thumbnails(self, client: str, content: Mapping[str, Any]) -> None:
        frames = [int(frame) for frame in content["frames"]]

        def one_more() -> None:
            self._send_thumbnail(client, frames.pop(0))
            if frames:  # in turns with what is more urgent
                self._do(f"thumbnails {client}", one_more, is_urgent=False)

        if frames:
            self._do(f"thumbnails {client}", one_more, is_urgent=False)

    def _panel(self, client: str, content: Mapping[str, Any]) -> None:
        name = str(content["panel"])
        if name not in PANELS:
            return

        def answer() -> None:
            try:
                told, arrays = PANELS[name](self._viewer, content)
            except BeamkitError as error:
                told, arrays = {"error": str(error)}, {}
            self.tell({"type": "panel", "panel": name, **told}, arrays, client=client)

        self._do(f"panel {name} {client}", answer)

    # ---- to the browser

    def show(self, *, is_new: bool = True) -> None:
        """Send the picture that the viewer stands at; of several requests only the newest."""
        if is_new:
            self._version += 1
            self._tiler = None
        if self._viewer.comm is not None:  # else nobody looks; a window that opens asks
            self._do("picture", self._send_picture)
        elif is_new and self._viewer.auto_contrast:
            self._viewer.auto()

    def tell(
        self,
        content: Mapping[str, Any],
        arrays: Mapping[str, NDArray[Any]] | None = None,
        *,
        client: str = "",
    ) -> None:
        """Send a dictionary and named arrays, to one window or to all."""
        spec: dict[str, list[Any]] = {}
        buffers: list[bytes] = []
        for name, array in (arrays or {}).items():
            plain = np.ascontiguousarray(array)
            spec[name] = [plain.dtype.str[1:], list(plain.shape), len(buffers)]
            buffers.append(plain.tobytes())
        self._send({**content, "arrays": spec}, buffers, client=client)

    def tiler(self) -> Tiler:
        """Return the tiles of the picture that the viewer stands at."""
        return self._current()[1]

    def later(self, name: str, work: Callable[[], None], *, is_urgent: bool = True) -> None:
        """Do something in the thread; of several under the same name only the newest."""
        self._do(name, work, is_urgent=is_urgent)

    def _do(self, name: str, work: Callable[[], None], *, is_urgent: bool = True) -> None:
        def careful() -> None:
            try:
                work()
            except BeamkitError as error:
                self._send({"type": "message", "text": str(error), "isError": True})
            except Exception as error:
                _LOG.exception("The viewer failed to answer %r", name)
                text = f"The viewer could not do this: {type(error).__name__}: {error}"
                self._send({"type": "message", "text": text, "isError": True})

        self.worker.submit(name, careful, is_urgent=is_urgent)

    def _send(
        self, content: Mapping[str, Any], buffers: list[bytes] | None = None, *, client: str = ""
    ) -> None:
        if self._viewer.comm is not None:
            addressed = {**content, "client": client} if client else dict(content)
            self._viewer.send(addressed, buffers)

    def _current(self) -> tuple[int, Tiler, dict[str, Any]]:
        """Return version, tiles and description of the picture that the viewer stands at."""
        viewer = self._viewer
        with viewer.lock:
            version, source, places = self._version, viewer.source, dict(viewer.places)
            classes, tiler = viewer.classes, self._tiler
        if tiler is None or not tiler.suits(classes, viewer.middle):
            tiler = Tiler(source.image(places).values, classes, viewer.quantiles, viewer.middle)
            with viewer.lock:
                if version == self._version:
                    self._tiler = tiler
        described = {"version": version, **_where(source, places)}
        if viewer.auto_contrast:  # the browser shows picture and contrast in one step
            described["clim"] = tiler.limits()[0]
        return version, tiler, described

    def _send_picture(self) -> None:
        _version, tiler, described = self._current()
        zoomed = [name for name, view in self._clients.items() if self._is_detail(tiler, view)]
        for client in zoomed:
            self._send_visible(client)
        width = max((view.get("width", 0) for view in self._clients.values()), default=0)
        height = max((view.get("height", 0) for view in self._clients.values()), default=0)
        header, buffers = tiler.whole(width or _CANVAS[0], height or _CANVAS[1])
        self._send({"type": "tile", "tile": {**header, **described, "role": "whole"}}, buffers)
        self._do("histogram", self._send_contrast, is_urgent=False)
        if self._viewer.spots is not None:
            self._viewer.show_spots()
        if "clim" in described:
            self._viewer.clim = tuple(described["clim"])

    def _send_contrast(self) -> None:
        version, tiler, _described = self._current()
        told = {"histogram": tiler.histogram(), "automatic": tiler.limits()}
        self._send({"type": "contrast", "version": version, **told})

    def _send_visible(self, client: str) -> None:
        view = self._clients.get(client, {})
        _version, tiler, described = self._current()
        if not self._is_detail(tiler, view):
            return
        header, buffers = tiler.visible(view["bounds"], view["width"], view["height"])
        tile = {**header, **described, "role": "detail"}
        self._send({"type": "tile", "tile": tile}, buffers, client=client)

    @staticmethod
    def _is_detail(tiler: Tiler, view: Mapping[str, Any]) -> bool:
        """Whether a window shows more detail than the whole image has at its size."""
        if "bounds" not in view:
            return False
        x0, y0, x1, y1 = view["bounds"]
        rows, columns = tiler.image.shape
        is_closer = (x1 - x0) < columns or (y1 - y0) < rows
        is_reduced = rows > view["height"] or columns > view["width"]
        is_close = bool((x1 - x0) * (y1 - y0) < 2000)  # where the values are printed
        is_inside = x1 > 0 and y1 > 0 and x0 < columns and y0 < rows
        return bool(is_inside and is_closer and (is_reduced or is_close))

    def _send_thumbnail(self, client: str, frame: int) -> None:
        viewer = self._viewer
        source, places = viewer.source, dict(viewer.places)
        if not (source.main and 0 <= frame < source.data.sizes[source.main]):
            return
        image = source.single({**places, source.main: frame})
        tiler = Tiler(image.values, viewer.classes, viewer.quantiles, viewer.middle)
        header, buffers = tiler.whole(*_THUMBNAIL)
        tile = {**header, "role": "thumbnail", "version": 0, "frame": frame}
        self._send({"type": "tile", "tile": tile}, buffers, client=client)


def _where(source: ImageSource, places: Mapping[str, Place]) -> dict[str, Any]:
    place = places.get(source.main, 0)
    return {
        "frame": -1 if isinstance(place, Span) else place,
        "label": source.place_text(source.main, place) if source.main else "",
    }
