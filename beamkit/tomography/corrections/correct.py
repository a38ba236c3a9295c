"""The usual sequences of corrections, from a raw scan to line integrals."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import xarray as xr

from beamkit.core.errors import MetadataError, ParameterError, UnknownNameError

from .flat_field import flat_field
from .minus_log import minus_log
from .remove_stripes import remove_stripes
from .repair_pixels import repair_pixels

#: Steps from an array to an array, in the order in which they make sense.
_STEPS: dict[str, Callable[[xr.DataArray], xr.DataArray]] = {
    "repair_pixels": repair_pixels,
    "minus_log": minus_log,
    "remove_stripes": remove_stripes,
}

_BASIC = ("flat_field", "repair_pixels", "minus_log")

#: Sequences that have a name.
SEQUENCES: dict[str, tuple[str, ...]] = {
    "basic": _BASIC,
    "standard": (*_BASIC, "remove_stripes"),
    "none": (),
}


def correct(scan: xr.Dataset, steps: str | Sequence[str] = "basic") -> xr.DataArray:
    """Apply a sequence of corrections, with their defaults, to a tomography dataset.

    Parameters
    ----------
    scan
        Dataset with ``projections``, ``flats`` and, if there are any, ``darks``. Lazy or not.
    steps
        ``"basic"``: flat_field, repair_pixels, minus_log. ``"standard"``: then remove_stripes.
        ``"none"``: nothing. Or the names of steps, in order.

    Returns
    -------
    projections
        Shape (angle, detector_y, detector_x), with the attributes of the dataset.

    Raises
    ------
    MetadataError
        If the dataset has no projections, or no flats although ``flat_field`` is among the steps.
    UnknownNameError
        If there is no such sequence or step.
    ParameterError
        If ``flat_field`` is not the first step.
    """
    names = _names(steps)
    if "projections" not in scan:
        raise MetadataError(
            f"The dataset has no projections; it has {_listed(scan)}. Open a tomography scan, "
            "or name the variable: dataset.rename({'...': 'projections'})."
        )
    data = scan["projections"]
    data = data.assign_attrs({**scan.attrs, **data.attrs})
    for name in names:
        data = _flat_field(scan, data) if name == "flat_field" else _STEPS[name](data)
    return data


def _names(steps: str | Sequence[str]) -> tuple[str, ...]:
    if isinstance(steps, str):
        if steps not in SEQUENCES:
            raise UnknownNameError("sequence of corrections", steps, SEQUENCES)
        return SEQUENCES[steps]
    known = ("flat_field", *_STEPS)
    for name in steps:
        if name not in known:
            raise UnknownNameError("correction", name, known)
    if "flat_field" in steps[1:]:
        raise ParameterError(
            f"flat_field is step {list(steps).index('flat_field') + 1} of {list(steps)}; it works "
            "on counts and can only be the first. Move it to the front."
        )
    return tuple(steps)


def _flat_field(scan: xr.Dataset, projections: xr.DataArray) -> xr.DataArray:
    if "flats" not in scan:
        raise MetadataError(
            f"The scan has no flats (frames without sample); it has {_listed(scan)}. Give them on "
            "opening: beamkit.open(scan, flats=...). If the projections are normalised already, "
            "use corrections=('minus_log',), or 'none' if they are line integrals."
        )
    return flat_field(projections, scan["flats"], scan.get("darks"))


def _listed(scan: xr.Dataset) -> str:
    return ", ".join(map(str, scan.data_vars)) or "no variables"
