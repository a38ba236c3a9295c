"""Patterns in NeXus: any of them as NXdata, those over q as NXcanSAS.

NXcanSAS: application definition of the NeXus manual, version 1.1 (canSAS 2012 data format; Jemian
et al., https://manual.nexusformat.org/classes/applications/NXcanSAS.html). In both,
the NXcollection ``beamkit`` keeps attributes and dimensions as they were, so that reading gives
them back, and each step of the history is an NXprocess.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

from beamkit._version import __version__
from beamkit.core.atomic import atomic_path
from beamkit.core.errors import MetadataError
from beamkit.core.history import entries
from beamkit.core.pattern_axes import radial_axis

from .nexus import _hdf5_errors_named, _storable, _write_process

#: Of the collection that keeps what NeXus has no field for.
LAYOUT = "pattern-1"

#: Units of intensity that NXcanSAS lists; any other is "arbitrary".
_CANSAS_UNITS = ("1/m", "1/cm", "m2/g", "cm2/g", "arbitrary")

_BLOCK = 16

#: Attribute, field and unit of what is known about the detector.
_DETECTOR = (
    ("detector_distance", "distance", "m"),
    ("beam_center_x", "beam_center_x", "pixel"),
    ("beam_center_y", "beam_center_y", "pixel"),
    ("pixel_size_x", "x_pixel_size", "m"),
    ("pixel_size_y", "y_pixel_size", "m"),
)


def nxdata(data: xr.Dataset, path: Path) -> Path:
    """Write patterns or cakes, the radial axis last, as the default NXdata of a file."""
    with _file(path, "entry") as entry:
        plot = _group(entry, "pattern", "NXdata")
        entry.attrs["default"] = "pattern"
        plot.attrs["signal"] = "intensity"
        _signals(data, plot, {"intensity": "intensity", "sigma": "intensity_errors"})
        _axes(data, plot, {})
        if "weight" in data:
            _field(plot, "weight", data["weight"])
        instrument = _group(entry, "instrument", "NXinstrument")
        attrs = _all_attrs(data)
        _numbers(_group(instrument, "detector", "NXdetector"), attrs, _DETECTOR)
        photons = (
            ("wavelength", "incident_wavelength", "angstrom"),
            ("energy", "incident_energy", "keV"),
        )
        _numbers(_group(instrument, "beam", "NXbeam"), attrs, photons)
        _describe(entry, data)
    return path


def nxcansas(data: xr.Dataset, path: Path) -> Path:
    """Write patterns over q as one SASentry with one SASdata: I(q), of a series I(frame, q).

    Raises
    ------
    MetadataError
        If the axis is not q.
    """
    axis = radial_axis(data)
    if axis != "q":
        raise MetadataError(
            f"{path}: NXcanSAS holds I(q), but the axis of the pattern is {axis}. Integrate with "
            'unit="q_A^-1", or save it with format="nxdata".'
        )
    data = data.squeeze([dim for dim in data["intensity"].dims[:-1] if data.sizes[dim] == 1])
    with _file(path, "sasentry01") as entry:
        entry.attrs.update({"canSAS_class": "SASentry", "version": "1.1", "default": "sasdata01"})
        entry["definition"] = "NXcanSAS"
        entry["run"] = Path(str(data.attrs.get("source", path))).stem
        _sas_data(data, _group(entry, "sasdata01", "NXdata", "SASdata"))
        _sas_instrument(_all_attrs(data), _group(entry, "sasinstrument01", "NXinstrument"))
        if data.attrs.get("sample"):
            sample = _group(entry, "sassample", "NXsample", "SASsample")
            sample["name"] = str(data.attrs["sample"])
        _describe(entry, data)
        for number, item in enumerate(entries(data.attrs), start=1):
            step = entry[f"process_{number}"]
            step.attrs["canSAS_class"] = "SASprocess"
            step["name"] = item["name"]
            step["description"] = f"beamkit {item['version']}: {item['name']}"
    return path


def _sas_data(data: xr.Dataset, plot: h5py.Group) -> None:
    plot.attrs["signal"] = "I"
    _signals(data, plot, {"intensity": "I", "sigma": "Idev"})
    unit = str(data["intensity"].attrs.get("units", ""))
    said = unit if unit in _CANSAS_UNITS else "arbitrary"
    plot["I"].attrs["units"] = said
    if "Idev" in plot:
        plot["I"].attrs["uncertainties"] = "Idev"
        plot["Idev"].attrs["units"] = said
        plot.attrs["I_uncertainties"] = "Idev"
    _axes(data, plot, {"q": "Q"})
    plot.attrs["I_axes"] = plot.attrs["axes"]
    plot.attrs["Q_indices"] = np.array([data["intensity"].ndim - 1])
    steps = entries(data.attrs)
    if steps:
        plot.attrs["timestamp"] = str(steps[-1]["time"])


def _sas_instrument(attrs: Mapping[str, Any], instrument: h5py.Group) -> None:
    instrument.attrs["canSAS_class"] = "SASinstrument"
    source = _group(instrument, "sassource", "NXsource", "SASsource")
    source["radiation"] = "x-ray"
    _numbers(source, attrs, (("wavelength", "incident_wavelength", "angstrom"),))
    detector = _group(instrument, "sasdetector01", "NXdetector", "SASdetector")
    detector["name"] = str(attrs.get("detector", "") or "detector")
    pixels = _DETECTOR[-2:]
    _numbers(detector, attrs, (("detector_distance", "SDD", "m"), *pixels))


@contextmanager
def _file(path: Path, entry: str) -> Iterator[h5py.Group]:
    """Give the entry of a file that appears when it is whole."""
    with (
        _hdf5_errors_named(path),
        atomic_path(path) as temporary,
        h5py.File(temporary, "w") as file,
    ):
        file.attrs["NX_class"] = "NXroot"
        file.attrs["default"] = entry
        file.attrs["creator"] = f"beamkit {__version__}"
        yield _group(file, entry, "NXentry")


def _group(parent: h5py.Group, name: str, kind: str, sas: str = "") -> h5py.Group:
    made = parent.create_group(name)
    made.attrs["NX_class"] = kind
    if sas:
        made.attrs["canSAS_class"] = sas
    return made


def _signals(data: xr.Dataset, plot: h5py.Group, names: Mapping[str, str]) -> None:
    """Write intensity and sigma; lazy ones together, a block of frames at a time."""
    found = {name: field for name, field in names.items() if name in data}
    chosen = data[list(found)]
    for name, field in found.items():
        made = plot.create_dataset(field, chosen[name].shape, "f8", fillvalue=np.nan)
        for key in ("units", "long_name"):
            made.attrs[key] = str(chosen[name].attrs.get(key, ""))
    lead = data["intensity"].dims[:-1]
    number = data.sizes[lead[0]] if lead else 1
    for start in range(0, number, _BLOCK):
        rows = slice(start, start + _BLOCK)
        block = (chosen.isel({lead[0]: rows}) if lead else chosen).compute()
        for name, field in found.items():
            plot[field][rows if lead else ()] = block[name].values


def _axes(data: xr.Dataset, plot: h5py.Group, names: Mapping[str, str]) -> None:
    """Write the coordinates, those that are axes and those beside them."""
    dims = data["intensity"].dims
    plot.attrs["axes"] = [
        names.get(str(dim), str(dim)) if dim in data.coords else "." for dim in dims
    ]
    for name, coordinate in data.coords.items():
        if not coordinate.ndim <= 1 or coordinate.dtype.kind not in "iufbUSO":
            continue
        if coordinate.ndim and coordinate.dims[0] not in dims:
            continue
        field = names.get(str(name), str(name))
        _field(plot, field, coordinate)
        if coordinate.ndim:
            plot.attrs[f"{field}_indices"] = np.array([dims.index(coordinate.dims[0])])


def _field(plot: h5py.Group, name: str, values: xr.DataArray) -> None:
    if values.dtype.kind in "USO":
        texts = np.asarray(values.values).astype(str).astype(object)
        plot.create_dataset(name, data=texts, dtype=h5py.string_dtype())
    else:
        plot[name] = values.values
    for key in ("units", "long_name"):
        if key in values.attrs:
            plot[name].attrs[key] = str(values.attrs[key])


def _numbers(
    group: h5py.Group, attrs: Mapping[str, Any], fields: tuple[tuple[str, str, str], ...]
) -> None:
    for name, field, unit in fields:
        if name in attrs:
            group[field] = float(attrs[name])
            group[field].attrs["units"] = unit


def _all_attrs(data: xr.Dataset) -> dict[str, Any]:
    return {**data["intensity"].attrs, **data.attrs}


def _describe(entry: h5py.Group, data: xr.Dataset) -> None:
    """Write title, history, and the collection that keeps the rest."""
    entry["title"] = str(data.attrs.get("title", "") or "pattern")
    for number, item in enumerate(entries(data.attrs), start=1):
        _write_process(entry, number, item)
    kept = _group(entry, "beamkit", "NXcollection")
    kept.attrs["beamkit_layout"] = LAYOUT
    kept.attrs["beamkit_dims"] = _storable([str(dim) for dim in data["intensity"].dims])
    kept.attrs["beamkit_units"] = str(data["intensity"].attrs.get("units", ""))
    for key, value in data.attrs.items():
        kept.attrs[str(key)] = _storable(value)
