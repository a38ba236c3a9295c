from __future__ import annotations

import h5py
import numpy as np
import pytest
from readers.conformance import ReaderConformance

import beamkit as bk
from beamkit.core.errors import ParameterError, UnreadableFileError

ANGLES = np.linspace(0, 180, 7, endpoint=False)


def write_scan(path, *, theta=ANGLES, units="degrees", post=False):
    frames = np.arange(7 * 3 * 5, dtype="u2").reshape(7, 3, 5)
    with h5py.File(path, "w") as file:
        file["implements"] = "exchange:measurement"
        exchange = file.create_group("exchange")
        exchange["data"] = frames
        exchange["data_white"] = np.full((2, 3, 5), 60_000, "u2")
        exchange["data_dark"] = np.full((4, 3, 5), 90, "u2")
        if post:
            exchange["data_white_post"] = np.full((3, 3, 5), 50_000, "u2")
        if theta is not None:
            exchange["theta"] = theta
            exchange["theta"].attrs["units"] = units
        energy = file.create_dataset("measurement/instrument/monochromator/energy", data=27_400.0)
        energy.attrs["units"] = "eV"
        size = file.create_dataset("measurement/instrument/detector/actual_pixel_size_x", data=1.3)
        size.attrs["units"] = "um"
        file["measurement/sample/name"] = "tooth"
    return path


class TestDxchange(ReaderConformance):
    format = "dxchange"

    @pytest.fixture
    def example(self, tmp_path):
        return write_scan(tmp_path / "scan.h5")


def test_frames_and_angles_are_those_of_the_file(tmp_path):
    data = bk.open(write_scan(tmp_path / "scan.h5"))
    assert data.attrs["kind"] == "tomography"
    assert data.projections.dims == ("angle", "detector_y", "detector_x")
    assert int(data.projections[3, 2, 1]) == 3 * 15 + 2 * 5 + 1
    assert data.sizes["flat"], data.sizes["dark"] == (2, 4)
    np.testing.assert_array_equal(data.angle, ANGLES)
    assert int(data.darks.max()) == 90


def test_metadata_are_converted_to_our_units(tmp_path):
    data = bk.open(write_scan(tmp_path / "scan.h5"))
    assert data.attrs["energy"] == 27.4
    assert data.attrs["effective_pixel_size_x"] == 1.3e-6
    assert data.projections.attrs["effective_pixel_size_x"] == 1.3e-6
    # hc / E with hc = 12.398419843320026 keV angstrom (CODATA 2018)
    assert data.attrs["wavelength"] == pytest.approx(12.398419843320026 / 27.4)


def test_angles_in_radians_become_degrees(tmp_path):
    path = write_scan(tmp_path / "scan.h5", theta=np.deg2rad(ANGLES), units="radians")
    np.testing.assert_allclose(bk.open(path).angle, ANGLES, rtol=1e-14)


def test_flats_after_the_scan_follow_those_before_it(tmp_path):
    data = bk.open(write_scan(tmp_path / "scan.h5", post=True))
    assert data.flats[:, 0, 0].values.tolist() == [60_000] * 2 + [50_000] * 3
    # After the seven projections, so that an interpolation in time has them on both sides.
    assert data.flat_frame.values.tolist() == [0, 1, 7, 8, 9]


@pytest.mark.parametrize(("theta", "found"), [(None, "is missing"), (ANGLES[:5], r"\(5,\)")])
def test_missing_angles_are_asked_for_not_guessed(tmp_path, theta, found):
    path = write_scan(tmp_path / "scan.h5", theta=theta)
    with pytest.raises(UnreadableFileError, match=f"theta.*{found}.*angles="):
        bk.open(path)


def test_given_angles_replace_those_of_the_file_and_are_recorded(tmp_path):
    path = write_scan(tmp_path / "scan.h5", theta=None)
    data = bk.open(path, angles=ANGLES + 5)
    np.testing.assert_array_equal(data.angle, ANGLES + 5)
    assert '"angles"' in data.attrs["history"]


def test_wrong_number_of_given_angles_is_refused(tmp_path):
    with pytest.raises(ParameterError, match=r"\(6,\).*7 projections"):
        bk.open(write_scan(tmp_path / "scan.h5"), angles=ANGLES[:6])
