"""Azimuthal integration: images to patterns, by pyFAI."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Any

import xarray as xr
from numpy.typing import ArrayLike

from beamkit.core.history import extend

from . import _integrate_run
from ._integrate_result import as_pattern
from ._integrate_setup import Request, prepare
from .geometry import Geometry


def integrate(
    data: xr.Dataset | xr.DataArray,
    npt: int | tuple[int, int] = 1000,
    *,
    unit: str = "q_A^-1",
    method: str | tuple[str, str, str] = "bbox",
    radial: tuple[float, float] | None = None,
    azimuth: tuple[float, float] | None = None,
    sectors: Sequence[tuple[float, float]] | None = None,
    mask: xr.DataArray | ArrayLike | None = None,
    solid_angle: bool = True,
    polarization: float | str | None = None,
    dark: xr.DataArray | ArrayLike | None = None,
    flat: xr.DataArray | ArrayLike | None = None,
    monitor: str | float | ArrayLike | None = None,
    error_model: str | None = "poisson",
    geometry: Geometry | None = None,
    frames: Any = None,
    workers: int | None = None,
    executor: Executor | None = None,
) -> xr.Dataset:
    """Integrate images over rings: one dimension, a cake, or sectors.

    The mean over the pixels of a bin, each weighted with what it sees of an even sample:
    ``sum(count - dark) / sum(solid angle x polarisation x flat)`` (Kieffer et al., J. Appl.
    Cryst. 58, 138 (2025)), so an intensity is that of a pixel at the foot of the perpendicular.

    Parameters
    ----------
    data
        Frames of shape (..., detector_y, detector_x), cropped or binned as they are, with the
        geometry in their attributes. Lazy frames give a lazy pattern, chunk by chunk.
    npt
        Bins: a number for a pattern, (radial, azimuthal) for a cake.
    unit
        Of the radial axis: ``"q_A^-1"``, ``"q_nm^-1"``, ``"2th_deg"``, ``"2th_rad"``,
        ``"d*2_A^-2"``, ``"d*2_nm^-2"`` (both 1/d squared), ``"r_mm"`` or ``"r_m"``.
    method
        How pixels are shared among bins: ``"bbox"`` by their bounding box in the radial axis,
        ``"full"`` by their true outline, ``"no"`` each to the bin of its centre (bins are then
        independent: sigma is right from bin to bin). With an engine: ``"bbox/csc"`` (default;
        built once, one thread a frame, threads share it), ``"bbox/csr"`` (all cores in one
        frame), ``"bbox/histogram"`` (nothing to build: for one image). Or pyFAI's three words.
    radial
        First and last edge of the bins [``unit``]; None: all that the detector sees.
    azimuth
        Range of chi [deg]: of a pattern the pixels with their centre in it, of a cake the edges
        of its bins. May cross 180: (170, 190).
    sectors
        Several such ranges, a pattern of each over ``sector``.
    mask
        Bits of NXdetector or booleans (True: masked), added to the mask of a dataset.
    solid_angle
        Whether to divide by the solid angle of each pixel, relative to that at the PONI.
    polarization
        (I_h - I_v)/(I_h + I_v) of the beam, -1 to 1, to divide by the polarisation factor;
        ``"metadata"`` for that of the dataset; None for no correction.
    dark
        Counts to subtract: an image, or several over any first dimension, whose mean is taken.
    flat
        Relative efficiency of the pixels, an image; pixels that are not above 0 do not count.
    monitor
        What each frame is divided by: a number, one number a frame, or the name of a coordinate.
    error_model
        ``"poisson"``: variance of a pixel = its count; ``"azimuthal"``: from the scatter of the
        pixels in a bin; None: no ``sigma``.
    geometry
        Instead of that of the data; of the full detector.
    frames
        Which of them, as ``data.isel(frame=frames)``.
    workers
        Threads; None: one a core. Lazy data are computed by dask's own.
    executor
        Threads or processes of your own; overrides ``workers``.

    Returns
    -------
    pattern
        ``intensity`` and, with an error model, ``sigma`` (standard error), float64, over
        (..., [``sector`` or ``chi``,] radial axis): ``q``, ``two_theta``, ``radius`` or
        ``inverse_d_squared``. NaN where a bin has no good pixel. ``weight``: how many pixels count
        in a bin, with their corrections [pixel]. Coordinates of the frames are kept.

    Raises
    ------
    MetadataError
        If the geometry, or what it needs, is not known.
    UnknownNameError, ParameterError
        If an option cannot be.
    ShapeError
        If mask, dark, flat or monitor do not fit, or rows and columns are not evenly spaced.
    InvalidPixelsError
        If no pixel is left.
    MissingDependencyError
        If pyFAI (extra ``diffraction``) is not installed.
    EngineError
        If pyFAI fails.

    Examples
    --------
    >>> import numpy as np
    >>> here = Geometry.from_fit2d(
    ...     center_x=31.5, center_y=20.5, distance=100, pixel_x=172, pixel_y=172, wavelength=1
    ... )
    >>> image = xr.DataArray(np.full((41, 50), 7), dims=("detector_y", "detector_x"))
    >>> found = integrate(image, 20, geometry=here, solid_angle=False)
    >>> float(found.intensity.min()), found.q.attrs["units"]
    (7.0, '1/angstrom')
    """
    given = {key: value for key, value in locals().items() if key not in ("data", "executor")}
    chosen = data if frames is None else data.isel(frame=frames)
    request = Request(
        npt=npt,
        unit=unit,
        method=method,
        radial=radial,
        azimuth=azimuth,
        sectors=sectors,
        mask=mask,
        solid_angle=solid_angle,
        polarization=polarization,
        dark=dark,
        flat=flat,
        monitor=monitor,
        error_model=error_model,
        geometry=geometry,
    )
    plan = prepare(chosen, request)
    values = _integrate_run.run(plan, workers=workers, executor=executor)
    pattern = as_pattern(plan, values)
    given["geometry"] = None if geometry is None else geometry.to_attrs()
    pattern.attrs["history"] = extend(data.attrs, "integrate", given)
    return pattern
