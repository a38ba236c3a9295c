"""A calibration by hand and by refinement, step by step, with a way back.

What a calibration widget does when a button is pressed, so that a script can do it too.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from beamkit.core.errors import MetadataError, ParameterError, UnknownNameError

from ._calibration import Calibration, write_geometry
from ._calibration_input import Detector, substance, task
from ._calibration_model import PARAMETERS, UNITS, Model
from .calibrants import Calibrant
from .calibrate import calibrate
from .geometry import Geometry
from .poni import Poni, place

#: Distance at which a detector stands of which nothing is known [m].
_SOMEWHERE = 0.2

#: Fewest points of one ring that a start can be made of.
_FEWEST = 3


@dataclass(frozen=True)
class Picked:
    """A point that was picked on a ring: positions [pixel], and the number of the ring from 0."""

    x: float
    y: float
    ring: int


@dataclass(frozen=True)
class _State:
    geometry: Geometry
    points: tuple[Picked, ...] = ()
    fixed: tuple[str, ...] = ()
    left_out: tuple[int, ...] = ()
    result: Calibration | None = None
    how: str = ""


class CalibrationSession:
    """Where a detector stands, corrected by hand until the rings fit.

    Parameters
    ----------
    data
        One image, as :func:`beamkit.diffraction.calibrate` takes it.
    calibrant
        Name, :class:`Calibrant`, or lattice spacings [angstrom].
    wavelength
        [angstrom]; None for that of the data.
    detector
        Name, or size of a pixel [m]; None for what the data say.
    geometry
        What to begin with; None for that of the data, or a detector square to the beam with the
        beam in its middle, 0.2 m away.
    mask
        Pixels not to use.

    Raises
    ------
    MetadataError
        If wavelength or pixel size is not known.
    ShapeError
        If the data are not one image.
    """

    def __init__(
        self,
        data: Any,
        calibrant: str | Calibrant | Iterable[float] = "CeO2",
        *,
        wavelength: float | None = None,
        detector: Detector | None = None,
        geometry: Geometry | None = None,
        mask: Any = None,
    ) -> None:
        self.data, self.detector, self.mask = data, detector, mask
        self.calibrant: Calibrant = substance(calibrant)  # type: ignore[arg-type]
        known = task(data, wavelength=wavelength, detector=detector, mask=mask, start=geometry)
        begin = geometry or known.header or _in_the_middle(known.shape, known.pixel_size)
        self._state = _State(begin.with_wavelength(known.wavelength))
        self._before: list[tuple[_State, Calibrant]] = []

    # ---- what there is

    @property
    def geometry(self) -> Geometry:
        """The geometry as it is now."""
        return self._state.geometry

    @property
    def wavelength(self) -> float:
        """Of the beam [angstrom]."""
        return float(self.geometry.wavelength or math.nan)

    @property
    def numbers(self) -> dict[str, float]:
        """Distance [m], beam centre [pixel] and tilt [deg], as :class:`Calibration` names them."""
        _, values = self._model()
        factors = [180 / math.pi if UNITS[name] == "deg" else 1.0 for name in PARAMETERS]
        return dict(zip(PARAMETERS, (values * factors).tolist(), strict=True))

    @property
    def points(self) -> tuple[Picked, ...]:
        """The points that were picked."""
        return self._state.points

    @property
    def fixed(self) -> tuple[str, ...]:
        """Names of the numbers that a refinement leaves as they are."""
        return self._state.fixed

    @property
    def left_out(self) -> tuple[int, ...]:
        """Numbers of the rings that a refinement does not use."""
        return self._state.left_out

    @property
    def result(self) -> Calibration | None:
        """The last refinement; None before one, and after a number was set by hand."""
        return self._state.result

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._before)

    def residuals(self) -> xr.Dataset:
        """Return the rings: of the last refinement, or how far picked points are from theirs.

        Over ``ring``: ``label``, ``d``, ``two_theta``, ``number`` of points, mean ``residual`` and
        ``rms`` [pixel].
        """
        columns = ["label", "d", "two_theta", "number", "residual", "rms"]
        if self.result is not None:
            return self.result.rings[columns]
        rings = sorted({point.ring for point in self.points})
        off = {ring: [self._off(p) for p in self.points if p.ring == ring] for ring in rings}
        angles = self.calibrant.two_theta(self.wavelength)
        values: dict[str, Any] = {
            "label": [self.calibrant.labels[ring] for ring in rings],
            "d": [self.calibrant.spacings[ring] for ring in rings],
            "two_theta": [float(angles[ring]) for ring in rings],
            "number": [len(off[ring]) for ring in rings],
            "residual": [float(np.mean(off[ring])) for ring in rings],
            "rms": [float(np.sqrt(np.mean(np.square(off[ring])))) for ring in rings],
        }
        units = {"d": "angstrom", "two_theta": "deg", "residual": "pixel", "rms": "pixel"}
        found = {name: ("ring", v, {"units": units.get(name, "1")}) for name, v in values.items()}
        return xr.Dataset(found, coords={"ring": rings})

    # ---- steps

    def set(self, **numbers: float) -> None:
        """Set numbers of the geometry: ``detector_distance`` [m], ``rot1`` [deg] ...

        Raises
        ------
        UnknownNameError
            If there is no such number.
        ParameterError
            If a number is not finite, or the distance not above 0.
        """
        model, values = self._model()
        for name, value in numbers.items():
            if name not in PARAMETERS:
                raise UnknownNameError("number of the geometry", name, PARAMETERS)
            if not math.isfinite(value) or (name == "detector_distance" and value <= 0):
                raise ParameterError(
                    f"{name} is {value}; give a finite number"
                    + (" above 0 [m]." if name == "detector_distance" else f" [{UNITS[name]}].")
                )
            factor = math.pi / 180 if UNITS[name] == "deg" else 1.0
            values[PARAMETERS.index(name)] = value * factor
        self._step(geometry=model.geometry(values), result=None, how="numbers set by hand")

    def set_wavelength(self, wavelength: float) -> None:
        """Set the wavelength [angstrom]. Raises ParameterError unless it is above 0."""
        if not (math.isfinite(wavelength) and wavelength > 0):
            raise ParameterError(f"wavelength is {wavelength}; give a number above 0 [angstrom].")
        self._step(geometry=self.geometry.with_wavelength(wavelength), result=None)

    def use(self, calibrant: str | Calibrant | Iterable[float]) -> None:
        """Take another calibrant; points and rings that were left out are forgotten."""
        known = substance(calibrant)  # type: ignore[arg-type]
        self._step(points=(), left_out=(), result=None)
        self.calibrant = known

    def pick(self, x: float, y: float, ring: int) -> None:
        """Add a point on a ring: position from the outer corner [pixel], number from 0."""
        if not 0 <= ring < len(self.calibrant):
            raise ParameterError(
                f"Ring {ring} is none of {self.calibrant.name}; there are 0 to "
                f"{len(self.calibrant) - 1}."
            )
        if not (math.isfinite(x) and math.isfinite(y)):
            raise ParameterError(f"The point is at {x, y}; give two finite positions [pixel].")
        self._step(points=(*self.points, Picked(float(x), float(y), int(ring))))

    def drop(self, number: int = -1) -> None:
        """Throw out a picked point; the last one, if no number is given."""
        points = list(self.points)
        if not -len(points) <= number < len(points):
            raise ParameterError(f"There is no point {number}; {len(points)} are picked.")
        del points[number]
        self._step(points=tuple(points))

    def hold(self, *names: str) -> None:
        """Say which numbers a refinement leaves as they are; none: all are free."""
        for name in names:
            if name not in PARAMETERS:
                raise UnknownNameError("number of the geometry", name, PARAMETERS)
        self._step(fixed=tuple(name for name in PARAMETERS if name in names))

    def leave_out(self, *rings: int) -> None:
        """Say which rings a refinement does not use; none: all are used."""
        allowed = range(len(self.calibrant))
        if any(ring not in allowed for ring in rings) or len(set(rings)) == len(allowed):
            raise ParameterError(
                f"Rings {rings} cannot be left out of {self.calibrant.name}; give some of 0 to "
                f"{len(allowed) - 1}."
            )
        self._step(left_out=tuple(sorted(set(rings))))

    def start(self) -> Calibration:
        """Find the geometry from header and image, with nothing picked.

        Raises
        ------
        QuantityError
            If no rings are found.
        """
        return self._calibrate("start", start=None)

    def start_from_points(self) -> Calibration:
        """Take the geometry that the picked points tell, and nothing else.

        Raises
        ------
        ParameterError
            If no ring has three points.
        """
        rings = [point.ring for point in self.points]
        most = max(map(rings.count, rings), default=0)
        if most < _FEWEST:
            raise ParameterError(
                f"At most {most} points are picked on a ring; {_FEWEST} of one ring are needed, "
                "well apart. Pick more, or start automatically."
            )
        picked = [(point.x, point.y, point.ring) for point in self.points]
        return self._calibrate("start from points", points=picked, max_iterations=0)

    def refine(self) -> Calibration:
        """Find points along all rings near the present geometry, and fit it to them.

        Raises
        ------
        QuantityError
            If no rings are found there.
        """
        return self._calibrate("refine", start=self.geometry)

    def undo(self) -> None:
        """Take the last step back. Raises ParameterError if there is none."""
        if not self._before:
            raise ParameterError("There is no step to take back.")
        self._state, self.calibrant = self._before.pop()

    # ---- results

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the geometry: ``.poni`` for pyFAI, ``.nxs`` or ``.h5`` for NeXus.

        Raises
        ------
        ParameterError
            If the file is there already, or the suffix is another.
        WriteError
            If the file cannot be written.
        """
        target = Path(path)
        if target.exists() and not overwrite:
            raise ParameterError(
                f"{target} is there already. Give another name, or overwrite=True to replace it."
            )
        return write_geometry(self.geometry, target)

    def code(self) -> str:
        """Return Python that makes this geometry from the data, without a widget."""
        lines = ["from beamkit.diffraction import CalibrationSession", ""]
        options = [f"wavelength={self.wavelength!r}"]
        if self.detector is not None:
            options.append(f"detector={self.detector!r}")
        lines.append(
            f"session = CalibrationSession(data, {self.calibrant.name!r}, {', '.join(options)})"
        )
        numbers = ", ".join(f"{name}={value!r}" for name, value in self.numbers.items())
        if self.fixed:
            lines.append(f"session.hold({', '.join(map(repr, self.fixed))})")
        if self.left_out:
            lines.append(f"session.leave_out({', '.join(map(str, self.left_out))})")
        lines.append(f"session.set({numbers})")
        if self.result is not None and self._state.how == "refine":
            lines.append("session.refine()  # from here: changes nothing of note")
        return "\n".join([*lines, 'session.save("geometry.poni")', ""])

    # ---- inside

    def _model(self) -> tuple[Model, Any]:
        shape = self.geometry.shape
        if shape is None:
            raise MetadataError("The size of the detector is not known. Give detector=.")
        return Model.of(self.geometry, self.wavelength, shape)

    def _off(self, point: Picked) -> float:
        """Return how far a point is outside its ring [pixel]."""
        model, values = self._model()
        slopes = model.slopes(values, np.array([point.x]), np.array([point.y]))
        wanted = math.radians(float(self.calibrant.two_theta(self.wavelength)[point.ring]))
        return float((slopes.two_theta[0] - wanted) / slopes.per_pixel[0])

    def _calibrate(self, how: str, **options: Any) -> Calibration:
        every = range(len(self.calibrant))
        rings = [n for n in every if n not in self.left_out] if self.left_out else None
        found = calibrate(
            self.data,
            self.calibrant,
            wavelength=self.wavelength,
            detector=self.detector,
            fix=self.fixed,
            rings=rings,
            mask=self.mask,
            **options,
        )
        self._step(geometry=found.geometry, result=found, how=how)
        return found

    def _step(self, **changes: Any) -> None:
        self._before.append((self._state, self.calibrant))
        self._state = replace(self._state, **changes)


def _in_the_middle(shape: tuple[int, int], pixel_size: tuple[float, float]) -> Geometry:
    """Return a detector square to the beam, which meets it in the middle."""
    down, along = (
        size * pixel / 2 for size, pixel in zip(shape, reversed(pixel_size), strict=True)
    )
    return Geometry._of(place(Poni(_SOMEWHERE, down, along, 0, 0, 0), pixel_size, shape=shape))
