"""Part of a viewer: what it shares with other viewers in the same page."""

from __future__ import annotations

import traitlets


class Linked(traitlets.HasTraits):  # type: ignore[misc]
    """Mixin of the image viewer: viewers of one group follow each other in the browser.

    What needs the kernel (frames, contrast that was chosen) is linked there, with traitlets.
    """

    #: What is nothing, in images that go both ways from it; None: they do not.
    middle: float | None = None

    #: Any text; viewers with the same one belong together. Empty: alone.
    _group = traitlets.Unicode("").tag(sync=True)
    #: What is shared with those of the group that share it, too.
    _shares = traitlets.List(traitlets.Unicode(), default_value=["zoom", "cursor"]).tag(sync=True)
    #: Index along each dimension of a volume, where its planes cross; empty: no planes.
    _cross = traitlets.Dict().tag(sync=True)
    #: Words above the image; empty: those of the data.
    _title = traitlets.Unicode("").tag(sync=True)
    #: Height over width of the image on the screen; None: as the data have it.
    _ratio = traitlets.Float(None, allow_none=True).tag(sync=True)
    #: Parts that are left out, for want of room: "tools", "look", "strip", "frames", "side".
    _without = traitlets.List(traitlets.Unicode()).tag(sync=True)
