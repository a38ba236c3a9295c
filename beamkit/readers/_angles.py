"""Angles of a file in degrees, whichever unit it has them in."""

from __future__ import annotations

import h5py
import numpy as np
from numpy.typing import NDArray

from beamkit.core.errors import MetadataError, UnreadableFileError
from beamkit.core.units import convert

from . import _hdf5
from ._hdf5_chunks import read
from ._nexus_metadata import Metadata
from ._nexus_plot import is_numbers


def in_degrees(item: h5py.Dataset, found: Metadata) -> NDArray[np.float64]:
    """Return a dataset of angles [deg]; list in ``found`` if its unit had to be assumed.

    Raises
    ------
    UnreadableFileError
        If it does not hold numbers, or not in a unit of angles.
    """
    path, name = item.file.filename, str(item.name)
    if not is_numbers(item) or item.ndim != 1:
        raise UnreadableFileError(
            f"{path}: {name} holds {item.dtype} of shape {item.shape}, not one angle after the "
            "other. Give them with angles=..., in degrees."
        )
    values = read(item).astype(np.float64)
    unit = _hdf5.text_attribute(item, "units")
    if not unit:
        found.assume("angle", _taken_as_degrees(name, values))
        return values
    if unit.lower().startswith("rad"):
        return np.rad2deg(values)  # exact for pi, which a factor of 15 digits is not
    try:
        return values * convert(1.0, unit, "deg")
    except MetadataError:
        raise UnreadableFileError(
            f"{path}: {name} is in {unit!r}, which is not a unit of angles. "
            "Give them with angles=..., in degrees."
        ) from None


def _taken_as_degrees(name: str, values: NDArray[np.float64]) -> str:
    text = f"{name} has no unit; taken as degrees"
    span = float(np.ptp(values)) if values.size else 0.0
    if 0 < span < 6.4:
        text += f" (they span {span:.4g}: if that is radians, give angles=np.rad2deg(...))"
    return text
