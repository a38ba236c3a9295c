"""The truth of a simulated powder pattern, and its frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beamkit.core.detector_geometry import DetectorPlane, origin_from_beam_center
from beamkit.core.units import energy_from_wavelength

from ._calibrants import Ring
from ._pixel_detector import Floats, PixelDetector
from ._sample import Sample


@dataclass(frozen=True, eq=False, kw_only=True)
class PowderSample(Sample):
    """A simulated calibration frame and its truth.

    Conventions: the laboratory frame, positions and chi of :mod:`beamkit.core.schema`, numbers 1
    to 3; ``poni1``, ``poni2``, ``rot1``, ``rot2``, ``rot3`` and ``dist`` are pyFAI's for
    orientation 3 (Kieffer & Karkoulis, J. Phys. Conf. Ser. 425, 202012 (2013)).

    Attributes
    ----------
    format
        ``"tiff"`` or ``"cbf"``.
    calibrant
        Name of the powder.
    rings
        Those up to the largest scattering angle on the detector.
    wavelength
        [angstrom].
    detector
        Modules, defects and geometry of record.
    header_beam_center
        x, y of the direct beam, as the header tells it [pixel].
    detector_distance
        Sample to detector, along the beam [m].
    rot1, rot2
        How the detector is tilted [rad]; rot3 is 0.
    ring_width
        Full width of a ring at half its height, over two_theta [deg].
    intensity
        Photons at the crest of the strongest ring, before the factors below.
    background_level
        Photons per pixel under the rings, before the factors below.
    polarization
        (I_h - I_v)/(I_h + I_v) of the beam.
    noise
        Whether the counts are noisy.
    seed
        Of noise and defects.
    exposure_time
        [s].
    """

    format: str
    calibrant: str
    rings: tuple[Ring, ...]
    wavelength: float
    detector: PixelDetector
    header_beam_center: tuple[float, float]
    detector_distance: float
    rot1: float
    rot2: float
    ring_width: float
    intensity: float
    background_level: float
    polarization: float
    noise: bool
    seed: int
    exposure_time: float = 3.0

    @property
    def energy(self) -> float:
        """Photon energy [keV]."""
        return energy_from_wavelength(self.wavelength)

    @property
    def rot3(self) -> float:
        """Turn of the detector about the beam [rad]."""
        return 0.0

    @property
    def dist(self) -> float:
        """Sample to detector, along the detector's normal [m]."""
        return float(np.dot(self.detector.plane.origin, self._normal()))

    @property
    def poni1(self) -> float:
        """Foot of the perpendicular along the columns, from the outer corner [m]."""
        return self._foot(self.detector.plane.slow)

    @property
    def poni2(self) -> float:
        """Foot of the perpendicular along the rows, from the outer corner [m]."""
        return self._foot(self.detector.plane.fast)

    @property
    def beam_center(self) -> tuple[float, float]:
        """x, y where the direct beam meets the detector, from the outer corner [pixel]."""
        center = self.detector.beam_center()
        return center.x, center.y

    def pattern(self, two_theta: Floats) -> Floats:
        """Return the photons per pixel, before solid angle and polarization.

        Parameters
        ----------
        two_theta
            Scattering angles, any shape [deg].

        Returns
        -------
        photons
            Same shape: what integration gives when it corrects solid angle and polarization.
        """
        deviation = self.ring_width / np.sqrt(8 * np.log(2))
        angles = np.asarray(two_theta, float)
        result = np.full(angles.shape, self.background_level)
        for ring in self.rings:
            near = np.abs(angles - ring.two_theta) < 9 * deviation  # beyond: 1e-18 of the crest
            distance = (angles[near] - ring.two_theta) / deviation
            result[near] += self.intensity * ring.intensity * np.exp(-(distance**2) / 2)
        return np.asarray(result)

    def expected(self) -> Floats:
        """Return the expected photons, also in gaps. Shape (detector_y, detector_x).

        The pattern, times the solid angle of a pixel relative to one at the foot of the
        perpendicular, ``cos^3`` of the angle of incidence, times the polarization factor
        ``1 - (1 + p)/2 k_x^2 - (1 - p)/2 k_y^2`` with k the unit vector of the scattered ray
        (Kahn et al., J. Appl. Cryst. 15, 330 (1982)).
        """
        rays = self.detector.positions()
        rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
        p = self.polarization
        polarized = 1 - (1 + p) / 2 * rays[..., 0] ** 2 - (1 - p) / 2 * rays[..., 1] ** 2
        solid_angle = (rays @ self._normal()) ** 3
        return np.asarray(self.pattern(self.two_theta()) * solid_angle * polarized)

    def two_theta(self) -> Floats:
        """Return the scattering angle at every pixel. Shape (detector_y, detector_x) [deg]."""
        return self.detector.two_theta()

    def chi(self) -> Floats:
        """Return the azimuth at every pixel. Shape (detector_y, detector_x) [deg]."""
        x, y, _ = np.moveaxis(self.detector.positions(), -1, 0)
        return np.asarray(np.rad2deg(np.arctan2(-y, -x)))

    def frame(self) -> NDArray[np.int32]:
        """Return the frame as the detector gives it: -1 in gaps, -2 at bad pixels.

        Shape (detector_y, detector_x) [counts].
        """
        random = np.random.default_rng([self.seed, 0]) if self.noise else None
        return self.detector.count(self.expected(), random)

    def _normal(self) -> Floats:
        """Return the unit vector from the sample to the detector, square to it."""
        return np.cross(self.detector.plane.fast, self.detector.plane.slow)

    def _foot(self, axis: tuple[float, float, float]) -> float:
        return -float(np.dot(self.detector.plane.origin, axis))


def tilted_plane(
    beam_center: tuple[float, float], distance: float, pixel_size: float, rot1: float, rot2: float
) -> DetectorPlane:
    """Return the detector plane that the direct beam meets at a position and distance.

    pyFAI's rotations (pyFAI documentation, "Geometry"; rot1 and rot2 are left-handed, about its
    axes 1 and 2). Its axis 1 runs along increasing detector_y, -y of the laboratory, its axis 2
    along increasing detector_x, -x, and its axis 3 along the beam.
    """
    c1, s1, c2, s2 = np.cos(rot1), np.sin(rot1), np.cos(rot2), np.sin(rot2)
    turn = np.array([[c2, s2 * s1, -s2 * c1], [0, c1, s1], [s2, -c2 * s1, c2 * c1]])
    slow, fast = ((float(-column[1]), float(-column[0]), float(column[2])) for column in turn.T[:2])
    origin = origin_from_beam_center(
        *beam_center, distance, pixel_size, pixel_size, fast=fast, slow=slow
    )
    return DetectorPlane(origin, fast, slow)
