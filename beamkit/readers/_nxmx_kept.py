"""NXmx files that beamkit converted: attributes and coordinates as they were before.

Layout: :mod:`beamkit.writers.nxmx`. What stands in the fields of NXmx wins where somebody has
changed it since; the rest comes from ``/entry/beamkit``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np
import xarray as xr

from beamkit.core.schema import ATTRIBUTES, lines, main_variable, note

from . import _hdf5
from ._dataset import coordinate, share_geometry
from ._hdf5_chunks import read
from ._nexus_plot import units_of
from ._nexus_volume import _restored

_LAYOUT = "nxmx-1"

#: What reading works out where a file does not say it; not there before, so not there after.
_DERIVED = {
    "goniometer", "start_angle", "angle_increment", "detector", "pixel_size_x", "pixel_size_y",
}  # fmt: skip

#: What stands in a field that NXmx must have and the source does not say.
_UNKNOWN = "unknown"

#: Differences that are rounding.
_RELATIVE, _ABSOLUTE = 1e-9, 1e-9

_LISTS = ("assumed", "conflicts", "notes")


def restored(file: h5py.File, entry: str, data: xr.Dataset) -> xr.Dataset:
    """Return a dataset as it was before beamkit converted it; others are returned as they are."""
    kept = _hdf5.member(file, f"{entry}/beamkit")
    if not isinstance(kept, h5py.Group):
        return data
    if _hdf5.text_attribute(kept, "beamkit_layout") != _LAYOUT:
        return data
    with _hdf5.readable(file.filename, str(kept.name)):
        attrs = _attributes(kept)
        coords = _coordinates(kept)
    names = attrs.pop("beamkit_variables", ["mask"])
    main = {name: attrs.pop(f"beamkit_{name}", None) for name in ("units", "quantity")}
    result = _of_kind(data, attrs, names)
    result.attrs = _merged(data.attrs, attrs)
    result = result.drop_vars([name for name in result.coords if name not in coords])
    sizes = result.sizes
    fitting = {name: item for name, item in coords.items() if sizes.get(item[0]) == len(item[1])}
    result = result.assign_coords(fitting)
    variable = result[main_variable(result)]
    variable.attrs = {name: value for name, value in main.items() if value is not None}
    share_geometry(result)
    return result


def _of_kind(data: xr.Dataset, attrs: Mapping[str, Any], names: list[str]) -> xr.Dataset:
    kind = attrs.get("kind", data.attrs["kind"])
    found = main_variable(data)
    wanted = main_variable(xr.Dataset(attrs={"kind": kind}))
    result = data.rename({found: wanted}) if found != wanted else data.copy()
    return result.drop_vars([name for name in ("mask",) if name in result and name not in names])


def _attributes(kept: h5py.Group) -> dict[str, Any]:
    names = [name for name in kept.attrs if name != "NX_class"]
    attrs = {_hdf5.text(name): _restored(kept.attrs[name]) for name in names}
    attrs.pop("beamkit_layout", None)
    for name, item in _hdf5.items(kept):  # texts that were too long for an attribute
        if isinstance(item, h5py.Dataset) and item.shape == () and name != "converted_from":
            attrs[name] = _hdf5.string(item)
    return attrs


def _coordinates(kept: h5py.Group) -> dict[str, Any]:
    group = _hdf5.member(kept, "coordinates")
    found: dict[str, Any] = {}
    if not isinstance(group, h5py.Group):
        return found
    for name, item in _hdf5.items(group):
        if isinstance(item, h5py.Dataset) and item.ndim == 1:
            is_text = item.dtype.kind == "O"
            values = np.array(item.asstr()[()].tolist(), str) if is_text else read(item)
            found[name] = coordinate(_hdf5.text_attribute(item, "dim"), values, units_of(item))
    return found


def _merged(now: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes kept, except where the fields of the file say otherwise now."""
    result = {**kept, **{name: now[name] for name in ("source", "format") if name in now}}
    for name in _LISTS[1:]:
        for line in lines(now, name):
            if not line.startswith("mask:"):
                note(result, name, line)
    for name in set(now) & set(ATTRIBUTES) - {"source", "format"}:
        _settle(result, name, now[name])
    return result


def _settle(result: dict[str, Any], name: str, now: Any) -> None:
    """Take what the fields of the file say where it is new, or not what it was; in place."""
    if name not in result:
        if name not in _DERIVED and now != _UNKNOWN:
            result[name] = now
    elif not _same(name, now, result[name]):
        text = f"{name}: was {result[name]} when converted; the file has now {now}, which is used"
        note(result, "conflicts", text)
        result[name] = now


def _same(name: str, now: Any, kept: Any) -> bool:
    if name == "goniometer":
        return _same_axes(json.loads(now or "[]"), json.loads(kept or "[]"))
    if isinstance(now, str) or isinstance(kept, str):
        return bool(now == kept)
    return bool(
        np.shape(now) == np.shape(kept)
        and np.allclose(np.asarray(now, float), np.asarray(kept, float), _RELATIVE, _ABSOLUTE)
    )


def _same_axes(now: list[dict[str, Any]], kept: list[dict[str, Any]]) -> bool:
    """Say whether two goniometers are the same; a vector of one may not have length 1."""
    if [each["name"] for each in now] != [each["name"] for each in kept]:
        return False
    return all(_same_axis(one, other) for one, other in zip(now, kept, strict=True))


def _same_axis(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    first, second = (np.asarray(each["vector"], float) for each in (one, other))
    parallel = np.allclose(first * np.linalg.norm(second), second * np.linalg.norm(first))
    return bool(parallel and abs(one["setting"] - other["setting"]) < 1e-6)
