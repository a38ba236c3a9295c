"""Which frames of a virtual dataset are which frames of its sources."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import h5py

from beamkit.readers._hdf5_walk import find_source


class Part(NamedTuple):
    """Frames ``start`` to ``stop`` are those of ``name`` in ``path`` from ``first`` on."""

    start: int
    stop: int
    path: str
    name: str
    first: int


def parts_of(item: h5py.Dataset) -> list[Part] | None:
    """Return the parts of a virtual dataset of frames.

    None if it is not virtual, or if its parts are not runs of whole frames, one after the other,
    that give every frame: then HDF5 puts the frames together.
    """
    if not item.is_virtual:
        return None
    found = [_part(item, source) for source in item.virtual_sources()]
    parts = sorted(part for part in found if part is not None)
    if not parts or len(parts) < len(found):
        return None
    ends = [0, *(part.stop for part in parts)]
    is_gapless = all(end == part.start for end, part in zip(ends, parts, strict=False))
    return parts if is_gapless and ends[-1] == item.shape[0] else None


def _part(item: h5py.Dataset, source: h5py.h5d.VDSmap) -> Part | None:
    if "%b" in source.file_name or "%b" in source.dset_name:
        return None
    here = Path(item.file.filename)
    path = here if source.file_name == "." else find_source(here, source.file_name)
    virtual = _box(source.vspace)
    is_whole = source.src_space.get_select_type() == h5py.h5s.SEL_ALL
    real = (((0, 0, 0), virtual[1]) if virtual else None) if is_whole else _box(source.src_space)
    if virtual is None or real is None or path is None:
        return None
    (start, *corner), sizes = virtual
    (first, *real_corner), real_sizes = real
    if any(corner) or any(real_corner) or sizes != real_sizes or sizes[1:] != item.shape[1:]:
        return None
    return Part(start, start + sizes[0], str(path), source.dset_name, first)


def _box(space: h5py.h5s.SpaceID) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Return corner and sizes of a selection that is one box, else None."""
    try:
        low, high = space.get_select_bounds()
    except (ValueError, RuntimeError):  # unlimited
        return None
    sizes = tuple(int(b - a + 1) for a, b in zip(low, high, strict=True))
    is_box = math.prod(sizes) == space.get_select_npoints() and len(sizes) == 3
    return (tuple(int(place) for place in low), sizes) if is_box else None
