"""Masks drawn, combined, applied, and told by the detector."""

import json

import numpy as np
import pytest
import xarray as xr

import beamkit as bk
from beamkit import samples
from beamkit.core.detectors import (
    EXCALIBUR,
    MASK_DEAD,
    MASK_GAP,
    MASK_NOISY,
    MASK_OVER_RESPONDING,
    MASK_UNUSABLE,
    MASK_USER,
    MASK_VIRTUAL,
)
from beamkit.core.errors import ParameterError, QuantityError, ShapeError, UnknownNameError
from beamkit.diffraction.mask import (
    Threshold,
    apply_mask,
    as_mask,
    combine,
    counts,
    draw,
    empty_mask,
    from_flags,
    gaps,
    is_bad,
    summary,
)
from beamkit.images.regions import Circle, Point, Polygon, Rectangle

SHAPE = (7, 11)


@pytest.fixture
def mask():
    """A mask with a gap in row 3, a dead pixel in it, and one interpolated pixel."""
    bits = np.zeros(SHAPE, np.uint32)
    bits[3] = MASK_GAP
    bits[3, 4] |= MASK_DEAD
    bits[5, 2] = MASK_VIRTUAL
    return as_mask(bits)


class TestDrawing:
    def test_a_rectangle_masks_the_pixels_whose_centres_are_inside(self):
        # x from 2.6 to 5.5, y from 0.4 to 2.0: columns 3 and 4 (5.5 is not inside), rows 0, 1.
        drawn = draw(empty_mask(SHAPE), Rectangle(2.6, 0.4, 5.5, 2.0))
        expected = np.zeros(SHAPE, np.uint32)
        expected[0:2, 3:5] = MASK_USER
        np.testing.assert_array_equal(drawn, expected)
        assert drawn.dtype == np.uint32

    def test_polygon_circle_and_point(self):
        drawn = draw(empty_mask(SHAPE), Polygon([(0, 0), (4, 0), (0, 4)]))
        np.testing.assert_array_equal(drawn[:4, :4] != 0, np.tri(4, 4, -1, bool)[::-1])
        assert int((draw(empty_mask(SHAPE), Circle(5.5, 3.5, 1.1)) != 0).sum()) == 5
        (where,) = np.argwhere(draw(empty_mask(SHAPE), Point(8.9, 2.1)).values)
        assert tuple(where) == (2, 8)

    def test_thresholds_mask_what_is_outside_and_nan(self):
        image = np.arange(77.0).reshape(SHAPE)
        image[6, 10] = np.nan
        drawn = draw(empty_mask(SHAPE), Threshold(image, low=3, high=70), bit=MASK_NOISY)
        expected = np.zeros(77, np.uint32)
        expected[[0, 1, 2, 71, 72, 73, 74, 75, 76]] = MASK_NOISY
        np.testing.assert_array_equal(drawn.values.ravel(), expected)
        above = Threshold(np.array([[1, 5]]), high=1).covers((1, 2))
        np.testing.assert_array_equal(above, [[False, True]])

    def test_booleans_are_a_region(self):
        pixels = np.zeros(SHAPE, bool)
        pixels[6, 1] = True
        assert int(draw(empty_mask(SHAPE), pixels)[6, 1]) == MASK_USER

    def test_the_old_mask_stays_so_that_it_can_be_undone(self, mask):
        before = mask.copy(deep=True)
        drawn = draw(mask, Rectangle(0, 0, 11, 7))
        xr.testing.assert_identical(mask, before)
        assert is_bad(drawn).all()

    def test_erasing_clears_what_was_drawn_and_leaves_the_gap(self, mask):
        everything = Rectangle(0, 0, 11, 7)
        again = draw(draw(mask, everything), everything, value=False)
        xr.testing.assert_identical(again, mask)
        freed = draw(mask, Point(4.5, 3.5), bit=MASK_UNUSABLE, value=False)
        assert int(freed[3, 4]) == 0
        assert int(freed[3, 5]) == MASK_GAP

    def test_coordinates_and_laziness_do_not_matter(self, mask):
        crop = mask.isel(detector_y=slice(2, 6)).chunk()
        drawn = draw(crop, Point(0.5, 0.5))
        assert int(drawn[0, 0]) == MASK_USER
        np.testing.assert_array_equal(drawn.detector_y, [2, 3, 4, 5])

    @pytest.mark.parametrize("bit", [0, -1, 2**32])
    def test_impossible_bits_are_refused(self, mask, bit):
        with pytest.raises(ParameterError, match=r"from 1 to 2\*\*32 - 1"):
            draw(mask, Point(1, 1), bit=bit)

    def test_regions_of_another_shape_are_refused(self, mask):
        with pytest.raises(ShapeError, match=r"region has the shape \(7, 10\)"):
            draw(mask, np.zeros((7, 10), bool))
        with pytest.raises(ShapeError, match=r"image of a threshold has the shape \(3, 3\)"):
            draw(mask, Threshold(np.zeros((3, 3)), low=0))


