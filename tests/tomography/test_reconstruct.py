from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr
from tomography.phantom import DISCS, line_integrals, scaled, scan

from beamkit.core.errors import (
    EngineError,
    InvalidPixelsError,
    MetadataError,
    ParameterError,
    QuantityError,
    ShapeError,
    UnknownNameError,
)
from beamkit.tomography import FILTERS, find_center, reconstruct

ANGLES = np.arange(90) * 2.0
DISCS_65 = scaled(DISCS, 0.12)
LINES = line_integrals(DISCS_65, ANGLES, 65, 34.6)


@pytest.fixture
def data():
    return scan([LINES, 0.5 * LINES], ANGLES, first_column=100, first_row=40, sample="screw")


@pytest.fixture
def raw():
    """Counts of a scan whose line integrals are LINES/100."""
    detector = ("detector_y", "detector_x")
    beam, dark = np.linspace(9000, 11000, 65), 100.0
    counts = dark + beam * np.exp(-LINES[:, None] / 100)
    return xr.Dataset(
        {
            "projections": (("angle", *detector), counts, {"units": "counts"}),
            "flats": (("flat", *detector), np.full((3, 1, 65), beam + dark)),
            "darks": (("dark", *detector), np.full((2, 1, 65), dark)),
        },
        coords={"angle": ANGLES, "detector_y": [40], "detector_x": np.arange(65)},
        attrs={"kind": "tomography", "effective_pixel_size_x": 2e-6, "sample": "screw"},
    )


def test_volume_carries_names_places_and_history(data):
    volume = reconstruct(data, center=134.6)
    assert volume.name == "volume"
    assert volume.dims == ("z", "y", "x")
    assert volume.dtype == np.float32
    assert volume.shape == (2, 65, 65)
    assert volume.z.values.tolist() == [40, 41]
    assert volume.x.values[[0, 32, 64]].tolist() == [-32, 0, 32]
    assert volume.x.attrs["units"] == "pixel"
    assert volume.attrs["units"] == "1/pixel"
    assert volume.attrs["quantity"] == "attenuation"
    assert volume.attrs["kind"] == "volume"
    assert volume.attrs["sample"] == "screw"
    assert volume.attrs["rotation_center"] == 134.6
    assert volume.attrs["engine"] in ("nufft", "astra")
    entry = json.loads(volume.attrs["history"])[-1]
    assert entry["name"] == "reconstruct"
    assert entry["parameters"]["filter"] == "ramp"


def test_pixel_size_gives_inverse_centimetres(data):
    in_pixels = reconstruct(data, center=134.6)
    data.attrs.update(effective_pixel_size_x=5e-6, effective_pixel_size_y=8e-6)
    volume = reconstruct(data, center=134.6)
    # A pixel of 5 um is 5e-4 cm.
    np.testing.assert_allclose(volume, in_pixels.values / 5e-4, rtol=1e-5)
    assert volume.attrs["units"] == "1/cm"
    assert volume.x.attrs["units"] == "um"
    assert volume.x.values[-1] == pytest.approx(160)
    assert volume.z.values == pytest.approx([320, 328])


def test_binned_detector_gives_the_same_attenuation():
    angles = np.arange(300) * 0.6
    discs = scaled(DISCS, 0.25)
    fine = scan([line_integrals(discs, angles, 130, 66.2)], angles, effective_pixel_size_x=1e-6)
    binned = fine.coarsen(detector_x=2).mean()
    binned.attrs = fine.attrs
    place = {"x": 0.25 * DISCS[1].x, "y": 0.25 * DISCS[1].y, "method": "nearest"}
    one, two = (
        float(reconstruct(part, center=66.2, filter="hann").isel(z=0).sel(**place))
        for part in (fine, binned)
    )
    assert two == pytest.approx(one, rel=0.02)


