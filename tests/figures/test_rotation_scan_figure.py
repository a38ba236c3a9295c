"""What is drawn of a rotation scan is what was measured."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from beamkit.core.errors import UnknownNameError
from beamkit.diffraction import fit_decay, fit_rocking_curve
from beamkit.figures import decay, rocking_curve, rotation_scan


def table(**coords):
    return xr.Dataset(
        {
            "spots": ("frame", [3, 9, 4]),
            "resolution": ("frame", [2.5, 1.7, np.nan], {"units": "angstrom"}),
        },
        coords={"frame": [4, 5, 6], **coords},
    )


def test_a_panel_for_each_column_against_the_angle():
    picture = rotation_scan(
        table(omega=("frame", [10.0, 10.5, 11.0])), ["spots", "resolution"], marked=[5]
    )
    spots, resolution = picture.axes
    line, mark = spots.lines
    np.testing.assert_allclose(line.get_xdata(), [10.25, 10.75, 11.25])
    assert mark.get_xdata().tolist() == [10.75]
    assert resolution.yaxis_inverted()
    assert resolution.get_ylabel() == "resolution [Å]"
    assert resolution.get_xlabel() == "angle [deg]"


def test_without_an_angle_against_the_frames():
    picture = rotation_scan(table(), ["spots"])
    assert picture.axes[0].lines[0].get_xdata().tolist() == [4, 5, 6]
    with pytest.raises(UnknownNameError, match="spots"):
        rotation_scan(table(), ["spot"])


def test_rocking_curve_with_its_fit():
    angle = np.linspace(4, 7, 31)
    net = 2000 * np.exp(-((angle - 5.3) ** 2) / 2 / 0.2**2)
    curve = xr.Dataset(
        {"net": ("frame", net, {"units": "counts"}), "net_error": ("frame", np.sqrt(net + 1))},
        {"angle": ("frame", angle, {"units": "deg"})},
    )
    picture = rocking_curve(curve, fit_rocking_curve(curve))
    assert "centre 5.3" in picture.caption
    assert picture.axes[0].lines[-1].get_xdata()[0] == pytest.approx(5.3, abs=1e-3)
    assert rocking_curve(curve).caption == "Rocking curve."


def test_decay_says_what_was_found():
    found = fit_decay(500 * 2.0 ** (-np.arange(12) / 9))
    picture = decay(found)
    assert picture.caption.startswith("Decay: half-dose 9 ")
    assert picture.axes[0].get_xlabel() == "frame"
