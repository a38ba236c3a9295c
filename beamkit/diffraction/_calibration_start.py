"""Where a calibration begins: picked points, a geometry, the header, or the image alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from beamkit.core.errors import MetadataError, ParameterError

from ._calibration_fit import fit_points
from ._calibration_input import Task
from ._calibration_model import Model
from ._calibration_search import Scorer, from_image, improve
from ._ring_map import RingMap
from ._ring_points import Points
from .geometry import Geometry
from .poni import mounting

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Room about a geometry: part of the distance, part of the image's larger side for the centre,
#: and tilt [rad]; about one that was given, one of a header, and for the image alone.
_NEAR, _HEADER, _ANYWHERE = (0.03, 0.02, 0.03), (0.12, 0.06, 0.1), (0.15, 0.2, 0.4)


@dataclass(frozen=True, eq=False)
class Start:
    """A geometry to begin with.

    Attributes
    ----------
    model, parameters
        The geometry.
    tilt
        rot1 and rot2 that are kept where the rings do not tell them [rad].
    said
        How it was found.
    window
        How far it may be off [pixel].
    is_bare
        Whether nothing but the image speaks for it.
    """

    model: Model
    parameters: Array
    tilt: tuple[float, float]
    said: str
    window: float
    is_bare: bool = False


@dataclass(frozen=True, eq=False)
class Search:
    """What a start is looked for with.

    Attributes
    ----------
    task, sketch
        The image, and the map of its rings.
    two_theta
        Of the rings [rad]; NaN for those that are not used.
    free
        Which parameters are refined.
    """

    task: Task
    sketch: RingMap
    two_theta: Array
    free: Flags

    @property
    def window(self) -> float:
        """How far a start from the sketch may be off [pixel]."""
        return max(8.0, 3 * max(abs(step) for step in self.sketch.step))

    def starts(self, start: Geometry | str | None, picked: Array | None) -> Iterator[Start]:
        """Yield starts, the most wanted first.

        Raises
        ------
        MetadataError
            If the header is asked for and states no geometry.
        ParameterError
            If a number is to be held that nothing states, or too few points are picked.
        """
        if picked is not None:
            yield self._from_points(picked, start if isinstance(start, Geometry) else None)
        elif isinstance(start, Geometry):
            yield self._near(start, "the geometry that was given", _NEAR)
        elif start == "header":
            yield self._from_header()
        elif start == "image":
            yield from self._from_image()
        else:
            if self.task.header is not None:
                yield self._from_header()
            if self.free[:3].all():
                yield from self._from_image()
            elif self.task.header is None:
                raise self._unstated("header")

    def _from_header(self) -> Start:
        if self.task.header is None:
            raise self._unstated("header")
        return self._near(self.task.header, "the header", _HEADER)

    def _near(self, geometry: Geometry, said: str, room: tuple[float, float, float]) -> Start:
        """Return the better of a geometry and the best near it."""
        model, given = self._model(geometry)
        scorer = Scorer(self.sketch.blurred(1.0), model, self.two_theta)
        sizes = self._room(room)
        found = improve(self.sketch, model, self.two_theta, given, room=sizes, free=self.free)
        is_moved = found.score > scorer.score(given)
        parameters = found.parameters if is_moved else given
        where = f"{said}, moved onto the rings" if is_moved else said
        return Start(model, parameters, (given[3], given[4]), where, self.window)

    def _from_image(self) -> Iterator[Start]:
        if not self.free[:3].all():
            raise self._unstated("image")
        lines = (mounting("a powder image"),)
        model = Model(self.task.pixel_size, 0.0, self.task.shape, self.task.wavelength, lines)
        tilts = bool(self.free[3:].all())
        for found in from_image(
            self.sketch, model, self.two_theta, room=self._room(_ANYWHERE), tilts=tilts
        ):
            said = "the image alone"
            yield Start(model, found.parameters, (0.0, 0.0), said, self.window, True)

    def _from_points(self, picked: Array, near: Geometry | None) -> Start:
        geometry = near or self.task.header
        if geometry is not None:
            model, given = self._model(geometry)
        else:
            model = Model(self.task.pixel_size, 0.0, self.task.shape, self.task.wavelength)
            given = np.zeros(5)
        x, y, ring = picked.T
        points = Points(x, y, ring.astype(np.int64), {}, {})
        circles = _circles(points, self.two_theta, model)
        if circles is not None and self.free[:3].all():
            given[:3] = circles
        if not given[0] > 0:
            raise ParameterError(
                f"{len(x)} picked points do not tell where the beam is. Pick at least three on a "
                "ring, spread over it, or give start=."
            )
        level = self.free.copy()
        level[3:] &= len(np.unique(ring)) > 1 and len(x) > 7
        fit = fit_points(points, model, given, self.two_theta, level)
        parameters = given if fit is None else fit.parameters
        said = f"{len(x)} picked points"
        return Start(model, parameters, (given[3], given[4]), said, self.window)

    def _model(self, geometry: Geometry) -> tuple[Model, Array]:
        model, given = Model.of(geometry, self.task.wavelength, self.task.shape)
        return replace(model, pixel_size=self.task.pixel_size), given

    def _room(self, room: tuple[float, float, float]) -> tuple[float, float, float]:
        sizes = zip(self.sketch.values.shape, self.sketch.step[::-1], strict=True)
        return room[0], room[1] * max(n * abs(step) for n, step in sizes), room[2]

    def _unstated(self, start: str) -> ParameterError | MetadataError:
        if start == "header":
            return MetadataError(
                "The data state no geometry to start from: "
                f"{self.task.lacks or 'distance and beam centre are missing'} "
                "Or leave out start=, and the image alone is used."
            )
        return ParameterError(
            "The image alone tells distance and centre together: neither can be held. Give a "
            "geometry, start=Geometry(...), or refine both."
        )


def _circles(points: Points, two_theta: Array, model: Model) -> Array | None:
    """Return distance and centre for rings that are circles; None where points do not tell them.

    With ``r = D tan(2theta)``, ``x^2 + y^2 = 2 a x + 2 b y + (D^2 tan^2 - a^2 - b^2)`` is linear
    in a, b, D^2 and the rest; lengths [m].
    """
    x, y = points.x * model.pixel_size[0], points.y * model.pixel_size[1]
    slope = np.tan(two_theta[points.ring]) ** 2
    use = np.isfinite(slope)
    if use.sum() < 3:
        return None
    x, y, slope = x[use], y[use], slope[use]
    one_ring = bool(np.ptp(slope) == 0)
    columns = [2 * x, 2 * y, np.ones_like(x)] + ([] if one_ring else [slope])
    matrix = np.column_stack(columns)
    scale = np.linalg.norm(matrix, axis=0)
    found, _, rank, _ = np.linalg.lstsq(matrix / scale, x**2 + y**2, rcond=1e-10)
    if rank < len(columns):
        return None
    a, b, rest, *more = found / scale
    square = more[0] if more else (rest + a**2 + b**2) / slope[0]
    if not square > 0:
        return None
    return np.array([np.sqrt(square), a / model.pixel_size[0], b / model.pixel_size[1]])
