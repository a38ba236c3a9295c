"""Which columns a scan has, on files of each kind, and what is made of them."""

import numpy as np
import pytest
import xarray as xr

import beamkit as bk
from beamkit import scans
from beamkit.core.errors import ParameterError, ShapeError, UnknownNameError
from beamkit.core.history import entries


def scan(columns, axis=None, file_format="srs", **attrs):
    """A dataset as the readers make it."""
    coords = {}
    if axis:
        name, values, unit = axis
        coords[name] = ("point", np.asarray(values, float), {"units": unit})
    data = {
        name: xr.DataArray(values, dims="point", attrs={"units": ""})
        for name, values in columns.items()
    }
    return xr.Dataset(data, coords=coords, attrs={"kind": "scan", "format": file_format, **attrs})


@pytest.fixture
def simple():
    x = [0.0, 0.5, 2.0, 3.0, 7.0]
    return scan(
        {
            "time": [1.0, 2, 3, 4, 5],
            "ic1monitor": [10.0, 20, 0, 10, 20],
            "sum": [1.0, 4, 9, 16, np.nan],
            "name": np.array(list("abcde")),
        },
        axis=("eta", x, "deg"),
    )


class TestWhatTheFileMeans:
    @pytest.mark.parametrize(
        ("name", "axis", "signal"),
        [
            ("srs/16446.dat", "DCMFPitch", "BPM1IN"),
            ("srs/34146.dat", "x", "ai5"),
            ("srs/404863.dat", "qdcd_", "adc2"),
            ("srs/96356.dat", "eta", "sum"),
            ("srs/i16_315029/315029.dat", "eta", "sum"),
            ("spec/fourc_20161029_long_night_00.spec", "energy", "Heflow"),
            ("nexus/i07-404876.nxs", "qdcd", "Region_1_average"),
            ("nexus/i16-538039/538039.nxs", "eta", "maxval"),
            ("workflow/MoKedge_1_15.dat", "Energy", "FF_I0"),
        ],
    )
    def test_real_files_are_plotted_as_they_mean(self, data_folder, name, axis, signal):
        data = bk.open(data_folder / name)
        assert scans.scanned_axis(data).name == axis
        assert scans.default_signal(data) == signal
        found = scans.curve(data)
        assert found.name == signal
        assert list(found.coords) == [axis]

    def test_the_sample_is_qbpm1_against_slycentre(self, tmp_path):
        sample = bk.samples.scan(tmp_path / "1.dat")
        found = scans.curve(bk.open(sample))
        assert found.name == "qbpm1"
        np.testing.assert_array_equal(found["SLYCENTRE"], sample.positions)

    def test_clocks_and_constants_come_last(self):
        data = scan({"a": [1.0, 2], "b": [3.0, 3], "Epoch": [1.0, 2], "ic2": [5.0, 6]})
        assert scans.default_signal(data) == "a"
        assert scans.default_signal(data[["b", "Epoch"]]) == "Epoch"
        assert scans.default_signal(data.assign(c=("point", [1.0, 9]))) == "c"
        nexus = data.assign(c=("point", [1.0, 9])).assign_attrs(format="nexus")
        assert scans.default_signal(nexus) == "a"

    def test_a_scan_of_nothing_is_numbered(self):
        data = scan({"a": [1.0, 2, 4]})
        axis = scans.scanned_axis(data)
        assert axis.name == "point"
        assert axis.values.tolist() == [0, 1, 2]
        assert list(scans.curve(data).coords) == ["point"]

    def test_a_grid_gives_its_fast_axis_and_is_not_taken_for_a_curve(self):
        coords = {"y": [1.0, 2], "x": [1.0, 2, 3]}
        data = xr.Dataset({"a": (("y", "x"), np.eye(2, 3))}, coords, {"kind": "scan"})
        assert scans.scanned_axis(data).name == "x"
        assert scans.default_signal(data) == "a"
        with pytest.raises(ShapeError, match=r"isel"):
            scans.statistics(scans.curve(data))
        with pytest.raises(ShapeError, match=r"isel"):
            scans.overlay([data])

    def test_the_table_tells_role_and_range(self, simple):
        table = scans.columns(simple).to_dataframe()
        assert table.loc["eta", ["role", "units", "highest"]].tolist() == ["axis", "deg", 7.0]
        assert table.loc["sum", ["role", "lowest", "missing"]].tolist() == ["signal", 1.0, 1]
        assert table.loc["ic1monitor", "role"] == "monitor"
        assert np.isnan(table.loc["name", "highest"])

    def test_names_that_are_not_there_are_refused(self, simple):
        with pytest.raises(UnknownNameError, match="Did you mean 'sum'"):
            scans.curve(simple, "summ")
        with pytest.raises(ParameterError, match="not numbers"):
            scans.curve(simple, "name")
        with pytest.raises(ParameterError, match="no column"):
            scans.default_signal(simple[["name"]])
        with pytest.raises(ParameterError, match="no columns"):
            scans.scanned_axis(xr.Dataset())

    def test_any_column_can_be_the_axis(self, simple):
        found = scans.curve(simple, "sum", "time")
        assert found["time"].values.tolist() == [1, 2, 3, 4, 5]
        assert "eta" not in found.coords


