"""The door to pyFAI's integrators: units, signs, caches and threads stay inside.

Kieffer, Orlans, Coquelle, Debionne, Basu, Homs, Santoni & De Nolf, J. Appl. Cryst. 58, 138 (2025).
What pyFAI does by itself and this door does not leave to it:

1. Of pyFAI's engines only some may be used by several threads at once (:data:`SHAREABLE`): the
   others keep a buffer of their own, and two threads in one CSR engine give wrong intensities.
2. pyFAI's ``error_model="poisson"`` gives every pixel a variance of 1 or more; in frames with less
   than a photon a pixel sigma is ten times too large. Here the variance of a pixel is its count.
3. A range of chi that crosses 180 deg is cut by some engines: the frame of pyFAI is turned.
"""

from __future__ import annotations

import copy
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from beamkit.core.errors import EngineError
from beamkit.core.optional import need

from ._placement import Placement
from .poni import poni_of

Flags: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.float32]
Range: TypeAlias = tuple[float, float]

#: Engines (algorithm, implementation) that threads may share.
SHAREABLE = frozenset({("csc", "cython"), ("histogram", "cython")})


@dataclass(frozen=True, eq=False)
class Setup:
    """All that an integrator is made from; it travels to other processes.

    Attributes
    ----------
    placement
        Of the pixels of the images, cropped or binned as they are.
    unit, method
        pyFAI's.
    npt
        Bins: (radial,) or (radial, azimuthal).
    radial, azimuth
        Limits [unit, deg]; None for all. ``azimuth`` is for two dimensions only.
    sectors
        Limits of chi [deg] of each pattern; without any, one pattern of all pixels.
    is_single
        Whether the only sector has no axis of its own.
    mask
        True for pixels that do not count.
    solid_angle, polarization
        Corrections; None for no polarisation.
    flat, dark
        Images; the dark is the mean of ``darks`` frames.
    error_model
        ``"poisson"``, ``"azimuthal"`` or None.
    ceiling
        Highest valid value.
    is_signed
        Whether negative whole numbers are flags.
    """

    placement: Placement
    unit: str
    method: tuple[str, str, str]
    npt: tuple[int, ...]
    mask: Flags
    radial: Range | None = None
    azimuth: Range | None = None
    sectors: tuple[Range, ...] = ()
    is_single: bool = False
    solid_angle: bool = True
    polarization: float | None = None
    flat: Floats | None = None
    dark: Floats | None = None
    darks: int = 1
    error_model: str | None = None
    ceiling: float | None = None
    is_signed: bool = True

    @cached_property
    def key(self) -> str:
        """Return a name for this setup, the same for the same content."""
        digest = hashlib.sha1(usedforsecurity=False)
        for field in fields(self):
            value = getattr(self, field.name)
            is_array = isinstance(value, np.ndarray)
            digest.update(value.tobytes() if is_array else repr(_plain(value)).encode())
        return digest.hexdigest()

    @property
    def is_shareable(self) -> bool:
        """Say whether threads may share the integrator."""
        return self.method[1:] in SHAREABLE

    @property
    def outputs(self) -> int:
        """Return 2 with standard errors, else 1."""
        return 1 if self.error_model is None else 2

    @property
    def bins(self) -> tuple[int, ...]:
        """Return the shape of a pattern: (radial,), (sector, radial) or (azimuthal, radial)."""
        return (*((len(self.sectors),) if self.has_sectors else ()), *self.npt[::-1])

    @property
    def has_sectors(self) -> bool:
        """Say whether there is an axis of sectors."""
        return bool(self.sectors) and not self.is_single


def _plain(value: Any) -> Any:
    return vars(value) if isinstance(value, Placement) else value


