"""The picture of a scan: what is drawn, and what is written beside it."""

import numpy as np
import pytest
import xarray as xr

import beamkit as bk
from beamkit import figures
from beamkit.core.errors import ParameterError, ShapeError, UnknownNameError


@pytest.fixture(scope="module")
def seed(tmp_path_factory):
    """The scan of the seed: qbpm1 against SLYCENTRE."""
    return bk.samples.scan(tmp_path_factory.mktemp("scan") / "12345.dat")


@pytest.fixture
def data(seed):
    return bk.open(seed)


def lines(picture):
    (axes,) = picture.axes
    return axes, {line.get_label(): line.get_xydata() for line in axes.lines}


def test_the_seed_is_plotted_with_the_axes_that_the_file_means(data, seed):
    axes, drawn = lines(figures.scan(data))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("SLYCENTRE", "qbpm1")
    np.testing.assert_array_equal(drawn["qbpm1"][:, 0], seed.positions)
    np.testing.assert_array_equal(drawn["qbpm1"][:, 1], data["qbpm1"])
    assert axes.get_legend() is None


def test_units_stand_beside_the_names(data):
    data["SLYCENTRE"].attrs["units"] = "um"
    data["qbpm1"].attrs["units"] = "counts"
    axes, _ = lines(figures.scan(data, derivative=True))
    assert axes.get_xlabel() == "SLYCENTRE [µm]"
    assert axes.get_ylabel() == "d qbpm1 / d SLYCENTRE [counts/µm]"


def test_several_columns_and_scans_have_a_legend(data):
    other = data.assign_attrs(source="/data/7.dat")
    axes, drawn = lines(figures.scan([data, other], ["qbpm1", "ic1monitor"]))
    assert list(drawn) == ["12345: qbpm1", "12345: ic1monitor", "7: qbpm1", "7: ic1monitor"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(drawn)


def test_a_long_legend_names_the_first_and_counts_the_rest(data):
    many = [data.assign_attrs(source=f"/data/{number}.dat") for number in range(15)]
    axes, _ = lines(figures.scan(many))
    assert len(axes.get_legend().get_texts()) == 12
    assert axes.get_legend().get_title().get_text() == "and 3 more"


def test_the_fit_is_drawn_and_its_position_told_with_error(data, seed, require):
    require("lmfit", "diffraction")
    picture = figures.scan(data, monitor="ic1monitor", fit="gaussian", range=(2.2, 2.7))
    axes, drawn = lines(picture)
    assert drawn["_fit"][[0, -1], 0] == pytest.approx([2.2, 2.7], abs=0.013)
    (text,) = (text.get_text() for text in axes.texts)
    fit = bk.peaks.fit_peak(bk.scans.curve(data, monitor="ic1monitor"), range=(2.2, 2.7))
    assert f"position {fit.position}" in text
    assert fit.position.value == pytest.approx(seed.center, abs=4 * fit.position.error)
    assert picture.caption == "qbpm1 against SLYCENTRE, normalised by ic1monitor"


def test_a_fit_that_failed_says_why(data, require):
    require("lmfit", "diffraction")
    axes, _ = lines(figures.scan(data, "count_time", fit="gaussian"))
    assert "no peak: all 81 points have the value 1" in axes.texts[0].get_text().replace("\n", " ")


@pytest.mark.parametrize(("log", "scales"), [(True, "log y"), ("x", "x"), ("xy", "x y")])
def test_axes_are_logarithmic_as_asked(data, log, scales):
    axes, _ = lines(figures.scan(data, log=log))
    assert (axes.get_yscale() == "log") == ("y" in scales)
    assert (axes.get_xscale() == "log") == ("x" in scales)


def test_what_cannot_be_is_refused(data):
    with pytest.raises(ParameterError, match="log is 'z'"):
        figures.scan(data, log="z")
    with pytest.raises(ParameterError, match="no scans"):
        figures.scan([])
    with pytest.raises(ParameterError, match="y is empty"):
        figures.scan(data, [])
    with pytest.raises(UnknownNameError, match="Did you mean 'qbpm1'"):
        figures.scan(data, "qbpm")
    with pytest.raises(ParameterError, match="different axes"):
        figures.scan([data, data.rename(SLYCENTRE="eta")])
    grid = xr.Dataset({"a": (("y", "x"), np.eye(2, 3))}, attrs={"kind": "scan"})
    with pytest.raises(ShapeError, match="isel"):
        figures.scan(grid)


@pytest.mark.parametrize(
    "name",
    [
        "srs/16446.dat",
        "srs/96356.dat",
        "srs/i16_315029/315029.dat",
        "spec/fourc_20161029_long_night_00.spec",
        "nexus/i07-404876.nxs",
        "nexus/i16-538039/538039.nxs",
        "workflow/MoKedge_1_15.dat",
    ],
)
def test_real_scans_are_drawn(data_folder, name):
    picture = figures.scan(bk.open(data_folder / name))
    image = picture._repr_mimebundle_()[0]["image/png"]
    assert len(image) > 5000