class TestCombining:
    def test_all_bits_are_kept(self, mask):
        other = draw(empty_mask(SHAPE), Rectangle(4, 3, 6, 5))
        both = combine(mask, other)
        assert int(both[3, 4]) == MASK_GAP | MASK_DEAD | MASK_USER
        assert int(both[4, 5]) == MASK_USER
        assert int(both[3, 0]) == MASK_GAP

    def test_another_size_is_refused(self, mask):
        with pytest.raises(ShapeError, match="Take a mask of the full detector"):
            combine(mask, empty_mask((6, 11)))
        bare = xr.DataArray(np.zeros((6, 11), np.uint32), dims=("detector_y", "detector_x"))
        with pytest.raises(ShapeError, match=r"mask has the shape \(6, 11\), the detector \(7, 11"):
            combine(mask, bare)
        with pytest.raises(ShapeError, match="no mask to combine"):
            combine()

    def test_the_mask_of_the_detector_is_cropped_for_a_crop(self, mask):
        crop = mask.isel(detector_y=slice(2, 5), detector_x=slice(3, 6))
        both = combine(xr.zeros_like(crop), mask)
        np.testing.assert_array_equal(both, crop)


class TestApplying:
    @pytest.fixture
    def data(self, mask):
        frames = np.ones((2, *SHAPE), np.int32)
        dims = ("frame", "detector_y", "detector_x")
        coords = {"detector_y": np.arange(7), "detector_x": np.arange(11)}
        return xr.Dataset(
            {"frames": (dims, frames, {"units": "counts"}), "mask": (dims[1:], mask.data)},
            coords=coords,
            attrs={"kind": "diffraction", "energy": 12.0},
        )

    def test_the_mask_is_added_to_the_files_own(self, data, mask):
        new = draw(empty_mask(SHAPE), Point(0.5, 0.5))
        done = apply_mask(data, new)
        np.testing.assert_array_equal(done["mask"], combine(mask, new))
        assert int(data["mask"][0, 0]) == 0
        assert done.attrs["energy"] == 12.0
        assert json.loads(done.attrs["history"])[-1]["name"] == "apply_mask"
        first = apply_mask(data.drop_vars("mask"), new)
        np.testing.assert_array_equal(first["mask"], new)

    def test_a_crop_gets_its_part(self, data):
        new = draw(empty_mask(SHAPE), Point(4.5, 5.5))
        done = apply_mask(data.isel(detector_y=slice(5, 7), detector_x=slice(3, 9)), new)
        assert int(done["mask"][0, 1]) & MASK_USER
        assert int((done["mask"] & MASK_USER != 0).sum()) == 1

    def test_other_pixels_are_refused(self, data):
        small = empty_mask((6, 11))
        with pytest.raises(ShapeError, match=r"mask covers detector_y 0 to 5 \(6\)"):
            apply_mask(data, small)
        bare = data.drop_vars(["detector_x", "detector_y", "mask"])
        with pytest.raises(ShapeError, match=r"\(6, 11\), the detector \(7, 11\)"):
            apply_mask(bare, small)


def test_bits_above_15_only_inform(mask):
    bad = is_bad(mask)
    assert bad.dtype == bool
    np.testing.assert_array_equal(np.flatnonzero(bad.any("detector_x")), [3])
    assert not bad[5, 2]


