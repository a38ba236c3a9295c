"""A rotation scan of a crystal on a detector of several modules."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from beamkit.core.detector_geometry import (
    SQUARE_FAST,
    SQUARE_SLOW,
    DetectorPlane,
    origin_from_beam_center,
    swing,
)
from beamkit.core.errors import ParameterError, UnknownNameError
from beamkit.core.transformations import rotation_matrix

from ._diffraction_files import FORMATS, file_names, write_scan
from ._diffraction_truth import DiffractionSample
from ._pixel_detector import PixelDetector, choose_bad_pixels, find_layout
from ._sample import require_at_least, require_positive

#: A monoclinic cell, so that no two axes can be exchanged.
_CELL = (15.4, 21.7, 27.9, 90.0, 97.3, 90.0)


def diffraction(
    path: str | os.PathLike[str],
    *,
    frames: int = 8,
    format: str = "cbf",  # noqa: A002, the word for it
    detector: str | None = None,
    start_angle: float = -30.0,
    angle_increment: float = 1.0,
    wavelength: float = 0.9795,
    distance: float = 0.16,
    beam_center: tuple[float, float] | None = None,
    two_theta: float = 0.0,
    cell: Sequence[float] = _CELL,
    mosaic_spread: float = 0.3,
    spot_size: float = 0.9,
    intensity: float = 20000.0,
    background: float = 6.0,
    noise: bool = True,
    bad_pixels: int = 12,
    hot_pixels: int = 2,
    seed: int = 1,
) -> DiffractionSample:
    """Write a rotation scan of a crystal whose every spot is known.

    Parameters
    ----------
    path
        Folder to make, for CBF (it may exist if it is empty); master file, for NXmx.
    frames
        Number of frames, at least 1.
    format
        ``"cbf"``: one miniCBF file a frame; ``"nxmx"``: an EIGER-like master file with its data
        files beside it.
    detector
        Name from :data:`beamkit.core.detectors.LAYOUTS`; None for ``"PILATUS 300K"``, or
        ``"EIGER 1M"`` for NXmx.
    start_angle, angle_increment
        Omega at the start of the first frame, and turn during a frame, above 0 [deg].
    wavelength
        [angstrom].
    distance, beam_center
        Sample to detector [m] and x, y of the direct beam from the outer corner [pixel], with
        the arm at 0. None for a place left of and below the middle.
    two_theta
        Angle by which an arm swings the detector up [deg].
    cell
        a, b, c [angstrom], alpha, beta, gamma [deg] of a primitive lattice.
    mosaic_spread, spot_size
        Standard deviations of a reflection, over omega [deg] and on the detector [pixel].
    intensity
        Mean photons of a reflection at low angle.
    background
        Photons per pixel and frame under the direct beam.
    noise
        False gives the expected counts, rounded.
    bad_pixels, hot_pixels
        How many are flagged, and how many count above the cutoff without a flag.
    seed
        Of noise, intensities and defects; the same call gives the same bytes.

    Returns
    -------
    sample
        The path, and the truth.

    Raises
    ------
    UnknownNameError
        If ``format`` or ``detector`` is not known.
    ParameterError
        If a number is too small, or the cell is impossible.
    WriteError
        If a file cannot be written, or the folder holds something.

    Examples
    --------
    >>> sample = diffraction(getfixture("tmp_path") / "crystal", frames=2, detector="PILATUS 100K")
    >>> [file.name for file in sample.files]
    ['crystal_00001.cbf', 'crystal_00002.cbf']
    """
    if format not in FORMATS:
        raise UnknownNameError("format of a diffraction sample", format, FORMATS)
    require_at_least(1, frames=frames)
    require_at_least(0, intensity=intensity, background=background)
    require_positive(
        angle_increment=angle_increment,
        wavelength=wavelength,
        distance=distance,
        mosaic_spread=mosaic_spread,
        spot_size=spot_size,
    )
    layout = find_layout(detector or {"cbf": "PILATUS 300K", "nxmx": "EIGER 1M"}[format])
    if beam_center is None:
        beam_center = (round(0.43 * layout.shape[1], 2), round(0.56 * layout.shape[0], 2))
    size = layout.pixel_size
    corner = origin_from_beam_center(*beam_center, distance, size, size)
    plane = swing(DetectorPlane(corner, SQUARE_FAST, SQUARE_SLOW), two_theta)
    defects = choose_bad_pixels(layout, bad=bad_pixels, hot=hot_pixels, seed=seed)
    sample = DiffractionSample(
        path=Path(path),
        files=file_names(Path(path), format, frames),
        format=format,
        detector=PixelDetector(layout, plane, *defects),
        header_beam_center=beam_center,
        header_distance=distance,
        two_theta=two_theta,
        wavelength=wavelength,
        cell=_checked_cell(cell),
        # Some orientation in which no axis lies along an axis of the laboratory.
        orientation=rotation_matrix((0.36, -0.48, 0.80), 73.0),
        frames=frames,
        start_angle=start_angle,
        angle_increment=angle_increment,
        mosaic_spread=mosaic_spread,
        spot_size=spot_size,
        mean_intensity=intensity,
        background_level=background,
        noise=noise,
        seed=seed,
    )
    write_scan(sample)
    return sample


def _checked_cell(cell: Sequence[float]) -> tuple[float, float, float, float, float, float]:
    values = np.asarray(cell, float)
    possible = values.shape == (6,) and (values > 0).all() and (values[3:] < 180).all()
    if possible:
        cosine = np.cos(np.deg2rad(values[3:]))
        possible = 1 - np.sum(cosine**2) + 2 * np.prod(cosine) > 0
    if not possible:
        raise ParameterError(
            f"The cell {list(cell)} is impossible: a, b, c [angstrom] and alpha, beta, gamma [deg] "
            "are needed, with angles that meet in space. Give, for example, "
            "cell=(5.43, 8.14, 12.04, 90, 90, 90)."
        )
    a, b, c, alpha, beta, gamma = (float(value) for value in values)
    return a, b, c, alpha, beta, gamma
