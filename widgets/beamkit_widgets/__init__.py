"""Widgets for notebooks, on top of beamkit; one widget per file.

beamkit finds them through the entry points ``beamkit.views``.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from beamkit.core.errors import UnknownNameError
from beamkit.core.optional import need

if TYPE_CHECKING:
    import xarray as xr

    from .compare_viewer import CompareViewer
    from .explorer import Explorer
    from .scan_viewer import ScanViewer

_BACKENDS = ("canvas", "ipympl")
#: Module and class of each layout of images.
_LAYOUTS = {
    "single": ("viewer", "ImageViewer"),
    "ortho": ("ortho", "OrthoViewer"),
    "live": ("live", "Live"),
    "grid": ("grid_viewer", "GridViewer"),
    "trend": ("trend_viewer", "TrendViewer"),
    "calibration": ("calibration_viewer", "CalibrationViewer"),
}


def view_image(
    data: xr.DataArray | xr.Dataset,
    *,
    backend: str = "canvas",
    layout: str = "single",
    **options: Any,
) -> Any:
    """Return a viewer of an image, a stack of images, or a volume.

    Parameters
    ----------
    data
        Two dimensions or more.
    backend
        ``"canvas"``: :class:`~.viewer.ImageViewer`. ``"ipympl"``: a matplotlib figure,
        :class:`~.slice_viewer.SliceViewer`.
    layout
        ``"single"``; ``"ortho"``: three linked slices, :class:`~.ortho.OrthoViewer`; ``"live"``:
        frames while they are measured, :class:`~.live.Live`, of which ``data`` is the source;
        ``"grid"``: a map (``grid=``) and the frames it was made of,
        :class:`~.grid_viewer.GridViewer`; ``"trend"``: numbers of the frames (``values=``) as a
        curve, and the frames, :class:`~.trend_viewer.TrendViewer`; ``"calibration"``: a powder
        image, and where the detector stands, :class:`~.calibration_viewer.CalibrationViewer`.
    **options
        Of the viewer.

    Raises
    ------
    MissingDependencyError
        If the packages of the widget are not installed.
    UnknownNameError
        If there is no such backend or layout.
    ShapeError
        If the data are no images.
    """
    for name, value, known in (("backend", backend, _BACKENDS), ("layout", layout, _LAYOUTS)):
        if value not in known:
            raise UnknownNameError(name, value, known)
    need("ipywidgets", extra="lab", to="show images in a notebook")
    if backend == "ipympl":
        from .slice_viewer import SliceViewer

        return SliceViewer(data, **options)
    need("anywidget", extra="lab", to="show images in a notebook")
    module, name = _LAYOUTS[layout]
    return getattr(import_module(f".{module}", __name__), name)(data, **options)


def view_scan(data: Any, **options: Any) -> ScanViewer:
    """Return a viewer of a scan, a pattern or a profile, or of several of them.

    That is a :class:`~.scan_viewer.ScanViewer`.

    Raises
    ------
    MissingDependencyError
        If ipywidgets or ipympl is not installed.
    ShapeError
        If an array has more than one dimension.
    """
    need("ipywidgets", extra="lab", to="show scans in a notebook")
    from beamkit.scans import as_scan

    from .scan_viewer import ScanViewer

    several = data if isinstance(data, list | tuple) else [data]
    return ScanViewer([as_scan(item) for item in several], **options)


def explore(folder: str | os.PathLike[str] = ".", **options: Any) -> Explorer:
    """Return a navigator of a folder with thumbnails: :class:`~.explorer.Explorer`.

    Raises
    ------
    MissingDependencyError
        If anywidget is not installed.
    """
    need("anywidget", extra="lab", to="browse folders in a notebook")
    from .explorer import Explorer

    return Explorer(folder, **options)


def compare(first: Any, second: Any, **options: Any) -> CompareViewer:
    """Return a viewer of two datasets: :class:`~.compare_viewer.CompareViewer`.

    Raises
    ------
    MissingDependencyError
        If anywidget is not installed.
    """
    need("anywidget", extra="lab", to="compare images in a notebook")
    from .compare_viewer import CompareViewer

    return CompareViewer(first, second, **options)
