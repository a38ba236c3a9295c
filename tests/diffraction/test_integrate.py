"""Azimuthal integration against closed forms, pyFAI itself and reference patterns."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import beamkit as bk
from beamkit.core.errors import (
    InvalidPixelsError,
    MetadataError,
    ParameterError,
    ShapeError,
    UnknownNameError,
)
from beamkit.diffraction import Geometry, integrate

SHAPE = (61, 83)


@pytest.fixture(autouse=True)
def _pyfai(require):
    require("pyFAI", "diffraction")


@pytest.fixture
def geometry() -> Geometry:
    """Off the centre, tilted, pixels that are not square."""
    return Geometry.from_fit2d(
        center_x=55.2,
        center_y=21.7,
        distance=60,
        pixel_x=172,
        pixel_y=150,
        tilt=4.0,
        tilt_plane_rotation=35.0,
        wavelength=0.9,
        shape=SHAPE,
    )


def image_of(values) -> xr.DataArray:
    return xr.DataArray(
        np.asarray(values), dims=("detector_y", "detector_x"), attrs={"units": "counts"}
    )


def test_even_image_is_even_and_bins_without_pixel_are_nan(geometry):
    flat = image_of(np.full(SHAPE, 7))
    found = integrate(flat, 90, geometry=geometry, solid_angle=False, radial=(0, 6))
    seen = found.weight.values > 0
    assert 0 < seen.sum() < 90
    np.testing.assert_allclose(found.intensity.values[seen], 7, rtol=1e-6)
    assert np.isnan(found.intensity.values[~seen]).all()
    assert np.isnan(found.sigma.values[~seen]).all()


def test_values_of_q_come_out_at_their_q(geometry):
    q = geometry.map_of("q")
    for unit, scale in (("q_A^-1", 1.0), ("q_nm^-1", 10.0)):
        found = integrate(
            image_of(q.values * scale), 40, unit=unit, method="no", geometry=geometry,
            error_model=None, solid_angle=False,
        )  # fmt: skip
        inner = slice(2, -2)
        # The mean q of the pixels of a bin is within half a bin of its middle.
        width = float(found.q[1] - found.q[0])
        assert abs(found.intensity - found.q)[inner].max() < width / 2
        assert abs((found.intensity - found.q)[inner].mean()) < width / 20


def test_units_have_their_axes(geometry):
    image = image_of(np.ones(SHAPE))
    two_theta = geometry.map_of("two_theta").values
    found = integrate(image, 30, unit="2th_deg", geometry=geometry)
    assert found.two_theta.attrs["units"] == "deg"
    assert two_theta.min() <= float(found.two_theta[1])
    assert two_theta.max() >= float(found.two_theta[-2])
    radian = integrate(image, 30, unit="2th_rad", geometry=geometry)
    np.testing.assert_allclose(np.rad2deg(radian.two_theta), found.two_theta, rtol=1e-6)
    q = integrate(image, 30, geometry=geometry, radial=(1, 3)).q
    squares = integrate(
        image, 30, unit="d*2_A^-2", geometry=geometry, radial=(0.1, 0.2)
    ).inverse_d_squared  # fmt: skip
    assert (q.attrs["units"], squares.attrs["units"]) == ("1/angstrom", "1/angstrom^2")
    np.testing.assert_allclose(q, 1 + (np.arange(30) + 0.5) * 2 / 30, rtol=1e-6)


def test_cake_shows_a_wedge_where_chi_says(geometry):
    # chi runs from +detector_x towards +detector_y: a mirrored image would show it at -130.
    chi = geometry.map_of("chi").values
    wedge = image_of(np.where(abs(chi - 130) < 15, 9.0, 0.0))
    cake = integrate(wedge, (12, 72), geometry=geometry, method="no", error_model=None)
    assert cake.intensity.dims == ("chi", "q")
    bright = cake.chi.values[cake.intensity.mean("q").values > 4.5]
    assert bright.min() == 117.5
    assert bright.max() == 142.5
    below = float(geometry.chi(55.2, 21.7 + 10))
    assert below == pytest.approx(90, abs=0.5)  # rows further down are at 90 deg


def test_cake_and_sector_cross_180_degrees(geometry):
    chi = geometry.map_of("chi").values
    wedge = image_of(np.where(abs(chi) > 170, 9.0, 0.0))
    cake = integrate(
        wedge, (12, 8), geometry=geometry, azimuth=(160, 200), method="no", solid_angle=False
    )
    np.testing.assert_allclose(cake.chi, [162.5 + 5 * n for n in range(8)])
    found = cake.intensity.mean("q").values
    np.testing.assert_allclose(found, [0, 0, 9, 9, 9, 9, 0, 0], atol=1e-5)
    sector = integrate(
        wedge, 12, geometry=geometry, azimuth=(-190, -170), method="no", solid_angle=False
    )
    assert sector.intensity.dims == ("q",)
    assert sector.intensity.count() > 8
    np.testing.assert_allclose(sector.intensity.dropna("q"), 9, rtol=1e-5)


def test_sectors_are_the_pixels_with_their_centre_inside(geometry):
    rng = np.random.default_rng(3)
    values = rng.poisson(50, SHAPE)
    ranges = [(-20, 25), (100, 185)]
    found = integrate(
        image_of(values), 9, geometry=geometry, sectors=ranges, method="no", solid_angle=False
    )
    assert found.intensity.dims == ("sector", "q")
    chi, q = geometry.map_of("chi").values, geometry.map_of("q").values
    width = float(found.q[1] - found.q[0])
    for number, (low, high) in enumerate(ranges):
        inside = (chi - low) % 360 < high - low
        for place in (2, 5):
            middle = float(found.q[place])
            ring = inside & (abs(q - middle) < width / 2)
            if ring.any():
                mean = values[ring].mean()
                assert float(found.intensity[number, place]) == pytest.approx(mean, rel=1e-4)
                error = np.sqrt(values[ring].sum()) / ring.sum()
                assert float(found.sigma[number, place]) == pytest.approx(error, rel=1e-4)


def test_masked_flagged_and_saturated_pixels_never_count(geometry):
    values = np.full(SHAPE, 5, np.int32)
    values[10:14] = -1
    values[20, 30] = -2
    values[30:33, 40] = 10**6
    mask = np.zeros(SHAPE, np.uint32)
    values[50:52], mask[50:52] = 10**5, 1 << 4
    mask[55], values[56] = 1 << 31, 5  # only informs
    data = image_of(values).assign_attrs(count_cutoff=2000.0)
    for method in ("bbox", "no", "full", "bbox/csr", "no/histogram"):
        for npt in (20, (10, 12)):
            found = integrate(data, npt, method=method, mask=mask, geometry=geometry,
                              solid_angle=False)  # fmt: skip
            good = found.intensity.values[np.isfinite(found.intensity.values)]
            np.testing.assert_allclose(good, 5, rtol=1e-6)


@pytest.mark.parametrize("kind", [np.uint16, np.uint32])
def test_largest_value_of_an_unsigned_detector_is_a_flag(geometry, kind):
    values = np.full(SHAPE, 3, kind)
    values[25:30] = np.iinfo(kind).max
    found = integrate(image_of(values), 15, geometry=geometry, solid_angle=False)
    np.testing.assert_allclose(found.intensity.dropna("q"), 3 * np.ones(15), rtol=1e-6)


def test_nan_frame_gives_a_nan_pattern_and_nan_pixels_do_not_spread(geometry):
    values = np.full((2, *SHAPE), 4.0, np.float32)
    values[0] = np.nan
    values[1, 8:20] = np.nan
    stack = xr.DataArray(values, dims=("frame", "detector_y", "detector_x"))
    found = integrate(stack, 15, geometry=geometry, solid_angle=False, error_model=None)
    assert np.isnan(found.intensity[0]).all()
    np.testing.assert_allclose(found.intensity[1].dropna("q"), 4 * np.ones(15), rtol=1e-6)


def test_sigma_is_that_of_photons_also_where_there_are_few(geometry):
    # 400 frames with 0.02 photons a pixel: the scatter of the intensities is their sigma.
    rng = np.random.default_rng(5)
    stack = xr.DataArray(
        rng.poisson(0.02, (400, *SHAPE)).astype(np.int32),
        dims=("frame", "detector_y", "detector_x"),
    )
    found = integrate(stack, 5, method="no", geometry=geometry, workers=2)
    scatter = found.intensity.std("frame").values
    np.testing.assert_allclose(found.sigma.mean("frame").values[1:4], scatter[1:4], rtol=0.15)


def test_azimuthal_errors_are_those_of_the_mean(geometry):
    rng = np.random.default_rng(6)
    stack = xr.DataArray(
        rng.normal(100, 8, (200, *SHAPE)), dims=("frame", "detector_y", "detector_x")
    )
    found = integrate(
        stack, 5, method="no", geometry=geometry, error_model="azimuthal", solid_angle=False
    )
    scatter = found.intensity.std("frame").values
    np.testing.assert_allclose(found.sigma.mean("frame").values[1:4], scatter[1:4], rtol=0.15)


def test_solid_angle_polarisation_dark_and_flat_are_undone(geometry):
    two_theta, chi = (np.deg2rad(geometry.map_of(name).values) for name in ("two_theta", "chi"))
    # What an even scatterer looks like: pyFAI manual, "Conversion of units and corrections".
    normal = np.asarray(geometry.normal)
    places = np.stack(
        [geometry.position(np.arange(83) + 0.5, row + 0.5) for row in range(61)]
    )  # fmt: skip
    incidence = (places @ normal) / np.linalg.norm(places, axis=-1)
    factor = (1 + np.cos(two_theta) ** 2 - 0.9 * np.cos(2 * chi) * np.sin(two_theta) ** 2) / 2
    rng = np.random.default_rng(1)
    flat = rng.uniform(0.8, 1.2, SHAPE).astype(np.float32)
    dark = rng.uniform(2, 4, (3, *SHAPE))
    values = 50 * factor * incidence**3 * flat + dark.mean(0)
    found = integrate(
        image_of(values), 20, geometry=geometry, polarization=0.9, flat=flat, dark=dark,
        unit="2th_deg",
    )  # fmt: skip
    np.testing.assert_allclose(found.intensity, 50, rtol=2e-4)


def test_crop_and_binning_keep_their_place(geometry):
    q = image_of(geometry.map_of("q").values).assign_coords(
        detector_y=np.arange(61), detector_x=np.arange(83)
    )
    crop = q[7:50, 11:70]
    found = integrate(crop, 25, geometry=geometry, method="no", solid_angle=False)
    width = float(found.q[1] - found.q[0])
    assert abs(found.intensity - found.q).max() < 0.6 * width
    binned = q[:60, :82].coarsen(detector_y=2, detector_x=2).mean()
    found = integrate(binned, 12, geometry=geometry, method="no", solid_angle=False)
    width = float(found.q[1] - found.q[0])
    assert abs(found.intensity - found.q).max() < 0.6 * width


def test_agrees_with_bare_pyfai(geometry):
    from pyFAI.detectors import Detector
    from pyFAI.integrator.azimuthal import AzimuthalIntegrator

    values = np.random.default_rng(8).poisson(40, SHAPE).astype(np.float32)
    bare = AzimuthalIntegrator(
        *geometry.poni, detector=Detector(150e-6, 172e-6, max_shape=SHAPE), wavelength=0.9e-10
    )
    for split in ("no", "bbox", "full"):
        expected = bare.integrate1d(
            values, 50, unit="q_A^-1", method=(split, "csr", "cython"), polarization_factor=0.95,
            variance=values,
        )  # fmt: skip
        found = integrate(image_of(values), 50, geometry=geometry, method=split, polarization=0.95)
        np.testing.assert_allclose(found.q, expected.radial, rtol=1e-5)
        seen = expected.sum_normalization > 0
        np.testing.assert_allclose(found.intensity[seen], expected.intensity[seen], rtol=1e-4)
        np.testing.assert_allclose(found.sigma[seen], expected.sigma[seen], rtol=1e-4)


def test_monitor_divides_and_coordinates_of_frames_stay(geometry):
    stack = xr.DataArray(
        np.full((3, *SHAPE), 6, np.int32),
        dims=("frame", "detector_y", "detector_x"),
        coords={
            "i0": ("frame", [1.0, 2.0, 4.0], {"units": "counts"}),
            "omega": ("frame", [0.0, 0.5, 1.0]),
        },
        attrs={"units": "counts"},
    )
    found = integrate(stack, 10, geometry=geometry, monitor="i0", solid_angle=False)
    np.testing.assert_allclose(found.intensity.mean("q"), [6, 3, 1.5], rtol=1e-6)
    assert found.omega.values.tolist() == [0.0, 0.5, 1.0]
    assert found.intensity.attrs["units"] == "counts/counts"
    assert found.bk.history[-1]["parameters"]["monitor"] == "i0"
    one = integrate(stack, 10, geometry=geometry, frames=[2], solid_angle=False)
    assert (one.sizes["frame"], float(one.omega[0])) == (1, 1.0)


def test_errors_say_what_to_do(geometry):
    image = image_of(np.ones(SHAPE))
    with pytest.raises(UnknownNameError, match=r"unit of a pattern 'q_A-1'.*q_A\^-1"):
        integrate(image, 10, unit="q_A-1", geometry=geometry)
    with pytest.raises(UnknownNameError, match="way of sharing pixels"):
        integrate(image, 10, method="box", geometry=geometry)
    with pytest.raises(ParameterError, match="lower one first"):
        integrate(image, 10, radial=(3, 1), geometry=geometry)
    with pytest.raises(ParameterError, match="number of bins"):
        integrate(image, 0, geometry=geometry)
    with pytest.raises(ParameterError, match="sectors go with one dimension"):
        integrate(image, (10, 10), sectors=[(0, 10)], geometry=geometry)
    with pytest.raises(InvalidPixelsError, match="All 5063 pixels are masked"):
        integrate(image, 10, mask=np.ones(SHAPE, bool), geometry=geometry)
    with pytest.raises(ShapeError, match=r"flat field has the shape \(3, 3\)"):
        integrate(image, 10, flat=np.ones((3, 3)), geometry=geometry)
    with pytest.raises(MetadataError, match="polarisation of the beam"):
        integrate(image, 10, polarization="metadata", geometry=geometry)
    with pytest.raises(MetadataError, match="do not say"):
        integrate(image, 10)
    with pytest.raises(ShapeError, match="ascending in even steps"):
        integrate(image.assign_coords(detector_y=np.arange(61)[::-1]), 10, geometry=geometry)


def ceria(folder):
    data = bk.open(folder / "powder/CeO2_Pilatus1M.tif")
    image = data["image"][0].load()
    # The reference, and its geometry, are of the image upside down.
    upside = image.copy(data=image.values[::-1])
    geometry = Geometry.from_poni(folder / "powder/CeO2_Pilatus1M.poni", shape=image.shape)
    return upside, geometry, np.loadtxt(folder / "powder/CeO2_Pilatus1M.xy")


def test_ceria_gives_the_reference_pattern(data_folder):
    image, geometry, reference = ceria(data_folder)
    # The reference counts the flags as they are, so they must look like counts here.
    values = image_of(image.values.astype(np.float32))
    found = integrate(
        values, 1512, unit="2th_deg", polarization=0.99, geometry=geometry, error_model=None
    )
    np.testing.assert_allclose(found.two_theta, reference[:, 0], atol=2e-6)
    np.testing.assert_allclose(found.intensity, reference[:, 1], rtol=1e-3)


def test_ceria_with_flags_left_out_has_its_lines(data_folder):
    image, geometry, _ = ceria(data_folder)
    geometry = geometry.with_wavelength(0.406626)
    found = integrate(image, 1512, unit="2th_deg", polarization=0.99, geometry=geometry)
    step = float(found.two_theta[1] - found.two_theta[0])
    # a = 5.41165 angstrom (NIST SRM 674b): what Bragg's law makes of its planes.
    for n in (3, 4, 8, 11, 12, 16, 19, 20):
        place = 2 * np.degrees(np.arcsin(0.406626 * np.sqrt(n) / 2 / 5.411651))
        fit = bk.peaks.fit_peak(
            found.intensity, range=(place - 0.25, place + 0.25), model="pseudo_voigt"
        )
        assert abs(float(fit.position) - place) < 0.5 * step, (n, float(fit.position), place)


def test_dawn_curve_of_silver_behenate(data_folder):
    folder = data_folder / "powder/i22-363061"
    data = bk.open(folder / "i22-363061.nxs")
    reference = bk.open(folder / "i22-363061_processed.nxs").load()
    mask = bk.diffraction.load_mask(folder / "i22-363061_mask.nxs")
    geometry = Geometry.from_fit2d(
        center_x=701.669, center_y=57.270, distance=6992.1, pixel_x=172, pixel_y=172,
        wavelength=data.attrs["wavelength"], shape=(1679, 1475),
    )  # fmt: skip
    step = float(reference.q[1] - reference.q[0])
    ends = (float(reference.q[0]) - step / 2, float(reference.q[-1]) + step / 2)
    found = integrate(
        data, 1797, radial=ends, mask=mask, geometry=geometry, method="bbox", solid_angle=False,
        frames=0,
    ).load()  # fmt: skip
    np.testing.assert_allclose(found.q, reference.q, atol=step / 100)
    seen = (reference.intensity.values > 0) & np.isfinite(found.intensity.values)
    ratio = found.intensity.values[seen] * 7.14605e9 / reference.intensity.values[seen]
    assert seen.sum() > 1500
    assert np.median(ratio) == pytest.approx(1, abs=0.01)
    assert np.quantile(abs(ratio / np.median(ratio) - 1), 0.9) < 0.01
