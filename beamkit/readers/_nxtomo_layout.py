"""Where an NXtomo file has its frames, keys and angles.

The definition names the fields; where they are differs. Diamond: ``/entry1/tomo_entry/...``, and on
DIAD ``/entry/imaging/data`` with ``/entry/instrument/imaging/image_key`` and ``gts_theta_value``.
ESRF: any name of the entry, ``instrument/detector/{data,image_key}``, ``sample/rotation_angle``.
So they are found by name and length, not by a table of paths.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

from beamkit.core.errors import ParameterError, UnreadableFileError
from beamkit.core.schema import note

from . import _hdf5
from ._hdf5_chunks import read
from ._hdf5_links import broken_link, require_dataset, require_sources
from ._nexus_plot import is_numbers
from ._nexus_tree import Tree, entry_of, is_below
from ._tomography import PROJECTION, as_numbers

#: The field of the definition; a file may have others (image_key_control) that are not it.
_KEY = "image_key"


@dataclass
class Layout:
    """One tomography scan in a file.

    Attributes
    ----------
    tree, entry
        The file, and the path of the entry.
    data
        The frames, shape (frame, detector_y, detector_x).
    keys
        ``image_key`` of each frame.
    detector
        The group with the keys or the frames, usually an NXdetector.
    announced
        Number of frames that the keys were written for; more than ``keys`` if the scan was cut.
    """

    tree: Tree
    entry: str
    data: h5py.Dataset
    keys: NDArray[np.int64]
    detector: h5py.Group | None
    announced: int
    notes: list[str] = field(default_factory=list)
    assumed: list[str] = field(default_factory=list)

    def say(self, attrs: dict[str, Any]) -> None:
        """Add what was noticed to the attributes, in place."""
        for line in self.notes:
            note(attrs, "notes", line)
        for line in self.assumed:
            note(attrs, "assumed", line)


def has_scan(tree: Tree) -> bool:
    """Say whether a file has an ``image_key``, or defines itself as NXtomo."""
    return any(True for _ in tree.named(_KEY)) or bool(_defined_entries(tree))


def find(
    tree: Tree, *, data: str | None, image_key: str | ArrayLike | None, entry: str | None
) -> Layout:
    """Return the scan in a file.

    Raises
    ------
    ParameterError
        If there are several, or an option names something that is not there.
    MissingSourceError
        If the frames are behind a link that leads nowhere.
    UnreadableFileError
        If keys and frames do not fit.
    """
    below = _entry(tree, entry)
    found: list[Layout] = []
    failures: list[UnreadableFileError] = []
    for keys, place in _keys(tree, below, image_key):
        try:
            found.append(_layout(tree, keys, place, data, below))
        except UnreadableFileError as error:
            failures.append(error)
    if not found:
        raise failures[0] if failures else _without_keys(tree)
    chosen = _one(tree, found)
    chosen.notes += [f"another scan in the file cannot be read: {error}" for error in failures]
    return chosen


def _entry(tree: Tree, entry: str | None) -> str:
    if entry is None:
        return "/"
    below = "/" + entry.strip("/")
    if not isinstance(_hdf5.member(tree.file, below), h5py.Group):
        names = ", ".join(_hdf5.text(name) for name in tree.file)
        raise ParameterError(
            f"{tree.file.filename} has no entry {entry!r}. It has: {names}. Give one as entry=..."
        )
    return below


def _keys(
    tree: Tree, below: str, given: str | ArrayLike | None
) -> Iterator[tuple[NDArray[np.int64] | None, str]]:
    """Give keys and the path where they are; None where every frame is a projection."""
    if given is not None and not isinstance(given, str):
        yield as_numbers(_KEY, given).astype(np.int64), ""
        return
    if given is not None:
        yield _read_keys(require_dataset(tree.file, given)), given
        return
    seen: list[h5py.Dataset] = []
    for path in tree.named(_KEY, below):
        item = _hdf5.dataset(tree.file, path)
        if item is not None and item not in seen:
            seen.append(item)
            yield _without_alignment(_read_keys(item), item), path
    if not seen:
        for path in _defined_entries(tree):
            if is_below(path, below) or is_below(below, path):
                yield None, f"{path}/instrument/detector/{_KEY}"


def _read_keys(item: h5py.Dataset) -> NDArray[np.int64]:
    if not is_numbers(item):
        raise UnreadableFileError(
            f"{item.file.filename}: {item.name} holds {item.dtype}, not numbers. Give "
            "image_key=..., an array with 0 for a projection, 1 for a flat, 2 for a dark, one a "
            "frame."
        )
    return read(item).reshape(-1).astype(np.int64)


def _without_alignment(keys: NDArray[np.int64], item: h5py.Dataset) -> NDArray[np.int64]:
    """Return the keys with -1 for alignment frames, which the ESRF marks in another field."""
    control = _hdf5.dataset(item.parent, "image_key_control")
    if control is None or control.dtype.kind not in "iu" or control.shape != item.shape:
        return keys
    return np.where(_read_keys(control) == -1, -1, keys)


def _layout(
    tree: Tree, keys: NDArray[np.int64] | None, place: str, data: str | None, below: str
) -> Layout:
    frames = _frames(tree, keys, place, data, below)
    require_sources(frames)
    assumed, notes = [], []
    if keys is None:
        keys = np.full(frames.shape[0], PROJECTION)
        assumed.append("image_key: the file has none; every frame is taken as a projection")
    announced = len(keys)
    if announced != frames.shape[0]:
        shorter = min(announced, frames.shape[0])
        notes.append(
            f"{announced} frames are announced by image_key, {frames.shape[0]} are there; "
            f"the first {shorter} are used (an interrupted scan looks like this)"
        )
        keys = keys[:shorter]
    inside = place or str(frames.name)
    detector = _detector(tree, inside)
    return Layout(tree, entry_of(inside), frames, keys, detector, announced, notes, assumed)


def _frames(
    tree: Tree, keys: NDArray[np.int64] | None, place: str, data: str | None, below: str
) -> h5py.Dataset:
    if data is not None:
        frames = require_dataset(tree.file, data)
        if frames.ndim != 3:
            raise UnreadableFileError(
                f"{tree.file.filename}: {data} has the shape {frames.shape}; frames need "
                "(frame, detector_y, detector_x). Name another dataset with data=..."
            )
        return frames
    length = None if keys is None else len(keys)
    beside = f"{place.rpartition('/')[0]}/data" if place else ""
    frames_beside = _stack(tree, beside)
    if frames_beside is not None:
        return frames_beside
    broken = broken_link(tree.file, beside) if beside else ""
    if broken:
        return require_dataset(tree.file, beside)  # raises, naming the file that is missing
    entry = entry_of(place) if place else below
    for path in tree.names:
        stack = _stack(tree, path) if is_below(path, entry) else None
        if stack is not None and length in (None, stack.shape[0]):
            return stack
    raise UnreadableFileError(
        f"{tree.file.filename}: no dataset with {length} frames belongs to {place or 'image_key'}. "
        "Name the frames with data=..., such as data='/entry/instrument/detector/data'."
    )


def _stack(tree: Tree, path: str) -> h5py.Dataset | None:
    item = _hdf5.dataset(tree.file, path) if path else None
    is_stack = item is not None and item.ndim == 3 and item.dtype.kind in "iuf"
    return item if is_stack else None


def _detector(tree: Tree, place: str) -> h5py.Group | None:
    parent = _hdf5.member(tree.file, place.rpartition("/")[0] or "/")
    detectors = list(tree.of_class("NXdetector", entry_of(place)))
    if isinstance(parent, h5py.Group) and parent in detectors:
        return parent
    return detectors[0] if len(detectors) == 1 else None


def _one(tree: Tree, found: list[Layout]) -> Layout:
    """Return the only scan, or the one that the file says is its default."""
    different = [
        each for i, each in enumerate(found) if each.data not in [e.data for e in found[:i]]
    ]
    if len(different) == 1:
        return different[0]
    default = _hdf5.text_attribute(tree.file, "default")
    if default:
        chosen = [each for each in different if is_below(each.entry, "/" + default.strip("/"))]
        if len(chosen) == 1:
            return chosen[0]
    choices = "; ".join(
        f"entry={each.entry[1:]!r} with data={each.data.name!r}" for each in different
    )
    raise ParameterError(
        f"{tree.file.filename} holds {len(different)} tomography scans: {choices}. "
        "Choose with entry=... or data=..."
    )


def _defined_entries(tree: Tree) -> list[str]:
    found = []
    for path in tree.named("definition"):
        if _hdf5.string(_hdf5.dataset(tree.file, path)) == "NXtomo":
            found.append(path.rpartition("/")[0])
    return found


def _without_keys(tree: Tree) -> UnreadableFileError:
    return UnreadableFileError(
        f"{tree.file.filename}: the image_key cannot be read, so darks and flats cannot be told "
        "from projections. Give image_key=..., an array with 0, 1 or 2 for each frame."
    )
