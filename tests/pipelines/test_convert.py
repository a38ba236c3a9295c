"""A series becomes one NXmx file: the same counts, geometry and words; gaps; stops."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from readers.cbf_files import example_frame, mini_header, write_cbf

import beamkit as bk
from beamkit.core.errors import (
    ParameterError,
    ShapeError,
    UnknownNameError,
    UnreadableFileError,
    WriteError,
)

FRAMES = 7


def frame_of(number: int) -> np.ndarray:
    """No two frames are alike."""
    frame = example_frame()
    frame[1] += 11 * number
    return frame


@pytest.fixture
def series(tmp_path) -> list[Path]:
    folder = tmp_path / "raw"
    folder.mkdir()
    return [
        write_cbf(
            folder / f"DC_{number:04d}.cbf",
            frame_of(number),
            mini_header(angle=10 + 0.5 * number, seconds=1.5 + 0.1 * number),
        )
        for number in range(1, FRAMES + 1)
    ]


def counts(path: Path) -> np.ndarray:
    """What another program reads."""
    import hdf5plugin  # noqa: F401

    with h5py.File(path, "r") as file:
        return file["/entry/data/data"][()]


def test_every_count_is_where_it_was(series, tmp_path):
    report = bk.pipelines.convert(series, tmp_path / "out.nxs")
    expected = np.stack([frame_of(number) for number in range(1, FRAMES + 1)])
    np.testing.assert_array_equal(counts(report.path), expected)
    assert (report.frames, report.checked, report.problems) == (FRAMES, True, {})
    assert not (tmp_path / "out.nxs.parts").exists()


def test_opened_again_it_is_the_same_dataset(series, tmp_path):
    source = bk.open(series)
    report = bk.pipelines.convert(series, tmp_path / "out.nxs")
    again = bk.open(report.path)
    xr.testing.assert_equal(again.compute(), source.compute())
    ours = {"source", "format", "history"}
    assert {k: v for k, v in again.attrs.items() if k not in ours} == {
        k: v for k, v in source.attrs.items() if k not in ours
    }
    assert again["frames"].attrs == source["frames"].attrs
    for name in source.coords:
        assert again[name].attrs == source[name].attrs, name
    assert '"convert"' in again.attrs["history"]


@pytest.mark.parametrize("compression", ["bslz4", "gzip", "none"])
def test_each_compression_keeps_every_count(series, tmp_path, compression):
    report = bk.pipelines.convert(series, tmp_path / "out.nxs", compression=compression, jobs=2)
    np.testing.assert_array_equal(counts(report.path)[4], frame_of(5))


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "u4", ">i4", "f4", "f8"])
def test_type_and_bits_stay(tmp_path, dtype):
    values = np.arange(3 * 5 * 4).reshape(3, 5, 4).astype(dtype)
    if values.dtype.kind == "f":
        values[1, 2, 3] = np.nan
    frames = xr.DataArray(values, dims=("frame", "detector_y", "detector_x"))
    data = xr.Dataset({"image": frames}, attrs={"kind": "image"})
    report = bk.pipelines.convert(data, tmp_path / "out.nxs")
    found = counts(report.path)
    assert found.dtype == np.dtype(dtype).newbyteorder("=")
    np.testing.assert_array_equal(found, values)


def test_missing_file_is_a_marked_gap_and_no_frame_moves(series, tmp_path):
    series[3].unlink()
    report = bk.pipelines.convert(str(series[0].parent / "*.cbf"), tmp_path / "out.nxs")
    assert list(report.problems) == [3]
    assert "DC_0004.cbf: there is no such file" in report.problems[3]
    found = bk.open(report.path)
    assert found.sizes["frame"] == FRAMES
    assert (found.frames[3] == -1).all()
    np.testing.assert_array_equal(found.frames[4], frame_of(5))
    assert "DC_0004" in str(found["problem"].values[3])
    with h5py.File(report.path) as file:
        np.testing.assert_array_equal(file["/entry/data/frame_problem"], [0, 0, 0, 1, 0, 0, 0])


def test_angle_of_a_gap_lies_between_its_neighbours(series, tmp_path):
    series[3].unlink()
    report = bk.pipelines.convert(series[:3] + series[4:], tmp_path / "out.nxs")
    with h5py.File(report.path) as file:
        omega = file["/entry/sample/transformations/omega"][()]
    np.testing.assert_allclose(omega, 10.5 + 0.5 * np.arange(FRAMES))
    assert any("omega" in line for line in report.assumed)


@pytest.mark.parametrize("place", [0, 4])
def test_truncated_file_is_a_marked_gap(series, tmp_path, place):
    whole = series[place].read_bytes()
    series[place].write_bytes(whole[: len(whole) * 2 // 3])
    report = bk.pipelines.convert(series, tmp_path / "out.nxs")
    assert list(report.problems) == [place]
    found = bk.open(report.path)
    assert (found.frames[place] == -1).all()
    other = (place + 1) % FRAMES
    np.testing.assert_array_equal(found.frames[other], frame_of(other + 1))
    assert found.mask.values[7, 1]  # the mask is that of a frame that is there


def test_empty_file_is_a_marked_gap(series, tmp_path):
    series[0].write_bytes(b"")
    report = bk.pipelines.convert(series, tmp_path / "out.nxs")
    assert list(report.problems) == [0]


def test_damaged_pixels_are_found_when_they_are_read(series, tmp_path):
    data = bytearray(series[2].read_bytes())
    start = data.index(b"\x0c\x1a\x04\xd5") + 4
    data[start + 30 : start + 34] = b"\x80\x00\x80\xff"
    series[2].write_bytes(data)
    report = bk.pipelines.convert(series, tmp_path / "out.nxs")
    assert list(report.problems) == [2]


def test_on_error_raise_stops_and_names_the_file(series, tmp_path):
    whole = series[4].read_bytes()
    series[4].write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(UnreadableFileError, match=r"DC_0005\.cbf"):
        bk.pipelines.convert(series, tmp_path / "out.nxs", on_error="raise")
    assert not (tmp_path / "out.nxs").exists()


def test_frame_of_another_size_names_two_files(series, tmp_path):
    write_cbf(series[5], example_frame(11, 19), mini_header(angle=13))
    with pytest.raises(ShapeError, match=r"DC_0006\.cbf.*DC_0001\.cbf"):
        bk.pipelines.convert(series, tmp_path / "out.nxs")
    assert os.listdir(tmp_path) == ["raw"]


def test_existing_file_is_replaced_only_if_asked(series, tmp_path):
    out = tmp_path / "out.nxs"
    out.write_text("precious")
    with pytest.raises(ParameterError, match="overwrite=True"):
        bk.pipelines.convert(series, out)
    assert out.read_text() == "precious"
    bk.pipelines.convert(series, out, overwrite=True)
    assert len(counts(out)) == FRAMES


def test_original_is_never_replaced(series, tmp_path):
    first = bk.pipelines.convert(series, tmp_path / "out.nxs").path
    before = first.read_bytes()
    with pytest.raises(ParameterError, match="originals are never replaced"):
        bk.pipelines.convert(first, first, overwrite=True)
    assert first.read_bytes() == before


def test_converted_file_can_be_converted_again(series, tmp_path):
    first = bk.pipelines.convert(series, tmp_path / "out.nxs").path
    second = bk.pipelines.convert(first, tmp_path / "again.nxs", compression="gzip").path
    one, two = bk.open(first), bk.open(second)
    xr.testing.assert_equal(one.compute(), two.compute())
    assert one.attrs["detector_origin"] == two.attrs["detector_origin"]


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"compression": "zip"}, UnknownNameError, "bslz4"),
        ({"jobs": 0}, ParameterError, "jobs=0"),
        ({"on_error": "skip"}, ParameterError, "'mark'"),
        ({"wavelenght": 1.0}, UnknownNameError, "wavelength"),
    ],
)
def test_wrong_options_are_named(series, tmp_path, options, error, text):
    with pytest.raises(error, match=text):
        bk.pipelines.convert(series, tmp_path / "out.nxs", **options)
    assert os.listdir(tmp_path) == ["raw"]


def test_odd_suffix_and_other_kinds_are_refused(series, tmp_path):
    with pytest.raises(ParameterError, match=r"suffixes \.nxs"):
        bk.pipelines.convert(series, tmp_path / "out.cbf")
    with pytest.raises(ParameterError, match="kind 'scan'"):
        bk.pipelines.convert(xr.Dataset(attrs={"kind": "scan"}), tmp_path / "out.nxs")


def test_what_the_user_knows_better_is_in_the_file(series, tmp_path):
    report = bk.pipelines.convert(series, tmp_path / "out.nxs", wavelength=1.25)
    assert bk.open(report.path).attrs["wavelength"] == 1.25


def test_headers_are_kept_word_by_word(series, tmp_path):
    report = bk.pipelines.convert(series, tmp_path / "out.nxs")
    with h5py.File(report.path) as file:
        headers = file["/entry/beamkit/headers"][()]
    for text, path in zip(headers, series, strict=True):
        assert path.read_bytes().replace(b"\r\n", b"\n").startswith(text)
        assert b"Threshold_setting" in text


def test_progress_tells_frames_written_and_checked(series, tmp_path):
    seen: list[tuple[int, int]] = []
    bk.pipelines.convert(
        series, tmp_path / "out.nxs", progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(step, 2 * FRAMES) for step in range(1, 2 * FRAMES + 1)]


def test_field_that_was_changed_since_wins_and_is_listed(series, tmp_path):
    path = bk.pipelines.convert(series, tmp_path / "out.nxs").path
    with h5py.File(path, "r+") as file:
        file["/entry/instrument/detector/count_time"][()] = 0.5
    found = bk.open(path)
    assert found.attrs["exposure_time"] == 0.5
    assert any("exposure_time: was 0.097" in line for line in found.attrs["conflicts"])


class Stop(Exception):  # noqa: N818 - stands for a full disk, a lost node
    """Raised by the progress of a conversion that is stopped."""


def stop_after(frames: int):
    def advance(done: int, total: int) -> None:
        if done == frames:
            raise Stop

    return advance


@pytest.mark.parametrize("stopped", [(4,), (2, 5)])
def test_stopped_run_goes_on_where_it_was(series, tmp_path, stopped):
    out = tmp_path / "out.nxs"
    for frames in stopped:
        with pytest.raises(Stop):
            bk.pipelines.convert(series, out, progress=stop_after(frames))
        assert not out.exists()
    report = bk.pipelines.convert(series, out)
    assert report.resumed == stopped[-1]
    np.testing.assert_array_equal(counts(out)[6], frame_of(7))
    assert sorted(os.listdir(tmp_path)) == ["out.nxs", "raw"]


def test_frames_that_changed_since_are_not_taken_over(series, tmp_path):
    out = tmp_path / "out.nxs"
    with pytest.raises(Stop):
        bk.pipelines.convert(series, out, progress=stop_after(4))
    write_cbf(series[0], frame_of(40), mini_header(angle=10.5))
    report = bk.pipelines.convert(series, out)
    assert report.resumed == 0
    np.testing.assert_array_equal(counts(out)[0], frame_of(40))


def test_chunk_that_did_not_reach_the_disk_is_done_again(series, tmp_path):
    out = tmp_path / "out.nxs"
    with pytest.raises(Stop):
        bk.pipelines.convert(series, out, progress=stop_after(4))
    (work,) = (tmp_path / "out.nxs.parts").glob("frames_*.h5")
    with work.open("r+b") as stream:
        stream.truncate(work.stat().st_size // 2)
    journal = work.with_suffix(".journal")
    journal.write_bytes(journal.read_bytes()[:-5])  # cut in the midst of a record
    report = bk.pipelines.convert(series, out)
    assert report.resumed < 4
    np.testing.assert_array_equal(counts(out)[3], frame_of(4))


def test_killed_run_leaves_no_file_and_goes_on(series, tmp_path):
    out = tmp_path / "out.nxs"
    code = f"""
        import os, signal, beamkit as bk
        def advance(done, total):
            if done == 5:
                os.kill(os.getpid(), signal.SIGKILL)
        bk.pipelines.convert({str(series[0].parent / "*.cbf")!r}, {str(out)!r}, progress=advance)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not out.exists()
    report = bk.pipelines.convert(str(series[0].parent / "*.cbf"), out)
    assert report.resumed == 5
    assert report.checked
    np.testing.assert_array_equal(counts(out), [frame_of(n) for n in range(1, FRAMES + 1)])


