"""The viewer of scans, without a browser."""

import base64
import gc
import io
import os
import weakref

import matplotlib
import numpy as np
import pytest
import xarray as xr

import beamkit as bk
from beamkit.core.errors import BeamkitError, ParameterError, ShapeError, UnknownNameError

if os.environ.get("BEAMKIT_REQUIRE_ALL") != "1":
    for package in ("ipywidgets", "ipympl", "lmfit"):
        pytest.importorskip(package, reason='needs: pip install "beamkit[lab]"')

import ipywidgets
from beamkit_widgets.scan_viewer import ScanViewer
from ipywidgets.widgets import widget as registry

VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(scope="module")
def seed(tmp_path_factory):
    """The scan of the seed: qbpm1 against SLYCENTRE."""
    return bk.samples.scan(tmp_path_factory.mktemp("scan") / "12345.dat")


@pytest.fixture
def data(seed):
    return bk.open(seed)


@pytest.fixture
def viewer(data):
    """A viewer that is open, as in a notebook."""
    made = ScanViewer(data)
    made.open()
    yield made
    made.close()


def lines(viewer):
    """The curves on the screen, by name."""
    return {line.get_label(): line.get_xydata() for line in viewer.axes.lines}


def parts(widget, kind):
    """All parts of a kind."""
    found = [widget] if isinstance(widget, kind) else []
    children = getattr(widget, "children", ())
    return found + [part for child in children for part in parts(child, kind)]


def menu(viewer, name):
    (found,) = (d for d in parts(viewer, ipywidgets.Dropdown) if d.description == name)
    return found


def numbers(viewer):
    """What is told beside the curves."""
    (found,) = (p for p in parts(viewer, ipywidgets.HTML) if "beamkit-numbers" in p._dom_classes)
    return found.value


def mouse(viewer, kind, x, y=0.5, **more):
    """The mouse at x of the data, and a part of the height of the axes."""
    viewer.figure.draw_without_rendering()
    axes, canvas = viewer.axes, viewer.figure.canvas
    place = (
        axes.transData.transform((x, axes.get_ylim()[1]))[0],
        axes.transAxes.transform((0, y))[1],
    )
    event = {"x": place[0], "y": canvas.get_renderer().height - place[1]}
    common = {"type": kind, "button": 0, "buttons": 0, "modifiers": []}
    canvas._handle_message(canvas, {**common, **event, **more}, [])


def drag(viewer, start, stop):
    mouse(viewer, "button_press", start)
    mouse(viewer, "motion_notify", (start + stop) / 2, buttons=1)
    mouse(viewer, "motion_notify", stop, buttons=1)
    mouse(viewer, "button_release", stop)


