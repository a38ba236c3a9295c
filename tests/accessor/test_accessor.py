import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

import beamkit as bk
from beamkit.core.errors import ParameterError


def run_python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.mark.parametrize(
    "code",
    [
        "import beamkit, xarray; print(hasattr(xarray.Dataset(), 'bk'))",
        "import xarray, beamkit; print(hasattr(xarray.Dataset(), 'bk'))",
        "import beamkit, importlib.util as u; u.find_spec('xarray'); import xarray; print(hasattr(xarray.Dataset(), 'bk'))",
    ],
)
def test_bk_is_there_whichever_is_imported_first(code):
    assert run_python(code) == "True"


def test_importing_beamkit_loads_nothing_heavy():
    loaded = run_python("import sys, beamkit; print(*sorted(sys.modules))").split()
    assert not {"numpy", "xarray", "dask", "h5py", "matplotlib", "papermill", "click"} & set(loaded)


def test_an_unknown_name_of_the_package_is_an_attribute_error():
    with pytest.raises(AttributeError, match="tomografy"):
        bk.tomografy  # noqa: B018


def test_metadata_table_says_unit_meaning_and_what_was_assumed():
    attrs = {
        "energy": 12.4,
        "rotation_sense": 1,
        "assumed": ["rotation_sense: +1", "energy_of_something: 3"],
        "odd": "x",
        "kind": "image",
    }
    table = xr.Dataset(attrs=attrs).bk.metadata
    assert [row.name for row in table] == ["energy", "rotation_sense", "odd"]
    assert table["energy"].unit == "keV"
    assert table["rotation_sense"].is_assumed
    assert not table["energy"].is_assumed
    assert "(assumed)" in repr(table)


def test_metadata_is_escaped_in_html():
    html = xr.Dataset(attrs={"title": "<script>alert(1)</script>"}).bk.metadata._repr_html_()
    assert "<script>" not in html


def test_save_refuses_another_format_by_name(tmp_path):
    volume = xr.DataArray(np.zeros((1, 2, 2)), dims=("z", "y", "x"))
    with pytest.raises(ParameterError, match="'.tif'"):
        volume.bk.save(tmp_path / "v.tif")
