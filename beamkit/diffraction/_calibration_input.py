"""What calibration starts from: one image, its good pixels, and what is known of the detector."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from beamkit.core.detectors import CDTE_LAYOUTS, LAYOUTS, ModuleLayout, mask_from_flags
from beamkit.core.errors import MetadataError, ParameterError, ShapeError, UnknownNameError
from beamkit.core.schema import main_variable
from beamkit.core.units import wavelength_from_energy

from ._mask_bits import DIMS, as_mask, fit, is_bad
from ._placement import checked_shape
from ._ring_points import PixelImage
from .calibrants import Calibrant, calibrant
from .geometry import Geometry

#: A detector by name, or the size of its pixels [m]: of both sides, or along x and along y.
Detector = str | float | tuple[float, float]


@dataclass(frozen=True, eq=False)
class Task:
    """One image to calibrate with.

    Attributes
    ----------
    image
        Values, good pixels, and positions of both axes.
    shape
        Of the full detector (rows, columns).
    pixel_size
        Along a row and along a column [m].
    wavelength
        [angstrom]
    header
        Geometry of the data's attributes; None if they state no distance or no beam centre.
    lacks
        What the attributes lack for a start, in words.
    """

    image: PixelImage
    shape: tuple[int, int]
    pixel_size: tuple[float, float]
    wavelength: float
    header: Geometry | None
    lacks: str


def task(
    data: xr.Dataset | xr.DataArray | ArrayLike,
    *,
    wavelength: float | None,
    detector: Detector | None,
    mask: Any,
    start: Geometry | None,
) -> Task:
    """Return what there is to calibrate with; see :func:`beamkit.diffraction.calibrate`."""
    frame = _frame(data)
    source = data if isinstance(data, xr.Dataset) else frame
    layout = _layout(detector) if isinstance(detector, str) else None
    stated, lacks = _stated(source)
    size = _pixel_size(detector, layout, source, start)
    return Task(
        _pixel_image(frame, source, mask, layout),
        _shape(frame, layout, stated, start),
        size,
        _wavelength(wavelength, source, start),
        None if stated is None else _resized(stated, size),
        lacks,
    )


def substance(value: str | Calibrant | ArrayLike) -> Calibrant:
    """Return the calibrant that is meant: by name, itself, or lattice spacings [angstrom]."""
    if isinstance(value, Calibrant):
        return value
    if isinstance(value, str):
        return calibrant(value)
    return Calibrant.from_spacings(np.ravel(np.asarray(value, float)).tolist())


def _frame(data: xr.Dataset | xr.DataArray | ArrayLike) -> xr.DataArray:
    if isinstance(data, xr.Dataset):
        found = data[main_variable(data)]
        found = found.assign_attrs({**data.attrs, **found.attrs})
    else:
        found = data if isinstance(data, xr.DataArray) else xr.DataArray(np.asarray(data))
    found = found.squeeze()
    if found.ndim != 2:
        sizes = dict(found.sizes)
        raise ShapeError(
            f"Calibration takes one image, and the data have {sizes}. Take one with "
            ".isel(frame=0), or the mean of all with .mean('frame', keep_attrs=True)."
        )
    if found.dims != DIMS:
        found = found.rename(dict(zip(found.dims, DIMS, strict=True)))
    return found.load()


def _pixel_image(
    frame: xr.DataArray, source: xr.Dataset | xr.DataArray, mask: Any, layout: ModuleLayout | None
) -> PixelImage:
    values = np.asarray(frame.values)
    good = np.isfinite(values)
    if values.dtype.kind == "i":
        good &= values >= 0
        good &= mask_from_flags(values, count_cutoff=frame.attrs.get("count_cutoff")) == 0
    if isinstance(source, xr.Dataset) and "mask" in source:
        good &= ~_bad(source["mask"], frame)
    if mask is not None:
        good &= ~_bad(mask, frame)
    if layout is not None and layout.shape == values.shape:
        good &= ~layout.gaps()
    if good.sum() < 100:
        raise ParameterError(
            f"Only {int(good.sum())} of {good.size} pixels can be used; rings need more. Correct "
            "the mask, or give another image."
        )
    clean = np.where(good, values, 0).astype(np.float32)
    x, y = (_positions(frame, axis) for axis in ("detector_x", "detector_y"))
    return PixelImage(clean, good, x, y)


def _bad(mask: Any, frame: xr.DataArray) -> NDArray[np.bool_]:
    if isinstance(mask, xr.DataArray):
        return np.asarray(is_bad(fit(as_mask(mask), frame)))
    bits = np.asarray(mask)
    if bits.shape != frame.shape:
        raise ShapeError(
            f"The mask has shape {bits.shape}, the image {frame.shape}. Crop both the same."
        )
    return bits if bits.dtype == bool else np.asarray(is_bad(as_mask(bits)))


def _positions(frame: xr.DataArray, axis: str) -> NDArray[np.float64]:
    if axis in frame.coords:
        return np.asarray(frame.coords[axis].values, float) + 0.5
    return np.arange(frame.sizes[axis], dtype=float) + 0.5


def _shape(
    frame: xr.DataArray,
    layout: ModuleLayout | None,
    stated: Geometry | None,
    start: Geometry | None,
) -> tuple[int, int]:
    for known in (start, stated, layout):
        if known is not None and known.shape is not None:
            return known.shape
    far = (_positions(frame, axis).max() + 0.5 for axis in DIMS)
    return checked_shape([round(value) for value in far])


def _layout(name: str) -> ModuleLayout:
    known = (*LAYOUTS, *CDTE_LAYOUTS)
    for layout in known:
        if _bare(layout.name) == _bare(name):
            return layout
    raise UnknownNameError("detector", name, [layout.name for layout in known])


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _pixel_size(
    detector: Detector | None,
    layout: ModuleLayout | None,
    source: xr.Dataset | xr.DataArray,
    start: Geometry | None,
) -> tuple[float, float]:
    if layout is not None:
        return layout.pixel_size, layout.pixel_size
    if detector is not None and not isinstance(detector, str):
        sizes = np.ravel(np.asarray(detector, float))
        if sizes.size not in (1, 2) or not np.all(np.isfinite(sizes) & (sizes > 0)):
            raise ParameterError(
                f"detector={detector!r} is no size of pixels. Give one or two numbers above 0 [m], "
                "such as 172e-6, or the name of a detector, such as 'PILATUS 1M'."
            )
        return float(sizes[0]), float(sizes[-1])
    if start is not None:
        return start.pixel_size_x, start.pixel_size_y
    found = [source.attrs.get(name) for name in ("pixel_size_x", "pixel_size_y")]
    if None in found:
        raise MetadataError(
            "The data do not say how large a pixel is. Give detector=, a name such as "
            "'PILATUS 1M' or a size [m] such as 172e-6."
        )
    return float(found[0]), float(found[1])  # type: ignore[arg-type]


def _wavelength(
    given: float | None, source: xr.Dataset | xr.DataArray, start: Geometry | None
) -> float:
    found = given
    if found is None and start is not None:
        found = start.wavelength
    if found is None and "wavelength" in source.attrs:
        found = float(source.attrs["wavelength"])
    if found is None and "energy" in source.attrs:
        found = wavelength_from_energy(float(source.attrs["energy"]))
    if found is None:
        raise MetadataError(
            "The data do not say the wavelength, and rings tell only its ratio to the distance. "
            "Give wavelength= [angstrom]."
        )
    if not (np.isfinite(found) and found > 0):
        raise ParameterError(f"The wavelength is {found} angstrom; it must be above 0.")
    return float(found)


def _stated(source: xr.Dataset | xr.DataArray) -> tuple[Geometry | None, str]:
    """Return the geometry that the data state, or None and what they lack."""
    try:
        geometry = Geometry.from_dataset(source)
        geometry.beam_center, geometry.poni  # noqa: B018 - both must exist for a start
    except MetadataError as error:
        return None, str(error)
    guessed = [line for line in geometry.assumed if line.startswith("beam_center")]
    guessed = [line for line in guessed if "middle" in line]
    return (None, "; ".join(guessed)) if guessed else (geometry, "")


def _resized(geometry: Geometry, pixel_size: tuple[float, float]) -> Geometry:
    """Return the geometry with other pixels, its beam centre and distance as stated."""
    if (geometry.pixel_size_x, geometry.pixel_size_y) == pixel_size:
        return geometry
    place = geometry.beam_center
    changed = {"pixel_size_x": pixel_size[0], "pixel_size_y": pixel_size[1]}
    return Geometry(**{**vars(geometry), **changed}).with_beam_center(place.x, place.y)


def parse_points(points: Sequence[Sequence[float]], rings: int) -> NDArray[np.float64]:
    """Return picked points as an array of x, y, ring. Raises ParameterError. Shape (point, 3)."""
    found = np.asarray(points, float)
    if found.ndim != 2 or found.shape[1] != 3 or not np.isfinite(found).all():
        raise ParameterError(
            f"points has shape {found.shape}; it must be a list of (x, y, ring), positions "
            "[pixel] and the number of the ring from 0."
        )
    wrong = found[(found[:, 2] < 0) | (found[:, 2] >= rings) | (found[:, 2] % 1 != 0)]
    if wrong.size:
        raise ParameterError(
            f"points names ring {wrong[0, 2]:g}; the calibrant has the rings 0 to {rings - 1}."
        )
    return found