class Integrator:
    """pyFAI, set up once for many images of a detector.

    Attributes
    ----------
    radial
        Middle of each bin, in the unit of the setup. float64.
    weight
        What counts in each bin: pixels times solid angle, polarisation and flat field; float64,
        shape of the bins.

    Raises
    ------
    MissingDependencyError
        If pyFAI is not installed.
    EngineError
        If pyFAI cannot do it.
    """

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        with _errors_named(setup):
            base = _azimuthal_integrator(setup.placement)
            self._weights = _pixel_weights(base, setup)
            masks = _masks(base, setup)
            radial = setup.radial or (_common_range(base, setup) if setup.sectors else None)
            turn, self._azimuth = _turned(setup.azimuth)
            base.rot3 += np.deg2rad(turn)  # takes from chi what is added to it
            self._parts = [(copy.copy(base), mask) for mask in masks]
            self._radial_range = radial
            ones = np.ones(masks[0].shape, np.float32)
            found = [self._engine(part, mask, ones, None, True) for part, mask in self._parts]
        self.radial = np.asarray(found[0].radial, np.float64)
        self.weight = self._stacked([each.sum_normalization for each in found])

    def __call__(self, image: NDArray[Any], monitor: float = 1.0) -> NDArray[np.float64]:
        """Return intensity and, with an error model, its standard error.

        Parameters
        ----------
        image
            Shape (rows, columns).
        monitor
            What the intensity is divided by.

        Returns
        -------
        result
            Shape (1 or 2, \\*bins), float64; NaN in bins without a good pixel.
        """
        setup = self._setup
        counts = _without_bad(image, setup)
        variance = counts if setup.error_model == "poisson" else None
        if variance is not None and setup.dark is not None:
            variance = np.asarray(counts + setup.dark / setup.darks, np.float32)
        results = []
        for part, mask in self._parts:
            found = self._engine(part, mask, counts, variance, False)
            results.append(_numbers(found, setup, monitor))
        return np.asarray(self._stacked(results, axis=1), np.float64)

    def _stacked(self, parts: list[Any], axis: int = 0) -> NDArray[Any]:
        return np.stack(parts, axis=axis) if self._setup.has_sectors else np.asarray(parts[0])

    def _engine(
        self, part: Any, mask: Flags, image: Floats, variance: Floats | None, is_first: bool
    ) -> Any:
        setup = self._setup
        # Sparse engines know the mask once they are built; it would be compared at each call.
        is_needed = is_first or setup.method[1] == "histogram"
        options: dict[str, Any] = {
            "unit": setup.unit,
            "method": setup.method,
            "mask": mask if is_needed else None,
            "flat": self._weights,
            "dark": None if is_first else setup.dark,
            "variance": variance,
            "error_model": None if is_first or variance is not None else setup.error_model,
            "correctSolidAngle": False,  # in the weights, with the polarisation
            "radial_range": self._radial_range,
            "safe": is_first,
        }
        if len(setup.npt) == 1:
            return part.integrate1d(image, setup.npt[0], **options)
        return part.integrate2d(image, *setup.npt, azimuth_range=self._azimuth, **options)


def _azimuthal_integrator(placement: Placement) -> Any:
    azimuthal = need("pyFAI.integrator.azimuthal", extra="diffraction", to="integrate images")
    detectors = need("pyFAI.detectors", extra="diffraction", to="integrate images")
    numbers = poni_of(placement)
    detector = detectors.Detector(
        placement.pixel_size_y, placement.pixel_size_x, max_shape=placement.shape, orientation=3
    )
    return azimuthal.AzimuthalIntegrator(
        *numbers,
        detector=detector,
        wavelength=None if placement.wavelength is None else placement.wavelength * 1e-10,
    )


def _pixel_weights(base: Any, setup: Setup) -> Floats | None:
    """Return what an even sample counts in each pixel: solid angle, polarisation, flat field."""
    shape, factors = setup.placement.shape, []
    if setup.solid_angle:
        factors.append(base.solidAngleArray(shape, True))
    if setup.polarization is not None:
        factors.append(base.polarization(shape, setup.polarization))
    if setup.flat is not None:
        factors.append(setup.flat)
    if not factors:
        return None
    return np.asarray(np.prod(factors, axis=0), np.float32)


def _masks(base: Any, setup: Setup) -> list[Flags]:
    """Return the mask of each pattern; a pixel belongs to the sector that its centre is in."""
    if not setup.sectors:
        return [setup.mask]
    chi = np.asarray(base.center_array(setup.placement.shape, unit="chi_deg"))
    return [
        np.asarray(setup.mask | ((chi - low) % 360 >= high - low)) for low, high in setup.sectors
    ]


