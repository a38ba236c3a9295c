"""From a pixel to an angle and a scattering vector, and back."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, DTypeLike, NDArray

from beamkit.core.errors import MetadataError, ShapeError, UnknownNameError

from . import _dataset_geometry, _geometry_text, _scattering, dials, fit2d, nexus_chain, poni, xds
from ._placement import Array, Placement
from .poni import Poni, poni_of

if TYPE_CHECKING:
    import h5py

Path = str | os.PathLike[str]
Data = TypeVar("Data", xr.Dataset, xr.DataArray)

#: What a map can show, and its unit.
MAPS = {"q": "1/angstrom", "two_theta": "deg", "chi": "deg", "d": "angstrom"}

#: Sine of the angle under which a ray runs along the plane of the detector.
_GRAZING = 1e-12

#: Rows of a map that are computed at once: temporaries stay in the cache.
_ROWS = 64


@dataclass(frozen=True, repr=False)
class Geometry(Placement):
    """Where a flat detector stands, and what its pixels mean.

    Conventions (those of :mod:`beamkit.core.schema`):

    1. x and y are *positions* on the full detector, counted from the outer corner of the first
       pixel [pixel]: 0.5 is the centre of the first one. Coordinates of a dataset are indices.
    2. Laboratory frame: z along the beam, y up, x to the left looking along the beam.
    3. chi is pyFAI's (orientation 3): on a detector square to the beam 0 towards increasing
       detector_x, 90 deg towards increasing detector_y, in (-180, 180].
    4. q = k_out - k_in [1/angstrom], d = 2 pi / q [angstrom], angles in degrees.

    Attributes
    ----------
    origin, fast, slow, pixel_size_x, pixel_size_y, shape, wavelength, assumed
        As in :class:`Placement`.

    Examples
    --------
    >>> here = Geometry.from_fit2d(
    ...     center_x=200, center_y=100, distance=150, pixel_x=172, pixel_y=172, wavelength=1
    ... )
    >>> round(float(here.two_theta(1072.0930232558139, 100)), 6)
    45.0
    """

    @classmethod
    def from_dataset(cls, data: xr.Dataset | xr.DataArray) -> Geometry:
        """Return the geometry of a dataset, from its attributes.

        The geometry of record counts (``detector_origin``, ``detector_fast_axis``,
        ``detector_slow_axis``), else beam centre, distance and pixel size, square to the beam or
        swung by ``detector_two_theta``; attributes of the main variable before the dataset's.
        A missing beam centre is taken as the middle of the detector, and listed in ``assumed``.

        Raises
        ------
        MetadataError
            If the pixel size or the distance is missing; all that is missing is named.
        """
        return cls._of(_dataset_geometry.read(data))

    @classmethod
    def from_poni(
        cls,
        path: Path,
        *,
        pixel_size: tuple[float, float] | None = None,
        shape: tuple[int, int] | None = None,
        orientation: int | None = None,
    ) -> Geometry:
        """Return the geometry of a PONI file; see :func:`beamkit.diffraction.poni.read`."""
        return cls._of(poni.read(path, pixel_size=pixel_size, shape=shape, orientation=orientation))

    @classmethod
    def from_dials(
        cls, source: dials.Source, *, experiment: int = 0, panel: int | str | None = None
    ) -> Geometry:
        """Return the geometry of a DIALS experiment; see :func:`beamkit.diffraction.dials.read`."""
        return cls._of(dials.read(source, experiment=experiment, panel=panel))

    @classmethod
    def from_xds(cls, source: xds.Source) -> Geometry:
        """Return the geometry of XDS.INP or XPARM.XDS; see :func:`beamkit.diffraction.xds.read`."""
        return cls._of(xds.read(source))

    @classmethod
    def from_fit2d(
        cls,
        *,
        center_x: float,
        center_y: float,
        distance: float,
        pixel_x: float,
        pixel_y: float,
        tilt: float = 0.0,
        tilt_plane_rotation: float = 0.0,
        wavelength: float | None = None,
        shape: tuple[int, int] | None = None,
    ) -> Geometry:
        """Return the geometry of Fit2D's numbers [pixel, mm, um, deg, angstrom]; see
        :func:`beamkit.diffraction.fit2d.read`."""
        return cls._of(
            fit2d.read(
                center_x=center_x,
                center_y=center_y,
                distance=distance,
                pixel_x=pixel_x,
                pixel_y=pixel_y,
                tilt=tilt,
                tilt_plane_rotation=tilt_plane_rotation,
                wavelength=wavelength,
                shape=shape,
            )
        )

    @classmethod
    def from_nexus(cls, path: Path, *, detector: str | None = None) -> Geometry:
        """Return the geometry of a NeXus file; see :func:`beamkit.diffraction.nexus_chain.read`."""
        return cls._of(nexus_chain.read(path, detector=detector))

    @classmethod
    def _of(cls, placement: Placement) -> Geometry:
        return cls(**vars(placement))

    def to_attrs(self) -> dict[str, Any]:
        """Return the attributes of a dataset that say this geometry."""
        return _dataset_geometry.describe(self)

    def assign_to(self, data: Data) -> Data:
        """Return the data with this geometry in their attributes, and a step in their history."""
        return _dataset_geometry.assign(self, data)

    def to_poni(self, path: Path, *, orientation: int = 3) -> None:
        """Write a PONI file; see :func:`beamkit.diffraction.poni.write`."""
        poni.write(self, path, orientation=orientation)

    def to_dials(self, path: Path | None = None) -> dict[str, Any]:
        """Return a DIALS experiment list, and write it where a path is given."""
        if path is not None:
            dials.write(self, path)
        return dials.describe(self)

    def to_xds(self, path: Path | None = None) -> str:
        """Return the lines of XDS.INP for the detector, and write them where a path is given."""
        if path is not None:
            xds.write(self, path)
        return xds.describe(self)

    def to_fit2d(self) -> dict[str, float]:
        """Return Fit2D's numbers. Raises MetadataError for a detector turned about the beam."""
        return fit2d.describe(self)

    def to_nexus(self, target: Path | h5py.Group) -> None:
        """Write a NeXus file or NXdetector; see :func:`beamkit.diffraction.nexus_chain.write`."""
        nexus_chain.write(self, target)

    @property
    def poni(self) -> Poni:
        """Return pyFAI's numbers, orientation 3. Raises MetadataError for a mirrored detector."""
        return poni_of(self)

    def with_beam_center(self, x: float, y: float) -> Geometry:
        """Return the detector moved in its own plane, so that the direct beam meets it at (x, y).

        What was assumed about the beam centre is no longer listed.
        """
        origin = _dataset_geometry.shifted(self, x, y)
        known = tuple(line for line in self.assumed if not line.startswith("beam_center"))
        return replace(self, origin=origin, assumed=known)

    def with_wavelength(self, wavelength: float) -> Geometry:
        """Return this geometry for photons of another wavelength [angstrom]."""
        known = tuple(
            line for line in self.assumed if not line.startswith(("wavelength", "energy"))
        )
        return replace(self, wavelength=wavelength, assumed=known)

    def position(self, x: ArrayLike, y: ArrayLike) -> Array:
        """Return where positions on the detector are [m], laboratory frame. Shape (..., 3)."""
        return np.stack(np.broadcast_arrays(*self._components(x, y)), axis=-1)

    def q_vector(self, x: ArrayLike, y: ArrayLike) -> Array:
        """Return q [1/angstrom] at positions, laboratory frame. Shape (..., 3)."""
        wavelength = self._photons("q")
        return _scattering.q_vector(*self._components(x, y), wavelength)

    def q(self, x: ArrayLike, y: ArrayLike) -> Array:
        """Return the length of q [1/angstrom] at positions. Raises MetadataError without
        wavelength."""
        wavelength = self._photons("q")
        return _scattering.q(*self._components(x, y), wavelength)

    def d(self, x: ArrayLike, y: ArrayLike) -> Array:
        """Return the spacing that scatters to positions [angstrom], infinite in the direct beam."""
        wavelength = self._photons("d")
        return _scattering.d(*self._components(x, y), wavelength)

    def two_theta(self, x: ArrayLike, y: ArrayLike) -> Array:
        """Return the angle to the beam [deg] at positions, 0 to 180."""
        return _scattering.two_theta(*self._components(x, y))

    def chi(self, x: ArrayLike, y: ArrayLike) -> Array:
        """Return the angle about the beam [deg] at positions, in (-180, 180]."""
        return _scattering.chi(*self._components(x, y))

    def at(self, x: float, y: float) -> dict[str, float]:
        """Return ``q_x, q_y, q_z, q, two_theta, chi, d`` at a position.

        Raises
        ------
        MetadataError
            If the wavelength is not known; ``two_theta`` and ``chi`` do without it.
        """
        q_x, q_y, q_z = self.q_vector(x, y)
        values = {
            "q_x": q_x, "q_y": q_y, "q_z": q_z, "q": self.q(x, y),
            "two_theta": self.two_theta(x, y), "chi": self.chi(x, y), "d": self.d(x, y),
        }  # fmt: skip
        return {name: float(value) for name, value in values.items()}

    def pixel_of(self, *, two_theta: ArrayLike, chi: ArrayLike) -> tuple[Array, Array]:
        """Return the positions x, y where rays of these angles [deg] meet the detector plane.

        Positions may lie beyond the edges of the detector; NaN where a ray misses the plane.
        """
        return self._met_by(_scattering.direction(two_theta, chi))

    def pixel_of_q(self, q_vector: ArrayLike) -> tuple[Array, Array]:
        """Return the positions x, y where photons scattered by q meet the detector plane.

        Parameters
        ----------
        q_vector
            Laboratory frame [1/angstrom], shape (..., 3). The ray goes along k_in + q, whether or
            not its length is exactly that of k.
        """
        k_in = np.array([0.0, 0.0, 2 * np.pi / self._photons("q")])
        q = np.asarray(q_vector, np.float64)
        if q.shape[-1:] != (3,):
            raise ShapeError(f"q_vector has the shape {q.shape}; give x, y and z as the last axis.")
        return self._met_by(q + k_in)

    def map_of(
        self, name: str, *, shape: tuple[int, int] | None = None, dtype: DTypeLike = np.float64
    ) -> xr.DataArray:
        """Return q, two_theta, chi or d at the centre of every pixel of the detector.

        Parameters
        ----------
        name
            One of :data:`MAPS`.
        shape
            Rows and columns; default: those of the geometry.
        dtype
            Type of the result; computed in float64, so float32 is right to its last digit.

        Returns
        -------
        map
            Shape (detector_y, detector_x), with the pixel indices as coordinates.
        """
        sizes = shape or self.shape
        if sizes is None:
            raise ShapeError(
                "The geometry does not know how many pixels the detector has. "
                "Give shape=(rows, columns), such as (1679, 1475)."
            )
        rows, columns = (np.arange(size) for size in sizes)
        return self._map(name, rows, columns, dtype)

    def map_like(
        self, data: xr.Dataset | xr.DataArray, name: str, *, dtype: DTypeLike = np.float64
    ) -> xr.DataArray:
        """Return a map as `map_of`, of the pixels that the data hold, cropped or binned."""
        axes = ("detector_y", "detector_x")
        rows, columns = (_dataset_geometry.indices(data, axis) for axis in axes)
        result = self._map(name, rows, columns, dtype)
        kept = {axis: data.coords[axis] for axis in axes if axis in data.coords}
        return result.assign_coords({k: v for k, v in kept.items() if v.ndim == 1})

    def _map(
        self, name: str, rows: NDArray[Any], columns: NDArray[Any], dtype: DTypeLike
    ) -> xr.DataArray:
        if name not in MAPS:
            raise UnknownNameError("map", name, MAPS)
        at: Mapping[str, Any] = {
            "q": self.q,
            "two_theta": self.two_theta,
            "chi": self.chi,
            "d": self.d,
        }
        values = np.empty((rows.size, columns.size), dtype)
        for first in range(0, rows.size, _ROWS):
            block = slice(first, first + _ROWS)
            values[block] = at[name](columns[None, :] + 0.5, rows[block, None] + 0.5)
        pixel = {"units": "pixel"}
        return xr.DataArray(
            values,
            dims=("detector_y", "detector_x"),
            coords={
                "detector_y": ("detector_y", rows, pixel),
                "detector_x": ("detector_x", columns, pixel),
            },
            attrs={"units": MAPS[name]},
            name=name,
        )

    def _components(self, x: ArrayLike, y: ArrayLike) -> tuple[Array, Array, Array]:
        """Return laboratory coordinates [m]; what depends on x or y alone is computed once."""
        along_x, along_y = np.asarray(x, np.float64), np.asarray(y, np.float64)
        matrix = self.pixel_matrix()
        a, b, c = (
            (start + along_x * step_x) + along_y * step_y
            for start, step_x, step_y in zip(self.origin, matrix[:, 0], matrix[:, 1], strict=True)
        )
        return a, b, c

    def _met_by(self, rays: Array) -> tuple[Array, Array]:
        """Return where rays from the sample meet the plane; NaN behind or along it. (..., 3)"""
        normal = np.asarray(self.normal)
        towards = rays @ normal
        with np.errstate(divide="ignore", invalid="ignore"):
            length = (normal @ self.origin) / towards
            meets = (length > 0) & (abs(towards) > _GRAZING * np.linalg.norm(rays, axis=-1))
            met = np.where(meets, length, np.nan)[..., None] * rays
        pixels = (met - self.origin) @ np.linalg.inv(self.pixel_matrix()).T
        return pixels[..., 0], pixels[..., 1]

    def _photons(self, name: str) -> float:
        if self.wavelength is None:
            raise MetadataError(
                f"{name} needs the wavelength, which is not known. Set data.attrs['wavelength'] "
                "[angstrom] or data.attrs['energy'] [keV], or take geometry.with_wavelength(...)."
            )
        return self.wavelength

    def __repr__(self) -> str:
        return _geometry_text.text(self)

    def _repr_html_(self) -> str:
        return _geometry_text.html_table(self)