def test_raw_scan_is_corrected_first(raw):
    volume = reconstruct(raw, center=34.6)
    # 1/100 of the discs in 1/pixel, pixels of 2e-4 cm.
    expected = reconstruct(scan([LINES], ANGLES), center=34.6).values / 100 / 2e-4
    np.testing.assert_allclose(volume, expected, atol=2e-3 * np.ptp(expected))
    names = [entry["name"] for entry in json.loads(volume.attrs["history"])]
    assert names == ["flat_field", "repair_pixels", "minus_log", "reconstruct"]
    assert volume.attrs["sample"] == "screw"


def test_raw_lazy_scan_gives_the_same(raw):
    lazy = raw.chunk({"angle": 20})
    np.testing.assert_array_equal(reconstruct(lazy, center=34.6), reconstruct(raw, center=34.6))
    assert lazy.projections.chunks is not None


def test_dead_pixel_of_a_raw_scan_is_repaired(raw):
    raw.flats[:, 0, 20] = 0
    assert np.isfinite(reconstruct(raw, center=34.6)).all()


def test_corrections_can_be_chosen(raw):
    volume = reconstruct(raw, center=34.6, corrections=("flat_field", "minus_log"))
    assert len(json.loads(volume.attrs["history"])) == 3
    with pytest.raises(UnknownNameError, match="remove_stripes"):
        reconstruct(raw, corrections=("remove_stripe",))
    raw.projections.attrs["quantity"] = "counts"
    with pytest.raises(QuantityError, match="minus_log"):
        reconstruct(raw, corrections="none", center=34.6)


def test_raw_scan_without_flats_says_what_to_do(raw):
    with pytest.raises(MetadataError, match=r"flats=\.\.\."):
        reconstruct(raw.drop_vars("flats"))


def test_center_can_be_looked_for_given_or_the_middle(data):
    found = find_center(data)
    auto = reconstruct(data)
    assert auto.attrs["rotation_center"] == found.value
    assert auto.attrs["rotation_center_uncertainty"] > 0
    np.testing.assert_array_equal(auto, reconstruct(data, center=found))
    assert reconstruct(data, center="middle").attrs["rotation_center"] == 132
    assert reconstruct(data, center=np.float32(130)).attrs["rotation_center"] == 130


def test_center_not_to_be_trusted_is_noted(data):
    volume = reconstruct(data.isel(detector_x=slice(10, 50)))
    assert volume.attrs["rotation_center_trusted"] == 0
    assert any("not to be trusted" in text for text in volume.attrs["notes"])


@pytest.mark.parametrize("center", [34.6, "center", None, np.nan])
def test_impossible_center_is_refused(data, center):
    with pytest.raises(ParameterError, match="from 100 to 164"):
        reconstruct(data, center=center)


def test_nan_is_refused_naming_pixel_and_cure(data):
    data[5, 1, 7] = np.nan
    with pytest.raises(
        InvalidPixelsError, match=r"projection 5.*detector_y=41.*107.*repair_pixels"
    ):
        reconstruct(data, center=134.6)


@pytest.mark.parametrize("quantity", ["counts", "transmission"])
def test_what_is_no_line_integral_is_refused(data, quantity):
    data.attrs["quantity"] = quantity
    with pytest.raises(QuantityError, match="minus_log"):
        reconstruct(data, center=134.6)


def test_other_dimensions_are_refused(data):
    with pytest.raises(ShapeError, match="transpose"):
        reconstruct(data.transpose("detector_y", "angle", "detector_x"), center=134.6)
    with pytest.raises(ShapeError, match="no detector_y is left"):
        reconstruct(data.isel(detector_y=[]), center=134.6)


