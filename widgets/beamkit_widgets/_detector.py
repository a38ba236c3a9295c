"""Part of a viewer: where the detector stands, the beam centre, and rings over the image."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets

from beamkit.core.errors import ParameterError
from beamkit.diffraction import Geometry
from beamkit.diffraction.ring_items import RingItem, ring_items

from ._info import axes_of, beam_of, describe, geometry_of
from ._rings import ring_message

if TYPE_CHECKING:
    from ._conversation import Conversation
    from ._source import ImageSource

#: Positions closer than this are the same [pixel].
_SAME = 1e-9


class OnDetector(traitlets.HasTraits):  # type: ignore[misc]
    """Mixin of the image viewer: each of these follows the others.

    Attributes
    ----------
    geometry
        :class:`beamkit.diffraction.Geometry` in use; None where nothing is known. Set another one,
        such as ``Geometry.from_poni(path)``.
    beam_center
        Where the direct beam meets the detector: x, y from the outer corner of the full detector
        [pixel]; None where there is no geometry.
    rings
        Names of calibrants, ``"ice"``, or lattice spacings [angstrom]: rings over the image.
    """

    source: ImageSource
    talk: Conversation
    _info: Any
    _is_made: bool

    _beam = traitlets.List(allow_none=True, default_value=None).tag(sync=True)
    geometry = traitlets.Any(None)
    beam_center = traitlets.Any(None)
    rings = traitlets.Any(())

    #: What the data tell, what the browser was told last, and why there is none.
    _own: Geometry | None = None
    _told: Geometry | None = None
    _no_geometry = ""

    def reset_geometry(self) -> None:
        """Go back to the geometry that the data tell."""
        self.geometry = self._own

    def _read_geometry(self) -> None:
        """Take the geometry of the source, and describe both to the browser."""
        self._own, self._no_geometry = geometry_of(self.source)
        self._told = None
        if self.geometry == self._own:
            self._geometry_set()
        else:
            self.geometry = self._own

    @traitlets.validate("geometry", "beam_center", "rings")  # type: ignore[untyped-decorator]
    def _check_detector(self, proposal: Any) -> Any:
        return getattr(self, f"_checked_{proposal['trait'].name}")(proposal["value"])

    @staticmethod
    def _checked_geometry(value: Any) -> Geometry | None:
        if value is not None and not isinstance(value, Geometry):
            raise ParameterError(
                f"geometry is {value!r:.60}; give a beamkit.diffraction.Geometry, such as "
                "Geometry.from_poni(path)."
            )
        return value

    def _checked_beam_center(self, value: Any) -> tuple[float, float] | None:
        if value is None:
            return _beam_of(self.geometry)
        if self.geometry is None:
            raise ParameterError(f"There is no beam centre to set. {self._no_geometry}")
        try:
            x, y = (float(number) for number in value)
        except (TypeError, ValueError):
            x = y = np.nan
        if not (np.isfinite(x) and np.isfinite(y)):
            raise ParameterError(f"beam_center is {value!r}; give two finite numbers [pixel].")
        return x, y

    @staticmethod
    def _checked_rings(value: Any) -> tuple[RingItem, ...]:
        return ring_items(value)

    @traitlets.observe("geometry")  # type: ignore[untyped-decorator]
    def _geometry_set(self, _change: Any = None) -> None:
        geometry, center = self.geometry, _beam_of(self.geometry)
        if _moves_alone(self._told, geometry):
            self._beam_told(center)
        else:
            self._told = geometry
            self._info = describe(self.source, geometry, self._no_geometry)
            self._beam_told(center)
        if not _is_near(self.beam_center, center):
            self.beam_center = center
        self.show_rings()

    @traitlets.observe("beam_center")  # type: ignore[untyped-decorator]
    def _beam_center_set(self, _change: Any) -> None:
        if self.beam_center and not _is_near(self.beam_center, _beam_of(self.geometry)):
            self.geometry = self.geometry.with_beam_center(*self.beam_center)

    @traitlets.observe("_beam")  # type: ignore[untyped-decorator]
    def _beam_moved(self, _change: Any) -> None:
        if self._beam is not None and self.geometry is not None:
            rows, columns = axes_of(self.source)
            moved = float(columns.to_full(self._beam[0])), float(rows.to_full(self._beam[1]))
            if not _is_near(self.beam_center, moved):
                self.beam_center = moved

    def _beam_told(self, center: tuple[float, float] | None) -> None:
        """Tell the browser where the beam is on the array."""
        if center is None:
            self._beam = None
            return
        rows, columns = axes_of(self.source)
        beam = float(columns.to_array(center[0])), float(rows.to_array(center[1]))
        if not _is_near(self._beam, beam):
            self._beam = list(beam)

    @traitlets.observe("rings")  # type: ignore[untyped-decorator]
    def show_rings(self, _change: Any = None) -> None:
        """Send the rings to the browser."""
        if self._is_made:
            self.talk.later("rings", self._send_rings)

    def _send_rings(self) -> None:
        self.talk.tell(*ring_message(self.rings, self.geometry, self.source, self._no_geometry))


def _beam_of(geometry: Geometry | None) -> tuple[float, float] | None:
    """Return x, y of the beam centre; None if there is none."""
    center = beam_of(geometry)
    return center and (center.x, center.y)


def _is_near(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is None and other is None
    return bool(np.allclose(one, other, rtol=0, atol=_SAME))


def _moves_alone(told: Geometry | None, now: Geometry | None) -> bool:
    """Whether nothing but the beam centre, in the plane of the detector, is another."""
    if told is None or now is None or replace(now, origin=told.origin) != told:
        return False
    center = _beam_of(now)
    if center is None:
        return False
    moved = told.with_beam_center(*center).origin
    return bool(np.allclose(moved, now.origin, rtol=0, atol=1e-12))
