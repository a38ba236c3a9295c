"""A stack of images in a NeXus file, with the detector that took it, as a dataset."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dask.array as da
import h5py
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.detectors import layout_of
from beamkit.core.schema import DETECTOR_X, DETECTOR_Y, note

from . import _hdf5
from ._dataset import coordinate, finished, image_stack
from ._hdf5_chunks import read
from ._hdf5_virtual_gaps import Flags
from ._image_geometry import place
from ._mask import mask, said_of_detector
from ._nexus_geometry import detector_plane, goniometer
from ._nexus_metadata import Metadata
from ._nexus_plot import clean, columns, units_of

#: What makes a detector one of diffraction rather than a camera.
_DIFFRACTION = ("detector_distance", "beam_center_x", "detector_origin")


@dataclass
class Stack:
    """Frames and what belongs to them.

    Attributes
    ----------
    path, file_format
        Where they come from.
    data
        Shape (frame, detector_y, detector_x).
    units
        Of the numbers.
    found
        Metadata of the file.
    detector
        The NXdetector; None if there is none.
    plot
        The NXdata; None if there is none.
    sample
        The NXsample; None if there is none.
    coords
        Coordinates by name, as ``assign_coords`` takes them.
    gaps
        True where no file has pixels, shape (detector_y, detector_x); None if that is nowhere.
    """

    path: Path
    file_format: str
    data: da.Array
    units: str
    found: Metadata
    detector: h5py.Group | None = None
    plot: h5py.Group | None = None
    sample: h5py.Group | None = None
    coords: dict[str, Any] = field(default_factory=dict)
    gaps: Flags | None = None

    def dataset(self, kind: str | None = None) -> xr.Dataset:
        """Return the frames as a dataset of kind ``diffraction`` or ``image``."""
        self._place_detector()
        kind = kind or ("diffraction" if self._is_diffraction() else "image")
        self._add_frame_coordinates()
        attrs = self.found.attrs
        quantity = "counts" if self.units == "counts" else ""
        frames = image_stack(
            self.data, "frame", units=self.units, quantity=quantity, coords=self.coords
        )
        variables = {"frames" if kind == "diffraction" else "image": frames}
        groups = [group for group in (self.detector, self.plot) if group is not None]
        masked = mask(self.data[0], groups, attrs, self.gaps) if len(self.data) else None
        if masked is not None:
            variables["mask"] = masked
        return finished(
            variables, kind=kind, attrs=attrs, source=self.path, file_format=self.file_format
        )

    def _place_detector(self) -> None:
        attrs = self.found.attrs
        assume_pixel_size(attrs, self.data.shape[-2:])
        plane = None if self.detector is None else detector_plane(self.detector, self.found)
        if self.detector is not None:
            place(attrs, plane)

    def _is_diffraction(self) -> bool:
        attrs = self.found.attrs
        if any(name in attrs for name in _DIFFRACTION):
            return True
        has_photons = "energy" in attrs or "wavelength" in attrs
        return self.file_format == "nxmx" or (has_photons and "pixel_size_x" in attrs)

    def _add_frame_coordinates(self) -> None:
        frames = len(self.data)
        settings = {} if self.sample is None else goniometer(self.sample, frames, self.found)
        settings.update(_sample_angles(self.sample, frames))
        for name, (values, unit) in settings.items():
            self.coords[name] = coordinate("frame", values, unit)
        if len(settings) == 1:
            ((values, unit),) = settings.values()
            if unit == "deg":
                self.found.attrs["start_angle"] = float(values[0])
                self.found.attrs["angle_increment"] = float(np.median(np.diff(values)))
        for group in (self.plot, self.detector):
            self._add_columns(group, frames)

    def _add_columns(self, group: h5py.Group | None, frames: int) -> None:
        """One number a frame, beside the frames, is a coordinate of theirs."""
        if group is None or frames < 2:
            return
        for name, item in columns(group):
            if item.size == frames and name not in self.coords and name not in _TAKEN:
                values = read(item)
                self.coords[name] = coordinate("frame", values, units_of(item))


_TAKEN = {"frame", DETECTOR_X, DETECTOR_Y, "frames", "image", "mask"}


def assume_pixel_size(attrs: dict[str, Any], shape: Sequence[int]) -> None:
    """Take the pixel size from the shape of the frames, where the file does not give it."""
    layout = layout_of((int(shape[0]), int(shape[1])), **said_of_detector(attrs))
    if layout is None or "pixel_size_x" in attrs or "pixel_size_y" in attrs:
        return
    for name in ("pixel_size_x", "pixel_size_y"):
        attrs[name] = layout.pixel_size
        text = f"{name}: not in the file; that of the {layout.name}, whose frames have this shape"
        note(attrs, "assumed", text)
    if "detector" not in attrs:
        attrs["detector"] = layout.name
        note(
            attrs, "assumed", f"detector: not in the file; {layout.name} by the shape of its frames"
        )


def _sample_angles(
    sample: h5py.Group | None, frames: int
) -> Mapping[str, tuple[NDArray[np.float64], str]]:
    """Return the angles of DECTRIS's ``sample/goniometer`` that change from frame to frame."""
    group = None if sample is None else _hdf5.member(sample, "goniometer")
    if not isinstance(group, h5py.Group) or frames < 2:
        return {}
    found = {}
    for name, item in columns(group):
        if item.size == frames and not name.endswith("_end"):
            values = np.asarray(read(item), float)
            if np.ptp(values) > 0:
                found[name] = (values, units_of(item, "deg"))
    return found


def frames_of(data: da.Array) -> da.Array:
    """Return an array of images as (frame, detector_y, detector_x).

    Axes of length 1 in front are dropped; others are collapsed, the last one running fastest.
    """
    while data.ndim > 3 and data.shape[0] == 1:
        data = data[0]
    if data.ndim == 2:
        return data[None]
    if data.ndim == 3:
        return data
    return data.reshape((math.prod(data.shape[:-2]), *data.shape[-2:]))


def axis_coordinates(
    signal: h5py.Dataset, axes: Sequence[h5py.Dataset | None], found: Metadata
) -> dict[str, Any]:
    """Return coordinates from the axes of an NXdata: those of the pixels, and those of the frames.

    An axis longer than the data is cut, one shorter is left out; both are noted.
    """
    leading = signal.shape[:-2]
    dims = [*range(len(leading)), DETECTOR_Y, DETECTOR_X]
    coords: dict[str, Any] = {}
    for number, axis in enumerate(axes):
        if axis is None or (number < len(leading) and leading[number] == 1):
            continue
        values = fitted(axis, signal.shape[number], found)
        name = clean(str(axis.name).rpartition("/")[2])
        if values is None or name in _TAKEN:
            continue
        dim = dims[number]
        if isinstance(dim, int):
            shape = [1] * len(leading)
            shape[number] = -1
            values = np.broadcast_to(values.reshape(shape), leading).reshape(-1)
            dim = "frame"
        coords[name] = coordinate(dim, values, units_of(axis))
    return coords


def fitted(axis: h5py.Dataset, length: int, found: Metadata) -> NDArray[Any] | None:
    """Return the values of an axis for data of a length, None if there are too few."""
    values = read(axis)
    if len(values) == length:
        return values
    done = "the first are used" if len(values) > length else "it is left out"
    text = f"{axis.name} has {len(values)} values for {length} in the data; {done}"
    note(found.attrs, "notes", text)
    return values[:length] if len(values) > length else None
