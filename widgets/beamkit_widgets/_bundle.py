"""The JavaScript and the styles of a widget, joined from files.

anywidget gives the browser one text, loaded from where relative imports fail; so the parts are
joined here. A part declares classes and functions, and imports nothing; the last one has
``export default``.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).with_name("js")


@cache
def script(*names: str) -> str:
    """Return the parts ``js/NAME.js``, in the order given, as one text."""
    parts = ((_FOLDER / name).with_suffix(".js") for name in names)
    return "\n".join(f"// {part.name}\n{part.read_text()}" for part in parts)


@cache
def styles(*names: str) -> str:
    """Return the parts ``js/NAME.css`` as one text."""
    return "\n".join((_FOLDER / name).with_suffix(".css").read_text() for name in names)
