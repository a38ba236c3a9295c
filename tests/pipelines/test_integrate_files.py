"""Images to patterns as files: the numbers of ``integrate``, gaps, stops, originals."""

import json

import h5py
import numpy as np
import pytest
from readers.cbf_files import example_frame, mini_header, write_cbf

import beamkit as bk
from beamkit.core.errors import (
    InvalidPixelsError,
    ParameterError,
    UnknownNameError,
    UnreadableFileError,
)

NPT = 9


@pytest.fixture(autouse=True)
def _pyfai(require):
    require("pyFAI", "diffraction")


@pytest.fixture
def series(tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()
    for number in range(1, 8):
        frame = example_frame()
        frame[1] += 11 * number
        write_cbf(folder / f"DC_{number:04d}.cbf", frame, mini_header(angle=10 + number))
    return sorted(folder.iterdir())


def run(files, out, **options):
    return bk.pipelines.integrate_files(files, out, npt=NPT, jobs=1, **options)


def test_one_file_has_the_patterns_that_integrate_gives(series, tmp_path):
    seen = []
    report = run(series, tmp_path / "p.nxs", progress=lambda *each: seen.append(each))
    expected = bk.open(series).bk.integrate(NPT)
    found = bk.open(tmp_path / "p.nxs")
    np.testing.assert_allclose(found.intensity, expected.intensity, rtol=1e-12)
    np.testing.assert_allclose(found.sigma, expected.sigma, rtol=1e-12)
    assert found.sizes["frame"] == report.patterns == 7
    assert seen == [(4, 7), (7, 7)]
    assert [step["name"] for step in found.bk.history] == [
        "open",
        "integrate",
        "integrate_files",
    ]


def test_folder_has_a_file_an_image_with_its_name(series, tmp_path):
    report = run(series[0].parent, tmp_path / "out")
    assert [path.name for path in report.files] == [f"DC_{n:04d}.xye" for n in range(1, 8)]
    expected = bk.open(series[4]).bk.integrate(NPT).isel(frame=0).dropna("q")
    found = bk.open(tmp_path / "out/DC_0005.xye")
    np.testing.assert_allclose(found.intensity, expected.intensity, rtol=1e-9)


def test_stopped_run_goes_on_with_what_is_not_done(series, tmp_path):
    run(series[:3], tmp_path / "out")
    kept = (tmp_path / "out/DC_0002.xye").stat().st_mtime_ns
    (tmp_path / "out/DC_0003.xye").unlink()
    with (tmp_path / "out/integrated.jsonl").open("a") as stream:
        stream.write('{"file": "DC_0')  # killed here
    report = run(series, tmp_path / "out")
    assert report.resumed == 2
    assert report.patterns == 5
    assert (tmp_path / "out/DC_0002.xye").stat().st_mtime_ns == kept


def test_image_that_changed_is_integrated_again(series, tmp_path):
    run(series, tmp_path / "out")
    write_cbf(series[3], example_frame() + 900, mini_header(angle=14))
    report = run(series, tmp_path / "out")
    assert [path.name for path in report.files] == ["DC_0004.xye"]


def test_other_settings_do_not_mix_with_patterns_that_are_there(series, tmp_path):
    run(series, tmp_path / "out")
    with pytest.raises(ParameterError, match="other settings.*--overwrite"):
        run(series, tmp_path / "out", unit="2th_deg")
    report = run(series, tmp_path / "out", unit="2th_deg", overwrite=True)
    assert report.patterns == 7
    assert "two_theta" in bk.open(tmp_path / "out/DC_0001.xye").dims


def test_damaged_frame_is_a_gap_that_is_listed(series, tmp_path):
    series[2].write_bytes(series[2].read_bytes()[:900])
    report = run(series, tmp_path / "p.nxs")
    assert list(report.problems) == ["frame 2 (DC_0003.cbf)"]
    found = bk.open(tmp_path / "p.nxs")
    is_empty = np.isnan(found.intensity).all("q").values
    assert is_empty.tolist() == [False, False, True, False, False, False, False]
    assert "frame 2" in str(found.attrs["notes"])
    report = run(series, tmp_path / "out")
    assert list(report.problems) == ["DC_0003.cbf"]
    assert report.patterns == 6
    with pytest.raises(UnreadableFileError, match="DC_0003"):
        run(series, tmp_path / "again", on_error="raise")


def test_mask_and_poni_are_used(series, tmp_path):
    shape = example_frame().shape
    bad = np.zeros(shape, bool)
    bad[:, :6] = True
    np.save(tmp_path / "mask.npy", bad)
    here = bk.diffraction.Geometry.from_dataset(bk.open(series[0])).with_beam_center(3.5, 2.5)
    here.to_poni(tmp_path / "a.poni")
    run(series, tmp_path / "p.nxs", mask=tmp_path / "mask.npy", poni=tmp_path / "a.poni")
    read = bk.diffraction.Geometry.from_poni(tmp_path / "a.poni", shape=shape)
    expected = bk.open(series).bk.integrate(NPT, mask=bad, geometry=read)
    np.testing.assert_allclose(bk.open(tmp_path / "p.nxs").intensity, expected.intensity)


def test_originals_are_never_replaced(series, tmp_path):
    bk.pipelines.convert(series, tmp_path / "raw.nxs")
    before = (tmp_path / "raw.nxs").read_bytes()
    with pytest.raises(ParameterError, match="originals are never replaced"):
        run(tmp_path / "raw.nxs", tmp_path / "raw.nxs", overwrite=True)
    with pytest.raises(ParameterError, match="originals are never replaced"):
        run(tmp_path / "raw.nxs", tmp_path, format="nxdata", overwrite=True)
    assert (tmp_path / "raw.nxs").read_bytes() == before


def test_what_is_there_is_not_replaced_unasked(series, tmp_path):
    run(series, tmp_path / "p.xye")
    with pytest.raises(ParameterError, match=r"p_00001\.xye is there already"):
        run(series, tmp_path / "p.xye")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("mine")
    with pytest.raises(ParameterError, match="not empty"):
        run(series, tmp_path / "mine")


def test_what_cannot_be_done_is_said_before_anything_is_written(series, tmp_path):
    with pytest.raises(UnknownNameError, match="format of patterns"):
        run(series, tmp_path / "out", format="csv")
    with pytest.raises(ParameterError, match="jobs=0"):
        bk.pipelines.integrate_files(series, tmp_path / "p.nxs", jobs=0)
    twin = tmp_path / "other"
    twin.mkdir()
    (twin / "DC_0001.cbf").write_bytes(series[0].read_bytes())
    with pytest.raises(ParameterError, match="both be written as"):
        run([series[0], twin / "DC_0001.cbf"], tmp_path / "out")
    for path in series:
        path.write_bytes(path.read_bytes()[:900])
    with pytest.raises((InvalidPixelsError, UnreadableFileError)):
        run(series, tmp_path / "p.nxs")
    assert not (tmp_path / "p.nxs").exists()


def test_nxcansas_from_a_series(series, tmp_path):
    run(series, tmp_path / "p.h5", format="nxcansas")
    with h5py.File(tmp_path / "p.h5") as file:
        assert file["sasentry01/sasdata01/I"].shape == (7, NPT)
        assert json.loads(file["sasentry01/process_3/configuration/data"][()])["poni"] is None
