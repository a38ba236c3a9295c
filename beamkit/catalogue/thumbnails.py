"""Small pictures of files: an image by its maxima, a scan as a curve, a broken file in words."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import dask
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.detectors import mask_from_flags
from beamkit.core.errors import BeamkitError, UnknownFormatError
from beamkit.core.schema import main_variable
from beamkit.images.contrast import default_quantiles, limits, scale_named
from beamkit.images.pixel_classes import GAP, GOOD, MASKED, SATURATED, PixelClasses, classify
from beamkit.images.reduce import reduce
from beamkit.readers import open_dataset

from ._curves import curve, drawn
from ._png import png
from .metadata import Key, file_key

#: Codes of pixels that have no value of their own; 2 to 254 are values, dark to bright.
CODE_GAP, CODE_MASKED, CODE_SATURATED = 0, 1, 255
_FIRST, _LAST = 2, 254

#: Red, green and blue of these codes: those of the viewers.
FLAG_COLORS = {CODE_GAP: (70, 80, 106), CODE_MASKED: (217, 140, 140), CODE_SATURATED: (0, 229, 255)}

#: Pictures that are longer than this are made of blocks that are not square.
_LONGEST = 4

#: Memory for thumbnails [byte]: some 5000 of 128 pixels.
_KEEP = 96 * 2**20


@dataclass(frozen=True, eq=False)
class Thumbnail:
    """A small picture.

    Attributes
    ----------
    kind
        Kind of the dataset (:data:`beamkit.core.schema.KINDS`); ``"unreadable"`` for a damaged
        file, ``"other"`` for one that no reader knows.
    shape
        Shape of the variable that the dataset is about; ``()`` if there is none.
    pixels
        Shape (rows, columns), uint8, row 0 at the top: 0 gap, 1 masked, 255 saturated, 2 to 254
        values. None for a curve, and where there is nothing to show.
    curve
        Shape (2, points), float32: x and y from 0 to 1, y upwards, NaN where there is no value.
    reason
        Why there is nothing to show, in words.
    """

    kind: str
    shape: tuple[int, ...] = ()
    pixels: NDArray[np.uint8] | None = None
    curve: NDArray[np.float32] | None = None
    reason: str = ""

    @property
    def frames(self) -> int:
        """How many images the dataset has; 0 if it has none."""
        return int(np.prod(self.shape[:-2], dtype=int)) if len(self.shape) > 1 else 0

    @property
    def nbytes(self) -> int:
        """Memory that it takes [byte]."""
        parts = [part for part in (self.pixels, self.curve) if part is not None]
        return 500 + sum(part.nbytes for part in parts)

    def png(self, size: int = 128, *, cmap: str = "gray") -> bytes:
        """Return it as PNG: an image as it is, a curve in a square of ``size`` pixels.

        Where there is nothing to show the square is empty.
        """
        pixels = self.pixels
        if pixels is None:
            pixels = np.full((size, size), _FIRST, np.uint8)
            if self.curve is not None:
                pixels[drawn(self.curve, size)] = _LAST
        return png(pixels, palette(cmap))


def palette(cmap: str) -> NDArray[np.uint8]:
    """Return the colour of each code, shape (256, 3), with a colour map of matplotlib."""
    from matplotlib import colormaps

    found = np.zeros((256, 3), np.uint8)
    values = np.linspace(0, 1, _LAST - _FIRST + 1)
    found[_FIRST : _LAST + 1] = colormaps[cmap](values, bytes=True)[:, :3]
    for code, color in FLAG_COLORS.items():
        found[code] = color
    return found


def thumbnail(
    data: str | os.PathLike[str] | xr.Dataset | xr.DataArray,
    *,
    size: int = 128,
    index: int | None = None,
) -> Thumbnail:
    """Return a small picture of a file or of data.

    An image is reduced by the maximum of its good pixels, so that a spot of one pixel is seen; its
    contrast comes from quantiles of what is left (square root for diffraction).

    Parameters
    ----------
    data
        Any file that :func:`beamkit.open` opens, or data.
    size
        Longest side at most [pixel].
    index
        Which image of a stack; None for the middle of a tomography scan or a volume, else the
        first.

    Returns
    -------
    thumbnail
        For a file that cannot be read, one that says why; never an error. Those of files are
        kept in memory while the files do not change.
    """
    if isinstance(data, (xr.Dataset, xr.DataArray)):
        return _guarded(lambda: _made(data, size, index))
    key = (file_key(data), size, index)
    found = _CACHE.get(key)
    return found if found is not None else _CACHE.put(key, _guarded(lambda: _of_file(*key)))


def _of_file(key: Key, size: int, index: int | None) -> Thumbnail:
    # A stack of which one frame after another is asked for is opened once.
    data = open_dataset(key[0]) if index is None else _opened(key)
    return _made(data, size, index)


@lru_cache(maxsize=4)
def _opened(key: Key) -> xr.Dataset:
    return open_dataset(key[0])


def _guarded(make: Callable[[], Thumbnail]) -> Thumbnail:
    try:
        return make()
    except UnknownFormatError as error:
        return Thumbnail("other", reason=_first_sentence(error))
    except BeamkitError as error:
        return Thumbnail("unreadable", reason=str(error))
    except Exception as error:  # one odd file among thousands must not end the others' pictures
        return Thumbnail("unreadable", reason=f"{type(error).__name__}: {error}")


def _first_sentence(error: Exception) -> str:
    return str(error).partition("; ")[0]


def _made(data: xr.Dataset | xr.DataArray, size: int, index: int | None) -> Thumbnail:
    kind = str(data.attrs.get("kind", "image"))
    main = _signal(data, kind)
    shape = tuple(main.shape)
    if main.size == 0 or main.ndim == 0 or main.dtype.kind not in "biuf":
        return Thumbnail(kind, shape, reason="there is no image and no curve in it")
    if main.ndim == 1:
        return Thumbnail(kind, shape, curve=_curve_of(main))
    image = _image(main, kind, index)
    classes = _classes(data, main, image)
    return Thumbnail(kind, shape, pixels=_pixels(image, classes, kind, size))


def _signal(data: xr.Dataset | xr.DataArray, kind: str) -> xr.DataArray:
    """Return what to show; of a scan the last column that varies, as the detector comes last."""
    if isinstance(data, xr.DataArray):
        return data
    if kind != "scan":
        return data[main_variable(data)]
    columns = [column for column in data.data_vars.values() if column.dtype.kind in "biuf"]
    varying = [column for column in columns if column.ndim and _varies(column)]
    found = [*varying, *columns, *data.data_vars.values()]
    chosen: xr.DataArray = varying[-1] if varying else found[0]
    return chosen


def _varies(column: xr.DataArray) -> bool:
    if column.ndim > 1:
        return True  # an image, which is not read for this
    values = _computed(column)
    return bool((values != values[:1]).any())


def _image(main: xr.DataArray, kind: str, index: int | None) -> NDArray[Any]:
    sizes = main.shape[:-2]
    number = int(np.prod(sizes, dtype=int))
    middle = number // 2 if kind in ("tomography", "volume") else 0
    chosen = middle if index is None else index
    place = np.unravel_index(chosen % number, sizes) if sizes else ()
    return _computed(main[tuple(int(one) for one in place)])


def _computed(data: xr.DataArray) -> NDArray[Any]:
    # Here, not in dask's pool: thumbnails are made beside other work.
    with dask.config.set(scheduler="synchronous"):
        return np.asarray(data.values)


def _classes(
    data: xr.Dataset | xr.DataArray, main: xr.DataArray, image: NDArray[Any]
) -> PixelClasses | None:
    cutoff = main.attrs.get("count_cutoff", data.attrs.get("count_cutoff"))
    if data.attrs.get("format") == "cbf" and image.dtype.kind == "i":
        # What the reader's mask would say of this frame, which has been read already.
        return classify(mask_from_flags(image, count_cutoff=None), count_cutoff=cutoff)
    if isinstance(data, xr.Dataset) and "mask" in data and data["mask"].shape == image.shape:
        return classify(_computed(data["mask"]), dtype=image.dtype, count_cutoff=cutoff)
    if image.dtype.kind == "u" and image.dtype.itemsize > 1:
        # Without a mask, the highest number is the flag of a DECTRIS detector.
        return classify(image == np.iinfo(image.dtype).max, count_cutoff=cutoff)
    return None


def _pixels(
    image: NDArray[Any], classes: PixelClasses | None, kind: str, size: int
) -> NDArray[np.uint8]:
    values, found = reduce(image, _factor(image.shape[0], image.shape[1], size), classes=classes)
    codes = np.full(values.shape, CODE_MASKED, np.uint8)
    good = found == GOOD
    codes[good] = _coded(values[good], kind)
    codes[found == GAP], codes[found == MASKED] = CODE_GAP, CODE_MASKED
    codes[found == SATURATED] = CODE_SATURATED
    return codes


def _factor(rows: int, columns: int, size: int) -> tuple[int, int]:
    """Return the pixels of a block; square, unless the picture would be a line."""
    longest = -(-max(rows, columns) // size)
    if max(rows, columns) <= _LONGEST * min(rows, columns):
        return longest, longest
    return max(-(-rows // size), 1), max(-(-columns // size), 1)


def _coded(good: NDArray[Any], kind: str) -> NDArray[np.uint8]:
    low, high = limits(good, quantiles=default_quantiles(kind))
    scale = scale_named("sqrt" if kind == "diffraction" else "linear")
    return (_FIRST + np.rint(scale(good, low, high) * (_LAST - _FIRST))).astype(np.uint8)


def _curve_of(main: xr.DataArray) -> NDArray[np.float32]:
    (dim,) = main.dims
    x = _computed(main[dim]) if dim in main.coords else np.arange(main.size)
    return curve(x if x.dtype.kind in "iuf" else np.arange(main.size), _computed(main))


class ThumbnailCache:
    """Thumbnails in memory, at most so many bytes; those not asked for longest go first."""

    def __init__(self, keep: int = _KEEP) -> None:
        self._keep, self._bytes = keep, 0
        self._known: OrderedDict[Any, Thumbnail] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Any) -> Thumbnail | None:
        """Return a thumbnail, or None."""
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
            return self._known.get(key)

    def put(self, key: Any, made: Thumbnail) -> Thumbnail:
        """Keep a thumbnail, and return it."""
        with self._lock:
            earlier = self._known.pop(key, None)
            self._known[key] = made
            self._bytes += made.nbytes - (earlier.nbytes if earlier is not None else 0)
            while self._bytes > self._keep and len(self._known) > 1:
                self._bytes -= self._known.popitem(last=False)[1].nbytes
        return made

    def __len__(self) -> int:
        return len(self._known)


_CACHE = ThumbnailCache()
