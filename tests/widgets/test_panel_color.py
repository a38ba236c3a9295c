"""Contrast and counts of the panel of colours, without a browser."""

import os

import numpy as np
import pytest

from beamkit.core.errors import ParameterError

if os.environ.get("BEAMKIT_REQUIRE_ALL") != "1":
    for package in ("ipywidgets", "anywidget"):
        pytest.importorskip(package, reason='needs: pip install "beamkit[lab]"')

from beamkit_widgets.viewer import ImageViewer
from widgets.panels import ask, diffraction


@pytest.fixture
def viewer():
    return ImageViewer(diffraction())


def test_pixels_are_counted_by_class_and_contrast(viewer):
    viewer.frame = 2
    content, arrays = ask(viewer, "color", limits=[2, 6])
    counts, mask = viewer.image.values, viewer.mask.values
    good = counts[(mask == 0) & (counts <= 800)]
    assert (content["gap"], content["masked"], content["saturated"]) == (61 * 3, 1, 1)
    assert content["good"] == good.size
    assert (content["below"], content["above"]) == ((good < 2).sum(), (good > 6).sum())
    assert content["extremes"] == [good.min(), good.max()]
    assert arrays["counts"].sum() == good.size
    assert arrays["edges"].size == arrays["counts"].size + 1


def test_no_good_pixel(viewer):
    viewer.mask = np.ones((61, 83), bool)
    content, _ = ask(viewer, "color", limits=[0, 1])
    assert (content["good"], content["extremes"]) == (0, None)


def test_contrast_of_a_region(viewer):
    viewer.frame = 1
    bright = viewer.source.data.copy(deep=True)
    bright[1, 10:20, 40:60] += 500
    viewer = ImageViewer(bright, frame=1)
    viewer.roi = {"kind": "rectangle", "x0": 40, "y0": 10, "x1": 60, "y1": 20}
    content, _ = ask(viewer, "color", roi=True)
    assert viewer.clim[0] >= 500
    assert content["limits"] == list(viewer.clim)


def test_a_region_is_needed(viewer):
    with pytest.raises(ParameterError, match="none is drawn"):
        viewer.auto(roi=True)


def test_each_frame_can_have_its_own_contrast():
    data = diffraction()
    data["frames"][2] += 400
    viewer = ImageViewer(data)
    locked = viewer.clim
    viewer.frame = 2
    viewer.talk.worker.wait()
    assert viewer.clim == locked
    viewer.auto_contrast = True
    assert viewer.clim[0] >= 400
    viewer.frame = 0
    viewer.talk.worker.wait()
    assert viewer.clim[1] < 400
