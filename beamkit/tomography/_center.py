"""The axis that a reconstruction uses, from what its caller said."""

from __future__ import annotations

import math
from typing import Any

import xarray as xr

from beamkit.core.errors import ParameterError
from beamkit.core.schema import DETECTOR_X, note
from beamkit.tomography.rotation_center import CenterEstimate, find_center

from ._volume import columns_of


def resolve_center(
    data: xr.DataArray, center: float | str | CenterEstimate
) -> tuple[float, dict[str, Any]]:
    """Return the axis as an index on ``detector_x`` [pixel], and attributes that tell about it.

    Raises
    ------
    ParameterError
        If ``center`` is neither a number on the detector nor ``"auto"`` or ``"middle"``.
    """
    columns = columns_of(data, DETECTOR_X)
    if isinstance(center, str) and center == "middle":
        middle = float((columns[0] + columns[-1]) / 2)
        return middle, {"rotation_center": middle, "rotation_center_method": "middle"}
    if isinstance(center, str) and center == "auto":
        center = find_center(data)
    if isinstance(center, CenterEstimate):
        return center.value, _told(center, data)
    try:
        index = math.nan if isinstance(center, bool) else float(center)
    except (TypeError, ValueError):
        index = math.nan
    low, high = sorted((columns[0], columns[-1]))
    if not low - 0.5 <= index <= high + 0.5:
        raise ParameterError(
            f"center is {center!r}; it must be 'auto', 'middle', or a column on the detector, "
            f"whose detector_x goes from {low:g} to {high:g}. find_center(...) looks for it."
        )
    return index, {"rotation_center": index, "rotation_center_method": "given"}


def _told(center: CenterEstimate, data: xr.DataArray) -> dict[str, Any]:
    attrs: dict[str, Any] = {
        "rotation_center": center.value,
        "rotation_center_uncertainty": center.uncertainty,
        "rotation_center_method": center.method,
        "rotation_center_trusted": int(center.trusted),
    }
    if not center.trusted:
        attrs["notes"] = list(data.attrs.get("notes", []))
        note(attrs, "notes", "rotation centre not to be trusted: " + "; ".join(center.reasons))
    return attrs
