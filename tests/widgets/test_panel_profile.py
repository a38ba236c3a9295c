"""Profiles and statistics of the region that is drawn, without a browser."""

import numpy as np
import pytest
import xarray as xr
from beamkit_widgets._panels import PANELS
from beamkit_widgets.viewer import ImageViewer

from beamkit import images
from beamkit.core.errors import ParameterError, UnknownNameError
from beamkit.diffraction import Geometry

LINE = {"kind": "line", "x0": 1.5, "y0": 0.5, "x1": 1.5, "y1": 4.5, "width": 1}
BOX = {"kind": "rectangle", "x0": 2, "y0": 1, "x1": 6, "y1": 4}


@pytest.fixture
def viewer(stack):
    return ImageViewer(stack)


@pytest.fixture
def swung():
    """Counts that fall with the angle, on a detector swung by 20 deg, with a dead pixel."""
    swing = np.radians(20.0)
    geometry = Geometry(
        origin=(-0.006, 0.004, 0.06),
        fast=(np.cos(swing), 0.0, np.sin(swing)),
        slow=(0.0, -1.0, 0.0),
        pixel_size_x=1.5e-4,
        pixel_size_y=1.5e-4,
        wavelength=0.8,
    )
    frames = xr.DataArray(
        np.zeros((51, 73)),
        dims=("detector_y", "detector_x"),
        coords={"detector_y": np.arange(51), "detector_x": np.arange(73)},
        attrs={"units": "counts"},
    )
    frames = frames.copy(data=100 - geometry.map_like(frames, "two_theta").values)
    mask = np.zeros(frames.shape, np.uint32)
    frames[7, 9], mask[7, 9] = 1e9, 1 << 8
    data = xr.Dataset(
        {"frames": frames, "mask": (frames.dims, mask)}, attrs={"kind": "diffraction"}
    )
    return geometry.assign_to(data)


def ask(viewer, **question):
    return PANELS["profile"](viewer, question)


def test_a_line_gives_the_values_along_it(viewer):
    told, arrays = ask(viewer, roi=LINE)
    # 100 * image + 10 * row + column, down the second column.
    np.testing.assert_allclose(arrays["y0"], [1, 11, 21, 31, 41])
    np.testing.assert_allclose(arrays["x0"], [0, 1, 2, 3, 4])
    assert told["curves"][0]["labels"] == ["distance [pixel]", "value [counts]"]
    np.testing.assert_allclose(arrays["positions"][3], [1.5, 3.5])


def test_a_rectangle_gives_the_sums_of_its_columns_and_rows(viewer):
    told, arrays = ask(viewer, roi=BOX)
    rows, columns = np.mgrid[1:4, 2:6]
    part = 10.0 * rows + columns
    np.testing.assert_allclose(arrays["y0"], part.sum(axis=0))
    np.testing.assert_allclose(arrays["y1"], part.sum(axis=1))
    assert [curve["name"] for curve in told["curves"]] == ["columns", "rows"]
    viewer.combine = "mean"
    np.testing.assert_allclose(ask(viewer, roi=BOX)[1]["y1"], part.mean(axis=1))


def test_the_panel_and_the_cell_see_the_same_profile(viewer):
    viewer.roi = BOX
    viewer.curve = "rows"
    np.testing.assert_array_equal(viewer.profile, ask(viewer)[1]["y1"])
    assert viewer.profile.y.values.tolist() == [1.5, 2.5, 3.5]
    assert set(viewer.roi.profile()) >= {"row_sum", "col_sum"}


def test_a_profile_follows_the_frame(viewer):
    viewer.roi, before = LINE, ask(viewer, roi=LINE)[1]["y0"]
    viewer.frame = 2
    np.testing.assert_allclose(viewer.profile, before + 200)


def test_statistics_are_those_of_the_library(viewer):
    viewer.roi = BOX
    told = ask(viewer)[0]["statistics"]
    assert told["pixels"] == 12
    assert told["sum"] == np.mgrid[1:4, 2:6][0].sum() * 10 + np.mgrid[1:4, 2:6][1].sum()
    assert (told["max"], told["max_x"], told["max_y"]) == (35, 5.5, 3.5)
    assert viewer.statistics.net == told["net"]
    viewer.background = "mean"
    expected = images.statistics(viewer.image, viewer.roi.region, background="mean")
    assert viewer.statistics == expected


