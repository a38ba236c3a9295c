"""Panel of the dataset: dimensions, numbers, facts and the ruler."""

import csv
import io
import math
import os

import numpy as np
import pytest
import xarray as xr

from beamkit.core.errors import ParameterError, UnknownNameError

if os.environ.get("BEAMKIT_REQUIRE_ALL") != "1":
    pytest.importorskip("anywidget", reason='needs: pip install "beamkit[lab]"')

from beamkit_widgets._panels import PANELS
from beamkit_widgets._source import Span
from beamkit_widgets.viewer import ImageViewer

SIZES = {"scan": 3, "z": 5, "y": 4, "x": 7}


@pytest.fixture
def volumes():
    """Volumes of 5 x 4 x 7 voxels at three energies: 1000 scan + 100 z + 10 y + x."""
    scan, z, y, x = np.indices(tuple(SIZES.values()))
    length = {"units": "um"}
    return xr.DataArray(
        (1000 * scan + 100 * z + 10 * y + x).astype(np.float32),
        dims=tuple(SIZES),
        coords={
            "scan": ("scan", [7.1, 7.2, 7.4], {"units": "keV"}),
            "z": ("z", np.arange(5) * 5.0 - 10, length),
            "y": ("y", np.arange(4) * 2.5, length),
            "x": ("x", np.arange(7) * 2.5, length),
        },
        attrs={"units": "1/cm", "quantity": "attenuation"},
        name="volume",
    )


@pytest.fixture
def viewer(stack):
    """Counts, with a gap at row 3, column 6, and a pixel 0.1 mm wide and 0.2 mm high."""
    mask = np.zeros((5, 8), np.uint32)
    mask[3, 6] = 1
    attrs = {"pixel_size_x": 1e-4, "pixel_size_y": 2e-4}
    data = stack.astype(np.int32).assign_attrs(attrs)
    return ImageViewer(data, mask=xr.DataArray(mask, dims=("detector_y", "detector_x")))


def ask(viewer, **question):
    """What the panel answers."""
    return PANELS["inspect"](viewer, question)


def rows_of(viewer, **question):
    """The copied table, as lists of texts."""
    told, _ = ask(viewer, csv=question)
    return list(csv.reader(io.StringIO(told["csv"]["text"])))


class TestDimensions:
    def test_rows_and_columns_are_any_two_dimensions(self, volumes):
        viewer = ImageViewer(volumes)
        viewer.place(scan=1)
        viewer.choose("z", "x")
        viewer.place(y=2)
        expected = volumes.isel(scan=1, y=2).transpose("z", "x")
        xr.testing.assert_identical(viewer.image, expected)

    def test_a_cut_has_the_aspect_of_its_voxels(self, volumes):
        viewer = ImageViewer(volumes, rows="z", columns="x")
        assert viewer._info["aspect"] == 2.0  # 5 um over 2.5 um
        viewer.choose("x", "z")
        assert viewer._info["aspect"] == 0.5
        assert viewer._info["shape"] == [7, 5]
        assert viewer._info["rows"]["step"] == 2.5
        assert viewer._info["columns"]["first"] == -10

    def test_axes_and_places_from_the_browser_do_the_same_as_a_cell(self, volumes):
        viewer = ImageViewer(volumes)
        viewer.axes = ("z", "x")
        assert (viewer.source.rows, viewer.source.columns) == ("z", "x")
        assert viewer.source.main == "y"
        viewer._places = {"scan": ["max", 0, 1]}
        assert viewer.places == {"scan": Span("max", 0, 1), "y": 2}
        np.testing.assert_array_equal(viewer.image, volumes[1].isel(y=2))

    def test_what_a_cell_does_the_browser_is_told(self, volumes):
        viewer = ImageViewer(volumes)
        viewer.place(scan=("mean", 0, 2), z=3)
        assert viewer._places == {"scan": ["mean", 0, 2]}
        assert viewer.frame == 3
        assert viewer.axes == ("y", "x")

    def test_ranges_along_two_dimensions_make_one_image(self, volumes):
        viewer = ImageViewer(volumes)
        viewer.place(scan=("sum", 1, 2), z=("mean", 0, 3))
        expected = volumes[1:3, 0:4].sum("scan").mean("z")
        np.testing.assert_allclose(viewer.image, expected, rtol=1e-6)

    def test_the_stack_of_a_range_is_lazy_and_right(self, volumes):
        viewer = ImageViewer(volumes)
        viewer.place(scan=("max", 0, 1))
        assert viewer.stack.chunks is not None
        np.testing.assert_array_equal(viewer.stack, volumes[1])

    def test_a_mask_turns_with_the_image_and_comes_back(self, viewer):
        viewer.choose("detector_x", "detector_y")
        assert viewer.mask.values[6, 3] == 1
        viewer.choose("angle", "detector_x")
        assert viewer.mask is None
        viewer.choose("detector_y", "detector_x")
        assert viewer.mask.values[3, 6] == 1

    def test_a_drawn_mask_comes_back(self, viewer):
        bits = np.zeros((5, 8), bool)
        bits[1, 2] = True
        viewer.mask = bits
        viewer.choose("detector_x", "detector_y")
        assert np.argwhere(viewer.mask.values).tolist() == [[2, 1]]

    def test_pixel_sizes_turn_with_the_image(self, viewer):
        assert viewer._info["aspect"] == 2.0
        viewer.choose("detector_x", "detector_y")
        assert viewer._info["aspect"] == 0.5
        assert viewer._info["pixel"]["width"] == pytest.approx(0.2)

    def test_the_number_of_a_frame_is_no_length(self, stack):
        frames = stack.drop_vars("angle").rename(angle="frame")
        viewer = ImageViewer(frames.assign_attrs(pixel_size_x=1e-4, pixel_size_y=1e-4))
        viewer.choose("frame", "detector_x")
        assert viewer._info["aspect"] is None
        assert viewer._info["pixel"] is None

    def test_what_was_drawn_goes_with_the_dimensions(self, viewer):
        viewer.roi = {"kind": "point", "x": 1.0, "y": 1.0}
        viewer.ruler = (0, 0, 1, 1)
        viewer.choose("angle", "detector_x")
        assert viewer.roi is None
        assert viewer.ruler is None

    @pytest.mark.parametrize(
        ("change", "error", "words"),
        [
            (lambda v: v.choose("y", "height"), UnknownNameError, "no dimension 'height'"),
            (lambda v: v.choose("y", "y"), ParameterError, "both 'y'"),
            (lambda v: v.place(energy=1), UnknownNameError, "dimension to move along 'energy'"),
            (lambda v: v.place(scan=3), ParameterError, "0 to 2"),
            (lambda v: v.place(scan=("median", 0, 1)), ParameterError, "median"),
        ],
    )
    def test_what_is_not_there_is_refused_by_name(self, volumes, change, error, words):
        with pytest.raises(error, match=words):
            change(ImageViewer(volumes))


