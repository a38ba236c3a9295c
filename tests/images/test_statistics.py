"""Statistics of regions and rocking curves."""

import dask.array as da
import numpy as np
import pytest
import xarray as xr

from beamkit.core.errors import ParameterError, ShapeError
from beamkit.images import Circle, Rectangle, classify, rocking_curve, statistics

SHAPE = (31, 43)


@pytest.fixture
def random():
    return np.random.default_rng(5)


def counts(values, **attrs):
    return xr.DataArray(values, dims=("y", "x"), attrs={"units": "counts", **attrs})


def test_numbers_are_those_of_the_good_pixels_inside(random):
    image = random.poisson(20, SHAPE).astype(np.int32)
    mask = random.random(SHAPE) > 0.9
    region = Circle(20.3, 14.6, 7.2)
    image[14, 20], mask[14, 20] = 9999, True
    found = statistics(counts(image, count_cutoff=28), region, mask=mask)
    pixels = image[region.covers(SHAPE) & ~mask]
    assert found.pixels == pixels.size
    assert found.masked == region.covers(SHAPE).sum() - pixels.size
    assert found.saturated == (pixels > 28).sum()
    assert (found.sum, found.max, found.min) == (pixels.sum(), pixels.max(), pixels.min())
    assert found.mean == pytest.approx(pixels.mean())
    assert found.std == pytest.approx(pixels.std())


def test_positions_are_from_the_outer_corner_of_the_image():
    image = np.zeros(SHAPE)
    image[12, 30], image[12, 33] = 3.0, 1.0
    found = statistics(image, Rectangle(25, 10, 36, 20))
    assert (found.max_x, found.max_y) == (30.5, 12.5)
    # A quarter of the mass is 3 pixels further.
    assert (found.center_x, found.center_y) == (31.25, 12.5)


def test_background_is_the_median_of_the_frame_around():
    image = np.full(SHAPE, 4, np.int64)
    image[10:15, 20:26] += 100
    image[9, 19] = 5000  # a neighbour in the frame
    found = statistics(image, Rectangle(20, 10, 26, 15), margin=2, background="median")
    assert found.background == 4
    assert found.net == 30 * 100
    # The frame has 10 x 9 - 30 = 60 pixels, of mean (59*4 + 5000)/60.
    variance = np.pi / 2 * (59 * 4 + 5000) / 60 / 60
    assert found.background_error == pytest.approx(np.sqrt(variance))
    assert found.net_error == pytest.approx(np.sqrt(30 * 104 + 30**2 * variance))
    mean = statistics(image, Rectangle(20, 10, 26, 15), margin=2, background="mean")
    assert mean.background == pytest.approx((59 * 4 + 5000) / 60)


@pytest.mark.parametrize(("background", "level"), [("median", 50.0), ("mean", 3.0)])
def test_errors_are_the_scatter_of_repeated_counting(random, background, level):
    # The median of few counts is a whole number, so its error needs many counts.
    stack = xr.DataArray(
        random.poisson(level, (600, 15, 19)), dims=("frame", "y", "x"), attrs={"units": "counts"}
    )
    curve = rocking_curve(
        stack, Rectangle(6, 5, 12, 9), background=background, which=("net", "net_error")
    )
    error = float(curve.net_error.mean())
    # The scatter of 600 frames is known to 3 %.
    assert float(curve.net.std()) == pytest.approx(error, rel=0.12)
    # The median of counts may be a third of a count off their mean (Choi 1994); 24 pixels.
    assert abs(float(curve.net.mean())) < 4 * error / np.sqrt(600) + 24 / 3


def test_data_that_are_no_counts_have_no_counting_error():
    found = statistics(np.full(SHAPE, 0.7), Circle(20, 15, 4))
    assert found.net == pytest.approx(0, abs=1e-9)
    assert np.isnan(found.net_error)


def test_flags_and_nan_are_left_out():
    image = np.full(SHAPE, 7, np.int32)
    image[15, 20], image[15, 21] = -1, -2
    assert statistics(counts(image), Rectangle(18, 13, 24, 18)).sum == 7 * 28
    assert statistics(image, Rectangle(18, 13, 24, 18)).min == -2  # no counts: not flags
    floats = np.where(image < 0, np.nan, image)
    assert statistics(floats, Rectangle(18, 13, 24, 18)).masked == 2


def test_a_region_without_a_good_pixel_says_so_with_nan():
    mask = np.ones(SHAPE, bool)
    found = statistics(np.ones(SHAPE), Circle(20, 15, 4), mask=mask)
    assert found.pixels == 0
    assert found.masked == Circle(20, 15, 4).covers(SHAPE).sum()
    assert np.isnan([found.sum, found.max, found.center_x, found.net, found.background]).all()


@pytest.fixture
def rocking(random):
    """A spot that brightens and fades, in frames of one chunk each."""
    profile = np.array([0, 2, 30, 80, 41, 6, 1])
    images = random.poisson(3, (7, *SHAPE))
    images[:, 12:15, 20:24] += profile[:, None, None]
    return xr.DataArray(
        da.from_array(images.astype(np.int32), chunks=(1, *SHAPE)),
        dims=("frame", "detector_y", "detector_x"),
        coords={
            "omega": ("frame", np.arange(7) * 0.1 + 30, {"units": "deg"}),
            "detector_x": np.arange(SHAPE[1]),
        },
        attrs={"units": "counts", "wavelength": 0.9},
    )