class TestWhatIsShown:
    def test_the_seed_is_shown_with_the_axes_that_the_file_means(self, viewer, seed, data):
        assert (viewer.x, viewer.y) == ("SLYCENTRE", ("qbpm1",))
        np.testing.assert_array_equal(lines(viewer)["qbpm1"][:, 0], seed.positions)
        np.testing.assert_array_equal(lines(viewer)["qbpm1"][:, 1], data["qbpm1"])
        assert viewer.axes.get_xlabel() == "SLYCENTRE"
        assert viewer.caption == "qbpm1 against SLYCENTRE"

    def test_menus_and_traits_go_together(self, viewer):
        (chosen,) = parts(viewer, ipywidgets.SelectMultiple)
        chosen.value = ("qbpm1", "ic1monitor")
        assert list(lines(viewer)) == ["qbpm1", "ic1monitor"]
        viewer.y = ("ic1monitor",)
        assert chosen.value == ("ic1monitor",)
        menu(viewer, "x").value = "qbpm1"
        assert viewer.axes.get_xlabel() == "qbpm1"
        viewer.scale = "log"
        assert menu(viewer, "axes").value == "log"
        assert viewer.axes.get_yscale() == "log"

    def test_the_list_of_columns_cannot_be_emptied(self, viewer):
        (chosen,) = parts(viewer, ipywidgets.SelectMultiple)
        chosen.value = ()
        assert viewer.y == ("qbpm1",)
        assert list(lines(viewer)) == ["qbpm1"]

    def test_it_is_divided_by_the_monitor(self, viewer, data):
        menu(viewer, "divide by").value = "ic1monitor"
        beam = data["ic1monitor"].values
        expected = data["qbpm1"].values * beam.mean() / beam
        np.testing.assert_allclose(lines(viewer)["qbpm1"][:, 1], expected)
        assert viewer.axes.get_ylabel() == "qbpm1, by ic1monitor"

    def test_the_derivative_is_shown(self, viewer, data, seed):
        (check,) = parts(viewer, ipywidgets.Checkbox)
        check.value = True
        assert viewer.derivative
        expected = np.gradient(data["qbpm1"].values, seed.positions)
        np.testing.assert_allclose(lines(viewer)["qbpm1"][:, 1], expected)

    def test_several_scans_lie_over_each_other(self, data):
        other = data.isel(point=slice(0, 40)).assign_attrs(source="/data/7.dat")
        viewer = ScanViewer([data, other], y=["qbpm1", "ic1monitor"])
        assert list(lines(viewer)) == [
            "12345: qbpm1",
            "12345: ic1monitor",
            "7: qbpm1",
            "7: ic1monitor",
        ]
        assert len(lines(viewer)["7: qbpm1"]) == 40

    def test_the_cursor_tells_the_nearest_point_of_each_curve(self, viewer, data, seed):
        viewer.y = ("qbpm1", "ic1monitor")
        mouse(viewer, "motion_notify", 2.4321)
        nearest = int(np.abs(seed.positions - 2.4321).argmin())
        told = parts(viewer, ipywidgets.Label)[0].value
        assert told.startswith("SLYCENTRE 2.43")
        assert f"qbpm1 {float(data['qbpm1'][nearest]):.6g} at {seed.positions[nearest]:.6g}" in told
        assert "; ic1monitor" in told

    @pytest.mark.parametrize(
        "name",
        [
            "srs/96356.dat",
            "srs/i16_315029/315029.dat",
            "spec/fourc_20161029_long_night_00.spec",
            "spec/DIAMOND_I16_Lucian.spec",
            "nexus/i07-404876.nxs",
            "nexus/i16-538039/538039.nxs",
            "workflow/MoKedge_1_15.dat",
        ],
    )
    def test_real_scans_are_shown(self, data_folder, name):
        viewer = ScanViewer(bk.open(data_folder / name), model="gaussian")
        bundle = viewer._repr_mimebundle_()
        assert len(bundle["image/png"]) > 5000
        viewer.close()


class TestFit:
    def test_the_fit_finds_the_truth_within_its_error(self, viewer, seed):
        viewer.monitor = "ic1monitor"
        menu(viewer, "fit").value = "gaussian"
        position = viewer.fit.position
        assert position.value == pytest.approx(seed.center, abs=4 * position.error)
        assert f"position {position}" in numbers(viewer)
        assert "_fit" in lines(viewer)

    def test_a_drag_chooses_the_range(self, viewer):
        viewer.model = "gaussian"
        drag(viewer, 2.7, 2.2)
        assert viewer.selection == pytest.approx((2.2, 2.7), abs=0.005)
        assert viewer.fit.points.x[0] >= 2.19
        assert viewer.fit.points.x[-1] <= 2.71
        assert len(viewer.axes.patches) == 1

    def test_a_drag_past_the_axes_ends_at_their_edge(self, viewer):
        drag(viewer, 2.5, 9.0)
        assert viewer.selection == pytest.approx((2.5, viewer.axes.get_xlim()[1]), abs=0.005)

    def test_a_click_takes_the_range_away(self, viewer):
        viewer.selection = (2.2, 2.7)
        drag(viewer, 2.5, 2.5)
        assert viewer.selection is None
        viewer.selection = (2.2, 2.7)
        parts(viewer, ipywidgets.Button)[-1].click()
        assert viewer.selection is None
        assert len(viewer.axes.patches) == 0

    def test_a_tool_of_the_toolbar_draws_no_range(self, viewer):
        viewer.figure.canvas.toolbar.zoom()
        drag(viewer, 2.3, 2.6)
        assert viewer.selection is None

    def test_without_a_fit_the_statistics_of_the_range_are_told(self, viewer, data):
        assert "centre of mass" in numbers(viewer)
        viewer.selection = (2.6, 3.0)
        part = data["qbpm1"][(data["SLYCENTRE"] >= 2.6).values]
        assert f"maximum         {float(part.max()):.6g} at" in numbers(viewer)

    def test_what_cannot_be_fitted_says_why(self, viewer):
        viewer.model, viewer.selection = "gaussian", (2.4, 2.42)
        assert viewer.fit is None
        assert "Too few points" in viewer.problem
        assert "Too few points" in numbers(viewer)
        viewer.selection = None
        assert viewer.problem == ""
        viewer.y = ("count_time",)
        assert "no peak" in numbers(viewer)
        assert not viewer.fit.success

    def test_what_is_zoomed_stays_so_while_fitting(self, viewer):
        viewer.axes.set(xlim=(2.3, 2.6), ylim=(0, 70000))
        viewer.model = "pseudo_voigt"
        viewer.selection = (2.1, 2.9)
        assert viewer.axes.get_xlim() == (2.3, 2.6)
        assert viewer.axes.get_ylim() == (0, 70000)


