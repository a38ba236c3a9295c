"""Links and virtual datasets, followed to the files that they need.

HDF5 reads a virtual dataset whose source file is missing as fill values, usually 0. beamkit looks
first: what is missing is an error that names it, never zeros.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

import h5py

from beamkit.core.errors import MissingSourceError, UnreadableFileError

from . import _hdf5
from ._hdf5_walk import find_source, walk

#: Virtual datasets of virtual datasets: deeper than this they go in a circle.
_DEEPEST = 8


def require_dataset(file: h5py.Group, path: str) -> h5py.Dataset:
    """Return the dataset at a path, with every source that it needs in place.

    Raises
    ------
    MissingSourceError
        If a link on the way, or a source of a virtual dataset, leads nowhere.
    UnreadableFileError
        If there is no such dataset.
    """
    found = _hdf5.member(file, path)
    if found is None:
        broken = broken_link(file, path)
        if broken:
            raise MissingSourceError(f"{file.file.filename}: {broken}")
        raise UnreadableFileError(_not_there(file, path))
    if not isinstance(found, h5py.Dataset):
        raise UnreadableFileError(
            f"{file.file.filename}: {path} is a group, not a dataset. "
            f"It holds: {', '.join(map(str, found)) or 'nothing'}."
        )
    require_sources(found)
    return found


def broken_link(group: h5py.Group, path: str) -> str:
    """Return what is wrong with the first broken link on a path, ``""`` if none is."""
    here = group.file["/"] if path.startswith("/") else group
    walked = "" if path.startswith("/") else str(group.name).rstrip("/")
    for part in (part for part in path.split("/") if part):
        walked = f"{walked}/{part}"
        link = _link(here, part)
        following = _hdf5.member(here, part)
        if following is None:
            return _why_broken(here, walked, link)
        if not isinstance(following, h5py.Group):
            return ""
        here = following
    return ""


def _link(group: h5py.Group, name: str) -> object:
    try:
        return group.get(name, getlink=True)
    except _hdf5.DAMAGE:
        return None


def _why_broken(group: h5py.Group, walked: str, link: object) -> str:
    if isinstance(link, h5py.ExternalLink):
        source = find_source(Path(group.file.filename), link.filename)
        if source is None:
            return (
                f"{walked} is a link to {link.path} in {link.filename}, and that file is not "
                f"there. Put it beside {Path(group.file.filename).name}, or at that path."
            )
        return (
            f"{walked} is a link to {link.path} in {source}, where it cannot be reached "
            "(not there, or damaged). Copy that file again."
        )
    if isinstance(link, h5py.SoftLink):
        return f"{walked} is a link to {link.path}, which is not there. Copy the file again."
    return ""


def require_sources(dataset: h5py.Dataset, depth: int = 0) -> None:
    """Raise MissingSourceError unless each source of a virtual dataset is there, long enough."""
    path = Path(dataset.file.filename)
    with _hdf5.readable(path, str(dataset.name)):
        if not dataset.is_virtual:
            return
        if depth > _DEEPEST:
            raise MissingSourceError(
                f"{path}: the virtual dataset {dataset.name} leads through more than {_DEEPEST} "
                "others; its sources go in a circle. Write it again."
            )
        for source in dataset.virtual_sources():
            for filename in _numbered(path, source.file_name):
                _require_source(dataset, path, filename, source, depth)


def _numbered(parent: Path, filename: str) -> list[str]:
    """Return the files that a name with a block number ``%b`` stands for; at least the first.

    HDF5 ends such a dataset at the first number that is not there, without a word. A number that
    is missing among others is therefore listed too.
    """
    if "%b" not in filename:
        return [filename.replace("%%", "%")]
    start, _, end = Path(filename).name.partition("%b")
    pattern = re.compile(re.escape(start) + r"(\d+)" + re.escape(end))
    folder = parent.absolute().parent / Path(filename).parent
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    numbers = [int(match[1]) for name in names if (match := pattern.fullmatch(name))]
    return [filename.replace("%b", str(number)) for number in range(max(numbers, default=0) + 1)]


def _require_source(
    dataset: h5py.Dataset, path: Path, filename: str, source: h5py.h5d.VDSmap, depth: int
) -> None:
    where = f"{path}: the virtual dataset {dataset.name}"
    wanted = source.dset_name.replace("%b", "0")
    found = path if filename == "." else find_source(path, filename)
    if found is None:
        raise MissingSourceError(
            f"{where} takes frames from {filename}, and that file is not there. "
            f"Put it beside {path.name}, or at that path; without it HDF5 would give zeros."
        )
    with _hdf5.open_file(found) as file:
        target = _hdf5.dataset(file, wanted)
        if target is None:
            raise MissingSourceError(
                f"{where} takes frames from {wanted} in {found}, which has no such dataset. "
                "Copy that file again; without it HDF5 would give zeros."
            )
        if _too_short(source, target):
            raise MissingSourceError(
                f"{where} takes frames from {wanted} in {found} that are not there: its shape is "
                f"{target.shape}. Copy that file again; HDF5 would give zeros for the rest."
            )
        require_sources(target, depth + 1)


def _too_short(source: h5py.h5d.VDSmap, target: h5py.Dataset) -> bool:
    try:
        if source.src_space.get_select_type() == h5py.h5s.SEL_ALL:
            return bool(target.size < source.vspace.get_select_npoints())
        _, last = source.src_space.get_select_bounds()
    except (ValueError, RuntimeError):  # an unlimited selection has no last frame
        return False
    if len(last) != target.ndim:
        return True
    return any(end >= size for end, size in zip(last, target.shape, strict=True))


def _not_there(file: h5py.Group, path: str) -> str:
    found = [f"{name} {shape}" for name, shape in datasets(file.file)]
    listing = "; ".join(found[:12]) or "no arrays"
    more = f" and {len(found) - 12} more" if len(found) > 12 else ""
    return f"{file.file.filename}: there is no {path}. The file holds: {listing}{more}."


def datasets(file: h5py.File, *, least: int = 1) -> list[tuple[str, tuple[int, ...]]]:
    """List the arrays in a file with their shapes, largest first; broken links are passed over.

    Parameters
    ----------
    least
        Dimensions that an array must have to be listed.
    """
    found: list[tuple[str, tuple[int, ...]]] = []
    for entry in walk(file):
        item = None if entry.is_group or entry.is_soft else _hdf5.dataset(file, entry.path)
        if item is not None and item.shape is not None and item.ndim >= least and item.size > 1:
            found.append((entry.path, item.shape))
    return sorted(found, key=lambda each: -math.prod(each[1]))
