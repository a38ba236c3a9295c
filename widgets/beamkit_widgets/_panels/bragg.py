"""Panel of Bragg spots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from beamkit.core.errors import MetadataError
from beamkit.diffraction.spots import SpotSettings
from beamkit_widgets._info import axes_of
from beamkit_widgets._spotting import FIND

if TYPE_CHECKING:
    from beamkit.diffraction.spots_table import Spots
    from beamkit_widgets._panels import Answer, Question
    from beamkit_widgets.viewer import ImageViewer

#: Spots that are listed: the strongest.
_LISTED = 25


def answer(viewer: ImageViewer, question: Question) -> Answer:
    """Change what is found, and return a verdict and the strongest spots.

    A question has ``finds`` (whether spots are marked), ``options`` (of
    :class:`beamkit.diffraction.SpotSettings`), and a ``number`` that comes back.
    """
    if "options" in question:
        given = {name: _number(name, value) for name, value in question["options"].items()}
        viewer.spot_options = {**viewer.spot_options, **given}
    if "finds" in question:
        viewer.spots = FIND if question["finds"] else None
    settings = SpotSettings(**viewer.spot_options)
    told: dict[str, Any] = {
        "finds": viewer.spots is not None,
        "options": vars(settings),
        "verdict": "",
        "strongest": [],
        "number": question.get("number", 0),
    }
    if isinstance(viewer.spots, str):
        told["verdict"] = _verdict(viewer.found)
        told["strongest"] = _strongest(viewer, viewer.found)
    return told, {}


def _number(name: str, value: float) -> float:
    """Return a number of the type that the setting has."""
    kind = type(getattr(SpotSettings(), name))
    number: float = kind(value)
    return number


def _verdict(spots: Spots) -> str:
    if not len(spots):
        return "No spot was found in this image."
    strong = int(np.count_nonzero(spots.i_over_sigma >= 12))
    return f"{len(spots)} spots, {strong} of them with I/sigma of 12 and more"


def _strongest(viewer: ImageViewer, spots: Spots) -> list[dict[str, Any]]:
    """Return the strongest spots; positions on the array [pixel]."""
    order = np.argsort(-np.nan_to_num(spots.intensity), kind="stable")[:_LISTED]
    few = spots.select(order)
    rows, columns = axes_of(viewer.source)
    try:
        spacings = few.d(viewer.geometry) if viewer.geometry is not None else np.full(len(few), 0.0)
    except MetadataError:  # no wavelength
        spacings = np.full(len(few), 0.0)
    listed = zip(
        columns.to_array(few.x),
        rows.to_array(few.y),
        np.nan_to_num(few.intensity),
        np.nan_to_num(few.i_over_sigma),
        np.where(np.isfinite(spacings), spacings, 0.0),
        strict=True,
    )
    names = ("x", "y", "intensity", "significance", "d")
    return [
        {**dict(zip(names, map(float, values), strict=True)), "number": number}
        for number, values in enumerate(listed)
    ]
