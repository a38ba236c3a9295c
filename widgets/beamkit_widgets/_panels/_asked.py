"""A viewer as the browser that asks sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from beamkit_widgets.viewer import ImageViewer

    from . import Question


def as_asked(viewer: ImageViewer, question: Question) -> ImageViewer:
    """Return the viewer with what the browser has ``chosen``.

    A change of state waits in the browser until the last one has come through; a question does
    not, so that it may be here first.
    """
    return cast("ImageViewer", _AsAsked(viewer, dict(question.get("chosen", {}))))


class _AsAsked:
    """Attributes that were chosen, else those of the viewer."""

    def __init__(self, viewer: ImageViewer, chosen: dict[str, Any]) -> None:
        self._viewer, self._chosen = viewer, chosen

    def __getattr__(self, name: str) -> Any:
        return self._chosen[name] if name in self._chosen else getattr(self._viewer, name)
