"""``.bk`` on every xarray object, whichever of xarray and beamkit is imported first.

This file imports nothing heavy: xarray costs half a second, and ``import beamkit`` must not.
"""

from __future__ import annotations

import importlib
import importlib.abc
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

from beamkit.core import views

if TYPE_CHECKING:
    import xarray as xr


def view(data: xr.DataArray | xr.Dataset, **options: Any) -> Any:
    """Show data in a notebook, with the widget made for what they are.

    Images, stacks and volumes: :class:`beamkit_widgets.viewer.ImageViewer` (``layout="ortho"``:
    three linked slices of a volume; ``backend="ipympl"``: a matplotlib figure). Scans and patterns,
    or several scans in a list: :class:`beamkit_widgets.scan_viewer.ScanViewer`.

    Parameters
    ----------
    data
        A dataset or an array; a list of scans.
    **options
        Of the widget: what is seen at first.

    Raises
    ------
    MissingDependencyError
        If the packages of the widgets (extra ``lab``) are not installed.
    """
    return views.view("scan" if _is_curve(data) else "image", data, **options)


def explore(folder: str | os.PathLike[str] = ".", **options: Any) -> Any:
    """Browse a folder in a notebook: its tree, and a thumbnail of every frame.

    Raises
    ------
    MissingDependencyError
        If the packages of the widgets (extra ``lab``) are not installed.
    ReadError
        If there is no such folder.
    """
    return views.view("explore", folder, **options)


def compare(
    first: xr.DataArray | xr.Dataset, second: xr.DataArray | xr.Dataset, **options: Any
) -> Any:
    """Show two datasets side by side with linked zoom and cursor, or their difference or ratio.

    Raises
    ------
    MissingDependencyError
        If the packages of the widgets (extra ``lab``) are not installed.
    ShapeError
        If the images have different shapes.
    """
    return views.view("compare", first, second, **options)


def _is_curve(data: Any) -> bool:
    """Whether data are curves rather than images."""
    if isinstance(data, list | tuple):
        return True
    if hasattr(data, "data_vars"):
        kind = data.attrs.get("kind", "")
        return bool(kind == "scan" or (kind == "pattern" and data["intensity"].ndim == 1))
    return bool(data.ndim == 1)


def register_when_xarray_loads() -> None:
    """Register ``.bk`` now if xarray is loaded, else as soon as it is."""
    if "xarray" in sys.modules:
        importlib.import_module("beamkit.accessor.bk")
    elif not any(isinstance(finder, _XarrayFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _XarrayFinder())


class _XarrayFinder(importlib.abc.MetaPathFinder):
    """Let the real finders find xarray, and register the accessor after it has loaded."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != "xarray":
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        found = (finder.find_spec(fullname, path, target) for finder in others)
        spec = next((spec for spec in found if spec is not None), None)
        if spec is not None and spec.loader is not None:
            spec.loader = _RegisteringLoader(spec.loader)
        return spec


class _RegisteringLoader(importlib.abc.Loader):
    def __init__(self, loader: importlib.abc.Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader  # xarray sees its own loader, as without us
        self._loader.exec_module(module)
        sys.meta_path[:] = [item for item in sys.meta_path if not isinstance(item, _XarrayFinder)]
        importlib.import_module("beamkit.accessor.bk")
