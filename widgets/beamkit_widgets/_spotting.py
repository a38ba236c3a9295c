"""Part of a viewer: Bragg spots, found in each image that is shown or given as a table."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets

from beamkit.core.errors import ParameterError, UnknownNameError
from beamkit.diffraction.spots import SpotFinder, SpotSettings
from beamkit.diffraction.spots_table import Spots

from ._info import axes_of

if TYPE_CHECKING:
    from ._conversation import Conversation
    from ._source import ImageSource

#: The word for "find them in each image".
FIND = "find"

#: Most marks that are drawn: the strongest.
_MOST = 4000


class Spotted(traitlets.HasTraits):  # type: ignore[misc]
    """Mixin of the image viewer.

    Attributes
    ----------
    spots
        ``"find"``: those that :func:`beamkit.diffraction.find_spots` finds in each image that is
        shown; or a table (DataFrame, Dataset, dictionary) with the columns ``x`` and ``y``
        (positions on the full detector [pixel]) and, where it is of several images, ``frame``;
        None: none.
    spot_options
        Attributes of :class:`beamkit.diffraction.SpotSettings` that are not the usual ones.
    """

    source: ImageSource
    talk: Conversation
    image: Any
    mask: Any
    geometry: Any
    frame: Any
    span: Any
    _is_made: bool

    spots: Any = traitlets.Any(None)
    spot_options: Any = traitlets.Dict()

    #: The image, the mask and the options, and what was found with them.
    _found: tuple[tuple[Any, ...], Spots] | None = None

    @property
    def found(self) -> Spots:
        """The spots of the image that is shown, whether they are marked or not."""
        image, mask, options = self.image, self.mask, dict(self.spot_options)
        known = self._found
        if known is None or known[0][0] is not image or known[0][1:] != (id(mask), options):
            bits = None if mask is None else mask.values
            finder = SpotFinder(image.shape, bits, settings=SpotSettings(**options))
            known = self._found = (image, id(mask), options), finder.find(image)
        return known[1]

    def marked_spots(self) -> Any:
        """Return the spots that are marked: found ones, or positions on the full detector, shape
        (spot, 2): x, y [pixel]; None where none are."""
        if self.spots is None or isinstance(self.spots, str):
            return self.found if self.spots else None
        marks = self._marked()
        return np.column_stack([marks["x"], marks["y"]])

    @traitlets.validate("spots", "spot_options")  # type: ignore[untyped-decorator]
    def _check_spots(self, proposal: Any) -> Any:
        return getattr(self, f"_checked_{proposal['trait'].name}")(proposal["value"])

    @staticmethod
    def _checked_spots(value: Any) -> Any:
        if value is None or (isinstance(value, str) and value == FIND):
            return value
        if isinstance(value, str) or not {"x", "y"} <= set(_names(value)):
            raise ParameterError(
                f'spots is {value!r:.60}; give "find", a table with the columns x and y (and '
                "frame), or None."
            )
        return value

    @staticmethod
    def _checked_spot_options(value: dict[str, Any]) -> dict[str, Any]:
        allowed = [field.name for field in fields(SpotSettings)]
        for name in value:
            if name not in allowed:
                raise UnknownNameError("setting of a spot", name, allowed)
        SpotSettings(**value)  # tells what is out of range
        return value

    @traitlets.observe("spots", "spot_options", "mask")  # type: ignore[untyped-decorator]
    def show_spots(self, _change: Any = None) -> None:
        """Send the marks of the image that is shown to the browser, when there is time."""
        if self._is_made:
            self.talk.later("spots", self._send_spots, is_urgent=False)

    def _send_spots(self) -> None:
        version, found = self.talk.version, self._marked()
        if version != self.talk.version:
            return  # another image is shown by now, and its spots come next
        order = np.argsort(-found["intensity"], kind="stable")[:_MOST]
        rows, columns = axes_of(self.source)
        x, y = columns.to_array(found["x"][order]), rows.to_array(found["y"][order])
        told = {"x": x, "y": y, "radius": found["radius"][order]}
        text = [found["text"][k] for k in order] if found["text"] else []
        self.talk.tell({"type": "spots", "version": version, "text": text}, told)

    def _marked(self) -> dict[str, Any]:
        """Return x, y, radius, intensity and text of the marks of the image that is shown."""
        if isinstance(self.spots, str):
            return _described(self.found)
        if self.spots is None:
            return _of_table({"x": [], "y": []}, None)
        return _of_table(self.spots, None if self.span else self.frame)


def _described(spots: Spots) -> dict[str, Any]:
    size = np.maximum(spots.x_max - spots.x_min, spots.y_max - spots.y_min)
    text = [
        f"{intensity:.0f} counts, I/sigma {significance:.1f}"
        for intensity, significance in zip(spots.intensity, spots.i_over_sigma, strict=True)
    ]
    return {
        "x": spots.x,
        "y": spots.y,
        "radius": size / 2,
        "intensity": np.nan_to_num(spots.intensity),
        "text": text,
    }


def _of_table(table: Any, frame: int | None) -> dict[str, Any]:
    """Return the marks of a table; those of one frame where it tells frames."""
    x, y = (np.asarray(table[name], float).ravel() for name in ("x", "y"))
    names = set(_names(table))
    strength = np.asarray(table["intensity"], float).ravel() if "intensity" in names else x * 0
    here = np.isfinite(x) & np.isfinite(y)
    if frame is not None and "frame" in names:
        here &= np.asarray(table["frame"]).ravel() == frame
    return {
        "x": x[here],
        "y": y[here],
        "radius": np.full(int(here.sum()), 2.0),
        "intensity": np.nan_to_num(strength[here]),
        "text": [],
    }


def _names(table: Any) -> list[str]:
    """Return the names of the columns of a DataFrame, a Dataset or a dictionary."""
    columns = getattr(table, "variables", getattr(table, "columns", table))
    return list(columns) if hasattr(columns, "__iter__") else []