def test_summary_counts_pixels_by_reason(mask):
    drawn = draw(mask, Rectangle(0, 0, 2, 1))
    expected = {
        "in gaps": 11,
        "dead": 1,
        "masked by the user": 2,
        "interpolated by the detector": 1,
    }
    assert counts(drawn) == expected
    assert summary(drawn) == (
        "13 of 77 pixels (16.9 %) are not used: 11 in gaps, 1 dead, 2 masked by the user. "
        "Used all the same: 1 interpolated by the detector."
    )
    assert summary(empty_mask(SHAPE)) == "0 of 77 pixels (0.0 %) are not used."
    other = as_mask(np.full((1, 2), 1 << 12, np.uint32))
    assert counts(other) == {"for other reasons": 2}


def test_what_is_no_mask_is_refused():
    with pytest.raises(QuantityError, match="values are of type float64"):
        as_mask(np.zeros(SHAPE))
    with pytest.raises(ShapeError, match=r"has the shape \(2, 7, 11\)"):
        as_mask(np.zeros((2, *SHAPE), bool))
    with pytest.raises(ShapeError, match="a mask must have dimensions"):
        as_mask(empty_mask(SHAPE).transpose())


class TestGaps:
    def test_by_name_shape_and_layout(self):
        by_name = gaps("PILATUS 300K")
        assert by_name.shape == (619, 487)
        assert counts(by_name) == {"in gaps": 2 * 17 * 487}
        xr.testing.assert_identical(by_name, gaps((619, 487)))
        more = gaps((619, 487), sensor_material="CdTe")
        assert counts(more) == {"in gaps": 2 * 17 * 487 + 3 * (619 - 34)}
        assert counts(gaps(EXCALIBUR))["in gaps"] == 1791 * 2069 - 48 * 256**2

    def test_unknown_detectors_are_refused(self):
        with pytest.raises(UnknownNameError, match="no detector 'PILATUS 3M'"):
            gaps("PILATUS 3M")
        with pytest.raises(ShapeError, match=r"No known detector has frames of shape \(10, 20\)"):
            gaps((10, 20))


class TestFlags:
    def test_pilatus_flags_gaps_and_cutoff(self, tmp_path):
        sample = samples.diffraction(
            tmp_path / "crystal", detector="PILATUS 100K", frames=2, bad_pixels=5, hot_pixels=3
        )
        data = bk.open(sample.files[0])
        found = from_flags(data)
        truth = sample.detector
        expected = truth.mask()
        for row, column in truth.hot_pixels:
            expected[row, column] |= MASK_OVER_RESPONDING
        np.testing.assert_array_equal(found, expected)
        assert counts(found) == {"dead": 5, "counting too much": 3}

    def test_gaps_are_known_by_the_layout_even_where_the_file_has_zeros(self):
        frame = xr.DataArray(np.zeros((407, 487), np.int32), dims=("detector_y", "detector_x"))
        frame[200, 3] = -1  # in the gap
        frame[0, 0] = -2
        assert counts(from_flags(frame)) == {"in gaps": 17 * 487, "dead": 1}

    def test_eiger_has_the_largest_number_where_there_is_no_count(self):
        frame = np.zeros((2, 1062, 1028), np.uint16)
        frame[1, 5, 6] = 65535
        frame[:, 512:550] = 65535
        stack = xr.DataArray(frame, dims=("frame", "detector_y", "detector_x"))
        assert counts(from_flags(stack)) == {"in gaps": 38 * 1028}
        assert counts(from_flags(stack, frame=1)) == {"in gaps": 38 * 1028, "dead": 1}

    def test_signed_data_and_floats(self):
        dims = ("detector_y", "detector_x")
        data = xr.DataArray(np.array([[-1, -2, -3, 4]]), dims=dims)
        assert counts(from_flags(data)) == {}
        floats = xr.DataArray(np.array([[np.nan, -1.0, 9.0]]), dims=dims, attrs={"count_cutoff": 8})
        assert counts(from_flags(floats)) == {"dead": 1, "counting too much": 1}
        with pytest.raises(ShapeError, match="a frame must have dimensions"):
            from_flags(xr.DataArray(np.zeros((2, 3)), dims=("y", "x")))
