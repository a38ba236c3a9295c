"""Datasets put together the same way by every reader."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from beamkit.core import schema
from beamkit.core.units import energy_from_wavelength, wavelength_from_energy

#: Attributes of the dataset that say nothing about the numbers in its main variable.
_OF_THE_DATASET = {
    "source", "format", "title", "start_time", "scan_command", "beamline", "visit", "sample",
}  # fmt: skip


def image_stack(
    data: Any,
    first: str,
    *,
    units: str = "counts",
    quantity: str = "counts",
    coords: Mapping[str, Any] | None = None,
) -> xr.DataArray:
    """Return frames with the dimensions (first, detector_y, detector_x) and pixel coordinates.

    Parameters
    ----------
    data
        Shape (first, detector_y, detector_x).
    first
        Name of the first dimension, such as ``"frame"``.
    quantity
        What the numbers are; ``""`` if that is not known.
    coords
        Further coordinates, made by :func:`coordinate`.
    """
    pixels = (schema.DETECTOR_Y, schema.DETECTOR_X)
    places = {
        axis: coordinate(axis, np.arange(length), "pixel")
        for axis, length in zip(pixels, data.shape[1:], strict=True)
    }
    attrs = {"units": units, "quantity": quantity} if quantity else {"units": units}
    return xr.DataArray(
        data, dims=(first, *pixels), coords={**places, **(coords or {})}, attrs=attrs
    )


def coordinate(dim: str, values: ArrayLike, units: str) -> tuple[str, NDArray[Any], dict[str, str]]:
    """Return a coordinate over ``dim`` for ``assign_coords``."""
    return dim, np.asarray(values), {"units": units}


def note_text(attrs: dict[str, Any], text: str) -> None:
    """Add a line to ``attrs["notes"]``, in place, if there is one."""
    if text:
        schema.note(attrs, "notes", text)


def finished(
    variables: Mapping[str, xr.DataArray],
    *,
    kind: str,
    attrs: Mapping[str, Any],
    source: Path,
    file_format: str,
) -> xr.Dataset:
    """Return the dataset of a reader: kind, source, and the geometry on the main variable too."""
    data = xr.Dataset(dict(variables))
    data.attrs = {
        "kind": kind,
        **photons(attrs),
        "source": str(source.absolute()),
        "format": file_format,
    }
    share_geometry(data)
    return data


def share_geometry(data: xr.Dataset) -> None:
    """Put the attributes that describe the measurement on the main variable, in place."""
    shared = {
        name: value
        for name, value in data.attrs.items()
        if name in schema.ATTRIBUTES and name not in _OF_THE_DATASET
    }
    data[schema.main_variable(data)].attrs.update(shared)


def photons(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes with both energy and wavelength, where the file gives one.

    Two that agree to 0.1 % are kept as the file has them; else they are listed in ``conflicts``,
    and the energy is used.
    """
    result = dict(attrs)
    for name in ("energy", "wavelength"):
        if name in result and not result[name] > 0:
            schema.note(result, "conflicts", f"{name}: the file gives {result.pop(name)}; not used")
    energy, wavelength = result.get("energy"), result.get("wavelength")
    if energy is None and wavelength is not None:
        result["energy"] = energy_from_wavelength(wavelength)
    elif energy is not None:
        derived = wavelength_from_energy(energy)
        if wavelength is None:
            result["wavelength"] = derived
        elif abs(wavelength / derived - 1) > 1e-3:
            result["wavelength"] = derived
            text = f"wavelength: the file gives {wavelength} angstrom and an energy of {energy} keV"
            schema.note(result, "conflicts", f"{text}; the energy is used")
    return result
