from __future__ import annotations

import h5py
import numpy as np
import pytest
import scipy.io
import xarray as xr
from tomography.phantom import DISCS, line_integrals, scaled, scan

from beamkit.core.errors import (
    InvalidPixelsError,
    MetadataError,
    QuantityError,
    ShapeError,
    UnknownNameError,
)
from beamkit.tomography import CenterEstimate, find_center
from beamkit.tomography.rotation_center import METHODS

HALF = np.arange(240) * 0.75
CENTER = 128 + 7.3
SMALL = scaled(DISCS, 0.5)


def discs(angles=HALF, center=CENTER, columns=257, noise=0.0, rows=1, **attrs):
    clean = line_integrals(SMALL, angles, columns, center)
    rng = np.random.default_rng(8)
    return scan(
        [clean + noise * clean.max() * rng.normal(size=clean.shape) for _ in range(rows)],
        angles,
        **attrs,
    )


def crop(data, first, last):
    return data.isel(detector_x=slice(first, last))


@pytest.fixture
def tooth(data_folder):
    """Raw scan of a tooth, 181 projections of 2 rows that stop at 179.0055 degrees."""
    detector = ("detector_y", "detector_x")
    with h5py.File(data_folder / "tomography/tooth.h5") as file:
        exchange = {name: item[()] for name, item in file["exchange"].items()}
    return xr.Dataset(
        {
            "projections": (("angle", *detector), exchange["data"], {"units": "counts"}),
            "flats": (("flat", *detector), exchange["data_white"]),
            "darks": (("dark", *detector), exchange["data_dark"]),
        },
        coords={
            "angle": exchange["theta"],
            "detector_y": np.arange(2),
            "detector_x": np.arange(640),
        },
        attrs={"kind": "tomography"},
    )


@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_the_axis_of_clean_discs(method):
    angles = np.arange(720) * 0.25
    data = scan([line_integrals(DISCS, angles, 513, 263.3)], angles)
    found = find_center(data, method=method)
    assert found.value == pytest.approx(263.3, abs=0.2)
    assert found.trusted
    assert found.method == method


@pytest.mark.parametrize("noise", [0.02, 0.05])
def test_axis_of_noisy_discs(noise):
    found = find_center(discs(noise=noise, rows=2))
    assert found.value == pytest.approx(CENTER, abs=0.2)
    assert found.trusted


def test_axis_with_stripes_on_the_detector():
    data = discs()
    stripes = np.random.default_rng(5).normal(size=257) * 0.03 * float(data.max())
    assert find_center(data + stripes).value == pytest.approx(CENTER, abs=0.2)


@pytest.mark.parametrize(
    "angles",
    [
        pytest.param(HALF[::-1], id="falling"),
        pytest.param(90 + HALF, id="from 90"),
        pytest.param(-HALF, id="negative"),
        pytest.param(np.arange(241) * 0.75, id="0 and 180 both"),
        pytest.param(np.arange(480) * 0.75, id="360"),
        pytest.param(np.arange(481) * 0.75, id="0 and 360 both"),
        pytest.param(np.arange(320) * 0.75, id="240"),
        pytest.param(np.arange(240) * 179.0055 / 239, id="stops short of 180"),
        pytest.param(np.mod(np.arange(240) * 111.246, 180.0), id="golden angle"),
        pytest.param(np.repeat(HALF[::2], 2), id="each angle twice"),
    ],
)
def test_axis_for_any_list_of_angles(angles):
    found = find_center(discs(angles, noise=0.005))
    assert found.value == pytest.approx(CENTER, abs=0.2)
    assert found.trusted


@pytest.mark.parametrize("offset", [-60.4, 40.7])
def test_axis_far_from_the_middle(offset):
    found = find_center(discs(center=128 + offset, columns=257 + 60))
    assert found.value == pytest.approx(128 + offset, abs=0.2)


def test_crop_keeps_the_number():
    whole, part = find_center(discs()), find_center(crop(discs(), 25, 250))
    assert part.value == pytest.approx(whole.value, abs=0.1)


def test_binned_detector_keeps_the_number():
    data = crop(discs(columns=258), 0, 258).coarsen(detector_x=2).mean()
    assert data.detector_x.values[:2].tolist() == [0.5, 2.5]
    assert find_center(data).value == pytest.approx(CENTER, abs=0.2)


def test_sample_wider_than_the_detector():
    found = find_center(crop(discs(noise=0.01), 70, 205))
    assert found.value == pytest.approx(CENTER, abs=3 * found.uncertainty)
    assert found.uncertainty < 0.4


