"""What the samples write, bk.open reads, with the truth in the words of the vocabulary."""

from __future__ import annotations

import numpy as np
import pytest

import beamkit as bk


@pytest.mark.parametrize(("layout", "suffix"), [("nxtomo", "nxs"), ("dxchange", "h5")])
def test_tomography_opens_with_its_truth(tmp_path, layout, suffix):
    sample = bk.samples.tomography(
        tmp_path / f"scan.{suffix}", width=33, rows=7, angles=12, format=layout, start_angle=5.0
    )
    scan = bk.open(sample)
    assert scan.attrs["kind"] == "tomography"
    assert scan.attrs["energy"] == 25.0
    assert scan.attrs["pixel_size_x"] == pytest.approx(6.5e-6)
    assert scan.attrs["effective_pixel_size_y"] == pytest.approx(3.25e-6)
    np.testing.assert_array_equal(scan["angle"], sample.angles)
    for key, name in enumerate(("projections", "flats", "darks")):
        frames = [sample.frame(int(n)) for n in np.flatnonzero(sample.image_key == key)]
        np.testing.assert_array_equal(scan[name], frames)


@pytest.mark.parametrize("sense", [1, -1])
def test_nxtomo_tells_which_way_the_stage_turns(tmp_path, sense):
    sample = bk.samples.tomography(
        tmp_path / "scan.nxs", width=33, rows=2, angles=5, rotation_sense=sense
    )
    scan = bk.open(sample)
    assert scan.attrs["rotation_sense"] == sense
    assert not any("rotation_sense" in line for line in scan.attrs.get("assumed", []))


@pytest.mark.parametrize("two_theta", [0.0, 15.0])
def test_folder_of_cbf_opens_with_its_truth(tmp_path, two_theta):
    sample = bk.samples.diffraction(
        tmp_path / "crystal", frames=3, detector="PILATUS 100K", two_theta=two_theta
    )
    check_diffraction(bk.open(sample), sample)


@pytest.mark.parametrize("two_theta", [0.0, 15.0])
def test_nxmx_opens_with_its_truth(tmp_path, two_theta):
    sample = bk.samples.diffraction(
        tmp_path / "crystal_master.h5",
        frames=7,
        detector="PILATUS 100K",
        two_theta=two_theta,
        format="nxmx",
    )
    check_diffraction(bk.open(sample), sample)


def check_diffraction(scan, sample):
    assert scan.attrs["kind"] == "diffraction"
    assert scan.attrs["wavelength"] == sample.wavelength
    center = (scan.attrs["beam_center_x"], scan.attrs["beam_center_y"])
    assert center == pytest.approx(sample.beam_center, abs=1e-3)
    assert scan.attrs["detector_distance"] == pytest.approx(sample.detector_distance, abs=1e-7)
    for name, vector in zip(
        ("origin", "fast_axis", "slow_axis"), sample.detector.plane, strict=True
    ):
        assert scan.attrs[f"detector_{name}"] == pytest.approx(vector, abs=1e-8)
    np.testing.assert_allclose(scan["omega"], sample.omega)
    good = sample.detector.mask() == 0
    np.testing.assert_array_equal(scan["mask"].values[good] & 0b11, 0)
    assert (scan["mask"].values[~good] != 0).all()
    for number in range(sample.frames):
        frame = scan["frames"][number].values
        np.testing.assert_array_equal(frame[good], sample.frame(number)[good])


@pytest.mark.parametrize(("layout", "suffix"), [("tiff", "tif"), ("cbf", "cbf")])
def test_powder_opens_with_its_truth(tmp_path, layout, suffix):
    sample = bk.samples.powder(tmp_path / f"ceo2.{suffix}", detector="PILATUS 300K", format=layout)
    image = bk.open(sample)
    assert image.attrs["wavelength"] == sample.wavelength
    assert image.attrs["beam_center_x"] == sample.header_beam_center[0]
    assert image.attrs["beam_center_y"] == sample.header_beam_center[1]
    assert image.attrs["detector_distance"] == sample.detector_distance
    main = image["frames"] if "frames" in image else image["image"]
    np.testing.assert_array_equal(main.values.squeeze(), sample.frame())


def test_srs_scan_opens_with_its_truth(tmp_path):
    sample = bk.samples.scan(tmp_path / "12345.dat", noise=False)
    data = bk.open(sample)
    assert data.attrs["kind"] == "scan"
    np.testing.assert_array_equal(data["SLYCENTRE"], sample.positions)
    ratio = data["qbpm1"].values / data["ic1monitor"].values * sample.monitor_reference
    np.testing.assert_allclose(ratio, sample.signal(sample.positions), rtol=1e-8)
