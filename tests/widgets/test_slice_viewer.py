"""The viewer of images and stacks, without a browser."""

import base64
import functools
import gc
import io
import os
import subprocess
import sys
import threading
import weakref

import matplotlib
import numpy as np
import pytest
import xarray as xr

import beamkit as bk
from beamkit.core.errors import BeamkitError, ParameterError, ShapeError, UnknownNameError

if os.environ.get("BEAMKIT_REQUIRE_ALL") != "1":
    for package in ("ipywidgets", "ipympl"):
        pytest.importorskip(package, reason='needs: pip install "beamkit[lab]"')

import ipywidgets
from beamkit_widgets import _shown
from ipywidgets.widgets import widget as registry
from widgets.shown import displayed

slices = functools.partial(bk.view, backend="ipympl")

VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def viewer(stack):
    """A viewer that is open, as in a notebook."""
    made = slices(stack)
    made.open()
    yield made
    made.close()


def shown(viewer):
    """The image on the screen; NaN where it is masked."""
    return np.ma.filled(np.ma.asarray(viewer.image.get_array(), dtype=float), np.nan)


def picture(viewer):
    """The pixels of the PNG."""
    png = base64.b64decode(viewer._repr_mimebundle_()["image/png"])
    return matplotlib.image.imread(io.BytesIO(png))


def controls(viewer, kind):
    """All controls of a kind in the viewer."""
    rows = [row for row in viewer.children if isinstance(row, ipywidgets.HBox)]
    return [item for row in rows for item in row.children if isinstance(item, kind)]


class TestWhatIsShown:
    def test_moving_the_slider_shows_that_image(self, viewer, stack):
        (slider,) = controls(viewer, ipywidgets.IntSlider)
        slider.value = 2
        assert viewer.index == 2
        np.testing.assert_array_equal(shown(viewer), stack[2])

    def test_setting_the_trait_moves_the_slider_and_tells_the_angle(self, viewer):
        viewer.index = 1
        (slider,) = controls(viewer, ipywidgets.IntSlider)
        label = controls(viewer, ipywidgets.Label)[0]
        assert slider.value == 1
        assert label.value == "12.5 deg"
        assert viewer.image.axes.get_title(loc="left") == "projections, angle 12.5 deg"

    def test_row_0_is_at_the_top_and_pixels_are_centred_on_their_coordinate(self, viewer):
        left, right, bottom, top = viewer.image.get_extent()
        assert (left, right) == (39.5, 47.5)
        assert (top, bottom) == (199.5, 204.5)
        ylim = viewer.image.axes.get_ylim()
        assert ylim[0] > ylim[1], "rows run downwards"

    def test_a_lazy_stack_loads_only_the_image_that_is_shown(self, stack):
        dask = pytest.importorskip("dask.array")
        loaded = []

        def load(block, block_info=None):
            loaded.append(block_info[0]["chunk-location"][0])
            return block

        lazy = dask.from_array(stack.values, chunks=(1, 5, 8)).map_blocks(load, dtype="f4")
        viewer = slices(stack.copy(data=lazy))
        viewer.index = 2
        assert set(loaded) == {0, 2}
        np.testing.assert_array_equal(shown(viewer), stack[2])

    def test_a_single_image_has_no_slider_for_the_stack(self, stack):
        viewer = slices(stack[1])
        viewer.open()
        assert controls(viewer, ipywidgets.IntSlider) == []
        np.testing.assert_array_equal(shown(viewer), stack[1])
        viewer.close()

    def test_a_dataset_shows_its_main_variable_with_the_mask_of_the_detector(self, stack):
        mask = np.zeros((5, 8), np.uint32)
        mask[3, 6] = 1  # a gap
        mask[0, 0] = 1 << 31  # a virtual pixel: information only
        frames = stack.rename(angle="frame").astype(np.int32)
        data = xr.Dataset(
            {"frames": frames, "mask": (("detector_y", "detector_x"), mask)},
            attrs={"kind": "diffraction"},
        )
        image = shown(data.bk.view(backend="ipympl"))
        assert np.isnan(image[3, 6])
        assert np.isnan(image).sum() == 1

    def test_masked_and_nan_pixels_have_a_colour_that_no_grey_has(self, stack):
        data = stack.copy()
        data[0, 0, :] = np.nan
        pixels = picture(slices(data))[:, :, :3]
        coloured = np.ptp(pixels, axis=-1) > 0.1
        rows = np.flatnonzero(coloured.any(axis=1))
        # One of five rows, the one at the top.
        assert rows.size > 20
        assert rows.mean() < pixels.shape[0] / 3

    def test_a_volume_starts_in_the_middle_with_lengths_on_its_axes(self):
        length = {"units": "um"}
        volume = xr.DataArray(
            np.arange(5 * 4 * 6, dtype=np.float32).reshape(5, 4, 6),
            dims=("z", "y", "x"),
            coords={
                "z": ("z", 3.25 * np.arange(5), length),
                "y": ("y", 3.25 * (np.arange(4) - 1.5), length),
                "x": ("x", 3.25 * (np.arange(6) - 2.5), length),
            },
            attrs={"units": "1/cm", "quantity": "attenuation"},
            name="volume",
        )
        viewer = volume.bk.view(backend="ipympl")
        assert viewer.index == 2
        assert viewer.image.axes.get_xlabel() == "x [µm]"
        assert viewer.image.get_extent() == pytest.approx((-9.75, 9.75, 6.5, -6.5))
        assert viewer.image.axes.get_aspect() == 1

    def test_pixels_that_are_not_square_are_shown_so(self, stack):
        tall = stack.assign_attrs(pixel_size_x=1e-4, pixel_size_y=2e-4)
        assert slices(tall).image.axes.get_aspect() == 2

    def test_a_few_rows_are_stretched_rather_than_invisible(self):
        viewer = slices(xr.DataArray(np.eye(2, 640)))
        assert viewer.image.axes.get_aspect() == "auto"

    def test_uneven_coordinates_are_shown_by_number(self, stack):
        uneven = stack.assign_coords(detector_y=[0, 1, 2, 3, 9])
        viewer = slices(uneven)
        assert tuple(viewer.image.get_extent()[2:]) == (4.5, -0.5)


