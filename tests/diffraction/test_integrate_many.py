"""Many frames: in threads, in processes, lazily; each the same numbers as one by one."""

from __future__ import annotations

import pickle
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
import xarray as xr
from scipy.optimize import curve_fit

import beamkit as bk
from beamkit import samples
from beamkit.core.errors import ParameterError
from beamkit.diffraction import Geometry, integrate

SHAPE = (143, 211)


@pytest.fixture(autouse=True)
def _pyfai(require):
    require("pyFAI", "diffraction")


@pytest.fixture(scope="module")
def geometry() -> Geometry:
    return Geometry.from_fit2d(
        center_x=130.2, center_y=51.7, distance=90, pixel_x=172, pixel_y=172, tilt=3.0,
        tilt_plane_rotation=-20.0, wavelength=0.8, shape=SHAPE,
    )  # fmt: skip


@pytest.fixture(scope="module")
def stack() -> xr.DataArray:
    rng = np.random.default_rng(4)
    level = 20 + 30 * np.arange(14)[:, None, None]
    return xr.DataArray(
        rng.poisson(level, (14, *SHAPE)).astype(np.int32),
        dims=("frame", "detector_y", "detector_x"),
        coords={"omega": ("frame", np.arange(14) * 0.5)},
        attrs={"units": "counts"},
    )


@pytest.fixture(scope="module")
def one_by_one(stack, geometry):
    pytest.importorskip("pyFAI")
    frames = [integrate(stack, 80, geometry=geometry, frames=n) for n in range(14)]
    return xr.concat([each.drop_attrs() for each in frames], "frame")


@pytest.mark.parametrize("method", ["bbox/csc", "bbox/csr", "bbox/histogram"])
def test_threads_give_the_same_as_one_by_one(stack, geometry, one_by_one, method):
    # Threads that share a CSR engine of pyFAI mix up their frames.
    for _ in range(3):
        found = integrate(stack, 80, geometry=geometry, method=method, workers=4)
        np.testing.assert_allclose(found.intensity, one_by_one.intensity, rtol=1e-5)
        np.testing.assert_allclose(found.sigma, one_by_one.sigma, rtol=1e-4)


def test_an_executor_of_ones_own(stack, geometry, one_by_one):
    with ThreadPoolExecutor(2) as threads:
        found = integrate(stack, 80, geometry=geometry, executor=threads)
    np.testing.assert_array_equal(found.intensity, one_by_one.intensity)


@pytest.mark.slow
def test_processes_build_their_own_integrator(stack, geometry, one_by_one):
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
        found = integrate(stack[:3], 80, geometry=geometry, executor=processes)
    np.testing.assert_array_equal(found.intensity, one_by_one.intensity[:3])


def test_lazy_frames_give_a_lazy_pattern_chunk_by_chunk(stack, geometry, one_by_one):
    lazy = stack.chunk(frame=4, detector_x=100)
    found = integrate(lazy, 80, geometry=geometry)
    assert found.intensity.chunks == ((4, 4, 4, 2), (80,))
    assert found.omega.values[-1] == 6.5
    np.testing.assert_array_equal(found.intensity, one_by_one.intensity)
    np.testing.assert_array_equal(found.sigma, one_by_one.sigma)
    one = found.intensity.isel(frame=9).compute()
    np.testing.assert_array_equal(one, one_by_one.intensity[9])
    assert len(pickle.dumps(found.intensity.data.dask)) < 3 * lazy[0].nbytes + lazy.nbytes


def test_lazy_cakes_and_sectors_with_a_monitor(stack, geometry):
    lazy = stack.chunk(frame=5)
    numbers = np.linspace(1, 3, 14)
    for options in ({"npt": (20, 16)}, {"npt": 20, "sectors": [(-40, 30), (150, 230)]}):
        found = integrate(lazy, geometry=geometry, monitor=numbers, **options)
        now = integrate(stack, geometry=geometry, monitor=numbers, **options)
        assert found.intensity.dims == now.intensity.dims
        np.testing.assert_array_equal(found.intensity, now.intensity)
        np.testing.assert_array_equal(found.sigma, now.sigma)


def test_a_grid_of_frames_stays_a_grid(stack, geometry, one_by_one):
    grid = stack.values[:12].reshape(3, 4, *SHAPE)
    data = xr.DataArray(grid, dims=("row", "column", "detector_y", "detector_x"))
    for each in (data, data.chunk(row=1, column=2)):
        found = integrate(each, 80, geometry=geometry)
        assert found.intensity.dims == ("row", "column", "q")
        np.testing.assert_array_equal(
            found.intensity.values.reshape(12, 80), one_by_one.intensity[:12]
        )


def test_no_workers_are_refused(stack, geometry):
    with pytest.raises(ParameterError, match="workers=0"):
        integrate(stack, 80, geometry=geometry, workers=0)


def test_simulated_powder_has_its_rings_within_one_part_in_ten_thousand(tmp_path):
    truth = samples.powder(
        tmp_path / "si.cbf", calibrant="Si", distance=0.15, noise=False, hot_pixels=0
    )
    size = truth.detector.layout.pixel_size
    here = Geometry(*truth.detector.plane, size, size, truth.detector.shape, truth.wavelength)
    data = bk.open(truth.path)
    pattern = data.bk.integrate(1500, unit="2th_deg", geometry=here, polarization=0.99).load()
    places = np.array([ring.two_theta for ring in truth.rings])
    window = 2 * truth.ring_width
    checked = 0
    for place in places:
        x = pattern.two_theta.values
        inside = abs(x - place) < window
        is_alone = np.sum(abs(places - place) < 2.2 * window) == 1
        if is_alone and place + window < x[-40]:
            start = (place + 0.02, pattern.intensity.values[0][inside].max(), window / 4, 25)
            found, _ = curve_fit(gaussian, x[inside], pattern.intensity.values[0][inside], start)
            assert found[0] == pytest.approx(place, rel=1e-4)
            checked += 1
    assert checked >= 8


def gaussian(x, place, height, width, ground):
    return ground + height * np.exp(-(((x - place) / width) ** 2) / 2)
