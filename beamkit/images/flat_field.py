"""Images divided by what the detector shows of an even illumination."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.detectors import ModuleLayout, layout_named
from beamkit.core.errors import ParameterError, ShapeError, UnknownNameError
from beamkit.core.history import step

from ._on_layout import as_float, lines_of

Normalize = Literal["detector", "module", "none"]


@step()
def flat_field(
    data: xr.DataArray,
    flat: xr.DataArray | NDArray[Any],
    *,
    normalize: str = "detector",
    layout: str | ModuleLayout | None = None,
) -> xr.DataArray:
    """Return images divided by the response of each pixel to an even illumination, lazily.

    Parameters
    ----------
    data
        Shape (..., detector_y, detector_x) [counts].
    flat
        Image of an even illumination, or sensitivities: shape (detector_y, detector_x) of the
        data, or frames of that shape, whose mean counts.
    normalize
        ``"detector"``: the flat is divided by its mean first, so that counts stay counts.
        ``"module"``: by the mean of each module, so that differences between modules stay, as
        where each was lit alone. ``"none"``: the flat is taken as it is.
    layout
        The detector, or its name, for ``"module"``.

    Returns
    -------
    corrected
        Same shape, floating point. NaN where the flat is not above 0 or holds a flag, and where
        whole counts held a flag.

    Raises
    ------
    ShapeError
        If flat and data differ in shape, or are not those of the layout.
    ParameterError
        If the flat has no good pixel, or ``"module"`` comes without a layout.
    """
    if normalize not in get_args(Normalize):
        raise UnknownNameError("normalize", normalize, get_args(Normalize))
    dims = data.dims[-2:]
    response = _response(flat, (int(data.shape[-2]), int(data.shape[-1])))
    if normalize == "detector":
        response /= np.nanmean(response)
    elif normalize == "module":
        response /= _means(response, _modules(data, layout))
    values = as_float(data)
    corrected = values / xr.DataArray(response.astype(values.dtype), dims=dims)
    corrected.attrs, corrected.name = dict(data.attrs), data.name
    return corrected


def _response(flat: xr.DataArray | NDArray[Any], shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return the flat as one image, NaN where it is of no use. Shape (rows, columns)."""
    given = flat if isinstance(flat, xr.DataArray) else xr.DataArray(np.asarray(flat))
    if given.ndim not in (2, 3) or given.shape[-2:] != shape:
        raise ShapeError(
            f"The flat has the shape {given.shape}, the images {shape}. Give a flat of the same "
            "rows and columns, cropped and binned as the images are."
        )
    values = as_float(given)
    if values.ndim == 3:
        values = values.mean(str(values.dims[0]), skipna=False)
    response = np.array(values.values, np.float64)
    response[~(np.isfinite(response) & (response > 0))] = np.nan
    if np.isnan(response).all():
        raise ParameterError(
            "The flat has no pixel above 0. Give an image of an even illumination."
        )
    return response


def _modules(data: xr.DataArray, layout: str | ModuleLayout | None) -> NDArray[np.int32]:
    if layout is None:
        raise ParameterError(
            "normalize='module' needs the layout of the detector, and none was given. Give its "
            "name, such as layout='EXCALIBUR'."
        )
    known = layout_named(layout)
    rows, columns = lines_of(data, known)
    return np.asarray(known.module_numbers()[np.ix_(rows, columns)])


def _means(response: NDArray[np.float64], modules: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return for each pixel the mean of its module; NaN in gaps. Shape (rows, columns)."""
    good = np.isfinite(response) & (modules >= 0)
    number = np.bincount(modules[good], minlength=int(modules.max()) + 1)
    total = np.bincount(modules[good], response[good], minlength=len(number))
    with np.errstate(invalid="ignore"):
        means = total / number
    return np.where(modules >= 0, means[modules], np.nan)
