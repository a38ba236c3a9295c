"""The truth of a simulated rotation scan of a crystal, and each of its frames."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beamkit.core.detector_geometry import SWING_UP
from beamkit.core.transformations import rotation_matrix

from ._crystal import Floats, b_matrix, miller_indices, reflecting_angles
from ._pixel_detector import PixelDetector
from ._sample import Sample

#: The axis of the goniometer, laboratory frame: horizontal, x of imgCIF (Hammersley et al.,
#: International Tables G, ch. 3.7).
OMEGA_AXIS = SWING_UP

#: How a row of the spot table is laid out.
SPOT = np.dtype(
    [
        ("h", np.int64),
        ("k", np.int64),
        ("l", np.int64),
        ("x", np.float64),
        ("y", np.float64),
        ("omega", np.float64),
        ("frame", np.int64),
        ("intensity", np.float64),
        ("in_gap", np.bool_),
    ]
)


@dataclass(frozen=True, eq=False, kw_only=True)
class DiffractionSample(Sample):
    """A simulated rotation scan and its truth.

    Conventions: the laboratory frame and the positions of :mod:`beamkit.core.schema`, numbers 1
    and 2. A reflection is seen where ``q = k_out - k_in = 2 pi R(omega) ub (h, k, l)``, R being
    the right-handed turn about :attr:`omega_axis`.

    Attributes
    ----------
    files
        The frames (CBF), or the master file and its data files (NXmx).
    format
        ``"cbf"`` or ``"nxmx"``.
    detector
        Modules, defects and geometry of record.
    header_beam_center
        x, y that the header tells, with the arm of the detector at 0 [pixel].
    header_distance
        Sample to detector along the beam, with the arm at 0 [m].
    two_theta
        Angle of the arm, positive upwards [deg].
    wavelength
        [angstrom].
    cell
        a, b, c [angstrom], alpha, beta, gamma [deg].
    orientation
        Rotation matrix from the Cartesian frame of the crystal (x along a*, z along c) to the
        laboratory at omega 0.
    frames
        Number of frames.
    start_angle, angle_increment
        Omega at the start of the first frame, and turn during a frame [deg].
    mosaic_spread
        Standard deviation of a reflection over omega [deg].
    spot_size
        Standard deviation of a spot along x and along y [pixel].
    mean_intensity
        Mean photons of a reflection, in a whole turn through it, at low angle.
    background_level
        Photons per pixel and frame under the direct beam.
    noise
        Whether the counts are noisy.
    seed
        Of noise and intensities.
    exposure_time, exposure_period
        [s].
    """

    files: tuple[Path, ...]
    format: str
    detector: PixelDetector
    header_beam_center: tuple[float, float]
    header_distance: float
    two_theta: float
    wavelength: float
    cell: tuple[float, float, float, float, float, float]
    orientation: Floats
    frames: int
    start_angle: float
    angle_increment: float
    mosaic_spread: float
    spot_size: float
    mean_intensity: float
    background_level: float
    noise: bool
    seed: int
    exposure_time: float = 0.0977
    exposure_period: float = 0.1

    @property
    def omega_axis(self) -> tuple[float, float, float]:
        """Direction of the axis of rotation, laboratory frame."""
        return OMEGA_AXIS

    @property
    def ub(self) -> Floats:
        """Matrix from h, k, l to reciprocal space at omega 0, laboratory [1/angstrom], no 2 pi."""
        return np.asarray(self.orientation @ b_matrix(self.cell))

    @property
    def beam_center(self) -> tuple[float, float]:
        """x, y where the direct beam meets the detector, from the outer corner [pixel]."""
        center = self.detector.beam_center()
        return center.x, center.y

    @property
    def detector_distance(self) -> float:
        """Sample to detector, along the beam [m]."""
        return self.detector.beam_center().distance

    @property
    def omega(self) -> Floats:
        """Omega at the start of each frame, shape (frame,) [deg]."""
        return np.asarray(self.start_angle + self.angle_increment * np.arange(self.frames))

    @cached_property
    def spots(self) -> NDArray[Any]:
        """The reflections whose middle lies in the scan and on the detector, by frame.

        A structured array: ``h``, ``k``, ``l``; ``x``, ``y`` from the outer corner [pixel];
        ``omega`` of the middle [deg]; the ``frame`` that holds it; expected ``intensity`` in a
        whole turn through it [photons]; ``in_gap`` where the middle falls between modules.
        """
        hkl = miller_indices(self.ub, self._d_min())
        index, omega = reflecting_angles(hkl @ self.ub.T, self.omega_axis, self.wavelength)
        low, high = sorted((self.omega[0], self.start_angle + self.frames * self.angle_increment))
        omega = low + (omega - low) % 360
        seen = omega < high
        index, omega = index[seen], omega[seen]
        place = self.detector.where(self._directions(hkl[index], omega))
        rows, columns = self.detector.shape
        seen = np.all((place >= 0) & (place < (columns, rows)), axis=1)
        index, omega, place = index[seen], omega[seen], place[seen]
        spots = np.zeros(index.size, SPOT)
        spots["h"], spots["k"], spots["l"] = hkl[index].T
        spots["x"], spots["y"] = place.T
        spots["omega"] = omega
        spots["frame"] = np.floor((omega - self.start_angle) / self.angle_increment)
        spots["intensity"] = self._intensities(hkl)[index]
        x, y = place.astype(int).T
        spots["in_gap"] = self.detector.layout.gaps()[y, x]
        return np.asarray(np.sort(spots, order=["frame", "omega", "x"]))

    def background(self) -> Floats:
        """Return the expected photons without crystal. Shape (detector_y, detector_x)."""
        two_theta = self.detector.two_theta()
        return np.asarray(self.background_level * (0.2 + 0.8 * np.exp(-((two_theta / 14) ** 2))))

    def expected(self, number: int) -> Floats:
        """Return the expected photons of a frame, also in gaps. Shape (detector_y, detector_x)."""
        image = self._background.copy()
        edges = self.omega[number] + np.array([0, self.angle_increment])
        part = _gaussian_parts(edges, self.spots["omega"], self.mosaic_spread)[0]
        for spot, photons in zip(self.spots, part * self.spots["intensity"], strict=True):
            if photons > 1e-3:
                _add_spot(image, spot["x"], spot["y"], self.spot_size, photons)
        return image

    def frame(self, number: int) -> NDArray[np.int32]:
        """Return a frame as the detector gives it: -1 in gaps, -2 at bad pixels.

        Shape (detector_y, detector_x) [counts].
        """
        random = np.random.default_rng([self.seed, number]) if self.noise else None
        return self.detector.count(self.expected(number), random)

    @cached_property
    def _background(self) -> Floats:
        return self.background()

    def _directions(self, hkl: NDArray[np.int64], omega: Floats) -> Floats:
        """Return the diffracted wave vectors, without 2 pi. Shape (reflection, 3) [1/angstrom]."""
        turns = np.array([rotation_matrix(self.omega_axis, float(angle)) for angle in omega])
        points = np.einsum("nij,nj->ni", turns.reshape(-1, 3, 3), hkl @ self.ub.T)
        return np.asarray(points + np.array([0, 0, 1 / self.wavelength]))

    def _d_min(self) -> float:
        """Return the spacing of the lattice planes that reflect into the farthest corner."""
        rows, columns = self.detector.shape
        corners = self.detector.positions()[:: rows - 1, :: columns - 1].reshape(-1, 3)
        cosine = corners[:, 2] / np.linalg.norm(corners, axis=1)
        return float(self.wavelength / (2 * np.sqrt((1 - cosine.min()) / 2)))

    def _intensities(self, hkl: NDArray[np.int64]) -> Floats:
        """Return expected photons: exponential (Wilson 1949, acentric), less at high angle."""
        random = np.random.default_rng([self.seed, 2**32 - 2])
        spacing_squared = 1 / np.sum((hkl @ self.ub.T) ** 2, axis=1)
        wilson = random.exponential(self.mean_intensity, len(hkl))
        # Debye-Waller factor with B = 6 square angstrom
        return np.asarray(wilson * np.exp(-6.0 / (2 * spacing_squared)))


def _add_spot(image: Floats, x: float, y: float, size: float, photons: float) -> None:
    """Add a Gaussian spot, integrated over each pixel, to an image."""
    reach = int(np.ceil(5 * size)) + 1
    column, row = (max(0, int(middle) - reach) for middle in (x, y))
    box = image[row : int(y) + reach + 1, column : int(x) + reach + 1]
    along_y, along_x = (
        _gaussian_parts(first + np.arange(number + 1.0), np.array([middle]), size)
        for number, first, middle in zip(box.shape, (row, column), (y, x), strict=True)
    )
    box += photons * along_y * along_x.T


def _gaussian_parts(edges: Floats, middles: Floats, deviation: float) -> Floats:
    """Return what part of each Gaussian lies between neighbouring edges.

    Shapes (edge,) and (gaussian,) to (edge - 1, gaussian).
    """
    from scipy.special import ndtr  # half a second to import, and tomography has no need of it

    return np.asarray(np.diff(ndtr((edges[:, None] - middles) / deviation), axis=0))
