"""Chains of ``depends_on`` in a NeXus file: where the detector stands, how the sample is turned.

Sources: NeXus manual, NXtransformations and NXdetector_module; Bernstein et al., IUCrJ 7, 784
(2020) for the "gold standard" of NXmx.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from beamkit.core.detector_geometry import DetectorPlane
from beamkit.core.errors import MetadataError
from beamkit.core.transformations import Axis, chain_matrix
from beamkit.core.units import convert

from . import _hdf5
from ._hdf5_chunks import read
from ._nexus_metadata import Metadata
from ._nexus_plot import is_numbers

#: A chain longer than this goes in a circle.
_LONGEST = 64


@dataclass(frozen=True)
class Link:
    """One axis of a chain: the axis at its first setting, where it is, and its settings."""

    axis: Axis
    path: str
    settings: tuple[float, ...]


def detector_plane(detector: h5py.Group, found: Metadata) -> DetectorPlane | None:
    """Return where a detector stands by its ``depends_on`` chain, None if it has none.

    A chain that makes no sense is listed in ``conflicts`` and not used.
    """
    try:
        return _plane(detector, found)
    except MetadataError as error:
        found.conflict("detector_origin", f"the chain of depends_on is not used: {error}")
        return None


def _plane(detector: h5py.Group, found: Metadata) -> DetectorPlane | None:
    modules = [group for _, group in _hdf5.items(detector) if _is_module(group)]
    if not modules:
        return None
    # The module with pixel (0, 0); a file lists it first or says so.
    module = next((each for each in modules if _holds_first_pixel(each)), modules[0])
    fast = _hdf5.dataset(module, "fast_pixel_direction")
    slow = _hdf5.dataset(module, "slow_pixel_direction")
    if fast is None or slow is None:
        return None
    origin_chain = chain(module, "module_offset") or chain_after(fast)
    _note_moving(origin_chain, found)
    origin = _matrix(origin_chain) @ [0.0, 0.0, 0.0, 1.0]
    return DetectorPlane(_triple(origin), _direction(fast), _direction(slow))


def _is_module(item: object) -> bool:
    return (
        isinstance(item, h5py.Group)
        and _hdf5.text_attribute(item, "NX_class") == "NXdetector_module"
    )


def _holds_first_pixel(module: h5py.Group) -> bool:
    origin = _hdf5.dataset(module, "data_origin")
    return origin is not None and is_numbers(origin) and not np.any(read(origin))


def _direction(item: h5py.Dataset) -> tuple[float, float, float]:
    """Return the direction of a pixel axis: its vector, turned by what it stands on."""
    vector = _triplet(item, "vector")
    return _triple(_matrix(chain_after(item))[:3, :3] @ (vector / np.linalg.norm(vector)))


def _note_moving(links: Sequence[Link], found: Metadata) -> None:
    for link in links:
        if len(set(link.settings)) > 1:
            found.conflict(
                "detector_origin",
                f"{link.path} moves from {link.settings[0]:g} to {link.settings[-1]:g} during the "
                "scan; the first setting is used",
            )


def _matrix(links: Sequence[Link]) -> Any:
    return chain_matrix([link.axis for link in links])


def chain(group: h5py.Group, name: str) -> list[Link]:
    """Return the chain that begins with a dataset of a group; empty if it is not there.

    Raises
    ------
    MetadataError
        If the chain is broken, goes in a circle, or an axis makes no sense.
    """
    item = _hdf5.dataset(group, name)
    return [] if item is None else [_link(item), *chain_after(item)]


def chain_after(item: h5py.Dataset) -> list[Link]:
    """Return the chain that a dataset stands on. Raises MetadataError."""
    links: list[Link] = []
    here = item
    while True:
        target = _hdf5.text_attribute(here, "depends_on")
        if target in ("", "."):
            return links
        here = _resolve(here.parent, target)
        links.append(_link(here))
        if len(links) > _LONGEST:
            raise MetadataError(
                f"{item.name} depends on a chain of more than {_LONGEST} axes that goes in a "
                "circle. Correct its depends_on in the file."
            )


def chain_of(group: h5py.Group) -> list[Link]:
    """Return the chain that ``depends_on`` in a group begins. Raises MetadataError."""
    target = _hdf5.string(_hdf5.dataset(group, "depends_on"))
    if target in ("", "."):
        return []
    first = _resolve(group, target)
    return [_link(first), *chain_after(first)]


def _resolve(group: h5py.Group, target: str) -> h5py.Dataset:
    """Return the dataset that ``depends_on`` names; some files leave out the first slash."""
    found = _hdf5.dataset(group, target) or _hdf5.dataset(group.file, target)
    if found is None:
        raise MetadataError(
            f"{group.name} depends on {target}, which is not there. Give the geometry when "
            "opening the file: beam_center=, detector_distance=."
        )
    return found


def _link(item: h5py.Dataset) -> Link:
    kind = _hdf5.text_attribute(item, "transformation_type")
    to = "deg" if kind == "rotation" else "m"
    settings = _settings(item, to)
    vector = _triplet(item, "vector")
    length = float(np.linalg.norm(vector))
    first = settings[0]
    if kind == "translation":
        # A vector that is not of length 1 is the translation itself, as I16 writes it.
        first *= length
    if not length > 0:
        if first:
            raise MetadataError(f"{item.name} has the vector {vector.tolist()}, without direction.")
        vector = np.array([0.0, 0.0, 1.0])  # a translation by 0 needs no direction
    offset = _offset(item, to)
    return Link(
        Axis(_name(item), kind, tuple(vector.tolist()), first, offset), str(item.name), settings
    )


def _settings(item: h5py.Dataset, to: str) -> tuple[float, ...]:
    if not is_numbers(item) or not item.size:
        raise MetadataError(f"{item.name} is not a number, so no axis of rotation or translation.")
    unit = _hdf5.text_attribute(item, "units") or to
    factor = convert(1.0, unit, to)
    values = np.asarray(read(item), np.float64).reshape(-1)
    if not np.isfinite(values).all():
        raise MetadataError(f"{item.name} has settings that are not numbers.")
    return tuple(float(f"{value * factor:.15g}") for value in values)


def _offset(item: h5py.Dataset, to: str) -> tuple[float, float, float]:
    if _hdf5.attribute(item, "offset") is None:
        return (0.0, 0.0, 0.0)
    own = _hdf5.text_attribute(item, "units") if to == "m" else ""
    unit = _hdf5.text_attribute(item, "offset_units") or own or "m"
    return _triple(_triplet(item, "offset") * convert(1.0, unit, "m"))


def _triplet(item: h5py.Dataset, name: str) -> Any:
    value = _hdf5.attribute(item, name)
    numbers = np.asarray(0.0 if value is None or isinstance(value, h5py.Empty) else value)
    if numbers.shape != (3,) or numbers.dtype.kind not in "iuf" or not np.isfinite(numbers).all():
        raise MetadataError(
            f"{item.name} has the {name} {value}; three numbers are needed. Correct it in the file."
        )
    return numbers.astype(float)


def _triple(vector: Any) -> tuple[float, float, float]:
    x, y, z = (float(round(float(value), 12)) + 0.0 for value in vector[:3])
    return x, y, z


def _name(item: h5py.Dataset) -> str:
    return str(item.name).rpartition("/")[2].strip()


def goniometer(sample: h5py.Group, frames: int, found: Metadata) -> dict[str, Any]:
    """Set ``goniometer`` in the attributes, and return the axes that have a setting a frame.

    Parameters
    ----------
    sample
        The NXsample.
    frames
        Number of frames.

    Returns
    -------
    settings
        For each axis that moves, its settings [deg or m], shape (frame,), and its unit.
    """
    try:
        links = chain_of(sample)
    except MetadataError as error:
        found.conflict("goniometer", f"the chain of depends_on is not used: {error}")
        return {}
    if links:
        found.attrs["goniometer"] = json.dumps([_described(links, i) for i in range(len(links))])
    moving = {}
    for link in links:
        if len(link.settings) == frames and len(set(link.settings)) > 1:
            unit = "deg" if link.axis.kind == "rotation" else "m"
            moving[link.axis.name] = (np.array(link.settings), unit)
    return moving


def _described(links: Sequence[Link], index: int) -> dict[str, Any]:
    link = links[index]
    steps = np.diff(link.settings)
    return {
        "name": link.axis.name,
        "type": link.axis.kind,
        "depends_on": links[index + 1].axis.name if index + 1 < len(links) else ".",
        "vector": list(link.axis.vector),
        "setting": link.settings[0],
        "increment": float(np.median(steps)) if steps.size else 0.0,
    }