def _common_range(base: Any, setup: Setup) -> Range:
    """Return the limits of the middles of all good pixels: one axis for all sectors."""
    middles = base.center_array(setup.placement.shape, unit=setup.unit)[~setup.mask]
    return float(middles.min()), float(middles.max())


def _turned(azimuth: Range | None) -> tuple[float, Range]:
    """Return how much is taken from chi, and the range that is within -180 to 180 deg then."""
    if azimuth is None:
        return 0.0, (-180.0, 180.0)
    low, high = azimuth
    if low >= -180 and high <= 180:
        return 0.0, azimuth
    middle = (low + high) / 2
    return middle, (low - middle, high - middle)


def _without_bad(image: NDArray[Any], setup: Setup) -> Floats:
    """Return the image as float32, NaN (which pyFAI leaves out) for flags and saturated pixels.

    The next call in the same thread overwrites it.
    """
    counts, bad = _buffers.of(image.shape)
    np.copyto(counts, image, casting="unsafe")
    if image.dtype.kind not in "iu":
        if setup.ceiling is not None:
            np.greater(image, setup.ceiling, out=bad)
            np.copyto(counts, np.nan, where=bad)
        return counts
    top = np.iinfo(image.dtype).max
    if image.dtype.kind == "u" and image.dtype.itemsize > 1 and setup.is_signed:
        top -= 1
    if setup.ceiling is not None:
        top = min(top, int(setup.ceiling))
    if image.dtype.kind == "i" and setup.is_signed:
        image = image.view(image.dtype.str.replace("i", "u"))  # negative: above every ceiling
    np.greater(image, top, out=bad)
    np.copyto(counts, np.nan, where=bad)
    return counts


class _Buffers(threading.local):
    """Arrays of a thread that are used again: fresh ones cost as much as filling them."""

    counts: Floats = np.empty((0, 0), np.float32)
    bad: Flags = np.empty((0, 0), np.bool_)

    def of(self, shape: tuple[int, ...]) -> tuple[Floats, Flags]:
        if self.counts.shape != shape:
            self.counts, self.bad = np.empty(shape, np.float32), np.empty(shape, np.bool_)
        return self.counts, self.bad


_buffers = _Buffers()


def _numbers(found: Any, setup: Setup, monitor: float) -> NDArray[Any]:
    is_seen = np.asarray(found.sum_normalization) > 0
    intensity = np.where(is_seen, found.intensity, np.nan) / monitor
    if setup.error_model is None:
        return intensity[None]
    if setup.error_model == "azimuthal":
        sigma = np.where(found.sem > 0, found.sem, np.nan)  # of one pixel: not known
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            # A bin without a photon is as uncertain as one with one.
            sigma = np.sqrt(np.maximum(found.sum_variance, 1.0)) / found.sum_normalization
    sigma = np.where(is_seen, sigma / abs(monitor), np.nan)
    return np.stack([intensity, sigma])


@contextmanager
def _errors_named(setup: Setup) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, ValueError, TypeError, MemoryError, AssertionError) as error:
        if type(error).__module__.startswith("beamkit"):
            raise
        raise EngineError(
            f"pyFAI cannot integrate with method={'/'.join(setup.method)}, unit={setup.unit}, "
            f"npt={setup.npt}: {error}. Try method='no', or fewer bins."
        ) from error


def cropped(placement: Placement, rows: Range, columns: Range, shape: tuple[int, int]) -> Placement:
    """Return where a crop or binning of a detector stands.

    Parameters
    ----------
    rows, columns
        Position of the first outer edge, and pixels of the full detector in each one of these.
    shape
        Rows and columns of the crop.
    """
    matrix = placement.pixel_matrix()
    corner = np.asarray(placement.origin) + matrix @ [columns[0], rows[0], 0.0]
    return replace(
        placement,
        origin=tuple(corner.tolist()),
        pixel_size_x=placement.pixel_size_x * columns[1],
        pixel_size_y=placement.pixel_size_y * rows[1],
        shape=shape,
    )