def test_two_conversions_into_one_file_do_not_mix(series, tmp_path):
    out = tmp_path / "out.nxs"

    def second(done: int, total: int) -> None:
        with pytest.raises(WriteError, match="another conversion"):
            bk.pipelines.convert(series, out)

    bk.pipelines.convert(series, out, progress=second)
    assert len(counts(out)) == FRAMES


def test_full_disk_is_said_and_nothing_half_written_appears(series, tmp_path):
    out = tmp_path / "out.nxs"
    code = f"""
        import resource, signal, beamkit as bk
        from beamkit.core.errors import WriteError
        data = bk.open({[str(path) for path in series]!r})
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))
        try:
            bk.pipelines.convert(data, {str(out)!r}, compression="none")
        except WriteError as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], check=True, capture_output=True, text=True
    )
    assert "was not written" in done.stdout
    assert "out.nxs.parts" in done.stdout
    assert not out.exists()
    assert bk.pipelines.convert(series, out, compression="none").checked


def test_count_that_changed_on_the_disk_is_found(series, tmp_path, monkeypatch):
    encode = bk.writers.NxmxFile.encode

    def wrong(self, frame):
        changed = frame.copy()
        changed[3, 4] += int(frame[1, 0] == frame_of(6)[1, 0])
        return encode(self, changed)

    monkeypatch.setattr(bk.writers.NxmxFile, "encode", wrong)
    with pytest.raises(WriteError, match=r"frame 5 .*DC_0006\.cbf.*1 pixels"):
        bk.pipelines.convert(series, tmp_path / "out.nxs")
    assert os.listdir(tmp_path) == ["raw"]


def test_memory_holds_few_frames_at_once(tmp_path):
    """Frames of 4 MB each, 40 of them: a few are in memory, not 160 MB."""
    import dask.array as da

    alive, most = 0, 0

    def block(block_info=None):
        nonlocal alive, most
        alive += 1
        most = max(most, alive)
        return np.full((1, 1000, 1000), block_info[None]["chunk-location"][0], np.int32)

    frames = da.map_blocks(block, chunks=((1,) * 40, (1000,), (1000,)), dtype=np.int32)
    data = xr.Dataset(
        {"image": (("frame", "detector_y", "detector_x"), frames)}, attrs={"kind": "image"}
    )

    def advance(done: int, total: int) -> None:
        nonlocal alive
        alive -= 1

    bk.pipelines.convert(data, tmp_path / "out.nxs", jobs=2, check=False, progress=advance)
    assert most <= 8


def test_report_in_words(series, tmp_path):
    series[3].unlink()
    text = str(bk.pipelines.convert(series[:3] + series[4:], tmp_path / "out.nxs"))
    assert "7 frames of 13 x 17 int32, bslz4; every count read back and equal" in text
    assert "problem: frame 3: DC_0004.cbf" in text
    assert "assumed: detector_fast_axis" in text


@pytest.mark.parametrize("ending", ["tif", "edf"])
def test_images_of_other_formats(tmp_path, ending):
    import fabio

    folder = tmp_path / "raw"
    folder.mkdir()
    writer = fabio.edfimage.EdfImage if ending == "edf" else fabio.tifimage.TifImage
    for number in range(1, 5):
        writer(data=frame_of(number)).write(str(folder / f"im_{number:03d}.{ending}"))
    (folder / f"im_002.{ending}").unlink()
    report = bk.pipelines.convert(folder, tmp_path / "out.nxs")
    assert list(report.problems) == [1]
    found = bk.open(report.path)
    assert found.attrs["kind"] == "image"
    np.testing.assert_array_equal(found["image"][3], frame_of(4))


def test_real_series_survives(data_folder, tmp_path):
    source = bk.open(data_folder / "cbf_pilatus" / "l-cyst_01_*.cbf")
    report = bk.pipelines.convert(source, tmp_path / "out.nxs")
    again = bk.open(report.path)
    for name in ("detector_origin", "detector_fast_axis", "detector_slow_axis"):
        np.testing.assert_allclose(again.attrs[name], source.attrs[name], rtol=0, atol=1e-9)
    assert again.attrs["goniometer"] == source.attrs["goniometer"]
    assert report.ratio < 1.1
    for one, other in pairwise(again["start_angle"].values):
        assert other - one == pytest.approx(0.1)