class TestNumbers:
    def test_the_numbers_around_the_cursor_stay_inside_the_image(self, viewer):
        told, arrays = ask(viewer, table={"of": "cursor", "at": [7.6, 0.2]})
        assert (told["table"]["row"], told["table"]["column"]) == (0, 0)
        np.testing.assert_array_equal(arrays["values"], viewer.image)

    def test_headers_are_coordinates(self, viewer):
        told, _ = ask(viewer, table={"of": "visible", "bounds": [2.5, 1.2, 5.1, 3.0]})
        assert told["table"]["columns"] == ["42", "43", "44", "45"]
        assert told["table"]["rows"] == ["201", "202"]

    def test_coordinates_that_are_close_get_more_digits(self, volumes):
        volumes = volumes.assign_coords(x=1e6 + np.arange(7) * 0.25)
        told, _ = ask(ImageViewer(volumes), table={"of": "visible", "bounds": [0, 0, 3, 1]})
        assert told["table"]["columns"] == ["1000000", "1000000.25", "1000000.5"]

    def test_a_large_part_is_cut_and_its_size_told(self):
        image = xr.DataArray(np.zeros((70, 50)), dims=("y", "x"))
        told, arrays = ask(ImageViewer(image), table={"of": "visible", "bounds": [0, 0, 50, 70]})
        assert told["table"]["of"] == [70, 50]
        assert arrays["values"].shape == (60, 40)

    def test_masked_saturated_and_outside_cells_are_marked(self, viewer):
        region = {"kind": "circle", "x": 6.5, "y": 3.5, "radius": 1.2}
        _, arrays = ask(viewer, table={"of": "region", "region": region})
        assert arrays["flags"].tolist() == [[4, 0, 4], [0, 2, 0], [4, 0, 4]]

    def test_nan_and_flags_of_counts_are_marked(self, stack):
        floats = stack.copy()
        floats[0, 0, 1] = np.nan
        bounds = {"of": "visible", "bounds": [0, 0, 3, 1]}
        assert ask(ImageViewer(floats), table=bounds)[1]["flags"].tolist() == [[0, 1, 0]]
        counts = stack.astype(np.int32)
        counts[0, 0, 2] = -2
        assert ask(ImageViewer(counts), table=bounds)[1]["flags"].tolist() == [[0, 0, 1]]

    def test_counts_beyond_53_bits_are_told_as_text(self):
        image = xr.DataArray(np.array([[2**60 + 1, 5]], np.uint64), dims=("y", "x"))
        told, _ = ask(ImageViewer(image), table={"of": "visible", "bounds": [0, 0, 2, 1]})
        assert told["table"]["texts"] == [[str(2**60 + 1), "5"]]

    def test_csv_holds_the_whole_region_with_coordinates(self, viewer):
        viewer.frame = 2
        region = {"kind": "rectangle", "x0": 5, "y0": 2, "x1": 8, "y1": 4}
        table = rows_of(viewer, of="region", region=region)
        assert table == [
            ["detector_y [pixel]\\detector_x [pixel]", "45", "46", "47"],
            ["202", "225", "226", "227"],
            ["203", "235", "", "237"],  # the gap
        ]

    def test_csv_keeps_all_digits_of_a_float(self):
        values = np.array([[1 / 3, 1e-300], [np.nan, 2.0]])
        table = rows_of(
            ImageViewer(xr.DataArray(values, dims=("y", "x"))), of="visible", bounds=[0, 0, 2, 2]
        )
        assert [float(text) for text in table[1][1:]] == values[0].tolist()
        assert table[2][1] == ""

    def test_a_region_outside_is_refused(self, viewer):
        region = {"kind": "rectangle", "x0": 50, "y0": 2, "x1": 58, "y1": 4}
        with pytest.raises(ParameterError, match="covers no pixel"):
            ask(viewer, table={"of": "region", "region": region})

    def test_a_table_too_large_for_a_clipboard_names_the_cure(self):
        image = xr.DataArray(np.zeros((2000, 1001), np.uint8), dims=("y", "x"))
        with pytest.raises(ParameterError, match="to_csv"):
            ask(ImageViewer(image), csv={"of": "visible", "bounds": [0, 0, 1001, 2000]})


