"""What is asked of an integration, checked and put into the terms of the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from beamkit.core.errors import (
    InvalidPixelsError,
    MetadataError,
    ParameterError,
    ShapeError,
    UnknownNameError,
)
from beamkit.core.schema import DETECTOR_X, DETECTOR_Y, main_variable

from . import _dataset_geometry
from ._mask_bits import as_mask, fit, is_bad
from ._pyfai import Flags, Floats, Range, Setup, cropped
from .geometry import Geometry

#: pyFAI's name of a unit: the axis that it gives, and its unit.
UNITS = {
    "q_A^-1": ("q", "1/angstrom"),
    "q_nm^-1": ("q", "1/nm"),
    "2th_deg": ("two_theta", "deg"),
    "2th_rad": ("two_theta", "rad"),
    "d*2_A^-2": ("inverse_d_squared", "1/angstrom^2"),
    "d*2_nm^-2": ("inverse_d_squared", "1/nm^2"),
    "r_mm": ("radius", "mm"),
    "r_m": ("radius", "m"),
}

SPLITS = ("no", "bbox", "full")
ENGINES = ("csc", "csr", "lut", "histogram")
ERROR_MODELS = ("poisson", "azimuthal")

_PLANE = (DETECTOR_Y, DETECTOR_X)


@dataclass(frozen=True, kw_only=True)
class Request:
    """The arguments of :func:`beamkit.diffraction.integrate`, as they were given."""

    npt: Any
    unit: str
    method: Any
    radial: Any
    azimuth: Any
    sectors: Any
    mask: Any
    solid_angle: bool
    polarization: Any
    dark: Any
    flat: Any
    monitor: Any
    error_model: str | None
    geometry: Geometry | None


@dataclass(frozen=True, eq=False, kw_only=True)
class Plan:
    """An integration that can be run.

    Attributes
    ----------
    data
        As given.
    stack
        Shape (..., detector_y, detector_x).
    setup
        Of the integrator.
    monitor
        Of each frame, shape (...,).
    monitor_unit
        Its unit, empty if there is none.
    geometry
        Of the full detector.
    """

    data: xr.Dataset | xr.DataArray
    stack: xr.DataArray
    setup: Setup
    monitor: NDArray[np.float64]
    monitor_unit: str
    geometry: Geometry

    @property
    def lead(self) -> tuple[str, ...]:
        """Return the dimensions of the frames."""
        return tuple(str(dim) for dim in self.stack.dims[:-2])


def prepare(data: xr.Dataset | xr.DataArray, request: Request) -> Plan:
    """Return the plan of an integration; errors are those of ``integrate``."""
    stack = _stack(data)
    image = stack.isel(dict.fromkeys(stack.dims[:-2], 0))
    geometry = request.geometry or Geometry.from_dataset(data)
    _check_names(request)
    if request.unit not in ("2th_deg", "2th_rad", "r_mm", "r_m"):
        geometry.q(0.0, 0.0)  # says what to do without a wavelength
    bins = _npt(request.npt)
    flat = _image(request.flat, image, "The flat field")
    dark, darks = _dark(request.dark, image)
    monitor, monitor_unit = _monitor(request.monitor, data, stack)
    setup = Setup(
        placement=_placement(geometry, image),
        unit=request.unit,
        method=_method(request.method),
        npt=bins,
        mask=_mask(data, request.mask, image, flat),
        radial=_range("radial", request.radial),
        azimuth=_range("azimuth", request.azimuth) if len(bins) == 2 else None,
        sectors=_sectors(request),
        is_single=request.sectors is None,
        solid_angle=request.solid_angle,
        polarization=_polarization(request.polarization, data, stack),
        flat=None if flat is None else np.where(flat > 0, flat, np.float32(1)),
        dark=dark,
        darks=darks,
        error_model=request.error_model,
        ceiling=_ceiling(data, stack),
        is_signed=stack.attrs.get("units", "counts") == "counts",
    )
    return Plan(
        data=data,
        stack=stack,
        setup=setup,
        monitor=monitor,
        monitor_unit=monitor_unit,
        geometry=geometry,
    )


def _stack(data: xr.Dataset | xr.DataArray) -> xr.DataArray:
    stack = data[main_variable(data)] if isinstance(data, xr.Dataset) else data
    if not set(_PLANE) <= set(stack.dims):
        raise ShapeError(
            f"Images have dimensions (..., {DETECTOR_Y}, {DETECTOR_X}), got {stack.dims} of sizes "
            f"{stack.shape}. Rename with .rename(...)."
        )
    return stack.transpose(..., *_PLANE)


def _check_names(request: Request) -> None:
    if request.unit not in UNITS:
        raise UnknownNameError("unit of a pattern", str(request.unit), UNITS)
    if request.error_model is not None and request.error_model not in ERROR_MODELS:
        raise UnknownNameError("error model", str(request.error_model), ERROR_MODELS)


def _placement(geometry: Geometry, image: xr.DataArray) -> Any:
    rows, columns = (_even(_dataset_geometry.indices(image, axis), axis) for axis in _PLANE)
    return cropped(geometry, rows, columns, (image.shape[0], image.shape[1]))


def _even(places: NDArray[np.float64], axis: str) -> Range:
    """Return the position of the first edge, and the pixels of the detector in each of these."""
    steps = np.diff(places)
    step = float(steps[0]) if steps.size else 1.0
    if not places.size or step <= 0 or not np.allclose(steps, step):
        raise ShapeError(
            f"{axis} has {places.size} indices that are not ascending in even steps; images are "
            f"integrated by whole pixels of one size. Sort with data.sortby({axis!r}), or mask "
            "pixels instead of leaving them out."
        )
    return float(places[0]) + 0.5 - step / 2, step


def _method(given: Any) -> tuple[str, str, str]:
    parts = tuple(given) if isinstance(given, (tuple, list)) else tuple(str(given).split("/"))
    split, engine, language = (*parts, *("csc", "cython")[len(parts) - 1 :])[:3]
    if split not in SPLITS:
        raise UnknownNameError("way of sharing pixels", str(split), SPLITS)
    if engine not in ENGINES:
        raise UnknownNameError("engine of pyFAI", str(engine), ENGINES)
    return str(split), str(engine), str(language)


def _npt(given: Any) -> tuple[int, ...]:
    numbers = tuple(given) if isinstance(given, (tuple, list)) else (given,)
    if len(numbers) not in (1, 2) or not all(
        isinstance(n, (int, np.integer)) and n > 0 for n in numbers
    ):
        raise ParameterError(
            f"npt={given!r} is not possible. Give a number of bins, such as 1000, or "
            "(radial, azimuthal), such as (1000, 360)."
        )
    return tuple(int(n) for n in numbers)


def _range(name: str, given: Any) -> Range | None:
    if given is None:
        return None
    values = np.asarray(given, float)
    if values.shape != (2,) or not np.isfinite(values).all() or not values[0] < values[1]:
        raise ParameterError(
            f"{name}={given!r} is not a range. Give two numbers, the lower one first."
        )
    low, high = (float(value) for value in values)
    if name != "radial" and high - low > 360:
        raise ParameterError(
            f"{name}={given!r} goes more than once around; at most 360 deg are possible."
        )
    return low, high


def _sectors(request: Request) -> tuple[Range, ...]:
    is_cake = len(_npt(request.npt)) == 2
    if request.sectors is not None and (is_cake or request.azimuth is not None):
        raise ParameterError(
            "sectors go with one dimension and without azimuth. Give npt as one number and leave "
            "azimuth out, or leave sectors out."
        )
    wanted: Sequence[Any] = request.sectors if request.sectors is not None else ()
    if request.sectors is not None and not len(wanted):
        raise ParameterError("sectors is empty; give ranges of chi [deg], such as [(-10, 10)].")
    if not is_cake and request.azimuth is not None:
        wanted = [request.azimuth]
    ranges = [_range("azimuth", each) for each in wanted]
    return tuple(each for each in ranges if each is not None)


def _mask(
    data: xr.Dataset | xr.DataArray, given: Any, image: xr.DataArray, flat: Floats | None
) -> Flags:
    bad = np.zeros(image.shape, bool)
    own = data["mask"] if isinstance(data, xr.Dataset) and "mask" in data else None
    for mask in (own, given):
        if mask is not None:
            bad |= np.asarray(is_bad(fit(as_mask(mask), image)).values)
    if flat is not None:
        bad |= ~(flat > 0)
    if bad.all():
        raise InvalidPixelsError(
            f"All {bad.size} pixels are masked; at least one must be good. Look at the mask with "
            "beamkit.diffraction.mask.summary(mask)."
        )
    return bad


def _image(given: Any, image: xr.DataArray, what: str) -> Floats | None:
    if given is None:
        return None
    if isinstance(given, xr.DataArray) and set(given.dims) == set(_PLANE):
        given = fit(given.transpose(*_PLANE), image)
    values = np.asarray(given, np.float32)
    if values.shape != image.shape:
        raise ShapeError(
            f"{what} has the shape {values.shape}, the images {image.shape}. Crop both the same."
        )
    return values


def _dark(given: ArrayLike | xr.DataArray | None, image: xr.DataArray) -> tuple[Floats | None, int]:
    """Return the mean of the dark frames, and how many they are."""
    if given is None:
        return None, 1
    number = 1
    array: Any = given if isinstance(given, xr.DataArray) else np.asarray(given)
    if array.ndim == 3:
        number = int(array.shape[0])
        array = array.mean(str(array.dims[0])) if isinstance(array, xr.DataArray) else array.mean(0)
    return _image(array, image, "The dark image"), number


def _monitor(
    given: Any, data: xr.Dataset | xr.DataArray, stack: xr.DataArray
) -> tuple[NDArray[np.float64], str]:
    lead, unit = stack.shape[:-2], ""
    if given is None:
        return np.ones(lead), unit
    if isinstance(given, str):
        known = [*data.coords, *(data.data_vars if isinstance(data, xr.Dataset) else ())]
        if given not in known:
            raise UnknownNameError("monitor", given, map(str, known))
        given = data[given]
    if isinstance(given, xr.DataArray):
        unit = str(given.attrs.get("units", ""))
    values = np.asarray(given, float)
    if values.shape not in ((), lead):
        raise ShapeError(
            f"The monitor has the shape {values.shape}, the frames {lead}. Give one number, or "
            "one a frame."
        )
    if not (np.isfinite(values) & (values != 0)).all():
        raise ParameterError(
            f"The monitor is {values[~(np.isfinite(values) & (values != 0))][:3].tolist()} in some "
            "frames; they cannot be divided by it. Leave them out with frames=[...]."
        )
    return np.broadcast_to(values, lead).copy(), unit


def _polarization(
    given: float | str | None, data: xr.Dataset | xr.DataArray, stack: xr.DataArray
) -> float | None:
    if given is None:
        return None
    if isinstance(given, str):
        found = stack.attrs.get("polarization", data.attrs.get("polarization"))
        if given != "metadata" or found is None:
            raise MetadataError(
                f"polarization={given!r}: the data do not say the polarisation of the beam. Give "
                "(I_h - I_v)/(I_h + I_v), such as polarization=0.99, or None for no correction."
            )
        given = float(found)
    if not -1 <= given <= 1:
        raise ParameterError(
            f"polarization={given}; (I_h - I_v)/(I_h + I_v) is from -1 to 1. A fraction f, as XDS "
            "has it, is 2f - 1."
        )
    return float(given)


def _ceiling(data: xr.Dataset | xr.DataArray, stack: xr.DataArray) -> float | None:
    """Return the highest count that is valid, None if it is not known or these are not counts."""
    found = stack.attrs.get("count_cutoff", data.attrs.get("count_cutoff"))
    if found is None or stack.attrs.get("units", "counts") != "counts":
        return None
    return float(found) if np.isfinite(float(found)) and float(found) > 0 else None
