"""The image viewer: a canvas in the browser, fed with as many pixels as the screen has."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from typing import Any

import anywidget
import traitlets
import xarray as xr
from matplotlib import colormaps

from beamkit.core.errors import ParameterError, UnknownNameError
from beamkit.images import SCALES, Region, default_quantiles, region_from_dict

from ._bundle import script, styles
from ._contrast import automatic
from ._conversation import Conversation
from ._detector import OnDetector
from ._export import STATE, Exported
from ._inspecting import Inspecting
from ._linked import Linked
from ._masking import Masked
from ._measuring import Measuring
from ._palettes import palette, palettes
from ._roi import Roi
from ._shown import Shown
from ._source import HOWS, ImageSource, Place, Span, as_place
from ._spotting import Spotted

_PARTS = (
    "dom",
    "icons",
    "colors",
    "tiles",
    "image_pane",
    "overlays",
    "spot_marks",
    "regions",
    "color_bar",
    "frame_bar",
)
_MORE = ("cursor_table", "plot", "linked", "keys", "viewer")
#: The panels beside the image, in the order of their tabs.
_PANELS = tuple(
    f"panel_{name}"
    for name in (
        "inspect",
        "color",
        "profile",
        "rings",
        "bragg",
        "metadata",
        "peak",
        "spot",
        "mask",
    )
)


#: How long a cell waits for the browser before it draws what stays in the notebook [s].
_MOMENT = 0.5


class ImageViewer(
    Inspecting,
    Linked,
    Exported,
    OnDetector,
    Masked,
    Spotted,
    Shown,
    Measuring,
    anywidget.AnyWidget,  # type: ignore[misc]
):
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
    auto_contrast
        Whether every image gets a contrast of its own; False: all have that of ``clim``.
    cmap, invert
        Colour map of matplotlib, and whether it runs the other way.
    roi
        Region drawn in the image (:mod:`beamkit.images.regions`), or None. Read back, it also has
        ``data``, ``statistics()`` ...: :class:`~beamkit_widgets._roi.Roi`.
    cursor
        Where the mouse rested last: x, y from the outer corner [pixel]; None before that.
    mask, shows_mask
        Which pixels are not used: :class:`~beamkit_widgets._masking.Masked`.
    geometry, beam_center, rings
        Where the detector stands, and rings over the image:
        :class:`~beamkit_widgets._detector.OnDetector`.
    spots, spot_options, found
        Bragg spots: :class:`~beamkit_widgets._spotting.Spotted`.
    axes, places, ruler
        Dimensions that are seen, where the viewer is along the others, and a ruler:
        :class:`~beamkit_widgets._inspecting.Inspecting`.
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
    _css = traitlets.Unicode(styles("viewer", "linked", *_PANELS)).tag(sync=True)
    _info = traitlets.Dict().tag(sync=True)
    _palettes = traitlets.Dict().tag(sync=True)
    _span = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    _roi = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)

    frame = traitlets.Int(0).tag(sync=True)
    clim = traitlets.Tuple(traitlets.CFloat(), traitlets.CFloat(), default_value=(0.0, 1.0)).tag(
        sync=True
    )
    scale = traitlets.Unicode("linear").tag(sync=True)
    cmap = traitlets.Unicode("gray").tag(sync=True)
    invert = traitlets.Bool(False).tag(sync=True)
    auto_contrast = traitlets.Bool(False).tag(sync=True)
    cursor = traitlets.Any(None).tag(sync=True)
    zoom = traitlets.Any(None).tag(sync=True)
    panel = traitlets.Unicode("").tag(sync=True)
    roi = traitlets.Any(None)

    def __init__(
        self,
        data: xr.DataArray | xr.Dataset,
        *,
        mask: xr.DataArray | None = None,
        rows: str | None = None,
        columns: str | None = None,
        **state: Any,
    ) -> None:
        options = (*STATE, "geometry", "beam_center", "mask", "spots")
        unknown = sorted(set(state) - set(options))
        if unknown:
            raise UnknownNameError("option of a viewer", unknown[0], options)
        self.lock = threading.RLock()
        self.source = ImageSource(data, mask, rows=rows, columns=columns)
        #: Where the viewer is along each of the other dimensions.
        self.places: dict[str, Place] = self.source.checked({})
        self.quantiles = default_quantiles(str(self.source.data.attrs.get("kind", "")))
        super().__init__()
        self.talk = Conversation(self)
        self._palettes = palettes()
        self._source_changed()
        self._tell_places()
        if self.source.main in ("z",):
            self.frame = self.source.data.sizes["z"] // 2
        self._choose_look(state)
        for name, value in state.items():
            setattr(self, name, value)
        self.on_msg(lambda _widget, content, _buffers: self.talk.hear(content))
        self._is_made = True

    # ---- what is shown

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
        span = None if value is None else as_place(value)
        self._span = vars(span).copy() if isinstance(span, Span) else None

    @property
    def caption(self) -> str:  # type: ignore[override]
        """What is seen, in a line."""
        place = self.places.get(self.source.main, 0)
        where = self.source.place_text(self.source.main, place) if self.source.main else ""
        number = f"{self.source.main} {place}" if isinstance(place, int) else self.source.main
        low, high = self.clim
        parts = [str(self._info["title"]), f"{number} {where}".strip() if self.source.main else ""]
        unit = self._info["unit"]
        parts.append(f"{self.scale} from {low:.4g} to {high:.4g} {unit}".strip())
        return ", ".join(part for part in parts if part)

    def auto(self, tightness: int = 0, *, roi: bool = False) -> None:
        """Set the contrast from the good pixels of this image, or of the region drawn in it.

        Each step of ``tightness`` cuts more. Raises ParameterError without a region.
        """
        self.clim = automatic(self, tightness, roi=roi)

    # ---- state

    def _source_changed(self) -> None:
        self._read_geometry()
        self._read_mask()

    def _choose_look(self, state: dict[str, Any]) -> None:
        kind = str(self.source.data.attrs.get("kind", ""))
        if kind == "diffraction":
            self.cmap, self.scale, self.invert = "gray", "sqrt", True
        if "clim" not in state:
            with self.lock:
                self.frame = state.pop("frame", self.frame)
            self.auto()

    @traitlets.validate("frame", "clim", "scale", "cmap", "roi", "zoom", "_span")  # type: ignore[untyped-decorator]
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
        if value is None or (isinstance(value, Roi) and value._viewer is self):
            return value
        region = value.region if isinstance(value, Roi) else value
        if not isinstance(region, Region | Mapping):
            raise ParameterError(
                f"roi is {value!r}; give a region such as bk.images.Rectangle(10, 20, 60, 90), or "
                "None."
            )
        if not isinstance(region, Region):
            region = region_from_dict(region)
        return Roi(self, region)

    @staticmethod
    def _checked_zoom(zoom: Any) -> list[float] | None:
        if zoom is None:
            return None
        try:
            x0, y0, x1, y1 = (float(number) for number in zoom)
        except (TypeError, ValueError):
            x0 = y0 = x1 = y1 = math.nan
        if not (-math.inf < x0 < x1 < math.inf and -math.inf < y0 < y1 < math.inf):
            raise ParameterError(
                f"zoom is {zoom!r}; give x0, y0, x1, y1 [pixel] with x0 < x1 and y0 < y1, or None."
            )
        return [x0, y0, x1, y1]

    # ---- what follows from a change of state

    @traitlets.observe("frame", "_span")  # type: ignore[untyped-decorator]
    def _frame_changed(self, change: Any) -> None:
        if self.source.main:
            self._go({**self.places, self.source.main: self.span or self.frame})
        if change.name == "_span" and self._is_made:  # a sum has other counts than a frame
            self.talk.later("contrast", self.auto)

    @traitlets.observe("auto_contrast")  # type: ignore[untyped-decorator]
    def _contrast_freed(self, _change: Any) -> None:
        if self.auto_contrast and self._is_made:
            self.auto()

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

    # ---- life

    def _wait_until_seen(self) -> None:
        self.talk.is_seen.wait(_MOMENT)

    def _connect(self) -> None:
        if self.talk.worker.is_closed:
            self.talk = Conversation(self)

    def _disconnected(self) -> None:
        self.talk.close()
        self.source.forget()
        self.on_msg(lambda _widget, content, _buffers: self.talk.hear(content))