class TestFacts:
    def test_the_facts_of_the_array(self, viewer):
        viewer.frame = 1
        told, _ = ask(viewer, facts=True)
        lines = dict(told["facts"]["lines"])
        assert lines["dimensions"] == "angle 3, detector_y 5, detector_x 8"
        assert lines["type"] == "int32"
        assert lines["size"] == "480 byte"
        assert lines["image"] == "100 to 147 counts"
        assert lines["chunks"] == "in memory"

    def test_chunks_of_a_lazy_array_are_told(self, stack):
        pytest.importorskip("dask")
        told, _ = ask(ImageViewer(stack.chunk(angle=2)), facts=True)
        assert dict(told["facts"]["lines"])["chunks"] == "2 x 5 x 8"

    def test_extremes_are_those_of_good_pixels(self, stack):
        counts = stack.astype(np.int32)
        counts[0, 4, 7] = -1
        counts[0, 4, 6] = 9999
        mask = np.zeros((5, 8), bool)
        mask[4, 6] = True
        told, _ = ask(ImageViewer(counts, mask=mask), facts=True)
        assert dict(told["facts"]["lines"])["image"] == "0 to 45 counts"

    def test_coordinates_come_with_their_unit(self, volumes):
        told, arrays = ask(ImageViewer(volumes), facts=True)
        scan = told["facts"]["coordinates"]["scan"]
        assert scan["unit"] == "keV"
        assert arrays[scan["array"]].tolist() == [7.1, 7.2, 7.4]

    def test_the_history_is_told_step_by_step(self, stack):
        history = '[{"name": "crop", "parameters": {"rows": 5}}]'
        told, _ = ask(ImageViewer(stack.assign_attrs(history=history)), facts=True)
        assert told["facts"]["history"] == ["crop(rows=5)"]


class TestRuler:
    def test_distance_and_angle_in_pixels_and_in_millimetres(self, viewer):
        viewer.ruler = (1, 0.5, 4, 4.5)
        found = viewer.measurement
        assert found.distance == 5
        assert found.length == pytest.approx(math.hypot(0.3, 0.8))
        assert found.true_angle == pytest.approx(math.degrees(math.atan2(0.8, 0.3)))
        told, _ = ask(viewer, ruler=[1, 0.5, 4, 4.5])
        assert told["ruler"]["length"] == found.length

    def test_a_turned_image_is_measured_with_turned_pixels(self, viewer):
        viewer.choose("detector_x", "detector_y")
        viewer.ruler = (0, 0, 1, 0)
        assert viewer.measurement.length == pytest.approx(0.2)

    def test_there_is_no_measurement_without_a_ruler(self, viewer):
        assert viewer.measurement is None

    def test_a_ruler_is_remembered_in_the_state(self, viewer, stack):
        viewer.ruler = (1, 2, 3, 4)
        assert viewer.state["ruler"] == [1, 2, 3, 4]

    @pytest.mark.parametrize("wrong", [(1, 2, 3), "line", (0, 0, math.nan, 1), 5])
    def test_what_is_no_line_is_refused(self, viewer, wrong):
        with pytest.raises(ParameterError, match="x0, y0, x1, y1"):
            viewer.ruler = wrong
