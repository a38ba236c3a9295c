"""What the user knows better than the file: values given on opening, kept in the history."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from beamkit.core import schema
from beamkit.core.detector_geometry import (
    SQUARE_FAST,
    SQUARE_SLOW,
    DetectorPlane,
    beam_center,
    origin_from_beam_center,
    swing,
)
from beamkit.core.errors import MetadataError, ParameterError
from beamkit.core.history import extend
from beamkit.core.units import energy_from_wavelength, wavelength_from_energy

#: Options that set two attributes, along x and y.
PAIRS = {
    name: (f"{name}_x", f"{name}_y")
    for name in ("pixel_size", "effective_pixel_size", "beam_center")
}

#: Options that every format takes.
NAMES = frozenset(schema.ATTRIBUTES) - {"source", "format"} | frozenset(PAIRS)

_ALWAYS_POSITIVE = (
    "energy", "wavelength", "pixel_size_x", "pixel_size_y", "effective_pixel_size_x",
    "effective_pixel_size_y", "detector_distance", "magnification",
)  # fmt: skip

#: What the origin of the detector follows from, beside its axes.
_NOMINAL = ("beam_center_x", "beam_center_y", "detector_distance", "pixel_size_x", "pixel_size_y")

_VECTORS = ("detector_origin", "detector_fast_axis", "detector_slow_axis")


def override(
    data: xr.Dataset, given: Mapping[str, Any], options: Mapping[str, Any] | None = None
) -> xr.Dataset:
    """Return the dataset with values that the user gave, each recorded with the old one.

    Parameters
    ----------
    data
        As the reader gave it.
    given
        Attributes of :data:`beamkit.core.schema.ATTRIBUTES`, or the pairs in :data:`PAIRS`.
    options
        Options that the reader took, to be recorded too.

    Raises
    ------
    ParameterError
        If a value is not a number where one is needed, or is impossible.
    """
    values = _values(given)
    if not values and not options:
        return data
    result = data.copy()
    main = result[schema.main_variable(result)]
    new = _consistent(values, {**main.attrs, **result.attrs}, str(result.attrs["kind"]))
    changes: dict[str, Any] = {
        name: {"old": result.attrs.get(name), "new": value} for name, value in new.items()
    }
    for target in (result.attrs, main.attrs):
        target.update(new)
    _settle(result.attrs, new)
    changes = {
        **{name: {"old": None, "new": value} for name, value in (options or {}).items()},
        **changes,
    }
    result.attrs["history"] = extend(result.attrs, "open", changes)
    return result


def _values(given: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name in PAIRS:
            values.update(zip(PAIRS[name], _pair(name, value), strict=True))
        else:
            values[name] = _value(name, value)
    return values


def _pair(name: str, value: Any) -> tuple[float, float]:
    if np.ndim(value) == 0 and name != "beam_center":
        value = (value, value)
    if not isinstance(value, Sequence) or len(value) != 2 or isinstance(value, str):
        unit = schema.ATTRIBUTES[f"{name}_x"].unit
        raise ParameterError(
            f"{name}={value!r} is not a pair of numbers. Give (x, y) in {unit}, such as "
            f"{name}={'(730.5, 865.2)' if unit == 'pixel' else '(172e-6, 172e-6)'}."
        )
    return _value(f"{name}_x", value[0]), _value(f"{name}_y", value[1])


def _value(name: str, value: Any) -> Any:
    attribute = schema.ATTRIBUTES[name]
    if name in _VECTORS:
        return _vector(name, value)
    if name == "rotation_sense":
        return _sense(value)
    if not attribute.unit:
        return str(value)
    return _number(name, value)


def _vector(name: str, value: Any) -> list[float]:
    if np.shape(value) != (3,):
        raise ParameterError(f"{name}={value!r} is impossible. Give three numbers, x, y and z.")
    return [_number(name, one) for one in value]


def _sense(value: Any) -> int:
    if value not in (1, -1):
        raise ParameterError(
            f"rotation_sense={value!r} is impossible. Give 1 for counter-clockwise seen from "
            "above, -1 for clockwise."
        )
    return int(value)


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        unit = schema.ATTRIBUTES[name].unit
        raise ParameterError(f"{name}={value!r} is not a number. Give it in {unit}, without unit.")
    result = float(value)
    if not math.isfinite(result) or (name in _ALWAYS_POSITIVE and not result > 0):
        unit = schema.ATTRIBUTES[name].unit
        raise ParameterError(f"{name}={value!r} is impossible. Give a number above 0 in {unit}.")
    return result


def _consistent(values: Mapping[str, Any], before: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Return the values with those that follow from them."""
    new = dict(values)
    if "energy" in new:
        new["wavelength"] = wavelength_from_energy(new["energy"])
    elif "wavelength" in new:
        new["energy"] = energy_from_wavelength(new["wavelength"])
    if kind != "diffraction":
        return new
    if not set(new).isdisjoint(_VECTORS):
        new.update(_beam({**before, **new}))
    elif not set(new).isdisjoint(_NOMINAL):
        new.update(_origin({**before, **new}))
    return new


def _beam(attrs: Mapping[str, Any]) -> dict[str, float]:
    """Return beam centre and distance of a detector whose place was given, where there are any."""
    needed = (*_VECTORS, "pixel_size_x", "pixel_size_y")
    if any(name not in attrs for name in needed):
        return {}
    try:
        found = beam_center(*(attrs[name] for name in needed))
    except MetadataError as error:
        raise ParameterError(f"The detector cannot stand there: {error}") from error
    return dict(zip(_NOMINAL, found, strict=False))


def _origin(attrs: Mapping[str, Any]) -> dict[str, list[float]]:
    """Return origin and axes of a detector whose beam centre, distance or pixel were given."""
    if any(name not in attrs for name in _NOMINAL):
        return {}
    # On an arm, the beam centre is where the direct beam meets the detector that was swung.
    arm = float(attrs.get("detector_two_theta", 0.0))
    square = swing(DetectorPlane((0.0, 0.0, 0.0), SQUARE_FAST, SQUARE_SLOW), arm)
    fast = attrs.get("detector_fast_axis", square.fast)
    slow = attrs.get("detector_slow_axis", square.slow)
    origin = origin_from_beam_center(*(attrs[name] for name in _NOMINAL), fast=fast, slow=slow)
    return {
        "detector_origin": list(origin),
        "detector_fast_axis": list(fast),
        "detector_slow_axis": list(slow),
    }


def _settle(attrs: dict[str, Any], new: Mapping[str, Any]) -> None:
    """Drop from ``assumed`` and ``conflicts`` what the user has now said."""
    for key in ("assumed", "conflicts"):
        if key in attrs:
            left = [line for line in schema.lines(attrs, key) if line.partition(":")[0] not in new]
            if left:
                attrs[key] = left
            else:
                del attrs[key]
