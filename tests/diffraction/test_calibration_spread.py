"""The uncertainties of a calibration are those of repeated measurements, also where points of a
ring, or at an azimuth, err alike."""

from __future__ import annotations

import numpy as np
import pytest
from diffraction.powder_images import PIXEL, powder_image, tilted

from beamkit.diffraction import calibrant, calibrate
from beamkit.diffraction._calibration_fit import fit_points
from beamkit.diffraction._calibration_model import Model
from beamkit.diffraction._calibration_spread import grouped, independent
from beamkit.diffraction._ring_points import Points

FREE = np.ones(5, bool)
SHAPE = (407, 487)


def errors_over_uncertainties(draw, trials=80):
    """Root mean square of (found - true) / stated, of each parameter, and the same as if all points
    were independent. ``draw(random, ring, chi)`` gives the errors of the points [pixel]."""
    geometry = tilted(SHAPE, 0.08, (201.3, 170.7), 0.15, -0.11)
    model, truth = Model.of(geometry, geometry.wavelength, SHAPE)
    rings = np.deg2rad(calibrant("LaB6").two_theta(geometry.wavelength))[:11]
    number, azimuth = np.arange(len(rings)), np.deg2rad(np.arange(-180, 180, 4.0))
    ring, chi = (part.ravel() for part in np.meshgrid(number, azimuth, indexing="ij"))
    x, y = model.positions(truth, rings[ring], chi)
    slopes = model.slopes(truth, x, y)
    random = np.random.default_rng(20)
    stated, plain = [], []
    for _ in range(trials):
        off = draw(random, ring, chi)
        moved = model.positions(truth, rings[ring] + off * slopes.per_pixel, chi)
        points = Points(*moved, ring, {}, {})
        fit = fit_points(points, model, truth, rings, FREE)
        assert fit is not None
        error = (fit.parameters - truth) ** 2
        stated.append(error / np.diag(fit.covariance))
        plain.append(error / fit.scatter)
    return np.sqrt(np.mean(stated, 0)), np.sqrt(np.mean(plain, 0))


def test_independent_errors_have_the_uncertainty_of_least_squares():
    ratio, plain = errors_over_uncertainties(
        lambda random, ring, chi: random.normal(0, 0.1, ring.size)
    )
    assert (ratio > 0.7).all()
    assert (ratio < 1.35).all()
    assert (plain < 1.35).all()


def test_errors_shared_along_the_azimuth_are_in_the_uncertainty():
    def draw(random, ring, chi):
        sector = np.floor(np.mod(chi, 2 * np.pi) / np.deg2rad(15)).astype(int)
        return random.normal(0, 0.03, ring.size) + random.normal(0, 0.1, sector.max() + 1)[sector]

    ratio, plain = errors_over_uncertainties(draw)
    assert (ratio > 0.6).all()
    assert (ratio < 1.6).all()
    assert plain[1:].min() > 2  # what it would be without


def test_errors_of_whole_rings_are_in_the_uncertainty_of_the_distance():
    ratio, plain = errors_over_uncertainties(
        lambda random, ring, chi: (
            random.normal(0, 0.03, ring.size) + random.normal(0, 0.1, ring.max() + 1)[ring]
        )
    )
    assert 0.6 < ratio[0] < 1.8
    assert plain[0] > 3


def test_grains_within_a_ring_are_in_the_uncertainty():
    def draw(random, ring, chi):
        grain = np.floor(np.mod(chi, 2 * np.pi) / np.deg2rad(15)).astype(int) + 24 * ring
        return random.normal(0, 0.02, ring.size) + random.normal(0, 0.1, grain.max() + 1)[grain]

    ratio, _ = errors_over_uncertainties(draw)
    assert (ratio > 0.6).all()
    assert (ratio < 1.5).all()


def test_few_points_have_the_uncertainty_of_independent_ones():
    random = np.random.default_rng(4)
    jacobian, residuals = random.normal(size=(6, 3)), random.normal(size=6)
    ring, chi = np.zeros(6, int), np.linspace(0, 0.1, 6)
    found = grouped(jacobian, residuals, ring, chi, 1.0)
    np.testing.assert_allclose(found, independent(jacobian, residuals))
    expected = np.linalg.inv(jacobian.T @ jacobian) * (residuals @ residuals) / 3
    np.testing.assert_allclose(independent(jacobian, residuals), expected, rtol=1e-9)


@pytest.mark.slow
def test_images_of_a_spotty_powder_scatter_as_the_uncertainty_says():
    geometry = tilted(SHAPE, 0.08, (201.3, 170.7), 0.15, -0.11)
    truth = [geometry.beam_center.distance, geometry.beam_center.x, geometry.beam_center.y]
    error, stated = [], []
    for seed in range(12):
        image = powder_image(geometry, "LaB6", seed=seed, spotty=0.6)
        found = calibrate(image, "LaB6", wavelength=0.5, detector=PIXEL, start=geometry)
        error.append(np.array(list(found.values.values())[:3]) - truth)
        stated.append(list(found.uncertainties.values())[:3])
    ratio = np.sqrt(np.mean(np.square(error) / np.square(stated), 0))
    assert (ratio > 0.5).all()
    assert (ratio < 1.7).all()
