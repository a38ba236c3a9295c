"""Groups, fields with units, and axes of a NeXus file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import h5py
import numpy as np


def group(parent: h5py.Group, name: str, nx_class: str) -> h5py.Group:
    """Return a group of an NX_class, made if it is not there."""
    made = parent.require_group(name)
    made.attrs["NX_class"] = nx_class
    return made


def number(parent: h5py.Group, name: str, value: Any, units: str = "") -> h5py.Dataset:
    """Write a number or an array of numbers with its unit."""
    item = parent.create_dataset(name, data=value)
    if units:
        item.attrs["units"] = units
    return item


def axis(
    parent: h5py.Group,
    name: str,
    value: Any,
    kind: str,
    vector: Sequence[float],
    depends_on: str,
) -> h5py.Dataset:
    """Write one axis of a chain of transformations.

    Source: NeXus manual, NXtransformations.

    Parameters
    ----------
    value
        One setting, or one a frame [deg for a rotation, m for a translation].
    kind
        ``"rotation"`` or ``"translation"``.
    vector
        Direction, laboratory frame.
    depends_on
        Path of the axis that this one stands on, ``"."`` for the laboratory.
    """
    item = number(parent, name, value, "deg" if kind == "rotation" else "m")
    item.attrs["transformation_type"] = kind
    item.attrs["vector"] = np.asarray(vector, float)
    item.attrs["offset"] = np.zeros(3)
    item.attrs["offset_units"] = "m"
    item.attrs["depends_on"] = depends_on
    return item


def unit_vector(vector: Sequence[float] | Any) -> tuple[float, tuple[float, float, float]]:
    """Return the length of a vector and its direction, that of the beam if it has no length."""
    values = np.asarray(vector, float)
    length = float(np.linalg.norm(values))
    if not length > 0:
        return 0.0, (0.0, 0.0, 1.0)
    x, y, z = (float(value) for value in values / length)
    return length, (x, y, z)
