"""The image viewer: a canvas in the browser, fed with as many pixels as the screen has."""

from __future__ import annotations

import math
import threading
from typing import Any

import anywidget
import numpy as np
import traitlets
import xarray as xr
from matplotlib import colormaps

from beamkit.core.errors import ParameterError, UnknownNameError
from beamkit.images import SCALES, Region, default_quantiles, region_from_dict

from ._bundle import script, styles
from ._conversation import Conversation
from ._info import axes_of, describe, geometry_of
from ._palettes import palette, palettes
from ._rings import checked_rings, ring_curves
from ._roi import Roi
from ._shown import Shown
from ._source import HOWS, ImageSource, Place, Span
from ._still import still
from ._tiles import Tiler

_PARTS = (
    "dom",
    "icons",
    "colors",
    "tiles",
    "image_pane",
    "overlays",
    "regions",
    "color_bar",
    "frame_bar",
)
_MORE = ("cursor_table", "plot", "viewer")
#: The panels beside the image, in the order of their tabs.
_PANELS = tuple(
    f"panel_{name}"
    for name in ("inspect", "color", "profile", "rings", "metadata", "peak", "spot", "mask")
)

#: What ``ImageViewer(data, **state)`` takes, and what restores a view.
STATE = (
    "frame",
    "span",
    "clim",
    "scale",
    "cmap",
    "invert",
    "roi",
    "rings",
    "beam_center",
    "zoom",
    "panel",
)


