"""Widgets for notebooks, on top of beamkit; one widget per file.

beamkit finds them through the entry points ``beamkit.views``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from beamkit.core.optional import need

if TYPE_CHECKING:
    import xarray as xr

    from .slice_viewer import SliceViewer


def view_image(data: xr.DataArray | xr.Dataset, **options: Any) -> SliceViewer:
    """Return a viewer of an image or a stack of images: :class:`~.slice_viewer.SliceViewer`.

    Raises
    ------
    MissingDependencyError
        If ipywidgets or ipympl is not installed.
    ShapeError
        If the data are not one image or one stack of images.
    """
    need("ipywidgets", extra="lab", to="show images in a notebook")
    from .slice_viewer import SliceViewer

    return SliceViewer(data, **options)
