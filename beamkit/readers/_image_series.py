"""Many headers, one dataset: what all frames share is an attribute, what differs a coordinate."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from beamkit.core.schema import ATTRIBUTES, note

from ._dataset import coordinate

Attrs = dict[str, Any]

_LISTS = ("assumed", "conflicts", "notes")


def combine(headers: Sequence[Mapping[str, Any]]) -> tuple[Attrs, dict[str, Any]]:
    """Return the attributes that all frames share, and coordinates over ``frame`` for the others.

    Parameters
    ----------
    headers
        Attributes of each frame, names of :data:`beamkit.core.schema.ATTRIBUTES`.

    Returns
    -------
    attrs, coordinates
        A number that some frames lack is NaN there. ``start_time`` is that of the first frame;
        where it differs, ``time`` is the time since then [s].
    """
    attrs: Attrs = {}
    coordinates: dict[str, Any] = {}
    for name in dict.fromkeys(name for header in headers for name in header):
        values = [header.get(name) for header in headers]
        if name in _LISTS:
            for line in dict.fromkeys(line for lines in values for line in lines or ()):
                note(attrs, name, line)
        elif all(value == values[0] for value in values):
            attrs[name] = values[0]
        elif name == "start_time":
            attrs[name] = values[0] or ""
            coordinates.update(_times(values))
        elif any(isinstance(value, list) for value in values):
            note(attrs, "notes", f"{name}: differs between the files; open them one by one for it")
        else:
            coordinates[name] = coordinate("frame", _filled(values), ATTRIBUTES[name].unit)
    return attrs, coordinates


def _filled(values: Sequence[Any]) -> np.ndarray[Any, Any]:
    if any(isinstance(value, str) for value in values):
        return np.array(["" if value is None else str(value) for value in values])
    return np.array([np.nan if value is None else float(value) for value in values])


def _times(values: Sequence[Any]) -> dict[str, Any]:
    try:
        times = [datetime.fromisoformat(value) for value in values]
        seconds = [(time - times[0]).total_seconds() for time in times]
    except (TypeError, ValueError):  # a frame without time, or only some with a time zone
        return {}
    return {"time": coordinate("frame", seconds, "s")}


def with_sources(data: xr.Dataset, files: Sequence[Path], pages: Sequence[int]) -> xr.Dataset:
    """Return the dataset with the coordinate ``source``: the file of each frame.

    Names are relative to ``attrs["source"]`` where that is a folder; frames of a file with
    several have ``::`` and their number behind it.
    """
    folder = common_folder(files)
    several = len(set(files)) < len(files)
    names = [
        f"{path.relative_to(folder).as_posix()}{f'::{page}' if several else ''}"
        for path, page in zip(files, pages, strict=True)
    ]
    return data.assign_coords(source=coordinate("frame", np.array(names), ""))


def common_folder(files: Sequence[Path]) -> Path:
    """Return the folder that all files are in, directly or deeper."""
    return Path(os.path.commonpath([path.parent for path in files]))
