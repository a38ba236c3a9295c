"""Folders and files as a grid of pictures: choose, look, compare, and go on with a dataset."""

from __future__ import annotations

import os
import threading
import time
from base64 import b64encode
from collections.abc import Callable
from io import BytesIO
from typing import Any

import anywidget
import ipywidgets as ipw
import numpy as np
import traitlets
import xarray as xr
from numpy.typing import NDArray

from beamkit.accessor import view as view_data
from beamkit.catalogue import Thumbnail, filters
from beamkit.catalogue.navigator import Navigator, open_choice
from beamkit.catalogue.thumbnails import palette
from beamkit.core import views
from beamkit.core.errors import BeamkitError, ParameterError, UnknownNameError

from ._bundle import script, styles
from ._explorer_details import thumbnail_of
from ._explorer_talk import ExplorerTalk
from ._shown import Shown
from ._subshell import hear_while_busy

#: State that the mouse changes, and a cell can read and set.
STATE = ("selection", "current", "filter", "sort", "descending", "size", "cmap")

#: Side of a thumbnail on the screen, least and most [pixel].
_SIZES = (64, 256)

#: Pictures of the still, and the time that it may take to make them [s].
_STILL, _PATIENCE = 12, 0.3


class ExplorerPanel(anywidget.AnyWidget):  # type: ignore[misc]
    """The part of an explorer that is drawn in the browser."""

    _esm = traitlets.Unicode(script("dom", "explorer_grid", "explorer_tree", "explorer")).tag(
        sync=True
    )
    _css = traitlets.Unicode(styles("explorer")).tag(sync=True)
    _palette = traitlets.Unicode("").tag(sync=True)
    _root = traitlets.Unicode("").tag(sync=True)
    selection = traitlets.List(traitlets.Unicode()).tag(sync=True)
    current = traitlets.Unicode("").tag(sync=True)
    filter = traitlets.Unicode("").tag(sync=True)
    sort = traitlets.Unicode("name").tag(sync=True)
    descending = traitlets.Bool(False).tag(sync=True)
    size = traitlets.Int(112).tag(sync=True)
    cmap = traitlets.Unicode("gray").tag(sync=True)


