"""Part of a viewer: the mask, drawn by hand."""

from __future__ import annotations

from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.detectors import MASK_GAP, MASK_UNUSABLE, MASK_USER
from beamkit.diffraction import load_mask, save_mask
from beamkit.diffraction.mask import as_mask, draw, fit
from beamkit.diffraction.mask_history import MaskHistory
from beamkit.images import region_from_dict

if TYPE_CHECKING:
    from ._conversation import Conversation
    from ._source import ImageSource

_DIMS = ("detector_y", "detector_x")


class _Whole(traitlets.Any):  # type: ignore[misc]
    """An array as a trait: whether it is another one is not looked up pixel by pixel."""

    def set(self, obj: Any, value: Any) -> None:
        """Take the value and tell observers, unless it is the same object."""
        new = self._validate(obj, value)
        old = obj._trait_values.get(self.name)
        obj._trait_values[self.name] = new
        if new is not old:
            obj._notify_trait(self.name, old, new)


class Masked(traitlets.HasTraits):  # type: ignore[misc]
    """Mixin of the image viewer: which pixels are not used, and who says so.

    Attributes
    ----------
    mask
        NXdetector bits, DataArray of shape (rows, columns); None: no pixel is masked. Set another
        one, or an array of booleans; it counts for contrast, statistics and profiles.
    shows_mask
        Whether masked pixels have a colour of their own; False: their values are seen.
    """

    source: ImageSource
    talk: Conversation
    lock: RLock
    classes: Any
    image: Any
    _is_made: bool

    shows_mask = traitlets.Bool(True).tag(sync=True)
    mask: Any = _Whole(None)
    _mask_history: Any = traitlets.Instance(MaskHistory, ())

    def draw_mask(self, region: Any, *, value: bool = True) -> None:
        """Mask what a region covers, or free it from what was masked by hand.

        Parameters
        ----------
        region
            One of :mod:`beamkit.images.regions` or its dictionary, a
            :class:`beamkit.diffraction.Threshold`, or booleans of the image's shape.
        value
            False takes the bit of the user away; gaps and dead pixels stay masked.

        Raises
        ------
        ShapeError
            If booleans have another shape.
        ParameterError
            If the dictionary is not one of a region.
        """
        what = region_from_dict(region) if isinstance(region, dict) else region
        self._step(draw(as_mask(self._bits()), what, value=value).values)

    def invert_mask(self) -> None:
        """Mask what is not masked by hand, and the other way; gaps and dead pixels stay."""
        bits = self._bits()
        others = (bits & np.uint32(MASK_UNUSABLE & ~MASK_USER)) != 0
        self._step(np.where(others, bits, bits ^ np.uint32(MASK_USER)))

    def reset_mask(self) -> None:
        """Go back to the mask of the data."""
        own = self.source.own_mask
        self._step(np.zeros(self.source.shape, np.uint32) if own is None else own)

    def undo_mask(self) -> None:
        """Take back the last step of drawing."""
        if self._mask_history.can_undo:
            self.mask = self._mask_history.undo(self._bits())

    def redo_mask(self) -> None:
        """Do again what was taken back."""
        if self._mask_history.can_redo:
            self.mask = self._mask_history.redo(self._bits())

    def save_mask(self, path: str) -> Path:
        """Write the mask; see :func:`beamkit.diffraction.save_mask`."""
        bits = as_mask(self._bits())
        if self.mask is not None and self.mask.dims == _DIMS:
            bits = bits.assign_coords(self.mask.coords)
        return save_mask(bits, Path(path).expanduser())

    def load_mask(self, path: str) -> None:
        """Add the mask of a file; see :func:`beamkit.diffraction.load_mask`.

        Raises
        ------
        UnreadableFileError
            If the file cannot be read or holds no mask.
        ShapeError
            If the mask is not one of these pixels.
        """
        found = load_mask(Path(path).expanduser())
        image = self.image
        if image.dims == _DIMS:
            found = fit(found, image)
        self._step(self._bits() | self.source.checked_mask(found.values))

    def _bits(self) -> NDArray[np.uint32]:
        if self.mask is None:
            return np.zeros(self.source.shape, np.uint32)
        bits: NDArray[np.uint32] = self.mask.values
        return bits

    def _step(self, bits: NDArray[np.uint32]) -> None:
        if self._mask_history.note(self._bits(), bits):
            self.mask = bits

    @traitlets.validate("mask")  # type: ignore[untyped-decorator]
    def _check_mask(self, proposal: Any) -> xr.DataArray | None:
        value = proposal["value"]
        return None if value is None else self._as_mask(self.source.checked_mask(value))

    def _as_mask(self, bits: Any) -> xr.DataArray:
        dims, known = self.source.axes, self.source.data.coords
        coords = {dim: known[dim] for dim in dims if dim in known}
        return xr.DataArray(bits, dims=dims, coords=coords, name="mask", attrs={"units": "1"})

    def _read_mask(self) -> None:
        """Take the mask of the source."""
        self._mask_history.clear()
        self.mask = self.source.mask
        if self.mask is None:  # counts above the cutoff may still be known
            self._classify()

    def _classify(self) -> None:
        """Say what is known of each pixel that is shown."""
        source = self.source
        self.classes = source.classes() if self.shows_mask else source.classes(only=MASK_GAP)

    @traitlets.observe("mask", "shows_mask")  # type: ignore[untyped-decorator]
    def _mask_changed(self, change: Any) -> None:
        with self.lock:
            self.source.mask = None if self.mask is None else self.mask.values
            self._classify()
            if change["name"] == "mask":
                self.source.forget_ranges()  # they left masked pixels out
        if self._is_made:
            self.talk.show()
