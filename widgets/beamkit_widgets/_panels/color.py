"""Panel of colours: the pixels counted, and contrast of a region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beamkit.images.census import census

if TYPE_CHECKING:
    from beamkit_widgets._panels import Answer, Question
    from beamkit_widgets.viewer import ImageViewer


def answer(viewer: ImageViewer, question: Question) -> Answer:
    """Return how many pixels are of which class and beyond ``limits``, and a histogram.

    ``roi`` (true) sets the contrast from the region first.
    """
    if question.get("roi"):
        viewer.auto(roi=True)
        limits = viewer.clim
    else:
        limits = (float(question["limits"][0]), float(question["limits"][1]))
    found = census(viewer.image.values, viewer.classes, limits)
    content = {
        name: getattr(found, name)
        for name in ("good", "masked", "gap", "saturated", "below", "above")
    }
    content["limits"] = list(limits)
    content["extremes"] = [found.lowest, found.highest] if found.good else None
    return content, {"edges": found.edges, "counts": found.counts.astype("f8")}
