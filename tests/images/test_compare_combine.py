"""Differences and ratios of images; sums, maxima and means of frames."""

import numpy as np
import pytest
import xarray as xr

from beamkit.core.errors import ParameterError, ShapeError
from beamkit.core.history import entries
from beamkit.images import combine_frames, difference, ratio

SHAPE = (7, 5)


@pytest.fixture
def random():
    return np.random.default_rng(2)


def array(values, start=0, **attrs):
    values = np.asarray(values)
    dims = ("frame", "detector_y", "detector_x")[-values.ndim :]
    coords = {dims[-1]: np.arange(values.shape[-1]) + start}
    return xr.DataArray(values, dims=dims, coords=coords, attrs={"units": "counts", **attrs})


def dataset(image, mask):
    return xr.Dataset(
        {"image": image, "mask": (image.dims[-2:], mask)},
        attrs={"kind": "image", "source": "b.tif"},
    )


def test_a_difference_is_pixel_by_pixel_whatever_the_coordinates(random):
    a, b = random.poisson(9, (2, *SHAPE)).astype(np.uint16)
    found = difference(array(a, 3), array(b, 100), scale=0.5)
    np.testing.assert_array_equal(found, a - 0.5 * b)
    np.testing.assert_array_equal(found.detector_x, np.arange(5) + 3)
    assert found.attrs["units"] == "counts"
    assert found.name == "difference"
    assert entries(found.attrs)[-1]["parameters"]["scale"] == 0.5


def test_a_ratio_has_no_unit_and_nan_where_nothing_divides():
    a, b = np.full(SHAPE, 6), np.full(SHAPE, 4)
    b[2, 3] = 0
    found = ratio(array(a, count_cutoff=99), array(b), scale=3)
    assert np.isnan(found[2, 3])
    assert found.count() == 34
    assert (found.fillna(0.5) == 0.5).all()
    assert found.attrs["units"] == "1"
    assert found.attrs["quantity"] == "ratio"
    assert "count_cutoff" not in found.attrs
    other = ratio(array(a), array(b).assign_attrs(units="s"))
    assert other.attrs["units"] == "counts/(s)"


def test_what_either_masks_is_nan_and_flags_are(random):
    a, b = array(random.poisson(9, SHAPE)), array(random.poisson(9, SHAPE))
    mask = np.zeros((2, *SHAPE), np.uint32)
    mask[0, 1, 2], mask[1, 3, 4], mask[1, 0, 0] = 4, 1, 1 << 31
    a[5, 1] = -2
    found = difference(dataset(a, mask[0]), dataset(b, mask[1]))
    assert np.argwhere(np.isnan(found.values)).tolist() == [[1, 2], [3, 4], [5, 1]]
    assert entries(found.attrs)[-1]["parameters"]["b"] == "b.tif"


def test_one_image_serves_a_whole_lazy_stack(random):
    stack, dark = random.poisson(9, (4, *SHAPE)), random.poisson(2, SHAPE)
    found = difference(array(stack).chunk(frame=1), array(dark))
    assert found.chunks is not None
    np.testing.assert_array_equal(found, stack - dark.astype(float))


def test_single_precision_stays_single():
    a = array(np.ones(SHAPE, np.float32))
    assert difference(a, a).dtype == np.float32
    assert difference(a, a.astype(int)).dtype == np.float64


def test_what_cannot_be_compared_is_refused():
    a = array(np.ones(SHAPE))
    with pytest.raises(ShapeError, match="Crop both with the same selection"):
        difference(a, a[:, 1:])
    with pytest.raises(ParameterError, match="has no unit"):
        difference(a, a.assign_attrs(units="s"))
    with pytest.raises(ParameterError, match="scale of a ratio is 0"):
        ratio(a, a, scale=0)
    with pytest.raises(ParameterError, match="scale is nan"):
        difference(a, a, scale=np.nan)
    with pytest.raises(ParameterError, match="not complex128"):
        difference(a, a.astype(complex))


