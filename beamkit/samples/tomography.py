"""A parallel-beam tomography scan of ellipsoids, raw as the camera wrote it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from beamkit.core.errors import ParameterError, UnknownNameError

from ._camera import Camera, choose_defects
from ._phantom import Ellipsoid, Floats, default_ellipsoids
from ._sample import require_at_least, require_positive
from ._tomography_files import COMPRESSIONS, LAYOUTS, write_scan
from ._tomography_truth import TomographySample


def tomography(
    path: str | os.PathLike[str],
    *,
    width: int = 320,
    rows: int = 160,
    angles: int = 361,
    format: str = "nxtomo",  # noqa: A002, the word for it
    start_angle: float = 0.0,
    rotation_range: float = 180.0,
    endpoint: bool = True,
    rotation_center: float | None = None,
    rotation_sense: int = 1,
    energy: float = 25.0,
    effective_pixel_size: float = 3.25e-6,
    ellipsoids: Iterable[Ellipsoid] | None = None,
    object_width: float = 0.85,
    photons: float = 20000.0,
    noise: bool = True,
    flats: int = 20,
    darks: int = 10,
    dead_pixels: int | None = None,
    hot_pixels: int | None = None,
    rings: int = 2,
    compression: str | None = None,
    seed: int = 1,
) -> TomographySample:
    """Write the raw scan of an object whose line integrals are known in closed form.

    Frames are made and written block by block: a scan may be larger than the memory. The order
    is darks, half of the flats, projections, the other half; the beam drifts by a few percent
    in between, linearly in time.

    Parameters
    ----------
    path
        File to write; replaced if it exists.
    width, rows
        Pixels of the camera along detector_x (at least 8) and detector_y (at least 1).
    angles
        Number of projections, at least 1.
    format
        ``"nxtomo"`` (NeXus) or ``"dxchange"`` (Data Exchange of APS).
    start_angle, rotation_range, endpoint
        First angle and range [deg], and whether the last projection is at the end of the range
        or one step before.
    rotation_center
        Index of the column on the axis of rotation; None for 7.3 pixels right of the middle of
        320, in proportion to the width.
    rotation_sense
        +1 for a stage that turns counter-clockwise seen from above, -1 for clockwise; only
        NXtomo can say it.
    energy
        [keV]; it is written down, and changes nothing else.
    effective_pixel_size
        Pixel at the sample [m]. That of the camera is twice as large.
    ellipsoids
        What to scan, in the frame of :class:`TomographySample`; None for a body with a pore,
        inclusions and a right-handed screw of balls, different from each of its mirror images.
    object_width
        Of the default object, as a part of the detector's width; above 1 for an object that is
        larger than the field of view.
    photons
        Photons that the brightest pixel counts in a frame.
    noise
        False gives the expected counts, rounded to integers.
    flats, darks
        Number of frames without sample, and without beam.
    dead_pixels, hot_pixels
        How many always read 0, or 65535; None for one in 10000 and at least 1.
    rings
        How many columns make a ring in the reconstruction.
    compression
        None, ``"gzip"``, or ``"bslz4"`` (bitshuffle and LZ4).
    seed
        Of noise and defects; the same call gives the same bytes.

    Returns
    -------
    sample
        The path, and the truth.

    Raises
    ------
    UnknownNameError
        If ``format`` or ``compression`` is not one of those above.
    ParameterError
        If a number is too small, or defects do not fit on the camera.
    WriteError
        If the file cannot be written.

    Examples
    --------
    >>> folder = getfixture("tmp_path")
    >>> sample = tomography(folder / "scan.nxs", width=64, rows=5, angles=31)
    >>> sample.line_integrals(90.0).shape
    (1, 5, 64)
    """
    _check_names(format, compression)
    require_at_least(8, width=width)
    require_at_least(1, rows=rows, angles=angles, photons=photons)
    require_positive(effective_pixel_size=effective_pixel_size, energy=energy)
    _check_sense(rotation_sense)
    one_in_10000 = max(1, round(rows * width / 10000))
    camera = Camera(
        (rows, width),
        photons,
        noise,
        seed,
        *choose_defects(
            (rows, width),
            dead=one_in_10000 if dead_pixels is None else dead_pixels,
            hot=one_in_10000 if hot_pixels is None else hot_pixels,
            rings=rings,
            seed=seed,
        ),
    )
    if rotation_center is None:
        rotation_center = (width - 1) / 2 + 7.3 * width / 320
    if ellipsoids is None:
        um = effective_pixel_size * 1e6
        ellipsoids = default_ellipsoids(object_width * width * um / 2, rows * um)
    sample = TomographySample(
        path=Path(path),
        format=format,
        angles=_angles(start_angle, rotation_range, angles, endpoint),
        rotation_center=float(rotation_center),
        rotation_sense=rotation_sense,
        energy=energy,
        effective_pixel_size=effective_pixel_size,
        ellipsoids=tuple(ellipsoids),
        image_key=_image_key(angles, flats, darks),
        camera=camera,
    )
    write_scan(sample, compression)
    return sample


def _check_names(layout: str, compression: str | None) -> None:
    if layout not in LAYOUTS:
        raise UnknownNameError("format of a tomography sample", layout, LAYOUTS)
    if compression is not None and compression not in COMPRESSIONS:
        raise UnknownNameError("compression", compression, COMPRESSIONS)


def _check_sense(rotation_sense: int) -> None:
    if rotation_sense not in (1, -1):
        raise ParameterError(
            f"rotation_sense is {rotation_sense}; allowed are 1 (counter-clockwise seen from "
            "above) and -1 (clockwise). Give one of them."
        )


def _angles(start: float, span: float, number: int, endpoint: bool) -> Floats:
    steps = max(1, number - 1) if endpoint else number
    return np.asarray(start + span * np.arange(number) / steps)


def _image_key(projections: int, flats: int, darks: int) -> NDArray[np.int32]:
    """Return darks, half of the flats, projections, the other flats, as NXtomo numbers them."""
    require_at_least(0, flats=flats, darks=darks)
    before = flats - flats // 2
    return np.repeat([2, 1, 0, 1], [darks, before, projections, flats - before]).astype(np.int32)
