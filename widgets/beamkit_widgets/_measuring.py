"""Part of a viewer: what is measured in the image, as a cell reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets
import xarray as xr

from beamkit.core.errors import ParameterError, UnknownNameError
from beamkit.diffraction.radial import AXES
from beamkit.images import Statistics
from beamkit.peaks import MODELS, PeakFit, fit_peak

from ._panels.frames import NUMBERS, known_curve
from ._panels.profile import curves_of, numbers_of

if TYPE_CHECKING:
    from ._panels.frames import Reading
    from ._roi import Roi

#: What is remembered of a view, beside that of other parts.
STATE = (
    "curve",
    "radial_axis",
    "combine",
    "background",
    "statistic",
    "peak_model",
    "peak_range",
    "spot_view",
)

_NAMES: dict[str, tuple[str, ...]] = {
    "curve": ("", "line", "columns", "rows", "radial", "azimuthal", "frames"),
    "radial_axis": ("radius", *AXES),
    "combine": ("sum", "mean"),
    "background": ("auto", "median", "mean"),
    "statistic": NUMBERS,
    "peak_model": tuple(MODELS),
}


class Measuring(traitlets.HasTraits):  # type: ignore[misc]
    """Mixin of the image viewer: profiles, statistics and peaks of the region that is drawn.

    Attributes
    ----------
    curve
        Which profile :attr:`profile` and :attr:`peak` are of: ``"line"``, ``"columns"``,
        ``"rows"``, ``"radial"``, ``"azimuthal"``, ``"frames"``; empty for the first that there is.
    radial_axis
        Of rings: ``"radius"`` [pixel], ``"two_theta"``, ``"q"`` or ``"d"``; where the geometry is
        not known it is the radius.
    combine
        What becomes of the rows and columns of a rectangle: ``"sum"`` or ``"mean"``.
    background
        What the pixels around a region become: ``"median"``, ``"mean"``, or ``"auto"``: the
        median, and the mean where counts are few.
    statistic
        Of the region through the frames: ``"sum"``, ``"net"``, ``"mean"``, ``"max"`` ...
    rocking
        The curve through the frames that was read last for this region; None if there is none.
    peak_model, peak_range
        Shape of :attr:`peak`, and the lowest and highest x that take part; None: all.
    spot_view
        How the surface is seen: azimuth [deg], elevation [deg], zoom.
    """

    _roi: Any
    roi: Roi | None
    #: What reads the frames at the moment; None once that has to end.
    reading: Reading | None = None

    curve = traitlets.Unicode("").tag(sync=True)
    radial_axis = traitlets.Unicode("two_theta").tag(sync=True)
    combine = traitlets.Unicode("sum").tag(sync=True)
    background = traitlets.Unicode("auto").tag(sync=True)
    statistic = traitlets.Unicode("sum").tag(sync=True)
    peak_model = traitlets.Unicode("gaussian").tag(sync=True)
    peak_range = traitlets.Any(None).tag(sync=True)
    spot_view = traitlets.Tuple(
        traitlets.CFloat(), traitlets.CFloat(), traitlets.CFloat(), default_value=(-60.0, 35.0, 1.0)
    ).tag(sync=True)
    rocking: Any = traitlets.Any(None)

    @property
    def profile(self) -> xr.DataArray:
        """The profile of the region that is drawn, over one coordinate; see :attr:`curve`.

        Raises
        ------
        ParameterError
            If there is none: of a point, or without a beam centre or a curve through the frames.
        """
        return self.profile_at(self.curve)

    def profile_at(self, name: str) -> xr.DataArray:
        """Return the profile of that name; the first there is where this region has no such."""
        if name == "frames":
            return known_curve(self)
        region = None if self.roi is None else self.roi.region
        curves = curves_of(self, region)
        if not curves:
            raise ParameterError("A point has no profile. Draw a line (K), or a rectangle (B).")
        return curves.get(name, next(iter(curves.values())))

    @property
    def statistics(self) -> Statistics | None:
        """The numbers of the region that is drawn; None where nothing is."""
        return None if self.roi is None else numbers_of(self, self.roi.region)

    @property
    def peak(self) -> PeakFit:
        """The peak of :attr:`profile`, fitted, as the panel shows it; see `beamkit.peaks`."""
        return fit_peak(self.profile, model=self.peak_model, range=self.peak_range)

    @traitlets.observe("_roi", "mask")  # type: ignore[untyped-decorator]
    def _forget_rocking(self, _change: Any) -> None:
        self.rocking = None

    @traitlets.validate(*_NAMES)  # type: ignore[untyped-decorator]
    def _known_name(self, proposal: Any) -> str:
        name, value = proposal["trait"].name, str(proposal["value"])
        if value not in _NAMES[name]:
            raise UnknownNameError(name.replace("_", " "), value, _NAMES[name])
        return value

    @traitlets.validate("peak_range")  # type: ignore[untyped-decorator]
    def _in_order(self, proposal: Any) -> tuple[float, float] | None:
        if proposal["value"] is None:
            return None
        low, high = (float(limit) for limit in proposal["value"])
        if not low < high:  # also catches nan
            raise ParameterError(
                f"peak_range is {low, high}; give two numbers, the lower one first, or None."
            )
        return low, high
