"""What the headers of files say, for sorting and filtering: read once, kept while unchanged."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import numpy as np
import xarray as xr

from beamkit.core.errors import BeamkitError
from beamkit.core.schema import BOOKKEEPING, main_variable
from beamkit.readers import open_dataset

Attributes = Mapping[str, Any]

#: What changes when a file does: path, time of the last change [ns], size [byte].
Key = tuple[str, int, int]

#: How many headers are kept; each takes about 3 kB.
_KEEP = 20_000

#: Frames of a series opened together, which takes a fifth of the time that they take one by one.
BATCH = 32


def file_key(path: str | os.PathLike[str]) -> Key:
    """Return path, time of the last change and size, which tell one state of a file from another.

    A file that is not there has 0 and 0.
    """
    name = os.fspath(path)
    try:
        found = os.stat(name)  # noqa: PTH116, called for thousands
    except OSError:
        return name, 0, 0
    return name, found.st_mtime_ns, found.st_size


class HeaderCache:
    """Attributes of files, at most so many; the ones not asked for longest go first."""

    def __init__(self, keep: int = _KEEP) -> None:
        self._keep = keep
        self._known: OrderedDict[Key, Attributes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> Attributes | None:
        """Return what is known about a file, or None."""
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
            return self._known.get(key)

    def put(self, key: Key, attributes: Mapping[str, Any]) -> Attributes:
        """Keep the attributes of a file, and return them so that nobody can change them."""
        frozen = MappingProxyType(dict(attributes))
        with self._lock:
            self._known[key] = frozen
            while len(self._known) > self._keep:
                self._known.popitem(last=False)
        return frozen

    def __len__(self) -> int:
        return len(self._known)


_CACHE = HeaderCache()


def known_attributes(path: str | os.PathLike[str]) -> Attributes | None:
    """Return the attributes of a file if they have been read and it has not changed, else None."""
    return _CACHE.get(file_key(path))


def attributes(path: str | os.PathLike[str]) -> Attributes:
    """Return what the header of a file says.

    Parameters
    ----------
    path
        Any file that :func:`beamkit.open` opens.

    Returns
    -------
    attributes
        Attributes of :data:`beamkit.core.schema.ATTRIBUTES` that are numbers or text, ``kind``,
        and ``frames``, the number of images. A file that cannot be opened has ``unreadable``
        alone: the reason, in words.
    """
    return attributes_of([path])[0]


def attributes_of(paths: Sequence[str | os.PathLike[str]]) -> list[Attributes]:
    """Return :func:`attributes` of several files; frames of one series are read together."""
    keys = [file_key(path) for path in paths]
    known = {key: found for key in keys if (found := _CACHE.get(key)) is not None}
    missing = [key for key in keys if key not in known]
    for start in range(0, len(missing), BATCH):
        batch = missing[start : start + BATCH]
        known.update(zip(batch, _read(batch), strict=True))
    return [known[key] for key in keys]


def _read(keys: Sequence[Key]) -> list[Attributes]:
    together = _of_series([key[0] for key in keys]) if len(keys) > 1 else None
    found = together if together is not None else [_of_file(key[0]) for key in keys]
    return [_CACHE.put(key, one) for key, one in zip(keys, found, strict=True)]


def _of_file(path: str) -> dict[str, Any]:
    try:
        data = open_dataset(path)
        return {**_plain(data.attrs), **_single(data), "frames": _frames(data)}
    except BeamkitError as error:
        return {"unreadable": str(error)}


def _of_series(paths: list[str]) -> list[dict[str, Any]] | None:
    """Return the attributes of frames that open as one dataset, or None."""
    try:
        data = open_dataset(paths)
    except BeamkitError:
        return None
    if not _one_frame_each(data, paths):
        return None
    shared = {**_plain(data.attrs), "frames": 1}
    found = [dict(shared) for _ in paths]
    for name, values in _per_frame(data).items():
        for one, value in zip(found, values, strict=True):
            one[name] = value
    for one, path in zip(found, paths, strict=True):
        one["source"] = path
    return found


def _one_frame_each(data: xr.Dataset, paths: list[str]) -> bool:
    """Say whether frame i is the whole of file i: neither several frames, nor another order."""
    if data.sizes.get("frame") != len(paths) or "source" not in data.coords:
        return False
    names = [os.path.basename(path) for path in paths]  # noqa: PTH119
    return bool(data["source"].values.tolist() == names)


def _plain(attrs: Mapping[Any, Any]) -> dict[str, Any]:
    """Return what can be compared: numbers and text."""
    left_out = set(BOOKKEEPING) - {"kind"}
    return {
        str(name): value.item() if isinstance(value, np.generic) else value
        for name, value in attrs.items()
        if name not in left_out and isinstance(value, (int, float, str, np.generic))
    }


def _frames(data: xr.Dataset) -> int:
    sizes = data[main_variable(data)].sizes
    return int(np.prod(list(sizes.values())[:-2], dtype=int)) or 1


def _single(data: xr.Dataset) -> dict[str, Any]:
    """Return the coordinates of the frame, if there is only one."""
    if data.sizes.get("frame") != 1:
        return {}
    return {name: values[0] for name, values in _per_frame(data).items()}


def _per_frame(data: xr.Dataset) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {
        str(name): values.values.tolist()
        for name, values in data.coords.items()
        if values.dims == ("frame",) and name not in ("frame", "source", "time")
    }
    started = _started(data)
    return {**found, "start_time": started} if started else found


def _started(data: xr.Dataset) -> list[str]:
    """Return when each frame began, from the first one's time and the seconds since then."""
    if "time" not in data.coords or "start_time" not in data.attrs:
        return []
    try:
        first = datetime.fromisoformat(data.attrs["start_time"])
        times = [first + timedelta(seconds=s) for s in data["time"].values.tolist()]
        return [time.isoformat(timespec="milliseconds") for time in times]
    except (ValueError, TypeError, OverflowError):
        return []
