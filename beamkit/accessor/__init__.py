"""``.bk`` on every xarray object, whichever of xarray and beamkit is imported first.

This file imports nothing heavy: xarray costs half a second, and ``import beamkit`` must not.
"""

from __future__ import annotations

import importlib
import importlib.abc
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

from beamkit.core import views

if TYPE_CHECKING:
    import xarray as xr


def view(data: xr.DataArray | xr.Dataset, **options: Any) -> Any:
    """Show an image or a stack of images in a notebook, with the widget made for it.

    Raises
    ------
    MissingDependencyError
        If the packages of the widgets (extra ``lab``) are not installed.
    """
    return views.view("image", data, **options)


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
