"""The Python that makes the picture that a viewer shows."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from beamkit import readers
from beamkit.core.errors import BeamkitError

from ._source import ImageSource, Place, Span

if TYPE_CHECKING:
    from ._export import Exported

#: File in which a mask drawn by hand is expected.
_MASK = "mask.nxs"


def code_of(viewer: Exported) -> str:
    """Return lines that make the picture, from the file on where the data are as it has them.

    Where they are not, because a step came between, the code begins with ``data``.
    """
    source = viewer.source
    opened = _opening(source)
    lines = ["import beamkit as bk", "", opened or "data = ...  # what was given to bk.view"]
    is_dataset = isinstance(source.whole, xr.Dataset)
    name = str(source.data.name)
    main = f"data[{name!r}]" if is_dataset else "data"
    options = {**viewer.look()}
    if viewer.mask is not None:
        own = source.own_mask
        if own is not None and np.array_equal(viewer.mask.values, own) and is_dataset:
            options["mask"] = _Verbatim("data['mask']")
        else:
            lines.append(f"# bk.diffraction.save_mask(viewer.mask, {_MASK!r}) wrote this:")
            lines.append(f"mask = bk.diffraction.load_mask({_MASK!r})")
            options["mask"] = _Verbatim("mask")
    if "roi" in options:
        region = options["roi"]
        options["roi"] = _Verbatim(f"bk.images.{region!r}")
    lines += _image_lines(viewer, main, is_dataset)
    if "spots" in options:
        if not isinstance(viewer.spots, str):
            lines.append("spots = ...  # x, y on the full detector [pixel], shape (spot, 2)")
        options["spots"] = _Verbatim(_spots(viewer, options))
    if "rings" in options and viewer.geometry is not None:
        lines.append(f"geometry = {_geometry(viewer)}")
        options["geometry"] = _Verbatim("geometry")
    options["caption"] = viewer.caption
    arguments = "".join(f"    {key}={value!r},\n" for key, value in options.items())
    lines.append(f"bk.figures.image(\n    image,\n{arguments})")
    return "\n".join(lines) + "\n"


def _geometry(viewer: Exported) -> str:
    geometry = viewer.geometry
    if geometry == viewer._own:
        return "bk.diffraction.Geometry.from_dataset(image)"
    values = {item.name: getattr(geometry, item.name) for item in fields(geometry)}
    return f"bk.diffraction.Geometry(**{values!r})"


def _spots(viewer: Any, options: dict[str, Any]) -> str:
    """Return the call that finds the spots again; a table of the user's own stays a name."""
    if not isinstance(viewer.spots, str):
        return "spots"
    given = [f"mask={options['mask']!r}"] if "mask" in options else []
    given += [f"{name}={value!r}" for name, value in viewer.spot_options.items()]
    return f"bk.diffraction.find_spots({', '.join(['image', *given])})"


class _Verbatim:
    """Text that stands in the code as it is."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def _opening(source: ImageSource) -> str:
    """Return the line that opens the same data; empty if no file has them."""
    if not isinstance(source.whole, xr.Dataset):
        return ""
    path = str(source.whole.attrs.get("source", ""))
    if not path or not Path(path).exists():
        return ""
    try:
        again = readers.open_dataset(path)
    except BeamkitError:
        return ""
    same = dict(again.sizes) == dict(source.whole.sizes)
    coords = same and all(
        again.coords[name].equals(source.whole.coords[name])
        for name in again.coords
        if name in source.whole.coords
    )
    return f"data = bk.open({path!r})" if coords else ""


def _image_lines(viewer: Exported, main: str, is_dataset: bool) -> list[str]:
    """Return the lines that select the image."""
    source = viewer.source
    single = {k: place for k, place in viewer.places.items() if not isinstance(place, Span)}
    chosen = ", ".join(f"{name}={place}" for name, place in single.items())
    lines = [f"image = {main}" + (f".isel({chosen})" if chosen else "")]
    for name, place in viewer.places.items():
        if isinstance(place, Span):
            lines.append(_combining(name, place, viewer))
    if source.data.dims[-2:] != (source.rows, source.columns):
        lines.append(f"image = image.transpose({source.rows!r}, {source.columns!r})")
    if is_dataset:
        lines.append("image = image.assign_attrs({**data.attrs, **image.attrs})")
    return lines


def _combining(name: str, place: Place, viewer: Any) -> str:
    mask = ", mask=data['mask']" if viewer.mask is not None else ""
    first = f"image.transpose({name!r}, ...)"
    assert isinstance(place, Span)
    return (
        f"image = bk.images.combine_frames({first}, {place.first}, {place.last}, "
        f"how={place.how!r}{mask})"
    )
