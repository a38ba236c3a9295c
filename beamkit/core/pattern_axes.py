"""The radial axes of patterns: their names here, and the words of pyFAI for name and unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import ShapeError

if TYPE_CHECKING:
    import xarray as xr

#: pyFAI's word for a radial axis, as files of patterns have it: name and unit here.
WORDS = {
    "q_A^-1": ("q", "1/angstrom"),
    "q_nm^-1": ("q", "1/nm"),
    "2th_deg": ("two_theta", "deg"),
    "2th_rad": ("two_theta", "rad"),
    "d*2_A^-2": ("inverse_d_squared", "1/angstrom^2"),
    "d*2_nm^-2": ("inverse_d_squared", "1/nm^2"),
    "r_mm": ("radius", "mm"),
    "r_m": ("radius", "m"),
}

#: What a radial axis can be called.
AXES = ("q", "two_theta", "radius", "inverse_d_squared")


def word_of(axis: xr.DataArray) -> str:
    """Return pyFAI's word for an axis, else ``name_unit``."""
    known = (str(axis.name), str(axis.attrs.get("units", "")))
    return next((word for word, pair in WORDS.items() if pair == known), "_".join(known).strip("_"))


def radial_axis(pattern: xr.Dataset) -> str:
    """Return the name of the radial axis of ``intensity``. Raises ShapeError if there is none."""
    if "intensity" in pattern:
        for name in pattern["intensity"].dims:
            if name in AXES and name in pattern.coords:
                return str(name)
    raise ShapeError(
        f"A pattern has the variable intensity over one of {', '.join(AXES)}, with its coordinate; "
        f"this has {', '.join(map(str, pattern.data_vars)) or 'no variable'} over "
        f"{dict(pattern.sizes)}. Integrate with beamkit.diffraction.integrate, or rename with "
        ".rename(...)."
    )
