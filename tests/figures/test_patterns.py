"""Pictures of patterns show the numbers that they are of."""

import numpy as np
import pytest
import xarray as xr

from beamkit import figures
from beamkit.core.errors import ParameterError, ShapeError


@pytest.fixture
def series():
    x = np.linspace(0.5, 4.5, 81)
    values = 3 + np.arange(1, 6)[:, None] * 40 * np.exp(-0.5 * ((x - 1.7) / 0.1) ** 2)
    values[2] = np.nan
    return xr.Dataset(
        {
            "intensity": (("frame", "q"), values, {"units": "counts"}),
            "sigma": (("frame", "q"), np.sqrt(values), {"units": "counts"}),
        },
        {
            "q": ("q", x, {"units": "1/angstrom"}),
            "angle": ("frame", [1.0, 2.5, 4.0, 5.5, 7.0], {"units": "deg"}),
            "source": ("frame", [f"f{n}.cbf" for n in range(5)]),
        },
    )


def test_waterfall_has_a_curve_a_frame_shifted_evenly(series):
    picture = figures.waterfall(series, offset=100.0, caption="seen")
    (axes,) = picture.axes
    curves = [line.get_ydata() for line in axes.lines]
    assert len(curves) == 5
    np.testing.assert_allclose(curves[3], series.intensity[3] + 300)
    assert axes.get_xlabel() == "q [1/Å]"
    assert [text.get_text() for text in axes.texts] == ["0", "1", "3", "4"]  # 2 is a gap
    assert picture.caption == "seen"


def test_waterfall_of_many_shows_some_of_them_and_names_the_coordinate(series):
    many = series.isel(frame=np.arange(200) % 5)
    many["angle"] = ("frame", np.arange(200) * 0.5, {"units": "deg"})
    (axes,) = figures.waterfall(many, by="angle", scale="sqrt", caption="seen").axes
    assert len(axes.lines) == 40
    assert axes.texts[-1].get_text() == "99.5"


def test_map_has_the_frames_as_rows_and_gaps_without_colour(series):
    picture = figures.pattern_map(series, scale="linear", by="angle", caption="seen")
    mesh = picture.axes[0].collections[0]
    shown = mesh.get_array().reshape(5, 81)
    np.testing.assert_allclose(shown[4], series.intensity[4])
    assert shown.mask[2].all()
    assert picture.axes[0].get_ylabel() == "angle [deg]"


@pytest.mark.parametrize("scale", ["sqrt", "log"])
def test_every_scale_is_drawn(series, scale):
    small = series.isel(frame=[0, 2])
    for draw, data in (
        (figures.pattern, small.isel(frame=0)),
        (figures.waterfall, small),
        (figures.pattern_map, small),
    ):
        picture = draw(data, scale=scale, caption="seen")
        picture.set_dpi(40)
        picture.canvas.draw()


def test_rings_are_marked_where_they_must_be(series):
    rings = xr.Dataset(
        {
            "expected": ("ring", [1.7, 2.9]), "found": ("ring", [1.702, np.nan]),
            "ratio": ("ring", [1.702 / 1.7, np.nan]),
        },
        {"label": ("ring", ["111", "200"])},
        {"calibrant": "CeO2"},
    )  # fmt: skip
    (axes,) = figures.pattern(series.isel(frame=0), lines=rings, caption="seen").axes
    assert [text.get_text() for text in axes.texts] == ["111", "200"]
    assert [line.get_xdata()[0] for line in axes.lines[1:3]] == [1.7, 2.9]
    (axes,) = figures.calibrant_rings(rings, caption="seen").axes
    assert [text.get_text() for text in axes.texts] == ["not found"]


def test_what_cannot_be_shown_is_said(series):
    with pytest.raises(ShapeError, match="one pattern"):
        figures.pattern(series, caption="")
    with pytest.raises(ShapeError, match="over one axis"):
        figures.waterfall(series.isel(frame=0), caption="")
    with pytest.raises(ParameterError, match="linear, sqrt, log"):
        figures.pattern_map(series, scale="cubic", caption="")
    with pytest.raises(ParameterError, match="no coordinate over frame.*angle"):
        figures.waterfall(series, by="temperature", caption="")
