"""What was done to the data, kept with the data.

``attrs["history"]`` is a JSON list with one entry a step: ``name``, ``version`` (of beamkit),
``parameters``, ``time`` (ISO 8601, UTC). Text, so that netCDF and Zarr keep it.
"""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from beamkit._version import __version__

if TYPE_CHECKING:
    import xarray as xr

P = ParamSpec("P")
Data = TypeVar("Data", bound="xr.DataArray | xr.Dataset")


def step(
    *, quantity: str | None = None, units: str | None = None
) -> Callable[[Callable[P, Data]], Callable[P, Data]]:
    """Make a function from data to data keep attributes and record itself.

    The result has the attributes of the first argument, overwritten by those that the function
    sets, then by ``quantity`` and ``units``, and one more entry in ``attrs["history"]``. (The
    attributes are not left to xarray: it either drops all of them or keeps ``counts`` through
    a logarithm.)

    Parameters
    ----------
    quantity, units
        What the result is, and its unit; None keeps those of the input.
    """

    def decorate(function: Callable[P, Data]) -> Callable[P, Data]:
        signature = inspect.signature(function)

        @wraps(function)
        def recorded(*args: P.args, **kwargs: P.kwargs) -> Data:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            first, *rest = bound.arguments
            before: Mapping[str, Any] = bound.arguments[first].attrs
            result = function(*args, **kwargs)
            result.attrs = {**before, **result.attrs}
            if quantity is not None:
                result.attrs["quantity"] = quantity
            if units is not None:
                result.attrs["units"] = units
            parameters = {name: _as_json(bound.arguments[name]) for name in rest}
            result.attrs["history"] = extend(before, function.__name__, parameters)
            return result

        return recorded

    return decorate


def extend(attrs: Mapping[str, Any], name: str, parameters: Mapping[str, Any]) -> str:
    """Return the history in ``attrs`` with one more entry, as JSON text."""
    entry = {
        "name": name,
        "version": __version__,
        "parameters": {key: _as_json(value) for key, value in parameters.items()},
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return json.dumps([*entries(attrs), entry])


def entries(attrs: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the history in ``attrs`` as a list of entries, oldest first."""
    return list(json.loads(attrs.get("history", "[]")))


def _as_json(value: Any) -> Any:
    """Return scalars as they are, and what is larger as a short description."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "shape"):
        return _array_as_json(value)
    if isinstance(value, Mapping):
        return {str(key): _as_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [_as_json(item) for item in value]
    return str(value)


def _array_as_json(value: Any) -> Any:
    if value.shape == ():
        return value.item()
    if len(value.shape) == 1 and value.shape[0] <= 16:
        return [_as_json(item) for item in value.tolist()]
    return f"array of shape {tuple(value.shape)} and type {getattr(value, 'dtype', '?')}"
