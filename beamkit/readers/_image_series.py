"""Many headers, one dataset: what all frames share is an attribute, what differs a coordinate."""

from __future__ import annotations

import math
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
from ._image_gaps import lazy_with_gaps
from ._image_stack import ImageStack, lazy

Attrs = dict[str, Any]

_LISTS = ("assumed", "conflicts", "notes")


def series_dataset(
    stack: ImageStack,
    headers: Sequence[Mapping[str, Any] | None],
    *,
    kind: str,
    header: Mapping[str, Any],
    file_format: str,
    has_flags: bool,
    problems: Sequence[str] = (),
) -> xr.Dataset:
    """Return frames, the mask of the first where it has flags, and what the headers say.

    Parameters
    ----------
    stack
        The frames.
    headers
        Attributes of each frame, names of :data:`beamkit.core.schema.ATTRIBUTES`; None for a
        frame that cannot be read.
    kind
        ``"diffraction"`` or ``"image"``.
    header
        Unparsed header of the first frame.
    has_flags
        Whether -1 and -2 in the frames are the flags of a PILATUS; then there is a ``mask``.
    problems
        Why a frame cannot be read, empty where it can, for each frame; they become the coordinate
        ``problem``. None at all if every frame can.
    """
    attrs, coordinates = combine(headers)
    attrs["header"] = header_text(header)
    if any(problems):
        coordinates["problem"] = coordinate("frame", np.array(problems, str), "")
        bad = sum(map(bool, problems))
        text = f"frames: {bad} of {len(problems)} cannot be read; the coordinate problem says why"
        note(attrs, "notes", text)
    values = lazy_with_gaps(stack) if any(problems) else lazy(stack)
    variables = {KINDS[kind]: image_stack(values, "frame").assign_coords(coordinates)}
    if has_flags:
        first = next((place for place, text in enumerate(problems) if not text), 0)
        variables["mask"] = _mask(stack, first, attrs.get("count_cutoff"))
    files = list(dict.fromkeys(stack.files))
    data = finished(
        variables,
        kind=kind,
        attrs=attrs,
        source=files[0] if len(files) == 1 else common_folder(files),
        file_format=file_format,
    )
    return data.assign_coords(source=coordinate("frame", _sources(stack), ""))


def _mask(stack: ImageStack, frame: int, count_cutoff: float | None) -> xr.DataArray:
    mask = dask.delayed(_frame_mask, pure=True)(stack, frame, count_cutoff)
    return xr.DataArray(
        da.from_delayed(mask, stack.frame_shape, np.uint32),
        dims=(DETECTOR_Y, DETECTOR_X),
        attrs={"units": "1", "long_name": "NXdetector pixel_mask bits, 0 is good"},
    )


def _frame_mask(stack: ImageStack, frame: int, count_cutoff: float | None) -> NDArray[np.uint32]:
    return mask_from_flags(stack[frame], count_cutoff=count_cutoff)


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


def combine(headers: Sequence[Mapping[str, Any] | None]) -> tuple[Attrs, dict[str, Any]]:
    """Return the attributes that all frames share, and coordinates over ``frame`` for the others.

    Parameters
    ----------
    headers
        Attributes of each frame, names of :data:`beamkit.core.schema.ATTRIBUTES`; None for a
        frame that cannot be read, which says nothing.

    Returns
    -------
    attrs, coordinates
        A number that some frames lack is NaN there. ``start_time`` is that of the first frame;
        where it differs, ``time`` is the time since then [s].
    """
    attrs: Attrs = {}
    coordinates: dict[str, Any] = {}
    whole = [header for header in headers if header is not None]
    for name in dict.fromkeys(name for header in whole for name in header):
        known = [header.get(name) for header in whole]
        values = [None if header is None else header.get(name) for header in headers]
        if name in _LISTS:
            for line in dict.fromkeys(line for lines in values for line in lines or ()):
                note(attrs, name, line)
        elif all(value == known[0] for value in known):
            attrs[name] = known[0]
        elif name == "start_time":
            attrs[name] = known[0] or ""
            coordinates.update(_times(headers, known))
        elif any(isinstance(value, list) for value in values):
            note(attrs, "notes", f"{name}: differs between the files; open them one by one for it")
        else:
            coordinates[name] = coordinate("frame", _filled(values), ATTRIBUTES[name].unit)
    return attrs, coordinates


def _filled(values: Sequence[Any]) -> NDArray[Any]:
    if any(isinstance(value, str) for value in values):
        return np.array(["" if value is None else str(value) for value in values])
    return np.array([np.nan if value is None else float(value) for value in values])


def _times(headers: Sequence[object], known: Sequence[Any]) -> dict[str, Any]:
    try:
        times = [datetime.fromisoformat(value) for value in known]
        passed = iter([(time - times[0]).total_seconds() for time in times])
        seconds = [math.nan if header is None else next(passed) for header in headers]
    except (TypeError, ValueError):  # a frame without time, or only some with a time zone
        return {}
    return {"time": coordinate("frame", seconds, "s")}


def common_folder(files: Sequence[Path]) -> Path:
    """Return the folder that all files are in, directly or deeper."""
    return Path(os.path.commonpath([path.parent for path in files]))
