"""Part of a viewer: which dimensions are seen, where it is along the others, and a ruler."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import traitlets
import xarray as xr

from beamkit.core.errors import ParameterError, UnknownNameError
from beamkit.images import Measurement, ruler

from ._source import ImageSource, Place, Span, as_place

if TYPE_CHECKING:
    from ._conversation import Conversation


class Inspecting(traitlets.HasTraits):  # type: ignore[misc]
    """Mixin of the image viewer.

    Attributes
    ----------
    axes
        Dimensions shown downwards and to the right; set both to choose others.
    places
        Where the viewer is along each of the other dimensions: an index, or a range as one image.
    ruler
        From one position to another: x0, y0, x1, y1 from the outer corner of the array [pixel];
        None: no ruler.
    """

    lock: threading.RLock
    source: ImageSource
    talk: Conversation
    places: dict[str, Place]
    image: xr.DataArray
    span: Any
    frame: Any
    mask: Any
    classes: Any
    zoom: Any
    _roi: Any

    axes = traitlets.Tuple(traitlets.Unicode(), traitlets.Unicode(), default_value=("", "")).tag(
        sync=True
    )
    #: As ``places``, without the dimension of the frame slider; ranges are lists.
    _places = traitlets.Dict().tag(sync=True)
    ruler = traitlets.Any(None).tag(sync=True)
    #: Masks of the dimensions that were shown before.
    _masks = traitlets.Dict()

    @property
    def measurement(self) -> Measurement | None:
        """What the ruler says: :func:`beamkit.images.ruler`; None without a ruler."""
        if self.ruler is None:
            return None
        image = self.source.oriented
        return ruler(image, *(float(number) for number in self.ruler))

    def place(self, **places: Place | tuple[str, int, int]) -> None:
        """Go somewhere along any dimension: an index, or (how, first, last) for a range.

        Raises
        ------
        ParameterError
            If there is no such image.
        UnknownNameError
            If there is no such dimension.
        """
        for name, value in places.items():
            if name not in self.source.others:
                raise UnknownNameError("dimension to move along", name, self.source.others)
            place = as_place(value)
            if name != self.source.main:
                self._go({**self.places, name: place})
            elif isinstance(place, Span):
                self.span = place
            else:
                self.frame = place
                self.span = None

    def choose(self, rows: str, columns: str) -> None:
        """Choose the dimensions shown downwards and to the right.

        What is drawn is taken away, as it means another thing now; a mask comes back with its
        dimensions. Along a dimension that was rows or columns before the middle is shown.

        Raises
        ------
        UnknownNameError
            If there is no such dimension.
        ParameterError
            If both are the same.
        """
        with self.lock:
            before = self.source
            source = ImageSource(before.whole, before.given_mask, rows=rows, columns=columns)
            self._masks[frozenset(before.axes)] = self.mask
            middle = {name: source.data.sizes[name] // 2 for name in source.others}
            self.source, self.places = source, source.checked(middle | _kept(self.places, source))
            self._start_anew()
            self.classes = source.classes()
            self._source_changed()
            drawn = self._masks.get(frozenset((rows, columns)))
            if drawn is not None:
                self.mask = drawn.transpose(rows, columns).values
            self._tell_places()
        self.auto()
        self.talk.show()

    def _start_anew(self) -> None:
        """Set the slider of the frames; nothing that was drawn stays."""
        place = self.places.get(self.source.main, 0)
        with self.hold_trait_notifications():
            self.span = place if isinstance(place, Span) else None
            self.frame = 0 if isinstance(place, Span) else place
            self._roi = self.zoom = self.ruler = None

    def _go(self, places: dict[str, Place]) -> None:
        with self.lock:
            self.places = self.source.checked(places)
            self._tell_places()
        self.talk.show()

    def _tell_places(self) -> None:
        self.axes = self.source.axes
        others = {name: at for name, at in self.places.items() if name != self.source.main}
        self._places = {name: _plain(place) for name, place in others.items()}

    @traitlets.observe("axes")  # type: ignore[untyped-decorator]
    def _axes_chosen(self, _change: Any) -> None:
        if self.axes != self.source.axes:
            self.choose(*self.axes)

    @traitlets.observe("_places")  # type: ignore[untyped-decorator]
    def _places_chosen(self, _change: Any) -> None:
        others = set(self.source.others) - {self.source.main}
        chosen = {name: as_place(at) for name, at in self._places.items() if name in others}
        if any(self.places[name] != place for name, place in chosen.items()):
            self._go({**self.places, **chosen})

    @traitlets.validate("axes", "ruler")  # type: ignore[untyped-decorator]
    def _check_inspecting(self, proposal: Any) -> Any:
        return getattr(self, f"_checked_{proposal['trait'].name}")(proposal["value"])

    def _checked_axes(self, axes: tuple[str, str]) -> tuple[str, str]:
        return ImageSource(self.source.data, rows=axes[0], columns=axes[1]).axes

    @staticmethod
    def _checked_ruler(value: Any) -> list[float] | None:
        if value is None:
            return None
        try:
            x0, y0, x1, y1 = (float(number) for number in value)
        except (TypeError, ValueError):
            x0 = y0 = x1 = y1 = math.nan
        if not all(map(math.isfinite, (x0, y0, x1, y1))):
            raise ParameterError(
                f"ruler is {value!r}; give four finite numbers x0, y0, x1, y1 [pixel], or None."
            )
        return [x0, y0, x1, y1]

    def auto(self, tightness: int = 0) -> None:
        """Set the contrast from the good pixels of this image."""
        raise NotImplementedError

    def _source_changed(self) -> None:
        raise NotImplementedError


def _kept(places: Mapping[str, Place], source: ImageSource) -> dict[str, Place]:
    return {name: place for name, place in places.items() if name in source.others}


def _plain(place: Place) -> Any:
    return [place.how, place.first, place.last] if isinstance(place, Span) else int(place)
