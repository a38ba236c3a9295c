"""Detectors of several modules whose files are apart: one lazy dataset, with the gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.detectors import MASK_DEAD, MASK_GAP, ModuleLayout, layout_named
from beamkit.core.errors import BeamkitError, ParameterError, ShapeError, UnreadableFileError
from beamkit.core.history import extend
from beamkit.core.schema import DETECTOR_X, DETECTOR_Y, note

from ._dataset import finished, image_stack
from ._image_gaps import MARK, require_choice, unmeasured
from ._module_places import Patch, Placement, placed, tiled
from ._module_translation import places_in_files
from ._open import open_dataset

#: What holds for a module alone, not for the frame that it becomes part of.
_OF_ONE_MODULE = (
    "beam_center_x",
    "beam_center_y",
    "detector_origin",
    "detector_fast_axis",
    "detector_slow_axis",
)

#: What describes each file, so that it always differs.
_OF_ONE_FILE = ("source", "header", "history", "notes", "assumed", "conflicts")

#: Where the modules lie: a detector, the place of each, or what the files say.
Layout = str | ModuleLayout | Sequence[Placement]
FILE = "file"

#: The variables that have the frames, by kind of dataset.
_FRAMES = ("frames", "image")


def assemble_modules(
    modules: Sequence[xr.Dataset | str | Path],
    *,
    layout: Layout = "EXCALIBUR",
    on_error: str = "raise",
) -> xr.Dataset:
    """Return the frames of a whole detector from the files of its modules, lazily.

    A frame is put together when it is asked for, from the frames of that number only.

    Parameters
    ----------
    modules
        Files, or datasets of :func:`beamkit.open` with the frames of one module each, all in the
        order of the layout: along the rows from the top left.
    layout
        Name or layout of a detector, whose frame without gaps the files cut into equal tiles (an
        EXCALIBUR: 1 file of 1536 x 2048 pixels, 3 of 512 x 2048, 6 of 256 x 2048, or 48 chips of
        256 x 256); or where each module goes; or ``"file"``, where the ``translation`` of the
        NXdetector in each file says (LAMBDA).
    on_error
        ``"raise"``, or ``"mark"``: a module that cannot be read is left empty and masked as dead,
        and one with fewer frames than the others has empty ones at its end; both are listed in
        ``attrs["notes"]``.

    Returns
    -------
    dataset
        ``frames`` or ``image``, shape (frame, detector_y, detector_x), of the type that the files
        have; in gaps -1, the largest number of an unsigned type, or NaN. ``mask``: the bits of the
        modules, gap between them. Coordinates of the frames and attributes are those of the first
        module; attributes that differ are left out and listed in ``attrs["conflicts"]``. The
        position of the beam on a single module is left out.

    Raises
    ------
    UnreadableFileError
        If a module cannot be read; with ``"mark"``, if none can.
    ShapeError
        If the modules do not make the frame, or differ in size or number of frames.
    ParameterError
        If the frames differ in type, placements overlap, or an option is not known.
    """
    require_choice(on_error)
    if not modules:
        raise ParameterError("No modules were given. Give the files of all modules, in order.")
    found = [_opened(each, on_error) for each in modules]
    present = {number: each for number, each in enumerate(found) if isinstance(each, _Module)}
    if not present:
        raise UnreadableFileError(
            f"None of the {len(found)} modules can be read. {found[0]} Copy them again."
        )
    shape = _one_size(present)
    size, patches = _patches(layout, shape, len(found), present)
    notes = [
        f"module {number}: {each}" for number, each in enumerate(found) if number not in present
    ]
    frames = _as_long_as_the_longest(present, on_error, notes)
    dataset = _dataset(present, frames, _Frame(size, patches, _type_of(present)))
    for text in notes:
        note(dataset.attrs, "notes", text)
    _describe(dataset, present, layout, on_error, len(found))
    return dataset


@dataclass(frozen=True)
class _Module:
    """A module that could be opened."""

    dataset: xr.Dataset
    name: str

    @property
    def frames(self) -> xr.DataArray:
        return self.dataset[self.name]

    @property
    def source(self) -> str:
        return str(self.dataset.attrs.get("source", "a dataset"))


@dataclass(frozen=True)
class _Frame:
    """How the frame of the whole detector is made."""

    shape: tuple[int, int]
    patches: list[Patch]
    dtype: np.dtype[Any]

    def joined(self, arrays: dict[int, da.Array], fill: Any, dtype: Any) -> da.Array:
        """Put arrays of modules, shape (frame, rows, columns), together."""
        numbers = list(arrays)
        patches = [patch for patch in self.patches if patch.module in arrays]
        first = arrays[numbers[0]].chunks[0]
        operands: list[Any] = []
        for number in numbers:
            whole = arrays[number].rechunk((first, -1, -1))
            operands += [whole, ("frame", f"y{number}", f"x{number}")]
        return da.blockwise(
            partial(_put, numbers=numbers, patches=patches, shape=self.shape, fill=fill),
            ("frame", "y", "x"),
            *operands,
            new_axes={"y": self.shape[0], "x": self.shape[1]},
            concatenate=True,
            dtype=dtype,
            meta=np.empty((0, 0, 0), dtype),
        )


def _put(
    *blocks: NDArray[Any],
    numbers: Sequence[int],
    patches: Sequence[Patch],
    shape: tuple[int, int],
    fill: Any,
) -> NDArray[Any]:
    """Copy the rectangles of each module to their places on the frame."""
    frames = np.full((len(blocks[0]), *shape), fill, blocks[0].dtype)
    of = dict(zip(numbers, blocks, strict=True))
    for patch in patches:
        frames[(slice(None), *patch.target)] = patch.taken(of[patch.module])
    return frames


def _opened(module: xr.Dataset | str | Path, on_error: str) -> _Module | str:
    """Return the module, or why it cannot be read if that is to be marked."""
    if isinstance(module, xr.Dataset):
        return _frames_in(module)
    try:
        return _frames_in(open_dataset(module))
    except BeamkitError as error:
        if on_error != MARK or isinstance(error, ParameterError):
            raise
        return str(error)


def _frames_in(dataset: xr.Dataset) -> _Module:
    for name in _FRAMES:
        if name in dataset and dataset[name].ndim == 3:
            return _Module(dataset, name)
    raise ParameterError(
        f"{dataset.attrs.get('source', 'A dataset')} holds no frames of a module; it has "
        f"{', '.join(map(str, dataset.data_vars)) or 'nothing'}. Give files of images."
    )


def _one_size(modules: dict[int, _Module]) -> tuple[int, int]:
    shapes = {module.frames.shape[1:]: module for module in modules.values()}
    if len(shapes) > 1:
        listing = "; ".join(f"{module.source} {shape}" for shape, module in shapes.items())
        raise ShapeError(
            f"The modules differ in size: {listing}. Give modules of the same number of rows and "
            "columns."
        )
    (shape,) = shapes
    return (int(shape[0]), int(shape[1]))


def _type_of(modules: dict[int, _Module]) -> np.dtype[Any]:
    types = {module.frames.dtype: module for module in modules.values()}
    if len(types) > 1:
        listing = "; ".join(f"{module.source} {dtype}" for dtype, module in types.items())
        raise ParameterError(
            f"The modules differ in type: {listing}. The flags of one would be counts of another: "
            "convert them to one type first."
        )
    (dtype,) = types
    return np.dtype(dtype)


def _patches(
    layout: Layout, shape: tuple[int, int], number: int, present: dict[int, _Module]
) -> tuple[tuple[int, int], list[Patch]]:
    if layout == FILE:
        sources = {key: Path(module.source) for key, module in present.items()}
        return placed(shape, places_in_files(sources))
    if isinstance(layout, str | ModuleLayout):
        return tiled(number, shape, layout_named(layout))
    if len(layout) != number:
        raise ParameterError(
            f"{number} modules and {len(layout)} placements. Give one Placement a module, in the "
            "same order."
        )
    return placed(shape, dict(enumerate(layout)))


def _as_long_as_the_longest(
    modules: dict[int, _Module], on_error: str, notes: list[str]
) -> dict[int, da.Array]:
    """Return the frames of each module, with empty ones where a module has fewer than another."""
    lengths = {number: len(module.frames) for number, module in modules.items()}
    longest = max(lengths.values())
    if min(lengths.values()) < longest and on_error != MARK:
        listing = "; ".join(f"{modules[k].source} {length}" for k, length in lengths.items())
        raise ShapeError(
            f"The modules differ in their number of frames: {listing}. Wait until all are written, "
            "or give on_error='mark' to have empty frames where one stopped."
        )
    arrays = {}
    for number, module in modules.items():
        data = da.asarray(module.frames.data)
        missing = longest - len(data)
        if missing:
            empty = (missing, *data.shape[1:])
            fill = da.full(empty, unmeasured(data.dtype), dtype=data.dtype, chunks=(1, -1, -1))
            data = da.concatenate([data, fill])
            notes.append(
                f"module {number}: {module.source} has {lengths[number]} frames of {longest}; the "
                "others hold no measurement on it"
            )
        arrays[number] = data
    return arrays


def _dataset(modules: dict[int, _Module], frames: dict[int, da.Array], whole: _Frame) -> xr.Dataset:
    first = next(iter(modules.values()))
    longest = max(modules.values(), key=lambda module: len(module.frames))
    of_frames = {
        str(name): coordinate.variable
        for name, coordinate in longest.frames.coords.items()
        if coordinate.dims == ("frame",) and name not in ("source", "frame")
    }
    attrs = first.frames.attrs
    stack = image_stack(
        whole.joined(frames, unmeasured(whole.dtype), whole.dtype),
        "frame",
        units=attrs.get("units", "counts"),
        quantity=attrs.get("quantity", ""),
        coords=of_frames,
    )
    return finished(
        {first.name: stack, "mask": _mask(modules, whole)},
        kind=str(first.dataset.attrs["kind"]),
        attrs=_common(modules),
        source=Path(first.source),
        file_format=str(first.dataset.attrs.get("format", "")),
    )


def _mask(modules: dict[int, _Module], whole: _Frame) -> xr.DataArray:
    """Return the bits of the modules' masks, of the gaps, and of the modules that are missing."""
    masks = {number: _mask_of(module) for number, module in modules.items()}
    values = whole.joined(masks, np.uint32(MASK_GAP), np.uint32)[0]
    dead = np.zeros(whole.shape, np.uint32)
    for patch in whole.patches:
        if patch.module not in modules:
            dead[patch.target] = MASK_DEAD
    if dead.any():
        values = da.where(dead != 0, dead, values).rechunk(-1)
    attrs = {"units": "1", "long_name": "0 good, else bits of NXdetector pixel_mask"}
    return xr.DataArray(values, dims=(DETECTOR_Y, DETECTOR_X), attrs=attrs)


