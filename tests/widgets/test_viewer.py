"""The image viewer without a browser: what it sends, and what a cell reads and sets."""

import json
import os
import threading

import numpy as np
import pytest
import xarray as xr

import beamkit as bk
from beamkit.core.errors import ParameterError, ShapeError, UnknownNameError
from beamkit.images import Coding, Line, Rectangle, Sector, decompress

if os.environ.get("BEAMKIT_REQUIRE_ALL") != "1":
    for package in ("ipywidgets", "anywidget"):
        pytest.importorskip(package, reason='needs: pip install "beamkit[lab]"')

from beamkit_widgets._worker import NewestFirst
from beamkit_widgets.viewer import ImageViewer
from ipywidgets.widgets import widget as registry
from widgets.shown import displayed


@pytest.fixture
def frames():
    """A diffraction dataset of 4 frames of 61 x 83 pixels; the detector is cropped."""
    rng = np.random.default_rng(4)
    counts = rng.poisson(3.0, (4, 61, 83)).astype(np.int32)
    counts[2, 40, 70] = 900
    counts[:, :, 30:33] = -1
    mask = np.zeros((61, 83), np.uint32)
    mask[:, 30:33] = 1
    mask[5, 7] = 2
    attrs = {
        "wavelength": 0.9173,
        "detector_distance": 0.2227,
        "pixel_size_x": 172e-6,
        "pixel_size_y": 172e-6,
        "beam_center_x": 150.25,
        "beam_center_y": 121.5,
        "count_cutoff": 800.0,
    }
    coords = {
        "omega": ("frame", [10.0, 10.5, 11.0, 11.5], {"units": "deg"}),
        "detector_y": ("detector_y", np.arange(61) + 100, {"units": "pixel"}),
        "detector_x": ("detector_x", np.arange(83) + 120, {"units": "pixel"}),
    }
    dims = ("frame", "detector_y", "detector_x")
    return xr.Dataset(
        {
            "frames": (dims, counts, {"units": "counts", "quantity": "counts"}),
            "mask": (dims[1:], mask, {"units": "1"}),
        },
        coords,
        {"kind": "diffraction", **attrs},
    )


@pytest.fixture
def viewer(frames):
    """A viewer as a browser sees it: what it sends is kept in ``viewer.sent``."""
    made = ImageViewer(frames)
    made.open()
    made.sent = []
    made.send = lambda content, buffers=None: made.sent.append((content, buffers or []))
    yield made
    made.close()


def hear(viewer, **content):
    """Let the viewer hear a message from the browser, and wait for its answers."""
    viewer.talk.hear({"client": "here", **content})
    assert viewer.talk.worker.wait(20)


def tiles(viewer, role):
    """The tiles of a role that were sent, newest first: header and values, NaN where flagged."""
    found = [(c["tile"], b) for c, b in viewer.sent if c["type"] == "tile"]
    return [
        (
            tile,
            Coding.from_dict(tile["coding"]).decode(
                decompress(buffers[0], (tile["rows"], tile["columns"]))
            ),
            decompress(buffers[0], (tile["rows"], tile["columns"])),
        )
        for tile, buffers in reversed(found)
        if tile["role"] == role
    ]