def test_what_is_not_known_is_null_for_the_browser(viewer):
    whole = {"kind": "rectangle", "x0": 0, "y0": 0, "x1": 8, "y1": 5}
    assert ask(viewer, roi=whole)[0]["statistics"]["background"] is None


def test_a_radial_profile_runs_over_the_true_angle_of_a_swung_detector(swung):
    viewer = ImageViewer(swung)
    profile = viewer.profile
    assert profile.dims == ("two_theta",)
    error = np.abs(profile - (100 - profile.two_theta))
    assert float(error.max()) < np.diff(profile.two_theta).max()  # masked 1e9 left out
    viewer.radial_axis = "d"
    np.testing.assert_allclose(
        viewer.profile.d[1:], 0.8 / (2 * np.sin(np.radians(profile.two_theta[1:] / 2))), rtol=0.1
    )
    viewer.radial_axis = "radius"
    assert viewer.profile.radius.attrs["units"] == "pixel"


def test_a_sector_has_a_radial_and_an_azimuthal_profile_inside_its_angles(swung):
    viewer = ImageViewer(swung)
    sector = {"kind": "sector", "x": 40, "y": 26, "r0": 4, "r1": 20, "start": 150, "stop": 230}
    told, arrays = ask(viewer, roi=sector)
    assert [curve["name"] for curve in told["curves"]] == ["radial", "azimuthal"]
    assert (arrays["x1"].min(), arrays["x1"].max()) == (150.5, 229.5)
    assert (np.diff(arrays["x1"]) > 0).all()
    assert told["ring"] == [4, 20]


def test_a_point_has_numbers_but_no_profile(viewer):
    point = {"kind": "point", "x": 3.2, "y": 4.4}
    told, arrays = ask(viewer, roi=point)
    assert (told["curves"], arrays, told["statistics"]["sum"]) == ([], {}, 43)
    viewer.roi = point
    with pytest.raises(ParameterError, match="has no profile"):
        _ = viewer.profile
    with pytest.raises(ParameterError, match="has no profile"):
        viewer.roi.profile()


def test_without_region_and_geometry_there_is_nothing_to_show(viewer):
    assert ask(viewer, roi=None) == ({"curves": [], "statistics": None}, {})
    assert viewer.statistics is None
    with pytest.raises(ParameterError, match="no beam centre"):
        _ = viewer.profile


def test_a_circle_without_geometry_has_rings_around_its_own_centre(viewer):
    told, arrays = ask(viewer, roi={"kind": "circle", "x": 4.5, "y": 2.5, "radius": 2})
    assert told["curves"][0]["labels"] == ["radius [pixel]", "mean [counts]"]
    # The middle pixel alone, then the ring of the eight around it: 24 by symmetry.
    np.testing.assert_allclose(arrays["y0"], [24, 24])


def test_the_region_goes_through_all_frames(viewer):
    viewer.roi, viewer.statistic = BOX, "mean"
    PANELS["frames"](viewer, {"client": "me"})
    assert viewer.talk.worker.wait()
    first = viewer.statistics.mean
    np.testing.assert_allclose(viewer.rocking["mean"], [first, first + 100, first + 200])
    viewer.curve = "frames"
    assert viewer.profile.angle.values.tolist() == [0.0, 12.5, 25.0]
    viewer.roi = LINE
    with pytest.raises(ParameterError, match="not read through the frames"):
        _ = viewer.profile


def test_reading_frames_tells_its_progress_and_can_be_stopped(stack, monkeypatch):
    long = stack.isel(angle=[0, 1, 2] * 40).chunk(angle=1)
    viewer, told = ImageViewer(long), []
    viewer.roi = BOX

    def tell(content, arrays=None, *, client=""):
        told.append(content)
        if len(told) == 2:
            PANELS["frames"](viewer, {"stop": True})

    monkeypatch.setattr(viewer.talk, "tell", tell)
    PANELS["frames"](viewer, {})
    assert viewer.talk.worker.wait()
    done, total = told[-1]["progress"]
    assert (0 < done < total == 120, len(told), viewer.rocking) == (True, 2, None)


def test_names_that_do_not_exist_are_refused(viewer):
    for name in ("curve", "radial_axis", "combine", "background", "statistic", "peak_model"):
        with pytest.raises(UnknownNameError, match="Known:"):
            setattr(viewer, name, "nonsense")
