"""Real files, with the numbers of PROVENANCE.md in the data folder."""

from __future__ import annotations

import numpy as np
import pytest
from readers.conformance import load_all, names_file

import beamkit as bk
from beamkit.core.errors import BeamkitError, MissingSourceError, UnknownFormatError
from beamkit.core.schema import lines
from beamkit.core.transformations import rotation_matrix

HDF5 = (
    "eiger/dectris_eiger_master.h5",
    "eiger/vac_007_data_000001.h5",
    "multimodule/testasapo1_1009_00002_m1_part00000.nxs",
    "multimodule/testasapo1_1009_00002_proc.nxs",
    "nexus/336502.nxs",
    "nexus/i05-4859.nxs",
    "nexus/i07-404876.nxs",
    "nexus/i16-538039/538039.nxs",
    "nexus/i22-104749.nxs",
    "nexus/i22-104749-Pilatus2M.h5",
    "powder/AgBehenate_228.hdf5",
    "powder/i22-363061/i22-363061.nxs",
    "powder/i22-363061/i22-363061-Pilatus2M_SAXS.h5",
    "powder/i22-363061/i22-363061_mask.nxs",
    "powder/i22-363061/i22-363061_pipeline.nxs",
    "powder/i22-363061/i22-363061_processed.nxs",
    "tomography/tooth.h5",
    "tomography/k11_diad/k11-18014.nxs",
    "tomography/k11_diad/k11-18014/k11-18014-imaging.h5",
)


@pytest.fixture
def real(data_folder):
    return lambda name, **options: bk.open(data_folder / name, **options)


def test_tooth(real):
    data = real("tomography/tooth.h5")
    assert data.attrs["format"] == "dxchange"
    assert data.projections.shape == (181, 2, 640)
    assert data.flats.shape == data.darks.shape == (10, 2, 640)
    np.testing.assert_allclose(data.angle[[0, -1]], [0, 179.0055], atol=1e-4)
    assert data.attrs["sample"] == "Tooth"


def test_diad_scan_through_its_links(real):
    data = real("tomography/k11_diad/k11-18014.nxs")
    assert (data.sizes["angle"], data.sizes["flat"], data.sizes["dark"]) == (3001, 100, 100)
    assert data.projections.shape[1:] == (22, 26)
    means = [float(data[name].mean()) for name in ("projections", "flats", "darks")]
    # Stated to two decimals, and to three.
    np.testing.assert_allclose(means, [38313.90, 45317.30, 99.218], atol=6e-3)
    np.testing.assert_allclose(data.angle[[0, -1]], [89.995, 269.995], atol=1e-3)
    assert (np.diff(data.angle) > 0).all()
    assert int(data.projection_frame[0]) == 100
    assert any("EtherCAT" in line for line in lines(data.attrs, "notes"))
    assert "energy" not in data.attrs  # 3.0 GeV is that of the electrons


@pytest.mark.slow
def test_eiger_data_file(real):
    data = real("eiger/vac_007_data_000001.h5", verify=True)
    assert data.frames.shape == (2, 3262, 3108)
    assert data.attrs["kind"] == "diffraction"
    frames = data.frames.values
    assert frames[0].sum(dtype=np.int64) == 2855315732690164
    assert frames[1].sum(dtype=np.int64) == 2855315732689910
    assert (frames.max(), frames.min(), frames[0, 50, 50]) == (4294967295, 0, 0)
    assert int((data.mask > 0).sum()) == 664805
    assert frames[0][data.mask.values == 0].max() <= 22
    assert data.attrs["detector"] == "EIGER2 9M"


def test_eiger_master_without_its_data_is_refused(real):
    with pytest.raises(MissingSourceError, match=r"master.h5.*dectris_eiger_data_000001.h5"):
        real("eiger/dectris_eiger_master.h5")


