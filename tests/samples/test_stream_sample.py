"""A simulated detector that writes frames at a rate."""

import threading
import time

import h5py
import numpy as np
import pytest

import beamkit as bk
from beamkit.core.errors import ParameterError, UnknownNameError, WriteError

SMALL = {"detector": "PILATUS 100K", "distinct": 3}


@pytest.mark.parametrize(("kind", "name"), [("cbf", "live"), ("swmr", "live.h5")])
def test_opened_again_every_frame_is_there_in_order(tmp_path, kind, name):
    sample = bk.samples.stream(tmp_path / name, rate=200, frames=7, format=kind, **SMALL)
    data = bk.open(sample)
    frames = data["frames"].values.astype(np.int64)
    assert frames.shape == (7, *sample.crystal.detector.shape)
    good = data["mask"].values == 0
    for number, frame in enumerate(frames):
        np.testing.assert_array_equal(frame[good], sample.frame(number)[good])
    assert not np.array_equal(frames[0], frames[1])
    np.testing.assert_allclose(np.diff(data["omega"]), 1.0)
    assert data.attrs["exposure_period"] == pytest.approx(1 / 200)
    assert data.attrs["wavelength"] == pytest.approx(sample.crystal.wavelength, abs=1e-5)


def test_frames_come_at_the_rate(tmp_path):
    times = []
    bk.samples.stream(
        tmp_path / "live",
        rate=20,
        frames=9,
        told=lambda _n: times.append(time.monotonic()),
        **SMALL,
    )
    assert len(times) == 9
    assert times[-1] - times[0] >= 8 / 20 - 0.04


def test_the_growing_file_is_read_while_it_grows(tmp_path):
    path, seen = tmp_path / "live.h5", threading.Event()
    counted = []

    def told(number):
        if number == 3:
            seen.set()

    options = {"rate": 5, "frames": 8, "format": "swmr", "told": told, **SMALL}
    writer = threading.Thread(target=bk.samples.stream, args=(path,), kwargs=options)
    writer.start()
    try:
        assert seen.wait(60)
        with h5py.File(path, "r", libver="latest", swmr=True) as file:
            data = file["entry/data/data"]
            counted.append(len(data))
            assert data[2].max() > 0
    finally:
        writer.join()
    assert 3 <= counted[0] < 8


def test_what_cannot_be_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(UnknownNameError, match="swmr"):
        bk.samples.stream(tmp_path / "live", format="tiff")
    with pytest.raises(ParameterError, match="rate=0"):
        bk.samples.stream(tmp_path / "live", rate=0)
    with pytest.raises(ParameterError, match="frames=0"):
        bk.samples.stream(tmp_path / "live", frames=0)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "live").mkdir()
    (tmp_path / "live" / "other.cbf").write_bytes(b"mine")
    with pytest.raises(WriteError, match="not an empty folder"):
        bk.samples.stream(tmp_path / "live", frames=1, **SMALL)
    with pytest.raises(WriteError, match="is there already"):
        bk.samples.stream(tmp_path / "live" / "other.cbf", frames=1, format="swmr", **SMALL)
    assert (tmp_path / "live" / "other.cbf").read_bytes() == b"mine"