class Explorer(Shown, ipw.VBox):  # type: ignore[misc]
    """Look through folders, see every frame small, and open what is chosen.

    Everything that the mouse does, a cell can do too: ``explorer.folder = "raw/thau"``.

    Parameters
    ----------
    folder
        Where to begin.
    root
        The folder that is never left; None for ``folder``.
    **state
        Any of the attributes below.

    Attributes
    ----------
    folder
        Where one is: a folder, a series of frames, or a file of several frames.
    selection
        Paths that are selected. A series stands for its files; ``scan.h5::12`` is a frame of a
        file, ``scan.h5::/entry/data`` an array.
    current
        Path of the one whose header is shown; empty: none.
    filter
        Which are shown: words of the name, and comparisons such as ``exposure_time > 0.1``;
        :func:`beamkit.catalogue.parse_filter`.
    sort, descending
        ``"name"``, ``"modified"``, ``"size"``, ``"type"`` or an attribute of the header; and
        whether the largest comes first.
    size
        Side of a thumbnail, 64 to 256 [pixel].
    cmap
        Colour map of matplotlib. Diffraction has bright and dark exchanged with ``"gray"``.
    on_open
        Called with the dataset instead of showing it below; None: it is shown.

    Raises
    ------
    UnreadableFileError
        If the folder is not there, or may not be read.
    ParameterError
        If the folder is outside the root, or an option has a value that is not allowed.
    UnknownNameError
        If an option, an attribute or a colour map is not known.
    """

    folder = traitlets.Unicode("")
    selection = traitlets.List(traitlets.Unicode())
    current = traitlets.Unicode("")
    filter = traitlets.Unicode("")
    sort = traitlets.Unicode("name")
    descending = traitlets.Bool(False)
    size = traitlets.Int(112)
    cmap = traitlets.Unicode("gray")
    on_open = traitlets.Any(None)

    def __init__(
        self,
        folder: str | os.PathLike[str] = ".",
        *,
        root: str | os.PathLike[str] | None = None,
        **state: Any,
    ) -> None:
        unknown = set(state) - {*STATE, "on_open"}
        if unknown:
            raise UnknownNameError("option of an explorer", sorted(unknown)[0], [*STATE, "on_open"])
        self.lock = threading.RLock()
        self.navigator = Navigator(folder, root=root)
        self.panel: ExplorerPanel | None = None
        self.viewer: Any = None
        self._opened: tuple[tuple[str, ...], xr.Dataset] | None = None
        super().__init__()
        self.talk = ExplorerTalk(self)
        self.folder = self.navigator.place
        for name, value in state.items():
            setattr(self, name, value)
        self._is_made = True

    # ---- where one is

    def go(self, path: str | os.PathLike[str]) -> None:
        """Go to a folder, into a series, or into a file of several frames: ``folder = path``."""
        self.folder = os.fspath(path)

    def refresh(self) -> None:
        """List the folder again: a scan that goes on has new frames."""
        with self.lock:
            self.navigator.refresh()
        self.talk.show_place()

    def shown(self) -> list[str]:
        """Return the paths that pass the filter, in the order in which they are shown.

        With a filter or an order by an attribute, of the headers that have been read so far.
        """
        with self.lock:
            condition = self.navigator.condition(self.filter)
            places = self.navigator.visible(condition, self.sort, descending=self.descending)
            return [self.navigator.entries[place].path for place in places]

    @property
    def sort_needs_header(self) -> bool:
        """Whether headers must be read for the order."""
        return self.sort not in filters.OWN

    # ---- what is chosen

    @property
    def dataset(self) -> xr.Dataset:
        """What is selected, opened as one dataset; opened once.

        Raises
        ------
        ParameterError
            If nothing is selected, or what is selected makes no dataset together.
        UnreadableFileError
            If a file cannot be read.
        """
        return self.open_dataset()

    def open_dataset(self) -> xr.Dataset:
        """Return :attr:`dataset`."""
        chosen = tuple(self.selection) or ((self.current,) if self.current else ())
        with self.lock:
            entries, known = list(self.navigator.entries), self._opened
        if known is None or known[0] != chosen:
            known = self._opened = chosen, open_choice(chosen, entries)
        return known[1]

    def open_and_tell(self) -> str:
        """Open what is selected, and return a line that says what it is."""
        data = self.open_dataset()
        sizes = ", ".join(f"{name} {size}" for name, size in data.sizes.items())
        return f"{data.attrs.get('kind', 'dataset')}, {sizes}: go on with explorer.dataset"

    def view(self) -> Any:
        """Show what is selected below the explorer, and return the viewer.

        With ``on_open``, the dataset is given to that function instead.
        """
        data = self.open_dataset()
        if self.on_open is not None:
            return self.on_open(data)
        return self._show_below(lambda: view_data(data))

    def compare(self) -> Any:
        """Show two selected files side by side, and return the widget.

        Raises
        ------
        ParameterError
            If there are not two.
        """
        if len(self.selection) != 2:
            raise ParameterError(
                f"{len(self.selection)} are selected; two can be compared. Select the second with "
                "Ctrl and a click."
            )
        with self.lock:
            entries = list(self.navigator.entries)
        first, second = (open_choice([path], entries) for path in self.selection)
        return self._show_below(lambda: views.view("compare", first, second))

    def _show_below(self, make: Callable[[], Any]) -> Any:
        earlier, self.viewer = self.viewer, None
        if earlier is not None:
            self._place_children()
            earlier.close()
        self.viewer = make()
        self._place_children()
        return self.viewer

    def _place_children(self) -> None:
        self.children = [part for part in (self.panel, self.viewer) if part is not None]

    # ---- state

    @traitlets.validate("folder", *STATE)  # type: ignore[untyped-decorator]
    def _check(self, proposal: Any) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        if name == "folder":
            with self.lock:
                self.navigator.go(value)
                return self.navigator.place
        if name == "filter":
            self.navigator.condition(value)
        elif name == "sort" and value not in self.navigator.header_names():
            raise UnknownNameError("attribute to sort by", value, self.navigator.header_names())
        elif name == "size" and not _SIZES[0] <= value <= _SIZES[1]:
            raise ParameterError(
                f"size is {value}; a thumbnail has {_SIZES[0]} to {_SIZES[1]} pixels. Take 112."
            )
        elif name == "cmap":
            _colors(value)
        return value

    @traitlets.observe("folder")  # type: ignore[untyped-decorator]
    def _folder_changed(self, _change: Any) -> None:
        self.selection, self.current = [], ""
        self.talk.show_place()

    @traitlets.observe("filter", "sort", "descending")  # type: ignore[untyped-decorator]
    def _order_changed(self, _change: Any) -> None:
        if self._is_made:
            self.talk.show_order()

    @traitlets.observe("current")  # type: ignore[untyped-decorator]
    def _current_changed(self, _change: Any) -> None:
        if self._is_made:
            self.talk.show_details()

    @traitlets.observe(*STATE)  # type: ignore[untyped-decorator]
    def _mirror(self, change: Any) -> None:
        if self.panel is not None:
            setattr(self.panel, change["name"], change["new"])
            if change["name"] == "cmap":
                self.panel._palette = _colors(self.cmap)

    def _heard(self, change: Any) -> None:
        """Take a change from the browser; what is not allowed is said there."""
        try:
            setattr(self, change["name"], change["new"])
        except BeamkitError as error:
            self.talk.message(str(error), is_error=True)

    # ---- life

    def _connect(self) -> None:
        if self.talk.worker.is_closed:
            self.talk = ExplorerTalk(self)
        panel = ExplorerPanel(
            _palette=_colors(self.cmap),
            _root=self.navigator.root,
            **{name: getattr(self, name) for name in STATE},
        )
        hear_while_busy(panel)
        panel.observe(self._heard, list(STATE))
        panel.on_msg(lambda _widget, content, _buffers: self.talk.hear(content))
        self.panel = panel
        self._place_children()

    def _disconnected(self) -> None:
        self.talk.close()
        self.panel, self.viewer = None, None
        self._place_children()

    @property
    def caption(self) -> str:  # type: ignore[override]
        """What is seen, in a line."""
        return f"{self.navigator.place}: {len(self.navigator.entries)} entries"

    def _still(self) -> bytes:
        """Return a sheet of the first thumbnails as PNG."""
        # The pictures' own packages take a second, which the grid need not wait for.
        from beamkit.figures.contact_sheet import Cell, contact_sheet

        cells: list[Cell] = []
        end = time.monotonic() + _PATIENCE
        for path in self.shown()[:_STILL]:
            entry = self.navigator.entry(path)
            if entry is None or (cells and time.monotonic() > end):
                break
            found = thumbnail_of(entry, 128)
            image = None if found.pixels is None else _colored(found, self.cmap)
            cells.append(Cell(entry.name, image=image, curve=found.curve, text=found.kind))
        buffer = BytesIO()
        sheet = contact_sheet(cells or [Cell("nothing to show")], caption=self.caption)
        sheet.savefig(buffer, format="png", dpi=100)
        return buffer.getvalue()


def _colored(found: Thumbnail, cmap: str) -> NDArray[np.uint8]:
    colors = palette(cmap)
    if found.kind == "diffraction" and cmap == "gray":  # as in the browser
        colors[2:255] = colors[2:255][::-1].copy()
    return colors[found.pixels]


def _colors(cmap: str) -> str:
    from matplotlib import colormaps

    if cmap not in colormaps:
        raise UnknownNameError("colour map", cmap, colormaps)
    return b64encode(palette(cmap).tobytes()).decode("ascii")


def explore(folder: str | os.PathLike[str] = ".", **options: Any) -> Explorer:
    """Return an explorer of a folder: :class:`Explorer`."""
    return Explorer(folder, **options)
