"""The transmission of a single material from one propagated image: Paganin's phase retrieval.

In physical units, with the transfer function

``H(f) = 1 / (1 + pi lambda z (delta/beta) |f|^2)``

of Paganin et al., J. Microsc. 206, 33 (2002), doi:10.1046/j.1365-2818.2002.01010.x, or

``H(f) = 1 / (1 - (2 alpha/W^2) (cos 2 pi W fx + cos 2 pi W fy - 2))``

of Paganin et al., J. Opt. 22, 115607 (2020), doi:10.1088/2040-8986/abbab9, where W is the pixel and
``alpha = lambda z delta/(4 pi beta)``; f in cycles per metre.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np
import scipy.fft
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.errors import InvalidPixelsError, MetadataError, ParameterError, UnknownNameError
from beamkit.core.history import step
from beamkit.core.machine import cores
from beamkit.core.schema import DETECTOR_X, DETECTOR_Y, PROJECTIONS, require_dims, require_quantity
from beamkit.core.units import wavelength_from_energy

Variant = Literal["2002", "2020"]

#: The filter's kernel falls as exp(-r / sqrt(alpha)): this many lengths are added on each side.
_LENGTHS = 9.0


@step(quantity="transmission", units="1")
def paganin(
    transmission: xr.DataArray,
    *,
    delta_beta: float,
    energy: float | None = None,
    propagation_distance: float | None = None,
    pixel_size: float | tuple[float, float] | None = None,
    variant: str = "2002",
) -> xr.DataArray:
    """Return the transmission that a sample of one material would have in contact.

    ``minus_log`` of it is the line integral of the attenuation.

    Parameters
    ----------
    transmission
        Shape (angle, detector_y, detector_x), after flat_field [1], without NaN.
    delta_beta
        Of the material: decrement of the refractive index over its absorption index [1].
    energy
        [keV]; None for that of the data.
    propagation_distance
        Sample to detector [m]; None for that of the data. With a ``magnification`` M in the
        attributes the distance z / M of the equivalent parallel beam is used.
    pixel_size
        At the sample, of both sides or (x, y) [m]; None for ``effective_pixel_size_x/y``.
    variant
        ``"2002"``, or ``"2020"``, which blurs fine structure less.

    Returns
    -------
    contact
        Same shape and coordinates, float32 [1]. The mean over a wide, even image stays.

    Raises
    ------
    MetadataError
        If energy, distance or pixel size are not known.
    ParameterError
        If a number is not above 0.
    QuantityError
        If the data are no transmission.
    InvalidPixelsError
        If a value is NaN or infinite.
    UnknownNameError
        If there is no such variant.
    """
    require_dims(transmission, PROJECTIONS, what="projections")
    require_quantity(
        transmission,
        "transmission",
        to="retrieve the phase",
        cure="Counts go through flat_field first; the logarithm is taken after this step.",
    )
    if variant not in get_args(Variant):
        raise UnknownNameError("variant", variant, get_args(Variant))
    sizes = _pixel_sizes(transmission, pixel_size)
    alpha = _alpha(transmission, delta_beta, energy, propagation_distance)
    whole = transmission
    if transmission.chunks is not None:
        whole = transmission.chunk({DETECTOR_Y: -1, DETECTOR_X: -1})
    result: xr.DataArray = xr.apply_ufunc(
        _filtered,
        whole,
        kwargs={"alpha": alpha, "sizes": sizes, "variant": variant},
        input_core_dims=[[DETECTOR_Y, DETECTOR_X]],
        output_core_dims=[[DETECTOR_Y, DETECTOR_X]],
        dask="parallelized",
        output_dtypes=[np.float32],
    )
    return result


def paganin_transfer(
    shape: tuple[int, int],
    *,
    alpha: float,
    pixel_size: tuple[float, float],
    variant: str = "2002",
) -> NDArray[np.float64]:
    """Return the transfer function on the frequencies of ``rfft2``.

    Parameters
    ----------
    shape
        Rows and columns of the image.
    alpha
        ``lambda z delta / (4 pi beta)`` [m^2].
    pixel_size
        Along a row and along a column, x and y [m].
    variant
        ``"2002"`` or ``"2020"``.

    Returns
    -------
    transfer
        Shape (rows, columns // 2 + 1); 1 at frequency 0.
    """
    fy = np.fft.fftfreq(shape[0], pixel_size[1])[:, None]
    fx = np.fft.rfftfreq(shape[1], pixel_size[0])[None, :]
    if variant == "2002":
        return np.asarray(1 / (1 + alpha * (2 * np.pi) ** 2 * (fx**2 + fy**2)))
    wx, wy = pixel_size
    across = 2 * (1 - np.cos(2 * np.pi * wx * fx)) / wx**2
    down = 2 * (1 - np.cos(2 * np.pi * wy * fy)) / wy**2
    return np.asarray(1 / (1 + alpha * (across + down)))


def delta_beta_from_tomopy(alpha: float) -> float:
    """Return delta/beta for the ``alpha`` of tomopy's and tomocupy's ``retrieve_phase``.

    Their filter is ``1 / (lambda z f^2 / (4 pi) + alpha)``, normalised to 1 at frequency 0, so
    ``alpha = beta / (4 pi^2 delta)``.
    """
    return 1 / (4 * math.pi**2 * _above_zero("alpha", alpha))


def delta_beta_from_httomo(ratio: float) -> float:
    """Return delta/beta for the ``ratio_delta_beta`` of HTTomo (httomolibgpu).

    Its frequencies run to twice those of the image, so a ratio acts as four times itself.
    """
    return 4 * _above_zero("ratio", ratio)


def delta_beta_from_pyhst(length: float, *, energy: float, propagation_distance: float) -> float:
    """Return delta/beta for PyHST's ``PAGANIN_Lmicron`` [um], at an energy [keV] and distance [m].

    ``L^2 = pi lambda z delta/beta``.
    """
    wavelength = wavelength_from_energy(_above_zero("energy", energy)) * 1e-10
    distance = _above_zero("propagation_distance", propagation_distance)
    return (_above_zero("length", length) * 1e-6) ** 2 / (math.pi * wavelength * distance)


def _filtered(
    frames: NDArray[np.floating], *, alpha: float, sizes: tuple[float, float], variant: str
) -> NDArray[np.float32]:
    """Filter frames, shape (..., rows, columns), with their edges repeated around them."""
    finite = np.isfinite(frames)
    if not finite.all():
        place = tuple(int(number) for number in np.argwhere(~finite)[0])
        raise InvalidPixelsError(
            f"The value at {place} of the projections is {frames[place]}; phase retrieval spreads "
            "it over the image. Run repair_pixels first."
        )
    shape = (frames.shape[-2], frames.shape[-1])
    margins = [_margin(n, alpha, size) for n, size in zip(shape, reversed(sizes), strict=True)]
    padded = (shape[0] + sum(margins[0]), shape[1] + sum(margins[1]))
    transfer = paganin_transfer(padded, alpha=alpha, pixel_size=sizes, variant=variant)
    transfer = transfer.astype(np.float32)
    inner = tuple(slice(low, low + n) for (low, _), n in zip(margins, shape, strict=True))
    result = np.empty(frames.shape, np.float32)
    for place in np.ndindex(frames.shape[:-2]):
        wide = np.pad(frames[place].astype(np.float32), margins, mode="edge")
        spectrum = scipy.fft.rfft2(wide, workers=cores(), overwrite_x=True)
        spectrum *= transfer
        result[place] = scipy.fft.irfft2(spectrum, s=padded, workers=cores())[inner]
    return result


def _margin(size: int, alpha: float, pixel: float) -> tuple[int, int]:
    """Return how many pixels are added before and after: to where the kernel has gone."""
    wanted = min(max(size, 8), math.ceil(_LENGTHS * math.sqrt(alpha) / pixel) + 1)
    whole = scipy.fft.next_fast_len(size + 2 * wanted, real=True)
    before = (whole - size) // 2
    return before, whole - size - before


def _alpha(
    data: xr.DataArray, delta_beta: float, energy: float | None, distance: float | None
) -> float:
    """Return ``lambda z delta / (4 pi beta)`` [m^2]."""
    kev = _known(data, "energy", energy, "energy [keV]")
    z = _known(data, "propagation_distance", distance, "propagation_distance [m]")
    z /= float(data.attrs.get("magnification", 1.0)) or 1.0
    wavelength = wavelength_from_energy(kev) * 1e-10
    return wavelength * z * _above_zero("delta_beta", delta_beta) / (4 * math.pi)


def _pixel_sizes(
    data: xr.DataArray, given: float | tuple[float, float] | None
) -> tuple[float, float]:
    names = ("effective_pixel_size_x", "effective_pixel_size_y")
    values = given if isinstance(given, tuple) else (given, given)
    x, y = (
        _known(data, name, value, "pixel_size [m]")
        for name, value in zip(names, values, strict=True)
    )
    return x, y


def _known(data: xr.DataArray, name: str, given: float | None, text: str) -> float:
    value = data.attrs.get(name) if given is None else given
    if value is None:
        raise MetadataError(
            f"Phase retrieval needs {name}, which the data do not say. Give {text}."
        )
    return _above_zero(name, float(value))


def _above_zero(name: str, value: float) -> float:
    if not (math.isfinite(value) and value > 0):
        raise ParameterError(f"{name} is {value}; it must be above 0.")
    return value
