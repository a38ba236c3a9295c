"""The detector of a NeXus file: a chain of ``depends_on``, as NXmx has it.

NeXus manual, NXtransformations and NXdetector_module; Bernstein et al., IUCrJ 7, 784 (2020). The
frame is that of the laboratory. Reading is that of :mod:`beamkit.readers`, so a geometry read here
is the one that the frames of the same file have.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from beamkit.core.atomic import atomic_path
from beamkit.core.errors import (
    BeamkitError,
    MetadataError,
    ParameterError,
    UnknownNameError,
    WriteError,
)
from beamkit.core.schema import lines
from beamkit.core.units import energy_from_wavelength, wavelength_from_energy
from beamkit.readers import _hdf5
from beamkit.readers._image_geometry import place
from beamkit.readers._nexus_geometry import detector_plane
from beamkit.readers._nexus_metadata import Metadata, metadata
from beamkit.readers._nexus_tree import Tree, entry_of, tree

from ._placement import Placement, as_vector

_VECTORS = ("detector_origin", "detector_fast_axis", "detector_slow_axis")
_SIZES = ("pixel_size_x", "pixel_size_y")


def read(path: str | os.PathLike[str], *, detector: str | None = None) -> Placement:
    """Return where a detector of a NeXus file stands.

    The chain of ``depends_on`` counts; a detector without one is placed by its beam centre and
    distance.

    Parameters
    ----------
    path
        The file.
    detector
        Path of the NXdetector, or its name; needed where the file has several.

    Raises
    ------
    UnreadableFileError
        If the file is damaged.
    ParameterError
        If there is no such detector, or several with pixels and none was chosen.
    MetadataError
        If the file does not say where the detector stands.
    """
    with _hdf5.open_file(Path(path)) as file:
        seen = tree(file)
        group = _chosen(seen, detector)
        found = metadata(seen, entry_of(str(group.name)), group)
        plane = detector_plane(group, found)
        place(found.attrs, plane)
        return _placed(found, group, f"{path}: {group.name}")


def _chosen(seen: Tree, detector: str | None) -> h5py.Group:
    every = {str(group.name): group for group in seen.of_class("NXdetector")}
    if detector is not None:
        names = [name for name in every if detector in (name, name.rpartition("/")[2])]
        if len(names) != 1:
            raise UnknownNameError(f"NXdetector in {seen.file.filename}", detector, every)
        return every[names[0]]
    # Counters and regions of interest are NXdetectors too, but have no pixels.
    with_pixels = [group for group in every.values() if _has_pixels(group)] or [*every.values()]
    if len(with_pixels) != 1:
        listed = ", ".join(str(group.name) for group in with_pixels) or "none"
        raise ParameterError(
            f"{seen.file.filename}: one NXdetector is needed, found: {listed}. "
            "Choose one with detector=, by its path or name."
        )
    return with_pixels[0]


def _has_pixels(group: h5py.Group) -> bool:
    return _hdf5.dataset(group, "x_pixel_size") is not None or any(_modules(group))


def _modules(group: h5py.Group) -> Iterator[h5py.Group]:
    for _, item in _hdf5.items(group):
        if _hdf5.text_attribute(item, "NX_class") == "NXdetector_module":
            yield item


def _placed(found: Metadata, group: h5py.Group, name: str) -> Placement:
    attrs = found.attrs
    missing = [each for each in (*_VECTORS, *_SIZES) if each not in attrs]
    if missing:
        said = lines(attrs, "conflicts")
        raise MetadataError(
            f"{name} does not say where the detector stands: {', '.join(missing)} missing. "
            f"{' '.join(f'({line})' for line in said)} Open the frames with beam_center=, "
            "detector_distance= and pixel_size=, and take the geometry from them."
        )
    wavelength = attrs.get("wavelength")
    if wavelength is None and "energy" in attrs:
        wavelength = wavelength_from_energy(attrs["energy"])
    about = (*_VECTORS, *_SIZES, "beam_center", "detector_distance", "wavelength", "energy")
    assumed = tuple(line for line in lines(attrs, "assumed") if line.startswith(about))
    origin, fast, slow = (as_vector(attrs[each]) for each in _VECTORS)
    size_x, size_y = (attrs[each] for each in _SIZES)
    return Placement(origin, fast, slow, size_x, size_y, _shape(group), wavelength, assumed)


def _shape(group: h5py.Group) -> tuple[int, int] | None:
    """Return rows and columns of the frames, else those of the one module."""
    data = _hdf5.dataset(group, "data")
    if data is not None and data.ndim >= 2:
        return int(data.shape[-2]), int(data.shape[-1])
    sizes = [_hdf5.dataset(module, "data_size") for module in _modules(group)]
    if len(sizes) != 1 or sizes[0] is None or sizes[0].shape != (2,):
        return None
    rows, columns = np.asarray(sizes[0][()])
    return int(rows), int(columns)


def write(placement: Placement, target: str | os.PathLike[str] | h5py.Group) -> None:
    """Write the detector into a new NeXus file, or into a group that becomes an NXdetector.

    Parameters
    ----------
    placement
        Where it stands.
    target
        Path of the file to make, with the photons beside the detector; or an open group, of which
        the entries written here must not exist yet.

    Raises
    ------
    WriteError
        If it cannot be written.
    """
    if isinstance(target, h5py.Group):
        with _named(f"{target.file.filename}: {target.name}"):
            _write_detector(placement, target)
        return
    with (
        atomic_path(target) as temporary,
        _named(str(target)),
        h5py.File(temporary, "w") as file,
    ):
        _write_file(placement, file)


class _named:  # noqa: N801 - reads as a word of the with statement
    """Turn what h5py raises into WriteError naming the file."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        is_plain_os = isinstance(error, OSError) and error.errno is not None
        if is_plain_os or isinstance(error, BeamkitError):
            return
        if isinstance(error, (OSError, RuntimeError, ValueError, KeyError, TypeError)):
            raise WriteError(
                f"{self._name} was not written: {' '.join(str(error).split())}. "
                "Give an empty group of a file opened for writing, or the path of a new file."
            ) from error


