"""What rings can be asked for: a calibrant or ice by name, a lattice spacing by number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from beamkit.core.errors import ParameterError

from .calibrants import Calibrant, calibrant
from .ice import ice_rings

#: Name of a calibrant, ``"ice"``, or a lattice spacing [angstrom].
RingItem = str | float

#: Rings that are drawn of one substance.
MOST_RINGS = 30

#: Colour of the rings of a calibrant, of ice, and of given spacings; those of ice are dashed.
RING_COLORS = {"calibrant": "#ffd54a", "ice": "#7fd8ff", "d": "#ffab73"}


def ring_items(value: Any) -> tuple[RingItem, ...]:
    """Return what rings are asked for as a tuple; None gives none.

    Raises
    ------
    UnknownNameError
        If there is no such calibrant.
    ParameterError
        If a spacing is not above 0.

    Examples
    --------
    >>> ring_items(["LaB6", 3])
    ('LaB6', 3.0)
    """
    if value is None:
        return ()
    items: Iterable[Any] = [value] if isinstance(value, str | float | int) else value
    return tuple(_checked(item) for item in items if item != "")


def _checked(item: Any) -> RingItem:
    if isinstance(item, str):
        if item != "ice":
            calibrant(item)
        return item
    spacing = float(item)
    if not (np.isfinite(spacing) and spacing > 0):
        raise ParameterError(
            f"A ring is asked for at d = {item} angstrom; it must be above 0. Give lattice "
            "spacings, names of calibrants, or 'ice'."
        )
    return spacing


def substances(items: Iterable[RingItem]) -> Iterator[tuple[str, str, Calibrant]]:
    """Yield kind (of :data:`RING_COLORS`), name and rings; given spacings come together, last."""
    spacings = []
    for item in items:
        if not isinstance(item, str):
            spacings.append(item)
        elif item == "ice":
            yield "ice", "ice", ice_rings()
        else:
            yield "calibrant", item, calibrant(item)
    if spacings:
        labels = [f"{spacing:.4g} Å" for spacing in spacings]
        yield "d", "", Calibrant.from_spacings(spacings, labels=labels)
