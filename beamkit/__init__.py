"""beamkit: from a detector file to an answer, in a notebook or in a batch report.

>>> import beamkit as bk
>>> scan = bk.open(bk.samples.tomography(getfixture("tmp_path") / "scan.nxs", width=64))
>>> scan.attrs["kind"]
'tomography'

Everything loads when it is first used: importing beamkit costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from beamkit._version import __version__ as __version__
from beamkit.accessor import register_when_xarray_loads

if TYPE_CHECKING:
    from beamkit import catalogue as catalogue
    from beamkit import diffraction as diffraction
    from beamkit import figures as figures
    from beamkit import images as images
    from beamkit import peaks as peaks
    from beamkit import pipelines as pipelines
    from beamkit import readers as readers
    from beamkit import reports as reports
    from beamkit import samples as samples
    from beamkit import scans as scans
    from beamkit import streams as streams
    from beamkit import tomography as tomography
    from beamkit import writers as writers
    from beamkit.accessor import compare as compare
    from beamkit.accessor import explore as explore
    from beamkit.accessor import view as view
    from beamkit.readers import open_dataset
    from beamkit.streams import live as live
    from beamkit.streams import watch_frames as watch_frames

    open = open_dataset  # noqa: A001 - bk.open is the door

_ROOMS = (
    "catalogue",
    "diffraction",
    "figures",
    "images",
    "peaks",
    "pipelines",
    "readers",
    "reports",
    "samples",
    "scans",
    "streams",
    "tomography",
    "writers",
)
_FUNCTIONS = {
    "compare": ("beamkit.accessor", "compare"),
    "explore": ("beamkit.accessor", "explore"),
    "live": ("beamkit.streams", "live"),
    "open": ("beamkit.readers", "open_dataset"),
    "view": ("beamkit.accessor", "view"),
    "watch_frames": ("beamkit.streams", "watch_frames"),
}

__all__ = [
    "__version__",
    "catalogue",
    "compare",
    "diffraction",
    "explore",
    "figures",
    "images",
    "live",
    "open",
    "peaks",
    "pipelines",
    "readers",
    "reports",
    "samples",
    "scans",
    "streams",
    "tomography",
    "view",
    "watch_frames",
    "writers",
]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"beamkit.{name}")
    if name in _FUNCTIONS:
        module, function = _FUNCTIONS[name]
        return getattr(import_module(module), function)
    raise AttributeError(f"module 'beamkit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


register_when_xarray_loads()
