"""Panel of rings and of the detector's place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from beamkit.core.errors import ParameterError
from beamkit.core.units import wavelength_from_energy
from beamkit.diffraction import Geometry
from beamkit.diffraction.calibrants import CALIBRANTS
from beamkit.diffraction.distance import with_distance
from beamkit.diffraction.resolution import resolution_rings
from beamkit_widgets._rings import full_shape

if TYPE_CHECKING:
    from beamkit_widgets._panels import Answer, Question
    from beamkit_widgets.viewer import ImageViewer


def answer(viewer: ImageViewer, question: Question) -> Answer:
    """Change rings or geometry, and return the names of the calibrants and the chosen ``items``.

    A question has ``rings`` (items), ``resolution`` (true), ``wavelength`` [angstrom], ``energy``
    [keV], ``distance`` [m], ``beam`` (x, y on the full detector [pixel]) or ``reset`` (true);
    a ``number`` comes back with the answer.
    """
    changes: dict[str, Callable[[ImageViewer, Any], None]] = {
        "reset": lambda viewer, _value: viewer.reset_geometry(),
        "wavelength": _set_wavelength,
        "energy": lambda viewer, value: _set_wavelength(viewer, wavelength_from_energy(value)),
        "distance": _set_distance,
        "beam": _set_beam,
        "rings": _set_rings,
        "resolution": _add_resolution,
    }
    for name, change in changes.items():
        if name in question:
            change(viewer, question[name])
    told = {"calibrants": list(CALIBRANTS), "items": list(viewer.rings)}
    return {**told, "number": question.get("number", 0)}, {}


def _geometry(viewer: ImageViewer) -> Geometry:
    if viewer.geometry is None:
        raise ParameterError(
            "There is no geometry to change. Set one in a cell, such as "
            "viewer.geometry = Geometry.from_poni(path)."
        )
    geometry: Geometry = viewer.geometry
    return geometry


def _set_wavelength(viewer: ImageViewer, wavelength: float) -> None:
    viewer.geometry = _geometry(viewer).with_wavelength(float(wavelength))


def _set_distance(viewer: ImageViewer, distance: float) -> None:
    viewer.geometry = with_distance(_geometry(viewer), float(distance))


def _set_beam(viewer: ImageViewer, beam: tuple[float, float]) -> None:
    viewer.beam_center = tuple(beam)


def _set_rings(viewer: ImageViewer, items: list[str | float]) -> None:
    viewer.rings = tuple(items)


def _add_resolution(viewer: ImageViewer, _value: bool) -> None:
    """Put round spacings in the place of those that are there."""
    names = [item for item in viewer.rings if isinstance(item, str)]
    spacings = resolution_rings(_geometry(viewer), shape=full_shape(viewer.source))
    viewer.rings = (*names, *spacings)
