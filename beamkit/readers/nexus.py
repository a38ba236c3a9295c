"""NeXus files with an NXdata: scans, images, patterns, and the volumes that beamkit writes.

Source: NeXus manual, "Associating plottable data". What a file says should be plotted is opened;
where it says nothing, the NXdata with most data.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import h5py
import xarray as xr

from beamkit.core.errors import (
    MissingSourceError,
    ParameterError,
    UnknownFormatError,
    UnreadableFileError,
)
from beamkit.core.schema import note

from . import _hdf5
from ._dataset import note_text
from ._hdf5_chunks import unwritten
from ._hdf5_lazy import lazy
from ._hdf5_links import broken_link, require_dataset, require_sources
from ._hdf5_verify import verify
from ._hdf5_virtual_gaps import unmapped
from ._nexus_metadata import metadata
from ._nexus_own_pattern import is_own_pattern, own_pattern
from ._nexus_pattern import Over, axis_of_pattern, pattern
from ._nexus_plot import Plot, default_group, is_numbers, plot_of, plots, units_of
from ._nexus_scan import has_columns, is_grid, scan
from ._nexus_stack import Stack, axis_coordinates, frames_of
from ._nexus_tree import Tree, entry_of, tree
from ._nexus_volume import is_volume, volume
from ._paths import one_file

__all__ = ["DESCRIPTION", "can_read", "read", "verify"]

DESCRIPTION = "a NeXus file with an NXdata (HDF5)"


def can_read(path: Path) -> bool:
    """Say whether the file is HDF5 with an NXdata, or an NXdetector that has data."""
    if not _hdf5.is_hdf5(path):
        return False
    try:
        with _hdf5.open_file(path) as file:
            seen = tree(file)
            return any(True for _ in seen.of_class("NXdata")) or bool(_detector_data(seen, "/"))
    except UnreadableFileError:
        return False


def read(
    paths: Sequence[Path],
    *,
    data: str | None = None,
    entry: str | None = None,
    kind: str | None = None,
) -> xr.Dataset:
    """Return what a NeXus file wants plotted, lazily.

    Parameters
    ----------
    paths
        One file.
    data
        Path of an NXdata group or of a dataset, where the file has several.
    entry
        Name of the entry, where the file has several.
    kind
        ``"scan"`` for the columns of a file that has images too.

    Raises
    ------
    UnreadableFileError
        If the file is damaged, or has no such group.
    MissingSourceError
        If all that there is to plot is in another file that is not there.
    """
    path = one_file(paths, DESCRIPTION)
    with _hdf5.open_file(path) as file:
        seen = tree(file)
        below = "/" if entry is None else _entry(seen, entry)
        chosen, others = _chosen(seen, below, data, kind)
        if is_volume(chosen):
            return volume(path, chosen)
        if is_own_pattern(chosen):
            return own_pattern(path, chosen)
        return _Reading(path, seen, chosen, others).dataset(kind)


class _Reading:
    """A plot in an open file, on its way to a dataset."""

    def __init__(self, path: Path, seen: Tree, chosen: Plot, others: Sequence[Plot]) -> None:
        self.path, self.tree, self.plot, self.others = path, seen, chosen, others
        self.entry = entry_of(str(chosen.group.name))
        self.detector = _detector_of(seen, self.entry, chosen)
        self.found = metadata(seen, self.entry, self.detector)

    def dataset(self, kind: str | None) -> xr.Dataset:
        signal = self.plot.signal
        over = axis_of_pattern(self.plot) if kind in (None, "pattern") else None
        if over is not None:
            return self._pattern(over)
        if signal is None or kind == "scan" or is_grid(self.plot) or not _is_stack(signal):
            return self._scan()
        return self._stack(signal, kind)

    def _scan(self) -> xr.Dataset:
        return scan(self.path, self.plot, self.others, self.found, "nexus")

    def _pattern(self, over: Over) -> xr.Dataset:
        return pattern(self.path, self.plot, over, self.found, "nexus")

    def _stack(self, signal: h5py.Dataset, kind: str | None) -> xr.Dataset:
        require_sources(signal)
        note_text(self.found.attrs, unwritten(signal))
        others = [str(plot.group.name) for plot in self.others if plot.size > 1]
        if others:
            note(
                self.found.attrs,
                "notes",
                f"the file also holds {', '.join(others)}; choose with data=...",
            )
        stack = Stack(
            self.path,
            "nexus",
            frames_of(lazy(signal)),
            units_of(signal, "counts" if signal.dtype.kind in "iu" else "1"),
            self.found,
            detector=self.detector,
            plot=self.plot.group,
            sample=next(self.tree.of_class("NXsample", self.entry), None),
            coords=axis_coordinates(signal, self.plot.axes, self.found),
            gaps=unmapped(signal),
        )
        return stack.dataset(kind)


def _chosen(seen: Tree, below: str, data: str | None, kind: str | None) -> tuple[Plot, list[Plot]]:
    """Return the plot to open, and the others of its entry."""
    if data is not None:
        chosen = _named(seen, data)
        entry = entry_of(str(chosen.group.name))
        return chosen, [p for p in plots(seen, entry) if p.group != chosen.group]
    every = plots(seen, below)
    default = default_group(seen) if below == "/" else None
    chosen_plot = _best(every, default, kind) or _of_detector(seen, below)
    if chosen_plot is None:
        raise _nothing(seen, every)
    entry = entry_of(str(chosen_plot.group.name))
    others = [p for p in every if p.group != chosen_plot.group]
    return chosen_plot, [p for p in others if entry_of(str(p.group.name)) == entry]


def _best(every: Sequence[Plot], default: h5py.Group | None, kind: str | None) -> Plot | None:
    """Return the default plot if it can be reached, else the one with most data."""
    first = [p for p in every if default is not None and p.group == default and p.size > 1]
    if first:
        return first[0]
    images = [p for p in every if p.signal is not None and _is_stack(p.signal) and kind != "scan"]
    signals = [p for p in every if p.size > 1]
    tables = [p for p in every if has_columns(p)]
    for candidates in (images, [p for p in signals if has_columns(p)], tables, signals):
        if candidates:
            return max(candidates, key=lambda p: p.size)
    return None


def _named(seen: Tree, name: str) -> Plot:
    item = _hdf5.member(seen.file, name)
    if isinstance(item, h5py.Group):
        plot = plot_of(item)
        if plot.signal is None and not has_columns(plot):
            raise UnreadableFileError(
                f"{seen.file.filename}: {name} holds nothing to plot. {plot.missing}".rstrip()
            )
        return plot
    signal = require_dataset(seen.file, name)
    parent = _hdf5.member(seen.file, name.rpartition("/")[0] or "/")
    group = parent if isinstance(parent, h5py.Group) else seen.file["/"]
    around = plot_of(group)
    return around if around.signal == signal else Plot(group, signal, ())


def _of_detector(seen: Tree, below: str) -> Plot | None:
    """Return the largest data of an NXdetector: some detectors write no NXdata."""
    found = _detector_data(seen, below)
    reached = [(group, item) for group, item in found if item is not None]
    if not reached:
        return None
    group, item = max(reached, key=lambda pair: pair[1].size or 0)
    return Plot(group, item, (None,) * item.ndim)


def _detector_data(seen: Tree, below: str) -> list[tuple[h5py.Group, h5py.Dataset | None]]:
    found = []
    for group in seen.of_class("NXdetector", below):
        item = _hdf5.dataset(group, "data")
        if (item is not None and is_numbers(item)) or (item is None and "data" in group):
            found.append((group, item))
    return found


def _detector_of(seen: Tree, entry: str, plot: Plot) -> h5py.Group | None:
    """Return the NXdetector that took a signal: the one with that data, or of that name."""
    detectors = list(seen.of_class("NXdetector", entry))
    for group in detectors:
        item = _hdf5.dataset(group, "data")
        if group == plot.group or (item is not None and item == plot.signal):
            return group
    name = str(plot.group.name).rpartition("/")[2]
    named = [group for group in detectors if str(group.name).rpartition("/")[2] == name]
    if named:
        return named[0]
    return detectors[0] if len(detectors) == 1 else None


def _is_stack(signal: h5py.Dataset) -> bool:
    """Say whether an array is one of images: two axes longer than 1."""
    return bool(signal.ndim >= 2 and min(signal.shape[-2:]) > 1)


def _entry(seen: Tree, entry: str) -> str:
    path = "/" + entry.strip("/")
    if not isinstance(_hdf5.member(seen.file, path), h5py.Group):
        names = ", ".join(_hdf5.text(name) for name in seen.file)
        raise ParameterError(
            f"{seen.file.filename} has no entry {entry!r}. It has: {names}. Give one as entry=..."
        )
    return path


def _nothing(seen: Tree, every: Sequence[Plot]) -> UnreadableFileError:
    missing = [plot.missing for plot in every if plot.missing]
    missing += [
        broken_link(seen.file, f"{group.name}/data")
        for group, item in _detector_data(seen, "/")
        if item is None
    ]
    if missing:
        return MissingSourceError(f"{seen.file.filename}: {missing[0]}")
    return UnknownFormatError(
        f"{seen.file.filename} is NeXus, but its NXdata groups hold no arrays. Name a dataset: "
        'bk.open(path, data="/a/b").'
    )
