"""Means over rings of equal angle, on tilted detectors too."""

import numpy as np
import pytest
import xarray as xr

from beamkit.core.errors import MetadataError, ParameterError, ShapeError, UnknownNameError
from beamkit.diffraction import Geometry
from beamkit.diffraction.radial import radial_profile
from beamkit.images import Sector, classify

SWING = np.radians(23.0)


@pytest.fixture
def tilted():
    """An oblong detector, swung about the vertical, with pixels that are not square."""
    return Geometry(
        origin=(-0.003, 0.004, 0.05),
        fast=(np.cos(SWING), 0.0, np.sin(SWING)),
        slow=(0.0, -1.0, 0.0),
        pixel_size_x=1e-4,
        pixel_size_y=1.3e-4,
        wavelength=0.9,
    )


def image_of(geometry, function, *, rows=61, columns=83, first=(0, 0)):
    image = xr.DataArray(
        np.zeros((rows, columns)),
        dims=("detector_y", "detector_x"),
        coords={
            "detector_y": np.arange(rows) + first[0],
            "detector_x": np.arange(columns) + first[1],
        },
        attrs={"units": "counts"},
    )
    return image.copy(data=function(geometry.map_like(image, "two_theta").values))


def test_a_function_of_the_angle_is_read_back_over_a_tilted_detector(tilted):
    image = image_of(tilted, lambda angle: 5 + 3 * angle)
    profile = radial_profile(image, tilted)
    # The mean over a ring is that of a straight line at its middle, to half a ring's width.
    width = np.diff(profile.two_theta)[0]
    full = profile.where(profile.pixels > 0, drop=True)
    assert np.abs(full.intensity - (5 + 3 * full.two_theta)).max() <= 3 * width / 2 + 1e-4
    assert profile.two_theta.attrs["units"] == "deg"
    assert profile.intensity.attrs["units"] == "counts"


def test_every_pixel_is_in_one_ring(tilted):
    image = image_of(tilted, np.ones_like)
    assert int(radial_profile(image, tilted, axis="q").pixels.sum()) == 61 * 83


def test_d_is_q_by_another_name(tilted):
    image = image_of(tilted, np.sin)
    q, d = (radial_profile(image, tilted, axis=axis) for axis in ("q", "d"))
    np.testing.assert_allclose(d.d, 2 * np.pi / q.q, rtol=1e-12)
    np.testing.assert_array_equal(d.intensity, q.intensity)
    assert d.d.attrs["units"] == "angstrom"


def test_masked_pixels_flags_and_nan_take_no_part(tilted):
    image = image_of(tilted, np.ones_like)
    mask = np.zeros(image.shape, np.uint32)
    image[4, 7], mask[4, 7] = 1e9, 1 << 8
    image[5, 9] = np.nan
    flagged = image.fillna(1).astype(np.int32)
    flagged[5, 9] = -2
    for data, given in ((image, mask), (image, classify(mask)), (flagged, mask)):
        profile = radial_profile(data, tilted, mask=given)
        assert np.nanmax(profile.intensity) == np.nanmin(profile.intensity) == 1
        assert int(profile.pixels.sum()) == image.size - 2


def test_a_cropped_image_has_the_same_angles(tilted):
    whole = image_of(tilted, lambda angle: angle)
    part = whole[20:50, 30:70]
    step = 0.2
    of_whole = radial_profile(whole, tilted, step=step)
    of_part = radial_profile(part, tilted, step=step)
    assert set(np.round(of_part.two_theta.values, 9)) <= set(np.round(of_whole.two_theta.values, 9))
    near = np.abs(of_part.intensity - of_part.two_theta)
    assert float(near.max()) <= step / 2 + 1e-4


def test_only_the_region_counts(tilted):
    image = image_of(tilted, np.ones_like)
    region = Sector(40.0, 20.0, 3.0, 9.0, 10.0, 80.0)
    profile = radial_profile(image, tilted, region=region)
    assert int(profile.pixels.sum()) == int(region.covers(image.shape).sum())


def test_what_cannot_be_is_refused(tilted):
    image = image_of(tilted, np.ones_like)
    with pytest.raises(UnknownNameError, match="two_theta"):
        radial_profile(image, tilted, axis="twotheta")
    with pytest.raises(ParameterError, match="above 0"):
        radial_profile(image, tilted, step=0)
    with pytest.raises(ShapeError, match="dimensions"):
        radial_profile(image.rename(detector_x="z"), tilted)
    with pytest.raises(ShapeError, match="mask has shape"):
        radial_profile(image, tilted, mask=np.zeros((3, 4), bool))
    with pytest.raises(ParameterError, match="covers no pixel"):
        radial_profile(image, tilted, region=Sector(-99.0, -99.0, 1.0, 2.0))
    dark = Geometry(tilted.origin, tilted.fast, tilted.slow, 1e-4, 1e-4)
    with pytest.raises(MetadataError, match="wavelength"):
        radial_profile(image, dark, axis="q")
