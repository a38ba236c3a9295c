"""Three slices of a volume through one point, each square to the others."""

from __future__ import annotations

from typing import Any

import ipywidgets as ipw
import traitlets
import xarray as xr

from beamkit.core.errors import ParameterError, ShapeError, UnknownNameError
from beamkit.core.schema import main_variable

from ._several import Several, montage
from .viewer import ImageViewer

#: Names of the traits, for the first, second and third dimension.
AXES = ("z", "y", "x")

#: What is the same in all three.
_LOOK = ("clim", "scale", "cmap", "invert")

#: Rows and columns of the planes, as numbers of dimensions: front, side and top of the volume, so
#: that neighbours have an axis in common.
_PLANES = ((1, 2), (1, 0), (0, 2))


class OrthoViewer(Several, ipw.Box):  # type: ignore[misc]
    """See a volume in three planes; where they cross is dragged in any of them.

    Parameters
    ----------
    volume
        Three dimensions, such as (z, y, x), in memory or lazy; or a Dataset, whose main variable
        is shown.
    z, y, x
        Where the planes cross: index along the first, second and third dimension; None: the
        middle.
    **look
        ``clim``, ``scale``, ``cmap``, ``invert`` of all planes, as of
        :class:`~beamkit_widgets.viewer.ImageViewer`.

    Attributes
    ----------
    z, y, x
        Where the planes cross: index along the first, second and third dimension, from 0.
    clim, scale, cmap, invert
        Of all planes.
    viewers
        The planes: :class:`~beamkit_widgets.viewer.ImageViewer` of (y, x), (y, z) and (z, x).

    Raises
    ------
    ShapeError
        If there are not three dimensions.
    ParameterError
        If the data are not real numbers, or an index is outside.
    UnknownNameError
        If there is no such option, scale or colour map.
    """

    _told: ipw.HTML | None = None

    z = traitlets.Any(0)
    y = traitlets.Any(0)
    x = traitlets.Any(0)
    clim = traitlets.Any((0.0, 1.0))
    scale = traitlets.Any("linear")
    cmap = traitlets.Any("gray")
    invert = traitlets.Any(False)

    def __init__(
        self,
        volume: xr.DataArray | xr.Dataset,
        *,
        z: int | None = None,
        y: int | None = None,
        x: int | None = None,
        **look: Any,
    ) -> None:
        unknown = sorted(set(look) - set(_LOOK))
        if unknown:
            raise UnknownNameError("option of a viewer of planes", unknown[0], (*_LOOK, *AXES))
        self.dims = _dims_of(volume)
        front = ImageViewer(volume, rows=self.dims[1], columns=self.dims[2], **look)
        #: The volume, as it was given.
        self.volume: xr.DataArray = front.source.data
        look = {name: getattr(front, name) for name in _LOOK}  # one contrast for all
        rest = (
            ImageViewer(volume, rows=self.dims[rows], columns=self.dims[columns], **look)
            for rows, columns in _PLANES[1:]
        )
        self.viewers = (front, *rest)
        for viewer in self.viewers:
            viewer._without = ["tools", "strip", "side", "range"]
            rows, columns = viewer.source.axes
            viewer._title = f"{viewer._info['title']}: {rows} ↓, {columns} →"
        for viewer in self.viewers[1:]:
            viewer._without = [*viewer._without, "look", "bar"]
        side = self.viewers[1]
        side._ratio = _ratio(front)  # as high as the one beside it: the rows of both are the same
        super().__init__()
        self._group(["look", "cross"])
        given = dict(zip(AXES, (z, y, x), strict=True))
        sizes = zip(AXES, self.volume.shape, strict=True)
        middle = {name: size // 2 for name, size in sizes}
        self._go({name: middle[name] if at is None else at for name, at in given.items()})
        self._link()
        self._is_made = True

    @property
    def position(self) -> dict[str, int]:
        """Where the planes cross: index along each dimension of the volume."""
        return {dim: getattr(self, name) for dim, name in zip(self.dims, AXES, strict=True)}

    @property
    def value(self) -> xr.DataArray:
        """The volume where the planes cross, with its coordinates."""
        return self.volume.isel(self.position).compute()

    @property
    def caption(self) -> str:  # type: ignore[override]
        """What is seen, in a line."""
        front = self.viewers[0]
        where = ", ".join(self._place_text(dim) for dim in self.dims)
        return f"{front._info['title']}: planes at {where}"

    def _place_text(self, dim: str) -> str:
        index = self.position[dim]
        coordinate = self.viewers[0].source.place_text(dim, index)
        number = f"{dim} {index}"
        return f"{number} ({coordinate.removeprefix(dim).strip()})" if coordinate else number

    # ---- what follows what

    def _link(self) -> None:
        self._tie(_LOOK, self.viewers)
        self._ties += tuple(traitlets.link((self.viewers[0], name), (self, name)) for name in _LOOK)
        for viewer in self.viewers:
            viewer.observe(self._slice_moved, "frame")
            viewer.observe(self._cross_moved, "_cross")
        self._moved()

    def _go(self, position: dict[str, Any]) -> None:
        checked = {name: self._checked(name, index) for name, index in position.items()}
        with self.hold_trait_notifications():  # all three at once
            for name, index in checked.items():
                setattr(self, name, index)

    @traitlets.validate(*AXES)  # type: ignore[untyped-decorator]
    def _check(self, proposal: Any) -> int:
        return self._checked(proposal["trait"].name, proposal["value"])

    def _checked(self, name: str, index: Any) -> int:
        dim = AXES.index(name)
        size = self.volume.shape[dim]
        if isinstance(index, bool) or int(index) != index or not 0 <= index < size:
            raise ParameterError(
                f"{name} is {index}; {self.dims[dim]} goes from 0 to {size - 1}. Choose one of "
                "these indices."
            )
        return int(index)

    @traitlets.observe(*AXES)  # type: ignore[untyped-decorator]
    def _moved(self, _change: Any = None) -> None:
        position = self.position
        for viewer in self.viewers:
            viewer.frame = position[viewer.source.main]
            viewer._cross = dict(position)
        self._tell()

    def _slice_moved(self, change: Any) -> None:
        viewer = change["owner"]
        self._go({AXES[self.dims.index(viewer.source.main)]: viewer.frame})

    def _cross_moved(self, change: Any) -> None:
        cross = change["new"]
        self._go({name: int(cross[dim]) for dim, name in zip(self.dims, AXES, strict=True)})

    # ---- in the notebook

    def _connect(self) -> None:
        self._told = ipw.HTML()
        self._told.add_class("bk-ortho-told")
        fields = [self._field(dim, name) for dim, name in zip(self.dims, AXES, strict=True)]
        corner = ipw.VBox([*fields, self._told])
        corner.add_class("bk-ortho-corner")
        self.children = (self._make_stage("bk-ortho", (*self.viewers, corner)),)
        self._tell()

    def _field(self, dim: str, name: str) -> ipw.BoundedIntText:
        last = self.volume.sizes[dim] - 1
        field = ipw.BoundedIntText(getattr(self, name), min=0, max=last, description=dim)
        self._ties = (*self._ties, traitlets.link((self, name), (field, "value")))
        return field

    def _tell(self) -> None:
        """Tell the value where the planes cross, once the slice that holds it is there."""
        if self._stage is not None:
            self.viewers[0].talk.later("crossing", self._tell_value)

    def _tell_value(self) -> None:
        position, front = self.position, self.viewers[0]
        if self._told is None or front.places != {self.dims[0]: position[self.dims[0]]}:
            return  # it moves on; the next one tells
        number = front.image.values[position[self.dims[1]], position[self.dims[2]]]
        self._told.value = self._words(f"{number:.6g} {front._info['unit']}".strip())

    def _words(self, value: str) -> str:
        places = [(dim, self._place_text(dim)) for dim in self.dims]
        rows = "".join(
            f'<span class="bk-ortho-{k}">{text}</span>' for k, (_, text) in enumerate(places)
        )
        return f"<div>{rows}<b>{value}</b></div><p>Click or drag in a plane to move the others.</p>"

    def _disconnected(self) -> None:
        super()._disconnected()
        self._told = None

    def _still(self) -> bytes:
        return montage([viewer._still() for viewer in self.viewers], columns=2)


def _ratio(viewer: ImageViewer) -> float:
    """Return height over width of the image on the screen."""
    rows, columns = viewer.source.shape
    return float(rows * (viewer._info["aspect"] or 1) / columns)


def _dims_of(volume: xr.DataArray | xr.Dataset) -> tuple[str, str, str]:
    data = volume[main_variable(volume)] if isinstance(volume, xr.Dataset) else volume
    if data.ndim != 3:
        raise ShapeError(
            f"Planes are those of a volume of three dimensions, this has {data.dims} of sizes "
            f"{data.shape}. Select one with .isel(...), or use the panel of the dataset in "
            "bk.view(data)."
        )
    first, second, third = (str(dim) for dim in data.dims)
    return first, second, third
