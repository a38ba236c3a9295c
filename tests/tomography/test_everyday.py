"""Everyday steps: projections left out, a circle, and volumes as integers."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from beamkit.core.errors import InvalidPixelsError, MetadataError, ParameterError, ShapeError
from beamkit.tomography import circular_mask, exclude_frames, to_uint8, to_uint16


@pytest.fixture
def scan():
    values = np.arange(7 * 3 * 5, dtype=np.float32).reshape(7, 3, 5)
    current = [300.0, 301, 299, 120, np.nan, 300, 302]
    return xr.Dataset(
        {
            "projections": (("angle", "detector_y", "detector_x"), values),
            "flats": (("flat", "detector_y", "detector_x"), values[:2]),
        },
        coords={"angle": np.arange(7) * 30.0, "beam_current": ("angle", current)},
        attrs={"kind": "tomography"},
    )


def test_projections_go_by_number_angle_and_beam(scan):
    left = exclude_frames(scan, indices=[0, -1], angles=(55, 65), low_beam=0.5)
    assert left["angle"].values.tolist() == [30, 150]
    np.testing.assert_array_equal(left["projections"], scan["projections"].values[[1, 5]])
    assert left.sizes["flat"] == 2
    assert "5 of 7 projections were left out" in str(left.attrs["notes"])
    alone = exclude_frames(scan["projections"], indices=[2])
    assert alone.sizes["angle"] == 6
    given = exclude_frames(scan, low_beam=0.9, beam_current=[1, 1, 1, 1, 1, 0.5, 1])
    assert 150 not in given["angle"]


def test_what_cannot_be_left_out_is_refused(scan):
    with pytest.raises(ParameterError, match="0 to 6"):
        exclude_frames(scan, indices=[7])
    with pytest.raises(ParameterError, match="lower one first"):
        exclude_frames(scan, angles=(90, 30))
    with pytest.raises(ParameterError, match="All 7"):
        exclude_frames(scan, angles=(0, 180))
    with pytest.raises(ParameterError, match="below 1"):
        exclude_frames(scan, low_beam=1.5)
    with pytest.raises(MetadataError, match="'ring'"):
        exclude_frames(scan, low_beam=0.5, beam_current="ring")
    with pytest.raises(ParameterError, match="one value for each"):
        exclude_frames(scan, low_beam=0.5, beam_current=[1, 2])
    with pytest.raises(MetadataError, match="no angles"):
        exclude_frames(scan["flats"], indices=[0])


def test_a_circle_is_about_the_middle_and_touches_the_shorter_side():
    volume = xr.DataArray(np.ones((2, 5, 8), np.float32), dims=("z", "y", "x"))
    masked = circular_mask(volume, value=np.nan)
    inside = np.isfinite(masked.values[1])
    expected = np.zeros((5, 8), bool)
    for row in range(5):
        for column in range(8):
            expected[row, column] = (row - 2) ** 2 + (column - 3.5) ** 2 <= 2.5**2
    np.testing.assert_array_equal(inside, expected)
    assert masked.dtype == np.float32
    lazy = circular_mask(volume.chunk({"z": 1}), ratio=0.5)
    assert lazy.chunks is not None
    assert lazy.dims == volume.dims
    with pytest.raises(ParameterError, match="ratio is 0"):
        circular_mask(volume, ratio=0)
    with pytest.raises(ParameterError, match="whole numbers"):
        circular_mask(volume.astype(np.uint8), value=np.nan)
    with pytest.raises(ShapeError, match="y and x"):
        circular_mask(volume.rename(x="column"))


@pytest.mark.parametrize(("function", "codes"), [(to_uint8, 255), (to_uint16, 65535)])
def test_integers_give_the_values_back_to_half_a_step(function, codes, tmp_path):
    values = np.random.default_rng(3).normal(2.0, 0.7, (4, 19, 23)).astype(np.float32)
    values[1, 2, 3] = np.nan
    volume = xr.DataArray(values, dims=("z", "y", "x"), name="volume", attrs={"units": "1/cm"})
    coded = function(volume, percentiles=(0, 100))
    assert coded.dtype.itemsize == (1 if codes == 255 else 2)
    assert int(coded[1, 2, 3]) == 0
    assert int(coded.max()) == codes
    step = coded.attrs["scale_factor"]
    assert step == pytest.approx((np.nanmax(values) - np.nanmin(values)) / (codes - 1), rel=1e-6)
    coded.to_dataset().to_netcdf(tmp_path / "volume.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "volume.nc", engine="h5netcdf") as found:
        np.testing.assert_allclose(found["volume"].values, values, atol=0.501 * step)
        assert found["volume"].attrs["units"] == "1/cm"


def test_percentiles_cut_off_and_say_how_much():
    values = np.arange(10001, dtype=float).reshape(73, 137)
    volume = xr.DataArray(values, dims=("y", "x"))
    coded = to_uint8(volume, percentiles=(1, 98))
    assert coded.attrs["clipped"] == pytest.approx(0.03, abs=1e-3)
    low = coded.attrs["add_offset"] + coded.attrs["scale_factor"]
    assert low == pytest.approx(100)
    assert int(coded[0, 0]) == 1
    assert int(coded[-1, -1]) == 255
    fixed = to_uint16(volume, limits=(0, 65534))
    np.testing.assert_array_equal(fixed, values + 1)
    lazy = to_uint8(volume.chunk({"y": 10}), percentiles=(1, 98))
    assert lazy.chunks is not None
    np.testing.assert_array_equal(lazy, coded)


def test_limits_that_cannot_be_are_refused():
    volume = xr.DataArray(np.ones((3, 4)), dims=("y", "x"))
    with pytest.raises(ParameterError, match="percentiles"):
        to_uint8(volume, percentiles=(99, 1))
    with pytest.raises(ParameterError, match="0 to 100"):
        to_uint8(volume, percentiles=(-1, 50))
    with pytest.raises(ParameterError, match="limits"):
        to_uint8(volume, limits=(2, 2))
    with pytest.raises(InvalidPixelsError, match="no finite"):
        to_uint8(volume * np.nan)
    assert int(to_uint8(volume).max()) >= 1  # an even volume is allowed
