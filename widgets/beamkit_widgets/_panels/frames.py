"""The numbers of a region through all frames, a few at a time, between what is more urgent."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from beamkit import images
from beamkit.core.errors import ParameterError
from beamkit.images import Region, region_from_dict

from ._asked import as_asked
from .profile import label_of

if TYPE_CHECKING:
    from beamkit.images.statistics import Background
    from beamkit_widgets.viewer import ImageViewer

    from . import Answer, Question

#: Which numbers are read; those that a plot can show come first.
NUMBERS = ("sum", "net", "mean", "max", "std", "center_x", "center_y", "net_error")

#: Time that frames may take from pictures [s].
_TURN = 0.1

#: What frames are told apart by, before other coordinates.
_PREFERRED = ("omega", "angle", "phi", "chi", "kappa")


def answer(viewer: ImageViewer, question: Question) -> Answer:
    """Begin to read the region that is drawn in all frames; or stop, where ``stop`` is set.

    Progress and the curve are sent as they come, to the panel of the profiles.
    """
    drawn = question.get("roi", viewer._roi)
    if question.get("stop") or drawn is None or not viewer.source.main:
        viewer.reading = None
        return {}, {}
    background, client = as_asked(viewer, question).background, str(question.get("client", ""))
    job = viewer.reading = Reading(viewer, region_from_dict(drawn), background, client)
    viewer.talk.later("frames", job.more)
    return {}, {}


def along_frames(curve: xr.DataArray) -> xr.DataArray:
    """Return a curve over the one coordinate that tells its frames apart best."""
    dim = str(curve.dims[0])
    numeric = {
        str(name): item
        for name, item in curve.coords.items()
        if item.dims == (dim,) and item.dtype.kind in "iuf" and np.ptp(item.values) > 0
    }
    name = next((n for n in (dim, *_PREFERRED) if n in numeric), next(iter(numeric), dim))
    axis = numeric.get(name, xr.DataArray(np.arange(curve.size), dims=dim))
    return xr.DataArray(
        curve.values,
        dims=name,
        coords={name: (name, axis.values, axis.attrs)},
        name=curve.name,
        attrs={key: value for key, value in curve.attrs.items() if key == "units"},
    )


def known_curve(viewer: ImageViewer) -> xr.DataArray:
    """Return the curve through the frames that was read for the region that is drawn.

    Raises
    ------
    ParameterError
        If none was read for this region.
    """
    if viewer.rocking is None:
        raise ParameterError(
            "The region was not read through the frames yet. Press 'Through all frames' in the "
            "panel of profiles."
        )
    return along_frames(viewer.rocking[viewer.statistic])


class Reading:
    """What was read of a region so far."""

    def __init__(
        self, viewer: ImageViewer, region: Region, background: Background, client: str
    ) -> None:
        self.viewer, self.region, self.client = viewer, region, client
        self.stack, self.mask, self.background = viewer.stack, viewer.classes, background
        self.parts: list[xr.Dataset] = []
        self.done, self.number = 0, 1

    def more(self) -> None:
        """Read as many frames as fit into a turn."""
        if self.viewer.reading is not self:  # stopped, or another region is read
            return
        total, dim = self.stack.shape[0], self.stack.dims[0]
        last, start = min(self.done + self.number, total), time.perf_counter()
        block = self.stack.isel({dim: slice(self.done, last)})
        found = images.rocking_curve(
            block, self.region, mask=self.mask, which=NUMBERS, background=self.background
        )
        self.parts.append(found)
        taken = max(time.perf_counter() - start, 1e-4)
        self.number = int(np.clip((last - self.done) * _TURN / taken, 1, 4 * self.number))
        self.done = last
        if last < total:
            self._tell({"progress": [last, total]})
            self.viewer.talk.later("frames", self.more)
        else:
            self._finish(xr.concat(self.parts, dim) if len(self.parts) > 1 else self.parts[0])

    def _finish(self, curve: xr.Dataset) -> None:
        if self.viewer._roi == self.region.to_dict():
            self.viewer.rocking = curve.assign_attrs(self.parts[0].attrs)
        x = along_frames(curve["sum"])
        axis = x[x.dims[0]]
        arrays = {name: curve[name].values.astype(float) for name in NUMBERS}
        told = {name: label_of(curve[name].rename(name)) for name in NUMBERS}
        content = {"labels": told, "axis": label_of(axis), "region": self.region.to_dict()}
        self._tell(
            {"progress": None, "frames": content}, {**arrays, "x": axis.values.astype(float)}
        )

    def _tell(self, content: dict[str, object], arrays: dict[str, object] | None = None) -> None:
        message = {"type": "panel", "panel": "profile", **content}
        self.viewer.talk.tell(message, arrays, client=self.client)  # type: ignore[arg-type]
