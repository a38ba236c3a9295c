"""What every viewer shares: it shows itself in a cell, leaves a picture there, and is freed."""

from __future__ import annotations

import inspect
from base64 import b64encode
from typing import Any, ClassVar
from weakref import WeakSet

import ipywidgets as ipw
from IPython import get_ipython
from IPython.display import display
from traitlets import ObserveHandler

from ._subshell import hear_while_busy

_VIEW = "application/vnd.jupyter.widget-view+json"

#: Class of a widget that hides the picture before it, and the rule that does; a viewer brings the
#: rule into the page in a ``<style>`` or with its own style sheet.
SHOWN = "beamkit-shown"
HIDE_PICTURE = (
    f".jp-OutputArea-child:has(img):has(+ .jp-OutputArea-child .{SHOWN}) {{ display: none; }}"
)


#: PNG of one transparent pixel.
_BLANK = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5E"
    "rkJggg=="
)


class Shown:
    """Mixin of viewers, to be named before the widget: ``class Viewer(Shown, ipw.VBox)``.

    A viewer connects to the notebook when it is shown or put into a box, not when it is made: one
    that was never shown is freed when it is dropped. One that was shown lives until its cell runs
    again, or until :meth:`close`; it can be shown again after that.

    A viewer sets ``_is_made`` at the end of its ``__init__``, and may extend ``_connect`` (makes
    its children, say) and ``_disconnected`` (what must work while it is closed, such as observers
    added with ``observe``; those of ``@traitlets.observe`` are kept).

    Attributes
    ----------
    caption
        What is seen; also the alternative text of the picture.
    """

    #: Of the widget, which is named after this class.
    comm: Any
    layout: Any
    add_class: Any

    caption = ""
    _is_made = False
    _cell = ("", "")
    _shown: ClassVar[WeakSet[Any]] = WeakSet()

    def _still(self) -> bytes:
        """Return what is seen as PNG."""
        raise NotImplementedError

    def _wait_until_seen(self) -> None:
        """Wait a moment for the browser, before the time is spent on a picture for others."""

    def _connect(self) -> None:
        """Make what the viewer needs in the notebook; called before it connects."""

    def _disconnected(self) -> None:
        """Restore what must work while the viewer is closed; called after it was closed."""

    def open(self) -> None:
        """Connect to the notebook; happens when the viewer is shown or put into a box."""
        if self._is_made and self.comm is None:
            self._connect()
            self.__dict__.pop("_repr_mimebundle_", None)  # close() leaves None there
            if self.layout.comm is None:  # close() has closed the earlier one
                self.layout = ipw.Layout()
            super().open()  # type: ignore[misc]
            hear_while_busy(self)

    @property
    def model_id(self) -> str:
        """Name of the widget in the notebook."""
        self.open()
        return str(super().model_id)  # type: ignore[misc]

    def close(self) -> None:
        """Take the viewer away from the notebook, and free what it took there."""
        if self.comm is not None:
            close_all(self)
            for name in dir(type(self)):
                handler = inspect.getattr_static(type(self), name)
                if isinstance(handler, ObserveHandler):
                    handler.instance_init(self)
            self._disconnected()

    def _view(self) -> dict[str, Any]:
        return {_VIEW: {"version_major": 2, "version_minor": 0, "model_id": self.model_id}}

    def _picture(self) -> dict[str, Any]:
        png = b64encode(self._still()).decode("ascii")
        return {"image/png": png, "text/plain": self.caption}

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, Any]:
        return {**self._view(), **self._picture()}

    def _ipython_display_(self) -> None:
        """Leave a picture, for when there is no kernel, and the widget, which hides it.

        The widget comes at once; the picture takes its place before it when it is drawn.
        """
        self.add_class(SHOWN)
        self._take_cell()
        alone = {"image/png": {"alt": self.caption}}
        blank = {"image/png": _BLANK, "text/plain": self.caption}
        place = display(blank, metadata=alone, raw=True, display_id=True)
        display(self._view(), raw=True)
        if self._cell[0]:  # there is a browser
            self._wait_until_seen()
        place.update(self._picture(), metadata=alone, raw=True)

    def _take_cell(self) -> None:
        """Close what an earlier run of this cell showed."""
        self._cell = cell, run = running_cell()
        for other in list(self._shown):
            if cell and other._cell[0] == cell and other._cell[1] != run:
                other.close()
        self._shown.add(self)


def close_all(widget: Any) -> None:
    """Close a widget and all that belongs to it: ipywidgets keeps what is not closed."""
    for name in widget.keys:
        value = getattr(widget, name)
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, ipw.Widget):
                close_all(part)
    widget.unobserve_all()
    ipw.Widget.close(widget)


def running_cell() -> tuple[str, str]:
    """Return the name of the cell that runs and of this run of it; empty outside a notebook."""
    parent: dict[str, Any] = getattr(get_ipython(), "get_parent", dict)()
    return parent.get("metadata", {}).get("cellId", ""), parent.get("header", {}).get("msg_id", "")
