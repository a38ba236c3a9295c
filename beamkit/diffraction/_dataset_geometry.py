"""The geometry in the attributes of a dataset: taken from it, and given to it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TypeVar

import numpy as np
import xarray as xr

from beamkit.core.detector_geometry import (
    SQUARE_FAST,
    SQUARE_SLOW,
    DetectorPlane,
    beam_center,
    origin_from_beam_center,
    swing,
)
from beamkit.core.detectors import LAYOUTS
from beamkit.core.errors import MetadataError
from beamkit.core.history import extend
from beamkit.core.schema import ATTRIBUTES, DETECTOR_X, DETECTOR_Y, KINDS, lines
from beamkit.core.units import energy_from_wavelength, wavelength_from_energy

from ._placement import Array, Placement, Vector, as_vector

Data = TypeVar("Data", xr.Dataset, xr.DataArray)

VECTORS = ("detector_origin", "detector_fast_axis", "detector_slow_axis")
SIZES = ("pixel_size_x", "pixel_size_y")
CENTER = ("beam_center_x", "beam_center_y")
BEAM = (*CENTER, "detector_distance")
PHOTONS = ("wavelength", "energy")

#: Every attribute that a geometry gives.
NAMES = (*VECTORS, *SIZES, *BEAM, *PHOTONS)


def read(data: xr.Dataset | xr.DataArray) -> Placement:
    """Return where the detector of a dataset stands; see ``Geometry.from_dataset``."""
    attrs = _attributes(data)
    is_recorded = all(name in attrs for name in VECTORS)
    _require(attrs, SIZES if is_recorded else (*SIZES, "detector_distance"), data)
    shape = _full_shape(data, attrs)
    assumed = [line for line in lines(attrs, "assumed") if line.partition(":")[0] in NAMES]
    if is_recorded:
        plane = DetectorPlane(*(attrs[name] for name in VECTORS))
        assumed += _overruled(plane, attrs, data.attrs)
    else:
        plane, more = _nominal(attrs, shape, data)
        assumed += [line for line in more if line not in assumed]
    size_x, size_y = (attrs[name] for name in SIZES)
    return Placement(*plane, size_x, size_y, shape, _wavelength(attrs), tuple(assumed))


def _attributes(data: xr.Dataset | xr.DataArray) -> dict[str, Any]:
    """Return the attributes, those of the main variable before those of the dataset.

    What differs from frame to frame is a coordinate; of one frame, a single number.
    """
    names = [name for name in (*NAMES, "detector_two_theta") if name in data.coords]
    found: dict[str, Any] = {
        name: float(data.coords[name].item()) for name in names if data.coords[name].size == 1
    }
    found.update(data.attrs)
    if isinstance(data, xr.Dataset):
        main = _main(data)
        if main is not None:
            found.update({**data[main].attrs, "assumed": _both(data, data[main])})
    return found


def _main(data: xr.Dataset) -> str | None:
    """Return the name of the variable with the images, None if there is none."""
    named = KINDS.get(str(data.attrs.get("kind", "")))
    if named and named in data:
        return named
    with_pixels = (
        str(name)
        for name, each in data.data_vars.items()
        if {DETECTOR_X, DETECTOR_Y} <= set(each.dims) and name != "mask"
    )
    return next(with_pixels, None)


def _both(data: xr.Dataset, main: xr.DataArray) -> list[str]:
    return list(dict.fromkeys([*lines(data.attrs, "assumed"), *lines(main.attrs, "assumed")]))


def _require(
    attrs: Mapping[str, Any], names: tuple[str, ...], data: xr.Dataset | xr.DataArray
) -> None:
    missing = [name for name in names if name not in attrs]
    if missing:
        raise _unplaced(missing, data)


def _unplaced(missing: list[str], data: xr.Dataset | xr.DataArray) -> MetadataError:
    moving = [name for name in missing if name in data.coords]
    if moving:
        return MetadataError(
            f"{', '.join(moving)} differs from frame to frame. Take one frame, as with "
            "data.isel(frame=0)."
        )
    sets = ", ".join(f"data.attrs[{name!r}] = ... [{ATTRIBUTES[name].unit}]" for name in missing)
    return MetadataError(
        f"The detector cannot be placed: the data do not say {', '.join(missing)}. "
        f"Set {sets}, or give {', '.join(f'{name}=' for name in missing)} when opening the file."
    )


def _overruled(
    plane: DetectorPlane, attrs: Mapping[str, Any], stated: Mapping[str, Any]
) -> list[str]:
    """Return what beam centre or distance the attributes state that the geometry does not have."""
    try:
        found = beam_center(*plane, *(attrs[name] for name in SIZES))
    except MetadataError:
        return []
    overruled = []
    for name, value in zip(BEAM, found, strict=True):
        other = stated.get(name, value)
        tolerance = 0.1 if name in CENTER else 1e-3 * value  # rounding in headers
        if isinstance(other, (int, float)) and abs(other - value) > tolerance:
            overruled.append(
                f"{name}: stated as {other:g}, but detector_origin and its axes put it at "
                f"{value:.6g}, which is used; set it with geometry.with_beam_center(x, y)"
                ".assign_to(data), or when opening the file"
            )
    return overruled


def _nominal(
    attrs: Mapping[str, Any], shape: tuple[int, int] | None, data: xr.Dataset | xr.DataArray
) -> tuple[DetectorPlane, list[str]]:
    """Return the detector by beam centre and distance, and what was assumed for it."""
    center, assumed = _center(attrs, shape, data)
    angle = float(attrs.get("detector_two_theta", 0.0))
    assumed.append(
        "detector_fast_axis: how the detector is mounted is not said; taken with its rows "
        "horizontal and the first pixel at the top left, seen from the sample"
    )
    numbers = (*center, attrs["detector_distance"], *(attrs[name] for name in SIZES))
    square = DetectorPlane(origin_from_beam_center(*numbers), SQUARE_FAST, SQUARE_SLOW)
    if not angle:
        return square, assumed
    assumed.append(
        f"detector_slow_axis: which way detector_two_theta = {angle:g} deg turns is not said; "
        "taken as upwards, about the horizontal axis"
    )
    swung = swing(square, angle)
    if any(name not in attrs for name in CENTER):
        # The middle is that of the arm at 0, and so is the distance of a header without centre.
        return swung, assumed
    origin = origin_from_beam_center(*numbers, fast=swung.fast, slow=swung.slow)
    return swung._replace(origin=origin), assumed


def _center(
    attrs: Mapping[str, Any], shape: tuple[int, int] | None, data: xr.Dataset | xr.DataArray
) -> tuple[tuple[float, float], list[str]]:
    missing = [name for name in CENTER if name not in attrs]
    if not missing:
        return (attrs[CENTER[0]], attrs[CENTER[1]]), []
    if shape is None:
        raise _unplaced(missing, data)
    middle = {CENTER[0]: shape[1] / 2, CENTER[1]: shape[0] / 2}
    assumed = [
        f"{name}: not in the data; taken as the middle of the detector, {middle[name]:g} pixel"
        for name in missing
    ]
    x, y = (float(attrs.get(name, middle[name])) for name in CENTER)
    return (x, y), assumed


def _wavelength(attrs: Mapping[str, Any]) -> float | None:
    if "wavelength" in attrs:
        return float(attrs["wavelength"])
    return wavelength_from_energy(float(attrs["energy"])) if "energy" in attrs else None


def _full_shape(
    data: xr.Dataset | xr.DataArray, attrs: Mapping[str, Any]
) -> tuple[int, int] | None:
    """Return rows and columns of the full detector, as far as the data say.

    The detector's name says it; else the detector is as large as the last pixel held here.
    """
    if not {DETECTOR_X, DETECTOR_Y} <= set(data.sizes):
        return None
    rows, columns = (_last_edge(indices(data, axis)) for axis in (DETECTOR_Y, DETECTOR_X))
    if not rows or not columns:
        return None
    known = (layout.shape for layout in LAYOUTS if layout.name == attrs.get("detector"))
    return next((s for s in known if s[0] >= rows and s[1] >= columns), (rows, columns))


def _last_edge(places: Array) -> int:
    """Return the position of the far edge of the last of some pixels, 0 if there are none."""
    if not places.size:
        return 0
    width = abs(places[1] - places[0]) if places.size > 1 else 1.0
    return round(float(places.max() + 0.5 + width / 2))


def indices(data: xr.Dataset | xr.DataArray, axis: str) -> Array:
    """Return the pixel indices on the full detector that an axis of the data stands for."""
    if axis in data.coords:
        return np.atleast_1d(np.asarray(data.coords[axis].values, float))
    return np.arange(data.sizes.get(axis, 0), dtype=float)


def describe(placement: Placement) -> dict[str, Any]:
    """Return the attributes of :mod:`beamkit.core.schema` that say where a detector stands."""
    attrs: dict[str, Any] = {
        **dict(
            zip(VECTORS, map(list, (placement.origin, placement.fast, placement.slow)), strict=True)
        ),
        **dict(zip(SIZES, (placement.pixel_size_x, placement.pixel_size_y), strict=True)),
    }
    with suppress(MetadataError):  # a detector swung beyond 90 deg has no beam centre
        attrs.update(zip(BEAM, placement.beam_center, strict=True))
    if placement.wavelength is not None:
        attrs["wavelength"] = placement.wavelength
        attrs["energy"] = energy_from_wavelength(placement.wavelength)
    if placement.assumed:
        attrs["assumed"] = list(placement.assumed)
    return attrs


def assign(placement: Placement, data: Data) -> Data:
    """Return the data with this geometry; see ``Geometry.assign_to``."""
    attrs = describe(placement)
    kept = PHOTONS if placement.wavelength is None else ()
    replaced = [name for name in NAMES if name not in kept]
    result = data.drop_vars([name for name in replaced if name in data.coords])
    main = _main(result) if isinstance(result, xr.Dataset) else None
    if main is not None and isinstance(result, xr.Dataset):
        result = result.assign({main: result[main].copy(deep=False)})
        result[main].attrs = _replaced(result[main].attrs, replaced, attrs)
    result.attrs = _replaced(result.attrs, replaced, attrs)
    parameters = {name: value for name, value in attrs.items() if name != "assumed"}
    result.attrs["history"] = extend(data.attrs, "assign_geometry", parameters)
    return result


def _replaced(
    before: Mapping[str, Any], replaced: list[str], attrs: Mapping[str, Any]
) -> dict[str, Any]:
    """Return attributes with the new ones, without what was said about the old ones."""
    result = {name: value for name, value in before.items() if name not in replaced}
    for key in ("assumed", "conflicts"):
        left = [text for text in lines(result, key) if text.partition(":")[0] not in replaced]
        left += attrs.get(key, [])
        result.pop(key, None)
        if left:
            result[key] = list(dict.fromkeys(left))
    return {**result, **{name: value for name, value in attrs.items() if name != "assumed"}}


def shifted(placement: Placement, x: float, y: float) -> Vector:
    """Return the origin that moves the beam centre to (x, y) within the detector's plane [m]."""
    here = placement.beam_center
    step = placement.pixel_matrix() @ [here.x - x, here.y - y, 0.0]
    return as_vector(np.asarray(placement.origin) + step)
