"""One frame of a calibration powder on a tilted detector."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from beamkit.core.errors import UnknownNameError

from ._calibrants import CALIBRANTS, rings
from ._minicbf import FrameHeader, write_cbf, write_tiff
from ._pixel_detector import COUNT_CUTOFF, PixelDetector, choose_bad_pixels, find_layout
from ._powder_truth import PowderSample, tilted_plane
from ._sample import require_at_least, require_positive

FORMATS = {"tiff": write_tiff, "cbf": write_cbf}

#: Wavelength [angstrom] and distance [m] at which the rings fill a PILATUS 1M.
_SETUP = {"AgBeh": (1.0, 0.5)}
_USUAL_SETUP = (0.40663, 0.21)

#: Full width of a ring at half height [pixel].
_RING_PIXELS = 2.8


def powder(
    path: str | os.PathLike[str],
    *,
    calibrant: str = "CeO2",
    format: str = "tiff",  # noqa: A002, the word for it
    detector: str = "PILATUS 1M",
    wavelength: float | None = None,
    distance: float | None = None,
    beam_center: tuple[float, float] | None = None,
    rot1: float = 0.02,
    rot2: float = -0.012,
    ring_width: float | None = None,
    intensity: float = 3000.0,
    background: float = 25.0,
    polarization: float = 0.99,
    noise: bool = True,
    bad_pixels: int = 20,
    hot_pixels: int = 2,
    seed: int = 1,
) -> PowderSample:
    """Write a frame with powder rings at computed places.

    The header tells where the direct beam meets the detector and how far away, but, as in real
    files, nothing of the tilt.

    Parameters
    ----------
    path
        File to write; replaced if it exists.
    calibrant
        ``"CeO2"``, ``"LaB6"``, ``"Si"`` or ``"AgBeh"`` (silver behenate).
    format
        ``"tiff"`` (PILATUS TIFF, with its header as ImageDescription) or ``"cbf"`` (miniCBF).
    detector
        Name from :data:`beamkit.core.detectors.LAYOUTS`.
    wavelength, distance
        [angstrom], and sample to detector along the beam [m]; None for those at which the rings
        fill a PILATUS 1M.
    beam_center
        x, y of the direct beam from the outer corner [pixel]; None for a place left of and below
        the middle.
    rot1, rot2
        Tilt, as in a PONI file of pyFAI [rad].
    ring_width
        Full width of a ring at half its height, over two_theta [deg]; None for 2.8 pixels.
    intensity, background
        Photons at the crest of the strongest ring, and between rings.
    polarization
        (I_h - I_v)/(I_h + I_v) of the beam, from -1 to 1.
    noise
        False gives the expected counts, rounded.
    bad_pixels, hot_pixels
        How many are flagged, and how many count above the cutoff without a flag.
    seed
        Of noise and defects; the same call gives the same bytes.

    Returns
    -------
    sample
        The path, and the truth.

    Raises
    ------
    UnknownNameError
        If ``calibrant``, ``format`` or ``detector`` is not known.
    ParameterError
        If a number is too small.
    WriteError
        If the file cannot be written.

    Examples
    --------
    >>> sample = powder(getfixture("tmp_path") / "ceo2.tif", detector="PILATUS 300K")
    >>> sample.rings[0].hkl, round(sample.rings[0].spacing, 4)
    ((1, 1, 1), 3.1244)
    """
    _check_names(calibrant, format)
    usual = _SETUP.get(calibrant, _USUAL_SETUP)
    wavelength = usual[0] if wavelength is None else wavelength
    distance = usual[1] if distance is None else distance
    require_positive(wavelength=wavelength, distance=distance)
    require_at_least(0, intensity=intensity, background=background)
    layout = find_layout(detector)
    if beam_center is None:
        beam_center = (round(0.47 * layout.shape[1], 2), round(0.55 * layout.shape[0], 2))
    if ring_width is None:
        ring_width = float(np.rad2deg(_RING_PIXELS * layout.pixel_size / distance))
    require_positive(ring_width=ring_width)
    place = PixelDetector(
        layout,
        tilted_plane(beam_center, distance, layout.pixel_size, rot1, rot2),
        *choose_bad_pixels(layout, bad=bad_pixels, hot=hot_pixels, seed=seed),
    )
    sample = PowderSample(
        path=Path(path),
        format=format,
        calibrant=calibrant,
        rings=rings(calibrant, wavelength, float(place.two_theta().max())),
        wavelength=wavelength,
        detector=place,
        header_beam_center=beam_center,
        detector_distance=distance,
        rot1=rot1,
        rot2=rot2,
        ring_width=ring_width,
        intensity=intensity,
        background_level=background,
        polarization=polarization,
        noise=noise,
        seed=seed,
    )
    FORMATS[format](sample.path, sample.frame(), _header(sample))
    return sample


def _check_names(calibrant: str, format_name: str) -> None:
    if calibrant not in CALIBRANTS:
        raise UnknownNameError("calibrant", calibrant, CALIBRANTS)
    if format_name not in FORMATS:
        raise UnknownNameError("format of a powder sample", format_name, FORMATS)


def _header(sample: PowderSample) -> FrameHeader:
    layout = sample.detector.layout
    return FrameHeader(
        detector=f"{layout.name}, S/N 00-0000, simulated",
        seconds=0.0,
        pixel_size=layout.pixel_size,
        count_cutoff=COUNT_CUTOFF,
        wavelength=sample.wavelength,
        distance=sample.detector_distance,
        beam_center=sample.header_beam_center,
        excluded_pixels=len(sample.detector.bad_pixels),
        exposure_time=sample.exposure_time,
        exposure_period=sample.exposure_time,
        polarization=sample.polarization,
    )
