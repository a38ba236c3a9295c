"""What an explorer and the browsers that show it tell each other."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from beamkit.catalogue.navigator import read_headers
from beamkit.core.errors import BeamkitError

from ._explorer_details import branch, details_of, thumbnail_of
from ._worker import NewestFirst

if TYPE_CHECKING:
    from beamkit.catalogue import Thumbnail

    from .explorer import Explorer

_LOG = logging.getLogger(__name__)

#: Thumbnails are sent together if they were made within this time [s].
_TOGETHER = 0.05
#: While headers are read, the order is sent again after this time [s].
_PATIENCE = 0.7
#: Windows that show the same explorer at a time.
_CLIENTS = 4

Content = Mapping[str, Any]


class ExplorerTalk:
    """Answers browsers in a thread of its own, so that no cell and no message waits for a file.

    Parameters
    ----------
    explorer
        Whose place is shown.
    """

    def __init__(self, explorer: Explorer) -> None:
        self._explorer = explorer
        #: Thumbnails that each window shows and has not got: (entry, size), the next one first.
        self._wanted: OrderedDict[str, list[tuple[int, int]]] = OrderedDict()
        self._version = 0
        self._told = 0.0
        self.worker = NewestFirst("beamkit explorer")

    def close(self) -> None:
        """End the thread."""
        self.worker.close()
        self._wanted.clear()

    # ---- from the browser

    def hear(self, content: Content) -> None:
        """Take a message; nothing is read here."""
        answers: dict[str, Callable[[Content], None]] = {
            "ready": lambda _: self.show_place(is_new=False),
            "wanted": self._want,
            "go": lambda told: self._do("go", lambda: self._explorer.go(str(told["path"]))),
            "refresh": lambda _: self._do("go", self._explorer.refresh),
            "branch": self._branch,
            "view": lambda _: self.later("view", "opening …", self._explorer.view),
            "compare": lambda _: self.later("view", "opening …", self._explorer.compare),
            "dataset": lambda _: self.later("view", "opening …", self._explorer.open_and_tell),
        }
        kind = str(content.get("type", ""))
        if kind in answers:
            answers[kind](content)

    def _want(self, content: Content) -> None:
        """Replace what a window waits for: what was scrolled away is not made."""
        client, size = str(content["client"]), int(content["size"])
        if content["version"] != self._version:
            return  # a listing that has been left
        with self._explorer.lock:
            self._wanted[client] = [(int(number), size) for number in content["entries"]]
            self._wanted.move_to_end(client)
            while len(self._wanted) > _CLIENTS:
                self._wanted.popitem(last=False)
        self._do("thumbnails", self._send_thumbnails)

    def _branch(self, content: Content) -> None:
        path = str(content["path"])
        root = self._explorer.navigator.root

        def answer() -> None:
            try:
                told: dict[str, Any] = {"children": branch(path, root)}
            except BeamkitError as error:
                told = {"children": [], "error": str(error)}
            self._send({"type": "branch", "path": path, **told})

        self._do(f"branch {path}", answer)

    # ---- to the browser

    def show_place(self, *, is_new: bool = True) -> None:
        """Send the listing of the place that the explorer stands at."""
        if is_new:
            with self._explorer.lock:
                self._version += 1
                self._wanted.clear()
        self._do("listing", self._send_listing)

    def show_order(self) -> None:
        """Send which entries are shown, and in what order."""
        self._do("order", self._send_order)

    def show_details(self) -> None:
        """Send what is known of the current entry."""
        self._do("details", self._send_details)

    def message(self, text: str, *, is_error: bool = False) -> None:
        """Show a line."""
        self._send({"type": "message", "text": text, "isError": is_error})

    def later(self, name: str, text: str, work: Callable[[], Any]) -> None:
        """Do something that takes a while, in the thread, and show a line until it is done."""

        def visibly() -> None:
            self.message(text)
            told = work()
            self.message(told if isinstance(told, str) else "")

        self._do(name, visibly)

    def _do(self, name: str, work: Callable[[], Any]) -> None:
        if self._explorer.panel is None:
            return  # nobody looks

        def careful() -> None:
            try:
                work()
            except BeamkitError as error:
                self.message(str(error), is_error=True)
            except Exception as error:
                _LOG.exception("The explorer failed to answer %r", name)
                self.message(
                    f"The explorer could not do this: {type(error).__name__}: {error}",
                    is_error=True,
                )

        self.worker.submit(name, careful)

    def _send(self, content: Content, buffers: list[bytes] | None = None) -> None:
        panel = self._explorer.panel
        if panel is not None and panel.comm is not None:
            panel.send(dict(content), buffers)

    def _send_listing(self) -> None:
        explorer = self._explorer
        with explorer.lock:
            version, entries = self._version, list(explorer.navigator.entries)
            crumbs, place = explorer.navigator.crumbs, explorer.navigator.place
        listing = {
            "place": place,
            "crumbs": crumbs,
            "names": [entry.name for entry in entries],
            # A path is the place and the name, but for files of a series and frames of a file.
            "paths": None if _are_beside(place, entries) else [entry.path for entry in entries],
            "kinds": [entry.kind for entry in entries],
            "sizes": [entry.size for entry in entries],
            "times": [round(entry.mtime) for entry in entries],
            "formats": [entry.format for entry in entries],
            "counts": [len(entry.files) for entry in entries],
            "reasons": {k: entry.reason for k, entry in enumerate(entries) if entry.reason},
        }
        self._send({"type": "listing", "version": version, **listing})
        self._send_order()

    def _send_order(self) -> None:
        explorer = self._explorer
        with explorer.lock:
            version, navigator = self._version, explorer.navigator
            condition = navigator.condition(explorer.filter)
            by_header = explorer.sort_needs_header or bool(condition.names)
            waiting = navigator.without_header() if by_header else []
            order = navigator.visible(condition, explorer.sort, descending=explorer.descending)
            names = navigator.header_names()
        self._told = time.monotonic()
        self._send(
            {"type": "order", "version": version, "order": order, "waiting": len(waiting),
             "names": names}
        )  # fmt: skip
        if waiting:
            self._do("headers", self._read_headers)

    def _read_headers(self) -> None:
        """Read some headers, and come back for more after the other work had its turn."""
        with self._explorer.lock:
            waiting = self._explorer.navigator.without_header()
        done = read_headers(waiting) if waiting else 0
        if done >= len(waiting) or time.monotonic() - self._told > _PATIENCE:
            self._send_order()
        else:
            self._do("headers", self._read_headers)

    def _next_wanted(self) -> tuple[int, int, int] | None:
        with self._explorer.lock:
            for wanted in reversed(self._wanted.values()):
                if wanted:
                    return (self._version, *wanted.pop(0))
        return None

    def _send_thumbnails(self) -> None:
        begin, made = time.monotonic(), []
        while time.monotonic() - begin < _TOGETHER and (found := self._next_wanted()) is not None:
            version, number, size = found
            with self._explorer.lock:
                entries = self._explorer.navigator.entries
                entry = entries[number] if number < len(entries) else None
            if entry is not None and version == self._version:
                made.append((number, size, thumbnail_of(entry, size)))
        if made:
            headers, buffers = packed(made)
            self._send({"type": "thumbnails", "version": version, "made": headers}, buffers)
            self._do("thumbnails", self._send_thumbnails)

    def _send_details(self) -> None:
        path = self._explorer.current
        entry = self._explorer.navigator.entry(path)
        told, picture = details_of(path, entry)
        headers, buffers = packed([(0, 0, picture)] if picture is not None else [])
        self._send({"type": "details", "path": path, "made": headers, **told}, buffers)


def _are_beside(place: str, entries: Sequence[Any]) -> bool:
    return all(entry.path == f"{place.rstrip('/')}/{entry.name}" for entry in entries)


def packed(
    made: Sequence[tuple[int, int, Thumbnail]],
) -> tuple[list[dict[str, Any]], list[bytes]]:
    """Return what a browser needs to draw thumbnails, and their pixels and curves as buffers."""
    headers: list[dict[str, Any]] = []
    buffers: list[bytes] = []
    for number, size, found in made:
        header: dict[str, Any] = {
            "entry": number, "size": size, "kind": found.kind, "shape": list(found.shape),
            "frames": found.frames, "reason": found.reason,
        }  # fmt: skip
        if found.pixels is not None:
            header |= {"pixels": list(found.pixels.shape), "buffer": len(buffers)}
            buffers.append(np.ascontiguousarray(found.pixels).tobytes())
        elif found.curve is not None:
            header |= {"curve": list(found.curve.shape), "buffer": len(buffers)}
            buffers.append(np.ascontiguousarray(found.curve, "<f4").tobytes())
        headers.append(header)
    return headers, buffers
