"""Pixels that reach into a narrow gap count as others do, and no count is lost on the way."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.detectors import EXCALIBUR, MASK_GAP, MASK_VIRTUAL, ModuleLayout
from beamkit.core.errors import ParameterError, ShapeError, UnknownNameError
from beamkit.images import flat_field, wide_pixels

#: 2 x 3 chips of 5 x 4 pixels: 3 pixels between chips across, 1 between the two rows of chips.
SMALL = ModuleLayout("small", (11, 18), (5, 4), (1, 3), 55e-6, wide_edge=2.5)
#: The same with gaps of 3 pixels in both directions.
SQUARE = ModuleLayout("square", (13, 18), (5, 4), (3, 3), 55e-6, wide_edge=2.5)
DIMS = ("detector_y", "detector_x")


def evenly_lit() -> NDArray[np.int32]:
    """Counts of 100 a pixel, written down by hand: 2.5 times that beside gaps of 3."""
    columns = np.array([2, 2, 2, 5, -1, -1, -1, 5, 2, 2, 5, -1, -1, -1, 5, 2, 2, 2])
    rows = np.array([2, 2, 2, 2, 5, -1, -1, -1, 5, 2, 2, 2, 2])
    counts = 25 * rows[:, None] * columns[None, :]
    return np.where((rows < 0)[:, None] | (columns < 0)[None, :], -1, counts).astype(np.int32)


def test_an_even_illumination_becomes_even() -> None:
    counts = xr.DataArray(evenly_lit(), dims=DIMS)
    divided = wide_pixels(counts, layout=SQUARE)
    np.testing.assert_allclose(divided.values[~SQUARE.gaps()], 100)
    assert np.isnan(divided.values[SQUARE.gaps()]).all()
    spread = wide_pixels(counts, layout=SQUARE, method="spread")
    np.testing.assert_allclose(spread.values, 100)


def test_no_count_is_lost_when_they_are_spread() -> None:
    counts = np.random.default_rng(5).integers(0, 1000, SQUARE.shape).astype(np.int32)
    counts[SQUARE.gaps()] = -1
    spread = wide_pixels(xr.DataArray(counts, dims=DIMS), layout=SQUARE, method="spread")
    assert float(spread.sum()) == pytest.approx(counts[~SQUARE.gaps()].sum(), rel=1e-12)
    unchanged = ~SQUARE.gaps() & ~SQUARE.wide_pixels()
    np.testing.assert_array_equal(spread.values[unchanged], counts[unchanged])


def test_a_flag_stays_without_number_and_spoils_only_what_it_reaches() -> None:
    counts = evenly_lit()
    counts[1, 3] = -2  # beside a gap
    spread = wide_pixels(xr.DataArray(counts, dims=DIMS), layout=SQUARE, method="spread").values
    assert np.argwhere(np.isnan(spread)).tolist() == [[1, 3], [1, 4], [1, 5]]


def test_wide_gaps_stay_gaps_and_the_mask_says_which_pixels_are_virtual() -> None:
    counts = np.ones((1, *EXCALIBUR.shape), np.uint16)
    mask = np.where(EXCALIBUR.gaps(), MASK_GAP, 0).astype(np.uint32)
    data = xr.Dataset(
        {"image": (("frame", *DIMS), counts), "mask": (DIMS, mask)}, attrs={"kind": "image"}
    ).chunk({"frame": 1})
    result = wide_pixels(data, method="spread")
    assert result["image"].chunks is not None
    bits, image = result["mask"].values, result["image"].values[0]
    between_modules = np.zeros(EXCALIBUR.shape, bool)
    for top in (515, 1153):
        between_modules[top : top + 123] = True
    np.testing.assert_array_equal(bits == MASK_GAP, between_modules)
    np.testing.assert_array_equal(bits == MASK_VIRTUAL, EXCALIBUR.gaps() & ~between_modules)
    np.testing.assert_array_equal(np.isnan(image), between_modules)
    assert np.nansum(image) == pytest.approx(np.count_nonzero(~EXCALIBUR.gaps()), rel=1e-6)


def test_the_corners_of_chips_count_for_two_and_a_half_squared() -> None:
    ones = xr.DataArray(np.ones(EXCALIBUR.shape), dims=DIMS)
    areas = 1 / wide_pixels(ones).values
    assert areas[100, 100] == pytest.approx(1)
    assert areas[100, 255] == pytest.approx(2.5)
    assert areas[255, 255] == pytest.approx(6.25)
    assert areas[259, 259] == pytest.approx(6.25)
    assert areas[514, 100] == pytest.approx(1)  # the last row of a module: no narrow gap follows
    assert areas[100, 0] == pytest.approx(1)


def test_a_crop_is_divided_as_the_whole_frame_is() -> None:
    whole = xr.DataArray(
        np.random.default_rng(3).random(SMALL.shape),
        dims=DIMS,
        coords={"detector_y": np.arange(11), "detector_x": np.arange(18)},
    )
    part = {"detector_y": slice(2, 9), "detector_x": slice(3, 12)}
    xr.testing.assert_equal(
        wide_pixels(whole.isel(part), layout=SMALL), wide_pixels(whole, layout=SMALL).isel(part)
    )
    with pytest.raises(ShapeError, match="then crop"):
        wide_pixels(whole.isel(part), layout=SMALL, method="spread")
    with pytest.raises(ShapeError, match="not binned"):
        wide_pixels(whole.coarsen(detector_x=2).mean(), layout=SMALL)


def test_what_cannot_be_is_refused() -> None:
    image = xr.DataArray(np.ones(SMALL.shape), dims=DIMS)
    with pytest.raises(UnknownNameError, match="spread"):
        wide_pixels(image, layout=SMALL, method="spred")
    with pytest.raises(ParameterError, match="factor=0"):
        wide_pixels(image, layout=SMALL, factor=0)
    with pytest.raises(ParameterError, match="not allowed with"):
        wide_pixels(image, layout=SMALL, method="spread", factor=2)
    with pytest.raises(ShapeError, match="1791 x 2069"):
        wide_pixels(image)
    with pytest.raises(ParameterError, match="no images"):
        wide_pixels(xr.Dataset({"x": image}), layout=SMALL)


def test_a_flat_field_gives_back_what_fell_on_the_detector() -> None:
    rng = np.random.default_rng(11)
    response, truth = rng.uniform(0.5, 1.5, SMALL.shape), rng.uniform(10, 90, (3, *SMALL.shape))
    response[2, 7], response[3, 1] = 0, np.nan
    data = xr.DataArray(truth * response, dims=("frame", *DIMS), attrs={"units": "counts"})
    corrected = flat_field(data.chunk({"frame": 1}), response)
    assert corrected.chunks is not None
    good = np.isfinite(response) & (response > 0)
    expected = truth * response[good].mean()
    np.testing.assert_allclose(corrected.values[:, good], expected[:, good], rtol=1e-12)
    assert np.isnan(corrected.values[:, ~good]).all()
    assert corrected.attrs["units"] == "counts"
    plain = flat_field(data, response, normalize="none")
    np.testing.assert_allclose(plain.values[:, good], truth[:, good], rtol=1e-12)


def test_a_flat_of_each_module_leaves_the_differences_between_modules() -> None:
    modules = SMALL.module_numbers()
    assert modules.max() == 5
    assert modules[0, 0] == 0
    assert modules[6, 17] == 5
    assert (modules[SMALL.gaps()] == -1).all()
    rng = np.random.default_rng(2)
    response = rng.uniform(0.5, 1.5, SMALL.shape)
    for number in range(6):
        response[modules == number] /= response[modules == number].mean()
    lamp = np.take([1.0, 3.0, 0.2, 7.0, 5.0, 2.0, 1.0], modules)  # each lit for another time
    data = xr.DataArray(response * 40, dims=DIMS)
    corrected = flat_field(data, response * lamp, normalize="module", layout=SMALL)
    np.testing.assert_allclose(corrected.values[~SMALL.gaps()], 40, rtol=1e-12)
    with pytest.raises(ParameterError, match="needs the layout"):
        flat_field(data, response, normalize="module")


def test_flats_that_are_none_are_refused() -> None:
    data = xr.DataArray(np.ones(SMALL.shape), dims=DIMS)
    with pytest.raises(ShapeError, match="same"):
        flat_field(data, np.ones((11, 17)))
    with pytest.raises(ParameterError, match="no pixel above 0"):
        flat_field(data, np.zeros(SMALL.shape))
    with pytest.raises(UnknownNameError, match="detector"):
        flat_field(data, np.ones(SMALL.shape), normalize="chip")