@pytest.mark.parametrize("dtype", ["i4", "u2", "u4", "f4", "f8"])
@pytest.mark.parametrize("how", ["sum", "max", "mean"])
@pytest.mark.parametrize("lazy", [False, True])
def test_frames_are_combined_over_the_range_both_ends_included(random, dtype, how, lazy):
    frames = random.integers(0, 60_000, (9, *SHAPE)).astype(dtype)
    data = array(frames).chunk(frame=2) if lazy else array(frames)
    found = combine_frames(data, 2, 6, how)
    expected = getattr(frames[2:7].astype(float), how)(axis=0)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    floats = how == "mean" or dtype[0] == "f"
    assert found.dtype == (dtype if how == "max" else "f8" if floats else "i8")
    assert found.dims == ("detector_y", "detector_x")
    assert "detector_x" in found.coords
    assert entries(found.attrs)[-1]["parameters"] == {"first": 2, "last": 6, "how": how}


def test_a_sum_of_full_pixels_does_not_overflow():
    found = combine_frames(array(np.full((3, *SHAPE), 2**31 - 1, np.int32)), 0, 2)
    assert (found == 3 * (2**31 - 1)).all()


def test_flags_are_never_summed():
    frames = np.full((3, *SHAPE), 10, np.int32)
    frames[:, 0, 0], frames[:, 0, 1] = -1, -2
    frames[1, 2, 3] = -2  # in one frame only
    data = array(frames)
    found = combine_frames(data, 0, 2)
    assert found[0, :2].values.tolist() == [-1, -2]
    assert found[2, 3] == -2
    assert (found.values.ravel()[[2, 5, 34]] == 30).all()
    assert combine_frames(data, 0, 2, "max")[2, 3] == 10
    mean = combine_frames(data, 0, 2, "mean")
    assert mean[2, 3] == 10
    assert np.isnan(mean[0, :2]).all()


def test_masked_pixels_of_unsigned_frames_become_flags():
    frames = np.full((3, *SHAPE), 10, np.uint32)
    frames[:, 4, 2] = 2**32 - 1
    mask = np.zeros(SHAPE, np.uint32)
    mask[4, 2] = 2
    assert combine_frames(array(frames), 0, 2, mask=mask)[4, 2] == -2
    assert combine_frames(array(frames), 0, 2, "max", mask=mask)[4, 2] == 2**32 - 1
    assert np.isnan(combine_frames(array(frames), 0, 2, "mean", mask=mask)[4, 2])


def test_nan_spoils_a_sum_but_not_a_mean():
    frames = np.ones((3, *SHAPE))
    frames[1, 2, 2] = np.nan
    frames[:, 3, 3] = np.nan
    data = xr.DataArray(frames, dims=("frame", "y", "x"))
    assert np.isnan(combine_frames(data, 0, 2).values[[2, 3], [2, 3]]).all()
    for how in ("mean", "max"):
        found = combine_frames(data, 0, 2, how)
        assert found[2, 2] == 1
        assert np.isnan(found[3, 3])


def test_exposure_and_cutoff_of_a_sum_are_those_of_all_frames():
    data = array(np.ones((4, *SHAPE), int), exposure_time=0.5, count_cutoff=100, wavelength=0.9)
    found = combine_frames(data, 1, 3)
    assert found.attrs["exposure_time"] == 1.5
    assert found.attrs["count_cutoff"] == 300
    assert found.attrs["wavelength"] == 0.9
    assert combine_frames(data, 1, 3, "mean").attrs["exposure_time"] == 0.5


def test_wrong_ranges_are_refused():
    data = array(np.ones((4, *SHAPE)))
    for first, last in ((-1, 2), (3, 2), (0, 4)):
        with pytest.raises(ParameterError, match="Both are included"):
            combine_frames(data, first, last)
    with pytest.raises(ParameterError, match="no combination 'median'"):
        combine_frames(data, 0, 1, "median")
    with pytest.raises(ShapeError, match="3 dimensions"):
        combine_frames(data[0], 0, 1)


def test_real_frames_add_up(data_folder):
    import beamkit as bk

    data = bk.open(str(data_folder / "cbf_pilatus" / "l-cyst_01_0000*.cbf"))
    mask = data.mask.values
    frames = data.frames.values
    found = combine_frames(data.frames, 0, 2, mask=mask)
    good = mask == 0
    np.testing.assert_array_equal(found.values[good], frames.sum(axis=0)[good])
    assert (found.values[~good] < 0).all()
