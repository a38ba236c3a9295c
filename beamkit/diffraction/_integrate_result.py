"""The numbers of an integration as a labelled pattern."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.schema import DETECTOR_X, DETECTOR_Y

from ._integrate_pool import integrator
from ._integrate_setup import UNITS, Plan
from ._pyfai import Setup

#: What says nothing about a pattern any more.
_GONE = ("kind", "quantity", "units", "count_cutoff", "long_name")

_PHOTONS = ("wavelength", "energy")


def as_pattern(plan: Plan, values: Any) -> xr.Dataset:
    """Return the dataset of kind ``pattern``; values have the shape (..., outputs, \\*bins)."""
    setup = plan.setup
    name, unit = UNITS[setup.unit]
    with integrator(setup) as known:
        radial, weight = known.radial, known.weight
    across = ("sector",) if setup.has_sectors else ("chi",) * (len(setup.npt) - 1)
    dims = (*across, name)
    coords = {**_kept(plan.stack), name: (name, radial, {"units": unit})}
    coords |= _across(setup, across)
    place = len(plan.lead)
    labels = {"units": _units(plan), "long_name": "intensity"}
    photons = {key: value for key, value in plan.geometry.to_attrs().items() if key in _PHOTONS}
    named = ("intensity", "sigma")[: setup.outputs]
    variables = {
        each: xr.Variable(
            (*plan.lead, *dims), np.take(values, number, place), {**labels, **photons}
        )
        for number, each in enumerate(named)
    }
    if "sigma" in variables:
        variables["sigma"].attrs["long_name"] = "standard error of the intensity"
    said = {"units": "pixel", "long_name": "pixels in the bin, times their corrections"}
    variables["weight"] = xr.Variable(dims, weight, said)
    return xr.Dataset(variables, coords, _attrs(plan))


def _kept(stack: xr.DataArray) -> dict[Any, Any]:
    plane = {DETECTOR_Y, DETECTOR_X}
    return {
        name: each.variable for name, each in stack.coords.items() if not plane & set(each.dims)
    }


def _across(setup: Setup, across: tuple[str, ...]) -> dict[str, Any]:
    degrees = {"units": "deg"}
    if across == ("chi",):
        low, high = setup.azimuth or (-180.0, 180.0)
        return {"chi": ("chi", _middles(low, high, setup.npt[1]), degrees)}
    if across == ("sector",):
        lows, highs = (np.array(ends) for ends in zip(*setup.sectors, strict=True))
        return {
            "sector": ("sector", np.arange(len(lows))),
            "chi": ("sector", (lows + highs) / 2, degrees),
            "chi_start": ("sector", lows, degrees),
            "chi_end": ("sector", highs, degrees),
        }
    return {}


def _middles(low: float, high: float, number: int) -> NDArray[np.float64]:
    return low + (np.arange(number) + 0.5) * (high - low) / number


def _units(plan: Plan) -> str:
    unit = str(plan.stack.attrs.get("units", "counts"))
    return f"{unit}/{plan.monitor_unit}" if plan.monitor_unit else unit


def _attrs(plan: Plan) -> dict[str, Any]:
    before = {**plan.data.attrs, **plan.stack.attrs}
    kept = {key: value for key, value in before.items() if key not in _GONE}
    return {**kept, **plan.geometry.to_attrs(), "kind": "pattern"}
