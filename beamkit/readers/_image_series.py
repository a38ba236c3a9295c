"""Many headers, one dataset: what all frames share is an attribute, what differs a coordinate."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import dask
import dask.array as da
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.detectors import mask_from_flags
from beamkit.core.schema import ATTRIBUTES, DETECTOR_X, DETECTOR_Y, KINDS, header_text, note

from ._dataset import coordinate, finished, image_stack
from ._image_stack import ImageStack, lazy

Attrs = dict[str, Any]

_LISTS = ("assumed", "conflicts", "notes")


def series_dataset(
    stack: ImageStack,
    headers: Sequence[Mapping[str, Any]],
    *,
    kind: str,
    header: Mapping[str, Any],
    file_format: str,
    has_flags: bool,
) -> xr.Dataset:
    """Return frames, the mask of the first where it has flags, and what the headers say.

    Parameters
    ----------
    stack
        The frames.
    headers
        Attributes of each frame, names of :data:`beamkit.core.schema.ATTRIBUTES`.
    kind
        ``"diffraction"`` or ``"image"``.
    header
        Unparsed header of the first frame.
    has_flags
        Whether -1 and -2 in the frames are the flags of a PILATUS; then there is a ``mask``.
    """
    attrs, coordinates = combine(headers)
    attrs["header"] = header_text(header)
    frames = image_stack(lazy(stack), "frame").assign_coords(coordinates)
    variables = {KINDS[kind]: frames}
    if has_flags:
        variables["mask"] = _mask(stack, attrs.get("count_cutoff"))
    files = list(dict.fromkeys(stack.files))
    data = finished(
        variables,
        kind=kind,
        attrs=attrs,
        source=files[0] if len(files) == 1 else common_folder(files),
        file_format=file_format,
    )
    return data.assign_coords(source=coordinate("frame", _sources(stack), ""))


def _mask(stack: ImageStack, count_cutoff: float | None) -> xr.DataArray:
    mask = dask.delayed(_first_mask, pure=True)(stack, count_cutoff)
    return xr.DataArray(
        da.from_delayed(mask, stack.frame_shape, np.uint32),
        dims=(DETECTOR_Y, DETECTOR_X),
        attrs={"units": "1", "long_name": "NXdetector pixel_mask bits, 0 is good"},
    )


def _first_mask(stack: ImageStack, count_cutoff: float | None) -> NDArray[np.uint32]:
    return mask_from_flags(stack[0], count_cutoff=count_cutoff)


def _sources(stack: ImageStack) -> NDArray[np.str_]:
    """Return the file of each frame, relative to the folder that all are in."""
    folder = common_folder(stack.files)
    several = len(set(stack.files)) < len(stack.files)
    return np.array(
        [
            f"{path.relative_to(folder).as_posix()}{f'::{page}' if several else ''}"
            for path, page in zip(stack.files, stack.pages, strict=True)
        ]
    )


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


def _filled(values: Sequence[Any]) -> NDArray[Any]:
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


def common_folder(files: Sequence[Path]) -> Path:
    """Return the folder that all files are in, directly or deeper."""
    return Path(os.path.commonpath([path.parent for path in files]))
