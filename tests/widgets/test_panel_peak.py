"""The peak of the profile that is shown, without a browser."""

import numpy as np
import pytest
import xarray as xr
from beamkit_widgets._panels import PANELS
from beamkit_widgets.viewer import ImageViewer

from beamkit.core.errors import ParameterError

# Of a spot, off the middle, oblong: x, y, width in x and y (full, at half maximum), height, ground.
X, Y, WIDE, HIGH, TOP, GROUND = 22.3, 11.8, 6.0, 3.5, 40.0, 2.0
BOX = {"kind": "rectangle", "x0": 5, "y0": 2, "x1": 38, "y1": 24}


@pytest.fixture
def viewer(require):
    require("lmfit", extra="diffraction")
    y, x = np.mgrid[0:27, 0:41] + 0.5
    spot = TOP * np.exp(-4 * np.log(2) * (((x - X) / WIDE) ** 2 + ((y - Y) / HIGH) ** 2)) + GROUND
    images = [spot, 2 * spot - GROUND, spot]
    return ImageViewer(xr.DataArray(images, dims=("frame", "y", "x"), attrs={"units": "V"}))


def ask(viewer, **question):
    return PANELS["peak"](viewer, question)


def row(told, name):
    return next(row for row in told["fit"]["rows"] if row["name"] == name)


def test_the_peak_of_a_rectangle_is_where_the_spot_is(viewer):
    told, arrays = ask(viewer, roi=BOX)
    assert told["names"] == ["columns", "rows"]
    assert row(told, "position")["value"] == pytest.approx(X, abs=1e-4)
    assert row(told, "fwhm")["value"] == pytest.approx(WIDE, rel=1e-4)
    # Each column is the sum of 22 rows, each with the ground under the spot.
    assert row(told, "background")["value"] == pytest.approx(22 * GROUND, rel=1e-3)
    assert (row(told, "position")["unit"], row(told, "area")["unit"]) == ("pixel", "V pixel")
    assert np.abs(arrays["residuals"]).max() < 1e-3
    assert arrays["pointsX"].size == arrays["residuals"].size == 33


def test_the_cell_reads_the_peak_that_the_panel_shows(viewer):
    viewer.roi, viewer.curve = BOX, "rows"
    told, _ = ask(viewer)
    assert viewer.peak.position.value == row(told, "position")["value"]
    assert float(viewer.peak.position) == pytest.approx(Y, abs=1e-4)
    viewer.peak_model = "pseudo_voigt"
    assert viewer.peak.model == "pseudo_voigt"
    assert row(ask(viewer)[0], "fraction")["value"] == pytest.approx(0, abs=0.01)


def test_only_the_range_takes_part(viewer):
    viewer.roi, viewer.peak_range = BOX, (14.0, 30.0)
    told, arrays = ask(viewer)
    assert (arrays["pointsX"].min(), arrays["pointsX"].max()) == (14.5, 29.5)
    assert told["range"] == [14.0, 30.0]
    assert arrays["x0"].size == 33  # and all of the profile is seen


def test_a_range_of_another_profile_is_given_up_and_told(viewer):
    viewer.roi, viewer.peak_range = BOX, (400.0, 500.0)
    told, arrays = ask(viewer)
    assert (told["range"], arrays["pointsX"].size) == (None, 33)


def test_a_range_that_is_none_is_refused(viewer):
    with pytest.raises(ParameterError, match="lower one first"):
        viewer.peak_range = (3.0, 3.0)


def test_a_rocking_curve_can_be_fitted_once_it_was_read(viewer):
    assert "frames" not in ask(viewer, roi=BOX)[0]["names"]
    viewer.roi = BOX
    PANELS["frames"](viewer, {})
    assert viewer.talk.worker.wait()
    assert "frames" in ask(viewer)[0]["names"]


def test_without_a_region_there_is_no_peak(viewer):
    assert ask(viewer, roi=None) == ({"names": [], "fit": None}, {})
    assert ask(viewer, roi={"kind": "point", "x": 3, "y": 3})[0]["names"] == []


def test_without_lmfit_the_panel_says_what_to_install(viewer, monkeypatch):
    viewer.roi, sent = BOX, []

    def missing(name):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr("beamkit.core.optional.import_module", missing)
    monkeypatch.setattr(viewer.talk, "tell", lambda content, *_, **__: sent.append(content))
    viewer.talk.hear({"type": "panel", "panel": "peak", "client": "me"})
    assert viewer.talk.worker.wait()
    assert "pip install" in sent[0]["error"]


def test_what_the_browser_has_chosen_counts_before_it_is_state(viewer):
    chosen = {"curve": "rows", "peak_model": "lorentzian", "peak_range": [6, 18]}
    told, arrays = ask(viewer, roi=BOX, chosen=chosen)
    assert (told["curve"]["name"], arrays["pointsX"].size) == ("rows", 12)
    assert (viewer.curve, viewer.peak_model, viewer.peak_range) == ("", "gaussian", None)