def test_a_rocking_curve_is_the_statistics_of_each_frame(rocking):
    region, mask = Circle(22.0, 13.4, 4.1), np.zeros(SHAPE, np.uint32)
    mask[13, 22] = 1
    curve = rocking_curve(rocking, region, mask=mask, which=("sum", "net", "max_x", "pixels"))
    for number in range(7):
        expected = statistics(rocking[number].compute(), region, mask=mask)
        for name in curve.data_vars:
            assert float(curve[name][number]) == pytest.approx(getattr(expected, name))
    np.testing.assert_array_equal(curve.omega, rocking.omega)
    assert curve.omega.attrs["units"] == "deg"
    assert curve.net.attrs["units"] == "counts"
    assert curve.max_x.attrs["units"] == "pixel"
    assert curve.pixels.attrs["units"] == "1"
    assert curve.attrs["wavelength"] == 0.9
    assert "detector_x" not in curve.coords


def test_a_rocking_curve_follows_the_spot(rocking):
    curve = rocking_curve(rocking, Rectangle(18, 10, 26, 17), mask=classify(np.zeros(SHAPE, bool)))
    assert int(np.argmax(curve.net.values)) == 3
    # The spot has 12 pixels; counting spreads background and spot by about 17.
    np.testing.assert_allclose(curve.net, 12 * np.array([0, 2, 30, 80, 41, 6, 1]), atol=100)


def test_a_lazy_stack_is_read_once_and_a_block_at_a_time(random, monkeypatch):
    from beamkit.images import _pixels

    monkeypatch.setattr(_pixels, "_BLOCK", 8 * 40)
    read = []

    def load(block):
        read.append(len(block))
        return block

    images = da.from_array(random.poisson(3, (9, *SHAPE)), chunks=(2, *SHAPE))
    data = xr.DataArray(images.map_blocks(load, dtype=int), dims=("frame", "y", "x"))
    read.clear()  # dask tries the function when the array is made
    curve = rocking_curve(data, Rectangle(3, 4, 8, 12), margin=1)
    assert curve.sizes["frame"] == 9
    assert sorted(read) == [1, 2, 2, 2, 2]
    np.testing.assert_array_equal(curve["sum"], data.values[:, 4:12, 3:8].sum(axis=(1, 2)))


@pytest.mark.parametrize("chunks", [(9,), (1,) * 9, (2, 2, 5), (4, 5)])
@pytest.mark.parametrize("size", [1, 3, 100])
def test_blocks_cover_the_frames_once_and_split_no_chunk(chunks, size, monkeypatch):
    from beamkit.images import _pixels

    monkeypatch.setattr(_pixels, "_BLOCK", 8 * size)
    data = xr.DataArray(np.zeros((9, 1, 1)), dims=("frame", "y", "x")).chunk(frame=chunks)
    edges = {0, *np.cumsum(chunks).tolist()}
    for first in range(9):
        for stop in range(first + 1, 10):
            found = list(_pixels.blocks(data, first, stop))
            frames = [number for part in found for number in range(part.start, part.stop)]
            assert frames == list(range(first, stop))
            assert {part.stop for part in found} <= edges | {stop}
            assert max(part.stop - part.start for part in found) <= max(size, *chunks)


def test_wrong_options_are_refused(rocking):
    image = np.zeros(SHAPE)
    with pytest.raises(ShapeError, match="An image has 2 dimensions"):
        statistics(rocking, Circle(9, 9, 3))
    with pytest.raises(ShapeError, match="A stack of images has 3 dimensions"):
        rocking_curve(rocking[0], Circle(9, 9, 3))
    with pytest.raises(ParameterError, match="covers no pixel"):
        statistics(image, Circle(900, 9, 3))
    with pytest.raises(ParameterError, match="margin is 0"):
        statistics(image, Circle(9, 9, 3), margin=0)
    with pytest.raises(ParameterError, match="no background 'mode'"):
        statistics(image, Circle(9, 9, 3), background="mode")
    with pytest.raises(ParameterError, match="Did you mean 'sum'"):
        rocking_curve(rocking, Circle(9, 9, 3), which=("sums",))
    with pytest.raises(ShapeError, match="The mask has shape"):
        statistics(image, Circle(9, 9, 3), mask=np.zeros((3, 3), bool))
    with pytest.raises(ParameterError, match="real numbers"):
        statistics(image.astype(complex), Circle(9, 9, 3))


def test_the_background_of_few_counts_is_their_mean_and_not_the_median_of_zero():
    rng = np.random.default_rng(11)
    counts = rng.poisson(0.3, (60, 80)).astype(np.int32)
    counts[8:11, 8:11] = 40  # another peak, in the frame around the region
    image = xr.DataArray(counts, dims=("y", "x"), attrs={"units": "counts"})
    found = statistics(image, Rectangle(12, 12, 62, 47), margin=6)
    assert found.background == pytest.approx(0.3, abs=4 * np.sqrt(0.3 / 1164))
    assert abs(found.net) < 4 * found.net_error
    assert (
        statistics(image, Rectangle(12, 12, 62, 47), margin=6, background="median").background == 0
    )
