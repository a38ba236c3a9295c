"""A tomography scan put together from frames, keys and angles, whatever file they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from beamkit.core.errors import ParameterError, ShapeError, UnreadableFileError
from beamkit.core.schema import ANGLE, PROJECTIONS, note

from ._dataset import coordinate, finished, image_stack

#: Values of ``image_key`` (NeXus definition NXtomo); the others are frames to leave out.
PROJECTION, FLAT, DARK = 0, 1, 2

#: The variable, dimension and coordinate of raw frame numbers of each kind of frame.
_NAMES = {
    "projections": (ANGLE, "projection_frame"),
    "flats": ("flat", "flat_frame"),
    "darks": ("dark", "dark_frame"),
}


@dataclass(frozen=True)
class Frames:
    """Frames of one kind.

    Attributes
    ----------
    data
        Shape (frame, detector_y, detector_x) [counts], lazy or not.
    numbers
        Number of each frame in the raw file, shape (frame,); None counts from 0.
    """

    data: Any
    numbers: NDArray[np.int64] | None = None


@dataclass
class Scan:
    """The parts of a tomography scan.

    Attributes
    ----------
    path, file_format
        Where it comes from.
    projections, flats, darks
        The frames; None where there are none.
    angles
        Rotation of each projection, shape (angle,) [deg].
    attrs
        Metadata in the vocabulary of :mod:`beamkit.core.schema`.
    """

    path: Path
    file_format: str
    projections: Frames
    angles: NDArray[np.float64]
    flats: Frames | None = None
    darks: Frames | None = None
    attrs: dict[str, Any] = field(default_factory=dict)

    def dataset(self) -> xr.Dataset:
        """Return the scan as a dataset of kind ``tomography``.

        Raises
        ------
        UnreadableFileError
            If there are no projections, or the angles are not numbers.
        ShapeError
            If flats or darks have another detector size than the projections.
        """
        self._require_projections()
        attrs = dict(self.attrs)
        if "rotation_sense" not in attrs:
            attrs["rotation_sense"] = 1
            note(
                attrs,
                "assumed",
                "rotation_sense: the file does not say; taken as +1, "
                "counter-clockwise seen from above",
            )
        attrs["rotation_range"] = float(self.angles[-1] - self.angles[0])
        turned = {ANGLE: coordinate(ANGLE, self.angles, "deg")}
        variables = {"projections": _stack("projections", self.projections, turned)}
        for name, frames in (("flats", self.flats), ("darks", self.darks)):
            if frames is None or len(frames.data) == 0:
                note(attrs, "notes", f"{name}: the file has none; give them with {name}=...")
            else:
                variables[name] = self._beside(name, frames, variables["projections"])
        return finished(
            variables,
            kind="tomography",
            attrs=attrs,
            source=self.path,
            file_format=self.file_format,
        )

    def _require_projections(self) -> None:
        if len(self.projections.data) == 0:
            raise UnreadableFileError(
                f"{self.path} holds no projections, only other frames. Name the images with "
                "data=..., or give image_key=... with 0 for each projection."
            )
        broken = np.flatnonzero(~np.isfinite(self.angles))
        if broken.size:
            raise UnreadableFileError(
                f"{self.path}: the rotation angle of {broken.size} projections is not a number, "
                f"first of projection {broken[0]}. Give them with angles=..., one a projection."
            )

    def _beside(self, name: str, frames: Frames, projections: xr.DataArray) -> xr.DataArray:
        stack = _stack(name, frames)
        if stack.shape[1:] != projections.shape[1:]:
            raise ShapeError(
                f"{self.path}: {name} have detector size {stack.shape[1:]}, projections "
                f"{projections.shape[1:]}. Crop both to the same region of interest."
            )
        return stack


def _stack(name: str, frames: Frames, coords: Mapping[str, Any] | None = None) -> xr.DataArray:
    dim, number = _NAMES[name]
    numbers = np.arange(len(frames.data)) if frames.numbers is None else frames.numbers
    numbered = coordinate(dim, np.asarray(numbers, np.int64), "1")
    return image_stack(frames.data, dim, coords={number: numbered, **(coords or {})})


def given_angles(
    path: str | Path, angles: ArrayLike, *, frames: int, projections: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the angles that the user gave, one for each projection [deg].

    Parameters
    ----------
    angles
        One a projection, or one a frame [deg].
    frames
        Number of frames in the file.
    projections
        Numbers of the frames that are projections.

    Raises
    ------
    ParameterError
        If there are neither as many as projections nor as many as frames.
    """
    values = as_numbers("angles", angles)
    if values.shape == projections.shape:
        return values
    if values.shape == (frames,):
        return values[projections]
    raise ParameterError(
        f"angles has shape {values.shape}, but {path} has {len(projections)} projections "
        f"among {frames} frames. Give one angle a projection, in degrees, such as "
        f"np.linspace(0, 180, {len(projections)}, endpoint=False)."
    )


def as_numbers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return an option as an array of numbers, or raise ParameterError."""
    try:
        return np.asarray(values, np.float64)
    except (TypeError, ValueError):
        raise ParameterError(
            f"{name}={values!r} is not a list of numbers. Give an array, or the path of a "
            "dataset in the file as text."
        ) from None


def split(keys: NDArray[np.integer], attrs: dict[str, Any]) -> Mapping[int, NDArray[np.int64]]:
    """Return the frame numbers of projections, flats and darks; note those that are left out.

    Parameters
    ----------
    keys
        ``image_key`` of each frame.
    attrs
        Gets a note in place.
    """
    left_out = np.flatnonzero(~np.isin(keys, (PROJECTION, FLAT, DARK)))
    if left_out.size:
        kinds = ", ".join(str(key) for key in np.unique(keys[left_out]))
        note(
            attrs,
            "notes",
            f"{left_out.size} frames that are no projection, flat or dark (image_key {kinds}) are "
            "left out, "
            f"the first is frame {left_out[0]}",
        )
    return {key: np.flatnonzero(keys == key) for key in (PROJECTION, FLAT, DARK)}


def block_axes(blocks: Mapping[str, int] | None) -> dict[int, int]:
    """Return the lengths of dask blocks by axis, from those by dimension.

    Raises
    ------
    ParameterError
        If a dimension is unknown, or a length is not a whole number above 0.
    """
    axes = {name: axis for axis, name in enumerate(PROJECTIONS)}
    for name, length in (blocks or {}).items():
        if name not in axes or not isinstance(length, int) or length < 1:
            raise ParameterError(
                f"blocks={dict(blocks or {})!r} is not possible. Give whole numbers above 0 for "
                f"some of {', '.join(axes)}, such as {{'detector_y': 32}}."
            )
    return {axes[name]: length for name, length in (blocks or {}).items()}
