"""What NXmx has no field for, kept beside it: ``/entry/beamkit`` (NXcollection).

Attributes of the group are those of the dataset; ``frame/NAME`` a coordinate over ``frame``;
``headers`` the unparsed header of each frame.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import h5py
import numpy as np
import xarray as xr

from beamkit.core.schema import main_variable

from ._nxmx_fields import group
from .nexus import _storable

#: Attributes that say where a dataset was opened from: those of the new file take their place.
_OF_THE_FILE = ("source", "format")

#: An attribute longer than this [bytes] does not fit into an HDF5 object header.
_LONGEST = 32_000


def keep(entry: h5py.Group, data: xr.Dataset, headers: Iterable[str]) -> None:
    """Write attributes, coordinates and headers of a dataset into an entry."""
    kept = group(entry, "beamkit", "NXcollection")
    kept.attrs["beamkit_layout"] = "nxmx-1"
    kept.attrs["beamkit_variables"] = _storable([str(name) for name in data.data_vars])
    for name, value in data.attrs.items():
        if name not in _OF_THE_FILE:
            _attribute(kept, str(name), value)
    if "source" in data.attrs:
        kept["converted_from"] = str(data.attrs["source"])
    main = data[main_variable(data)]
    for name in ("units", "quantity"):
        if name in main.attrs:
            kept.attrs[f"beamkit_{name}"] = main.attrs[name]
    _coordinates(kept, data)
    _headers(kept, headers)


def _attribute(kept: h5py.Group, name: str, value: Any) -> None:
    if isinstance(value, str) and len(value.encode()) > _LONGEST:
        kept[name] = value  # a header with loops; attributes end at 64 kB
    else:
        kept.attrs[name] = _storable(value)


def _coordinates(kept: h5py.Group, data: xr.Dataset) -> None:
    places = group(kept, "coordinates", "NXcollection")
    for name, item in data.coords.items():
        values = np.asarray(item.values)
        if item.ndim != 1 or values.dtype.kind not in "iufU":
            continue
        if values.dtype.kind == "U":
            values = np.array([str(value) for value in values], h5py.string_dtype())
        made = places.create_dataset(str(name), data=values)
        made.attrs["dim"] = str(item.dims[0])
        made.attrs["units"] = str(item.attrs.get("units", ""))


def _headers(kept: h5py.Group, headers: Iterable[str]) -> None:
    texts = [text.encode("utf-8") for text in headers]
    if any(texts):
        # Of fixed length, as text of variable length is not compressed.
        kept.create_dataset(
            "headers",
            data=np.array(texts, dtype=f"S{max(map(len, texts))}"),
            chunks=(min(len(texts), 16),),
            compression="gzip",
            shuffle=True,
        ).attrs["long_name"] = "header of each frame, as it stood in its file"
