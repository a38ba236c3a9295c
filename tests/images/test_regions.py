"""Regions: which pixels, where, and there and back."""

import json

import numpy as np
import pytest
import xarray as xr

from beamkit.core.errors import ParameterError, ShapeError
from beamkit.images import (
    Circle,
    Line,
    Point,
    Polygon,
    Rectangle,
    Sector,
    region_from_dict,
    select,
)

SHAPE = (17, 29)
EXAMPLES = [
    Point(3.2, 5.9),
    Line(2.5, 3.5, 20.1, 11.2, width=3.3),
    Line(20.0, 15.0, 4.0, 2.0),
    Rectangle(20.5, 3.2, 4.4, 14.5),
    Polygon([(2, 1), (25, 4), (9, 15)]),
    Circle(12.3, 7.1, 5.2),
    Sector(12.3, 7.1, 2.0, 6.5, 100, 200),
    Sector(-3.0, 20.0, 5.0, 25.0, -90, 10),
]


def centres():
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]] + 0.5
    return x, y


@pytest.mark.parametrize("region", EXAMPLES, ids=lambda region: region.kind)
def test_pixels_are_covered_if_their_centre_is_inside_and_the_bounds_hold_them(region):
    covered = region.covers(SHAPE)
    np.testing.assert_array_equal(covered, region.contains(*centres()))
    assert covered.any()
    rows, columns = region.bounds(SHAPE)
    np.testing.assert_array_equal(region.covers_in(rows, columns), covered[rows, columns])


@pytest.mark.parametrize("region", EXAMPLES, ids=lambda region: region.kind)
def test_a_region_survives_json(region):
    described = json.loads(json.dumps(region.to_dict()))
    assert described["kind"] == type(region).__name__.lower()
    assert region_from_dict(described) == region


def test_a_point_is_the_pixel_it_lies_in():
    assert np.argwhere(Point(3.99, 5.0).covers(SHAPE)).tolist() == [[5, 3]]


def test_a_rectangle_covers_whole_pixels_between_its_corners():
    covered = Rectangle(9, 12, 4, 2).covers(SHAPE)
    assert np.argwhere(covered).min(0).tolist() == [2, 4]
    assert np.argwhere(covered).max(0).tolist() == [11, 8]
    assert covered.sum() == 10 * 5


def test_rectangles_side_by_side_share_no_pixel():
    left, right = Rectangle(2, 1, 6.5, 9), Rectangle(6.5, 1, 11, 9)
    together = left.covers(SHAPE).astype(int) + right.covers(SHAPE)
    np.testing.assert_array_equal(together, Rectangle(2, 1, 11, 9).covers(SHAPE))


def test_a_polygon_agrees_with_scikit_image(require):
    draw = require("skimage.draw", "test")
    corners = [(2.2, 1.1), (26.3, 4.7), (13.9, 8.3), (18.6, 15.8), (1.7, 12.4)]
    expected = draw.polygon2mask(SHAPE, [(y - 0.5, x - 0.5) for x, y in corners])
    np.testing.assert_array_equal(Polygon(corners).covers(SHAPE), expected)


def test_a_sector_turns_from_plus_x_towards_plus_y_which_is_down():
    quarter = Sector(10, 8, 0, 6, 0, 90).covers(SHAPE)
    rows, columns = np.nonzero(quarter)
    assert rows.min() == 8
    assert columns.min() == 10
    # A quarter of a disc of radius 6 has 28.3 pixels.
    assert quarter.sum() == pytest.approx(28.3, abs=3)


def test_a_sector_may_cross_the_cut_and_go_round():
    across = Sector(14, 8, 2, 7, 150, -150)
    assert across.contains(9, 8.5)
    assert not across.contains(19, 8.5)
    np.testing.assert_array_equal(across.covers(SHAPE), Sector(14, 8, 2, 7, 150, 210).covers(SHAPE))
    ring = Circle(14, 8, 7).covers(SHAPE) & ~Circle(14, 8, 2).covers(SHAPE)
    np.testing.assert_array_equal(Sector(14, 8, 2, 7, 10, 370).covers(SHAPE), ring)


def test_outside_the_image_the_bounds_are_empty():
    rows, columns = Circle(-20, 400, 3).bounds(SHAPE)
    assert rows.stop == rows.start
    assert columns.stop == columns.start
    assert not Circle(-20, 400, 3).covers(SHAPE).any()


@pytest.fixture
def stack():
    y, x, n = np.arange(100, 117), np.arange(40, 69), [5, 7, 9]
    values = np.arange(3 * 17 * 29, dtype=np.int32).reshape(3, 17, 29)
    return xr.DataArray(
        values,
        dims=("frame", "detector_y", "detector_x"),
        coords={"frame": n, "detector_y": y, "detector_x": x},
        attrs={"units": "counts"},
    )


def test_a_rectangle_of_a_stack_keeps_numbers_type_and_coordinates(stack):
    part = select(stack, Rectangle(4, 2, 9, 12), mask=np.ones(SHAPE))
    assert part.dtype == np.int32
    assert part.attrs == {"units": "counts"}
    assert part.detector_x.values.tolist() == [44, 45, 46, 47, 48]
    assert part.detector_y.values.tolist() == list(range(102, 112))
    np.testing.assert_array_equal(part, stack.values[:, 2:12, 4:9])


def test_other_shapes_are_nan_outside_and_where_masked(stack):
    region = Circle(12.3, 7.1, 5.2)
    mask = np.zeros(SHAPE, np.uint32)
    mask[7, 12] = 4
    part = select(stack, region, mask=mask)
    expected = np.where(region.covers(SHAPE) & (mask == 0), stack.values.astype(float), np.nan)
    rows, columns = region.bounds(SHAPE)
    np.testing.assert_array_equal(part, expected[:, rows, columns])
    assert part.attrs == {"units": "counts"}


def test_a_selection_of_a_lazy_stack_is_lazy(stack):
    part = select(stack.chunk(frame=1), Circle(12.3, 7.1, 5.2))
    assert part.chunks is not None


def test_nothing_to_select_is_said(stack):
    with pytest.raises(ParameterError, match="covers no pixel"):
        select(stack, Circle(200, 5, 3))
    with pytest.raises(ShapeError, match="part of an image"):
        select(stack[0, 0], Circle(2, 5, 3))


@pytest.mark.parametrize(
    ("kind", "fields", "match"),
    [
        ("circle", {"x": 1, "y": 2, "radius": 0}, "radius of a circle is 0"),
        ("circle", {"x": float("nan"), "y": 2, "radius": 3}, "x of a circle is nan"),
        ("circle", {"x": 1}, "has the fields x, y, radius"),
        ("rectangle", {"x0": 1, "y0": 2, "x1": 1, "y1": 5}, "width of a rectangle"),
        ("line", {"x0": 1, "y0": 2, "x1": 1, "y1": 2}, "length of a line"),
        ("line", {"x0": 1, "y0": 2, "x1": 4, "y1": 2, "width": -1}, "width of a line"),
        ("polygon", {"points": [(1, 2), (3, 4)]}, "at least 3 points"),
        ("polygon", {"points": [1, 2, 3]}, "allowed are pairs"),
        ("sector", {"x": 1, "y": 2, "r0": 5, "r1": 3}, "inner radius first"),
        ("sector", {"x": 1, "y": 2, "r0": 1, "r1": 3, "start": 5, "stop": 5}, "angle of a sector"),
        ("cirle", {}, "Did you mean 'circle'"),
    ],
)
def test_impossible_regions_are_refused(kind, fields, match):
    with pytest.raises(ParameterError, match=match):
        region_from_dict({"kind": kind, **fields})