def test_i16_scan_whose_frames_are_missing(real):
    data = real("nexus/i16-538039/538039.nxs")
    assert (data.attrs["kind"], data.sizes["point"]) == ("scan", 61)
    assert float(data.maxval.max()) == 28066
    assert data["sum"][:3].values.tolist() == [823696, 824133, 822809]
    assert data.attrs["scan_command"] == (
        "scan eta 43.51399999999992 43.57399999999992 0.001 pil100k 1 roi1"
    )
    np.testing.assert_allclose(data.eta[[0, -1]], [43.514, 43.574], atol=2e-3)
    assert data.attrs["energy"] == pytest.approx(5.22300042)
    assert any("538039.hdf" in line for line in lines(data.attrs, "notes"))


def test_i16_detector_on_its_arm(real):
    data = real("nexus/336502.nxs")
    assert data.frames.shape == (10, 195, 487)
    assert data.attrs["energy"] == 12.3984
    turn = rotation_matrix((1, 0, 0), -(9 + 36.53819))
    attrs = data.attrs
    np.testing.assert_allclose(attrs["detector_origin"], turn @ [0.781, 0.2, 0], atol=1e-6)
    half = np.sqrt(0.5)
    np.testing.assert_allclose(attrs["detector_fast_axis"], turn @ [0, -half, half], atol=1e-6)
    np.testing.assert_allclose(attrs["detector_slow_axis"], turn @ [1, 0, 0], atol=1e-6)
    assert attrs["pixel_size_x"] == attrs["pixel_size_y"] == 0.000172
    assert any("1208 values for 10" in line for line in lines(attrs, "notes"))
    assert data.sizes["frame"] == data.kth.size == 10


def test_i07_scan_whose_frames_are_missing(real):
    data = real("nexus/i07-404876.nxs")
    assert (data.attrs["kind"], data.sizes["point"]) == ("scan", 8)
    assert data.attrs["energy"] == 12.5
    assert {f"Region_{n}_total" for n in (1, 2, 3)} <= set(data.data_vars)
    assert "qdcd" in data.coords
    assert any("excaliburScan404876_000001.h5" in line for line in lines(data.attrs, "notes"))


def test_i05_spectrum(real):
    data = real("nexus/i05-4859.nxs")
    assert (data.attrs["kind"], data.image.shape) == ("image", (1, 1000, 1040))
    assert data.angles.dims == ("detector_y",)
    assert data.angles.attrs["units"] == "deg"
    assert (data.energies.dims, data.energies.attrs["units"]) == (("detector_x",), "eV")


@pytest.mark.parametrize("name", ["i22-104749.nxs", "i22-104749-Pilatus2M.h5"])
def test_i22_frame_behind_an_absolute_link(real, name):
    data = real(f"nexus/{name}")
    frames = data.image if "image" in data else data.frames
    assert frames.shape == (1, 1679, 1475)
    values = frames.values
    # Stated as "-2 at 197538 px": both flags, -1 in the gaps and -2.
    assert (int((values < 0).sum()), values.max()) == (197538, 939360)
    np.testing.assert_array_equal(data.mask > 0, values[0] < 0)
    if name.endswith(".nxs"):
        assert data.attrs["energy"] == pytest.approx(12.4, abs=1e-4)
        assert data.attrs["exposure_time"] == 10


def test_silver_behenate_with_nominal_geometry(real):
    data = real("powder/i22-363061/i22-363061.nxs")
    attrs = data.attrs
    assert attrs["kind"] == "diffraction"
    assert (attrs["beam_center_x"], attrs["beam_center_y"]) == (701.212, 62.512)
    assert attrs["detector_distance"] == 7.483
    assert attrs["energy"] == pytest.approx(12.400003, abs=1e-6)
    assert attrs["title"] == "Silver behenate"
    values = data.frames.values
    assert (int((values < 0).sum()), values.max()) == (198959, 1095365)
    np.testing.assert_array_equal(data.mask > 0, values[0] < 0)
    assert any("SAXS_mask.nxs" in line for line in lines(attrs, "notes"))
    # What DAWN's curve says instead, given by the user.
    better = real(
        "powder/i22-363061/i22-363061.nxs", detector_distance=6.9921, beam_center=(701.669, 57.27)
    )
    np.testing.assert_allclose(
        better.attrs["detector_origin"], [701.669 * 172e-6, 57.27 * 172e-6, 6.9921]
    )


