"""``ds.bk.stream()``: the frames of a dataset one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr

    from beamkit.streams import Stream


def stream(data: xr.DataArray | xr.Dataset, **options: Any) -> Stream:
    """Give the frames of the main variable, or of an array, in order.

    Parameters
    ----------
    data
        Frames (frame, detector_y, detector_x), or a dataset of them.
    **options
        As :func:`beamkit.streams.stream` takes them.

    Raises
    ------
    ParameterError
        If an option has a value that is not allowed.
    ShapeError
        If the data are not frames.
    """
    from beamkit import streams

    return streams.stream(data, **options)
