"""Masks in files: NeXus, which keeps the reasons, and what other programs read and write."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fabio
import h5py
import numpy as np
import xarray as xr
from fabio.edfimage import EdfImage
from fabio.fit2dmaskimage import Fit2dMaskImage
from fabio.tifimage import TifImage
from numpy.typing import NDArray

from beamkit.core.atomic import atomic_path
from beamkit.core.detectors import MASK_USER
from beamkit.core.errors import ShapeError, UnknownNameError, UnreadableFileError
from beamkit.core.schema import DETECTOR_X, DETECTOR_Y

from ._mask_bits import as_mask, is_bad

_DIMS = (DETECTOR_Y, DETECTOR_X)
_NEXUS = (".nxs", ".h5", ".hdf5", ".hdf", ".nx5")

#: Masks in a NXdetector (all count), in DECTRIS's files, and as DAWN writes them.
_BITS = re.compile(r"(^|/)pixel_mask(_\d+)?$")
_DAWN = re.compile(r"(^|/)mask/mask$")


def save_mask(mask: xr.DataArray, path: str | os.PathLike[str]) -> Path:
    """Write a mask; what the file's name ends with says how.

    ============================ ========================================================
    ``.nxs .h5 .hdf5 .hdf``      NeXus, NXdetector ``pixel_mask``: all bits, coordinates
    ``.npy .edf .tif .tiff``     0 good, 1 not to be used, as pyFAI and others take it
    ``.msk``                     mask of Fit2D, as fabio writes it
    ============================ ========================================================

    Parameters
    ----------
    mask
        Shape (detector_y, detector_x).
    path
        File to write; replaced if it exists.

    Returns
    -------
    path
        The file.

    Raises
    ------
    UnknownNameError
        If the ending is another.
    WriteError
        If the file cannot be written.
    """
    target = Path(path)
    bits = as_mask(mask)
    write = _writer(target)
    with atomic_path(target) as temporary:
        write(bits, temporary)
    return target


def load_mask(
    path: str | os.PathLike[str],
    *,
    data: str | None = None,
    shape: tuple[int, int] | None = None,
    invert: bool = False,
) -> xr.DataArray:
    """Read a mask from NeXus (NXdetector, DECTRIS, DAWN), .npy, or what fabio reads.

    Parameters
    ----------
    path
        The file.
    data
        Path of the mask in an HDF5 file; None finds it.
    shape
        The detector that it must fit (rows, columns); None takes any.
    invert
        Whether 0 marks the bad pixels. Some versions of DAWN did so: look whether the gaps of the
        detector are masked.

    Returns
    -------
    mask
        Shape (detector_y, detector_x), uint32: bits of ``pixel_mask`` as the file has them; where
        it only says bad or good, bit 8 (masked by the user). The coordinates are those of the
        file, or count from 0.

    Raises
    ------
    UnreadableFileError
        If the file cannot be read, holds no mask or several.
    ShapeError
        If the mask has other dimensions or another shape.
    """
    file = Path(path)
    places: dict[str, Any] = {}
    with _readable(file):
        if file.suffix.lower() == ".npy":
            values, has_bits = np.load(file, allow_pickle=False), False
        elif h5py.is_hdf5(file):
            values, has_bits, places = _read_hdf5(file, data)
        else:
            with fabio.open(file) as image:
                values, has_bits = np.asarray(image.data), False
    _require_fit(file, values, shape)
    bad = values == 0 if invert else values != 0
    keep_bits = has_bits and not invert
    mask = as_mask(values.astype(np.uint32) if keep_bits else bad, bit=MASK_USER)
    return mask.assign_coords(places)


def _require_fit(file: Path, values: NDArray[Any], shape: tuple[int, int] | None) -> None:
    if values.ndim != 2 or values.dtype.kind not in "iubf":
        raise ShapeError(
            f"{file}: the mask has the shape {values.shape} and type {values.dtype}; it must have "
            "two dimensions of numbers. Give data= if the file holds another."
        )
    if shape is not None and values.shape != tuple(shape):
        raise ShapeError(
            f"{file}: the mask has the shape {values.shape}, the detector {tuple(shape)} (rows, "
            "columns). Give a mask of this detector."
        )


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    """Turn the errors of the libraries that read files into UnreadableFileError."""
    try:
        yield
    except UnreadableFileError:
        raise
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else "it is damaged or of no known format"
        raise UnreadableFileError(
            f"{file} cannot be read: {why}. Give a mask in NeXus, .npy, .edf, .tif or .msk."
        ) from error
    except Exception as error:  # fabio and numpy raise whatever a damaged file leads to
        raise UnreadableFileError(
            f"{file} cannot be read as a mask: {type(error).__name__}: {error}. Give a mask in "
            "NeXus, .npy, .edf, .tif or .msk."
        ) from error


def _read_hdf5(file: Path, data: str | None) -> tuple[NDArray[Any], bool, dict[str, Any]]:
    """Return the values, whether they are bits, and coordinates."""
    with h5py.File(file, "r", locking=False) as root:
        names = [_required(file, root, data)] if data else _places(file, root)
        masks = [_frame(root[name]) for name in names]
        values = masks[0]
        for more in masks[1:]:
            values = values | more
        has_bits = _BITS.search(names[0]) is not None and values.dtype.kind in "iu"
        return values, has_bits, _coordinates(root[names[0]])


def _required(file: Path, root: h5py.File, name: str) -> str:
    if not isinstance(root.get(name), h5py.Dataset):
        raise UnreadableFileError(
            f"{file}: there is no dataset {name}. Leave data= out to have the mask found."
        )
    return name


def _places(file: Path, root: h5py.File) -> list[str]:
    """Return the datasets of the one mask in the file."""
    found: list[str] = []
    root.visititems(
        lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None
    )
    bits = [name for name in found if _BITS.search(name)]
    groups = {name.rpartition("/")[0] for name in bits}
    if len(groups) == 1:
        return bits
    dawn = [name for name in found if _DAWN.search(name)]
    if not groups and len(dawn) == 1:
        return dawn
    several = sorted(bits) or sorted(dawn)
    what = f"several masks: {', '.join(several)}" if several else "no pixel_mask and no mask/mask"
    raise UnreadableFileError(
        f"{file} holds {what}; one is needed. Give its path in the file: data=..."
    )


def _frame(item: h5py.Dataset) -> NDArray[Any]:
    values = np.asarray(item[()])
    while values.ndim > 2 and values.shape[0] == 1:
        values = values[0]
    return values


def _coordinates(item: h5py.Dataset) -> dict[str, Any]:
    """Return the pixel indices beside a mask that `save_mask` wrote."""
    places = {}
    for axis, dim in enumerate(_DIMS):
        index = item.parent.get(dim)
        if isinstance(index, h5py.Dataset) and index.shape == item.shape[axis : axis + 1]:
            places[dim] = (dim, index[()], {"units": "pixel"})
    return places


def _writer(target: Path) -> Callable[[xr.DataArray, Path], None]:
    suffix = target.suffix.lower()
    if suffix in _NEXUS:
        return _write_nexus
    if suffix not in _OTHERS:
        raise UnknownNameError("kind of mask file", suffix or target.name, (*_NEXUS, *_OTHERS))
    return _OTHERS[suffix]


def _write_nexus(mask: xr.DataArray, path: Path) -> None:
    with h5py.File(path, "w") as root:
        root.attrs["default"] = "entry"
        entry = _group(root, "entry", "NXentry")
        entry.attrs["default"] = "mask"
        detector = _group(_group(entry, "instrument", "NXinstrument"), "detector", "NXdetector")
        field = detector.create_dataset(
            "pixel_mask", data=mask.data, compression="gzip", shuffle=True, compression_opts=1
        )
        plot = _group(entry, "mask", "NXdata")
        plot.attrs["signal"] = "pixel_mask"
        plot.attrs["axes"] = list(_DIMS)
        plot["pixel_mask"] = h5py.SoftLink(field.name)
        for dim in _DIMS:
            if dim in mask.coords:
                detector[dim] = mask.coords[dim].values
                detector[dim].attrs["units"] = "pixel"
                plot[dim] = h5py.SoftLink(detector[dim].name)


def _group(parent: h5py.Group, name: str, kind: str) -> h5py.Group:
    group = parent.create_group(name)
    group.attrs["NX_class"] = kind
    return group


def _write_npy(mask: xr.DataArray, path: Path) -> None:
    np.save(path, is_bad(mask).values.astype(np.uint8))


def _write_with(image: type) -> Callable[[xr.DataArray, Path], None]:
    def write(mask: xr.DataArray, path: Path) -> None:
        image(data=is_bad(mask).values.astype(np.uint8)).write(str(path))

    return write


_OTHERS: dict[str, Callable[[xr.DataArray, Path], None]] = {
    ".npy": _write_npy,
    ".edf": _write_with(EdfImage),
    ".tif": _write_with(TifImage),
    ".tiff": _write_with(TifImage),
    ".msk": _write_with(Fit2dMaskImage),
}
