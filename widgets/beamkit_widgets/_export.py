"""What a viewer shows as a picture, as a dictionary that restores it, and as Python."""

from __future__ import annotations

import os
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import fields
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from PIL import Image

from beamkit.core.errors import ParameterError, UnknownNameError
from beamkit.diffraction import Geometry
from beamkit.figures import Picture
from beamkit.figures import image as image_picture

from ._code import code_of
from ._measuring import STATE as MEASURED
from ._source import ImageSource, Place, Span
from ._spotting import FIND

#: Traits that are the whole of what is seen, beside the data; as JSON knows them.
STATE = (
    "frame",
    "span",
    "auto_contrast",
    "clim",
    "scale",
    "cmap",
    "invert",
    "roi",
    "rings",
    "ruler",
    "spot_options",
    "shows_mask",
    "zoom",
    "panel",
    *MEASURED,
)

#: Pixels per inch of the picture that stays in a notebook, and its number of colours: small, as
#: it is kept in the file.
_DPI, _COLORS = 92, 96


class Exported:
    """Mixin of the image viewer: picture, state and code.

    Attributes
    ----------
    state
        All that was chosen, as a dictionary that JSON knows; set it to restore a view.
    """

    source: ImageSource
    mask: Any
    places: dict[str, Place]
    geometry: Any
    _own: Any
    caption: Any
    roi: Any
    rings: Any
    clim: tuple[float, float]
    scale: str
    cmap: str
    invert: bool
    zoom: Any
    middle: Any
    spots: Any
    marked_spots: Any

    @property
    def image(self) -> xr.DataArray:
        """The image that is shown, in memory. Shape (rows, columns)."""
        return self.source.image(self.places)

    def look(self) -> dict[str, Any]:
        """Return the options of :func:`beamkit.figures.image` that make the same picture."""
        options: dict[str, Any] = {
            "clim": tuple(self.clim),
            "scale": self.scale,
            "cmap": self.cmap,
            "invert": self.invert,
            "rings": tuple(self.rings) if self.geometry is not None else (),
            "roi": None if self.roi is None else self.roi.region,
            "middle": self.middle,
            "spots": self.marked_spots(),
            "zoom": None if self.zoom is None else tuple(round(float(v), 2) for v in self.zoom),
        }
        return {
            name: value
            for name, value in options.items()
            if value is not None and not (isinstance(value, tuple) and not value)
        }

    def picture(self, caption: str | None = None) -> Picture:
        """Return what is seen as a static picture, with caption, colour bar and scale bar."""
        return image_picture(
            self.image.assign_attrs(self.source.oriented.attrs),
            mask=self.mask,
            geometry=self.geometry,
            caption=caption or self.caption,
            **self.look(),
        )

    def save(self, path: str | os.PathLike[str], caption: str | None = None) -> Path:
        """Write what is seen as PNG, SVG or PDF, by the suffix. Raises WriteError."""
        return self.picture(caption).save(path)

    def code(self) -> str:
        """Return the Python that makes the same picture."""
        return code_of(self)

    def _still(self) -> bytes:
        drawn, small = BytesIO(), BytesIO()
        self.picture().savefig(drawn, format="png", dpi=_DPI)
        few = Image.open(drawn).convert("RGB").quantize(_COLORS, dither=Image.Dither.NONE)
        few.save(small, format="png")  # optimize=True: a tenth smaller, in 20 times the time
        return small.getvalue()

    @property
    def state(self) -> dict[str, Any]:
        """All that was chosen; JSON knows it. Setting it restores the view."""
        state: dict[str, Any] = {name: _plain(getattr(self, name)) for name in STATE}
        state["rows"], state["columns"] = self.source.rows, self.source.columns
        state["places"] = {name: _plain(place) for name, place in self.places.items()}
        state["mask"] = self._drawn_mask()
        state["spots"] = FIND if isinstance(self.spots, str) else None
        state["geometry"] = None if self.geometry == self._own else _described(self.geometry)
        return state

    @state.setter
    def state(self, state: Mapping[str, Any]) -> None:
        known = (*STATE, "rows", "columns", "places", "mask", "geometry", "spots")
        unknown = sorted(set(state) - set(known))
        if unknown:
            raise UnknownNameError("entry of a viewer's state", unknown[0], known)
        axes = {"rows": self.source.rows, "columns": self.source.columns}
        wanted = {name: state.get(name, axis) for name, axis in axes.items()}
        if wanted != axes:
            self.choose(**wanted)
        self.place(**{name: _place(place) for name, place in state.get("places", {}).items()})
        for name in STATE:
            if name in state:
                setattr(self, name, state[name])
        if state.get("geometry"):
            self.geometry = Geometry(**state["geometry"])
        if "spots" in state:
            self.spots = state["spots"]
        if state.get("mask"):
            self.mask = self._restored_mask(state["mask"])

    def choose(self, rows: str, columns: str) -> None:
        """Choose the dimensions shown downwards and to the right."""
        raise NotImplementedError

    def place(self, **places: Any) -> None:
        """Go somewhere along any dimension."""
        raise NotImplementedError

    def _drawn_mask(self) -> str:
        """Return the bits that differ from the file's mask, as text; empty if none do."""
        if self.mask is None:
            return ""
        drawn = self.mask.values ^ self._own_mask()
        return b64encode(zlib.compress(drawn.tobytes(), 9)).decode("ascii") if drawn.any() else ""

    def _restored_mask(self, text: str) -> Any:
        try:
            bits = np.frombuffer(zlib.decompress(b64decode(text)), np.uint32)
            return bits.reshape(self.source.shape) ^ self._own_mask()
        except (ValueError, zlib.error) as error:
            raise ParameterError(
                f"The mask of the state does not fit images of shape {self.source.shape} "
                f"({error}). Restore it on the data on which it was drawn."
            ) from error

    def _own_mask(self) -> Any:
        own = self.source.own_mask
        return np.zeros(self.source.shape, np.uint32) if own is None else own


def _plain(value: Any) -> Any:
    """Return a value as JSON knows it."""
    if isinstance(value, Span):
        return [value.how, value.first, value.last]
    if hasattr(value, "region"):
        return value.region.to_dict()
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value


def _described(geometry: Geometry) -> dict[str, Any]:
    return {field.name: _plain(getattr(geometry, field.name)) for field in fields(geometry)}


def _place(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