def test_missing_and_broken_angles_are_refused(data):
    with pytest.raises(MetadataError, match="no coordinate 'angle'"):
        reconstruct(data.drop_vars("angle"), center=134.6)
    broken = ANGLES.copy()
    broken[3] = np.nan
    with pytest.raises(MetadataError, match="projection 3 is nan"):
        reconstruct(data.assign_coords(angle=broken), center=134.6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"filter": "ramps"}, "Did you mean 'ramp'"),
        ({"algorithm": "fbpp"}, "Did you mean 'fbp'"),
        ({"engine": "nuft"}, "Did you mean 'nufft'"),
        ({"device": "cuda"}, "Known: auto, cpu, gpu"),
        ({"size": 0}, "size is 0"),
        ({"threads": 1.5}, "threads is 1.5"),
    ],
)
def test_impossible_options_are_refused(data, options, message):
    with pytest.raises(ParameterError, match=message):
        reconstruct(data, center=134.6, **options)


def test_columns_left_out_are_refused(data):
    with pytest.raises(ShapeError, match="from 110 to 112"):
        reconstruct(data.drop_isel(detector_x=11), center=134.6)


def test_impossible_pixel_size_is_refused(data):
    data.attrs["effective_pixel_size_x"] = 0.0
    with pytest.raises(MetadataError, match="above 0"):
        reconstruct(data, center=134.6)


def test_columns_in_falling_order_give_the_same_picture(data):
    # Both axes of the slice run the other way, and their coordinates say so.
    other = reconstruct(data.isel(detector_x=slice(None, None, -1)), center=134.6)
    assert other.x.values[0] == 32
    expected = reconstruct(data, center=134.6)
    np.testing.assert_allclose(other.sortby(["y", "x"]), expected, atol=2e-4)


def test_angles_that_are_missing_are_noted(data):
    whole, part = (reconstruct(one, center=134.6) for one in (data, data.isel(angle=slice(60))))
    assert "notes" not in whole.attrs
    assert "cover 120 degrees" in part.attrs["notes"][0]


def test_finufft_does_not_run_on_the_gpu(data):
    with pytest.raises(EngineError, match="engine='astra'"):
        reconstruct(data, center=134.6, engine="nufft", device="gpu")


@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_gives_a_picture(data, name):
    volume = reconstruct(data, center=134.6, filter=name)
    disc = DISCS_65[1]
    middle = {"x": slice(disc.x - 2, disc.x + 2), "y": slice(disc.y - 2, disc.y + 2)}
    value = float(volume.isel(z=0).sel(middle).mean())
    if name == "none":
        assert volume.attrs["quantity"] == "back projection"
        assert value > 1
    else:
        # In the middle of a disc of 0.7.
        assert value == pytest.approx(0.7, abs=0.05)


def test_input_is_not_changed(raw):
    before = raw.copy(deep=True)
    reconstruct(raw)
    xr.testing.assert_identical(raw, before)


def test_angles_in_radians_are_taken_by_their_unit(data):
    radians = ("angle", np.deg2rad(ANGLES), {"units": "rad"})
    turned = reconstruct(data.assign_coords(angle=radians), center=134.6)
    np.testing.assert_allclose(turned, reconstruct(data, center=134.6), atol=1e-5)
    found = find_center(data.assign_coords(angle=radians)).value
    assert found == pytest.approx(find_center(data).value, abs=1e-5)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda d: d.assign_attrs(rotation_sense=5), MetadataError, "rotation_sense is 5"),
        (lambda d: d.drop_attrs().assign_attrs(units="counts"), QuantityError, "'counts'"),
        (lambda d: d + 5j, QuantityError, "complex"),
        (lambda d: d.astype(str), QuantityError, "real numbers"),
        (lambda d: d.values, ParameterError, "Wrap"),
    ],
)
def test_what_cannot_be_line_integrals_is_refused(data, change, error, message):
    with pytest.raises(error, match=message):
        reconstruct(change(data), center=134.6)


@pytest.mark.parametrize("options", [{"filter": None}, {"size": True}, {"center": True}])
def test_options_of_another_type_are_refused(data, options):
    with pytest.raises(ParameterError):
        reconstruct(data, **{"center": 134.6, **options})
