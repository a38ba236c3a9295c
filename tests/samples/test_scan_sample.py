"""The simulated SRS scan is what its truth says."""

from __future__ import annotations

import numpy as np
import pytest

from beamkit.core.errors import ParameterError
from beamkit.samples import scan


def columns(path):
    """Return names and columns of the text after the header."""
    lines = path.read_text().split(" &END\n")[1].splitlines()
    rows = np.array([[float(cell) for cell in line.split("\t")] for line in lines[1:]])
    return dict(zip(lines[0].split("\t"), rows.T, strict=True))


def test_header_is_that_of_an_srs_file(tmp_path):
    lines = scan(tmp_path / "12345.dat").path.read_text().splitlines()
    assert lines[0] == " &SRS"
    assert lines[1] == " SRSRUN=12345,SRSDAT=2026115,SRSTIM=93000,"
    begin, end = lines.index("<MetaDataAtStart>"), lines.index("</MetaDataAtStart>")
    assert "Energy=12.65800" in lines[begin:end]
    assert "cmd='scan SLYCENTRE 2.0 3.0 0.0125 qbpm1 1.0 ic1monitor'" in lines[begin:end]
    assert lines[end + 1] == " &END"
    assert len(lines) == end + 3 + 81


def test_columns_hold_the_peak_of_the_truth(tmp_path):
    sample = scan(tmp_path / "12345.dat", noise=False)
    table = columns(sample.path)
    assert list(table) == ["SLYCENTRE", "count_time", "ic1monitor", "qbpm1"]
    np.testing.assert_array_equal(table["SLYCENTRE"], sample.positions)
    normalised = table["qbpm1"] / table["ic1monitor"] * sample.monitor_reference
    # The Gaussian on its line, written out: half of the height lies half a width away.
    sigma = 0.18 / 2.354820045
    away = sample.positions - 2.437
    expected = 50000 * np.exp(-(away**2) / (2 * sigma**2)) + 1500 + 800 * away
    np.testing.assert_allclose(normalised, expected, rtol=1e-8)
    half = sample.signal(np.array([2.437 - 0.09, 2.437 + 0.09]))
    np.testing.assert_allclose(half, 25000 + 1500 + 800 * np.array([-0.09, 0.09]))


def test_monitor_falls_and_takes_the_signal_with_it(tmp_path):
    table = columns(scan(tmp_path / "12345.dat").path)
    monitor = table["ic1monitor"]
    assert monitor[-10:].mean() / monitor[:10].mean() == pytest.approx(0.956, abs=0.01)
    assert (np.diff(monitor) > 0).any()


def test_counts_have_the_noise_of_photons(tmp_path):
    sample = scan(tmp_path / "12345.dat", points=2000)
    table = columns(sample.path)
    expected = sample.signal(table["SLYCENTRE"]) * table["ic1monitor"] / 1e6
    # Four standard deviations of the mean of 2000 squares: 4 sqrt(2 / 2000) = 0.13
    assert ((table["qbpm1"] - expected) ** 2 / expected).mean() == pytest.approx(1, abs=0.15)
    assert (table["qbpm1"] % 1 == 0).all()


def test_motor_stops_near_but_not_at_even_steps(tmp_path):
    away = scan(tmp_path / "12345.dat").positions - np.linspace(2, 3, 81)
    assert 1e-5 < np.abs(away).max() < 0.02 * 0.0125 + 1e-4


def test_same_call_gives_the_same_bytes(tmp_path):
    first, second = (scan(tmp_path / name) for name in ("a.dat", "b.dat"))
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.path.read_bytes() != scan(tmp_path / "c.dat", seed=2).path.read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"points": 1}, "points=1: 2 is the lowest"),
        ({"fwhm": 0.0}, r"fwhm=0\.0: a number above 0"),
        ({"slope": -1e5}, "lowest_signal=-.*: 0 is the lowest"),
    ],
)
def test_impossible_scan_is_refused(tmp_path, options, message):
    with pytest.raises(ParameterError, match=message):
        scan(tmp_path / "12345.dat", **options)
    assert not list(tmp_path.iterdir())
