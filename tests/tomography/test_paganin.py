"""Paganin's phase retrieval: the published filter, in physical units, undoes the propagation."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from beamkit.core.errors import (
    InvalidPixelsError,
    MetadataError,
    ParameterError,
    QuantityError,
    UnknownNameError,
)
from beamkit.tomography import minus_log, paganin
from beamkit.tomography.corrections.paganin import (
    delta_beta_from_httomo,
    delta_beta_from_pyhst,
    delta_beta_from_tomopy,
    paganin_transfer,
)

ENERGY, DISTANCE, PIXEL, RATIO = 53.0, 1.0, 1.28e-6, 250.0
WAVELENGTH = 1.23984198e-9 / ENERGY
ALPHA = WAVELENGTH * DISTANCE * RATIO / (4 * np.pi)
KNOWN = {"energy": ENERGY, "propagation_distance": DISTANCE, "quantity": "transmission"}


def projections(*images, **attrs):
    known = {**KNOWN, "effective_pixel_size_x": PIXEL, "effective_pixel_size_y": PIXEL, **attrs}
    dims = ("angle", "detector_y", "detector_x")
    return xr.DataArray(np.stack(images).astype(np.float32), dims=dims, attrs=known)


def test_transfer_function_has_the_published_values():
    transfer = paganin_transfer((1024, 1024), alpha=ALPHA, pixel_size=(PIXEL, PIXEL))
    for k, value in ((8, 0.59367), (32, 0.08367), (128, 0.00567)):
        assert transfer[0, k] == pytest.approx(value, abs=1e-5)
        assert transfer[k, 0] == transfer[-k, 0] == pytest.approx(value, abs=1e-5)
    assert transfer[0, 0] == 1


@pytest.mark.parametrize("shape", [(33, 48), (64, 37)])
def test_transfer_function_is_the_formula(shape):
    size = (1.1e-6, 1.7e-6)
    first = paganin_transfer(shape, alpha=ALPHA, pixel_size=size)
    second = paganin_transfer(shape, alpha=ALPHA, pixel_size=size, variant="2020")
    for row, column in ((0, 1), (3, 0), (5, 7), (shape[0] - 2, 4)):
        fy = (row if row <= shape[0] // 2 else row - shape[0]) / (shape[0] * size[1])
        fx = column / (shape[1] * size[0])
        plain = 1 / (1 + np.pi * WAVELENGTH * DISTANCE * RATIO * (fx**2 + fy**2))
        assert first[row, column] == pytest.approx(plain, rel=1e-6)
        general = 1
        for f, w in ((fx, size[0]), (fy, size[1])):
            general -= 2 * ALPHA / w**2 * (np.cos(2 * np.pi * w * f) - 1)
        assert second[row, column] == pytest.approx(1 / general, rel=1e-6)


def blob(shape, sizes, laplacian=False):
    """A transmission that falls to 0.7 off the centre, or its Laplacian [1/m^2], in closed form."""
    y = (np.arange(shape[0]) - 0.55 * shape[0]) * sizes[1]
    x = (np.arange(shape[1]) - 0.42 * shape[1]) * sizes[0]
    sy, sx = 0.07 * shape[0] * sizes[1], 0.05 * shape[1] * sizes[0]
    bell = 0.3 * np.exp(-(y[:, None] ** 2) / (2 * sy**2) - x[None, :] ** 2 / (2 * sx**2))
    if not laplacian:
        return 1 - bell
    return -bell * ((y[:, None] ** 2 / sy**4 - 1 / sy**2) + (x[None, :] ** 2 / sx**4 - 1 / sx**2))


@pytest.mark.parametrize("shape", [(201, 256), (180, 327)])
def test_propagation_of_one_material_is_undone(shape):
    sizes = (1.28e-6, 1.6e-6)
    contact = blob(shape, sizes)
    # The transport-of-intensity equation for one material: I = (1 - alpha Laplacian) I_contact.
    intensity = contact - ALPHA * blob(shape, sizes, laplacian=True)
    assert np.abs(intensity - contact).max() > 0.02
    data = projections(intensity, effective_pixel_size_y=1.6e-6)
    found = paganin(data, delta_beta=RATIO)
    np.testing.assert_allclose(found[0], contact, atol=3e-4)
    assert found.attrs["quantity"] == "transmission"
    line = minus_log(found)
    np.testing.assert_allclose(line[0], -np.log(contact), atol=5e-4)


def test_the_variant_of_2020_undoes_the_discrete_laplacian():
    contact = np.ones((90, 111))
    contact[30:50, 45:70] = 0.8
    around = np.pad(contact, 1, mode="edge")
    difference = (
        around[2:, 1:-1] + around[:-2, 1:-1] + around[1:-1, 2:] + around[1:-1, :-2] - 4 * contact
    )
    intensity = contact - ALPHA / PIXEL**2 * difference
    found = paganin(projections(intensity), delta_beta=RATIO, variant="2020")
    np.testing.assert_allclose(found[0], contact, atol=2e-3)


def test_an_even_image_stays_and_edges_do_not_wrap_around():
    even = np.full((40, 61), 0.37)
    np.testing.assert_allclose(paganin(projections(even), delta_beta=RATIO), even[None], rtol=1e-5)
    step = np.ones((40, 300))
    step[:, 290:] = 0.5  # at the right edge: the left one must not see it
    found = paganin(projections(step), delta_beta=RATIO)
    np.testing.assert_allclose(found[0, :, :40], 1, atol=1e-4)


def test_lazy_projections_give_the_same(tmp_path):
    rng = np.random.default_rng(3)
    data = projections(*rng.uniform(0.4, 1, (3, 30, 41)))
    lazy = paganin(data.chunk({"angle": 2, "detector_y": 16}), delta_beta=RATIO)
    assert lazy.chunks is not None
    np.testing.assert_array_equal(lazy.values, paganin(data, delta_beta=RATIO).values)


def test_a_cone_beam_is_the_parallel_one_at_the_distance_over_magnification():
    image = np.random.default_rng(3).uniform(0.4, 1, (30, 41))
    cone = paganin(projections(image, magnification=4.0), delta_beta=RATIO)
    parallel = paganin(projections(image), delta_beta=RATIO, propagation_distance=DISTANCE / 4)
    np.testing.assert_array_equal(cone, parallel)


def test_parameters_of_other_programs_are_converted():
    # tomopy: 1 / (lambda z f^2 / (4 pi) + alpha), over its value at frequency 0.
    alpha, f = 2.3e-4, 1.7e5
    theirs = alpha / (WAVELENGTH * DISTANCE * f**2 / (4 * np.pi) + alpha)
    ratio = delta_beta_from_tomopy(alpha)
    assert 1 / (1 + np.pi * WAVELENGTH * DISTANCE * ratio * f**2) == pytest.approx(theirs)
    assert delta_beta_from_httomo(250) == 1000
    length = np.sqrt(np.pi * WAVELENGTH * DISTANCE * RATIO) * 1e6
    found = delta_beta_from_pyhst(length, energy=ENERGY, propagation_distance=DISTANCE)
    assert found == pytest.approx(RATIO, rel=1e-6)


def test_what_is_missing_or_wrong_is_said():
    image = np.ones((8, 9))
    data = projections(image)
    del data.attrs["effective_pixel_size_x"]
    with pytest.raises(MetadataError, match=r"pixel_size \[m\]"):
        paganin(data, delta_beta=RATIO)
    with pytest.raises(ParameterError, match="delta_beta is -1"):
        paganin(projections(image), delta_beta=-1)
    with pytest.raises(UnknownNameError, match="2020"):
        paganin(projections(image), delta_beta=RATIO, variant="2021")
    with pytest.raises(QuantityError, match="phase"):
        paganin(projections(image, quantity="line integral"), delta_beta=RATIO)
    image[3, 4] = np.nan
    with pytest.raises(InvalidPixelsError, match=r"\(0, 3, 4\)"):
        paganin(projections(image), delta_beta=RATIO)