class TestNormalise:
    def test_it_is_scaled_by_the_mean_of_the_monitor(self, simple):
        found = scans.normalise(simple, "sum", "ic1monitor")
        # The mean of 10, 20, 10, 20 is 15; where it is 0 there is no answer.
        np.testing.assert_allclose(found, [1.5, 3.0, np.nan, 24.0, np.nan])
        assert found.attrs["notes"] == ["1 points are NaN, as ic1monitor is not above 0 there"]
        assert "eta" in found.coords

    def test_it_is_recorded(self, simple):
        found = scans.normalise(simple, monitor="ic1monitor", reference=10)
        (entry,) = entries(found.attrs)
        assert entry["name"] == "normalise"
        assert entry["parameters"]["reference"] == 10
        assert found.values[1] == 2.0
        assert "history" not in simple["sum"].attrs

    def test_the_sample_is_its_truth_after_normalisation(self, tmp_path):
        sample = bk.samples.scan(tmp_path / "1.dat", noise=False)
        reference = sample.monitor_reference
        found = scans.normalise(bk.open(sample), "qbpm1", "ic1monitor", reference=reference)
        np.testing.assert_allclose(found, sample.signal(sample.positions), rtol=1e-5)

    def test_a_monitor_without_beam_is_refused(self, simple):
        dark = simple.assign(ic1monitor=0 * simple["ic1monitor"])
        with pytest.raises(ParameterError, match="nowhere above 0"):
            scans.normalise(dark, "sum", "ic1monitor")


class TestOverlay:
    def test_shorter_scans_end_in_nan_and_keep_their_positions(self, simple):
        short = simple.isel(point=slice(0, 3)).assign_coords(eta=("point", [9.0, 8, 7]))
        short["eta"].attrs["units"] = "deg"
        both = scans.overlay([simple, short], names=["long", "short"])
        assert both.sizes == {"scan": 2, "point": 5}
        assert next(iter(both)) == "sum"
        assert "name" not in both
        np.testing.assert_array_equal(both["eta"][1], [9, 8, 7, np.nan, np.nan])
        np.testing.assert_array_equal(both["sum"][1], [1, 4, 9, np.nan, np.nan])
        assert both["eta"].attrs["units"] == "deg"
        assert both["scan"].values.tolist() == ["long", "short"]

    def test_scans_are_named_after_their_files(self, simple):
        named = [simple.assign_attrs(source=f"/a/{n}.dat") for n in ("7", "8", "7")]
        assert scans.overlay(named)["scan"].values.tolist() == ["7 (1)", "8", "7 (2)"]

    def test_scans_of_a_spec_file_are_told_by_their_number(self, data_folder):
        path = data_folder / "spec/fourc_20161029_long_night_00.spec"
        both = scans.overlay([bk.open(path, scan=number) for number in (2, 3)])
        stem = "fourc_20161029_long_night_00"
        assert both["scan"].values.tolist() == [f"{stem} #2", f"{stem} #3"]

    def test_scans_of_different_axes_are_refused(self, simple):
        with pytest.raises(ParameterError, match=r"different axes: .*eta \[deg\].*mu"):
            scans.overlay([simple, simple.rename(eta="mu")])
        with pytest.raises(ParameterError, match="no scans"):
            scans.overlay([])
        with pytest.raises(ParameterError, match="1 scans and 2 names"):
            scans.overlay([simple], names=["a", "b"])

    def test_scans_over_nothing_are_overlaid_by_point(self):
        both = scans.overlay([scan({"a": [1.0, 2]}), scan({"a": [3.0]})])
        np.testing.assert_array_equal(both["a"], [[1, 2], [3, np.nan]])
