"""Two datasets against each other, without a browser."""

import gc
import os
import weakref

import numpy as np
import pytest
import xarray as xr

import beamkit as bk
from beamkit.core.errors import ParameterError, ShapeError, UnknownNameError

if os.environ.get("BEAMKIT_REQUIRE_ALL") != "1":
    pytest.importorskip("anywidget", reason='needs: pip install "beamkit[lab]"')

from beamkit_widgets.compare_viewer import HOWS, CompareViewer
from ipywidgets.widgets import widget as registry


@pytest.fixture
def viewer(stack):
    """The stack against twice itself and one more, open as in a notebook."""
    made = CompareViewer(stack, 2 * stack + stack.copy(data=np.ones_like(stack)))
    made.open()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _units(monkeypatch):
    """Keep the unit of an array in arithmetic, as a person who compares two files has it."""
    with xr.set_options(keep_attrs=True):
        yield


def test_side_by_side_shows_both(viewer, stack):
    first, second = viewer.shown
    np.testing.assert_array_equal(first.image, stack[0])
    np.testing.assert_array_equal(second.image, 2 * stack[0] + 1)


def test_the_difference_is_that_of_the_frame(viewer, stack):
    viewer.how = "difference"
    viewer.first.frame = 2
    (shown,) = viewer.shown
    np.testing.assert_allclose(shown.image, -stack[2] - 1)
    assert shown.cmap == "coolwarm"


def test_colours_of_a_difference_are_as_far_on_both_sides_of_zero(viewer):
    viewer.how = "difference"
    low, high = viewer.result.clim
    assert low == -high
    assert 40 < high <= 48  # the largest of -(10 row + column) - 1


def test_what_goes_down_is_seen_from_afar_as_what_goes_up_is():
    from beamkit_widgets._tiles import Tiler

    image = np.zeros((40, 60))
    image[7, 11], image[30, 50] = -5, 3
    seen, _ = Tiler(image, None, (0.0, 1.0), 0.0)._whole((10, 10))
    assert (seen[0, 1], seen[3, 5]) == (-5, 3)
    assert np.count_nonzero(seen) == 2


def test_automatic_contrast_of_a_difference_stays_even(viewer):
    viewer.how = "difference"
    viewer.result.auto(tightness=2)
    low, high = viewer.result.clim
    assert low == -high


def test_the_ratio_has_1_in_the_middle(viewer, stack):
    viewer.how = "ratio"
    np.testing.assert_allclose(viewer.result.image, stack[0] / (2 * stack[0] + 1), rtol=1e-6)
    assert sum(viewer.result.clim) == pytest.approx(2)


def test_stacks_are_compared_when_they_are_seen(stack):
    dask = pytest.importorskip("dask.array")
    loaded = []

    def load(block, block_info=None):
        loaded.append(block_info[0]["chunk-location"][0])
        return block

    lazy = dask.from_array(stack.values, chunks=(1, 5, 8)).map_blocks(load, dtype="f4")
    viewer = CompareViewer(stack.copy(data=lazy), stack, how="difference")
    viewer.result.frame = 2
    _ = viewer.result.image
    assert set(loaded) == {0, 2}


def test_stacks_in_memory_are_not_compared_all_at_once(stack):
    viewer = CompareViewer(stack, stack + 1, how="difference")
    assert viewer.result.source.data.chunks is not None


def test_frames_and_ranges_are_the_same_in_all(viewer):
    viewer.second.frame = 1
    viewer.how = "difference"
    assert (viewer.first.frame, viewer.result.frame) == (1, 1)
    viewer.result.span = ("mean", 0, 2)
    assert viewer.first.span == viewer.second.span == viewer.result.span


def test_a_stack_is_compared_with_one_image(stack):
    viewer = CompareViewer(stack, stack[1], how="difference")
    viewer.first.frame = 2
    assert viewer.result.frame == 2
    np.testing.assert_allclose(viewer.result.image, 100)