class TestColours:
    def test_contrast_is_taken_from_the_good_pixels_only(self):
        values = np.linspace(0, 1, 1001 * 7).reshape(1001, 7)
        values[:, 3] = np.nan
        values[500, 0] = np.inf
        low, high = slices(xr.DataArray(values)).limits
        # quantiles 0.005 and 0.995 of numbers that are spread evenly
        assert low == pytest.approx(0.005, abs=1e-3)
        assert high == pytest.approx(0.995, abs=1e-3)

    def test_auto_sets_the_contrast_of_the_image_that_is_shown(self, viewer):
        before = viewer.limits
        viewer.index = 2
        assert viewer.limits == before, "moving along the stack keeps the contrast"
        controls(viewer, ipywidgets.Button)[0].click()
        assert viewer.limits == pytest.approx((before[0] + 200, before[1] + 200))

    def test_the_contrast_slider_reaches_limits_set_by_hand(self, viewer):
        (slider,) = controls(viewer, ipywidgets.FloatRangeSlider)
        viewer.limits = (-500, 7000)
        assert slider.value == (-500, 7000)
        assert viewer.image.get_clim() == (-500, 7000)
        slider.value = (10, 10)
        assert viewer.limits == pytest.approx((10, 10))

    def test_zero_counts_are_dark_on_a_logarithmic_scale_and_not_missing(self, stack):
        viewer = slices(stack, scale="log", limits=(0, 40), cmap="gray")
        colours = viewer.image.to_rgba(np.ma.array([0.0, -3.0, 40.0]))
        np.testing.assert_allclose(colours[:, :3], [[0] * 3, [0] * 3, [1] * 3])

    def test_one_count_is_brighter_than_none_on_a_logarithmic_scale(self, stack):
        counts = stack.astype(np.uint16)
        norm = slices(counts, scale="log", limits=(0, 50)).image.norm
        # From half a count to 50: one count is log(2) / log(100) of the way.
        assert norm(0) == 0
        assert norm(1) == pytest.approx(np.log(2) / np.log(100))

    def test_half_the_brightness_is_where_the_scale_says(self, stack):
        half = {"linear": 50.5, "log": 10.0, "sqrt": 25.75}  # of 1 ... 100, by hand
        for scale, value in half.items():
            norm = slices(stack, limits=(1, 100), scale=scale).image.norm
            assert norm(value) == pytest.approx(0.5, abs=1e-6), scale

    def test_menus_and_traits_go_together(self, viewer):
        cmap, scale = controls(viewer, ipywidgets.Dropdown)
        cmap.value, scale.value = "magma", "sqrt"
        assert (viewer.cmap, viewer.scale) == ("magma", "sqrt")
        viewer.cmap = "plasma"  # not in the menu before
        assert cmap.value == "plasma"
        assert viewer.image.get_cmap().name == "plasma"