def _mask_of(module: _Module) -> da.Array:
    if "mask" not in module.dataset:
        return da.zeros((1, *module.frames.shape[1:]), np.uint32, chunks=-1)
    return da.asarray(module.dataset["mask"].data).astype(np.uint32)[None]


def _common(modules: dict[int, _Module]) -> dict[str, Any]:
    """Return the attributes on which the modules agree; list the others."""
    first, *others = (module.dataset.attrs for module in modules.values())
    attrs: dict[str, Any] = {
        name: first[name] for name in ("header", "notes", "assumed", "conflicts") if name in first
    }
    for name, value in first.items():
        if name in (*_OF_ONE_FILE, "format", "kind"):
            continue
        if name in _OF_ONE_MODULE:
            note(attrs, "notes", f"{name}: that of a single module is left out")
        elif all(_same(value, other.get(name)) for other in others):
            attrs[name] = value
        else:
            values = [value, *(other.get(name) for other in others)]
            note(attrs, "conflicts", f"{name}: the modules differ ({values}); left out")
    return attrs


def _same(one: Any, other: Any) -> bool:
    return other is not None and bool(np.all(np.asarray(one) == np.asarray(other)))


def _describe(
    dataset: xr.Dataset,
    modules: dict[int, _Module],
    layout: Layout,
    on_error: str,
    number: int,
) -> None:
    """Note in the attributes which detector it is and what was done."""
    attrs = dataset.attrs
    name: Any = layout
    if isinstance(layout, str | ModuleLayout) and layout != FILE:
        known = layout_named(layout)
        name = known.name
        for axis in ("pixel_size_x", "pixel_size_y"):
            if axis not in attrs:
                attrs[axis] = known.pixel_size
                note(attrs, "assumed", f"{axis}: not in the files; that of the {known.name}")
        if "detector" not in attrs:
            attrs["detector"] = known.name
            note(attrs, "assumed", f"detector: not in the files; {known.name} as given")
    elif layout != FILE:
        name = [str(place) for place in layout]
    sources = [modules[k].source if k in modules else "missing" for k in range(number)]
    parameters = {"modules": sources, "layout": name, "on_error": on_error}
    attrs["history"] = extend(attrs, "assemble_modules", parameters)