class ImageViewer(Shown, anywidget.AnyWidget):  # type: ignore[misc]
    """See images, and ask them questions; what the mouse does is state that a cell can read.

    Parameters
    ----------
    data
        Two dimensions or more, in memory or lazy; or a Dataset, whose main variable is shown
        with its mask and geometry. Row 0 is at the top.
    mask
        Shape (rows, columns): 0 for a good pixel, else bits as in NXdetector, or bool; None takes
        that of the Dataset.
    rows, columns
        Dimensions shown downwards and to the right; None for the last two.
    **state
        Any of the attributes below.

    Attributes
    ----------
    frame
        Which image along the longest of the other dimensions, from 0.
    clim
        Values of the first and the last colour [unit of the data].
    scale
        ``"linear"``, ``"sqrt"``, ``"log"`` or ``"asinh"``.
    cmap, invert
        Colour map of matplotlib, and whether it runs the other way.
    roi
        Region drawn in the image (:mod:`beamkit.images.regions`), or None. Read back, it also has
        ``data``, ``statistics()`` ...: :class:`~beamkit_widgets._roi.Roi`.
    cursor
        Where the mouse rested last: x, y from the outer corner [pixel]; None before that.
    mask
        NXdetector bits, DataArray of shape (rows, columns); None: no pixel is masked.
    rings
        Names of calibrants, ``"ice"``, or lattice spacings [angstrom]: rings over the image.
    beam_center
        Where the direct beam meets the detector: x, y from the outer corner of the full detector
        [pixel]; None where there is no geometry.
    zoom
        What is visible: x0, y0, x1, y1 from the outer corner of the array [pixel]; None: all.
    panel
        Panel beside the image; empty: none.

    Raises
    ------
    ShapeError
        If the data have fewer than two dimensions, or no pixels, or a mask of another shape.
    ParameterError
        If the data are not real numbers, or an option has a value that is not allowed.
    UnknownNameError
        If there is no such dimension, scale or colour map.
    """

    _esm = traitlets.Unicode(script(*_PARTS, *_MORE, *_PANELS, "viewer_main")).tag(sync=True)
    _css = traitlets.Unicode(styles("viewer", *_PANELS)).tag(sync=True)
    _info = traitlets.Dict().tag(sync=True)
    _palettes = traitlets.Dict().tag(sync=True)
    _span = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    _roi = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    _beam = traitlets.List(allow_none=True, default_value=None).tag(sync=True)
    _group = traitlets.Unicode("").tag(sync=True)

    frame = traitlets.Int(0).tag(sync=True)
    clim = traitlets.Tuple(traitlets.CFloat(), traitlets.CFloat(), default_value=(0.0, 1.0)).tag(
        sync=True
    )
    scale = traitlets.Unicode("linear").tag(sync=True)
    cmap = traitlets.Unicode("gray").tag(sync=True)
    invert = traitlets.Bool(False).tag(sync=True)
    cursor = traitlets.Any(None).tag(sync=True)
    zoom = traitlets.Any(None).tag(sync=True)
    panel = traitlets.Unicode("").tag(sync=True)
    roi = traitlets.Any(None)
    mask = traitlets.Any(None)
    rings = traitlets.Any(())
    beam_center = traitlets.Any(None)

    def __init__(
        self,
        data: xr.DataArray | xr.Dataset,
        *,
        mask: xr.DataArray | None = None,
        rows: str | None = None,
        columns: str | None = None,
        **state: Any,
    ) -> None:
        unknown = set(state) - set(STATE)
        if unknown:
            raise UnknownNameError("option of a viewer", sorted(unknown)[0], STATE)
        self.lock = threading.RLock()
        self.source = ImageSource(data, mask, rows=rows, columns=columns)
        #: Where the viewer is along each of the other dimensions.
        self.places: dict[str, Place] = self.source.checked({})
        self.classes = self.source.classes()
        self.quantiles = default_quantiles(str(self.source.data.attrs.get("kind", "")))
        super().__init__()
        self.talk = Conversation(self)
        self._palettes = palettes()
        self._source_changed()
        if self.source.main in ("z",):
            self.frame = self.source.data.sizes["z"] // 2
        self._choose_look(state)
        for name, value in state.items():
            setattr(self, name, value)
        self.on_msg(lambda _widget, content, _buffers: self.talk.hear(content))
        self._is_made = True

    # ---- what is shown

    @property
    def image(self) -> xr.DataArray:
        """The image that is shown, with its coordinates, in memory. Shape (rows, columns)."""
        return self.source.image(self.places)

    @property
    def stack(self) -> xr.DataArray:
        """All images along the dimension of the slider, lazy: (frame, rows, columns)."""
        return self.source.stack(self.places)

    @property
    def selection(self) -> xr.DataArray:
        """The image inside ``roi``; all of it where nothing is drawn."""
        return self.image if self.roi is None else self.roi.data

    @property
    def span(self) -> Span | None:
        """The range of frames shown as one; None for a single frame."""
        return None if self._span is None else Span(**self._span)

    @span.setter
    def span(self, value: Span | tuple[str, int, int] | None) -> None:
        span = Span(*value) if isinstance(value, tuple | list) else value
        self._span = None if span is None else vars(span).copy()

    @property
    def caption(self) -> str:
        """What is seen, in a line."""
        place = self.places.get(self.source.main, 0)
        where = self.source.place_text(self.source.main, place) if self.source.main else ""
        number = f"{self.source.main} {place}" if isinstance(place, int) else self.source.main
        low, high = self.clim
        parts = [str(self._info["title"]), f"{number} {where}".strip() if self.source.main else ""]
        unit = self._info["unit"]
        parts.append(f"{self.scale} from {low:.4g} to {high:.4g} {unit}".strip())
        return ", ".join(part for part in parts if part)

    def auto(self, tightness: int = 0) -> None:
        """Set the contrast from the good pixels of this image; each step of tightness cuts more."""
        steps = Tiler(self.image.values, self.classes, self.quantiles).limits()
        self.clim = tuple(steps[min(tightness, len(steps) - 1)])

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
            place = Span(*value) if isinstance(value, tuple | list) else value
            if name == self.source.main:
                if isinstance(place, Span):
                    self.span = place
                else:
                    self.frame = place
                    self.span = None
            else:
                self._go({**self.places, name: place})

    def choose(self, rows: str, columns: str) -> None:
        """Choose the dimensions shown downwards and to the right.

        Raises
        ------
        UnknownNameError
            If there is no such dimension.
        ParameterError
            If both are the same.
        """
        with self.lock:
            source = ImageSource(self.source.whole, rows=rows, columns=columns)
            self.source, self.places = source, source.checked({})
            self.classes = source.classes()
            self.frame, self._span, self._roi, self.zoom = 0, None, None, None
            self._source_changed()
        self.auto()
        self.talk.show()

    # ---- state

    def _source_changed(self) -> None:
        source = self.source
        self._base, reason = geometry_of(source)
        self.geometry = self._base
        self._info = describe(source, self._base, reason)
        with self.hold_trait_notifications():
            bits = source.mask
            self.mask = None if bits is None else self._as_mask(bits)
            self._beam = self._info["geometry"] and self._info["geometry"]["beam"]
            center = self._base and self._base.beam_center
            self.beam_center = center and (center.x, center.y)

    def _as_mask(self, bits: Any) -> xr.DataArray:
        dims = (self.source.rows, self.source.columns)
        coords = {
            dim: self.source.data.coords[dim] for dim in dims if dim in self.source.data.coords
        }
        return xr.DataArray(bits, dims=dims, coords=coords, name="mask", attrs={"units": "1"})

    def _choose_look(self, state: dict[str, Any]) -> None:
        kind = str(self.source.data.attrs.get("kind", ""))
        if kind == "diffraction":
            self.cmap, self.scale, self.invert = "gray", "sqrt", True
        if "clim" not in state:
            with self.lock:
                self.frame = state.pop("frame", self.frame)
            self.auto()

    def _go(self, places: dict[str, Place]) -> None:
        with self.lock:
            self.places = self.source.checked(places)
        self.talk.show()

    @traitlets.validate(
        "frame", "clim", "scale", "cmap", "roi", "mask", "rings", "beam_center", "_span"
    )  # type: ignore[untyped-decorator]
    def _check(self, proposal: Any) -> Any:
        return getattr(self, f"_checked_{proposal['trait'].name.strip('_')}")(proposal["value"])

    def _checked_frame(self, frame: int) -> int:
        if self.source.main:
            self.source.checked({**self.places, self.source.main: frame})
        elif frame != 0:
            raise ParameterError(f"frame is {frame}; there is a single image. Leave it at 0.")
        return frame

    def _checked_span(self, span: dict[str, Any] | None) -> dict[str, Any] | None:
        if span is None:
            return None
        if span["how"] not in HOWS:
            raise UnknownNameError("way to combine frames", span["how"], HOWS)
        self.source.checked({**self.places, self.source.main: Span(**span)})
        return span

    @staticmethod
    def _checked_clim(clim: tuple[float, float]) -> tuple[float, float]:
        low, high = clim
        if not -math.inf < low <= high < math.inf:  # also catches nan
            raise ParameterError(f"clim is {low, high}; give two numbers, the lower one first.")
        return (low, high) if low < high else (low, low + max(abs(low), 1e-9) * 1e-6)

    @staticmethod
    def _checked_scale(scale: str) -> str:
        if scale not in SCALES:
            raise UnknownNameError("scale", scale, SCALES)
        return scale

    def _checked_cmap(self, cmap: str) -> str:
        if cmap not in colormaps:
            raise UnknownNameError("colour map", cmap, colormaps)
        if cmap not in self._palettes:
            self._palettes = {**self._palettes, cmap: palette(cmap)}
        return cmap

    def _checked_roi(self, value: Any) -> Roi | None:
        if value is None or isinstance(value, Roi) and value._viewer is self:
            return value
        region = value.region if isinstance(value, Roi) else value
        if not isinstance(region, Region):
            region = region_from_dict(value)
        return Roi(self, region)

    def _checked_mask(self, value: Any) -> xr.DataArray | None:
        return None if value is None else self._as_mask(self.source.checked_mask(value))

    @staticmethod
    def _checked_rings(value: Any) -> tuple[str | float, ...]:
        return checked_rings(value)

    def _checked_beam_center(self, value: Any) -> tuple[float, float] | None:
        if value is None:
            return None
        if self._base is None:
            raise ParameterError(f"There is no beam centre to set. {self._info['noGeometry']}")
        x, y = (float(number) for number in value)
        return x, y

    # ---- what follows from a change of state

    @traitlets.observe("frame", "_span")  # type: ignore[untyped-decorator]
    def _frame_changed(self, _change: Any) -> None:
        if self.source.main:
            self._go({**self.places, self.source.main: self.span or self.frame})

    @traitlets.observe("mask")  # type: ignore[untyped-decorator]
    def _mask_changed(self, _change: Any) -> None:
        with self.lock:
            self.source.mask = None if self.mask is None else self.mask.values
            self.classes = self.source.classes()
            self.source.forget()  # what was combined left masked pixels out
        if self._is_made:
            self.talk.show()

    @traitlets.observe("_roi")  # type: ignore[untyped-decorator]
    def _drawn(self, _change: Any) -> None:
        region = None if self._roi is None else region_from_dict(self._roi)
        if self.roi != region:
            self.roi = region

    @traitlets.observe("roi")  # type: ignore[untyped-decorator]
    def _roi_set(self, _change: Any) -> None:
        drawn = None if self.roi is None else self.roi.region.to_dict()
        if drawn != self._roi:
            self._roi = drawn

    @traitlets.observe("_beam")  # type: ignore[untyped-decorator]
    def _beam_moved(self, _change: Any) -> None:
        if self._beam is not None:
            rows, columns = axes_of(self.source)
            x, y = columns.to_full(self._beam[0]), rows.to_full(self._beam[1])
            if self.beam_center is None or not np.allclose(self.beam_center, (x, y), atol=1e-9):
                self.beam_center = (x, y)

    @traitlets.observe("beam_center")  # type: ignore[untyped-decorator]
    def _beam_set(self, _change: Any) -> None:
        if self._base is None or self.beam_center is None:
            return
        x, y = self.beam_center
        self.geometry = self._base.with_beam_center(x, y)
        rows, columns = axes_of(self.source)
        beam = [columns.to_array(x), rows.to_array(y)]
        if self._beam is None or not np.allclose(self._beam, beam, atol=1e-9):
            self._beam = beam
        self.show_rings()

    @traitlets.observe("rings")  # type: ignore[untyped-decorator]
    def show_rings(self, _change: Any = None) -> None:
        """Send the rings to the browser."""
        if self._is_made and self.geometry is not None:
            self.talk.later("rings", self._send_rings)

    def _send_rings(self) -> None:
        geometry, axes = self.geometry, axes_of(self.source)
        curves, arrays, notes = ring_curves(self.rings, geometry, self.source.shape, axes)
        self.talk.tell({"type": "rings", "curves": curves, "notes": notes}, arrays)

    # ---- life

    def _still(self) -> bytes:
        return still(self)

    def _connect(self) -> None:
        if self.talk.worker.is_closed:
            self.talk = Conversation(self)

    def _disconnected(self) -> None:
        self.talk.close()
        self.source.forget()
        self.on_msg(lambda _widget, content, _buffers: self.talk.hear(content))