class TestCursor:
    def at(self, viewer, x, y):
        axes = viewer.image.axes
        viewer.figure.draw_without_rendering()
        place = axes.transData.transform((x, y))
        canvas = viewer.figure.canvas
        event = {"x": place[0], "y": canvas.get_renderer().height - place[1]}
        common = {"type": "motion_notify", "button": 0, "buttons": 0, "modifiers": []}
        canvas._handle_message(canvas, {**common, **event}, [])
        return controls(viewer, ipywidgets.Label)[-1].value

    def test_position_and_value_under_the_cursor_are_told(self, viewer):
        assert self.at(viewer, 43.2, 201.4) == "detector x 43, detector y 201: 13 counts"
        viewer.index = 1
        assert self.at(viewer, 43.2, 201.4) == "detector x 43, detector y 201: 113 counts"

    def test_masked_pixels_say_so(self, stack):
        mask = xr.zeros_like(stack[0], dtype=int)
        mask[1, 3] = 2
        viewer = slices(stack, mask=mask)
        viewer.open()
        assert self.at(viewer, 43, 201).endswith("13 counts (masked)")
        viewer.close()

    def test_nothing_is_told_outside_the_image(self, viewer):
        assert self.at(viewer, 43.2, 201.4) != " "
        assert self.at(viewer, 60, 201.4) == " "


class TestStatic:
    def test_the_mimebundle_has_a_picture_beside_the_widget(self, viewer):
        bundle = viewer._repr_mimebundle_()
        assert bundle[VIEW]["model_id"] == viewer.model_id
        pixels = picture(viewer)
        assert pixels.shape[1] == 540
        assert pixels.std() > 0.1

    def test_the_picture_follows_the_state(self, viewer):
        first = picture(viewer)
        viewer.index = 2
        assert (picture(viewer) != first).any()

    def test_displaying_leaves_a_picture_and_then_the_widget(self, viewer, monkeypatch):
        outputs = displayed(monkeypatch)
        viewer._ipython_display_()
        still, live = outputs
        assert set(still) == {"image/png", "text/plain"}
        assert set(live) == {VIEW}


class TestErrors:
    def test_four_dimensions_are_refused(self):
        with pytest.raises(ShapeError, match=r"2 or 3 dimensions.*isel"):
            slices(xr.DataArray(np.zeros((2, 2, 2, 2))))

    def test_nothing_to_show_is_refused(self):
        with pytest.raises(ShapeError, match="sizes"):
            slices(xr.DataArray(np.zeros((0, 5))))

    def test_complex_numbers_are_refused(self):
        with pytest.raises(ParameterError, match="abs"):
            slices(xr.DataArray(np.zeros((2, 5), complex)))

    def test_a_mask_of_another_shape_is_refused(self, stack):
        with pytest.raises(ShapeError, match=r"\(4, 8\).*\(5, 8\)"):
            slices(stack, mask=xr.zeros_like(stack[0, :4]))

    def test_an_image_that_is_not_there_is_refused(self, viewer):
        for wrong in (3, -1, 1.5):
            with pytest.raises(ParameterError, match="0 to 2"):
                viewer.index = wrong
        assert viewer.index == 0

    def test_numbers_of_numpy_are_taken(self, viewer):
        viewer.index, viewer.limits = np.int64(2), (np.float32(1), np.float32(3))
        assert (viewer.index, viewer.limits) == (2, (1.0, 3.0))

    def test_limits_the_wrong_way_round_are_refused(self, viewer):
        for wrong in ((2, 1), (0, np.nan), (0, np.inf)):
            with pytest.raises(ParameterError, match="lower one first"):
                viewer.limits = wrong

    @pytest.mark.parametrize(("name", "value"), [("cmap", "virids"), ("scale", "lin")])
    def test_unknown_names_are_refused_with_the_nearest(self, viewer, name, value):
        with pytest.raises(UnknownNameError, match="Did you mean|Known"):
            setattr(viewer, name, value)

    def test_every_error_is_one_of_ours(self, stack):
        for options in ({"index": 9}, {"limits": (1, 0)}, {"cmap": "x"}, {"scale": "x"}):
            with pytest.raises(BeamkitError):
                slices(stack, **options)


