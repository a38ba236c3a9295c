"""Two images, or stacks, against each other."""

from __future__ import annotations

from contextlib import suppress
from html import escape
from typing import Any

import ipywidgets as ipw
import traitlets
import xarray as xr

from beamkit import images
from beamkit.core.errors import BeamkitError, ShapeError, UnknownNameError
from beamkit.core.schema import main_variable

from ._several import Several, montage
from .viewer import ImageViewer

#: Ways to compare, with the words of their buttons, to be filled with the labels.
HOWS = {"side": "side by side", "difference": "{} - {}", "ratio": "{} / {}"}

_LOOK = ("clim", "scale", "cmap", "invert")

#: Colour map of what goes both ways from its middle.
_DIVERGING = "coolwarm"

#: What is nothing: the middle of the colours.
_MIDDLE = {"difference": 0.0, "ratio": 1.0}


class CompareViewer(Several, ipw.VBox):  # type: ignore[misc]
    """Compare two datasets: side by side with the same zoom and cursor, or as one image.

    Parameters
    ----------
    first, second
        Images or stacks of the same rows and columns, in memory or lazy; or Datasets, whose main
        variables are compared, without their masked pixels.
    how, same_contrast
        As the attributes.
    labels
        What the two are called.
    **state
        Of both images: as of :class:`~beamkit_widgets.viewer.ImageViewer`.

    Attributes
    ----------
    how
        ``"side"``, ``"difference"`` (first - second, :func:`beamkit.images.difference`) or
        ``"ratio"`` (first / second, :func:`beamkit.images.ratio`). Of stacks, each image is
        compared when it is shown.
    same_contrast
        Whether both have the colours of the first.
    first, second
        The two viewers.
    shown
        The viewer, or the two viewers, that are seen.

    Raises
    ------
    ShapeError
        If the images have different sizes; or, for difference and ratio, the stacks.
    ParameterError
        If the difference is asked for and the units differ, or the data are no real numbers.
    UnknownNameError
        If there is no such way to compare, or no such option.
    """

    how = traitlets.Unicode("side")
    same_contrast = traitlets.Bool(False)

    def __init__(
        self,
        first: xr.DataArray | xr.Dataset,
        second: xr.DataArray | xr.Dataset,
        how: str = "side",
        *,
        same_contrast: bool = False,
        labels: tuple[str, str] = ("first", "second"),
        **state: Any,
    ) -> None:
        self._data = first, second
        self.labels = labels
        self.first = ImageViewer(first, **state)
        self.second = ImageViewer(second, **state)
        _require_same(self.first, self.second)
        for viewer, name in zip((self.first, self.second), labels, strict=True):
            viewer._title = f"{name}: {viewer._info['title']}"
        self._results: dict[str, ImageViewer] = {}
        self._contrast_ties: list[traitlets.link] = []
        self.viewers = (self.first, self.second)
        super().__init__()
        self._group(["zoom", "cursor"])
        self._link()
        self.same_contrast = same_contrast
        self.how = how
        self._is_made = True

    @property
    def result(self) -> ImageViewer | None:
        """The viewer of the difference or ratio that is seen; None side by side."""
        return None if self.how == "side" else self._result(self.how)

    @property
    def shown(self) -> tuple[ImageViewer, ...]:
        """The viewers that are seen."""
        return (self.first, self.second) if self.how == "side" else (self._result(self.how),)

    @property
    def caption(self) -> str:  # type: ignore[override]
        """What is seen, in a line."""
        if self.how == "side":
            return f"{self.first.caption}; {self.second.caption}"
        return f"{HOWS[self.how].format(*self.labels)}: {self.shown[0].caption}"

    # ---- what follows what

    def _link(self) -> None:
        for other in self.viewers[1:]:
            self._tie(_common(self.first, other), (self.first, other))
        self._same_contrast_set()

    @traitlets.observe("same_contrast")  # type: ignore[untyped-decorator]
    def _same_contrast_set(self, _change: Any = None) -> None:
        for tie in self._contrast_ties:
            with suppress(ValueError):  # was taken away when one of them was closed
                tie.unlink()
        pairs = [((self.first, name), (self.second, name)) for name in _LOOK]
        self._contrast_ties = [traitlets.link(*pair) for pair in pairs if self.same_contrast]
        shares = ["zoom", "cursor", *(["look"] if self.same_contrast else [])]
        for viewer in (self.first, self.second):
            viewer._shares = shares

    @traitlets.validate("how")  # type: ignore[untyped-decorator]
    def _check_how(self, proposal: Any) -> str:
        how: str = proposal["value"]
        if how not in HOWS:
            raise UnknownNameError("way to compare", how, HOWS)
        if how != "side":
            self._result(how)
        return how

    @traitlets.observe("how")  # type: ignore[untyped-decorator]
    def _how_set(self, change: Any) -> None:
        before = self.first if change["old"] == "side" else self._result(change["old"])
        for viewer in self.shown:
            viewer.zoom = before.zoom
        if self._stage is not None:
            self._show()

    def _result(self, how: str) -> ImageViewer:
        """Return the viewer of the difference or the ratio; made when it is first needed."""
        if how not in self._results:
            data = {"difference": images.difference, "ratio": images.ratio}[how](
                *map(_lazy, self._data)
            )
            viewer = ImageViewer(data, cmap=_DIVERGING, frame=self.first.frame)
            viewer.middle = _MIDDLE[how]
            viewer.auto()
            viewer._title = f"{HOWS[how].format(*self.labels)}: {self.first._info['title']}"
            self._results[how] = viewer
            self.viewers = (self.first, self.second, *self._results.values())
            self._untie()
            self._link()
        return self._results[how]

    # ---- in the notebook

    def _connect(self) -> None:
        options = [(words.format(*self.labels), how) for how, words in HOWS.items()]
        self._buttons = ipw.ToggleButtons(
            options=options, value=self.how, style={"button_width": "auto"}
        )
        self._buttons.observe(self._chosen, "value")
        same = ipw.Checkbox(self.same_contrast, description="same contrast", indent=False)
        self._ties = (*self._ties, traitlets.link((self, "same_contrast"), (same, "value")))
        self._same, self._message = same, ipw.HTML()
        self._controls = ipw.Box((self._buttons, same, self._message))
        self._controls.add_class("bk-compare-controls")
        self._make_stage("bk-compare", ())
        self._show()

    def _chosen(self, change: Any) -> None:
        if change["new"] == self.how:
            return
        try:
            self.how = change["new"]
            self._message.value = ""
        except BeamkitError as error:
            self._message.value = f"<span class='bk-error'>{escape(str(error))}</span>"
            self._buttons.value = self.how

    def _show(self) -> None:
        """Put the viewers that are seen into the page."""
        self._buttons.value = self.how
        self._same.layout.display = "" if self.how == "side" else "none"
        self._stage.children = self.shown
        self.children = (self._controls, self._stage)

    def _still(self) -> bytes:
        return montage([viewer._still() for viewer in self.shown], columns=2)


def _require_same(first: ImageViewer, second: ImageViewer) -> None:
    shapes = first.source.shape, second.source.shape
    if shapes[0] != shapes[1]:
        raise ShapeError(
            f"The images of the first have shape {shapes[0]}, those of the second {shapes[1]}. "
            "Crop both with the same .isel(...), or bin the finer one with .coarsen(...).mean()."
        )


def _common(first: ImageViewer, second: ImageViewer) -> tuple[str, ...]:
    """Return the traits that say where a viewer is, as far as both have the same places."""
    sizes = [
        {name: viewer.source.data.sizes[name] for name in viewer.source.others}
        for viewer in (first, second)
    ]
    mains = [
        size.get(viewer.source.main) for size, viewer in zip(sizes, (first, second), strict=True)
    ]
    if None in mains or mains[0] != mains[1]:
        return ()
    return ("frame", "_span", "_places") if sizes[0] == sizes[1] else ("frame", "_span")


def _lazy(data: Any) -> Any:
    """Return a stack in chunks of one image, so that only what is seen is compared."""
    main = data[main_variable(data)] if isinstance(data, xr.Dataset) else data
    if main.ndim < 3:
        return data
    return data.chunk(dict.fromkeys(main.dims[:-2], 1))
