"""Where detector and sample stand, as chains of ``depends_on``.

Sources: NeXus manual, NXtransformations and NXdetector_module; Bernstein et al., IUCrJ 7, 784
(2020). Frame: McStas, as :mod:`beamkit.core.schema` has it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ._nxmx_fields import axis, group, number, unit_vector

Attrs = Mapping[str, Any]
Array = NDArray[Any]

#: Where a header says which angle turns but not about what: about the horizontal axis, to the
#: right seen along the beam, as DIALS takes it for miniCBF files.
ASSUMED_AXIS = (-1.0, 0.0, 0.0)

#: Settings that differ by less are the same [deg, m].
_SAME = 1e-6

_NEEDED = ("detector_origin", "detector_fast_axis", "detector_slow_axis")


def detector_chain(detector: h5py.Group, attrs: Attrs, shape: tuple[int, int]) -> list[str]:
    """Write the chain from the pixels of a detector to the laboratory.

    ``det_z`` is the distance along the beam to where the beam meets the detector; the module
    stands on it, its outer corner of pixel (0, 0) at ``module_offset``.

    Returns
    -------
    assumed
        What the source does not say, for the reader of the file.
    """
    if any(name not in attrs for name in (*_NEEDED, "pixel_size_x", "pixel_size_y")):
        return ["detector_origin: the source does not say where the detector stands; no depends_on"]
    along_beam = np.array([0.0, 0.0, float(attrs.get("detector_distance", 0.0))])
    chain = group(detector, "transformations", "NXtransformations")
    stand = axis(chain, "det_z", along_beam[2], "translation", (0.0, 0.0, 1.0), ".")
    detector["depends_on"] = stand.name
    module = group(detector, "module", "NXdetector_module")
    number(module, "data_origin", np.zeros(2, np.int64))
    number(module, "data_size", np.array(shape, np.int64))
    length, direction = unit_vector(np.asarray(attrs["detector_origin"], float) - along_beam)
    corner = axis(module, "module_offset", length, "translation", direction, stand.name)
    for name, size in (("fast", "pixel_size_x"), ("slow", "pixel_size_y")):
        _, direction = unit_vector(attrs[f"detector_{name}_axis"])
        step = float(attrs[size])
        axis(module, f"{name}_pixel_direction", step, "translation", direction, corner.name)
    return []


def sample_chain(sample: h5py.Group, attrs: Attrs, coords: Mapping[str, Array]) -> list[str]:
    """Write the axes that carry the sample, with one setting a frame for those that move.

    Parameters
    ----------
    coords
        Numbers over ``frame``, by name.

    Returns
    -------
    assumed
        What the source does not say.
    """
    assumed: list[str] = []
    axes = json.loads(attrs.get("goniometer") or "[]") or _assumed_axis(attrs, coords, assumed)
    if not axes:
        sample["depends_on"] = "."
        return ["goniometer: the source says no angle of the sample; no depends_on"]
    chain = group(sample, "transformations", "NXtransformations")
    frames = max((len(values) for values in coords.values()), default=1)
    for each in axes:
        below = each["depends_on"]
        target = "." if below == "." else f"{chain.name}/{below}"
        settings = _settings(each, frames, coords, assumed)
        kind, name = each["type"], each["name"]
        axis(chain, name, settings, kind, unit_vector(each["vector"])[1], target)
        if np.size(settings) > 1:
            step = float(each["increment"])
            number(chain, f"{name}_increment_set", step, "deg" if kind == "rotation" else "m")
            number(chain, f"{name}_end", settings + step, "deg" if kind == "rotation" else "m")
    sample["depends_on"] = f"{chain.name}/{axes[0]['name']}"
    return assumed


def _assumed_axis(
    attrs: Attrs, coords: Mapping[str, Array], assumed: list[str]
) -> list[dict[str, Any]]:
    """Return one axis, where a header gives an angle and no goniometer."""
    name = next((name for name in ("omega", "start_angle") if name in {*attrs, *coords}), None)
    if name is None:
        return []
    assumed.append(
        f"goniometer: the source gives {name} and no axis; taken as omega about "
        f"{list(ASSUMED_AXIS)}, horizontal"
    )
    first = coords[name][0] if name in coords else attrs[name]
    return [
        {
            "name": "omega",
            "type": "rotation",
            "depends_on": ".",
            "vector": ASSUMED_AXIS,
            "setting": float(first),
            "increment": float(attrs.get("angle_increment", 0.0)),
        }
    ]


def _settings(
    described: Mapping[str, Any], frames: int, coords: Mapping[str, Array], assumed: list[str]
) -> Any:
    """Return one setting for all frames, or one for each if the axis moves."""
    name, first, step = described["name"], described["setting"], described["increment"]
    bare = name.lower().removeprefix("gon_")
    for candidate in (name, bare, "start_angle" if step else bare):
        values = coords.get(candidate)
        if values is not None and _starts_with(values, first):
            return _filled(name, values, assumed)
    if not step or frames < 2:
        return float(first)
    assumed.append(f"{name}: the frames do not give it; {first:g} + {step:g} times their number")
    return float(first) + float(step) * np.arange(frames)


def _starts_with(values: Array, first: float) -> bool:
    if values.dtype.kind not in "iuf" or not np.isfinite(values).any():
        return False
    known = int(np.flatnonzero(np.isfinite(values))[0])
    return known > 0 or abs(float(values[0]) - first) < _SAME


def _filled(name: str, values: Array, assumed: list[str]) -> Array:
    """Return the settings, those of missing frames between their neighbours: a chain needs all."""
    known = np.isfinite(values)
    if known.all():
        return values.astype(float)
    numbers = np.arange(values.size)
    assumed.append(f"{name}: of the {values.size - known.sum()} frames without, from the others")
    if known.sum() < 2:
        return np.full(values.size, values[known][0], float)
    step, start = np.polyfit(numbers[known], values[known], 1)
    line = start + step * numbers
    return np.asarray(np.where(known, values, line), float)