class TestMemory:
    def test_viewers_that_were_never_shown_are_freed(self, stack):
        before = len(registry._instances)
        made = [weakref.ref(slices(stack)) for _ in range(30)]
        gc.collect()
        assert [ref for ref in made if ref() is not None] == []
        assert len(registry._instances) == before

    def test_viewers_that_were_shown_are_freed_when_closed(self, stack):
        before = len(registry._instances)
        made = []
        for _ in range(6):
            viewer = slices(stack)
            viewer._repr_mimebundle_()
            made.append(weakref.ref(viewer.figure.canvas))
            viewer.close()
        del viewer
        gc.collect()
        assert [ref for ref in made if ref() is not None] == []
        assert len(registry._instances) == before

    def test_running_a_cell_again_closes_the_viewer_it_had_shown(self, stack, monkeypatch):
        displayed(monkeypatch)
        runs = iter([("cell-1", "a"), ("cell-1", "a"), ("cell-2", "b"), ("cell-1", "c")])
        monkeypatch.setattr(_shown, "running_cell", lambda: next(runs))
        viewers = [slices(stack) for _ in range(4)]
        for viewer in viewers:
            viewer._ipython_display_()
        # The first cell had shown two in one run; the other cell keeps its own.
        assert [viewer.comm is None for viewer in viewers] == [True, True, False, False]
        for viewer in viewers:
            viewer.close()

    def test_a_closed_viewer_can_be_opened_again(self, viewer, stack):
        viewer.close()
        viewer.index = 1
        viewer.open()
        viewer.index = 2
        np.testing.assert_array_equal(shown(viewer), stack[2])
        assert controls(viewer, ipywidgets.IntSlider)[0].value == 2

    def test_a_viewer_works_inside_a_box(self, stack):
        viewer = slices(stack)
        box = ipywidgets.HBox([viewer])
        assert viewer.comm is not None
        box.close()
        viewer.close()

    def test_matplotlib_is_left_as_it_was(self):
        code = (
            "import sys, matplotlib; matplotlib.use('svg'); import beamkit as bk, xarray as xr;"
            "bk.view(xr.DataArray([[1., 2.]]), backend='ipympl')._repr_mimebundle_();"
            "print(matplotlib.get_backend(), 'matplotlib.pyplot' in sys.modules)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert done.stdout.split() == ["svg", "False"]


def test_two_threads_may_move_it_while_it_is_drawn(viewer):
    failures = []

    def move(start):
        try:
            for step in range(6):
                viewer.index = (start + step) % 3
                viewer.limits = (step, step + 50 + start)
                viewer.figure.canvas._handle_message(viewer, {"type": "draw"}, [])
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=move, args=(k,)) for k in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_without_ipywidgets_the_error_says_what_to_install():
    code = (
        "import sys; sys.modules['ipywidgets'] = None\n"
        "import beamkit as bk, xarray as xr\n"
        "try:\n    bk.view(xr.DataArray([[1., 2.]]))\n"
        "except ImportError as error:\n    print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("MissingDependencyError ipywidgets is not installed")
    assert 'pip install "beamkit[lab]"' in done.stdout