def _write_file(placement: Placement, file: h5py.File) -> None:
    file.attrs["default"] = "entry"
    entry = _group(file, "entry", "NXentry")
    entry["definition"] = "NXmx"
    instrument = _group(entry, "instrument", "NXinstrument")
    if placement.wavelength is not None:
        beam = _group(instrument, "beam", "NXbeam")
        _field(beam, "incident_wavelength", placement.wavelength, "angstrom")
        _field(beam, "incident_energy", energy_from_wavelength(placement.wavelength), "keV")
    _write_detector(placement, _group(instrument, "detector", "NXdetector"))


def _write_detector(placement: Placement, detector: h5py.Group) -> None:
    detector.attrs["NX_class"] = "NXdetector"
    _field(detector, "x_pixel_size", placement.pixel_size_x, "m")
    _field(detector, "y_pixel_size", placement.pixel_size_y, "m")
    try:
        beam = placement.beam_center
    except MetadataError:
        pass  # a detector swung beyond 90 deg has none
    else:
        _field(detector, "beam_center_x", beam.x, "pixel")
        _field(detector, "beam_center_y", beam.y, "pixel")
        _field(detector, "distance", beam.distance, "m")
    chain = _group(detector, "transformations", "NXtransformations")
    length = float(np.linalg.norm(placement.origin))
    corner = _axis(chain, "origin", length, np.divide(placement.origin, length or 1.0), ".")
    detector["depends_on"] = corner.name
    _write_module(placement, detector, corner)


def _write_module(placement: Placement, detector: h5py.Group, corner: h5py.Dataset) -> None:
    module = _group(detector, "module", "NXdetector_module")
    if placement.shape is not None:
        module["data_origin"] = np.zeros(2, int)
        module["data_size"] = np.array(placement.shape)
    offset = _axis(module, "module_offset", 0.0, (0.0, 0.0, 1.0), corner.name)
    for name, size, vector in (
        ("fast", placement.pixel_size_x, placement.fast),
        ("slow", placement.pixel_size_y, placement.slow),
    ):
        _axis(module, f"{name}_pixel_direction", size, vector, offset.name)


def _group(parent: h5py.Group, name: str, nx_class: str) -> h5py.Group:
    group = parent.create_group(name)
    group.attrs["NX_class"] = nx_class
    return group


def _field(group: h5py.Group, name: str, value: float, units: str) -> h5py.Dataset:
    item = group.create_dataset(name, data=float(value))
    item.attrs["units"] = units
    return item


def _axis(
    group: h5py.Group, name: str, value: float, vector: Sequence[float] | Any, depends_on: str
) -> h5py.Dataset:
    item = _field(group, name, value, "m")
    item.attrs["transformation_type"] = "translation"
    item.attrs["vector"] = np.asarray(vector, float)
    item.attrs["offset"] = np.zeros(3)
    item.attrs["offset_units"] = "m"
    item.attrs["depends_on"] = depends_on
    return item
