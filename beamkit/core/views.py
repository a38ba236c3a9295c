"""How the headless library finds the widgets that stand on it.

A package that offers widgets registers them in the entry-point group ``beamkit.views``, one for
each kind of data (``image``, ``tomography`` ...). The library never imports them by name.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from .errors import MissingDependencyError, UnknownNameError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "beamkit.views"


@cache
def _registered() -> dict[str, EntryPoint]:
    from importlib.metadata import entry_points  # 40 ms, which ``import beamkit`` does not pay

    return {point.name: point for point in entry_points(group=GROUP)}


def view(kind: str, *args: Any, **options: Any) -> Any:
    """Show something in a notebook with the widget registered for ``kind``.

    Raises
    ------
    UnknownNameError
        If no widget is registered for this kind.
    MissingDependencyError
        If the packages of the widgets are not installed.
    """
    found = _registered()
    if kind not in found:
        raise UnknownNameError("view", kind, found)
    try:
        widget = found[kind].load()
    except MissingDependencyError:
        raise
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"{error.name} is not installed; beamkit needs it to show widgets. "
            'Install it with: pip install "beamkit[lab]"'
        ) from error
    return widget(*args, **options)