def test_rows_are_named_by_their_detector_row():
    data = discs(rows=4)
    data[:, :3] = 0
    data = data.assign_coords(detector_y=[10, 11, 12, 13])
    assert find_center(data, rows=[13]).value == pytest.approx(CENTER, abs=0.2)
    with pytest.raises(ShapeError, match=r"Rows \[3\].*from 10 to 13"):
        find_center(data, rows=[3])


def test_rows_with_contrast_are_chosen():
    data = discs(rows=30, noise=0.02)
    data[:, :14], data[:, 25:] = 0, 0
    found = find_center(data.assign_coords(detector_y=np.arange(100, 130)))
    assert found.trusted
    assert found.value == pytest.approx(CENTER, abs=0.2)


def test_real_tooth(tooth):
    # tomopy's tutorials: 295.89 and 296; correlation of opposite projections: 295.86.
    found = find_center(tooth)
    assert found.value == pytest.approx(295.86, abs=0.25)
    assert found.trusted


def test_real_tooth_cropped(tooth):
    found = find_center(tooth.isel(detector_x=slice(60, 560)))
    assert found.value == pytest.approx(295.86, abs=0.25)


def test_real_lazy_tooth(tooth):
    lazy, eager = (find_center(one, method="vo") for one in (tooth.chunk(), tooth))
    assert lazy.value == eager.value


def test_real_dendrite(data_folder):
    # The sinogram was cut so that the axis is in the middle, (1260 - 1)/2.
    content = scipy.io.loadmat(data_folder / "tomography/RealDataDend.mat")
    angles = np.rad2deg(content["anglesRad"].ravel())
    found = find_center(scan([content["sinoRD"].T], angles))
    assert found.value == pytest.approx(629.5, abs=0.3)


def test_real_narrow_detector_is_not_trusted(data_folder):
    folder = data_folder / "tomography/k11_diad"
    with h5py.File(folder / "k11-18014.nxs") as file:
        frames = file["/entry/imaging/data"][()].astype(np.float32)
        key = file["/entry/instrument/imaging/image_key"][()]
        angle = file["/entry/imaging/gts_theta_value"][()][key == 0]
    dark, flat = frames[key == 2].mean(axis=0), frames[key == 1].mean(axis=0)
    lines = -np.log((frames[key == 0] - dark) / (flat - dark))
    found = find_center(scan(list(lines.transpose(1, 0, 2)), angle))
    assert not found.trusted
    assert "26 columns wide" in found.reasons[0]


def test_noise_is_not_trusted():
    noise = np.random.default_rng(2).normal(size=(180, 200))
    found = find_center(scan([noise], np.arange(180.0)))
    assert not found.trusted
    assert any("too few features" in reason for reason in found.reasons)


def test_empty_rows_are_not_trusted():
    found = find_center(discs() * 0)
    assert not found.trusted
    assert found.value == 128


def test_less_than_half_a_turn_is_not_trusted():
    found = find_center(discs(HALF[:170]))
    assert not found.trusted
    assert any("of the 180" in reason for reason in found.reasons)


def test_estimate_tells_all():
    found = find_center(discs())
    assert isinstance(found, CenterEstimate)
    assert float(found) == found.value
    assert set(found.candidates) == set(METHODS) - {"auto"}
    assert found.curve.dims == ("center",)
    assert float(found.curve.idxmin()) == pytest.approx(CENTER, abs=0.2)
    assert "135." in repr(found)
    assert "trusted" in found._repr_html_()


def test_input_is_not_changed():
    data = discs()
    before = data.copy(deep=True)
    find_center(data)
    xr.testing.assert_identical(data, before)


def test_unknown_method_is_refused():
    with pytest.raises(UnknownNameError, match="closed_form"):
        find_center(discs(), method="closed")


def test_counts_are_refused():
    with pytest.raises(QuantityError, match="minus_log"):
        find_center(discs(quantity="counts"))


def test_missing_angles_are_refused():
    with pytest.raises(MetadataError, match="angles="):
        find_center(discs().drop_vars("angle"))


def test_equal_angles_are_refused():
    with pytest.raises(MetadataError, match=r"at 5\.0 deg"):
        find_center(discs(np.full(9, 5.0)))


def test_nan_is_refused():
    data = discs()
    data[3, 0, 7] = np.nan
    with pytest.raises(InvalidPixelsError, match="repair_pixels"):
        find_center(data)


def test_too_small_scan_is_refused():
    with pytest.raises(ShapeError, match="too small"):
        find_center(discs()[:2])