class TestState:
    def test_the_state_restores_it(self, viewer, data):
        viewer.y, viewer.monitor, viewer.scale = ("qbpm1", "ic1monitor"), "ic1monitor", "log"
        viewer.model, viewer.selection, viewer.derivative = "lorentzian", (2.3, 2.5), True
        again = ScanViewer(data, **viewer.state)
        assert again.state == viewer.state
        assert str(again.fit) == str(viewer.fit)
        other = ScanViewer(data)
        other.state = viewer.state
        assert other.state == viewer.state
        with pytest.raises(UnknownNameError, match="part of the state"):
            other.state = {"colour": 1}

    def test_the_code_makes_the_same_picture(self, viewer, seed):
        viewer.monitor, viewer.scale = "ic1monitor", "log"
        viewer.model, viewer.selection = "gaussian", (2.25, 2.625)
        made = viewer.code()
        assert made.splitlines()[0] == "import beamkit as bk"
        names = {}
        exec(made.replace("bk.figures.scan(", "made = bk.figures.scan("), names)
        (axes,) = names["made"].axes
        for line in axes.lines:
            np.testing.assert_array_equal(line.get_xydata(), lines(viewer)[line.get_label()])
        assert viewer.axes.texts[0].get_text() in axes.texts[0].get_text()
        assert axes.get_yscale() == "log"

    def test_the_code_opens_the_scan_of_a_spec_file(self, data_folder):
        path = data_folder / "spec/fourc_20161029_long_night_00.spec"
        viewer = ScanViewer([bk.open(path, scan=number) for number in (2, 3)])
        opened = [f"bk.open({str(path.absolute())!r}, scan={number})" for number in (2, 3)]
        assert viewer.code().endswith(f"bk.figures.scan([{', '.join(opened)}])")

    @pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
    def test_it_is_saved(self, viewer, tmp_path, suffix):
        viewer.model = "gaussian"
        path = viewer.save(tmp_path / f"scan.{suffix}")
        assert path.stat().st_size > 5000


class TestErrors:
    @pytest.mark.parametrize(
        ("name", "value"),
        [("x", "SLY"), ("y", ("qbpm",)), ("monitor", "ic"), ("scale", "lin"), ("model", "gauss")],
    )
    def test_unknown_names_are_refused_with_those_that_are(self, viewer, name, value):
        before = viewer.state
        with pytest.raises(UnknownNameError, match="Known"):
            setattr(viewer, name, value)
        assert viewer.state == before

    def test_a_range_that_is_none_is_refused(self, viewer):
        for wrong in ((2, 2), (1,), 5, (0, np.nan), (0, np.inf), "ab"):
            with pytest.raises(ParameterError, match="lowest and the highest"):
                viewer.selection = wrong

    def test_what_is_no_scan_is_refused(self, data):
        grid = xr.Dataset({"a": (("y", "x"), np.eye(2, 3))}, attrs={"kind": "scan"})
        with pytest.raises(ShapeError, match="isel"):
            ScanViewer(grid)
        with pytest.raises(ParameterError, match="no scans"):
            ScanViewer([])
        with pytest.raises(ParameterError, match="different axes"):
            ScanViewer([data, data.rename(SLYCENTRE="eta")])
        with pytest.raises(BeamkitError):
            ScanViewer(data, y="nothing")


class TestLife:
    def test_the_mimebundle_has_a_picture_beside_the_widget(self, viewer):
        bundle = viewer._repr_mimebundle_()
        assert bundle[VIEW]["model_id"] == viewer.model_id
        pixels = matplotlib.image.imread(io.BytesIO(base64.b64decode(bundle["image/png"])))
        assert pixels.shape[1] == 450
        assert pixels[..., :3].std() > 0.05

    def test_viewers_are_freed(self, data):
        before = len(registry._instances)
        made = []
        for is_shown in (False, True, True):
            viewer = ScanViewer(data, model="gaussian")
            if is_shown:
                viewer._repr_mimebundle_()
                viewer.close()
            made.append(weakref.ref(viewer))
        del viewer
        gc.collect()
        assert [ref for ref in made if ref() is not None] == []
        assert len(registry._instances) == before

    def test_a_closed_viewer_can_be_opened_again(self, viewer):
        viewer.close()
        viewer.scale = "log"
        viewer.open()
        viewer.model = "gaussian"
        assert viewer.fit.success
        assert menu(viewer, "axes").value == "log"
        drag(viewer, 2.3, 2.6)
        assert viewer.selection is not None
