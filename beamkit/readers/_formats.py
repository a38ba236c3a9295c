"""The formats that beamkit reads: found by name, loaded when tried."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray as xr

GROUP = "beamkit.readers"


@dataclass(frozen=True)
class Format:
    """One format: a reader module, as the door uses it.

    Attributes
    ----------
    name, description
        Name of the module; what the file is.
    can_read, read
        The module's functions.
    verify
        The module's check of checksums, or None. It returns how many it found, or None.
    options
        Names that ``read`` takes beside the paths.
    """

    name: str
    description: str
    can_read: Callable[[Path], bool]
    read: Callable[..., xr.Dataset]
    verify: Callable[[Sequence[Path]], int | None] | None
    options: tuple[str, ...]


def formats() -> Iterator[Format]:
    """Give every format in the order of trial: ours first, then those of other packages."""
    from . import FORMATS

    for name in FORMATS:
        yield _format(name, import_module(f"{__package__}.{name}"))
    for point in entry_points(group=GROUP):
        yield _format(point.name, point.load())


def _format(name: str, module: ModuleType) -> Format:
    parameters = inspect.signature(module.read).parameters.values()
    options = tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)
    return Format(
        name,
        module.DESCRIPTION,
        module.can_read,
        module.read,
        getattr(module, "verify", None),
        options,
    )
