import json

import numpy as np
import pytest
import xarray as xr

from beamkit._version import __version__
from beamkit.core.history import entries, extend, step


@step(quantity="transmission", units="1")
def divide(data: xr.DataArray, by: xr.DataArray, *, power: float = 1.0) -> xr.DataArray:
    """Divide."""
    return (data / by**power).assign_attrs(extra="set by the step")


@pytest.fixture
def counts():
    return xr.DataArray(
        np.full((2, 3), 6.0), dims=("y", "x"), attrs={"units": "counts", "energy": 12.4}
    )


def test_a_step_keeps_attributes_sets_units_and_records_itself(counts):
    result = divide(counts, counts / 2, power=1)
    assert result.attrs["energy"] == 12.4
    assert (result.attrs["quantity"], result.attrs["units"]) == ("transmission", "1")
    assert result.attrs["extra"] == "set by the step"
    (entry,) = entries(result.attrs)
    assert entry["name"] == "divide"
    assert entry["version"] == __version__
    assert entry["parameters"] == {"by": "array of shape (2, 3) and type float64", "power": 1}


def test_steps_add_up_oldest_first_and_the_input_stays(counts):
    before = dict(counts.attrs)
    result = divide(divide(counts, counts), counts, power=2.0)
    assert [entry["parameters"]["power"] for entry in entries(result.attrs)] == [1.0, 2.0]
    assert counts.attrs == before


def test_history_is_json_text_that_netcdf_keeps(counts, tmp_path):
    result = divide(counts, counts)
    result.to_dataset(name="t").to_netcdf(tmp_path / "t.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "t.nc", engine="h5netcdf") as read:
        assert entries(read["t"].attrs) == entries(result.attrs)


def test_what_json_does_not_know_is_described():
    text = extend(
        {}, "open", {"number": np.float32(1.5), "few": np.arange(3), "many": np.zeros(99), "s": {1}}
    )
    (entry,) = json.loads(text)
    assert entry["parameters"] == {
        "number": 1.5,
        "few": [0, 1, 2],
        "many": "array of shape (99,) and type float64",
        "s": [1],
    }
