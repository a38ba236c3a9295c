"""A powder image and where the detector stands: rings over the image, corrected until they fit."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets as ipw
import numpy as np
import traitlets
import xarray as xr

from beamkit.core.errors import BeamkitError
from beamkit.core.schema import main_variable
from beamkit.diffraction import CalibrationSession, Geometry
from beamkit.diffraction.calibrants import CALIBRANTS
from beamkit.images import Point

from ._calibration_panel import CalibrationPanel
from ._info import axes_of
from ._several import Several
from .viewer import ImageViewer

#: A point this close to the last one corrects it [pixel].
_CORRECTS = 12.0


class CalibrationViewer(Several, ipw.Box):  # type: ignore[misc]
    """Find where the detector stands, with rings over the image.

    Everything the mouse can do, a cell can do: ``viewer.add_point(310.5, 122.0)``,
    ``viewer.refine()``, ``viewer.calibration``.

    Parameters
    ----------
    data
        One powder image, or frames of which one is used.
    calibrant, wavelength, detector, geometry, mask
        Of :class:`beamkit.diffraction.CalibrationSession`.
    frame
        Which of the frames.
    **look
        Options of :class:`~beamkit_widgets.viewer.ImageViewer`, such as ``clim``.

    Attributes
    ----------
    session
        The :class:`beamkit.diffraction.CalibrationSession` behind the buttons.
    ring
        On which ring the next point lies, from 0. Draw points with the viewer's point tool (N).
    calibration
        The last refinement, :class:`beamkit.diffraction.Calibration`; None before one, and after
        a number was set by hand.
    geometry
        The geometry as it is now.
    shows_points
        Whether the points that a refinement used are marked, beside those that were picked.
    message
        What the last button did, or why it could not.

    Raises
    ------
    MetadataError
        If wavelength or pixel size is not known.
    """

    ring = traitlets.Int(0)
    calibration = traitlets.Any(None)
    geometry = traitlets.Any(None)
    shows_points = traitlets.Bool(False)
    message = traitlets.Unicode("")

    def __init__(
        self,
        data: xr.Dataset | xr.DataArray,
        calibrant: Any = "CeO2",
        *,
        wavelength: float | None = None,
        detector: Any = None,
        geometry: Geometry | None = None,
        mask: Any = None,
        frame: int = 0,
        **look: Any,
    ) -> None:
        image = _one(data, frame)
        super().__init__()
        self.lock = threading.RLock()
        self.session = CalibrationSession(
            image, calibrant, wavelength=wavelength, detector=detector, geometry=geometry, mask=mask
        )
        self.viewers = (ImageViewer(image, **{"scale": "sqrt", **look}),)
        self._panel: CalibrationPanel | None = None
        self._link()
        self._is_made = True
        self._show("Draw points on a ring (N), or start automatically.")

    @property
    def caption(self) -> str:  # type: ignore[override]
        """What is seen, in a line."""
        numbers, found = self.session.numbers, self.calibration
        rms = "" if found is None else f", rms {found.rms_pixel:.2f} pixel"
        return (
            f"{self.session.calibrant.name} at {1e3 * numbers['detector_distance']:.3f} mm, beam "
            f"at {numbers['beam_center_x']:.2f}, {numbers['beam_center_y']:.2f} pixel{rms}"
        )

    # ---- what the buttons do

    def start(self) -> None:
        """Find the geometry from header and image."""
        self.session.start()
        self._show(f"Found: {self.session.result and self.session.result.start_from}.")

    def start_from_points(self) -> None:
        """Take the geometry that the points tell."""
        self.session.start_from_points()
        self._show(f"From {len(self.session.points)} points. Refine it now.")

    def refine(self) -> None:
        """Fit the geometry to the rings of the image."""
        self.session.refine()
        self._show("Refined.")

    def add_point(self, x: float, y: float) -> None:
        """Add a point on the ring :attr:`ring`: position on the full detector [pixel]."""
        points = self.session.points
        last = points[-1] if points else None
        if last and last.ring == self.ring and math.hypot(last.x - x, last.y - y) < _CORRECTS:
            self.session.drop()
        self.session.pick(x, y, self.ring)
        own = sum(point.ring == self.ring for point in self.session.points)
        label = self.session.calibrant.labels[self.ring]
        self._show(f"{own} point{'' if own == 1 else 's'} on ring {self.ring} ({label}).")

    def drop_point(self, number: int = -1) -> None:
        """Throw out a point; the last one, if no number is given."""
        self.session.drop(number)
        self._show(f"{len(self.session.points)} points are left.")

    def set(self, **numbers: float) -> None:
        """Set numbers of the geometry: :meth:`beamkit.diffraction.CalibrationSession.set`."""
        self.session.set(**numbers)
        self._show("Set by hand.")

    def set_wavelength(self, wavelength: float) -> None:
        """Set the wavelength [angstrom]."""
        self.session.set_wavelength(wavelength)
        self._show("Set by hand.")

    def use(self, calibrant: Any) -> None:
        """Take another calibrant; points are forgotten."""
        self.session.use(calibrant)
        self.ring = 0
        self._show(f"Rings of {self.session.calibrant.name}.")

    def hold(self, *names: str) -> None:
        """Say which numbers a refinement leaves as they are."""
        self.session.hold(*names)
        self._show("A refinement leaves " + (", ".join(names) or "nothing") + " as it is.")

    def leave_out(self, *rings: int) -> None:
        """Say which rings a refinement does not use."""
        self.session.leave_out(*rings)
        self._show(f"{len(rings)} rings are left out. Refine again.")

    def undo(self) -> None:
        """Take the last step back."""
        self.session.undo()
        self.ring = min(self.ring, len(self.session.calibrant) - 1)
        self._show("One step back.")

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the geometry: :meth:`beamkit.diffraction.CalibrationSession.save`."""
        saved = self.session.save(path, overwrite=overwrite)
        self.message = f"Saved: {saved}"
        return saved

    def code(self) -> str:
        """Return Python that makes this geometry without the widget."""
        return self.session.code()

    def attempt(self, action: Callable[[], Any]) -> bool:
        """Do what a button asks; say in :attr:`message` why it could not be done."""
        with self.lock:
            try:
                action()
            except BeamkitError as error:
                self.message = f"Not done: {error}"
                self._refresh()
                return False
        return True

    # ---- what is seen

    @traitlets.validate("ring")  # type: ignore[untyped-decorator]
    def _check_ring(self, proposal: Any) -> int:
        most = len(self.session.calibrant) - 1
        return min(max(int(proposal["value"]), 0), most)

    @traitlets.observe("message")  # type: ignore[untyped-decorator]
    def _told(self, _change: Any) -> None:
        if self._panel is not None:
            self._panel.tell(self.message)

    @traitlets.observe("shows_points")  # type: ignore[untyped-decorator]
    def _mark(self, _change: Any = None) -> None:
        """Mark the points that were picked, and, where wanted, those that were used."""
        points, found = self.session.points, self.session.result
        x, y = ([getattr(point, axis) for point in points] for axis in "xy")
        if found is not None and self.shows_points:
            x, y = [*x, *found.points["x"].values], [*y, *found.points["y"].values]
        self.viewers[0].spots = {"x": np.array(x), "y": np.array(y)} if x else None

    @traitlets.observe("ring")  # type: ignore[untyped-decorator]
    def _ring_chosen(self, _change: Any) -> None:
        self._refresh()

    def _show(self, text: str) -> None:
        self.calibration, self.geometry = self.session.result, self.session.geometry
        view, found = self.viewers[0], self.session.result
        name = self.session.calibrant.name
        rings = (name,) if name in CALIBRANTS else tuple(self.session.calibrant.spacings)
        if tuple(view.rings) != rings:
            view.rings = rings
        view.geometry = self.geometry
        self._mark()
        self.message = text if found is None else f"{text} {_verdict(found)}"
        self._refresh()

    def _refresh(self) -> None:
        if self._panel is not None:
            self._panel.refresh()

    def _drawn(self, change: Any) -> None:
        region = getattr(change["new"], "region", None)
        if isinstance(region, Point):
            rows, columns = axes_of(self.viewers[0].source)
            x, y = float(columns.to_full(region.x)), float(rows.to_full(region.y))
            self.attempt(lambda: self.add_point(x, y))

    def _link(self) -> None:
        self.viewers[0].observe(self._drawn, "roi")

    def _connect(self) -> None:
        self._panel = CalibrationPanel(self)
        stage = self._make_stage("bk-calibration", (*self.viewers, self._panel.box))
        stage.layout = ipw.Layout(flex_flow="row wrap", width="100%")
        self.viewers[0].layout.flex = "1 1 420px"
        self.children = (stage,)
        self.layout.width = "100%"

    def _disconnected(self) -> None:
        self._panel = None
        super()._disconnected()

    def _still(self) -> bytes:
        return self.viewers[0]._still()


def _one(data: xr.Dataset | xr.DataArray, frame: int) -> xr.Dataset | xr.DataArray:
    """Return one image of frames; others along further axes are the first."""
    main = data[main_variable(data)] if isinstance(data, xr.Dataset) else data
    return data.isel({dim: frame if dim == "frame" else 0 for dim in main.dims[:-2]})


def _verdict(found: Any) -> str:
    number = int((found.rings["number"] > 0).sum())
    text = (
        f"{found.points.sizes['point']} points on {number} rings, rms {found.rms_pixel:.2f} pixel."
    )
    warnings = "; ".join(found.warnings)
    if warnings:
        text += f" {'Note' if found.is_trusted else 'Not trusted'}: {warnings}"
    return text