def test_contrast_is_the_same_on_demand(viewer):
    viewer.second.clim = (0, 7)
    assert viewer.first.clim != (0, 7)
    viewer.same_contrast = True
    assert viewer.second.clim == viewer.first.clim
    viewer.second.clim = (0, 9)
    assert viewer.first.clim == (0, 9)
    viewer.same_contrast = False
    viewer.second.clim = (0, 5)
    assert viewer.first.clim == (0, 9)


def test_the_browser_is_told_what_both_share(viewer):
    assert viewer.first._group == viewer.second._group != ""
    assert viewer.first._shares == ["zoom", "cursor"]
    viewer.same_contrast = True
    assert viewer.second._shares == ["zoom", "cursor", "look"]


def test_the_zoom_stays_when_the_way_to_compare_changes(viewer):
    viewer.first.zoom = [1.0, 1.0, 4.0, 3.0]
    viewer.how = "ratio"
    assert viewer.result.zoom == [1.0, 1.0, 4.0, 3.0]
    viewer.result.zoom = [0.0, 0.0, 2.0, 2.0]
    viewer.how = "side"
    assert viewer.second.zoom == [0.0, 0.0, 2.0, 2.0]


def test_the_buttons_say_what_is_taken_from_what(stack):
    viewer = CompareViewer(stack, stack, labels=("before", "after"))
    viewer.open()
    labels = [label for label, _ in viewer._buttons.options]
    viewer.close()
    assert labels == ["side by side", "before - after", "before / after"]


def test_a_button_changes_what_is_seen(viewer):
    viewer._buttons.value = "difference"
    assert viewer.how == "difference"
    assert viewer._stage.children == viewer.shown


def test_a_difference_that_cannot_be_is_told_beside_the_buttons(stack):
    viewer = CompareViewer(stack, stack.assign_attrs(units="keV"))
    viewer.open()
    viewer._buttons.value = "difference"
    words = viewer._message.value
    now = viewer._buttons.value
    viewer.close()
    assert "has no unit" in words
    assert now == viewer.how == "side"


def test_it_lives_again_after_it_was_closed(viewer):
    viewer.how = "difference"
    viewer.close()
    viewer.open()
    viewer.first.frame = 1
    assert viewer.result.frame == viewer.second.frame == 1


def test_closing_frees_all_of_it(stack):
    viewer = CompareViewer(stack, stack + 1)
    before = set(registry._instances)
    viewer.open()
    viewer.how = "difference"
    viewer.how = "side"
    threads = [one.talk.worker for one in (viewer.first, viewer.second)]
    viewer.close()
    assert set(registry._instances) == before
    assert all(worker.is_closed for worker in threads)
    gone = weakref.ref(viewer)
    del viewer
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("how", HOWS)
def test_a_picture_stays_without_a_kernel(stack, how):
    viewer = CompareViewer(stack, stack + 1, how=how)
    bundle = viewer._repr_mimebundle_()
    viewer.close()
    assert len(bundle["image/png"]) > 1000
    assert bundle["text/plain"] == viewer.caption


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda a: CompareViewer(a, a[:, :, 1:]), ShapeError, r"\(5, 8\).*\(5, 7\).*isel"),
        (lambda a: CompareViewer(a, a[:2], how="ratio"), ShapeError, "Crop"),
        (lambda a: CompareViewer(a, a, how="sum"), UnknownNameError, "way to compare 'sum'"),
        (
            lambda a: CompareViewer(a, a.assign_attrs(units="keV"), how="difference"),
            ParameterError,
            "no unit",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused_in_words(stack, make, error, words):
    with pytest.raises(error, match=words):
        make(stack)


def test_comparing_twice_in_a_session_gives_two_viewers(stack):
    first, second = bk.compare(stack, stack), bk.compare(stack, stack + 1)
    assert type(first) is type(second) is CompareViewer