class TestPictures:
    def test_a_browser_gets_the_frame_with_its_flags(self, viewer, frames):
        hear(viewer, type="ready")
        viewer.frame = 2
        assert viewer.talk.worker.wait(20)
        tile, values, codes = tiles(viewer, "whole")[0]
        assert (tile["frame"], tile["rows"], tile["columns"]) == (2, 61, 83)
        good = (frames["mask"].values == 0) & (frames["frames"].values[2] <= 800)
        np.testing.assert_array_equal(values[good], frames["frames"].values[2][good])
        assert (codes[:, 30:33] == 0).all()
        assert codes[5, 7] == 1
        assert codes[40, 70] == 65535

    def test_a_small_screen_gets_maxima_and_no_spot_is_lost(self, viewer):
        hear(viewer, type="ready")
        hear(viewer, type="view", bounds=[-5, 0, 90, 61], width=24, height=20)
        viewer.frame = 2
        assert viewer.talk.worker.wait(20)
        tile, _values, codes = tiles(viewer, "whole")[0]
        assert (tile["stepX"], tile["stepY"]) == (4, 4)
        assert codes[40 // 4, 70 // 4] == 65535

    def test_zooming_in_gets_the_very_pixels_and_their_values(self, viewer, frames):
        hear(viewer, type="ready")
        hear(viewer, type="view", bounds=[60.5, 30, 75, 45], width=24, height=20)
        tile, values, _codes = tiles(viewer, "detail")[0]
        y, x = tile["y0"], tile["x0"]
        assert (tile["stepX"], tile["stepY"]) == (1, 1)
        expected = frames["frames"].values[0, y : y + tile["rows"], x : x + tile["columns"]]
        np.testing.assert_array_equal(values, expected)
        assert x <= 60
        assert x + tile["columns"] >= 75
        buffers = next(b for c, b in viewer.sent if c.get("tile", {}).get("role") == "detail")
        sent = np.frombuffer(buffers[1]).reshape(expected.shape)
        np.testing.assert_array_equal(sent, expected)

    def test_versions_grow_with_every_picture(self, viewer):
        hear(viewer, type="ready")
        for frame in (3, 1, 2):
            viewer.frame = frame
            assert viewer.talk.worker.wait(20)
        shown = [tile for tile, _, _ in reversed(tiles(viewer, "whole"))]
        assert [tile["frame"] for tile in shown] == [0, 3, 1, 2]
        versions = [tile["version"] for tile in shown]
        assert versions == sorted(set(versions))

    def test_a_range_of_frames_becomes_one_picture(self, viewer, frames):
        hear(viewer, type="ready")
        viewer.span = ("sum", 1, 3)
        assert viewer.talk.worker.wait(20)
        tile, values, _ = tiles(viewer, "whole")[0]
        total = frames["frames"].values[1:4].sum(axis=0)
        good = (frames["mask"].values == 0) & (total <= 800)
        np.testing.assert_array_equal(values[good], total[good])
        assert tile["frame"] == -1
        assert tile["label"] == "sum of 1 to 3"

    def test_the_value_of_a_pixel_comes_with_what_is_wrong_with_it(self, viewer):
        viewer.frame = 2
        for row, column, text in ((40, 70, "900 saturated"), (3, 31, "-1 gap"), (5, 7, "dead")):
            hear(viewer, type="value", row=row, column=column)
            told = next(c for c, _ in reversed(viewer.sent) if c["type"] == "value")
            assert (told["row"], told["column"]) == (row, column)
            assert text in told["text"]

    def test_thumbnails_are_small_and_in_order(self, viewer):
        hear(viewer, type="thumbnails", frames=[0, 3])
        found = [tile for tile, _, _ in reversed(tiles(viewer, "thumbnail"))]
        assert [tile["frame"] for tile in found] == [0, 3]
        assert all(tile["rows"] <= 48 and tile["columns"] <= 60 for tile in found)

    def test_a_file_that_cannot_be_read_is_told_and_the_viewer_lives_on(self, viewer):
        def broken(_places):
            raise ParameterError("frame 3 is cut. Copy the file again.")

        whole, viewer.source.image = viewer.source.image, broken
        viewer.frame = 3
        assert viewer.talk.worker.wait(20)
        told = next(c for c, _ in reversed(viewer.sent) if c["type"] == "message")
        assert told["isError"]
        assert "cut" in told["text"]
        viewer.source.image = whole
        viewer.frame = 1
        assert viewer.talk.worker.wait(20)
        assert tiles(viewer, "whole")[0][0]["frame"] == 1


class TestState:
    def test_a_region_reads_back_as_data_with_its_coordinates(self, viewer, frames):
        viewer._roi = {"kind": "rectangle", "x0": 60, "y0": 20, "x1": 75, "y1": 44}  # the browser
        data = viewer.roi.data
        assert data.dims == ("detector_y", "detector_x")
        assert (data.detector_x[0], data.detector_x[-1]) == (180, 194)
        assert (data.detector_y[0], data.detector_y[-1]) == (120, 143)
        expected = frames["frames"].isel(frame=0)[20:44, 60:75]
        np.testing.assert_array_equal(data.values, expected)
        assert viewer.roi.region == Rectangle(60, 20, 75, 44)

    def test_a_region_set_in_python_reaches_the_browser(self, viewer):
        viewer.roi = Line(3, 4, 50, 41, width=3)
        assert viewer._roi == {"kind": "line", "x0": 3, "y0": 4, "x1": 50, "y1": 41, "width": 3}
        viewer.roi = None
        assert viewer._roi is None

    def test_statistics_leave_masked_pixels_out(self, viewer, frames):
        viewer.roi = Rectangle(25, 10, 40, 20)
        found = viewer.roi.statistics()
        good = frames["frames"].values[0, 10:20, 25:40][frames["mask"].values[10:20, 25:40] == 0]
        assert found.sum == good.sum()
        assert found.pixels == good.size

    def test_the_state_goes_through_json_and_back(self, viewer, frames):
        viewer.roi = Sector(20, 30, 5, 25, -30, 60)
        viewer.frame, viewer.clim, viewer.scale, viewer.cmap = 2, (1, 44), "log", "magma"
        viewer.invert, viewer.rings, viewer.zoom = False, ("ice", 3.2), (5, 6, 50, 40)
        viewer.beam_center = (151.0, 120.0)
        viewer.mask = viewer.mask | (np.arange(83) > 80).astype(np.uint32) * 256
        state = json.loads(json.dumps(viewer.state))
        other = ImageViewer(frames)
        other.state = state
        assert other.state == viewer.state
        assert other.roi.region == Sector(20, 30, 5, 25, -30, 60)
        assert (other.mask.values == viewer.mask.values).all()
        assert other.geometry == viewer.geometry

    def test_a_state_of_unknown_things_is_refused(self, viewer):
        with pytest.raises(UnknownNameError, match="clim"):
            viewer.state = {"clims": (0, 1)}

    def test_dims_can_be_exchanged_and_cut(self, frames):
        viewer = ImageViewer(frames, rows="frame", columns="detector_x")
        viewer.place(detector_y=40)
        assert viewer.image.dims == ("frame", "detector_x")
        np.testing.assert_array_equal(viewer.image, frames["frames"].values[:, 40])
        viewer.close()

    @pytest.mark.parametrize(
        ("name", "value", "error", "text"),
        [
            ("frame", 4, ParameterError, "0 to 3"),
            ("clim", (2, 1), ParameterError, "lower one first"),
            ("clim", (0, float("nan")), ParameterError, "two numbers"),
            ("scale", "logg", UnknownNameError, "log"),
            ("cmap", "greys", UnknownNameError, "Greys"),
            ("rings", ("LaB7",), UnknownNameError, "LaB6"),
            ("rings", (-2.0,), ParameterError, "above 0"),
            ("mask", np.zeros((3, 3)), ShapeError, r"\(61, 83\)"),
            ("zoom", "near", ParameterError, "x0 < x1"),
            ("zoom", (5, 5, 5, 9), ParameterError, "x0 < x1"),
            ("roi", "all", ParameterError, "Rectangle"),
            ("beam_center", "middle", ParameterError, "two finite numbers"),
            ("span", ("median", 0, 2), ParameterError, "sum, max, mean"),
            ("span", ("sum", 0, 9), ParameterError, "0 to 3"),
        ],
    )
    def test_what_is_not_allowed_is_refused_in_words(self, viewer, name, value, error, text):
        before = viewer.state
        with pytest.raises(error, match=text):
            setattr(viewer, name, value)
        assert viewer.state == before

    def test_an_unknown_option_is_refused_by_name(self, frames):
        with pytest.raises(UnknownNameError, match="scale"):
            ImageViewer(frames, sclae="log")

    def test_bare_arrays_are_refused_with_the_cure(self):
        with pytest.raises(ParameterError, match=r"xr\.DataArray"):
            ImageViewer(np.zeros((3, 4)))

    def test_true_and_false_are_an_image(self):
        viewer = ImageViewer(xr.DataArray(np.eye(5, 7) > 0, dims=("y", "x")))
        assert viewer.clim == (0, 1)
        viewer.picture()

    def test_a_long_thin_image_has_the_contrast_of_its_pixels(self):
        values = np.random.default_rng(3).uniform(0, 1, (3, 100_000))
        low, high = ImageViewer(xr.DataArray(values, dims=("y", "x"))).clim
        assert low < 0.99
        assert high > 0.99

    def test_three_numbers_are_no_image(self):
        with pytest.raises(ShapeError, match="two dimensions"):
            ImageViewer(xr.DataArray([1, 2, 3]))


class TestPicture:
    def test_the_code_makes_the_same_picture(self, tmp_path):
        sample = bk.samples.diffraction(
            tmp_path / "crystal", frames=2, detector="PILATUS 100K", seed=3
        )
        viewer = bk.view(bk.open(sample))
        viewer.frame, viewer.clim, viewer.scale = 1, (0, 120), "asinh"
        viewer.rings, viewer.roi = (4.0, "ice"), Rectangle(20, 30, 90, 140)
        names = {}
        code = viewer.code().replace("bk.figures.image(", "picture = bk.figures.image(")
        exec(code, names)
        assert pixels(names["picture"]).tobytes() == pixels(viewer.picture()).tobytes()

    def test_data_in_memory_are_named_as_such(self, viewer):
        assert viewer.code().splitlines()[2].startswith("data = ...")

    @pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
    def test_it_is_saved_as(self, viewer, tmp_path, suffix):
        path = viewer.save(tmp_path / f"picture.{suffix}")
        start = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[suffix]
        assert path.read_bytes().startswith(start)

    def test_displaying_leaves_a_picture_and_the_widget(self, viewer, monkeypatch):
        outputs = displayed(monkeypatch)
        viewer._ipython_display_()
        still, live = outputs
        assert set(live) == {"application/vnd.jupyter.widget-view+json"}
        assert still["text/plain"] == viewer.caption
        assert 3000 < len(still["image/png"]) < 400_000


def pixels(picture):
    """What a picture looks like."""
    picture.canvas.draw()
    return np.asarray(picture.canvas.buffer_rgba()).copy()


class TestLife:
    def test_closing_frees_the_widget_and_its_thread(self, frames):
        before, others = len(registry._instances), set(threading.enumerate())
        viewer = ImageViewer(frames)
        viewer.open()
        hear(viewer, type="ready")
        gate = threading.Event()
        viewer.talk.later("wait", gate.wait)
        (thread,) = set(threading.enumerate()) - others
        viewer.close()
        gate.set()
        thread.join(5)
        assert not thread.is_alive()
        assert len(registry._instances) == before

    def test_a_closed_viewer_can_be_shown_again(self, frames):
        viewer = ImageViewer(frames)
        viewer.open()
        viewer.close()
        viewer.open()
        viewer.frame = 2
        assert viewer.talk.worker.wait(20)
        assert not viewer.talk.worker.is_closed
        viewer.close()


class TestWorker:
    def test_of_several_under_one_name_the_newest_is_done(self):
        worker, done, gate = NewestFirst("test"), [], threading.Event()
        worker.submit("first", gate.wait)
        for number in range(50):
            worker.submit("slider", lambda number=number: done.append(number))
        gate.set()
        assert worker.wait(5)
        assert done == [49]
        worker.close()

    def test_names_take_turns(self):
        worker, done, gate = NewestFirst("test"), [], threading.Event()
        worker.submit("first", gate.wait)
        for name in ("a", "b", "a"):
            worker.submit(name, lambda name=name: done.append(name))
        gate.set()
        assert worker.wait(5)
        assert sorted(done) == ["a", "b"]
        worker.close()

    def test_it_survives_a_failure(self, caplog):
        worker, done = NewestFirst("test"), []
        worker.submit("bad", lambda: 1 / 0)
        assert worker.wait(5)
        worker.submit("good", lambda: done.append(1))
        assert worker.wait(5)
        assert done == [1]
        assert "ZeroDivisionError" in caplog.text
        worker.close()
