"""A geometry in words: for a terminal, and for a notebook."""

from __future__ import annotations

import math
from collections.abc import Iterator

from beamkit.core import html
from beamkit.core.errors import MetadataError
from beamkit.core.units import energy_from_wavelength

from ._placement import Placement
from .poni import poni_of


def text(placement: Placement) -> str:
    """Return a few lines: beam centre, distance, tilt, wavelength, what was assumed."""
    width = max(len(name) for name, _ in _rows(placement))
    rows = (f"  {name:<{width}}  {value}" for name, value in _rows(placement))
    return "\n".join([f"<beamkit.{type(placement).__name__}>", *rows])


def html_table(placement: Placement) -> str:
    """Return the same as a table."""
    return html.table(_rows(placement))


def _rows(placement: Placement) -> Iterator[tuple[str, str]]:
    try:
        beam = placement.beam_center
    except MetadataError:
        yield "beam centre", "none: the direct beam does not meet the detector"
    else:
        yield "beam centre", f"({beam.x:.3f}, {beam.y:.3f}) pixel from the outer corner"
        yield "distance", f"{beam.distance * 1e3:.3f} mm along the beam"
    yield "tilt", _tilt(placement)
    size_x, size_y = placement.pixel_size_x * 1e6, placement.pixel_size_y * 1e6
    yield "pixel size", f"{size_x:.6g} x {size_y:.6g} um"
    if placement.shape is not None:
        yield "shape", f"{placement.shape[0]} rows, {placement.shape[1]} columns"
    yield "wavelength", _photons(placement.wavelength)
    for line in placement.assumed:
        yield "assumed", line


def _tilt(placement: Placement) -> str:
    square = f"{placement.tilt:.3f} deg from square to the beam"
    try:
        poni = poni_of(placement)
    except MetadataError:
        return f"{square}; mirrored"
    angles = (math.degrees(angle) for angle in (poni.rot1, poni.rot2, poni.rot3))
    turns = ", ".join(
        f"rot{i} {round(angle, 3) + 0.0:.3f}" for i, angle in enumerate(angles, start=1)
    )
    return f"{square} ({turns})"


def _photons(wavelength: float | None) -> str:
    if wavelength is None:
        return "not known: set attrs['wavelength'] for q and d"
    return f"{wavelength:.6g} angstrom ({energy_from_wavelength(wavelength):.6g} keV)"
