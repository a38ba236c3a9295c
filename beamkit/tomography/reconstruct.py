"""From a scan, or from line integrals, to slices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from beamkit.core.errors import (
    InvalidPixelsError,
    ParameterError,
    QuantityError,
    ShapeError,
    UnknownNameError,
)
from beamkit.core.history import extend
from beamkit.core.schema import (
    DETECTOR_X,
    DETECTOR_Y,
    PROJECTIONS,
    note,
    require_dims,
    require_quantity,
)
from beamkit.tomography._angles import angles_of, require_angles
from beamkit.tomography.corrections import correct
from beamkit.tomography.rotation_center import CenterEstimate

from ._center import resolve_center
from ._volume import Scale, columns_of, require_even_columns, spacing, volume
from .reconstruction._engines import choose
from .reconstruction._filters import FILTERS
from .reconstruction._geometry import Geometry
from .reconstruction.fbp import fbp

#: Algorithms by name.
ALGORITHMS = {"fbp": fbp}


def reconstruct(
    data: xr.Dataset | xr.DataArray,
    *,
    algorithm: str = "fbp",
    engine: str = "auto",
    device: str = "auto",
    filter: str = "ramp",  # noqa: A002 - the word of the field
    center: float | str | CenterEstimate = "auto",
    corrections: str | Sequence[str] = "basic",
    size: int | None = None,
    threads: int | None = None,
) -> xr.DataArray:
    """Reconstruct slices from a parallel-beam scan.

    Conventions: 1. ``detector_x - center = x cos(angle) + y sin(angle)``. 2. x, y and z are
    right-handed and centred on the axis: x = column - (size - 1)/2 along +detector_x,
    y = row - (size - 1)/2, z along +detector_y. 3. ``attrs["rotation_sense"]`` -1 negates the
    angles. 4. Pixel centres are at whole numbers.

    Parameters
    ----------
    data
        A raw tomography dataset, which is corrected first, or line integrals of shape (angle,
        detector_y, detector_x) [1] with the coordinate ``angle`` [deg]: one sinogram, a slab or
        all of it. Loaded into memory if it is lazy.
    algorithm
        ``"fbp"``.
    engine
        ``"nufft"`` (FINUFFT, CPU), ``"astra"``, or ``"auto"``: ASTRA where there is a CUDA
        device, else FINUFFT.
    device
        ``"cpu"``, ``"gpu"`` or ``"auto"``.
    filter
        One of :data:`beamkit.tomography.FILTERS`.
    center
        Column of the axis of rotation, as an index on ``detector_x`` [pixel]; or what
        :func:`find_center` returned; ``"auto"`` calls it; ``"middle"`` takes the middle of the
        detector.
    corrections
        Steps for a raw dataset, as in :func:`correct`.
    size
        Rows and columns of a slice [pixel], about the axis. None takes the detector's columns.
    threads
        Threads on the CPU; None takes one for each core.

    Returns
    -------
    volume
        Shape (z, y, x), float32, without NaN. [1/cm] with x, y, z in [um] if
        ``attrs["effective_pixel_size_x"]`` (and ``_y``) are known, else [1/pixel] and [pixel].
        ``attrs``: those of the data, ``rotation_center`` [pixel], ``engine``, ``device``,
        ``algorithm``, ``filter``, ``history``.

    Raises
    ------
    ShapeError
        If dimensions differ from those above, or are empty.
    MetadataError
        If there are no angles, or no flats to correct with.
    QuantityError
        If the array holds counts or transmissions.
    InvalidPixelsError
        If a value is NaN or infinite; names the pixel, and the step that mends it.
    ParameterError
        If an option has a value that is not allowed.
    EngineError
        If the engine cannot run on the device, or fails.
    MissingDependencyError
        If the engine is not installed.
    """
    _check_options(algorithm, filter, size, threads)
    if not isinstance(data, (xr.Dataset, xr.DataArray)):
        raise ParameterError(
            f"The data are a {type(data).__name__}; an xarray Dataset or DataArray is needed. Wrap "
            "line integrals: xarray.DataArray(a, dims=('angle', 'detector_y', 'detector_x'), "
            "coords={'angle': degrees})."
        )
    engine, device = choose(engine, device)
    if isinstance(data, xr.Dataset):
        names = [name for name in ("projections", "flats", "darks") if name in data]
        data = correct(data[names].compute(), corrections)
    _check(data)
    data = data.astype(np.float32, copy=False).compute()
    _refuse_nan(data)
    scale = Scale.of(data)
    index, about_center = resolve_center(data, center)
    geometry = _geometry(data, index, size)
    slices = ALGORITHMS[algorithm](
        data.values,
        geometry,
        engine=engine,
        device=device,
        filter=filter,
        numbers=_row_numbers(data),
        threads=threads,
    )
    result = volume(slices, data, scale, is_density=filter != "none")
    options = {"algorithm": algorithm, "engine": engine, "device": device, "filter": filter}
    result.attrs |= {**options, **about_center}
    _note_missing_angles(result, geometry)
    parameters = {**options, "center": index, "size": slices.shape[1]}
    result.attrs["history"] = extend(data.attrs, "reconstruct", parameters)
    return result


def _check_options(algorithm: str, filter_name: str, size: int | None, threads: int | None) -> None:
    if algorithm not in ALGORITHMS:
        raise UnknownNameError("algorithm", algorithm, ALGORITHMS)
    if not isinstance(filter_name, str) or filter_name not in FILTERS:
        raise UnknownNameError("filter", str(filter_name), FILTERS)
    for name, value in (("size", size), ("threads", threads)):
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if value is not None and not (is_number and value >= 1):
            raise ParameterError(f"{name} is {value!r}; it must be a whole number of at least 1.")


def _check(data: xr.DataArray) -> None:
    require_dims(data, PROJECTIONS, what="line integrals")
    require_quantity(
        data,
        "line integral",
        to="reconstruct",
        cure="Give the raw dataset, or apply flat_field and minus_log first.",
    )
    if data.dtype.kind not in "fiu":
        raise QuantityError(
            f"The data are of type {data.dtype}; line integrals are real numbers. "
            "Convert them: .real, or .astype('float32')."
        )
    require_even_columns(data)
    if 0 in data.shape:
        raise ShapeError(
            f"The data of shape {data.shape} are empty: no "
            f"{PROJECTIONS[data.shape.index(0)]} is left. Check the selection before."
        )
    require_angles(data)


def _refuse_nan(data: xr.DataArray) -> None:
    finite = np.isfinite(data.values)
    if finite.all():
        return
    angle, row, column = np.argwhere(~finite)[0]
    y, x = columns_of(data, DETECTOR_Y)[row], columns_of(data, DETECTOR_X)[column]
    raise InvalidPixelsError(
        f"{finite.size - int(finite.sum())} values are NaN or infinite; the first is "
        f"{data.values[angle, row, column]} at projection {angle}, pixel (detector_y={y:g}, "
        f"detector_x={x:g}). A reconstruction needs numbers everywhere. Run repair_pixels first "
        "(corrections='basic' does)."
    )


def _geometry(data: xr.DataArray, center: float, size: int | None) -> Geometry:
    columns = columns_of(data, DETECTOR_X)
    return Geometry(
        angles=angles_of(data),
        columns=len(columns),
        center=(center - columns[0]) / spacing(columns),
        size=size or len(columns),
    )


def _note_missing_angles(volume: xr.DataArray, geometry: Geometry) -> None:
    covered = float(np.rad2deg(geometry.weights.sum()))
    if covered < 178:
        text = f"the angles cover {covered:.0f} degrees of 180: edges along the others are missing"
        note(volume.attrs, "notes", text)


def _row_numbers(data: xr.DataArray) -> list[int]:
    """Return the number of each row on the whole detector, counted in rows of this binning."""
    rows = columns_of(data, DETECTOR_Y)
    return [int(number) for number in np.floor(rows / abs(spacing(rows) or 1.0))]
