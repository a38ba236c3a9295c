"""The result of a calibration: where the detector stands, how sure that is, and why."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import xarray as xr

from beamkit.core.errors import ParameterError
from beamkit.core.history import extend
from beamkit.core.schema import note

from ._calibration_model import UNITS
from .calibrants import Calibrant
from .geometry import Geometry

Data = TypeVar("Data", xr.Dataset, xr.DataArray)

#: Suffixes of NeXus files.
_NEXUS = (".nxs", ".h5", ".hdf5", ".hdf", ".nx")


@dataclass(frozen=True, eq=False, repr=False)
class Calibration:
    """Where a detector stands, from the rings of a powder.

    Attributes
    ----------
    geometry
        The result.
    uncertainties
        One standard deviation of ``detector_distance`` [m], ``beam_center_x``, ``beam_center_y``
        [pixel], ``rot1`` and ``rot2`` [deg]; 0 for what was held. From the scatter of the points,
        which may err alike along a ring and at an azimuth (:mod:`._calibration_spread`). An error
        of the calibrant's certificate or of the wavelength, and one that all rings share at all
        azimuths, are not in it.
    values
        The same numbers of the result.
    calibrant
        Whose rings these are.
    points
        Points that counted, over ``point``: positions ``x``, ``y`` [pixel], ``ring`` (number in
        the calibrant), ``chi`` [deg], ``residual`` [pixel] and ``residual_two_theta`` [deg],
        positive outside the ring.
    rings
        Rings on the detector that were looked for, over ``ring``: ``label``, ``d`` [angstrom],
        ``two_theta`` [deg], ``number`` of points, mean ``residual`` and ``rms`` [pixel], ``seen``
        (share of the sectors on the detector with a crest) and ``width`` [pixel].
    rejected
        Points that were left out as outliers.
    start
        The geometry that the refinement began with.
    start_from
        How that was found, in words.
    refined
        Names of the numbers that were refined.
    rounds
        How often points were found and fitted.
    score
        How clearly the rings of the geometry stand out of the image [standard deviations].
    explained
        Share of what looks like a ring in the image that lies on a ring of the geometry, 0 to 1.
    warnings
        What speaks against the result, in words.
    is_trusted
        False if a warning says that the geometry may be wrong.
    """

    geometry: Geometry
    uncertainties: dict[str, float]
    values: dict[str, float]
    calibrant: Calibrant
    points: xr.Dataset
    rings: xr.Dataset
    rejected: int
    start: Geometry
    start_from: str
    refined: tuple[str, ...]
    rounds: int
    score: float
    explained: float
    warnings: tuple[str, ...]
    is_trusted: bool

    @property
    def rms_pixel(self) -> float:
        """Root mean square distance of the points from their rings [pixel]."""
        return float((self.points["residual"] ** 2).mean() ** 0.5)

    @property
    def rms_two_theta(self) -> float:
        """The same as an angle [deg]."""
        return float((self.points["residual_two_theta"] ** 2).mean() ** 0.5)

    def apply(self, data: Data) -> Data:
        """Return the data with this geometry in their attributes, and a step in their history.

        What speaks against the geometry is added to ``attrs["notes"]``.
        """
        result = self.geometry.assign_to(data)
        result.attrs["history"] = extend(data.attrs, "calibrate", self._record())
        for warning in self.warnings:
            note(result.attrs, "notes", f"calibration: {warning}")
        return result

    def table(self) -> xr.Dataset:
        """Return the numbers of the geometry over ``parameter``.

        ``name``; ``start``, ``value`` and ``uncertainty`` in ``unit``; ``refined``: True where the
        number was free. The uncertainty of one that was held is NaN.
        """
        names = list(self.values)
        begun = self.start.beam_center
        before = {
            "detector_distance": begun.distance,
            "beam_center_x": begun.x,
            "beam_center_y": begun.y,
            "rot1": math.degrees(self.start.poni.rot1),
            "rot2": math.degrees(self.start.poni.rot2),
        }
        free = [name in self.refined for name in names]
        spread = [
            self.uncertainties[n] if f else math.nan for n, f in zip(names, free, strict=True)
        ]
        return xr.Dataset(
            {
                "name": ("parameter", names),
                "start": ("parameter", [before[name] for name in names]),
                "value": ("parameter", [self.values[name] for name in names]),
                "uncertainty": ("parameter", spread),
                "unit": ("parameter", [UNITS[name] for name in names]),
                "refined": ("parameter", free),
            }
        )

    def to_dataset(self) -> xr.Dataset:
        """Return points and rings in one dataset, with the geometry as attributes."""
        rings = self.rings.rename({name: f"ring_{name}" for name in self.rings.data_vars})
        points = self.points.rename(ring="point_ring")
        attrs = {**self._record(), **self.geometry.to_attrs(), "kind": "scan"}
        attrs["history"] = extend({}, "calibrate", self._record())
        return xr.merge([points, rings]).assign_attrs(attrs)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the geometry: ``.poni`` for pyFAI, ``.nxs`` or ``.h5`` for NeXus.

        Raises
        ------
        ParameterError
            If the suffix is another.
        WriteError
            If the file cannot be written.
        """
        return write_geometry(self.geometry, Path(path))

    def _record(self) -> dict[str, Any]:
        """Return what goes into the history."""
        found = {name: float(value) for name, value in self.values.items()}
        spread = {f"{name}_uncertainty": value for name, value in self.uncertainties.items()}
        return {
            "calibrant": self.calibrant.name, **found, **spread, "rms_pixel": self.rms_pixel,
            "start_from": self.start_from, "refined": ", ".join(self.refined),
            "warnings": "; ".join(self.warnings),
        }  # fmt: skip

    def __repr__(self) -> str:
        verdict = "" if self.is_trusted else ", NOT TRUSTED"
        number = int((self.rings["number"] > 0).sum())
        lines = [
            f"<Calibration: {self.calibrant.name}, {number} rings, {self.points.sizes['point']} "
            f"points, rms {self.rms_pixel:.3f} pixel{verdict}>"
        ]
        for name, value in self.values.items():
            held = "" if name in self.refined else " (held)"
            spread = f" ± {self.uncertainties[name]:.2g}" if name in self.refined else held
            lines.append(f"  {name:18} {value:.7g}{spread} {UNITS[name]}")
        lines.append(f"  start: {self.start_from}")
        lines += [f"  warning: {text}" for text in self.warnings]
        return "\n".join(lines)


def write_geometry(geometry: Geometry, target: Path) -> Path:
    """Write a geometry in the format that its suffix names; see :meth:`Calibration.save`."""
    if target.suffix.lower() == ".poni":
        geometry.to_poni(target)
    elif target.suffix.lower() in _NEXUS:
        geometry.to_nexus(target)
    else:
        raise ParameterError(
            f"{target}: the suffix {target.suffix!r} is none of a geometry. Allowed are .poni "
            f"and {', '.join(_NEXUS)}."
        )
    return target
