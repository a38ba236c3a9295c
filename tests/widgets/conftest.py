"""Small data that break every symmetry, and viewers of them."""

import numpy as np
import pytest
import xarray as xr


def pytest_collection_modifyitems(items):
    # ipympl 0.10 builds its toolbar so that traitlets 5.16 warns ("Passing unrecognized arguments
    # to super(Toolbar).__init__()"). To be removed with the first ipympl that does not.
    mark = pytest.mark.filterwarnings(
        r"ignore:Passing unrecognized arguments to super\(Toolbar\):DeprecationWarning"
    )
    for item in items:
        if "tests/widgets" in item.path.as_posix():
            item.add_marker(mark)


@pytest.fixture
def stack():
    """Three images of 5 x 8 pixels: 100 * image + 10 * row + column."""
    angle, row, column = np.indices((3, 5, 8))
    units = {"units": "pixel"}
    return xr.DataArray(
        (100 * angle + 10 * row + column).astype(np.float32),
        dims=("angle", "detector_y", "detector_x"),
        coords={
            "angle": ("angle", [0.0, 12.5, 25.0], {"units": "deg"}),
            "detector_y": ("detector_y", np.arange(5) + 200, units),
            "detector_x": ("detector_x", np.arange(8) + 40, units),
        },
        attrs={"units": "counts", "quantity": "counts"},
        name="projections",
    )
