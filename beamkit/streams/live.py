"""The door to the widget that shows a measurement while it runs."""

from __future__ import annotations

from typing import Any

from beamkit.core import views


def live(source: Any, **options: Any) -> Any:
    """Show frames in a notebook while they are measured: the newest, and the numbers of all.

    :class:`beamkit_widgets.live.Live`.

    Parameters
    ----------
    source
        Folder or pattern of files, HDF5 file that is being written, ``tcp://ADDRESS:PORT`` of a
        DECTRIS detector, a :class:`GrowingSource`, or what :func:`watch_frames` returned.
    **options
        Of the widget, and of the source: ``frames``, ``patience``, ``poll`` ...

    Raises
    ------
    MissingDependencyError
        If the packages of the widgets (extra ``lab``) are not installed.
    UnreadableFileError
        If there is no such folder or file.
    ParameterError
        If the source cannot be watched.
    """
    return views.view("image", source, layout="live", **options)
