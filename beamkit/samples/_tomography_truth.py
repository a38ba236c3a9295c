"""The truth of a simulated tomography scan, and each of its frames."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._camera import Camera
from ._phantom import Ellipsoid, Floats
from ._sample import Sample, require_at_least


@dataclass(frozen=True, eq=False, kw_only=True)
class TomographySample(Sample):
    """A simulated scan and its truth.

    Conventions: those of :mod:`beamkit.core.schema`, number 4; in particular
    ``detector_x - rotation_center = x cos(angle) + y sin(angle)`` for ``rotation_sense`` +1, with
    x and y in pixels, and z counted from the centre of detector row 0. A ray passes through the
    centre of each pixel.

    Attributes
    ----------
    format
        ``"nxtomo"`` or ``"dxchange"``.
    angles
        Of the projections, as the file says them, shape (angle,) [deg].
    rotation_center
        Index of the detector column on the axis of rotation [pixel].
    rotation_sense
        +1 counter-clockwise seen from above, -1 clockwise.
    energy
        [keV].
    effective_pixel_size
        Pixel at the sample [m].
    ellipsoids
        What was scanned.
    image_key
        Of each frame in the order of exposure: 0 projection, 1 flat, 2 dark.
    camera
        Beam, noise and defects.
    distance
        Sample to detector [m].
    exposure_time
        [s].
    """

    format: str
    angles: Floats
    rotation_center: float
    rotation_sense: int
    energy: float
    effective_pixel_size: float
    ellipsoids: tuple[Ellipsoid, ...]
    image_key: NDArray[np.int32]
    camera: Camera
    distance: float = 0.05
    exposure_time: float = 0.1

    @property
    def pixel_size(self) -> float:
        """Pixel of the camera [m]; the objective magnifies twice."""
        return 2 * self.effective_pixel_size

    @property
    def rows(self) -> int:
        """Pixels of the camera along detector_y."""
        return self.camera.shape[0]

    @property
    def width(self) -> int:
        """Pixels of the camera along detector_x."""
        return self.camera.shape[1]

    @property
    def dead_pixels(self) -> tuple[tuple[int, int], ...]:
        """(row, column) of the pixels that are 0 in every frame."""
        return self.camera.dead_pixels

    @property
    def hot_pixels(self) -> tuple[tuple[int, int], ...]:
        """(row, column) of the pixels that are 65535 in every frame."""
        return self.camera.hot_pixels

    @property
    def ring_columns(self) -> tuple[int, ...]:
        """Columns that leave a stripe in the sinogram after flat-field correction."""
        return self.camera.ring_columns

    def line_integrals(
        self, angles: ArrayLike | None = None, *, rows: Iterable[int] | None = None
    ) -> Floats:
        """Return the true integrals of the attenuation along the rays.

        Parameters
        ----------
        angles
            [deg], as in the file; None for those of the scan.
        rows
            Indices on the detector; None for all.

        Returns
        -------
        integrals
            Shape (angle, detector_y, detector_x), float64 [1].
        """
        chosen = self.angles if angles is None else np.atleast_1d(np.asarray(angles, float))
        s, z = self._rays(rows)
        result = np.zeros((chosen.size, z.size, s.size))
        for angle, image in zip(chosen, result, strict=True):
            self._add_ellipsoids(image, float(angle), s, z)
        return result

    def volume(
        self, *, rows: Iterable[int] | None = None, size: int | None = None, oversample: int = 5
    ) -> NDArray[np.float32]:
        """Return the true attenuation on the grid of the reconstruction.

        A pixel at an edge holds the mean over its area in the plane of the row of rays; nothing
        is averaged along z, as a detector row sees one plane.

        Parameters
        ----------
        rows
            Indices on the detector; None for all.
        size
            Pixels along x and along y; None for the width of the camera.
        oversample
            Points along each side of an edge pixel, at least 1.

        Returns
        -------
        volume
            Shape (z, y, x), float32 [1/cm]; x = (column - (size - 1)/2) pixels from the axis.

        Raises
        ------
        ParameterError
            If ``size`` or ``oversample`` is below 1.
        """
        size = self.width if size is None else size
        require_at_least(1, size=size, oversample=oversample)
        z = self._rays(rows)[1]
        x = np.asarray((np.arange(size) - (size - 1) / 2) * self.effective_pixel_size * 1e6)
        result = np.zeros((z.size, size, size), np.float32)
        for ellipsoid in self.ellipsoids:
            for index in np.flatnonzero(ellipsoid.cuts(z)):
                ellipsoid.add_cut(result[index], x, float(z[index]), oversample=oversample)
        return result

    def frame(self, number: int) -> NDArray[np.uint16]:
        """Return one frame of the scan as the camera saw it.

        Parameters
        ----------
        number
            In the order of exposure, as in :attr:`image_key`.

        Returns
        -------
        image
            Shape (detector_y, detector_x), uint16 [counts].
        """
        key = self.image_key[number]
        if key == 2:
            return self.camera.expose(number, self._dark_counts)
        fresh, change = self._beam
        beam = fresh + self._time(number) * change
        if key == 1:
            return self.camera.expose(number, self._dark_counts, beam)
        integrals = np.zeros(beam.shape)
        angle = self.angles[np.count_nonzero(self.image_key[:number] == 0)]
        self._add_ellipsoids(integrals, float(angle), *self._rays(None))
        return self.camera.expose(number, self._dark_counts, beam * np.exp(-integrals), self._gains)

    @cached_property
    def _dark_counts(self) -> Floats:
        return self.camera.dark_counts()

    @cached_property
    def _beam(self) -> tuple[Floats, Floats]:
        fresh = self.camera.beam(0.0)
        return fresh, self.camera.beam(1.0) - fresh

    @cached_property
    def _gains(self) -> Floats:
        return self.camera.gains()

    def _time(self, number: int) -> float:
        return number / max(1, self.image_key.size - 1)

    def _rays(self, rows: Iterable[int] | None) -> tuple[Floats, Floats]:
        """Return the distances of the rays from the axis and their heights [um]."""
        um = self.effective_pixel_size * 1e6
        s = np.asarray((np.arange(self.width) - self.rotation_center) * um)
        return s, np.array(range(self.rows) if rows is None else list(rows), float) * um

    def _add_ellipsoids(self, image: Floats, angle: float, s: Floats, z: Floats) -> None:
        turned = self.rotation_sense * angle
        ascending = bool(np.all(np.diff(z) > 0))
        for ellipsoid in self.ellipsoids:
            seen, columns = ellipsoid.shadow(turned, s, z)
            seen = seen if ascending else slice(None)
            image[seen, columns] += ellipsoid.line_integrals(turned, s[columns], z[seen])