def test_pattern_of_dawn(real):
    data = real("powder/i22-363061/i22-363061_processed.nxs")
    assert (data.attrs["kind"], data.intensity.dims) == ("pattern", ("q",))
    np.testing.assert_allclose(data.q[[0, -1]], [0.00014881, 0.27752], atol=6e-6)
    assert data.q.attrs["units"] == "1/angstrom"
    assert data.sigma.shape == (1797,)
    ring = data.intensity.sel(q=slice(0.09, 0.13))
    assert float(ring.compute().idxmax()) == pytest.approx(0.10764, abs=2e-4)


def test_mask_of_dawn(real):
    data = real("powder/i22-363061/i22-363061_mask.nxs")
    assert int((data.image == 1).sum()) == 517937


def test_pipeline_of_dawn_holds_no_data_and_is_refused(real):
    with pytest.raises(UnknownFormatError, match=r"pipeline.nxs.*no arrays"):
        real("powder/i22-363061/i22-363061_pipeline.nxs")


def test_silver_behenate_whose_center_has_no_unit(real):
    data = real("powder/AgBehenate_228.hdf5")
    attrs = data.attrs
    assert data.frames.shape == (1, 195, 487)
    assert attrs["energy"] == pytest.approx(16.900, abs=1e-3)
    assert attrs["wavelength"] == pytest.approx(0.73363, abs=1e-5)
    assert (attrs["detector_distance"], attrs["pixel_size_x"]) == (0.5138, 0.000172)
    assert "beam_center_x" not in attrs
    assert any(line.startswith("beam_center_x") for line in lines(attrs, "conflicts"))
    # x of the file is along the rows' axis: x of beamkit is its y, in pixels of 0.172 mm.
    given = real("powder/AgBehenate_228.hdf5", beam_center=(-0.93224 / 0.172, 14.76792 / 0.172))
    np.testing.assert_allclose(given.attrs["detector_origin"], [-0.93224e-3, 14.76792e-3, 0.5138])


@pytest.mark.parametrize("module", [1, 2, 3])
def test_module_of_a_lambda_detector(real, module):
    data = real(f"multimodule/testasapo1_1009_00002_m{module}_part00000.nxs")
    assert (data.attrs["kind"], data.image.shape) == ("image", (10, 516, 1554))
    assert data.attrs["pixel_size_x"] == 55e-6
    assert data.attrs["exposure_time"] == 0.1
    assert data.mask.dtype == np.uint32
    assert int(data.mask.max()) >= 2**31


def test_patterns_of_dioptas(real):
    data = real("multimodule/testasapo1_1009_00002_proc.nxs")
    assert data.intensity.dims == ("frame", "two_theta")
    assert data.intensity.shape == (50, 4038)
    np.testing.assert_allclose(data.two_theta[[0, -1]], [9.69268, 26.04046], atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", HDF5)
def test_cut_real_file_is_an_error_that_names_it(data_folder, tmp_path, name):
    content = (data_folder / name).read_bytes()
    cut = tmp_path / f"cut_{name.rpartition('/')[2]}"
    for length in (0, 7, 100, 3000, len(content) // 2, len(content) - 1):
        cut.write_bytes(content[:length])
        with pytest.raises(BeamkitError) as raised:
            load_all(bk.open(cut))
        assert names_file(raised.value, cut)


@pytest.mark.slow
@pytest.mark.parametrize("name", HDF5)
def test_damaged_real_file_opens_or_is_an_error_of_ours(data_folder, tmp_path, name):
    content = (data_folder / name).read_bytes()
    damaged = tmp_path / name.rpartition("/")[2]
    random = np.random.default_rng(3)
    for turn in range(8):
        copy = bytearray(content)
        # Most bytes are pixels; half of the flips go where the structure is, at the front.
        place = int(random.integers(len(copy) if turn % 2 else min(len(copy), 20_000)))
        copy[place] ^= int(random.integers(1, 256))
        damaged.write_bytes(copy)
        try:
            load_all(bk.open(damaged))
        except BeamkitError as error:
            assert names_file(error, damaged), f"byte {place}: {error}"  # noqa: PT017
