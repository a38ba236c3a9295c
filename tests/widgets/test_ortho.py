"""Three planes of a volume, without a browser."""

import base64
import gc
import io
import os
import weakref

import numpy as np
import pytest
import xarray as xr

from beamkit.core.errors import ParameterError, ShapeError, UnknownNameError

if os.environ.get("BEAMKIT_REQUIRE_ALL") != "1":
    pytest.importorskip("anywidget", reason='needs: pip install "beamkit[lab]"')

from beamkit_widgets.ortho import OrthoViewer
from ipywidgets.widgets import widget as registry


@pytest.fixture
def volume():
    """5 x 6 x 9 voxels: 100 z + 10 y + x."""
    z, y, x = np.indices((5, 6, 9))
    return xr.DataArray(
        (100 * z + 10 * y + x).astype(np.float32),
        dims=("z", "y", "x"),
        coords={"z": ("z", np.arange(5) * 5.0, {"units": "um"})},
        attrs={"units": "1/cm"},
        name="volume",
    )


@pytest.fixture
def viewer(volume):
    """A viewer that is open, as in a notebook."""
    made = OrthoViewer(volume)
    made.open()
    yield made
    made.close()


def planes(viewer):
    """The images that are shown."""
    return [plane.image for plane in viewer.viewers]


def test_it_begins_in_the_middle(volume):
    assert OrthoViewer(volume).position == {"z": 2, "y": 3, "x": 4}


def test_the_planes_are_those_through_the_point(volume):
    viewer = OrthoViewer(volume, z=1, y=4, x=7)
    front, side, top = planes(viewer)
    xr.testing.assert_identical(front, volume.isel(z=1))
    xr.testing.assert_identical(side, volume.isel(x=7).transpose("y", "z"))
    xr.testing.assert_identical(top, volume.isel(y=4))
    assert float(viewer.value) == 147


def test_a_click_in_a_plane_moves_the_other_two(viewer, volume):
    # What the browser does: in the plane (y, x) it sets the index of both, and keeps that of z.
    viewer.viewers[0]._cross = {"z": 2, "y": 5, "x": 1}
    assert (viewer.z, viewer.y, viewer.x) == (2, 5, 1)
    _, side, top = planes(viewer)
    xr.testing.assert_identical(side, volume.isel(x=1).transpose("y", "z"))
    xr.testing.assert_identical(top, volume.isel(y=5))
    assert all(plane._cross == viewer.position for plane in viewer.viewers)


def test_the_slider_of_a_plane_moves_the_cross_of_the_others(viewer):
    viewer.viewers[2].frame = 1
    assert viewer.y == 1
    assert viewer.viewers[0]._cross["y"] == 1


def test_a_cell_moves_all_planes(viewer):
    viewer.x = 8
    assert viewer.viewers[1].frame == 8


def test_contrast_is_the_same_in_all_planes(viewer):
    viewer.viewers[1].clim = (3, 50)
    viewer.cmap = "viridis"
    assert {plane.clim for plane in viewer.viewers} == {(3.0, 50.0)}
    assert viewer.clim == (3.0, 50.0)
    assert {plane.cmap for plane in viewer.viewers} == {"viridis"}


def test_zoom_is_not_shared_between_planes_of_other_shapes(viewer):
    assert all("zoom" not in plane._shares for plane in viewer.viewers)
    assert len({plane._group for plane in viewer.viewers}) == 1


def test_two_viewers_do_not_follow_each_other(volume):
    first, second = OrthoViewer(volume), OrthoViewer(volume)
    assert first.viewers[0]._group != second.viewers[0]._group


def test_other_names_of_dimensions_are_as_good(volume):
    viewer = OrthoViewer(volume.rename(z="angle", y="row", x="column").drop_vars("angle"), z=3)
    assert viewer.position == {"angle": 3, "row": 3, "column": 4}


def test_a_lazy_volume_loads_only_what_is_seen(volume):
    dask = pytest.importorskip("dask.array")
    loaded = set()

    def load(block, block_info=None):
        loaded.add(block_info[0]["chunk-location"])
        return block

    lazy = dask.from_array(volume.values, chunks=(1, 6, 3)).map_blocks(load, dtype="f4")
    viewer = OrthoViewer(volume.copy(data=lazy), clim=(0, 1))
    loaded.clear()
    _ = viewer.viewers[1].image
    assert loaded == {(z, 0, 1) for z in range(5)}


def test_it_lives_again_after_it_was_closed(viewer):
    viewer.close()
    viewer.y = 2
    assert viewer.viewers[2].frame == 2
    viewer.open()
    viewer.viewers[0]._cross = {"z": 4, "y": 0, "x": 0}
    assert viewer.position == {"z": 4, "y": 0, "x": 0}


def test_closing_frees_all_of_it(volume):
    viewer = OrthoViewer(volume)
    before = set(registry._instances)
    viewer.open()
    threads = [plane.talk.worker for plane in viewer.viewers]
    viewer.close()
    assert set(registry._instances) == before
    assert all(worker.is_closed for worker in threads)
    gone = weakref.ref(viewer)
    del viewer
    gc.collect()
    assert gone() is None


def test_a_picture_stays_without_a_kernel(volume):
    from PIL import Image

    viewer = OrthoViewer(volume)
    bundle = viewer._repr_mimebundle_()
    viewer.close()
    picture = Image.open(io.BytesIO(base64.b64decode(bundle["image/png"])))
    single = Image.open(io.BytesIO(viewer.viewers[0]._still()))
    assert picture.width > 1.5 * single.width
    assert bundle["text/plain"] == "volume: planes at z 2 (10 µm), y 3, x 4"


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda v: OrthoViewer(v[0]), ShapeError, r"isel\("),
        (lambda v: OrthoViewer(v, z=5), ParameterError, "z goes from 0 to 4"),
        (lambda v: OrthoViewer(v, x=-1), ParameterError, "x goes from 0 to 8"),
        (lambda v: OrthoViewer(v, zoom=2), UnknownNameError, "'zoom'"),
    ],
)
def test_what_cannot_be_is_refused_in_words(volume, make, error, words):
    with pytest.raises(error, match=words):
        make(volume)
