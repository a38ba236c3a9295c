"""Images taken as the projections of a tomography scan: ``bk.open("*.tif", kind="tomography")``.

Images do not say what they are, so this format is asked for; angles, darks and flats come from the
user.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from beamkit.core.errors import MetadataError, UnreadableFileError
from beamkit.core.schema import header_text

from . import fabio_images
from ._file_guard import reading
from ._frames import frames_given
from ._hdf5 import is_hdf5
from ._image_series import combine, common_folder
from ._image_stack import lazy
from ._paths import expand, files_in
from ._tomography import DARK, FLAT, Frames, Scan, given_angles

DESCRIPTION = "projections as images (a tomography scan)"


def can_read(path: Path) -> bool:
    """Say whether the file is an image."""
    return fabio_images.can_read(path)


def read(
    paths: Sequence[Path],
    *,
    angles: str | os.PathLike[str] | ArrayLike | None = None,
    darks: Any = None,
    flats: Any = None,
) -> xr.Dataset:
    """Return images as a tomography scan, lazily.

    Parameters
    ----------
    paths
        Images with one projection or several, in order.
    angles
        One a projection [deg]; or a text file with one a line.
    darks, flats
        Frames without beam, and without sample: a file, a glob, a folder or a list of these, a
        dataset in an HDF5 file (``"flats.h5::/entry/data"``), or an array of shape
        (frame, detector_y, detector_x) or (detector_y, detector_x) [counts].

    Returns
    -------
    data
        ``projections`` (angle, detector_y, detector_x), ``flats`` and ``darks`` [counts].

    Raises
    ------
    MetadataError
        If no angles are given.
    ParameterError
        If there are not as many angles as projections.
    ShapeError
        If frames differ in size.
    UnreadableFileError
        If a file is damaged, or one of the options names none.
    """
    images = fabio_images.describe(paths)
    stack = fabio_images.stack_of(images)
    source = common_folder(stack.files) if len(images) > 1 else images[0].path
    scan = Scan(
        path=source,
        file_format="tiff_stack",
        projections=Frames(lazy(stack)),
        angles=_angles(source, angles, images[0].path.parent, len(stack.files)),
        flats=_frames("flats", flats, images[0].path, FLAT),
        darks=_frames("darks", darks, images[0].path, DARK),
        attrs=combine([image.attrs for image in images])[0],
    )
    scan.attrs["header"] = header_text(images[0].header)
    return scan.dataset()


def _angles(
    source: Path,
    angles: str | os.PathLike[str] | ArrayLike | None,
    folder: Path,
    frames: int,
) -> NDArray[np.float64]:
    if angles is None:
        raise MetadataError(
            f"{source}: images do not say their rotation angles. Give them in degrees, one for "
            f"each of the {frames} projections: angles=np.linspace(0, 180, {frames}, "
            "endpoint=False), or the name of a text file with one a line."
        )
    if isinstance(angles, (str, os.PathLike)):
        angles = _angles_in_file(folder, Path(angles))
    return given_angles(source, angles, frames=frames, projections=np.arange(frames))


def _angles_in_file(folder: Path, path: Path) -> NDArray[np.float64]:
    path = path if path.exists() else folder / path
    with reading(path, "one angle a line"):
        return np.loadtxt(path, ndmin=1)


def _frames(name: str, value: Any, beside: Path, key: int) -> Frames | None:
    if value is None:
        return None
    files = _files(value, beside)
    if files is None:
        return Frames(frames_given(name, value, beside, key))
    if not files:
        raise UnreadableFileError(f"{name}={value!r} names no files. Name images, or a glob.")
    return Frames(lazy(fabio_images.stack_of(fabio_images.describe(files))))


def _files(value: Any, beside: Path) -> list[Path] | None:
    """Return the images that an option names; None if it is an array or names an HDF5 file."""
    names = [value] if isinstance(value, (str, os.PathLike)) else value
    if not isinstance(names, (list, tuple)) or not all(
        isinstance(name, (str, os.PathLike)) for name in names
    ):
        return None
    if any("::" in os.fspath(name) for name in names):
        return None  # a dataset in an HDF5 file
    found: list[Path] = []
    for name in names:
        for path in _expanded(name, beside):
            found += files_in(path) if path.is_dir() else [path]
    return None if found and is_hdf5(found[0]) else found


def _expanded(name: str | os.PathLike[str], beside: Path) -> list[Path]:
    """Return what a name or glob stands for, here or else in the folder of the scan."""
    try:
        return expand(name)
    except UnreadableFileError:
        if Path(name).is_absolute():
            raise
        return expand(beside.parent / name)
